//! A PostgreSQL of its own for tests, in a temporary folder, on a socket and a free port.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, reason = "for tests, each of which uses a part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A running server; stopped and deleted when dropped.
pub struct Postgres {
    binaries: PathBuf,
    folder: PathBuf,
    port: u16,
}

impl Postgres {
    /// None, after a loud line, if no PostgreSQL is installed.
    pub fn start() -> Option<Self> {
        let Some(binaries) = binaries() else {
            assert!(std::env::var_os("CI").is_none(), "no PostgreSQL found, and CI skips nothing");
            eprintln!("SKIPPED: no PostgreSQL found (apt-get install postgresql); its tests did not run");
            return None;
        };
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = std::env::temp_dir().join(format!("slate-yrs-postgres-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        run(Command::new("chown").arg("postgres").arg(&folder));
        let postgres = Self { binaries, folder, port };
        run(postgres.command("initdb").args(["-A", "trust", "-U", "postgres", "--no-sync", "-D"]).arg(postgres.data()));
        postgres.up();
        Some(postgres)
    }

    /// Starts it after [`Postgres::stop`].
    pub fn up(&self) {
        let options = format!("-p {} -c listen_addresses=127.0.0.1 -k {}", self.port, self.folder.display());
        run(self
            .command("pg_ctl")
            .args(["-w", "-o", &options, "-l"])
            .arg(self.folder.join("log"))
            .arg("-D")
            .arg(self.data())
            .arg("start"));
    }

    /// Stops it as a crash would: clients are cut off.
    pub fn stop(&self) {
        run(self.command("pg_ctl").args(["-w", "-m", "immediate", "-D"]).arg(self.data()).arg("stop"));
    }

    /// A database, made if there is none.
    pub fn url(&self, database: &str) -> String {
        let port = self.port.to_string();
        let _ = self
            .command("createdb")
            .args(["-h", "127.0.0.1", "-U", "postgres", "-p", &port, database])
            .stderr(Stdio::null())
            .status();
        format!("postgres://postgres@127.0.0.1:{port}/{database}")
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// PostgreSQL refuses to run as root.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]);
        command.arg(self.binaries.join(program)).current_dir("/tmp");
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self
            .command("pg_ctl")
            .args(["-m", "immediate", "-D"])
            .arg(self.data())
            .arg("stop")
            .stdout(Stdio::null())
            .status();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn binaries() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> =
        std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|entry| entry.path().join("bin")).collect();
    versions.sort();
    versions.into_iter().rev().find(|folder| Path::new(&folder.join("initdb")).exists())
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
