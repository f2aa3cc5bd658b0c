//! A month of writing, compacted: how many bytes the log has before and after, whether every instant that is kept
//! reads the same, and how long a writer waits meanwhile. Prints one line of JSON; `npm run bench:server` publishes it.
//!
//! ```sh
//! cargo run --release -p slate-yrs-server --example month -- sqlite:/tmp/month.sqlite [KEYS A DAY]
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a tool that stops where something is wrong")]

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::json;
use slate_yrs_server::compact::{Retention, compact_document};
use slate_yrs_server::replica::Replica;
use slate_yrs_server::room::load::build;
use slate_yrs_server::storage::{
    Authors, Document, Durability, Millis, NewUpdate, Seq, SqlStorage, Storage, StoreRequest, UpdateRow,
};
use yrs::updates::decoder::Decode;
use yrs::{Doc, GetString, ReadTxn, Text, Transact};

const HOUR: Millis = 3_600_000;
const DAYS: Millis = 31;
const NAME: &str = "month";
/// Keys typed one after the other at one place.
const BURST: u32 = 60;

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let keys_a_day: u32 = args.get(1).map_or(2_000, |text| text.parse().expect("a number of keys"));
    let storage: Arc<dyn Storage> = Arc::new(SqlStorage::open(&args[0], Durability::Full).await.unwrap());
    let now = 20_000 * 24 * HOUR;
    let document = storage.open_document(NAME, now - DAYS * 24 * HOUR).await.unwrap();
    write(&storage, &document, now, keys_a_day).await;

    let before = rows(&storage).await;
    let (bytes_before, load_before) = (storage.log_bytes(NAME).await.unwrap(), load(&storage).await);
    let (stop, writing) = typing_meanwhile(&storage, &document, now);
    let started = Instant::now();
    let report = compact_document(&storage, NAME, Retention::default(), now).await.unwrap();
    let took = started.elapsed();
    stop.store(true, Ordering::Relaxed);
    let mut waits = writing.await.unwrap();
    waits.sort();

    let after: Vec<UpdateRow> = rows(&storage).await.into_iter().filter(|row| row.seq <= before.len() as Seq).collect();
    let bytes_after: usize = after.iter().map(|row| row.bytes.len()).sum();
    let (were, are) = (instants(&before, &after), instants(&after, &after));
    assert_eq!(report.given_up, 0, "a merge would have read differently");
    assert_eq!(were, are, "an instant that is kept reads differently");
    let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
    println!(
        "{}",
        json!({
            "rows": before.len(), "bytes": bytes_before, "rowsAfter": after.len(), "bytesAfter": bytes_after,
            "instants": are.len(), "compaction": ms(took), "load": ms(load_before), "loadAfter": ms(load(&storage).await),
            "writes": waits.len(), "wait": { "p50": ms(waits[waits.len() / 2]), "most": ms(*waits.last().unwrap()) },
        })
    );
}

/// Two people who type in turns, in the working hours of each day, a place at a time, and erase now and then.
async fn write(storage: &Arc<dyn Storage>, document: &Document, now: Millis, keys_a_day: u32) {
    let options = |id| yrs::Options {
        offset_kind: yrs::OffsetKind::Utf16,
        ..yrs::Options::with_client_id(yrs::block::ClientID::new(id))
    };
    let docs: Vec<Doc> = (1..=2).map(|id| Doc::with_options(options(id))).collect();
    let mut rng = Rng::with_seed(1);
    for day in (0..DAYS).rev() {
        let mut typed = 0;
        let mut batch = Vec::new();
        while typed < keys_a_day {
            let (me, other) = if rng.bool() { (&docs[0], &docs[1]) } else { (&docs[1], &docs[0]) };
            let author = if std::ptr::eq(me, &docs[0]) { "ada" } else { "bob" };
            let missing = other.transact().encode_state_as_update_v1(&me.transact().state_vector());
            me.transact_mut().apply_update(yrs::Update::decode_v1(&missing).unwrap()).unwrap();
            let root = me.get_or_insert_text("content");
            let mut at = rng.u32(0..=root.len(&me.transact()));
            // Eight hours of it, ending two hours before midnight.
            let start = now - day * 24 * HOUR - 10 * HOUR + Millis::from(typed) * 8 * HOUR / Millis::from(keys_a_day);
            for key in 0..BURST {
                let mut txn = me.transact_mut();
                if at > 0 && rng.u8(0..8) == 0 {
                    at -= 1;
                    root.remove_range(&mut txn, at, 1);
                } else {
                    root.insert(&mut txn, at, ["e", "t", "a", "o", " "][rng.usize(0..5)]);
                    at += 1;
                }
                batch.push((start + Millis::from(key) * 200, author, txn.encode_update_v1()));
            }
            typed += BURST;
        }
        store(storage, document, batch).await;
    }
}

async fn store(storage: &Arc<dyn Storage>, document: &Document, edits: Vec<(Millis, &str, Vec<u8>)>) {
    let requests: Vec<StoreRequest> = edits
        .into_iter()
        .map(|(at, author, bytes)| StoreRequest {
            document: document.id.clone(),
            epoch: document.epoch.clone(),
            at,
            updates: vec![NewUpdate {
                bytes: bytes.into(),
                author: Some(author.into()),
                submission: None,
                comments: Authors::default(),
            }],
            only_at_tip: None,
            once: Vec::new(),
            database: None,
        })
        .collect();
    for stored in storage.store_updates(&requests).await.unwrap() {
        stored.unwrap();
    }
}

async fn rows(storage: &Arc<dyn Storage>) -> Vec<UpdateRow> {
    storage.get_updates_since(NAME, 0, u32::MAX / 2).await.unwrap()
}

/// From the database to a document, as a room opens it.
async fn load(storage: &Arc<dyn Storage>) -> Duration {
    let started = Instant::now();
    let state = storage.get_scene_state(NAME).await.unwrap().unwrap();
    build(state.snapshot.as_ref(), &state.tail).unwrap();
    started.elapsed()
}

/// A key every twenty milliseconds until told to stop; how long each waited.
fn typing_meanwhile(
    storage: &Arc<dyn Storage>,
    document: &Document,
    now: Millis,
) -> (Arc<AtomicBool>, tokio::task::JoinHandle<Vec<Duration>>) {
    let stop = Arc::new(AtomicBool::new(false));
    let (stopped, storage, document) = (Arc::clone(&stop), Arc::clone(storage), document.clone());
    let writing = tokio::spawn(async move {
        let doc = Doc::with_client_id(99);
        let root = doc.get_or_insert_text("content");
        let mut waits = Vec::new();
        while !stopped.load(Ordering::Relaxed) {
            let update = {
                let mut txn = doc.transact_mut();
                root.push(&mut txn, "x");
                txn.encode_update_v1()
            };
            let started = Instant::now();
            store(&storage, &document, vec![(now, "eve", update)]).await;
            waits.push(started.elapsed());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        waits
    });
    (stop, writing)
}

/// What the document reads after each of the rows that are `kept`.
fn instants(rows: &[UpdateRow], kept: &[UpdateRow]) -> HashMap<Seq, u64> {
    let mut kept = kept.iter().map(|row| row.seq).peekable();
    let mut replica = Replica::new();
    let root = replica.doc().get_or_insert_text("content");
    let mut read = HashMap::new();
    for row in rows {
        replica.apply(&row.bytes).unwrap();
        if kept.next_if_eq(&row.seq).is_some() {
            let mut hash = DefaultHasher::new();
            root.get_string(&replica.doc().transact()).hash(&mut hash);
            read.insert(row.seq, hash.finish());
        }
    }
    read
}
