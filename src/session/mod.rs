//! One document's sans-IO machine: edits, store, connection and presence in, effects out.
//!
//! [`Session::handle`] takes an [`Input`] and the time; [`Session::poll_output`] is drained completely after each.
//! No clock, no randomness but a seeded one, no sockets, no browser.
//!
//! Invariants: a local edit is journaled in the turn it is made, and sent in the same turn if there is someone to send
//! it to; nothing pending is forgotten but by an acknowledgement; queued edits reach the document before anything else
//! changes it; the status never claims more than is true. A session never changes its document's room.
//!
//! The parts know nothing of the session. [`local`] is the document on this device: [`editing`] has what the editor
//! shows, [`device`] what the store keeps, with [`outbox`] and [`journal`]. [`network`] is the way to the server.
//! [`seeding`], [`format`] and [`translating`] have what is not decided yet of a document. The session's own methods
//! join them: inputs, outputs and sockets are here, what happens on this device in `edits`, what comes from the server
//! in `sync`. [`phase`] has the types of how far a session is, and whose document it has.

mod composing;
mod connection;
mod device;
mod editing;
mod edits;
mod followed;
mod format;
mod fresh;
mod journal;
mod keeping;
mod loading;
mod local;
mod network;
mod outbox;
mod phase;
mod presence;
mod reach;
mod refused;
mod rehearsal;
mod seeding;
mod selfcheck;
mod sending;
mod stage;
mod status;
mod suspicion;
mod sync;
mod translating;
mod types;
mod values;

use std::collections::VecDeque;

use crate::format::KnownFormats;
use crate::protocol::close::{self, Meaning};
use crate::slate::{Node, Range, ShownRun, Values};
use crate::update::merge;

use composing::Composing;
use connection::{Due, Link, Live, Opening, OpeningStep, TokenRefusal, Why};
use editing::EditedBy;
use format::{Circumstances, Formatting};
use local::Local;
use network::Network;
use phase::{Epoch, Phase};
use reach::not_reached;
use seeding::Seeding;
use translating::Translating;

pub use rehearsal::rehearse;
pub use status::Status;
pub use types::*;

/// One opened document.
pub struct Session {
    local: Local,
    seeding: Seeding,
    formatting: Formatting,
    translating: Translating,
    composing: Composing,
    network: Network,
    epoch: Epoch,
    phase: Phase,
    outputs: VecDeque<Output>,
    status: Status,
}

impl Session {
    /// Opens a document. The first outputs are there at once.
    pub fn new(config: Config, now: Millis) -> Self {
        let mut session = Self {
            seeding: Seeding::new(config.initial_value.clone()),
            formatting: Formatting::default(),
            translating: Translating::default(),
            composing: Composing::default(),
            network: Network::new(),
            epoch: Epoch::Same,
            phase: Phase::Opening,
            outputs: VecDeque::new(),
            status: status::initial(config.store),
            local: Local::new(config, now),
        };
        session.start();
        session.carry_on();
        session.tell_format();
        session.finish();
        session
    }

    /// Takes one input. Total: whatever comes, the session goes on. A `now` before the last one counts as that.
    pub fn handle(&mut self, now: Millis, input: Input) {
        if self.phase == Phase::Ended {
            return;
        }
        self.local.now = self.local.now.max(now);
        self.dispatch(input);
        self.carry_on();
        let local = &mut self.local;
        local.device.guard_copy(&local.editing.doc);
        self.tell_format();
        let local = &mut self.local;
        let (check, compared) = local.editing.checks();
        check.note_changes(local.now, compared, &mut local.stage);
        self.run_deadlines();
        self.carry_on();
        self.finish();
    }

    fn dispatch(&mut self, input: Input) {
        match input {
            Input::Edit(op) => self.edit(op, EditedBy::User),
            Input::Normalize(op) => self.edit(op, EditedBy::Normalizer),
            Input::Commit { ops, normalization } => {
                let author = if normalization { EditedBy::Normalizer } else { EditedBy::User };
                ops.into_iter().for_each(|op| self.edit(op, author));
                self.flush();
            }
            Input::Flush => self.flush(),
            Input::Mended(what) => self.local.editing.check.mended(what, &mut self.local.stage),
            Input::Suspend => self.suspend(),
            Input::Select(range) => self.local.editing.select(self.local.now, range),
            Input::Schema(schema) => self.set_schema(schema),
            Input::Undo => self.undo_or_redo(true),
            Input::Redo => self.undo_or_redo(false),
            Input::StopCapturing => self.stop_capturing(),
            Input::Presence(changes) => self.local.editing.presence.merge(&changes),
            Input::ApplyUpdate(update) => self.import(update),
            Input::SetValue { map, key, value, undoable } => self.set_value(map, key, value, undoable),
            Input::FollowMap(name) => self.local.editing.follow_map(name, &mut self.local.stage),
            Input::Connect => self.connect(),
            Input::Disconnect => self.disconnect(),
            Input::Close => self.close(),
            Input::Resolve(Conflict::TakeServer) => self.take_server(),
            Input::DeleteLocal { discard_pending } => self.delete_local(discard_pending),
            Input::DiscardSetAside => self.discard_set_aside(),
            Input::Loaded(result) => self.loaded(result),
            Input::Stored { ticket, rows } => self.stored(ticket, &rows),
            Input::StoreFailed { ticket, error } => self.store_failed(ticket, error),
            Input::Orphans(pending) => self.adopt_orphans(pending),
            Input::StoreLost => self.local.device.store_lost(self.local.now, &mut self.local.stage),
            Input::CopyDeleted => self.local.device.copy_deleted(&mut self.local.stage),
            Input::TabUpdate { update, epoch, kept } => self.tab_update(update, epoch, kept),
            Input::Keep(here) => self.keep(here),
            Input::Composing(begins) => self.compose(begins),
            Input::Dialing => self.network.dialing(self.local.now),
            Input::Awake => self.awake(),
            Input::Opened => self.opened(),
            Input::Frame(frame) => self.frame(&frame),
            Input::Text(text) => self.text(&text),
            Input::Closed { code, reason } => self.socket_closed(code, &reason),
            Input::TokenFailed { message } => self.token_failed(message),
            Input::NetworkHint { online } => self.network_hint(online),
            Input::Tick => {}
        }
    }

    /// Does what is due. Runs with every input, so that a late timer delays nothing that another input could start.
    fn run_deadlines(&mut self) {
        let now = self.local.now;
        match self.network.link.deadline(&self.network.retries) {
            Some((at, due)) if at <= now => match due {
                Due::Retry => self.open_socket(),
                Due::Dead => self.socket_dead(),
                Due::Slow => self.network.slow_token(&mut self.local.stage),
                Due::Probe => self.probe(),
                Due::Ask => self.ask(),
            },
            _ => {}
        }
        if self.network.let_go(now) {
            self.offer_seed();
            self.pump();
        }
        self.network.expire_fragments(now, &mut self.local.stage);
        if self.translating.deadline().is_some_and(|at| at <= now) {
            self.overtaken_too_long();
        }
        if self.composing.deadline().is_some_and(|at| at <= now) {
            self.hear_all();
        }
        self.mend_store();
        self.compact_if_due();
        if let Some(frame) = self.local.editing.presence.due(now, self.network.link.is_online()) {
            self.send(frame);
        }
        let (check, compared) = self.local.editing.checks();
        check.check_if_due(now, compared, &mut self.local.stage);
        if self.phase.closes_at().is_some_and(|at| at <= now) {
            self.end();
        }
    }

    /// When [`Input::Tick`] is due at the latest, ms since the epoch. Changes with every input.
    pub fn next_timeout(&self) -> Option<Millis> {
        if self.phase == Phase::Ended {
            return None;
        }
        let (device, online) = (&self.local.device, self.network.link.is_online());
        [
            self.network.link.deadline(&self.network.retries).map(|(at, _)| at),
            self.network.held_until(),
            device.journal.retry_at(),
            device.journal.settles_at(),
            device.compacts_at(online),
            self.local.editing.presence.deadline(online),
            self.network.fragments_deadline(),
            self.translating.deadline(),
            self.composing.deadline(),
            self.local.editing.check.due,
            self.phase.closes_at(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The next effect, in order; none once drained.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Puts what one input has led to in order: first the write to the store, before anybody is told whose code could
    /// fail; then the editor, then the network, then errors and the status.
    fn finish(&mut self) {
        let mut stage = self.local.stage.take();
        let Local { editing, device, now, .. } = &mut self.local;
        editing.tell_values(&mut stage);
        if let Some((ticket, writes)) = device.journal.take_batch(*now, !stage.any_epoch) {
            if device.journal.is_working() {
                device.outbox.writing(ticket);
            }
            self.outputs.push_back(Output::Write { ticket, writes });
        }
        let told = |output: &Output| editing.heard || !matches!(output, Output::Operations { .. });
        self.outputs.extend(stage.editor.into_iter().filter(told));
        self.outputs.extend(stage.updates);
        self.outputs.extend(stage.values);
        self.outputs.extend(stage.orders);
        self.outputs.extend(stage.errors.into_iter().map(Output::Error));
        if self.phase == Phase::Ended {
            self.outputs.push_back(Output::Status);
            self.status = self.current_status();
            self.outputs.push_back(Output::Ended);
            return;
        }
        if self.phase.closes_at().is_some() && !self.local.device.journal.in_flight() {
            self.end();
            return self.finish();
        }
        let status = self.current_status();
        if status != self.status {
            self.status = status;
            self.outputs.push_back(Output::Status);
        }
        let editing = &mut self.local.editing;
        if editing.presence.resolve(&editing.doc, &stage.doc) {
            self.outputs.push_back(Output::Peers);
        }
    }

    /// What decides about the document's format, and who may write.
    fn circumstances(&self) -> Circumstances<'_> {
        Circumstances {
            config: &self.local.config,
            doc: &self.local.editing.doc,
            network: &self.network,
            loaded: self.phase.is_loaded(),
            undecided: self.seed_is_pending() || !self.epoch.is_same() || self.translating.is_overtaken(),
        }
    }

    fn current_status(&self) -> Status {
        let now = self.circumstances();
        status::current(&self.local, &now, &self.formatting, &self.epoch, self.seed_is_pending())
    }

    // --- the socket

    pub(super) fn connect(&mut self) {
        match self.network.link {
            Link::Offline(Why::Loading) => {
                if self.local.config.remote == Remote::Wait {
                    self.local.config.remote = Remote::Connect;
                }
            }
            Link::Offline(Why::NoServer) | Link::Opening(_) | Link::Open(_) | Link::Outdated | Link::Closed => {}
            Link::Offline(Why::ByUser | Why::Conflict) | Link::Waiting { .. } => self.open_socket(),
            Link::Unauthorized | Link::Forbidden => {
                let fresh_token = self.network.retries.restart();
                self.open(fresh_token);
            }
        }
    }

    pub(super) fn open_socket(&mut self) {
        self.open(false);
    }

    fn open(&mut self, fresh_token: bool) {
        self.network.open(self.local.now, fresh_token, &mut self.local.stage);
    }

    pub(super) fn disconnect(&mut self) {
        if self.local.config.remote == Remote::None || matches!(self.network.link, Link::Outdated | Link::Closed) {
            return;
        }
        self.flush();
        self.say_goodbye();
        self.drop_socket(close::NORMAL);
        if self.phase.is_loaded() {
            self.set_offline(Why::ByUser);
        } else {
            self.local.config.remote = Remote::Wait;
        }
    }

    pub(super) fn opened(&mut self) {
        if !matches!(self.network.link, Link::Opening(_)) {
            return;
        }
        self.flush();
        let jitter = self.local.fresh.random.f64();
        self.network.link = Link::Open(Box::new(Live::new(self.local.now, jitter)));
        self.request_sync();
        let presence = &mut self.local.editing.presence;
        presence.awareness.connected();
        if let Some(frame) = presence.announce(self.local.now) {
            self.send(frame);
        }
    }

    pub(super) fn socket_closed(&mut self, code: u16, reason: &str) {
        if !self.network.link.has_socket() {
            return;
        }
        if let Link::Opening(_) = self.network.link {
            not_reached(code, reason, &mut self.local.stage);
        }
        if code == close::EPOCH {
            return self.wait_for_retry();
        }
        match close::meaning(code) {
            Meaning::Retry => {
                self.network.suspect(self.local.now, code, reason, &mut self.local.stage);
                self.wait_for_retry();
            }
            Meaning::Unauthorized => self.refused(reason),
            Meaning::Forbidden => {
                self.connection_gone();
                self.network.link = Link::Forbidden;
                self.report(ErrorCode::Forbidden, format!("the server closes for good ({code}): {reason}"));
            }
            Meaning::Format => {
                self.connection_gone();
                self.network.link = Link::Outdated;
                self.formatting.refused(&self.local.config, reason, &mut self.local.stage);
            }
            Meaning::TooLarge => {
                self.network.too_large(&mut self.local.stage);
                self.wait_for_retry();
            }
        }
    }

    /// The socket is gone, or will be: what depends on it ends.
    pub(super) fn connection_gone(&mut self) {
        self.lost_connection();
        self.network.gone(self.local.now);
        self.translating.stop();
        self.seeding.unasked();
    }

    /// There is no connection. It counts as lost since now, if it was there until now.
    fn lost_connection(&mut self) {
        self.network.lost(self.local.now);
        self.local.editing.presence.disconnected();
    }

    fn set_offline(&mut self, why: Why) {
        self.network.link = Link::Offline(why);
        self.lost_connection();
    }

    fn wait_for_retry(&mut self) {
        self.connection_gone();
        self.network.wait_for_retry(self.local.now, self.local.fresh.random.f64());
    }

    /// The server does not accept the token: asks for another one, once. It is an error only if that one is refused as
    /// well: a token that has expired is renewed as a matter of course.
    fn refused(&mut self, reason: &str) {
        self.connection_gone();
        let message = format!("the server refuses the token: {reason}");
        match self.network.retries.refused(self.local.now) {
            TokenRefusal::AskAgain => {
                self.local.stage.unreachable(ErrorCode::Unauthorized, message);
                self.open(true);
            }
            TokenRefusal::AskLater => {
                self.local.stage.unreachable(ErrorCode::Unauthorized, message);
                self.wait_for_retry();
            }
            TokenRefusal::Stop => {
                self.report(ErrorCode::Unauthorized, message);
                self.network.link = Link::Unauthorized;
            }
        }
    }

    /// Refused by a message instead of a close.
    pub(super) fn denied(&mut self, reason: &str) {
        let reason = reason.to_owned();
        self.drop_socket(close::NORMAL);
        self.refused(&reason);
    }

    pub(super) fn token_failed(&mut self, message: String) {
        if matches!(self.network.link, Link::Opening(_)) {
            self.local.stage.error(ErrorCode::Unauthorized, message.clone());
            self.local.stage.unreachable(ErrorCode::Unauthorized, message);
            self.wait_for_retry();
        }
    }

    pub(super) fn socket_dead(&mut self) {
        match self.network.link {
            Link::Open(_) => {
                self.network.retries.fell_silent();
                self.network.suspect(self.local.now, close::SILENT, "", &mut self.local.stage);
            }
            Link::Opening(Opening { step: OpeningStep::Server, .. }) => {
                not_reached(close::SILENT, "it does not answer", &mut self.local.stage);
            }
            _ => {}
        }
        self.drop_socket(close::SILENT);
        self.wait_for_retry();
    }

    fn drop_socket(&mut self, code: u16) {
        self.network.drop_socket(code, &mut self.local.stage);
    }

    fn say_goodbye(&mut self) {
        if self.network.link.live().is_some()
            && let Some(frame) = self.local.editing.presence.farewell(self.local.now)
        {
            self.send(frame);
        }
    }

    /// There is content, but not where this session looks for it: better no editor than an empty one.
    pub(super) fn wrong_root(&mut self, message: String) {
        self.report(ErrorCode::RootMismatch, message);
        self.drop_socket(close::NORMAL);
        self.end();
    }

    // --- what is read of it

    /// Equal until something changes.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// The others, by client id. Equal until something changes.
    pub fn peers(&self) -> &[Peer] {
        self.local.editing.presence.peers()
    }

    /// How many of the others have a lower client id. The lowest does what one client has to do for all.
    pub fn rank(&self) -> u32 {
        self.local.editing.presence.rank(self.local.editing.doc.client_id())
    }

    /// What a peer says of itself, JSON text.
    pub fn peer_state(&self, client_id: u64) -> Option<&str> {
        self.local.editing.presence.awareness.states().find(|(id, ..)| *id == client_id).map(|(_, json, _)| &**json)
    }

    /// Nobody is told of operations until [`Session::hear`]: there is no editor yet.
    pub fn unheard(&mut self) {
        self.local.editing.heard = false;
    }

    pub fn hear(&mut self) {
        self.local.editing.heard = true;
    }

    /// The editor's children, one after the other. Queued edits are not in it before the next flush.
    pub fn blocks(&self) -> impl Iterator<Item = Node> {
        self.local.editing.doc.blocks()
    }

    /// The editor's children. Queued edits are not in it before the next flush.
    pub fn value(&self) -> Vec<Node> {
        self.local.editing.doc.value()
    }

    /// One of the editor's children, and how many there are.
    pub fn block(&self, index: u32) -> (Option<Node>, u32) {
        self.local.editing.doc.block(index)
    }

    /// What this session may write.
    pub fn formats(&self) -> KnownFormats {
        self.local.config.formats
    }

    /// Who this user is to the server, as far as it has said.
    pub fn user(&self) -> Option<&str> {
        self.network.user.as_deref()
    }

    /// May change when the local copy is loaded, or when a peer turns out to have the same.
    pub fn client_id(&self) -> u32 {
        self.local.editing.doc.client_id()
    }

    /// Whether the last undo or redo changed what is shown.
    pub fn has_undone(&self) -> bool {
        self.local.editing.undo.has_undone()
    }

    /// Queued edits count from the next flush on.
    pub fn can_undo(&self) -> bool {
        self.local.editing.undo.can_undo()
    }

    pub fn can_redo(&self) -> bool {
        self.local.editing.undo.can_redo()
    }

    /// Yjs v1 encoding.
    pub fn state_vector(&self) -> Vec<u8> {
        self.local.editing.doc.state_vector()
    }

    /// What a replica with `state_vector` lacks, everything without one; as an update, Yjs v1 encoding.
    ///
    /// # Errors
    /// `invalid-update` if the state vector does not decode.
    pub fn encode_state(&self, state_vector: Option<&[u8]>) -> Result<Vec<u8>, SessionError> {
        self.local
            .editing
            .doc
            .encode_state(state_vector)
            .map_err(|error| SessionError { code: ErrorCode::InvalidUpdate, message: error.to_string() })
    }

    /// What the server has not acknowledged, or refuses, as one update.
    ///
    /// # Errors
    /// `invalid-update` if what is kept does not decode any more.
    pub fn export_pending(&self) -> Result<Vec<u8>, SessionError> {
        let aside = self.local.device.outbox.set_aside.iter().map(|aside| &aside.update.update);
        merge(aside.chain(self.local.device.outbox.updates()))
            .map_err(|error| SessionError { code: ErrorCode::InvalidUpdate, message: error.to_string() })
    }

    /// What the server has not acknowledged, without what it refuses, as one update.
    ///
    /// # Errors
    /// `invalid-update` if what is kept does not decode any more.
    pub fn export_outbox(&self) -> Result<Vec<u8>, SessionError> {
        merge(self.local.device.outbox.updates())
            .map_err(|error| SessionError { code: ErrorCode::InvalidUpdate, message: error.to_string() })
    }

    /// What other tabs have to know of the changes made here, the epoch and whether they are stored: see
    /// [`Input::TabUpdate`].
    pub fn keeping(&self) -> (Option<&str>, bool) {
        (self.local.device.journal.epoch.as_deref(), self.local.device.journal.is_working())
    }

    /// A range as JSON text that survives edits. None if it does not lie in the document. Flush first.
    pub fn anchor(&self, range: &Range) -> Option<String> {
        presence::anchor(&self.local.editing.doc, range)
    }

    /// Where an anchor is now. None if its place is gone or the text is no anchor. Flush first.
    pub fn resolve_anchor(&self, anchor: &str) -> Option<Range> {
        presence::resolve_anchor(&self.local.editing.doc, anchor)
    }

    /// The characters that are shown, with their ids. Flush first.
    pub fn runs(&self) -> Vec<ShownRun> {
        self.local.editing.doc.runs()
    }

    /// What a map has.
    pub fn values(&self, map: &str) -> Values {
        self.local.editing.doc.values(map)
    }

    /// Makes the tree differ from the doc, as a defect would.
    #[cfg(any(test, feature = "testing"))]
    pub fn spoil(&mut self, path: &[u32], text: &str) {
        self.local.editing.doc.spoil(path, text);
    }
}

#[cfg(test)]
mod tests;
