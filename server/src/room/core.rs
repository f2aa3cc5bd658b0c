//! A room without sockets, clock or database: messages in, rows to store and frames to send out.
//!
//! The core holds all that messages cause. Its task stores the rows ([`RoomCore::take_rows`]) and only then lets the
//! frames go ([`RoomCore::take_frames`]): acknowledgements, updates for others and answers alike (F14). If storing
//! fails, the core is dropped: its replica may have what the database has not. What one message makes the server hold
//! is bounded: a state is sent to a connection once a batch, and a connection for which more than the limit waits is
//! closed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use slate_yrs::format::{COMMENTS_ROOT, DEFAULT_ROOT, Format};
use slate_yrs::protocol::{self, Hello, Message, Role, close};

use super::ConnId;
use super::frames::{Joiner, Outgoing, Queue, for_durable};
use super::participant::Participant;
use crate::allowance::{Allowances, Taker};
use crate::gate::{FORMATS, Layout, Sender};
use crate::limit::Limit;
use crate::presence::{Account, RoomPresence, Speaker};
use crate::replica::{ApplyError, Replica};
use crate::storage::{Document, Millis, NewUpdate, OnceName, Progress, Seq, UpdateRow};
use crate::validate;
use crate::wire::is_hocuspocus;

mod edits;
mod present;

/// Presence is sent at most this often to a room.
const PRESENCE_INTERVAL_MS: Millis = 20;

/// What a room takes. Sizes in bytes.
#[derive(Debug, Clone, Copy)]
pub struct RoomLimits {
    /// An update or submission.
    pub max_update_bytes: usize,
    /// A sync step 2, a seed.
    pub max_sync_bytes: usize,
    /// A frame to or from a client of the durable extension; larger ones are cut up.
    pub max_frame_bytes: usize,
    /// What may wait for one connection before one more frame is taken.
    pub max_queued_bytes: usize,
    pub heartbeat_ms: u32,
    /// Frames or messages that do not decode, per connection.
    pub max_bad_frames: u32,
    /// Of the log, beyond which nothing more is taken; 0: no limit.
    pub max_document_bytes: u64,
}

/// Who joins.
#[derive(Debug, Clone)]
pub struct Join {
    pub conn: ConnId,
    pub who: Participant,
    /// How far its session's submissions are stored.
    pub progress: Progress,
    /// Whose allowance pays for what comes from it.
    pub taker: Option<Taker>,
}

/// To be stored before anything is sent.
#[derive(Debug, Default)]
pub struct Rows {
    pub updates: Vec<NewUpdate>,
    /// Store only at this tip: there is a seed among them.
    pub only_at_tip: Option<Seq>,
    /// Store only if none of these is stored.
    pub once: Vec<OnceName>,
}

/// To be sent.
#[derive(Debug, Default)]
pub struct Frames {
    pub out: Vec<(ConnId, Vec<Outgoing>)>,
    /// For other servers, see [`RoomPresence::take_changes`].
    pub presence: Option<Vec<u8>>,
    /// Somebody came, left or is elsewhere.
    pub is_presence_new: bool,
    /// When the frames were received whose submissions are acknowledged here.
    pub received: Vec<Instant>,
}

/// Whether the core can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Health {
    Sound,
    /// The replica is spoiled: store the rows so far, then give the core another one.
    Spoiled,
}

/// Things worth counting.
#[derive(Debug, Default, Clone, Copy)]
pub struct Counts {
    pub bad_frames: u64,
    pub rejected: u64,
    pub panics: u64,
    pub bytes_received: u64,
    /// What was refused by limits of storage: of the document, of the user.
    pub limits: [Option<Limit>; 2],
}

struct RoomPeer {
    who: Participant,
    /// Whose allowance pays for what comes from it.
    taker: Option<Taker>,
    /// Whom its presence belongs to.
    speaker: Speaker,
    /// The next submission: all before it were answered, on this connection or before it.
    expected: u64,
    bad_frames: u32,
    /// Told that it may only read.
    told_read_only: bool,
    /// Told that there is no room for more.
    told_full: bool,
    /// Told that its client may not edit documents of this format.
    told_format: bool,
    /// Its first frames were sent.
    greeted: bool,
    out: Queue,
    /// Its state vector: it wants to know what it lacks.
    asked: Option<Bytes>,
    asked_presence: bool,
}

#[derive(Clone, Default)]
struct SessionState {
    progress: Progress,
    refused: bool,
    owner: Option<String>,
}

pub struct RoomCore {
    limits: RoomLimits,
    layout: Layout,
    document: Document,
    /// Bytes of the log, with what is about to be stored. Rows that were merged since count as before.
    log_bytes: u64,
    allowances: Option<Arc<Allowances>>,
    replica: Replica,
    /// The replica's format.
    format: Format,
    /// Comments may have changed.
    touched_comments: bool,
    /// Boxed, because half of the places of such a map are empty.
    peers: BTreeMap<ConnId, Box<RoomPeer>>,
    sessions: HashMap<String, SessionState>,
    presence: RoomPresence,
    presence_sent: Millis,
    is_presence_new: bool,
    rows: Vec<NewUpdate>,
    only_at_tip: Option<Seq>,
    once: Vec<OnceName>,
    /// The highest submission of each connection to acknowledge with this batch.
    acks: BTreeMap<ConnId, u64>,
    seed_acks: Vec<ConnId>,
    received: Vec<Instant>,
    /// The answer to a client that has nothing, once somebody has asked for it.
    whole: Option<Bytes>,
    frame_id: u64,
    counts: Counts,
}

impl RoomCore {
    pub fn new(limits: RoomLimits, layout: Layout, document: Document, replica: Replica) -> Self {
        Self {
            limits,
            layout,
            document,
            log_bytes: 0,
            allowances: None,
            format: replica.format(),
            touched_comments: false,
            replica,
            peers: BTreeMap::new(),
            sessions: HashMap::new(),
            presence: RoomPresence::default(),
            presence_sent: 0,
            is_presence_new: false,
            rows: Vec::new(),
            only_at_tip: None,
            once: Vec::new(),
            acks: BTreeMap::new(),
            seed_acks: Vec::new(),
            received: Vec::new(),
            whole: None,
            frame_id: 0,
            counts: Counts::default(),
        }
    }

    pub fn document(&self) -> &Document {
        &self.document
    }

    pub fn replica(&self) -> &Replica {
        &self.replica
    }

    /// Whether there are comments, or have been.
    pub fn has_comments(&self) -> bool {
        self.replica.has_root(COMMENTS_ROOT)
    }

    /// Whether comments may have changed since this was asked.
    pub fn take_touched_comments(&mut self) -> bool {
        std::mem::take(&mut self.touched_comments)
    }

    pub fn take_counts(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }

    /// Whether somebody waits for a state, which may take long to encode.
    pub fn is_asked(&self) -> bool {
        self.peers.values().any(|peer| peer.asked.is_some())
    }

    /// When [`RoomCore::tick`] is due.
    pub fn next_timeout(&self) -> Option<Millis> {
        let flush = self.presence.has_changes().then_some(self.presence_sent + PRESENCE_INTERVAL_MS);
        [flush, self.presence.next_expiry()].into_iter().flatten().min()
    }

    pub fn tick(&mut self, now: Millis) {
        self.presence.expire(now);
    }

    pub fn join(&mut self, join: Join) {
        let Join { conn, who, progress, taker } = join;
        let durable = who.durable;
        let mut acked = progress.acked;
        if let Some(session) = &who.session {
            let state = self.sessions.entry(session.clone()).or_default();
            state.owner = state.owner.take().or_else(|| who.owner.clone());
            state.progress.last = state.progress.last.max(progress.last);
            // This room may have refused something since the session was stored.
            if !state.refused {
                state.progress.acked = state.progress.acked.max(acked);
            }
            acked = state.progress.acked;
        }
        let hello = Hello {
            version: protocol::VERSION,
            epoch: self.document.epoch.clone(),
            role: if self.is_full() { Role::ReadOnly } else { who.role },
            max_update_bytes: self.limits.max_update_bytes as u32,
            max_frame_bytes: self.limits.max_frame_bytes as u32,
            acked_seq: acked,
            heartbeat_ms: self.limits.heartbeat_ms,
            formats: Some(FORMATS),
            format: Some(self.format),
            new_format: self.layout.new_format,
            root: (*self.layout.root != *DEFAULT_ROOT).then(|| self.layout.root.to_string()),
            user: who.owner.clone(),
        };
        let account = who.owner.clone().map(|id| Account { id, name: who.name.clone() });
        let peer = RoomPeer {
            speaker: Speaker::new(account, who.session.as_deref()),
            who,
            taker,
            expected: acked.saturating_add(1),
            bad_frames: 0,
            told_read_only: false,
            told_full: false,
            told_format: false,
            greeted: false,
            out: Queue::default(),
            asked: None,
            asked_presence: false,
        };
        self.peers.insert(conn, Box::new(peer));
        if durable {
            self.send(conn, &Message::Hello(hello));
        }
        self.close_unknowing();
        self.send(conn, &Message::SyncStep1(&self.replica.state_vector()));
        if let Some(everyone) = self.presence.everyone() {
            self.send(conn, &Message::Awareness(&everyone));
        }
    }

    /// Ends this user's connections, after what they have sent so far.
    pub fn kick(&mut self, user: &str) {
        for peer in self.peers.values_mut().filter(|peer| peer.who.owner.as_deref() == Some(user)) {
            peer.out.close(close::UNAUTHORIZED, "this user's connections were ended");
        }
    }

    /// Whose a session is that is connected.
    pub fn session_owner(&self, session: &str) -> Option<String> {
        self.sessions.get(session)?.owner.clone()
    }

    /// Closes sessions that do not know the document's format. They are sent nothing more, and nothing is taken from
    /// them: their edits stay in their outboxes, for a newer client to take over.
    fn close_unknowing(&mut self) {
        let format = self.format;
        for peer in self.peers.values_mut().filter(|peer| peer.who.durable && !peer.who.formats.knows(format)) {
            peer.out.close(close::FORMAT, "this client does not know the document's format");
        }
    }

    /// To be called after every change of the replica, before anybody hears of it.
    fn note_format(&mut self) {
        let format = self.replica.format();
        if format != self.format {
            self.format = format;
            self.close_unknowing();
        }
    }

    /// Who sends an update that comes from this connection.
    fn sender(&self, conn: ConnId) -> Sender {
        match self.peers.get(&conn) {
            Some(peer) if peer.who.durable => Sender::Session(peer.who.formats),
            peer => Sender::Plain { refused: peer.is_some_and(|peer| peer.told_format) },
        }
    }

    pub fn leave(&mut self, now: Millis, conn: ConnId) {
        let left = self.peers.remove(&conn).and_then(|peer| peer.who.session);
        // The database knows how far the session is, and also that something was refused if anything was stored after
        // that.
        if let Some(session) = left
            && self.peers.values().all(|peer| peer.who.session.as_ref() != Some(&session))
        {
            self.sessions.remove(&session);
        }
        self.presence.leave(now, conn);
    }

    /// The connection, unless it is being closed: from then on nothing of it is taken.
    fn peer(&self, conn: ConnId) -> Option<&RoomPeer> {
        self.peers.get(&conn).map(Box::as_ref).filter(|peer| !peer.out.is_closed())
    }

    /// Takes a binary frame. The messages before a bad one count.
    pub fn frame(&mut self, now: Millis, received: Instant, conn: ConnId, frame: &Bytes) -> Health {
        self.counts.bytes_received += frame.len() as u64;
        let before = self.acks.get(&conn).copied();
        let mut health = Health::Sound;
        for message in protocol::messages(frame) {
            if self.peer(conn).is_none() {
                break;
            }
            match message {
                Ok(message) => health = self.message(now, conn, frame, message),
                Err(_) if is_hocuspocus(frame) && self.is_plain(conn) => {
                    self.close(conn, close::OTHER_PROTOCOL, "this server speaks y-websocket, not Hocuspocus");
                }
                Err(_) => self.bad_frame(conn),
            }
            if health == Health::Spoiled {
                break;
            }
        }
        if self.acks.get(&conn).copied() != before {
            self.received.push(received);
        }
        health
    }

    fn is_plain(&self, conn: ConnId) -> bool {
        self.peers.get(&conn).is_some_and(|peer| !peer.who.durable)
    }

    fn message(&mut self, now: Millis, conn: ConnId, frame: &Bytes, message: Message<'_>) -> Health {
        let (max_sync, max_update) = (self.limits.max_sync_bytes, self.limits.max_update_bytes);
        match message {
            Message::SyncStep1(state_vector) => self.step1(conn, frame.slice_ref(state_vector)),
            Message::SyncStep2(update) => return self.plain_update(conn, frame.slice_ref(update), max_sync),
            Message::Update(update) => return self.plain_update(conn, frame.slice_ref(update), max_update),
            Message::Submit { seq, update } => return self.submit(conn, seq, frame.slice_ref(update)),
            Message::Seed(update) => return self.seed(conn, frame.slice_ref(update)),
            Message::Awareness(update) => {
                let Some(peer) = self.peer(conn) else { return Health::Sound };
                let speaker = peer.speaker.clone();
                if self.presence.take(now, conn, &speaker, update).is_err() {
                    self.bad_frame(conn);
                }
                for (conn, update) in self.presence.take_early() {
                    self.send(conn, &Message::Awareness(&update));
                }
            }
            Message::QueryAwareness => {
                if let Some(peer) = self.peers.get_mut(&conn) {
                    peer.asked_presence = true;
                }
            }
            Message::Ping => self.send(conn, &Message::Pong),
            Message::Pong => {}
            // Pieces are put together before they come here; the rest is for clients.
            Message::Fragment { .. }
            | Message::AuthDenied(_)
            | Message::Hello(_)
            | Message::Ack { .. }
            | Message::Reject { .. } => self.bad_frame(conn),
        }
        Health::Sound
    }

    /// A step 1 is answered once a batch, however often it is asked: the answer has everything that came before it.
    fn step1(&mut self, conn: ConnId, state_vector: Bytes) {
        if validate::state_vector(&state_vector).is_err() {
            return self.bad_frame(conn);
        }
        if let Some(peer) = self.peers.get_mut(&conn) {
            peer.asked = Some(state_vector);
        }
    }

    fn answer(&mut self) {
        let asking: Vec<ConnId> = self
            .peers
            .iter()
            .filter(|(_, peer)| peer.asked.is_some() || peer.asked_presence)
            .map(|(id, _)| *id)
            .collect();
        for conn in asking {
            let Some(peer) = self.peers.get_mut(&conn) else { continue };
            let (asked, presence) = (peer.asked.take(), std::mem::take(&mut peer.asked_presence));
            if let Some(state_vector) = asked {
                self.answer_step1(conn, &state_vector);
            }
            if presence {
                let everyone = self.presence.everyone().unwrap_or_else(|| vec![0]);
                self.send(conn, &Message::Awareness(&everyone));
            }
        }
    }

    fn answer_step1(&mut self, conn: ConnId, state_vector: &[u8]) {
        if state_vector == [0] {
            let whole = match &self.whole {
                Some(whole) => whole.clone(),
                None => Bytes::from(Message::SyncStep2(&self.replica.encode()).to_frame()),
            };
            self.whole = Some(whole.clone());
            return self.send_frame(conn, whole);
        }
        match self.replica.encode_since(state_vector) {
            Ok(update) => self.send(conn, &Message::SyncStep2(&update)),
            Err(_) => self.bad_frame(conn),
        }
    }

    /// Passes an update on to everybody but its sender.
    pub fn broadcast(&mut self, except: Option<ConnId>, update: &[u8]) {
        self.whole = None;
        let frame = Bytes::from(Message::Update(update).to_frame());
        self.send_all(except, &frame);
    }

    /// Applies rows that another server stored after this room's tip, and passes them on. Returns those that cannot be
    /// used. Rows after one that spoils the replica are not looked at, and the tip stays before that one.
    pub fn remote_rows(&mut self, rows: &[UpdateRow]) -> (Health, Vec<(Seq, String)>) {
        let mut bad = Vec::new();
        for row in rows {
            self.log_bytes += row.bytes.len() as u64;
            if row.quarantined.is_none() {
                match self.replica.load(&row.bytes) {
                    Ok(true) => {
                        self.note_format();
                        self.touched_comments |= self.has_comments();
                        self.broadcast(None, &row.bytes);
                    }
                    Ok(false) => {}
                    Err(ApplyError::Spoiled) => {
                        self.counts.panics += 1;
                        return (Health::Spoiled, bad);
                    }
                    Err(error) => bad.push((row.seq, error.to_string())),
                }
            }
            self.committed(row.seq);
        }
        (Health::Sound, bad)
    }

    /// The rows of the last batch are stored up to `last`.
    pub fn committed(&mut self, last: Seq) {
        self.document.tip = self.document.tip.max(last);
    }

    /// Goes on with another replica, after [`Health::Spoiled`].
    pub fn replace_replica(&mut self, replica: Replica) {
        self.replica = replica;
        self.whole = None;
        self.note_format();
        self.touched_comments |= self.has_comments();
    }

    fn spoiled(&mut self, conn: ConnId) {
        self.counts.panics += 1;
        self.close(conn, POLICY, "the update cannot be applied");
    }

    fn bad_frame(&mut self, conn: ConnId) {
        self.counts.bad_frames += 1;
        let Some(peer) = self.peers.get_mut(&conn) else { return };
        peer.bad_frames += 1;
        if peer.bad_frames > self.limits.max_bad_frames {
            self.close(conn, POLICY, "too many frames that do not decode");
        }
    }

    fn close(&mut self, conn: ConnId, code: u16, reason: &'static str) {
        if let Some(peer) = self.peers.get_mut(&conn) {
            peer.out.close(code, reason);
        }
    }

    fn send(&mut self, conn: ConnId, message: &Message<'_>) {
        self.send_frame(conn, Bytes::from(message.to_frame()));
    }

    fn send_frame(&mut self, conn: ConnId, frame: Bytes) {
        let Some(peer) = self.peers.get_mut(&conn) else { return };
        self.frame_id += 1;
        let outgoing = if peer.who.durable { for_durable(self.frame_id, frame) } else { Outgoing::Frame(frame) };
        peer.out.push(outgoing, self.limits.max_queued_bytes);
    }

    fn send_all(&mut self, except: Option<ConnId>, frame: &Bytes) {
        let others: Vec<ConnId> = self.peers.keys().copied().filter(|conn| Some(*conn) != except).collect();
        for conn in others {
            self.send_frame(conn, frame.clone());
        }
    }

    /// What is to be stored, before [`RoomCore::take_frames`].
    pub fn take_rows(&mut self) -> Option<Rows> {
        let only_at_tip = self.only_at_tip.take();
        let (updates, once) = (std::mem::take(&mut self.rows), std::mem::take(&mut self.once));
        let are_any = !updates.is_empty() || !once.is_empty();
        are_any.then_some(Rows { updates, only_at_tip, once })
    }

    /// Everything since the last call, to be sent now that its rows are stored.
    pub fn take_frames(&mut self, now: Millis) -> Frames {
        self.answer();
        for conn in std::mem::take(&mut self.seed_acks) {
            self.send(conn, &Message::Ack { seq: 0 });
        }
        for (conn, seq) in std::mem::take(&mut self.acks) {
            if let Some(peer) = self.peers.get_mut(&conn) {
                peer.out.acknowledge(Outgoing::Frame(Message::Ack { seq }.to_frame().into()));
            }
        }
        let presence = self.queue_presence(now);
        let mut joiner = Joiner::default();
        let mut out = Vec::new();
        for (conn, peer) in &mut self.peers {
            if !peer.out.is_empty() {
                let frames = peer.out.take();
                peer.greeted = true;
                out.push((*conn, if peer.who.durable { joiner.join(frames) } else { frames }));
            }
        }
        let is_presence_new = std::mem::take(&mut self.is_presence_new);
        Frames { out, presence, is_presence_new, received: std::mem::take(&mut self.received) }
    }
}

/// WebSocket's "policy violation": the client may come again, it is not welcome to go on like this.
const POLICY: u16 = 1008;

#[cfg(test)]
mod tests;
