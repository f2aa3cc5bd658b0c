//! The real program, killed without warning while people type (F14): what it acknowledged is there afterwards.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::Client;
use common::program::Program;
use tokio::sync::Barrier;

#[tokio::test(flavor = "multi_thread")]
async fn f14_killed_mid_typing_ten_times_no_acknowledged_character_is_missing() {
    const WRITERS: u64 = 3;
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}/server.sqlite", folder.path().display());
    let mut rng = fastrand::Rng::with_seed(14);
    let mut docs: Vec<_> = (1..=WRITERS).map(common::client::doc).collect();
    for round in 0..10 {
        let program = Program::start(&database, &[]);
        let address = program.address;
        let acks = Arc::new(AtomicUsize::new(0));
        let synced = Arc::new(Barrier::new(WRITERS as usize));
        let typing: Vec<_> = docs
            .drain(..)
            .zip(1..)
            .map(|(doc, id)| {
                tokio::spawn(type_until_killed(
                    address,
                    doc,
                    format!("writer{id}-{round}"),
                    id,
                    Arc::clone(&acks),
                    Arc::clone(&synced),
                ))
            })
            .collect();
        let enough = rng.usize(10..40);
        common::eventually("they type", || acks.load(Ordering::SeqCst) >= enough).await;
        tokio::time::sleep(Duration::from_millis(rng.u64(0..20))).await;
        program.kill();
        let mut acknowledged = Vec::new();
        for writer in typing {
            let (doc, acked) = writer.await.unwrap();
            docs.push(doc);
            acknowledged.extend(acked);
        }
        assert!(!acknowledged.is_empty(), "nothing was acknowledged in round {round}");
        let program = Program::start(&database, &[]);
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
async fn type_until_killed(
    address: SocketAddr,
    doc: yrs::Doc,
    session: String,
    id: u64,
    acks: Arc<AtomicUsize>,
    synced: Arc<Barrier>,
) -> (yrs::Doc, Vec<String>) {
    let query = format!("slate-yrs=1&session={session}");
    let mut client = Client::connect_with(address, "scene", doc, &query).await;
    // What was typed before the last kill and never stored comes with sync step 2.
    client.sync_both().await;
    // Nobody is killed before all have come so far.
    synced.wait().await;
    let mut words = Vec::new();
    let mut acked = 0;
    'typing: loop {
        let word = format!("<{session}.{}.{id}>", words.len());
        client.write(&word).await;
        words.push(word);
        // Three may be on their way.
        while words.len() as u64 > acked + 3 {
            match tokio::time::timeout(Duration::from_secs(2), client.next()).await {
                Ok(common::Msg::Ack(seq)) => {
                    acked = seq;
                    acks.fetch_add(1, Ordering::SeqCst);
                }
                Ok(common::Msg::Close(_)) | Err(_) => break 'typing,
                Ok(_) => {}
            }
        }
    }
    words.truncate(acked as usize);
    (client.drop_dead(), words)
}
