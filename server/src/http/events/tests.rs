#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use axum::body::{Body, to_bytes};
use tokio::sync::broadcast;

use super::*;
use crate::storage::{Authors, Durability, NewUpdate, SqlStorage, StoreRequest};

struct House {
    storage: Arc<dyn Storage>,
    epoch: String,
    events: broadcast::Sender<Event>,
    _folder: tempfile::TempDir,
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}/events.sqlite", folder.path().display());
        let storage: Arc<dyn Storage> = Arc::new(SqlStorage::open(&url, Durability::Process).await.unwrap());
        let epoch = storage.open_document("scene", 1).await.unwrap().epoch;
        Self { storage, epoch, events: broadcast::Sender::new(4), _folder: folder }
    }

    fn listener(&self, last: Option<&str>, tip: Seq) -> Listener {
        let mut listener = Listener {
            storage: Arc::clone(&self.storage),
            document: "scene".into(),
            epoch: self.epoch.clone(),
            heard: tip,
            user: Some("ada".into()),
            wanted: EventKinds([true; 3]),
            has_comments: true,
            is_behind: false,
            is_over: false,
            waiting: VecDeque::new(),
            events: self.events.subscribe(),
            ending: Box::pin(std::future::pending()),
            _held: Box::new(()),
        };
        listener.begin(last, tip, "nobody");
        assert!(listener.waiting.pop_back().is_some(), "who is there");
        listener
    }

    /// So many rows, each of somebody else; and said so where it is to be.
    async fn store(&self, rows: std::ops::RangeInclusive<Seq>, said: bool) {
        for seq in rows {
            let authors = Authors([format!("author {seq}")].into());
            let bytes = format!("row {seq}").into_bytes().into();
            let update =
                NewUpdate { bytes, author: authors.to_lines(), submission: None, comments: Authors::default() };
            let request = StoreRequest {
                document: "scene".into(),
                epoch: self.epoch.clone(),
                at: seq,
                updates: vec![update],
                only_at_tip: None,
                once: Vec::new(),
                database: None,
            };
            self.storage.store_updates(&[request]).await.unwrap().pop().unwrap().unwrap();
            if said {
                let entry = LogEntry { first_seq: seq, seq, authors, at: seq };
                let _ = self.events.send(Event::Changed(Arc::new(entry)));
            }
        }
    }
}

async fn text(said: Said) -> String {
    let answer = Sse::new(stream::iter([Ok::<_, Infallible>(said)])).into_response();
    String::from_utf8(to_bytes(Body::new(answer.into_body()), 1 << 20).await.unwrap().to_vec()).unwrap()
}

/// What is told of all that has happened by now.
async fn told(house: &House, listener: &mut Listener) -> Vec<String> {
    house.events.send(Event::Presence("the end".into())).unwrap();
    let mut all = Vec::new();
    loop {
        let one = text(listener.next().await.expect("it goes on")).await;
        match one.contains("the end") {
            true => return all,
            false => all.push(one),
        }
    }
}

/// Which numbers were told of, in order.
fn numbers(told: &[String]) -> Vec<Seq> {
    let changed = told.iter().filter(|one| one.starts_with("event: changed"));
    let data = |one: &String| -> serde_json::Value {
        serde_json::from_str(one.lines().find_map(|line| line.strip_prefix("data: ")).unwrap()).unwrap()
    };
    changed.map(data).flat_map(|data| data["first"].as_i64().unwrap()..=data["seq"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn who_is_slow_reads_from_the_log_what_was_dropped() {
    let house = House::new().await;
    let mut listener = house.listener(None, 0);
    assert!(told(&house, &mut listener).await[0].starts_with("event: ready"));
    house.store(1..=3, true).await;
    assert_eq!(numbers(&told(&house, &mut listener).await), [1, 2, 3]);
    // More than is kept for anybody, and more than a page.
    house.store(4..=300, true).await;
    let missed = told(&house, &mut listener).await;
    assert_eq!(numbers(&missed), (4..=300).collect::<Vec<_>>());
    assert!(missed.iter().any(|one| one.contains(r#"{"keys":null}"#)), "comments may have changed");
    assert!(missed.iter().any(|one| one.contains("author 100")));
    // What the room does not say is in the log, whether it says that there is something or names what comes after it.
    house.store(301..=302, false).await;
    house.store(303..=303, true).await;
    house.store(304..=304, false).await;
    house.events.send(Event::Look).unwrap();
    assert_eq!(numbers(&told(&house, &mut listener).await), [301, 302, 303, 304]);
}

#[tokio::test]
async fn it_goes_on_where_it_was_or_says_that_it_cannot() {
    let house = House::new().await;
    house.store(1..=5, false).await;
    let last = format!("{}-2", house.epoch);
    assert_eq!(numbers(&told(&house, &mut house.listener(Some(&last), 5)).await), [3, 4, 5]);
    // Compaction has merged what was heard with what was not.
    let row = crate::storage::UpdateRow {
        seq: 4,
        first_seq: 1,
        detail: crate::storage::Detail::Hour,
        authors: Authors::default(),
        at: 1,
        bytes: vec![0, 0],
        quarantined: None,
        submitted: false,
    };
    let merge = crate::storage::Merge { rows: vec![1, 2, 3, 4], merged: row, authorship: Vec::new() };
    assert_eq!(house.storage.compact_updates("scene", &[merge]).await.unwrap(), [true]);
    assert_eq!(numbers(&told(&house, &mut house.listener(Some(&last), 5)).await), [3, 4, 5]);
    for strange in ["other-2", "nonsense", "", &format!("{}-9", house.epoch), &format!("{}--1", house.epoch)] {
        let told = told(&house, &mut house.listener(Some(strange), 5)).await;
        assert!(told.len() == 1 && told[0].starts_with("event: reset"), "{strange}: {told:?}");
        assert!(told[0].contains(&format!("id: {}-5", house.epoch)), "{told:?}");
    }
}

#[tokio::test]
async fn it_ends_with_the_document_and_with_its_user() {
    let house = House::new().await;
    house.store(1..=1, false).await;
    let mut listener = house.listener(Some(&format!("{}-0", house.epoch)), 1);
    // Deleted, and made again, before the log was read.
    house.storage.delete_document("scene").await.unwrap();
    house.storage.open_document("scene", 2).await.unwrap();
    assert!(text(listener.next().await.unwrap()).await.starts_with("event: gone"));
    assert!(listener.next().await.is_none());
    let mut listener = house.listener(None, 1);
    assert!(text(listener.next().await.unwrap()).await.starts_with("event: ready"));
    for (user, ends) in [("ben", false), ("ada", true)] {
        house.events.send(Event::Kicked(user.into())).unwrap();
        let next = tokio::time::timeout(Duration::from_millis(if ends { 30_000 } else { 50 }), listener.next()).await;
        assert_eq!(next.is_ok_and(|next| next.is_none()), ends, "{user}");
    }
}
