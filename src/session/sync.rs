//! The wire: frames in, what they ask for out.
//!
//! Two kinds of servers. One that says hello first acknowledges each update when it is stored; any other y-websocket
//! server is sent updates, and asked by a sync step 1 whether it has them: it answers in order, so its step 2 tells
//! that it has processed what was sent before.

use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{StateVector, Update};

use crate::json::Fields;
use crate::protocol::{self, FRAGMENT_BYTES, Hello, Message, RejectCode, Role, messages};
use crate::store::Write;
use crate::update::split;

use super::connection::{FRAGMENT_AGE, Live, PeerProtocol};
use super::outbox::{KeptIn, inserts};
use super::{ErrorCode, Millis, Origin, Output, Session};

/// Assumed before a server has said what it takes, bytes.
pub(super) const USUAL_UPDATE_LIMIT: usize = 512 * 1024;
/// Why an edit was set aside that was not even sent.
pub(super) const UNCUTTABLE: &str = "a single value exceeds what the server takes";
/// Bytes of a frame around an update.
pub(super) const FRAMING: usize = 16;
/// How long to wait after the server was asked too much: doubled each time.
const HOLD_FIRST: Millis = 1_000;
const HOLD_LONGEST: Millis = 30_000;

impl Session {
    /// Sends a frame, in fragments where the server takes no larger ones.
    pub(super) fn send(&mut self, frame: Vec<u8>) {
        let (now, bound) = (self.now, self.frame_bound());
        let Some(live) = self.link.live_mut() else { return };
        let limit = live.hello().map(|hello| (hello.max_frame_bytes as usize).min(bound));
        match limit {
            Some(limit) if frame.len() > limit => {
                live.last_fragment_id += 1;
                let size = FRAGMENT_BYTES.min(limit.saturating_sub(64)).max(1);
                for piece in protocol::fragments_of(&frame, live.last_fragment_id, size) {
                    live.sending(now, piece.len());
                    self.stage.order(Output::Send(piece));
                }
            }
            _ => {
                live.sending(now, frame.len());
                self.stage.order(Output::Send(frame));
            }
        }
    }

    /// Asks for what is missing here.
    pub(super) fn request_sync(&mut self) {
        let state_vector = self.replacement.as_ref().unwrap_or(self.settled()).state_vector();
        let Some(live) = self.link.live_mut() else { return };
        let covered = matches!(live.mode, PeerProtocol::Plain { covered: true, .. });
        live.asked.push_back(if covered { live.sent_through } else { 0 });
        self.send(Message::SyncStep1(&state_vector).to_frame());
    }

    /// The socket has been silent: sends what is answered by anyone who is there.
    pub(super) fn probe(&mut self) {
        let Some(live) = self.link.live_mut() else { return };
        live.probed_at = Some(self.now);
        if live.hello().is_some() {
            self.send(Message::Ping.to_frame());
        } else {
            self.request_sync();
        }
    }

    /// Asks a plain server whether it has what it was sent.
    pub(super) fn ask(&mut self) {
        if let Some(PeerProtocol::Plain { ask_at, .. }) = self.link.live_mut().map(|live| &mut live.mode) {
            *ask_at = None;
            self.request_sync();
        }
    }

    pub(super) fn frame(&mut self, frame: &[u8]) {
        let Some(live) = self.link.live_mut() else { return };
        live.heard(self.now);
        self.read(frame, false);
    }

    fn read(&mut self, frame: &[u8], whole: bool) {
        for message in messages(frame) {
            match message {
                Ok(Message::Fragment { id, index, count, bytes }) if !whole => self.fragment(id, index, count, bytes),
                Ok(message) => self.message(message),
                Err(error) => self.report(ErrorCode::Protocol, error.to_string()),
            }
        }
    }

    fn fragment(&mut self, id: u64, index: u64, count: u64, bytes: &[u8]) {
        let now = self.now;
        let Some(live) = self.link.live_mut() else { return };
        match live.reassembly.take(now, id, index, count, bytes) {
            Ok(None) => {}
            Ok(Some(frame)) => self.read(&frame, true),
            Err(error) => self.report(ErrorCode::Protocol, error.to_string()),
        }
    }

    pub(super) fn fragments_deadline(&self) -> Option<Millis> {
        let live = self.link.live()?;
        live.reassembly.progress()?;
        Some(live.heard_at + FRAGMENT_AGE + 1)
    }

    pub(super) fn expire_fragments(&mut self) {
        let now = self.now;
        if let Some(live) = self.link.live_mut()
            && live.reassembly.expire(now, FRAGMENT_AGE) > 0
        {
            self.report(ErrorCode::Protocol, "a frame in fragments was never finished");
        }
    }

    fn message(&mut self, message: Message) {
        // An earlier message of the same frame may have ended the connection.
        let Some(live) = self.link.live() else { return };
        if live.mode == PeerProtocol::Unknown {
            match message {
                Message::Hello(hello) => return self.hello(hello),
                // Says nothing about who it is.
                Message::AuthDenied(reason) => return self.denied(reason),
                _ => self.plain_server(),
            }
        }
        match message {
            Message::SyncStep1(state_vector) => self.answer_sync(state_vector),
            Message::SyncStep2(update) => self.sync_step_2(update),
            Message::Update(update) => self.remote_update(update),
            Message::Awareness(update) => self.heard_presence(update),
            Message::AuthDenied(reason) => self.denied(reason),
            Message::QueryAwareness => {
                let all = self.presence.awareness.encode_all();
                self.send(Message::Awareness(&all).to_frame());
            }
            Message::Ack { seq: 0 } => self.seed_answered(),
            Message::Ack { seq } => self.acknowledged(seq),
            Message::Reject { seq, code, message } => self.rejected(seq, code, message),
            Message::Ping => self.send(Message::Pong.to_frame()),
            Message::Pong => {}
            Message::Hello(_) | Message::Submit { .. } | Message::Seed(_) | Message::Fragment { .. } => {
                self.report(ErrorCode::Protocol, "the server sent a message out of place");
            }
        }
    }

    /// A server that acknowledges. What it has of this session leaves the outbox; the rest is sent again.
    fn hello(&mut self, hello: Hello) {
        if hello.version < protocol::VERSION {
            return self.report(ErrorCode::Protocol, format!("hello of unknown version {}", hello.version));
        }
        let other_epoch = self.journal.epoch.as_ref().is_some_and(|own| *own != hello.epoch);
        if other_epoch && self.replacement.is_none() {
            return self.epoch_mismatch();
        }
        if self.journal.epoch.is_none() && self.replacement.is_none() {
            self.journal.epoch = Some(hello.epoch.clone());
            self.journal.write(Write::SetEpoch { epoch: hello.epoch.clone() });
        }
        let (limit, bound) = (self.frame_limit.unwrap_or(usize::MAX), self.frame_bound());
        self.aside_limit = (hello.max_update_bytes as usize).min(limit).max(256);
        self.update_limit = self.aside_limit.min(bound).max(256);
        let acked = hello.acked_seq;
        self.reader = hello.role != Role::ReadWrite;
        self.commenter = hello.role == Role::Comment;
        self.user.clone_from(&hello.user);
        self.formatting.server = hello.format.or(self.formatting.server);
        if self.replacement.is_none() {
            if acked > self.outbox.highest_sent() {
                self.report(ErrorCode::Protocol, "the server acknowledges what was never sent");
            } else if acked > 0 {
                self.acknowledged(acked);
            }
        }
        let theirs = hello.format.unwrap_or(0);
        let Some(live) = self.link.live_mut() else { return };
        live.mode = PeerProtocol::Durable(hello);
        self.came_online();
        if self.replacement.is_some() {
            return;
        }
        if self.is_behind(theirs) {
            self.note_offline_changes();
            return self.fall_behind(theirs);
        }
        self.outbox_taken_back();
        self.rearrange();
        self.note_offline_changes();
        self.let_small_ones_overtake();
        self.pump();
    }

    /// What was set aside while this client might only read is pending again if it may write now.
    fn outbox_taken_back(&mut self) -> bool {
        let hello = self.link.live().and_then(Live::hello);
        hello.is_some_and(|hello| hello.role == Role::ReadWrite) && self.outbox.take_back(RejectCode::ReadOnly.as_str())
    }

    /// The same for what the device turns out to have while the connection is open already.
    pub(super) fn take_back_if_writable(&mut self) {
        if !self.conflict && self.replacement.is_none() && self.outbox_taken_back() {
            self.rearrange();
            self.pump();
        }
    }

    fn plain_server(&mut self) {
        (self.reader, self.commenter) = (false, false);
        if let Some(live) = self.link.live_mut() {
            live.mode = PeerProtocol::Plain { covered: false, ask_at: None };
        }
        self.came_online();
        self.note_offline_changes();
    }

    fn note_offline_changes(&mut self) {
        let last = self.outbox.last_seq();
        if let Some(live) = self.link.live_mut() {
            live.offline_through = last;
        }
    }

    /// Step 1 of the server: it is sent what it lacks.
    pub(super) fn answer_sync(&mut self, state_vector: &[u8]) {
        if self.conflict || self.replacement.is_some() || self.link.is_read_only() {
            return;
        }
        self.flush();
        if self.answer_later(state_vector) {
            return;
        }
        let Ok(theirs) = crate::update::state_vector(state_vector) else {
            return self.report(ErrorCode::Protocol, "a state vector does not decode");
        };
        if !self.may_send() {
            let storing = self.is_storing_translation();
            if let Some(live) = self.link.live_mut().filter(|live| storing || !live.synced) {
                live.step_1 = Some(state_vector.to_vec());
            }
            return;
        }
        let durable = self.link.live().and_then(Live::hello).is_some();
        for (client, clock) in theirs.iter() {
            self.holes.fill(client.get(), u64::from(*clock));
        }
        if !durable {
            self.acknowledge_shown(&theirs);
        }
        // What is submitted, and acknowledged, need not go twice.
        let theirs = if durable { with_pending(theirs, self.outbox.updates()) } else { theirs };
        let theirs = theirs.encode_v1();
        let Some(update) = self.missing_there(&theirs) else { return };
        if durable {
            match update.len() <= self.update_limit {
                true => self.send(Message::SyncStep2(&update).to_frame()),
                false => self.submit_missing(&update, self.update_limit),
            }
        } else {
            self.send_missing(update, &theirs);
        }
    }

    /// What a replica with this state vector lacks, but for what a server has refused: it would refuse it again, and
    /// with it all the rest.
    fn missing_there(&mut self, state_vector: &[u8]) -> Option<Vec<u8>> {
        match self.doc.encode_state(Some(state_vector)) {
            Ok(update) if self.holes.is_empty() => Some(update),
            Ok(update) => Some(self.holes.without(&update).unwrap_or(update)),
            Err(error) => {
                self.report(ErrorCode::Protocol, error.to_string());
                None
            }
        }
    }

    /// To a plain server. Of what it cannot be sent, only edits that are pending can be told apart and set aside.
    fn send_missing(&mut self, update: Vec<u8>, theirs: &[u8]) {
        let bound = self.frame_bound();
        if bound == usize::MAX {
            self.send(Message::SyncStep2(&update).to_frame());
            return self.covered();
        }
        let limit = bound.saturating_sub(FRAMING);
        let pieces = split(&update, limit).or_else(|error| {
            match self.frame_limit.map(|limit| limit.saturating_sub(FRAMING)) {
                Some(limit) => self.put_uncuttable_aside(limit),
                // It is sent whole, behind all that is smaller, as long as it is only suspected.
                None if !self.suspicion.is_certain() => return Err(error),
                None => self.put_uncuttable_aside(limit),
            }
            split(&self.missing_there(theirs).unwrap_or_default(), limit)
        });
        match pieces {
            Ok(pieces) => {
                pieces.iter().for_each(|piece| self.send(Message::Update(piece).to_frame()));
                self.covered();
            }
            Err(error) => {
                if self.frame_limit.is_some() {
                    self.report(ErrorCode::TooLarge, error.to_string());
                }
                self.cover_without_being_asked();
            }
        }
    }

    /// A state vector shows what was inserted there, not what was deleted.
    fn acknowledge_shown(&mut self, theirs: &StateVector) {
        let shown = |update: &Vec<u8>| {
            let Ok(update) = Update::decode_v1(update) else { return false };
            let inserted = update.insertions(true);
            let mut all = inserted.iter();
            update.delete_set().is_empty()
                && !inserted.is_empty()
                && all.all(|(client, ranges)| ranges.iter().all(|range| range.end <= theirs.get(client)))
        };
        let (first, sent) = (self.outbox.first_pending().unwrap_or(0), self.outbox.highest_sent());
        let count =
            self.outbox.updates().take((sent + 1).saturating_sub(first) as usize).take_while(|u| shown(u)).count();
        if let Some(last) = self.outbox.after(0).take(count).last().map(|entry| entry.seq) {
            self.acknowledged(last);
        }
    }

    /// The server lacks more than it takes in one piece: it goes the way of pending updates.
    fn submit_missing(&mut self, update: &[u8], limit: usize) {
        let Ok(pieces) = split(update, limit) else {
            return self.report(ErrorCode::TooLarge, "what the server lacks cannot be cut to its limit");
        };
        for piece in pieces {
            let to = self.outbox.push(piece.clone(), KeptIn::Memory);
            self.journal.write(Write::Coalesce { from: Vec::new(), to, update: piece });
        }
        self.pump();
    }

    /// A plain server has been sent everything there is; whether it has taken it shows its next answer.
    fn covered(&mut self) {
        let last = self.outbox.last_seq();
        let pending = !self.outbox.is_empty();
        let Some(live) = self.link.live_mut() else { return };
        live.mode = PeerProtocol::Plain { covered: true, ask_at: None };
        live.sent_through = last;
        self.outbox.mark_sent(last);
        if pending {
            self.request_sync();
        }
    }

    fn sync_step_2(&mut self, update: &[u8]) {
        if self.conflict && self.replacement.is_none() {
            return;
        }
        let Some(live) = self.link.live_mut() else { return };
        let through = live.asked.pop_front().unwrap_or(0);
        let first = !live.synced;
        if self.replacement.is_some() {
            return self.replace_with(update);
        }
        if self.is_overtaken() {
            return self.overtaken_by(update, true);
        }
        if let Some(format) = self.is_behind_of(update) {
            return self.fall_behind(format);
        }
        if self.apply(update, Origin::Remote, true).is_none() && first {
            // Nothing was taken: this connection is not synced.
            return;
        }
        if first {
            self.note_found(inserts(update));
        }
        let waiting = self.link.live_mut().and_then(|live| {
            live.synced = true;
            live.step_1.take()
        });
        if let Some(state_vector) = waiting {
            self.answer_sync(&state_vector);
        }
        if first {
            self.pump();
            self.synced();
            self.settle_format();
        }
        self.offer_seed();
        if matches!(self.link.live().map(|live| &live.mode), Some(PeerProtocol::Plain { .. })) && through > 0 {
            self.acknowledged(through);
        }
    }

    pub(super) fn synced(&mut self) {
        self.retries.synced(self.now);
        if let Err(mismatch) = self.settled().check_root() {
            return self.wrong_root(mismatch.to_string());
        }
        if self.outbox.highest_sent() == 0 && self.outbox.is_empty() && self.doc.knows_client(self.doc.client_id()) {
            self.choose_client_id();
        }
        self.show_wanted_seed();
        self.offer_seed();
        if matches!(self.link.live().map(|live| &live.mode), Some(PeerProtocol::Plain { covered: false, .. })) {
            self.cover_without_being_asked();
        }
    }

    /// A plain server that never sends a step 1 gets what is pending all the same.
    fn cover_without_being_asked(&mut self) {
        let Some(live) = self.link.live_mut() else { return };
        live.mode = PeerProtocol::Plain { covered: true, ask_at: None };
        live.sent_through = 0;
        self.pump();
    }

    pub(super) fn remote_update(&mut self, update: &[u8]) {
        if let Some(doc) = &mut self.replacement {
            if let Err(error) = doc.apply_update(update) {
                self.report(ErrorCode::InvalidUpdate, error.to_string());
            }
        } else if self.is_overtaken() {
            self.overtaken_by(update, false);
        } else if let Some(format) = self.is_behind_of(update).filter(|_| !self.conflict) {
            self.fall_behind(format);
        } else if !self.conflict && !self.waits_for_word(update, Origin::Remote) {
            self.apply(update, Origin::Remote, true);
        }
    }

    /// Everything up to `seq` is on the server.
    fn acknowledged(&mut self, seq: u64) {
        if seq > self.outbox.highest_sent() || self.replacement.is_some() {
            return self.report(ErrorCode::Protocol, "the server acknowledges what was never sent");
        }
        self.holds = 0;
        if let Some((through, updates)) = self.outbox.acknowledge(seq) {
            self.retries.acknowledged();
            self.journal.acknowledged(self.now, through, updates);
            if self.outbox.is_empty() {
                self.formatting.base = None;
            }
            if self.outbox.first_pending().is_none_or(|first| first > seq.max(self.sent_here())) {
                self.answered();
            }
            self.pump();
        }
    }

    fn rejected(&mut self, seq: u64, code: RejectCode, message: &str) {
        if seq == 0 {
            return self.unnumbered_rejected(code, message);
        }
        if seq > self.outbox.highest_sent() {
            return self.report(ErrorCode::Protocol, "the server refuses what was never sent");
        }
        if code == RejectCode::RateLimited {
            return self.hold(seq);
        }
        self.put_aside(seq, code, message);
        self.pump();
    }

    pub(super) fn put_aside(&mut self, seq: u64, code: RejectCode, message: &str) {
        let Some(writes) = self.outbox.put_aside(seq, code.as_str(), message) else { return };
        self.journal.write_all(writes);
        if let Some(refused) = self.outbox.set_aside.last().map(|aside| aside.update.update.clone()) {
            self.note_hole(code.as_str(), &refused);
            self.set_dependents_aside();
        }
        let error = match code {
            RejectCode::Invalid => ErrorCode::InvalidUpdate,
            RejectCode::TooLarge => ErrorCode::TooLarge,
            RejectCode::ReadOnly => ErrorCode::Forbidden,
            RejectCode::RateLimited | RejectCode::Other => ErrorCode::Protocol,
        };
        self.report(error, format!("the server refuses an edit, it is kept aside: {message}"));
    }

    /// A seed or a step 2.
    fn unnumbered_rejected(&mut self, code: RejectCode, message: &str) {
        match (self.take_back_seed(), code) {
            // It can go in pieces only as an edit; whoever else does so makes the same one.
            (true, RejectCode::TooLarge) => self.submit_seed(),
            (true, RejectCode::Invalid) => {
                self.submit_seed();
                self.report(ErrorCode::Protocol, format!("the server refuses: {message}"));
            }
            (true, RejectCode::RateLimited | RejectCode::Other) => self.hold_until = Some(self.now + HOLD_FIRST),
            (true, RejectCode::ReadOnly) | (false, _) => {
                self.report(ErrorCode::Protocol, format!("the server refuses: {message}"));
            }
        }
    }

    /// The server was asked too much: it is asked again later.
    fn hold(&mut self, seq: u64) {
        if !self.outbox.postpone(seq) {
            return;
        }
        self.rearrange();
        let wait = HOLD_FIRST.checked_shl(self.holds).unwrap_or(HOLD_LONGEST).min(HOLD_LONGEST);
        self.holds = (self.holds + 1).min(10);
        self.hold_until = Some(self.now + wait);
    }

    /// Text is no part of the protocol; some servers send JSON for a heartbeat and for errors.
    pub(super) fn text(&mut self, text: &str) {
        let now = self.now;
        let Some(live) = self.link.live_mut() else { return };
        live.heard(now);
        let Some(fields) = Fields::parse(text) else { return };
        match fields.str("type") {
            Some("ping") => self.stage.order(Output::SendText(r#"{"type":"pong"}"#.to_owned())),
            Some("error") => {
                let message = fields.str("message").unwrap_or(text);
                let message: String = message.chars().take(500).collect();
                self.report(ErrorCode::Protocol, format!("the server reports: {message}"));
            }
            _ => {}
        }
    }
}

/// The state vector of a replica that also has what is pending, as far as that follows what it has.
fn with_pending<'a>(mut theirs: StateVector, pending: impl Iterator<Item = &'a Vec<u8>>) -> StateVector {
    for update in pending {
        let Ok(update) = Update::decode_v1(update) else { continue };
        for (client, ranges) in update.insertions(true).iter() {
            for range in ranges.iter() {
                if range.start <= theirs.get(client) {
                    theirs.set_max(*client, range.end);
                }
            }
        }
    }
    theirs
}
