//! A model of a y-websocket server that knows nothing of slate-yrs. It keeps what it has heard, on the spot.

use std::collections::{BTreeMap, BTreeSet};

use slate_yrs::protocol::{Message, messages};
use slate_yrs::slate::{DocOptions, SlateDoc};
use slate_yrs::update::{Intake, Limits};
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{Doc, OffsetKind, Options, ReadTxn, StateVector, Transact};

use crate::content::Content;
use crate::server::Out;

pub struct Plain {
    step_2_not_stored: bool,
    /// What survives.
    rows: Vec<Vec<u8>>,
    content: Content,
    doc: Doc,
    intake: Intake,
    peers: BTreeSet<u64>,
    /// What each has said of itself.
    presence: BTreeMap<u64, Vec<u8>>,
    out: Vec<(u64, Out)>,
}

fn fresh() -> Doc {
    let options = Options::with_guid_and_client_id("server".into(), yrs::ClientID::new(1));
    Doc::with_options(Options { offset_kind: OffsetKind::Utf16, ..options })
}

impl Plain {
    pub fn new(step_2_not_stored: bool) -> Self {
        Self {
            step_2_not_stored,
            rows: Vec::new(),
            content: Content::default(),
            doc: fresh(),
            intake: Intake::default(),
            peers: BTreeSet::new(),
            presence: BTreeMap::new(),
            out: Vec::new(),
        }
    }

    /// The document was there before, with these updates.
    pub fn begin(&mut self, updates: &[Vec<u8>]) {
        for update in updates {
            self.rows.push(update.clone());
            self.content.add(&Content::of(update));
            apply(&self.doc, &mut self.intake, update);
        }
    }

    pub fn take_out(&mut self) -> Vec<(u64, Out)> {
        std::mem::take(&mut self.out)
    }

    pub fn content(&self) -> &Content {
        &self.content
    }

    pub fn rows(&self) -> Vec<Vec<u8>> {
        self.rows.clone()
    }

    pub fn crash(&mut self) {
        self.peers.clear();
        self.presence.clear();
        self.out.clear();
        self.doc = fresh();
        self.intake = Intake::default();
        for row in &self.rows {
            apply(&self.doc, &mut self.intake, row);
        }
    }

    pub fn connect(&mut self, conn: u64) {
        self.peers.insert(conn);
        let state_vector = self.doc.transact().state_vector().encode_v1();
        self.send(conn, &Message::SyncStep1(&state_vector));
        for update in self.presence.clone().values() {
            self.send(conn, &Message::Awareness(update));
        }
    }

    pub fn disconnect(&mut self, conn: u64) {
        self.peers.remove(&conn);
        self.presence.remove(&conn);
    }

    pub fn receive(&mut self, _now: u64, conn: u64, frame: &[u8]) {
        if !self.peers.contains(&conn) {
            return;
        }
        for message in messages(frame) {
            match message.expect("clients send what decodes") {
                Message::SyncStep1(state_vector) => {
                    let theirs = StateVector::decode_v1(state_vector).expect("a state vector");
                    let update = self.intake.include(self.doc.transact().encode_state_as_update_v1(&theirs));
                    let update = update.expect("what waits is whole");
                    self.send(conn, &Message::SyncStep2(&update));
                }
                Message::SyncStep2(update) => self.update(conn, update, true),
                Message::Update(update) => self.update(conn, update, false),
                Message::Awareness(update) => {
                    self.presence.insert(conn, update.to_vec());
                    for other in self.peers.clone() {
                        self.send(other, &Message::Awareness(update));
                    }
                }
                Message::Ping | Message::Pong | Message::QueryAwareness => {}
                other => panic!("a plain server must not be sent {other:?}"),
            }
        }
    }

    fn update(&mut self, conn: u64, update: &[u8], step_2: bool) {
        let content = Content::of(update);
        if !self.content.lacks(&content) {
            return;
        }
        if !(step_2 && self.step_2_not_stored) {
            self.rows.push(update.to_vec());
            self.content.add(&content);
        }
        apply(&self.doc, &mut self.intake, update);
        for other in self.peers.clone() {
            if other != conn {
                self.send(other, &Message::Update(update));
            }
        }
    }

    fn send(&mut self, conn: u64, message: &Message) {
        self.out.push((conn, Out::Frame(message.to_frame())));
    }
}

/// A new client's document, made of these rows.
pub fn reader(rows: &[Vec<u8>]) -> SlateDoc {
    let options =
        DocOptions { client_id: 2, root: "content".into(), block_id: None, seed: 0, schema: Default::default() };
    let mut doc = SlateDoc::new(options);
    for row in rows {
        doc.apply_update(row).expect("a row that applies");
    }
    doc
}

fn apply(doc: &Doc, intake: &mut Intake, update: &[u8]) {
    intake.apply(doc, update, Limits::STORED, &mut |_| {}).expect("an update that applies");
}
