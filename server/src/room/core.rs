//! A room without sockets, clock or database: messages in, rows to store and frames to send out.
//!
//! Everything a message causes is held in a [`Batch`]. The owner stores the batch's rows and only then lets its frames
//! go: acknowledgements, broadcasts and answers alike (F14). If storing fails, the batch and this core are dropped
//! together: the replica here may hold what the database does not.

use std::collections::{BTreeMap, HashMap};

use axum::body::Bytes;
use slate_yrs::protocol::{self, Hello, Message, RejectCode, Role, close};

use super::ConnId;
use crate::presence::Presence;
use crate::replica::{ApplyError, Replica};
use crate::storage::{Document, Millis, NewUpdate, Progress, Seq, Submission, UpdateRow};

/// Presence is sent at most this often to a room.
const PRESENCE_INTERVAL_MS: Millis = 20;
/// Frames to one connection are joined up to this size.
const JOIN_BYTES: usize = 32 * 1024;

/// What a room takes. Sizes in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// An update or submission.
    pub max_update_bytes: usize,
    /// A sync step 2, a seed.
    pub max_sync_bytes: usize,
    /// A frame to or from a client of the durable extension; larger ones are cut up.
    pub max_frame_bytes: usize,
    pub heartbeat_ms: u32,
    /// Frames or messages that do not decode, per connection.
    pub max_bad_frames: u32,
}

/// Who joins.
#[derive(Debug, Clone)]
pub struct Join {
    pub conn: ConnId,
    /// Speaks the durable extension.
    pub durable: bool,
    pub session: Option<String>,
    pub progress: Progress,
    pub role: Role,
    /// Whose edits these are.
    pub author: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    Frame(Bytes),
    Text(&'static str),
    Close { code: u16, reason: &'static str },
}

/// What a few messages caused.
#[derive(Debug, Default)]
pub struct Batch {
    /// To be stored before anything is sent.
    pub rows: Vec<NewUpdate>,
    /// Store only at this tip: there is a seed among the rows.
    pub only_at_tip: Option<Seq>,
    pub out: Vec<(ConnId, Vec<Outgoing>)>,
    /// For other servers: an awareness update.
    pub presence: Option<Vec<u8>>,
}

/// Whether the core can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Health {
    Sound,
    /// The replica is spoiled: commit the batch so far, then give the core a fresh one.
    Spoiled,
}

/// Things worth counting.
#[derive(Debug, Default, Clone, Copy)]
pub struct Counts {
    pub bad_frames: u64,
    pub rejected: u64,
    pub panics: u64,
    pub bytes_received: u64,
}

struct Peer {
    join: Join,
    bad_frames: u32,
    /// Told that it may only read.
    told_read_only: bool,
    out: Vec<Outgoing>,
}

#[derive(Clone, Copy, Default)]
struct SessionState {
    progress: Progress,
    refused: bool,
}

pub struct Core {
    limits: Limits,
    document: Document,
    replica: Replica,
    peers: BTreeMap<ConnId, Peer>,
    sessions: HashMap<String, SessionState>,
    presence: Presence,
    presence_sent: Millis,
    rows: Vec<NewUpdate>,
    only_at_tip: Option<Seq>,
    /// The highest submission of each connection to acknowledge with this batch.
    acks: BTreeMap<ConnId, u64>,
    seed_acks: Vec<ConnId>,
    /// The answer to someone who has nothing.
    whole: Option<Bytes>,
    fragment_id: u64,
    counts: Counts,
}

impl Core {
    pub fn new(limits: Limits, document: Document, replica: Replica) -> Self {
        Self {
            limits,
            document,
            replica,
            peers: BTreeMap::new(),
            sessions: HashMap::new(),
            presence: Presence::default(),
            presence_sent: 0,
            rows: Vec::new(),
            only_at_tip: None,
            acks: BTreeMap::new(),
            seed_acks: Vec::new(),
            whole: None,
            fragment_id: 0,
            counts: Counts::default(),
        }
    }

    pub fn document(&self) -> &Document {
        &self.document
    }

    pub fn replica(&self) -> &Replica {
        &self.replica
    }

    pub fn connections(&self) -> usize {
        self.peers.len()
    }

    pub fn take_counts(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }

    /// Whether there is nothing to store or send.
    pub fn is_idle(&self) -> bool {
        self.rows.is_empty() && self.peers.values().all(|peer| peer.out.is_empty()) && !self.presence.has_changes()
    }

    /// When [`Core::tick`] is due.
    pub fn next_timeout(&self) -> Option<Millis> {
        let flush = self.presence.has_changes().then_some(self.presence_sent + PRESENCE_INTERVAL_MS);
        [flush, self.presence.next_expiry()].into_iter().flatten().min()
    }

    pub fn tick(&mut self, now: Millis) {
        self.presence.expire(now);
    }

    pub fn join(&mut self, join: Join) {
        let conn = join.conn;
        let durable = join.durable;
        let mut acked = join.progress.acked;
        if let Some(session) = &join.session {
            let state = self.sessions.entry(session.clone()).or_default();
            state.progress.last = state.progress.last.max(join.progress.last);
            // What this room refused since the database heard of the session holds as well.
            if !state.refused {
                state.progress.acked = state.progress.acked.max(acked);
            }
            acked = state.progress.acked;
        }
        let hello = Hello {
            version: protocol::VERSION,
            epoch: self.document.epoch.clone(),
            role: join.role,
            max_update_bytes: self.limits.max_update_bytes as u32,
            max_frame_bytes: self.limits.max_frame_bytes as u32,
            acked_seq: acked,
            heartbeat_ms: self.limits.heartbeat_ms,
        };
        self.peers.insert(conn, Peer { join, bad_frames: 0, told_read_only: false, out: Vec::new() });
        if durable {
            self.send(conn, &Message::Hello(hello));
        }
        self.send(conn, &Message::SyncStep1(&self.replica.state_vector()));
        if let Some(everyone) = self.presence.everyone() {
            self.send(conn, &Message::Awareness(&everyone));
        }
    }

    pub fn leave(&mut self, now: Millis, conn: ConnId) {
        self.peers.remove(&conn);
        self.presence.leave(now, conn);
    }

    /// Takes a binary frame. What came before a bad message in it counts.
    pub fn frame(&mut self, now: Millis, conn: ConnId, frame: &[u8]) -> Health {
        self.counts.bytes_received += frame.len() as u64;
        for message in protocol::messages(frame) {
            if !self.peers.contains_key(&conn) {
                break;
            }
            match message {
                Ok(message) => {
                    if self.message(now, conn, message) == Health::Spoiled {
                        return Health::Spoiled;
                    }
                }
                Err(_) => self.bad_frame(conn),
            }
        }
        Health::Sound
    }

    fn message(&mut self, now: Millis, conn: ConnId, message: Message<'_>) -> Health {
        match message {
            Message::SyncStep1(state_vector) => self.step1(conn, state_vector),
            Message::SyncStep2(update) => return self.plain_update(conn, update, self.limits.max_sync_bytes),
            Message::Update(update) => return self.plain_update(conn, update, self.limits.max_update_bytes),
            Message::Submit { seq, update } => return self.submit(conn, seq, update),
            Message::Seed(update) => return self.seed(conn, update),
            Message::Awareness(update) => {
                let author = self.peers.get(&conn).and_then(|peer| peer.join.author.as_deref());
                let same_user =
                    |owner| self.peers.get(&owner).is_none_or(|peer: &Peer| peer.join.author.as_deref() == author);
                if self.presence.take(now, conn, update, same_user).is_err() {
                    self.bad_frame(conn);
                }
            }
            Message::QueryAwareness => {
                let everyone = self.presence.everyone().unwrap_or_else(|| vec![0]);
                self.send(conn, &Message::Awareness(&everyone));
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

    fn step1(&mut self, conn: ConnId, state_vector: &[u8]) {
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

    /// A sync step 2 or an update: stored like a submission if it changes anything, but nobody waits for it.
    fn plain_update(&mut self, conn: ConnId, update: &[u8], limit: usize) -> Health {
        let Some(peer) = self.peers.get(&conn) else { return Health::Sound };
        if peer.join.role == Role::ReadOnly {
            if self.replica.knows(update) != Ok(true) {
                self.refuse_reader(conn);
            }
            return Health::Sound;
        }
        if update.len() > limit {
            self.close(conn, close::TOO_LARGE, "the update is too large");
            return Health::Sound;
        }
        match self.accept(Some(conn), conn, update, None) {
            Ok(()) => Health::Sound,
            Err(ApplyError::Spoiled) => self.spoiled(conn),
            Err(_) => {
                self.bad_frame(conn);
                Health::Sound
            }
        }
    }

    fn refuse_reader(&mut self, conn: ConnId) {
        self.counts.rejected += 1;
        let Some(peer) = self.peers.get_mut(&conn) else { return };
        if std::mem::replace(&mut peer.told_read_only, true) {
            return;
        }
        let message = "this connection may only read";
        if peer.join.durable {
            self.send(conn, &Message::Reject { seq: 0, code: RejectCode::ReadOnly, message });
        } else {
            self.send(conn, &Message::AuthDenied(message));
        }
    }

    fn submit(&mut self, conn: ConnId, seq: u64, update: &[u8]) -> Health {
        let Some(peer) = self.peers.get(&conn) else { return Health::Sound };
        let session = peer.join.session.clone();
        if peer.join.role == Role::ReadOnly {
            self.reject(conn, session.as_deref(), seq, RejectCode::ReadOnly, "this connection may only read");
            return Health::Sound;
        }
        let limit = self.limits.max_update_bytes;
        if update.len() > limit {
            let message = format!("an update may have {limit} bytes");
            self.reject(conn, session.as_deref(), seq, RejectCode::TooLarge, &message);
            return Health::Sound;
        }
        let state = session.as_ref().and_then(|session| self.sessions.get(session)).copied().unwrap_or_default();
        let after_refusal = state.refused || state.progress.acked < state.progress.last;
        let submission = session.clone().map(|session| Submission { session, seq, after_refusal });
        match self.accept(Some(conn), conn, update, submission) {
            Ok(()) => {}
            Err(ApplyError::Spoiled) => return self.spoiled(conn),
            Err(error) => {
                self.reject(conn, session.as_deref(), seq, RejectCode::Invalid, &error.to_string());
                return Health::Sound;
            }
        }
        if let Some(session) = session {
            let state = self.sessions.entry(session).or_default();
            if seq > state.progress.last {
                state.progress.last = seq;
                if !after_refusal {
                    state.progress.acked = seq;
                }
            }
        }
        let ack = self.acks.entry(conn).or_default();
        *ack = seq.max(*ack);
        Health::Sound
    }

    fn reject(&mut self, conn: ConnId, session: Option<&str>, seq: u64, code: RejectCode, message: &str) {
        self.counts.rejected += 1;
        if let Some(session) = session {
            let state = self.sessions.entry(session.to_owned()).or_default();
            if seq > state.progress.last {
                state.refused = true;
            }
        }
        self.send(conn, &Message::Reject { seq, code, message });
    }

    /// The server decides whether a document is seeded, between two other messages of the room (F1).
    fn seed(&mut self, conn: ConnId, update: &[u8]) -> Health {
        let Some(peer) = self.peers.get(&conn) else { return Health::Sound };
        if peer.join.role == Role::ReadOnly {
            self.reject(conn, None, 0, RejectCode::ReadOnly, "this connection may only read");
        } else if update.len() > self.limits.max_sync_bytes {
            let message = format!("a seed may have {} bytes", self.limits.max_sync_bytes);
            self.reject(conn, None, 0, RejectCode::TooLarge, &message);
        } else if !self.replica.is_empty() {
            self.seed_acks.push(conn);
        } else {
            // Back to the sender as well: with the acknowledgement it has the document's content, whoever won.
            match self.accept(None, conn, update, None) {
                Ok(()) => {
                    self.only_at_tip = Some(self.document.tip);
                    self.seed_acks.push(conn);
                }
                Err(ApplyError::Spoiled) => return self.spoiled(conn),
                Err(error) => self.reject(conn, None, 0, RejectCode::Invalid, &error.to_string()),
            }
        }
        Health::Sound
    }

    /// Applies an update; if it changed anything, queues it for the log and for the others.
    fn accept(
        &mut self,
        except: Option<ConnId>,
        conn: ConnId,
        update: &[u8],
        submission: Option<Submission>,
    ) -> Result<(), ApplyError> {
        if !self.replica.apply(update)? {
            return Ok(());
        }
        let author = self.peers.get(&conn).and_then(|peer| peer.join.author.clone());
        self.rows.push(NewUpdate { bytes: update.to_vec(), author, submission });
        self.broadcast(except, update);
        Ok(())
    }

    /// Takes an edit of the server itself, for everyone.
    pub fn server_update(&mut self, update: &[u8], author: Option<String>) -> Health {
        match self.replica.apply(update) {
            Ok(true) => {
                self.rows.push(NewUpdate { bytes: update.to_vec(), author, submission: None });
                self.broadcast(None, update);
                Health::Sound
            }
            Err(ApplyError::Spoiled) => Health::Spoiled,
            Ok(false) | Err(_) => Health::Sound,
        }
    }

    fn broadcast(&mut self, except: Option<ConnId>, update: &[u8]) {
        self.whole = None;
        let frame = Bytes::from(Message::Update(update).to_frame());
        let others: Vec<ConnId> = self.peers.keys().copied().filter(|conn| Some(*conn) != except).collect();
        for conn in others {
            self.send_frame(conn, frame.clone());
        }
    }

    /// Applies rows that another server stored, after this one's tip, and passes them on.
    pub fn remote_rows(&mut self, rows: &[UpdateRow]) -> Health {
        for row in rows {
            if row.seq > self.document.tip {
                self.document.tip = row.seq;
            }
            if row.quarantined.is_some() {
                continue;
            }
            match self.replica.apply(&row.bytes) {
                Ok(true) => self.broadcast(None, &row.bytes),
                Ok(false) => {}
                Err(ApplyError::Spoiled) => return Health::Spoiled,
                Err(error) => tracing::error!(document = self.document.id, seq = row.seq, %error, "bad row"),
            }
        }
        Health::Sound
    }

    /// The rows of the last batch are stored up to `last`.
    pub fn committed(&mut self, last: Seq) {
        self.document.tip = self.document.tip.max(last);
    }

    /// Goes on with another copy of the document, after [`Health::Spoiled`].
    pub fn replace_replica(&mut self, replica: Replica) {
        self.replica = replica;
        self.whole = None;
    }

    fn spoiled(&mut self, conn: ConnId) -> Health {
        self.counts.panics += 1;
        self.close(conn, POLICY, "the update cannot be applied");
        Health::Spoiled
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
            peer.out.push(Outgoing::Close { code, reason });
        }
    }

    /// Closes every connection with this batch.
    pub fn close_all(&mut self, code: u16, reason: &'static str) {
        for peer in self.peers.values_mut() {
            peer.out.push(Outgoing::Close { code, reason });
        }
    }

    fn send(&mut self, conn: ConnId, message: &Message<'_>) {
        self.send_frame(conn, Bytes::from(message.to_frame()));
    }

    fn send_frame(&mut self, conn: ConnId, frame: Bytes) {
        let Some(peer) = self.peers.get_mut(&conn) else { return };
        if !peer.join.durable || frame.len() <= self.limits.max_frame_bytes {
            peer.out.push(Outgoing::Frame(frame));
            return;
        }
        self.fragment_id += 1;
        for piece in protocol::fragments(&frame, self.fragment_id) {
            peer.out.push(Outgoing::Frame(Bytes::from(piece)));
        }
    }

    /// Everything since the last call, to be stored and then sent.
    pub fn take_batch(&mut self, now: Millis) -> Batch {
        for conn in std::mem::take(&mut self.seed_acks) {
            self.send(conn, &Message::Ack { seq: 0 });
        }
        for (conn, seq) in std::mem::take(&mut self.acks) {
            self.send(conn, &Message::Ack { seq });
        }
        let presence = self.send_presence(now);
        let mut out = Vec::new();
        for (conn, peer) in &mut self.peers {
            if !peer.out.is_empty() {
                let frames = std::mem::take(&mut peer.out);
                out.push((*conn, if peer.join.durable { join_frames(frames) } else { frames }));
            }
        }
        Batch { rows: std::mem::take(&mut self.rows), only_at_tip: self.only_at_tip.take(), out, presence }
    }

    /// Returns what other servers have to hear.
    fn send_presence(&mut self, now: Millis) -> Option<Vec<u8>> {
        if !self.presence.has_changes() || now - self.presence_sent < PRESENCE_INTERVAL_MS {
            return None;
        }
        let changes = self.presence.take_changes()?;
        self.presence_sent = now;
        let frame = Bytes::from(Message::Awareness(&changes.update).to_frame());
        let others: Vec<ConnId> = self.peers.keys().copied().filter(|conn| Some(*conn) != changes.only_from).collect();
        for conn in others {
            self.send_frame(conn, frame.clone());
        }
        changes.local
    }

    /// Presence at another server, which appears as one connection.
    pub fn presence_elsewhere(&mut self, now: Millis, server: ConnId, update: &[u8]) {
        if let Err(error) = self.presence.take(now, server, update, |_| true) {
            tracing::warn!(%error, "presence from another server");
        }
    }

    /// Who is connected to this server.
    pub fn presence_here(&self) -> Option<Vec<u8>> {
        self.presence.everyone_local()
    }
}

/// WebSocket's "policy violation": the client may come again, it is not welcome to go on like this.
const POLICY: u16 = 1008;

/// Joins small neighbouring frames: a frame may hold several messages. Hello stays alone, it is the first frame.
fn join_frames(frames: Vec<Outgoing>) -> Vec<Outgoing> {
    const HELLO: u8 = 120;
    const FRAGMENT: u8 = 125;
    let mut joined: Vec<Outgoing> = Vec::with_capacity(frames.len().min(4));
    let mut run: Vec<Bytes> = Vec::new();
    let mut run_bytes = 0;
    for outgoing in frames {
        match outgoing {
            Outgoing::Frame(frame) if !matches!(frame.first(), Some(&(HELLO | FRAGMENT))) => {
                if run_bytes + frame.len() > JOIN_BYTES {
                    flush_run(&mut run, &mut joined);
                    run_bytes = 0;
                }
                run_bytes += frame.len();
                run.push(frame);
            }
            alone => {
                flush_run(&mut run, &mut joined);
                run_bytes = 0;
                joined.push(alone);
            }
        }
    }
    flush_run(&mut run, &mut joined);
    joined
}

fn flush_run(run: &mut Vec<Bytes>, joined: &mut Vec<Outgoing>) {
    match run.len() {
        0 => {}
        1 => joined.extend(run.pop().map(Outgoing::Frame)),
        _ => joined.push(Outgoing::Frame(Bytes::from(run.concat()))),
    }
    run.clear();
}
