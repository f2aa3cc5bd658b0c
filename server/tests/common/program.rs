//! The real program, to be killed without warning.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, reason = "for tests, each of which uses a part")]

use std::io::{BufRead, BufReader, Lines, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, Command, Stdio};

/// Killed (SIGKILL) when dropped.
pub struct Program {
    child: Child,
    pub address: SocketAddr,
}

impl Program {
    pub fn start(database: &str, flags: &[&str]) -> Self {
        Self::start_with(database, flags, "info", None)
    }

    /// Started with this filter; what it logs goes to the file.
    pub fn start_logging(database: &str, flags: &[&str], filter: &str, file: &std::path::Path) -> Self {
        Self::start_with(database, flags, filter, Some(std::fs::File::create(file).unwrap()))
    }

    fn start_with(database: &str, flags: &[&str], filter: &str, log: Option<std::fs::File>) -> Self {
        Self::spawn(Command::new(env!("CARGO_BIN_EXE_slate-yrs-server")), database, flags, filter, log)
    }

    /// Started with this filter; once it listens nobody reads what it logs, and its pipe is closed.
    pub fn start_unread(database: &str, filter: &str) -> Self {
        let (child, lines, address) =
            Self::listening(Command::new(env!("CARGO_BIN_EXE_slate-yrs-server")), database, &[], filter, &mut None);
        drop(lines);
        Self { child, address }
    }

    /// Started as somebody whom file modes bind, unlike root.
    pub fn start_as_nobody(database: &str, flags: &[&str], file: &std::path::Path) -> Self {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]);
        command.arg(env!("CARGO_BIN_EXE_slate-yrs-server"));
        Self::spawn(command, database, flags, "info", Some(std::fs::File::create(file).unwrap()))
    }

    /// Runs it until it ends by itself; whether it succeeded, and what it said.
    pub fn run(database: &str) -> (bool, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_slate-yrs-server"))
            .args(["--listen", "127.0.0.1:0", "--database", database])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn spawn(command: Command, database: &str, flags: &[&str], filter: &str, mut log: Option<std::fs::File>) -> Self {
        let (child, lines, address) = Self::listening(command, database, flags, filter, &mut log);
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| note(&mut log, &line)));
        Self { child, address }
    }

    /// Started, and what it logs from where it says that it listens.
    fn listening(
        mut command: Command,
        database: &str,
        flags: &[&str],
        filter: &str,
        log: &mut Option<std::fs::File>,
    ) -> (Child, Lines<BufReader<ChildStderr>>, SocketAddr) {
        let mut child = command
            .args(["--listen", "127.0.0.1:0", "--database", database, "--log", filter])
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("the program starts").unwrap();
            note(log, &line);
            if let Some((_, address)) = line.split_once("listening on http://") {
                break address.trim().parse().unwrap();
            }
        };
        (child, lines, address)
    }

    pub fn kill(self) {}

    /// Killed, while its place is kept for the next one.
    pub fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.id().to_string()]).status().unwrap().success());
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Bytes of memory it has resident; 0 where that cannot be read.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) * 1024
    }
}

fn note(log: &mut Option<std::fs::File>, line: &str) {
    if let Some(log) = log {
        writeln!(log, "{line}").unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
