//! The wire: messages in, what they ask for out.
//!
//! There are two kinds of servers. One that says hello first acknowledges each update when it is stored. Any other
//! y-websocket server is sent updates, and asked by a sync step 1 whether it has them: it answers in order, so its step
//! 2 shows that it has taken what was sent before.

use yrs::updates::encoder::Encode;

use crate::json::Fields;
use crate::protocol::{self, Hello, Message, RejectCode, Role, messages};
use crate::store::Write;
use crate::update::split;

use super::Session;
use super::connection::PeerProtocol;
use super::network::FRAMING;
use super::outbox::inserts;
use super::phase::Epoch;
use super::seeding::SeedOffer;
use super::sending::{shown_in, with_pending};
use super::suspicion::Suspicion;
use super::types::{ErrorCode, Origin, Output};

/// Why an edit was set aside that nothing on the way lets through.
const UNSENDABLE: &str = "connections end whenever it is sent, however small the pieces are";

impl Session {
    pub(super) fn send(&mut self, frame: Vec<u8>) {
        self.network.send(self.local.now, frame, &mut self.local.stage);
    }

    /// Asks for what is missing here.
    pub(super) fn request_sync(&mut self) {
        let doc = match &self.epoch {
            Epoch::Replacing(doc) => doc,
            Epoch::Same | Epoch::Conflict => self.seeding.settled(&self.local.editing.doc),
        };
        let state_vector = doc.state_vector();
        self.network.request(self.local.now, &state_vector, &mut self.local.stage);
    }

    /// The socket has been silent: sends a message that every server answers.
    pub(super) fn probe(&mut self) {
        if self.network.probe(self.local.now, &mut self.local.stage) {
            self.request_sync();
        }
    }

    /// Asks a plain server how much it has of what it was sent.
    pub(super) fn ask(&mut self) {
        if self.network.asks() {
            self.request_sync();
        }
    }

    pub(super) fn network_hint(&mut self, online: bool) {
        if self.network.hint(self.local.now, online, &mut self.local.stage) {
            self.request_sync();
        }
    }

    pub(super) fn awake(&mut self) {
        if self.network.awake(self.local.now, &mut self.local.stage) {
            self.request_sync();
        }
    }

    // --- messages

    pub(super) fn frame(&mut self, frame: &[u8]) {
        let Some(live) = self.network.link.live_mut() else { return };
        live.heard(self.local.now);
        self.read(frame, false);
    }

    fn read(&mut self, frame: &[u8], whole: bool) {
        for message in messages(frame) {
            match message {
                Ok(Message::Fragment { id, index, count, bytes }) if !whole => {
                    let (now, stage) = (self.local.now, &mut self.local.stage);
                    if let Some(frame) = self.network.fragment(now, (id, index, count), bytes, stage) {
                        self.read(&frame, true);
                    }
                }
                Ok(message) => {
                    self.message(message);
                    self.carry_on();
                }
                Err(error) => self.report(ErrorCode::Protocol, error.to_string()),
            }
        }
    }

    fn message(&mut self, message: Message) {
        // An earlier message of the same frame may have ended the connection.
        let Some(live) = self.network.link.live() else { return };
        if live.mode == PeerProtocol::Unknown {
            match message {
                Message::Hello(hello) => return self.hello(hello),
                // Any server may say this.
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
                let all = self.local.editing.presence.awareness.encode_all();
                self.send(Message::Awareness(&all).to_frame());
            }
            Message::Ack { seq: 0 } => {
                if self.seeding.answered() {
                    self.request_sync();
                }
            }
            Message::Ack { seq } => self.acknowledged(seq),
            Message::Reject { seq, code, message } => self.rejected(seq, code, message),
            Message::Ping => self.send(Message::Pong.to_frame()),
            Message::Pong => {}
            Message::Hello(_) | Message::Submit { .. } | Message::Seed(_) | Message::Fragment { .. } => {
                self.report(ErrorCode::Protocol, "the server sent a message out of place");
            }
        }
    }

    /// Text frames are no part of the protocol; some servers send JSON in them, for a heartbeat and for errors.
    pub(super) fn text(&mut self, text: &str) {
        let now = self.local.now;
        let Some(live) = self.network.link.live_mut() else { return };
        live.heard(now);
        let Some(fields) = Fields::parse(text) else { return };
        match fields.str("type") {
            Some("ping") => self.local.stage.order(Output::SendText(r#"{"type":"pong"}"#.to_owned())),
            Some("error") => {
                let message = fields.str("message").unwrap_or(text);
                let message: String = message.chars().take(500).collect();
                self.report(ErrorCode::Protocol, format!("the server reports: {message}"));
            }
            _ => {}
        }
    }

    fn heard_presence(&mut self, update: &[u8]) {
        match self.local.editing.presence.heard(self.local.now, update) {
            Ok(false) => {}
            Ok(true) => {
                self.flush();
                self.local.choose_client_id();
            }
            Err(error) => self.report(ErrorCode::Protocol, error.to_string()),
        }
    }

    /// A server that acknowledges. What it has stored of this session leaves the outbox; the rest is sent again.
    fn hello(&mut self, hello: Hello) {
        if hello.version < protocol::OLDEST_VERSION {
            return self.report(ErrorCode::Protocol, format!("hello of unknown version {}", hello.version));
        }
        let replacing = self.epoch.is_replacing();
        let journal = &mut self.local.device.journal;
        let other_epoch = journal.epoch.as_ref().is_some_and(|own| *own != hello.epoch);
        if other_epoch && !replacing {
            return self.epoch_mismatch();
        }
        if journal.epoch.is_none() && !replacing {
            journal.epoch = Some(hello.epoch.clone());
            journal.write(Write::SetEpoch { epoch: hello.epoch.clone() });
        }
        self.local.device.update_limit = self.network.told(&hello);
        self.formatting.server = hello.format.or(self.formatting.server);
        let (acked, theirs) = (hello.acked_seq, hello.format.unwrap_or(0));
        if !replacing {
            if acked > self.local.device.outbox.highest_sent() {
                self.report(ErrorCode::Protocol, "the server acknowledges what was never sent");
            } else if acked > 0 {
                self.acknowledged(acked);
            }
        }
        self.network.came_online(PeerProtocol::Durable(hello), &mut self.local.stage);
        if replacing {
            return;
        }
        if self.translating.is_behind(theirs, &self.local) {
            self.network.note_offline_changes(self.local.device.outbox.last_seq());
            return self.fall_behind(theirs);
        }
        self.outbox_taken_back();
        self.local.device.rearrange();
        self.network.note_offline_changes(self.local.device.outbox.last_seq());
        self.let_small_ones_overtake();
        self.pump();
    }

    /// What was set aside while this client was only allowed to read is pending again if it may write now.
    fn outbox_taken_back(&mut self) -> bool {
        self.network.hello().is_some_and(|hello| hello.role == Role::ReadWrite) && self.local.device.take_back()
    }

    /// The same for a copy that is loaded when the connection is open already.
    pub(super) fn take_back_if_writable(&mut self) {
        if self.epoch.is_same() && self.outbox_taken_back() {
            self.local.device.rearrange();
            self.pump();
        }
    }

    fn plain_server(&mut self) {
        self.network.role = Role::ReadWrite;
        self.network.came_online(PeerProtocol::Plain { covered: false, ask_at: None }, &mut self.local.stage);
        self.network.note_offline_changes(self.local.device.outbox.last_seq());
    }

    /// The server's document is of a higher format than what was written here: asks for all of that document.
    fn fall_behind(&mut self, format: crate::format::Format) {
        self.formatting.server = Some(format);
        // What other tabs have made, and what waits for a composition, is translated as well.
        self.hear_all();
        self.translating.fall_behind(&mut self.local, &mut self.network);
    }

    fn may_send(&self) -> bool {
        let waits = self.translating.is_overtaken() || self.translating.is_storing(&self.local.device);
        !waits && self.circumstances().may_send()
    }

    /// Step 1 of the server: sends what it lacks.
    pub(super) fn answer_sync(&mut self, state_vector: &[u8]) {
        if !self.epoch.is_same() || self.network.link.is_read_only() {
            return;
        }
        self.flush();
        if self.seed_is_pending() {
            // The server's content, which comes after this step 1, has to decide about the seed first.
            return self.seeding.answer_later(state_vector);
        }
        let Ok(theirs) = crate::update::state_vector(state_vector) else {
            return self.report(ErrorCode::Protocol, "a state vector does not decode");
        };
        if !self.may_send() {
            let storing = self.translating.is_storing(&self.local.device);
            if let Some(live) = self.network.link.live_mut().filter(|live| storing || !live.synced) {
                live.step_1 = Some(state_vector.to_vec());
            }
            return;
        }
        let durable = self.network.hello().is_some();
        for (client, clock) in theirs.iter() {
            self.local.device.holes.fill(client.get(), u64::from(*clock));
        }
        if !durable && let Some(last) = shown_in(&theirs, &self.local.device.outbox) {
            self.acknowledged(last);
        }
        // What is submitted need not go in the step 2 as well.
        let theirs = if durable { with_pending(theirs, &self.local.device.outbox) } else { theirs };
        let theirs = theirs.encode_v1();
        let Some(update) = self.missing_there(&theirs) else { return };
        if durable {
            match update.len() <= self.local.device.update_limit {
                true => self.send(Message::SyncStep2(&update).to_frame()),
                false => self.submit_missing(&update),
            }
        } else {
            self.send_missing(update, &theirs);
        }
    }

    /// What a replica with this state vector lacks, without what a server has refused: it would refuse the whole step 2
    /// because of that.
    fn missing_there(&mut self, state_vector: &[u8]) -> Option<Vec<u8>> {
        match self.local.editing.doc.encode_state(Some(state_vector)) {
            Ok(update) if self.local.device.holes.is_empty() => Some(update),
            Ok(update) => Some(self.local.device.holes.without(&update).unwrap_or(update)),
            Err(error) => {
                self.report(ErrorCode::Protocol, error.to_string());
                None
            }
        }
    }

    /// Sends it to a plain server. Of what is too large, only pending edits can be told apart and set aside.
    fn send_missing(&mut self, update: Vec<u8>, theirs: &[u8]) {
        let bound = self.network.frame_bound();
        if bound == usize::MAX {
            self.send(Message::SyncStep2(&update).to_frame());
            return self.covered();
        }
        let limit = bound.saturating_sub(FRAMING);
        let pieces = split(&update, limit).or_else(|error| {
            match self.network.frame_limit {
                Some(_) => self.local.put_uncuttable_aside(self.network.plain_limit()),
                // It is sent whole, behind all that is smaller, as long as it is only suspected.
                None if !self.network.suspicion.is_certain() => return Err(error),
                None => self.local.put_uncuttable_aside(limit),
            }
            split(&self.missing_there(theirs).unwrap_or_default(), limit)
        });
        match pieces {
            Ok(pieces) => {
                pieces.iter().for_each(|piece| self.send(Message::Update(piece).to_frame()));
                self.covered();
            }
            Err(error) => {
                if self.network.frame_limit.is_some() {
                    self.report(ErrorCode::TooLarge, error.to_string());
                }
                self.cover_without_being_asked();
            }
        }
    }

    /// The server lacks more than it takes in one message: sends it in pieces, like pending updates.
    fn submit_missing(&mut self, update: &[u8]) {
        match self.local.device.submit_missing(update) {
            true => self.pump(),
            false => self.report(ErrorCode::TooLarge, "what the server lacks cannot be cut to its limit"),
        }
    }

    /// A plain server has been sent everything there is; its next answer shows whether it has taken it.
    fn covered(&mut self) {
        let last = self.local.device.outbox.last_seq();
        let pending = !self.local.device.outbox.is_empty();
        let Some(live) = self.network.link.live_mut() else { return };
        live.mode = PeerProtocol::Plain { covered: true, ask_at: None };
        live.sent_through = last;
        self.local.device.outbox.mark_sent(last);
        if pending {
            self.request_sync();
        }
    }

    fn sync_step_2(&mut self, update: &[u8]) {
        if matches!(self.epoch, Epoch::Conflict) {
            return;
        }
        let Some(live) = self.network.link.live_mut() else { return };
        let through = live.asked.pop_front().unwrap_or(0);
        let first = !live.synced;
        if self.epoch.is_replacing() {
            return self.replace_with(update);
        }
        if self.translating.is_overtaken() {
            return self.overtaken_by(update, true);
        }
        if let Some(format) = self.translating.is_behind_of(update, &mut self.local) {
            return self.fall_behind(format);
        }
        if self.apply(update, Origin::Remote, true).is_none() && first {
            // Nothing was taken: this connection is not synced.
            return;
        }
        if first {
            self.formatting.note_found(inserts(update));
        }
        if let Some(state_vector) = self.network.synced() {
            self.answer_sync(&state_vector);
        }
        if first {
            self.pump();
            self.synced();
            self.settle_format();
        }
        self.offer_seed();
        if self.network.is_plain() && through > 0 {
            self.acknowledged(through);
        }
    }

    pub(super) fn synced(&mut self) {
        let local = &mut self.local;
        self.network.retries.synced(local.now);
        if let Err(mismatch) = self.seeding.settled(&local.editing.doc).check_root() {
            return self.wrong_root(mismatch.to_string());
        }
        if local.device.outbox.highest_sent() == 0 && local.device.outbox.is_empty() {
            local.be_known_to_nobody();
        }
        self.seeding.show_wanted(local);
        self.offer_seed();
        if matches!(self.network.link.live().map(|live| &live.mode), Some(PeerProtocol::Plain { covered: false, .. })) {
            self.cover_without_being_asked();
        }
    }

    /// Sends what is pending to a plain server that never sends a step 1.
    fn cover_without_being_asked(&mut self) {
        let Some(live) = self.network.link.live_mut() else { return };
        live.mode = PeerProtocol::Plain { covered: true, ask_at: None };
        live.sent_through = 0;
        self.pump();
    }

    pub(super) fn remote_update(&mut self, update: &[u8]) {
        if let Epoch::Replacing(doc) = &mut self.epoch {
            if let Err(error) = doc.apply_update(update) {
                self.report(ErrorCode::InvalidUpdate, error.to_string());
            }
        } else if self.translating.is_overtaken() {
            self.overtaken_by(update, false);
        } else if self.epoch.is_same() {
            if let Some(format) = self.translating.is_behind_of(update, &mut self.local) {
                self.fall_behind(format);
            } else if !self.composing.keeps(update, Origin::Remote) {
                self.apply(update, Origin::Remote, true);
            }
        }
    }

    /// What the server sends while its document, of a higher format, is on its way.
    fn overtaken_by(&mut self, update: &[u8], answer: bool) {
        if self.translating.hears(update, answer, &mut self.local, &mut self.network) {
            self.take_over();
        }
    }

    /// What was translated is on the device, or cannot be stored there: it may be sent.
    pub(super) fn translation_stored(&mut self) {
        if self.translating.stored(&self.local.device) {
            let live = self.network.link.live_mut().filter(|live| live.synced);
            if let Some(state_vector) = live.and_then(|live| live.step_1.take()) {
                self.answer_sync(&state_vector);
            }
            self.pump();
        }
    }

    /// The server has everything up to `seq`.
    fn acknowledged(&mut self, seq: u64) {
        if seq > self.local.device.outbox.highest_sent() || self.epoch.is_replacing() {
            return self.report(ErrorCode::Protocol, "the server acknowledges what was never sent");
        }
        self.network.takes_again();
        if self.local.device.acknowledged(self.local.now, seq) {
            self.network.retries.acknowledged();
            let outbox = &self.local.device.outbox;
            if outbox.is_empty() {
                self.translating.forget_base();
            }
            if outbox.first_pending().is_none_or(|first| first > seq.max(self.network.sent_here())) {
                self.network.answered();
            }
            self.pump();
        }
    }

    fn rejected(&mut self, seq: u64, code: RejectCode, message: &str) {
        if seq == 0 {
            return self.unnumbered_rejected(code, message);
        }
        if seq > self.local.device.outbox.highest_sent() {
            return self.report(ErrorCode::Protocol, "the server refuses what was never sent");
        }
        if code == RejectCode::RateLimited {
            return self.hold(seq);
        }
        self.local.put_aside(seq, code, message);
        self.pump();
    }

    /// A seed, a step 2 or an update is refused.
    fn unnumbered_rejected(&mut self, code: RejectCode, message: &str) {
        match (self.seeding.take_back(), code) {
            // Only as an edit can it go in pieces; another client that does so makes the same edit.
            (true, RejectCode::TooLarge) => self.submit_seed(),
            (true, RejectCode::Invalid) => {
                self.submit_seed();
                self.report(ErrorCode::Protocol, format!("the server refuses: {message}"));
            }
            (true, RejectCode::RateLimited | RejectCode::Other) => self.network.hold_shortly(self.local.now),
            (true, RejectCode::ReadOnly) | (false, _) => {
                self.report(ErrorCode::Protocol, format!("the server refuses: {message}"));
            }
        }
    }

    /// The server was sent too much: the update is submitted again later.
    fn hold(&mut self, seq: u64) {
        if !self.local.device.outbox.postpone(seq) {
            return;
        }
        self.local.device.rearrange();
        self.network.hold(self.local.now);
    }

    // --- the seed

    /// Whether a seed is not decided yet, so that what is pending has to wait for the decision. A reader's seed is only
    /// shown, and nothing waits for it.
    pub(super) fn seed_is_pending(&self) -> bool {
        self.seeding.is_undecided() && !self.network.is_reader()
    }

    /// The server's content is here: if that is nothing, the server is given the seed, or asked to take it.
    pub(super) fn offer_seed(&mut self) {
        let is_held = !self.epoch.is_same() || self.network.is_held() || self.translating.is_overtaken();
        let is_held = is_held || self.circumstances().is_barred();
        if is_held || !self.network.link.is_synced() || !self.seed_is_pending() {
            return;
        }
        match self.seeding.offer(self.network.hello().is_some()) {
            Some(SeedOffer::Ask(frame)) => self.send(frame),
            Some(SeedOffer::Submit) => self.submit_seed(),
            None => {}
        }
    }

    fn submit_seed(&mut self) {
        self.seeding.submit(&mut self.local);
        self.carry_on();
    }

    // --- what is pending

    /// Sends what is pending and was not sent on this connection.
    pub(super) fn pump(&mut self) {
        let held = !self.epoch.is_same() || self.network.is_held();
        if held || !self.may_send() || self.seed_is_pending() {
            return;
        }
        let now = self.local.now;
        match self.network.link.live().map(|live| &live.mode) {
            Some(PeerProtocol::Durable(_)) => {
                self.local.put_oversized_aside(self.network.aside_limit);
                self.network.submit_pending(now, &mut self.local.device.outbox, &mut self.local.stage);
            }
            Some(PeerProtocol::Plain { covered: true, .. }) => {
                self.local.put_uncuttable_aside(self.network.plain_limit());
                self.let_small_ones_overtake();
                self.network.send_pending(now, &mut self.local.device.outbox, &mut self.local.stage);
            }
            _ => {}
        }
    }

    /// While a large update is suspected of ending connections, small ones do not wait for it. A server that
    /// acknowledges is sent them ahead of their turn as mere updates, and once more under their seqs; for a plain
    /// server, where nothing is numbered, the large ones go to the end of the outbox.
    fn let_small_ones_overtake(&mut self) {
        if !self.network.suspicion.is_raised() || self.seed_is_pending() {
            return;
        }
        let through = self.network.sent_here();
        let outbox = &mut self.local.device.outbox;
        let large = |update: &[u8]| update.len() >= Suspicion::LARGE;
        let Some(first) = outbox.after(through).find(|entry| large(&entry.update)).map(|entry| entry.seq) else {
            return;
        };
        let numbered = self.network.hello().is_some();
        if self.network.suspicion.is_certain() {
            match numbered {
                true => self.local.put_aside(first, RejectCode::TooLarge, UNSENDABLE),
                false => self.local.put_uncuttable_aside(self.network.suspicion.limit().saturating_sub(FRAMING)),
            }
            return self.network.suspicion.cleared();
        }
        if numbered {
            let behind = outbox.after(first).filter(|entry| !large(&entry.update));
            let frames: Vec<_> = behind.map(|entry| Message::Update(&entry.update).to_frame()).collect();
            frames.into_iter().for_each(|frame| self.send(frame));
            return;
        }
        let seqs: Vec<u64> =
            outbox.after(through).filter(|entry| large(&entry.update)).map(|entry| entry.seq).collect();
        if outbox.after(first).any(|entry| !large(&entry.update)) {
            for seq in seqs {
                outbox.postpone(seq);
            }
            self.local.device.rearrange();
        }
    }
}
