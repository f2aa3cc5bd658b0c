//! Rooms on a database, without sockets.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use slate_yrs::protocol::{Message, RejectCode, Role, close, messages};
use tokio::time::timeout;
use yrs::{Doc, Text, Transact};

use super::frames::Outgoing;
use super::*;
use crate::allowance::Allowances;
use crate::clock::now;
use crate::gate::Layout;
use crate::hints::Hints;
use crate::metrics::Metrics;
use crate::replica::PANICS;
use crate::storage::{Durability, SqlStorage, Storage};
use crate::writer::LogWriter;

struct House {
    rooms: Rooms,
    storage: Arc<dyn Storage>,
    _folder: tempfile::TempDir,
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}/rooms.sqlite", folder.path().display());
        let storage: Arc<dyn Storage> = Arc::new(SqlStorage::open(&url, Durability::Process).await.unwrap());
        let metrics = Arc::new(Metrics::default());
        let limits = RoomLimits {
            max_update_bytes: 1 << 20,
            max_sync_bytes: 1 << 20,
            max_frame_bytes: 2 << 20,
            max_queued_bytes: 8 << 20,
            heartbeat_ms: 15_000,
            max_bad_frames: 20,
            max_document_bytes: 0,
        };
        let shared = Shared {
            storage: Arc::clone(&storage),
            writer: LogWriter::start(Arc::clone(&storage), Arc::clone(&metrics), Duration::from_secs(60)),
            limits,
            layout: Layout::default(),
            metrics,
            hints: Hints::none(),
            changed: Arc::default(),
            allowances: Allowances::without_limits(),
            idle: Duration::from_secs(60),
            head_every: 2,
        };
        Self { rooms: Rooms::new(shared), storage, _folder: folder }
    }

    async fn join(&self, conn: ConnId) -> Guest {
        let room = self.rooms.hold("scene", true).unwrap();
        let (queue, end) = send_queue(8 << 20);
        let who = Participant {
            durable: true,
            session: Some(format!("session {conn}")),
            formats: crate::gate::FORMATS,
            role: Role::ReadWrite,
            author: None,
            owner: None,
            name: None,
            admin: false,
        };
        let request = JoinRequest { conn, who, taker: None, create: true, queue };
        assert!(room.send(Command::Join(Box::new(request))).await);
        let mut guest = Guest { conn, room, end, heard: Vec::new() };
        guest.until(|heard| matches!(heard, Heard::Step1)).await;
        guest
    }

    async fn epoch(&self) -> String {
        self.storage.document("scene").await.unwrap().unwrap().epoch
    }

    /// Another server stores this.
    async fn elsewhere(&self, update: &[u8]) {
        self.storage.store_update("scene", &self.epoch().await, now(), update).await.unwrap();
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Heard {
    Step1,
    Update(Vec<u8>),
    Ack(u64),
    Reject(u64, RejectCode),
    Close(u16),
    Other,
}

struct Guest {
    conn: ConnId,
    room: RoomRef,
    end: SendQueueEnd,
    heard: Vec<Heard>,
}

impl Guest {
    async fn send(&self, message: &[Message<'_>]) {
        let mut bytes = Vec::new();
        message.iter().for_each(|message| message.encode(&mut bytes));
        self.room.frame(self.conn, bytes.into()).await;
    }

    async fn until(&mut self, wanted: impl Fn(&Heard) -> bool) {
        loop {
            if let Some(at) = self.heard.iter().position(&wanted) {
                self.heard.drain(..=at);
                return;
            }
            let ending = self.end.ending();
            let next = async {
                tokio::select! {
                    biased;
                    Some(outgoing) = self.end.next() => outgoing,
                    (code, reason) = ending.told() => Outgoing::Close { code, reason },
                }
            };
            match timeout(Duration::from_secs(30), next).await.expect("something comes") {
                Outgoing::Frame(bytes) | Outgoing::Large { frame: bytes, .. } => {
                    self.heard.extend(messages(&bytes).map(|message| match message.unwrap() {
                        Message::SyncStep1(_) => Heard::Step1,
                        Message::Update(update) => Heard::Update(update.to_vec()),
                        Message::Ack { seq } => Heard::Ack(seq),
                        Message::Reject { seq, code, .. } => Heard::Reject(seq, code),
                        _ => Heard::Other,
                    }));
                }
                Outgoing::Close { code, .. } => self.heard.push(Heard::Close(code)),
                Outgoing::Text(_) => {}
            }
        }
    }

    async fn hears(&mut self, wanted: Heard) {
        self.until(|heard| *heard == wanted).await;
    }
}

fn insert(client: u64, text: &str) -> Vec<u8> {
    let doc = Doc::with_client_id(client);
    let root = doc.get_or_insert_text("content");
    let mut txn = doc.transact_mut();
    root.insert(&mut txn, 0, text);
    txn.encode_update_v1()
}

#[tokio::test(flavor = "multi_thread")]
async fn f16_a_spoiled_document_is_read_again_and_nothing_is_said_to_be_stored_that_is_not() {
    std::panic::set_hook(Box::new(|_| {}));
    let house = House::new().await;
    let (mut bad, mut good) = (house.join(1).await, house.join(2).await);
    let (first, elsewhere, last) = (insert(7, "first"), insert(8, "elsewhere"), insert(9, "last"));
    bad.send(&[Message::Submit { seq: 1, update: &first }]).await;
    bad.hears(Heard::Ack(1)).await;
    // Of this the room has not heard: it finds it when it reads the document again, and passes it on.
    house.elsewhere(&elsewhere).await;
    bad.send(&[Message::Submit { seq: 2, update: PANICS }]).await;
    bad.send(&[Message::Submit { seq: 3, update: &last }]).await;
    bad.hears(Heard::Reject(2, RejectCode::Invalid)).await;
    bad.hears(Heard::Close(1008)).await;
    assert!(bad.heard.iter().all(|heard| !matches!(heard, Heard::Ack(_))));
    good.hears(Heard::Update(first)).await;
    good.hears(Heard::Update(elsewhere)).await;
    good.send(&[Message::Submit { seq: 1, update: &last }]).await;
    good.hears(Heard::Ack(1)).await;
    assert_eq!(house.storage.get_updates_since("scene", 0, 10).await.unwrap().len(), 3);
    let _ = std::panic::take_hook();
}

#[tokio::test(flavor = "multi_thread")]
async fn f06_a_room_takes_nothing_of_another_lifetime_of_its_document() {
    let house = House::new().await;
    let mut guest = house.join(1).await;
    guest.send(&[Message::Submit { seq: 1, update: &insert(7, "old") }]).await;
    guest.hears(Heard::Ack(1)).await;
    let old = house.epoch().await;
    house.storage.delete_document("scene").await.unwrap();
    house.storage.open_document("scene", 1).await.unwrap();
    for n in 0..5 {
        house.elsewhere(&insert(20 + n, "new")).await;
    }
    // Even by the word of a neighbour that is mistaken about the lifetime.
    house.rooms.tell("scene", Command::StoredElsewhere { epoch: old, seq: 5 });
    guest.hears(Heard::Close(close::EPOCH)).await;
    assert!(guest.heard.iter().all(|heard| !matches!(heard, Heard::Update(_))), "{:?}", guest.heard);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_a_neighbour_that_cannot_be_used_is_set_aside() {
    let house = House::new().await;
    let mut guest = house.join(1).await;
    guest.send(&[Message::Submit { seq: 1, update: &insert(7, "a") }]).await;
    guest.hears(Heard::Ack(1)).await;
    house.elsewhere(&[1, 2, 3]).await;
    let fine = insert(8, "fine");
    house.elsewhere(&fine).await;
    house.rooms.tell("scene", Command::StoredElsewhere { epoch: house.epoch().await, seq: 3 });
    guest.hears(Heard::Update(fine)).await;
    let rows = house.storage.get_updates_since("scene", 0, 10).await.unwrap();
    let aside: Vec<bool> = rows.iter().map(|row| row.quarantined.is_some()).collect();
    assert_eq!(aside, [false, true, false]);
}

/// Whoever held the room, and comes to it after it has ended, hears why: it may end before it is joined.
#[tokio::test(flavor = "multi_thread")]
async fn who_comes_to_a_room_that_has_ended_is_told_why() {
    let house = House::new().await;
    let room = house.rooms.hold("nowhere", false).unwrap();
    timeout(Duration::from_secs(20), room.gone()).await.expect("there is no such document");
    assert!(!room.send(Command::Leave { conn: 1 }).await);
    assert_eq!(room.farewell(false).0, close::NO_DOCUMENT);
    assert_eq!(room.farewell(true).0, close::INTERNAL, "who may make it comes again");
}
