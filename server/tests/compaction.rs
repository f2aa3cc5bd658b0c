//! F19: compaction loses nothing, changes no instant that is kept, and does not mind writers.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use fastrand::Rng;
use slate_yrs_server::authorship::Part;
use slate_yrs_server::compact::{Retention, compact_all, compact_document};
use slate_yrs_server::replica::Replica;
use slate_yrs_server::storage::*;
use yrs::{Doc, GetString, ReadTxn, Text, Transact};

const HOUR: Millis = 3_600_000;
const DAY: Millis = 24 * HOUR;

/// Writers of one document who see each other's edits now and then.
struct Writers {
    docs: Vec<Doc>,
    rng: Rng,
}

impl Writers {
    fn new(seed: u64, count: u64) -> Self {
        let doc = |id| {
            let options = yrs::Options {
                offset_kind: yrs::OffsetKind::Utf16,
                ..yrs::Options::with_client_id(yrs::block::ClientID::new(id))
            };
            Doc::with_options(options)
        };
        Self { docs: (1..=count).map(doc).collect(), rng: Rng::with_seed(seed) }
    }

    fn edit(&mut self) -> Vec<u8> {
        let at = self.rng.usize(0..self.docs.len());
        if self.rng.u8(0..10) == 0 {
            let other = self.rng.usize(0..self.docs.len());
            let state = self.docs[other].transact().encode_state_as_update_v1(&Default::default());
            use yrs::updates::decoder::Decode;
            self.docs[at].transact_mut().apply_update(yrs::Update::decode_v1(&state).unwrap()).unwrap();
        }
        let doc = &self.docs[at];
        let root = doc.get_or_insert_text("content");
        let mut txn = doc.transact_mut();
        let len = root.len(&txn);
        if len > 10 && self.rng.u8(0..4) == 0 {
            let from = self.rng.u32(0..len - 3);
            root.remove_range(&mut txn, from, self.rng.u32(1..=3));
        } else {
            let words = ["FADE ", "in ", "dusk ", "rain ", "she ", "x"];
            root.insert(&mut txn, self.rng.u32(0..=len), words[self.rng.usize(0..words.len())]);
        }
        txn.encode_update_v1()
    }
}

async fn sqlite(folder: &tempfile::TempDir) -> Arc<dyn Storage> {
    let url = format!("sqlite:{}/server.sqlite", folder.path().display());
    Arc::new(SqlStorage::open(&url, Durability::Process).await.unwrap())
}

async fn log(storage: &Arc<dyn Storage>, document: &str) -> Vec<UpdateRow> {
    storage.get_updates_since(document, 0, 1_000_000).await.unwrap()
}

/// What the document reads after each row.
fn instants(rows: &[UpdateRow]) -> BTreeMap<Seq, String> {
    let mut replica = Replica::new();
    let root = replica.doc().get_or_insert_text("content");
    rows.iter()
        .filter(|row| row.quarantined.is_none())
        .map(|row| {
            replica.apply(&row.bytes).unwrap();
            (row.seq, root.get_string(&replica.doc().transact()))
        })
        .collect()
}

fn end_state(rows: &[UpdateRow]) -> Vec<u8> {
    let mut replica = Replica::new();
    for row in rows.iter().filter(|row| row.quarantined.is_none()) {
        replica.apply(&row.bytes).unwrap();
    }
    replica.encode()
}

async fn store(storage: &Arc<dyn Storage>, document: &Document, at: Millis, author: &str, bytes: Vec<u8>) {
    let updates = vec![NewUpdate {
        bytes: bytes.into(),
        author: Some(author.into()),
        submission: None,
        comments: Authors::default(),
    }];
    let (document, epoch) = (document.id.clone(), document.epoch.clone());
    let request = StoreRequest { document, epoch, at, updates, only_at_tip: None, once: Vec::new(), database: None };
    storage.store_updates(&[request]).await.unwrap().pop().unwrap().unwrap();
}

/// Bursts of edits over `days`, ending now.
async fn history(storage: &Arc<dyn Storage>, name: &str, writers: &mut Writers, days: i64, now: Millis) -> Document {
    let document = storage.open_document(name, 1).await.unwrap();
    for day in (0..days).rev() {
        for burst in 0..3 {
            let start = now - day * DAY - (2 + burst * 5) * HOUR;
            for edit in 0..writers.rng.i64(0..40) {
                let author = if edit % 3 == 0 { "ada" } else { "bob" };
                let bytes = writers.edit();
                store(storage, &document, start + edit * 1_000, author, bytes).await;
            }
        }
    }
    document
}

fn assert_same_instants(before: &[UpdateRow], after: &[UpdateRow]) {
    let (original, kept) = (instants(before), instants(after));
    for (seq, text) in &kept {
        assert_eq!(text, &original[seq], "the instant after update {seq}");
    }
    assert_eq!(end_state(before), end_state(after));
}

#[tokio::test(flavor = "multi_thread")]
async fn f19_every_instant_that_is_kept_reads_the_same() {
    let now = 20_000 * DAY + 12 * HOUR;
    for seed in 0..2 {
        let folder = tempfile::tempdir().unwrap();
        let storage = sqlite(&folder).await;
        let mut writers = Writers::new(seed, 3);
        history(&storage, "scene", &mut writers, 40, now).await;
        let before = log(&storage, "scene").await;
        let bytes_before = storage.log_bytes("scene").await.unwrap();
        let report = compact_document(&storage, "scene", Retention::default(), now).await.unwrap();
        let after = log(&storage, "scene").await;
        let bytes_after = storage.log_bytes("scene").await.unwrap();
        println!("seed {seed}: {} rows, {bytes_before} bytes → {}, {bytes_after}", before.len(), after.len());
        assert_eq!(report.given_up, 0);
        assert!(after.len() * 4 < before.len() && bytes_after < bytes_before);
        assert_same_instants(&before, &after);
        // What is younger than a day is as it was; older rows are one per hour, and one per day after thirty.
        let old: Vec<_> = after.iter().filter(|row| row.at < now - DAY).collect();
        assert!(old.iter().all(|row| row.detail != Detail::Edit));
        let mut windows: Vec<_> =
            old.iter().map(|row| (row.detail, row.at / if row.detail == Detail::Hour { HOUR } else { DAY })).collect();
        let count = windows.len();
        windows.dedup();
        assert_eq!(windows.len(), count);
        assert!(old.iter().any(|row| row.detail == Detail::Hour) && old.iter().any(|row| row.detail == Detail::Day));
        assert!(old.iter().any(|row| row.authors.0.len() == 2));
        let young = |rows: &[UpdateRow]| rows.iter().filter(|row| row.at >= now - DAY).cloned().collect::<Vec<_>>();
        assert_eq!(young(&before), young(&after));
        // No gap: every update is in exactly one row.
        let mut next = 1;
        for row in &after {
            assert_eq!(row.first_seq, next);
            next = row.seq + 1;
        }
        // Again: nothing to do. And a month later it is days.
        let again = compact_document(&storage, "scene", Retention::default(), now).await.unwrap();
        assert_eq!((again.rows_merged, again.rows_made), (0, 0));
        compact_document(&storage, "scene", Retention::default(), now + 40 * DAY).await.unwrap();
        let days = log(&storage, "scene").await;
        assert!(days.iter().all(|row| row.detail == Detail::Day));
        assert_same_instants(&before, &days);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f19_writers_and_two_compactors_at_once() {
    for seed in 10..12 {
        let folder = tempfile::tempdir().unwrap();
        let storage = sqlite(&folder).await;
        writers_and_two_compactors(&storage, &storage, seed).await;
    }
}

/// With row locks, and each compactor a server of its own.
#[tokio::test(flavor = "multi_thread")]
async fn f19_writers_and_two_compactors_at_once_on_postgres() {
    let Some(postgres) = common::postgres::Postgres::start() else { return };
    for seed in 20..22 {
        let url = postgres.url(&format!("compaction{seed}"));
        let one: Arc<dyn Storage> = Arc::new(SqlStorage::open(&url, Durability::Process).await.unwrap());
        let two: Arc<dyn Storage> = Arc::new(SqlStorage::open(&url, Durability::Process).await.unwrap());
        writers_and_two_compactors(&one, &two, seed).await;
        // The lease: of two who begin at once, one compacts.
        let now = 20_000 * DAY + 12 * HOUR;
        let (a, b) = tokio::join!(one.take_lease("x", "one", now, now + 9), two.take_lease("x", "two", now, now + 9));
        assert_ne!(a.unwrap(), b.unwrap());
    }
}

async fn writers_and_two_compactors(storage: &Arc<dyn Storage>, other: &Arc<dyn Storage>, seed: u64) {
    let now = 20_000 * DAY + 12 * HOUR;
    {
        let mut writers = Writers::new(seed, 3);
        let document = history(storage, "scene", &mut writers, 35, now).await;
        let before = log(storage, "scene").await;
        let writing = {
            let (storage, document) = (Arc::clone(storage), document.clone());
            tokio::spawn(async move {
                let mut slowest = std::time::Duration::ZERO;
                let mut written = Vec::new();
                for n in 0..150 {
                    let bytes = writers.edit();
                    let started = std::time::Instant::now();
                    // Some with a clock that is far behind.
                    let at = if n % 7 == 0 { now - 3 * DAY } else { now };
                    store(&storage, &document, at, "eve", bytes.clone()).await;
                    slowest = slowest.max(started.elapsed());
                    written.push(bytes);
                }
                (written, slowest)
            })
        };
        let retention = Retention::default();
        let (a, b) = tokio::join!(
            compact_document(storage, "scene", retention, now),
            compact_document(other, "scene", retention, now)
        );
        a.unwrap();
        b.unwrap();
        let (written, slowest) = writing.await.unwrap();
        println!("seed {seed}: the slowest write while compacting took {slowest:?}");
        compact_document(storage, "scene", retention, now).await.unwrap();
        let after = log(storage, "scene").await;
        let mut expected = before.clone();
        for (bytes, seq) in written.into_iter().zip(document.tip + before.len() as Seq + 1..) {
            let eve = Authors(["eve".to_owned()].into());
            let row = UpdateRow { seq, first_seq: seq, bytes, authors: eve, ..before[0].clone() };
            expected.push(row);
        }
        assert_eq!(after.last().unwrap().seq, expected.last().unwrap().seq);
        assert_same_instants(&expected, &after);
        // Who wrote what is known of all of it, whoever merged it.
        let before =
            slate_yrs_server::authorship::KnownAuthors::new(expected.iter().filter_map(Part::of_row).collect());
        let known = slate_yrs_server::history::blame::known(storage, "scene").await.unwrap();
        for part in &before.parts {
            for (client, ranges) in part.inserted.iter() {
                for clock in ranges.iter().flat_map(|range| range.start..range.end) {
                    let (found, _) = known.inserted(*client, clock);
                    let author = found.and_then(|found| found.author.clone());
                    assert_eq!(author, part.author, "{client}:{clock}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f19_what_waits_and_what_is_broken_is_kept() {
    let now = 20_000 * DAY;
    let folder = tempfile::tempdir().unwrap();
    let storage = sqlite(&folder).await;
    let document = storage.open_document("scene", 1).await.unwrap();
    let mut writers = Writers::new(1, 1);
    let updates: Vec<_> = (0..6).map(|_| writers.edit()).collect();
    let old = now - 2 * DAY;
    // The first update comes last, a day later; a broken row lies between.
    for update in &updates[1..4] {
        store(&storage, &document, old, "ada", update.clone()).await;
    }
    store(&storage, &document, old, "ada", vec![7, 7, 7]).await;
    storage.quarantine("scene", 4, "does not decode").await.unwrap();
    for update in &updates[4..] {
        store(&storage, &document, old, "ada", update.clone()).await;
    }
    let before = log(&storage, "scene").await;
    compact_document(&storage, "scene", Retention::default(), now).await.unwrap();
    let after = log(&storage, "scene").await;
    let broken: Vec<_> = after.iter().filter(|row| row.quarantined.is_some()).collect();
    assert_eq!((broken.len(), broken[0].bytes.as_slice(), broken[0].seq), (1, &[7u8, 7, 7][..], 4));
    assert_eq!(after.iter().map(|row| (row.first_seq, row.seq)).collect::<Vec<_>>(), [(1, 3), (4, 4), (5, 6)]);
    assert_eq!(end_state(&before), end_state(&after));
    // When the missing one arrives, everything is there.
    store(&storage, &document, now, "ada", updates[0].clone()).await;
    let mut whole = Replica::new();
    for update in &updates {
        whole.apply(update).unwrap();
    }
    assert_eq!(end_state(&log(&storage, "scene").await), whole.encode());
    assert!(!whole.has_pending());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_server_compacts_at_a_time() {
    let now = 20_000 * DAY;
    let folder = tempfile::tempdir().unwrap();
    let storage = sqlite(&folder).await;
    let mut writers = Writers::new(3, 2);
    for name in ["a", "b", "c"] {
        history(&storage, name, &mut writers, 5, now).await;
    }
    assert!(storage.take_lease("compaction", "other", now, now + 1_000).await.unwrap());
    assert_eq!(compact_all(&storage, Retention::default(), "me", || now).await.unwrap(), None);
    let report = compact_all(&storage, Retention::default(), "me", || now + 2_000).await.unwrap().unwrap();
    assert_eq!(report.documents, 3);
    assert!(report.rows_merged > report.rows_made);
    // Given back.
    assert!(compact_all(&storage, Retention::default(), "you", || now + 3_000).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn f19_a_busy_hour_becomes_one_row() {
    let now = 20_000 * DAY;
    let folder = tempfile::tempdir().unwrap();
    let storage = sqlite(&folder).await;
    let document = storage.open_document("scene", 1).await.unwrap();
    let mut writers = Writers::new(4, 2);
    for n in 0..1_200 {
        let bytes = writers.edit();
        store(&storage, &document, now - 2 * DAY + n, "ada", bytes).await;
    }
    let before = log(&storage, "scene").await;
    // Interrupted after its first merge, as by the end of the process.
    let first: Vec<Seq> = (1..=500).collect();
    let mut replica = Replica::new();
    let updates: Vec<&[u8]> = before[..500].iter().map(|row| row.bytes.as_slice()).collect();
    let bytes = replica.load_merged(&updates).unwrap().unwrap();
    let merged = UpdateRow { first_seq: 1, detail: Detail::Hour, bytes, ..before[499].clone() };
    assert_eq!(
        storage.compact_updates("scene", &[Merge { rows: first, merged, authorship: Vec::new() }]).await.unwrap(),
        [true]
    );
    compact_document(&storage, "scene", Retention::default(), now).await.unwrap();
    let after = log(&storage, "scene").await;
    assert_eq!(after.iter().map(|row| (row.first_seq, row.seq)).collect::<Vec<_>>(), [(1, 1_200)]);
    assert_same_instants(&before, &after);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_be_read_holds_up_neither_its_document_nor_others() {
    let now = 20_000 * DAY;
    let folder = tempfile::tempdir().unwrap();
    let storage = sqlite(&folder).await;
    let mut writers = Writers::new(5, 2);
    for name in ["a", "b"] {
        let document = storage.open_document(name, 1).await.unwrap();
        for n in 0..20 {
            let bytes = if name == "a" && n == 10 { vec![1, 2, 3] } else { writers.edit() };
            store(&storage, &document, now - 2 * DAY + n, "ada", bytes).await;
        }
    }
    let report = compact_all(&storage, Retention::default(), "me", || now).await.unwrap().unwrap();
    assert_eq!((report.documents, report.quarantined, report.failed), (2, 1, 0));
    let rows = |log: Vec<UpdateRow>| log.iter().map(|row| (row.seq, row.quarantined.is_some())).collect::<Vec<_>>();
    assert_eq!(rows(log(&storage, "a").await), [(10, false), (11, true), (20, false)]);
    assert_eq!(rows(log(&storage, "b").await), [(20, false)]);
}

/// Objects in a map, an array, an embed, the mark of a text, and the options of a subdocument.
fn objects(doc: &Doc, n: u32) -> Vec<u8> {
    use yrs::{Any, Array, Map};
    let object = |depth: u32| {
        let mut entries: std::collections::HashMap<String, Any> =
            ["width", "height", "left", "top", "name"].map(|key| (key.to_owned(), Any::from(n))).into();
        if depth > 0 {
            entries.insert("inner".into(), Any::from(entries.clone()));
        }
        Any::from(entries)
    };
    let (text, map, array) =
        (doc.get_or_insert_text("content"), doc.get_or_insert_map("map"), doc.get_or_insert_array("array"));
    let mut txn = doc.transact_mut();
    map.insert(&mut txn, format!("data {n}"), object(1));
    array.push_back(&mut txn, object(1));
    text.insert_embed(&mut txn, 0, object(0));
    text.insert_with_attributes(&mut txn, 1, "marked", [("comment".into(), object(1))].into());
    let mut options = yrs::Options::with_guid_and_client_id(format!("inside {n}").into(), yrs::block::ClientID::new(9));
    options.collection_id = Some("notes".into());
    options.auto_load = true;
    map.insert(&mut txn, format!("inside {n}"), Doc::with_options(options));
    txn.encode_update_v1()
}

#[tokio::test(flavor = "multi_thread")]
async fn f54_objects_of_many_keys_are_compacted_and_verified() {
    let folder = tempfile::tempdir().unwrap();
    let storage = sqlite(&folder).await;
    let now = 100 * DAY;
    let document = storage.open_document("objects", 1).await.unwrap();
    let doc = Doc::with_client_id(3);
    for n in 0..30 {
        store(&storage, &document, now - 3 * DAY + i64::from(n), "ada", objects(&doc, n)).await;
    }
    let head = end_state(&log(&storage, "objects").await);
    storage.put_head("objects", &document.epoch, 30, now, &head).await.unwrap();
    let mut said = Vec::new();
    let verified = slate_yrs_server::admin::verify(&storage, None, &mut said).await;
    assert!(verified.is_ok(), "{}", String::from_utf8_lossy(&said));
    let report = compact_document(&storage, "objects", Retention::default(), now).await.unwrap();
    assert_eq!((report.rows_merged, report.rows_made, report.given_up), (30, 1, 0));
    let verified = slate_yrs_server::admin::verify(&storage, None, &mut said).await;
    assert!(verified.is_ok(), "{}", String::from_utf8_lossy(&said));
}
