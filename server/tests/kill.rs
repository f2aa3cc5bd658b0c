//! The real program, killed without warning while people type (F14): what it acknowledged is there afterwards.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::Client;

struct Program {
    child: Child,
    address: SocketAddr,
}

impl Program {
    fn start(database: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_slate-yrs-server"))
            .args(["--listen", "127.0.0.1:0", "--database", database, "--log", "info"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("the program starts").unwrap();
            if let Some((_, address)) = line.split_once("http://") {
                break address.trim().parse().unwrap();
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    fn kill(self) {}
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f14_killed_mid_typing_ten_times_no_acknowledged_character_is_missing() {
    const WRITERS: u64 = 3;
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}/server.sqlite", folder.path().display());
    let mut rng = fastrand::Rng::with_seed(14);
    let mut docs: Vec<_> = (1..=WRITERS).map(common::client::doc).collect();
    for round in 0..10 {
        let program = Program::start(&database);
        let address = program.address;
        let typing: Vec<_> = docs
            .drain(..)
            .zip(1..)
            .map(|(doc, id)| tokio::spawn(type_until_killed(address, doc, format!("writer{id}-{round}"), id)))
            .collect();
        tokio::time::sleep(Duration::from_millis(rng.u64(100..400))).await;
        program.kill();
        let mut acknowledged = Vec::new();
        for writer in typing {
            let (doc, acked) = writer.await.unwrap();
            docs.push(doc);
            acknowledged.extend(acked);
        }
        assert!(!acknowledged.is_empty(), "nothing was acknowledged in round {round}");
        let program = Program::start(&database);
        let mut fresh = Client::connect(program.address, "scene", 99, "").await;
        fresh.sync().await;
        let text = fresh.read();
        for word in &acknowledged {
            assert_eq!(text.matches(word.as_str()).count(), 1, "{word} was acknowledged in round {round}");
        }
        program.kill();
    }
}

/// Types words until the connection is gone. The words that were acknowledged.
async fn type_until_killed(address: SocketAddr, doc: yrs::Doc, session: String, id: u64) -> (yrs::Doc, Vec<String>) {
    let query = format!("slate-yrs=1&session={session}");
    let mut client = Client::connect_with(address, "scene", doc, &query).await;
    // What was typed before the last kill and never stored comes with sync step 2.
    client.sync_both().await;
    let mut words = Vec::new();
    let mut acked = 0;
    'typing: loop {
        let word = format!("<{session}.{}.{id}>", words.len());
        client.write(&word).await;
        words.push(word);
        // Three may be on their way.
        while words.len() as u64 > acked + 3 {
            match tokio::time::timeout(Duration::from_secs(2), client.next()).await {
                Ok(common::Msg::Ack(seq)) => acked = seq,
                Ok(common::Msg::Close(_)) | Err(_) => break 'typing,
                Ok(_) => {}
            }
        }
    }
    words.truncate(acked as usize);
    (client.drop_dead(), words)
}
