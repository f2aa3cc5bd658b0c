//! A model of a server of either kind. What is `durable` survives its crashes; everything else is memory.

use std::collections::{BTreeMap, BTreeSet};

use slate_yrs::protocol::{Hello, Message, Reassembly, RejectCode, Role, VERSION, fragments_of, messages};
use slate_yrs::slate::{DocOptions, SlateDoc};
use slate_yrs::update::Intake;
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{Doc, OffsetKind, Options, ReadTxn, StateVector, Text, Transact};

use crate::content::Content;

/// Bugs a server could have: each must turn the simulation red.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    None,
    /// Acknowledges before it commits.
    AckBeforeCommit,
    /// What a client's step 2 brings is broadcast, not stored.
    Step2NotStored,
}

#[derive(Debug, Clone)]
pub struct Limits {
    pub update: u32,
    pub frame: u32,
}

#[derive(Debug, Default)]
struct Durable {
    rows: Vec<Vec<u8>>,
    acked: BTreeMap<String, u64>,
    content: Content,
}

struct Peer {
    session: String,
    reassembly: Reassembly,
    /// Awareness: client ids that speak through this connection.
    ids: BTreeSet<u32>,
}

struct Waiting {
    conn: u64,
    /// With the session it was submitted by: it is acknowledged.
    seq: Option<(String, u64)>,
    update: Vec<u8>,
}

pub struct Server {
    pub plain: bool,
    pub bug: Bug,
    pub limits: Limits,
    pub epoch: String,
    durable: Durable,
    doc: Doc,
    intake: Intake,
    peers: BTreeMap<u64, Peer>,
    waiting: Vec<Waiting>,
    out: Vec<(u64, Vec<u8>)>,
    /// Out of a hundred submits, so many are refused as too many.
    pub rate_limited: u64,
    received: u64,
}

fn fresh() -> Doc {
    let options = Options::with_guid_and_client_id("server".into(), yrs::ClientID::new(1));
    Doc::with_options(Options { offset_kind: OffsetKind::Utf16, ..options })
}

impl Server {
    pub fn new(plain: bool, bug: Bug, limits: Limits) -> Self {
        Self {
            plain,
            bug,
            limits,
            epoch: "epoch".into(),
            durable: Durable::default(),
            doc: fresh(),
            intake: Intake::default(),
            peers: BTreeMap::new(),
            waiting: Vec::new(),
            out: Vec::new(),
            rate_limited: 0,
            received: 0,
        }
    }

    /// What it has to send, in order.
    pub fn take_out(&mut self) -> Vec<(u64, Vec<u8>)> {
        std::mem::take(&mut self.out)
    }

    pub fn wants_commit(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub fn durable_content(&self) -> &Content {
        &self.durable.content
    }

    /// A new client's document, made of what is stored.
    pub fn reader(&self) -> SlateDoc {
        let options = DocOptions { client_id: 2, root: "content".into(), block_id: None, seed: 0 };
        let mut doc = SlateDoc::new(options);
        for row in &self.durable.rows {
            doc.apply_update(row).expect("a row that applies");
        }
        doc
    }

    pub fn crash(&mut self) {
        self.peers.clear();
        self.waiting.clear();
        self.out.clear();
        self.doc = fresh();
        self.intake = Intake::default();
        for row in &self.durable.rows {
            apply(&self.doc, &mut self.intake, row);
        }
    }

    pub fn connect(&mut self, conn: u64, session: &str) {
        let peer = Peer { session: session.into(), reassembly: Reassembly::new(1 << 24), ids: BTreeSet::new() };
        self.peers.insert(conn, peer);
        if !self.plain {
            let hello = Hello {
                version: VERSION,
                epoch: self.epoch.clone(),
                role: Role::ReadWrite,
                max_update_bytes: self.limits.update,
                max_frame_bytes: self.limits.frame,
                acked_seq: self.durable.acked.get(session).copied().unwrap_or(0),
                heartbeat_ms: 15_000,
            };
            self.send(conn, Message::Hello(hello));
        }
        let state_vector = self.doc.transact().state_vector().encode_v1();
        self.send(conn, Message::SyncStep1(&state_vector));
    }

    pub fn disconnect(&mut self, conn: u64) {
        self.peers.remove(&conn);
    }

    pub fn connections(&self) -> Vec<u64> {
        self.peers.keys().copied().collect()
    }

    pub fn receive(&mut self, now: u64, conn: u64, frame: &[u8]) {
        if !self.peers.contains_key(&conn) {
            return;
        }
        assert!(self.plain || frame.len() <= self.limits.frame as usize, "a frame over the limit");
        for message in messages(frame) {
            let message = message.expect("clients send what decodes");
            if let Message::Fragment { id, index, count, bytes } = message {
                let Some(peer) = self.peers.get_mut(&conn) else { return };
                if let Some(whole) = peer.reassembly.take(now, id, index, count, bytes).expect("fragments in order") {
                    for message in messages(&whole) {
                        self.message(conn, message.expect("clients send what decodes"));
                    }
                }
            } else {
                self.message(conn, message);
            }
        }
    }

    fn message(&mut self, conn: u64, message: Message) {
        self.received += 1;
        match message {
            Message::SyncStep1(state_vector) => {
                let theirs = StateVector::decode_v1(state_vector).expect("a state vector");
                let update = self.intake.include(self.doc.transact().encode_state_as_update_v1(&theirs));
                self.send(conn, Message::SyncStep2(&update));
            }
            Message::SyncStep2(update) => self.unnumbered(conn, update, true),
            Message::Update(update) => self.unnumbered(conn, update, false),
            Message::Submit { seq, update } => self.submit(conn, seq, update),
            Message::Seed(update) => {
                let has_content = self.doc.get_or_insert_text("content").len(&self.doc.transact()) > 0;
                if !has_content && !self.waiting.iter().any(|waiting| waiting.conn == u64::MAX) {
                    let update = update.to_vec();
                    self.waiting.push(Waiting { conn: u64::MAX, seq: None, update });
                    self.commit();
                }
                self.send(conn, Message::Ack { seq: 0 });
            }
            Message::Awareness(update) => {
                let mut ids = slate_yrs::awareness::decode(update).expect("an awareness update");
                let peer = self.peers.get_mut(&conn).expect("connected");
                peer.ids.extend(ids.drain(..).map(|entry| entry.client_id));
                let update = update.to_vec();
                self.broadcast(u64::MAX, Message::Awareness(&update));
            }
            Message::Ping => self.send(conn, Message::Pong),
            Message::Pong | Message::QueryAwareness => {}
            other => panic!("a client must not send {other:?}"),
        }
    }

    fn submit(&mut self, conn: u64, seq: u64, update: &[u8]) {
        assert!(!self.plain, "a plain server is not submitted to");
        let session = self.peers[&conn].session.clone();
        if update.len() > self.limits.update as usize {
            return self.send(conn, Message::Reject { seq, code: RejectCode::TooLarge, message: "too large" });
        }
        if self.rate_limited > 0 && self.received % 100 < self.rate_limited {
            return self.send(conn, Message::Reject { seq, code: RejectCode::RateLimited, message: "slow down" });
        }
        if self.durable.acked.get(&session).is_some_and(|acked| seq <= *acked) {
            return self.send(conn, Message::Ack { seq });
        }
        if self.bug == Bug::AckBeforeCommit {
            self.send(conn, Message::Ack { seq });
        }
        self.waiting.push(Waiting { conn, seq: Some((session, seq)), update: update.to_vec() });
    }

    fn unnumbered(&mut self, conn: u64, update: &[u8], step_2: bool) {
        let content = Content::of(update);
        if !self.durable.content.lacks(&content) {
            return;
        }
        if step_2 && self.bug == Bug::Step2NotStored {
            apply(&self.doc, &mut self.intake, update);
            let update = update.to_vec();
            return self.broadcast(conn, Message::Update(&update));
        }
        self.waiting.push(Waiting { conn, seq: None, update: update.to_vec() });
        if self.plain {
            self.commit();
        }
    }

    /// The group commit: stored, then acknowledged and broadcast.
    pub fn commit(&mut self) {
        for Waiting { conn, seq, update } in std::mem::take(&mut self.waiting) {
            let content = Content::of(&update);
            let news = self.durable.content.lacks(&content);
            if news {
                self.durable.rows.push(update.clone());
                self.durable.content.add(content);
                apply(&self.doc, &mut self.intake, &update);
            }
            if let Some((session, seq)) = seq {
                // Without gaps: one may stand for a refusal that the client has not heard of.
                let acked = self.durable.acked.entry(session).or_default();
                *acked = if seq == *acked + 1 { seq } else { *acked };
                if self.peers.contains_key(&conn) {
                    self.send(conn, Message::Ack { seq });
                }
            }
            if news {
                self.broadcast(conn, Message::Update(&update));
            }
        }
    }

    fn broadcast(&mut self, except: u64, message: Message) {
        for conn in self.connections() {
            if conn != except {
                self.send(conn, message.clone());
            }
        }
    }

    fn send(&mut self, conn: u64, message: Message) {
        let frame = message.to_frame();
        if !self.plain && frame.len() > 4096 {
            for piece in fragments_of(&frame, self.received, 2000) {
                self.out.push((conn, piece));
            }
        } else {
            self.out.push((conn, frame));
        }
    }
}

fn apply(doc: &Doc, intake: &mut Intake, update: &[u8]) {
    intake.apply(&mut doc.transact_mut(), update).expect("an update that applies");
}
