//! One document's sans-IO machine: edits, store, connection and presence in, effects out.
//!
//! [`Session::handle`] takes an [`Input`] and the time; [`Session::poll_output`] is drained completely after each.
//! No clock, no randomness but a seeded one, no sockets, no browser.
//!
//! Invariants: a local edit is journaled in the turn it is made, and sent in the same turn if there is someone to send
//! it to; nothing pending is forgotten but by an acknowledgement; queued edits reach the document before anything else
//! changes it; the status never claims more than is true. A session never changes its document's room.
//!
//! The parts: [`connection`] (state, deadlines), [`outbox`] (pending updates) and [`journal`] (the store) know nothing
//! of each other; `lifecycle`, `sync`, `edits`, `format` and `presence` are the session's methods that join them.

mod composing;
mod connection;
mod edits;
mod followed;
mod format;
mod journal;
mod keeping;
mod lifecycle;
mod outbox;
mod presence;
mod reach;
mod refused;
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
mod waiting;

use std::collections::VecDeque;
use std::mem;

use crate::format::Formats;
use crate::slate::{DocOptions, Node, Op, Range, Schema, SlateDoc};
use crate::undo::Undo;
use crate::update::{Holes, merge};

use connection::{Due, Link, Retries, Why};
use edits::EditedBy;
use followed::FollowedMaps;
use format::Formatting;
use journal::Journal;
use keeping::Keeping;
use outbox::Outbox;
use presence::Presence;
use seeding::Seed;
use selfcheck::SelfCheck;
use stage::{DocChange, Stage};
use suspicion::Suspicion;
use waiting::Composing;

pub use status::Status;
pub use types::*;

/// One opened document.
pub struct Session {
    config: Config,
    now: Millis,
    random: fastrand::Rng,

    doc: SlateDoc,
    undo: Undo,
    /// Local operations the doc does not have yet, and the selection before the first.
    queue: Vec<Op>,
    /// Who made what is queued.
    author: EditedBy,
    selection_before: Option<Range>,
    /// The doc keeps updates that wait for others.
    incomplete: bool,

    journal: Journal,
    keeping: Keeping,
    outbox: Outbox,
    /// What the server has refused for good.
    holes: Holes,
    link: Link,
    retries: Retries,
    /// The largest frame a server has shown to take, where one was refused.
    frame_limit: Option<usize>,
    /// The same, where it was only inferred.
    suspicion: Suspicion,
    /// What is known of why there is no connection, until there is one.
    unreachable: Option<SessionError>,
    /// The server lets this user read only, as far as it has said.
    reader: bool,
    /// A reader who may comment.
    commenter: bool,
    /// Who this user is to the server, as it has said.
    user: Option<String>,
    /// The largest update the server takes, as of the last hello.
    update_limit: usize,
    /// The largest update that is tried.
    aside_limit: usize,
    /// Submitting waits until then: the server was asked too much.
    hold_until: Option<Millis>,
    holds: u32,
    seed: Seed,
    /// A seed that was shown until the document turned out to have other content.
    withdrawn: Option<Vec<u8>>,
    /// The epoch of the server's document is not that of the local copy.
    conflict: bool,
    /// What the server has, on its way to replace the local copy.
    replacement: Option<SlateDoc>,
    formatting: Formatting,
    composing: Composing,
    followed: FollowedMaps,

    check: SelfCheck,
    presence: Presence,
    ready: bool,
    closing: Option<Millis>,
    ended: bool,
    /// Of the last edit or remote change.
    busy_at: Millis,
    offline_since: Option<Millis>,
    error: Option<SessionError>,

    stage: Stage,
    /// Somebody is told of operations.
    heard: bool,
    outputs: VecDeque<Output>,
    status: Status,
}

/// The log is compacted after this much quiet.
const IDLE: Millis = 2_000;

impl Session {
    /// Opens a document. The first outputs are there at once.
    pub fn new(config: Config, now: Millis) -> Self {
        let mut random = fastrand::Rng::with_seed(config.seed);
        let mut doc = SlateDoc::new(DocOptions {
            client_id: config.client_id,
            root: config.root.clone(),
            block_id: config.block_id.clone(),
            seed: random.u64(..),
            schema: config.schema.clone(),
        });
        doc.know(config.formats);
        let mut session = Self {
            now,
            random,
            undo: Undo::new(config.capture_timeout),
            queue: Vec::new(),
            author: EditedBy::User,
            selection_before: None,
            incomplete: false,
            journal: Journal::new(config.store),
            keeping: Keeping::Here,
            outbox: Outbox::new(config.session.clone()),
            holes: Holes::default(),
            link: Link::Offline(Why::Loading),
            retries: Retries::default(),
            frame_limit: None,
            suspicion: Suspicion::default(),
            unreachable: None,
            reader: false,
            commenter: false,
            user: None,
            update_limit: sync::USUAL_UPDATE_LIMIT,
            aside_limit: sync::USUAL_UPDATE_LIMIT,
            hold_until: None,
            holds: 0,
            seed: Seed::new(config.initial_value.clone()),
            withdrawn: None,
            conflict: false,
            replacement: None,
            formatting: Formatting::default(),
            composing: Composing::default(),
            followed: FollowedMaps::default(),
            presence: Presence::new(doc.client_id(), config.presence.as_ref(), now),
            check: SelfCheck::default(),
            ready: false,
            closing: None,
            ended: false,
            busy_at: now,
            offline_since: None,
            error: None,
            stage: Stage::default(),
            heard: true,
            outputs: VecDeque::new(),
            status: status::initial(config.store),
            doc,
            config,
        };
        session.start();
        session.tell_format();
        session.finish();
        session
    }

    /// Takes one input. Total: whatever comes, the session goes on. A `now` before the last one counts as that.
    pub fn handle(&mut self, now: Millis, input: Input) {
        if self.ended {
            return;
        }
        self.now = self.now.max(now);
        self.dispatch(input);
        self.guard_copy();
        self.tell_format();
        self.check_changes();
        self.run_deadlines();
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
            Input::Mended(what) => self.mended(what),
            Input::Suspend => self.suspend(),
            Input::Select(range) => self.select(range),
            Input::Schema(schema) => self.set_schema(schema),
            Input::Undo => self.undo(),
            Input::Redo => self.redo(),
            Input::StopCapturing => self.stop_capturing(),
            Input::Presence(changes) => self.presence.merge(&changes),
            Input::ApplyUpdate(update) => self.import(update),
            Input::SetValue { map, key, value, undoable } => self.set_value(map, key, value, undoable),
            Input::FollowMap(name) => self.follow_map(name),
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
            Input::StoreLost => self.store_lost(),
            Input::CopyDeleted => self.copy_deleted(),
            Input::TabUpdate { update, epoch, kept } => self.tab_update(update, epoch, kept),
            Input::Keep(here) => self.keep(here),
            Input::Composing(begins) => self.compose(begins),
            Input::Dialing => self.dialing(),
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

    /// Does what is due. Runs with every input: a late timer delays nothing that another event could start.
    fn run_deadlines(&mut self) {
        match self.link.deadline(&self.retries) {
            Some((at, due)) if at <= self.now => match due {
                Due::Retry => self.open_socket(),
                Due::Dead => self.socket_dead(),
                Due::Slow => self.slow_token(),
                Due::Probe => self.probe(),
                Due::Ask => self.ask(),
            },
            _ => {}
        }
        if self.hold_until.is_some_and(|at| at <= self.now) {
            self.hold_until = None;
            self.offer_seed();
            self.pump();
        }
        self.expire_fragments();
        if self.overtaken_deadline().is_some_and(|at| at <= self.now) {
            self.overtaken_too_long();
        }
        if self.composing_deadline().is_some_and(|at| at <= self.now) {
            self.hear_all();
        }
        self.mend_store();
        self.compact_if_due();
        self.presence_due();
        self.check_if_due();
        if self.closing.is_some_and(|at| at <= self.now) {
            self.end();
        }
    }

    /// When [`Input::Tick`] is due at the latest, ms since the epoch. Changes with every input.
    pub fn next_timeout(&self) -> Option<Millis> {
        if self.ended {
            return None;
        }
        let compact = (self.compacts() && self.journal.wants_compacting(true)).then_some(self.busy_at + IDLE);
        [
            self.link.deadline(&self.retries).map(|(at, _)| at),
            self.hold_until,
            self.journal.retry_at(),
            self.journal.settles_at(),
            compact,
            self.presence_deadline(),
            self.fragments_deadline(),
            self.overtaken_deadline(),
            self.composing_deadline(),
            self.check.due,
            self.closing,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The next effect, in order; none once drained.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Puts what one input has led to in order: the store first, before anyone is told who could fail, then the editor,
    /// then the network, then the news.
    fn finish(&mut self) {
        let mut stage = mem::take(&mut self.stage);
        self.tell_values(&mut stage);
        if let Some((ticket, writes)) = self.journal.take_batch(self.now, !stage.any_epoch) {
            if self.journal.is_working() {
                self.outbox.writing(ticket);
            }
            self.outputs.push_back(Output::Write { ticket, writes });
        }
        let told = |output: &Output| self.heard || !matches!(output, Output::Operations { .. });
        self.outputs.extend(stage.editor.into_iter().filter(told));
        self.outputs.extend(stage.updates);
        self.outputs.extend(stage.values);
        self.outputs.extend(stage.orders);
        self.outputs.extend(stage.errors.into_iter().map(Output::Error));
        if self.ended {
            self.outputs.push_back(Output::Status);
            self.status = self.current_status();
            self.outputs.push_back(Output::Ended);
            return;
        }
        if self.closing.is_some() && !self.journal.in_flight() {
            self.closing = None;
            self.end();
            return self.finish();
        }
        let status = self.current_status();
        if status != self.status {
            self.status = status;
            self.outputs.push_back(Output::Status);
        }
        if self.presence.resolve(&self.doc, &stage.doc) {
            self.outputs.push_back(Output::Peers);
        }
    }

    /// Equal until something changes.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// The others, by client id. Equal until something changes.
    pub fn peers(&self) -> &[Peer] {
        self.presence.peers()
    }

    /// How many of the others are before this client in line, for what one must do for all.
    pub fn rank(&self) -> u32 {
        self.presence.rank(self.doc.client_id())
    }

    /// What a peer says of itself, JSON text.
    pub fn peer_state(&self, client_id: u32) -> Option<&str> {
        self.presence.awareness.states().find(|(id, ..)| *id == client_id).map(|(_, json, _)| &**json)
    }

    /// Nobody is told of operations until [`Session::hear`]: there is no editor yet.
    pub fn unheard(&mut self) {
        self.heard = false;
    }

    pub fn hear(&mut self) {
        self.heard = true;
    }

    /// The editor's children, one after the other. Queued edits are not in it before the next flush.
    pub fn blocks(&self) -> impl Iterator<Item = Node> {
        self.doc.blocks()
    }

    /// The editor's children. Queued edits are not in it before the next flush.
    pub fn value(&self) -> Vec<Node> {
        self.doc.value()
    }

    /// One of the editor's children, and how many there are.
    pub fn block(&self, index: u32) -> (Option<Node>, u32) {
        self.doc.block(index)
    }

    /// What this session may write.
    pub fn formats(&self) -> Formats {
        self.config.formats
    }

    /// Who this user is to the server, as far as it has said.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// May change when the local copy is loaded, or when a peer turns out to have the same.
    pub fn client_id(&self) -> u32 {
        self.doc.client_id()
    }

    /// Queued edits count from the next flush on.
    /// Whether the last undo or redo changed what is shown.
    pub fn has_undone(&self) -> bool {
        self.undo.has_undone()
    }

    /// Which elements are inline and void, as the editor has it: a document of format 1 need not say.
    fn set_schema(&mut self, schema: Schema) {
        self.flush();
        self.config.schema = schema.clone();
        let ops = self.doc.set_schema(schema);
        if !ops.is_empty() {
            self.stage.changed(DocChange::Anything);
            self.stage.operations(Origin::Remote, ops);
        }
    }

    pub fn can_undo(&self) -> bool {
        self.undo.can_undo()
    }

    pub fn can_redo(&self) -> bool {
        self.undo.can_redo()
    }

    /// Yjs v1 encoding.
    pub fn state_vector(&self) -> Vec<u8> {
        self.doc.state_vector()
    }

    /// What a replica with `state_vector` lacks, everything without one; as an update, Yjs v1 encoding.
    ///
    /// # Errors
    /// `invalid-update` if the state vector does not decode.
    pub fn encode_state(&self, state_vector: Option<&[u8]>) -> Result<Vec<u8>, SessionError> {
        self.doc
            .encode_state(state_vector)
            .map_err(|error| SessionError { code: ErrorCode::InvalidUpdate, message: error.to_string() })
    }

    /// What the server has not acknowledged, or refuses, as one update.
    ///
    /// # Errors
    /// `invalid-update` if what is kept does not decode any more.
    pub fn export_pending(&self) -> Result<Vec<u8>, SessionError> {
        let aside = self.outbox.set_aside.iter().map(|aside| &aside.update.update);
        merge(aside.chain(self.outbox.updates()))
            .map_err(|error| SessionError { code: ErrorCode::InvalidUpdate, message: error.to_string() })
    }

    /// What the server has not acknowledged, without what it refuses, as one update.
    ///
    /// # Errors
    /// `invalid-update` if what is kept does not decode any more.
    pub fn export_outbox(&self) -> Result<Vec<u8>, SessionError> {
        merge(self.outbox.updates())
            .map_err(|error| SessionError { code: ErrorCode::InvalidUpdate, message: error.to_string() })
    }

    /// What other tabs have to know of the changes made here: see [`Input::TabUpdate`].
    pub fn keeping(&self) -> (Option<&str>, bool) {
        (self.journal.epoch.as_deref(), self.journal.is_working())
    }

    /// A range as JSON text that survives edits. None if it does not lie in the document. Flush first.
    pub fn anchor(&self, range: &Range) -> Option<String> {
        presence::anchor(&self.doc, range)
    }

    /// Where an anchor is now. None if its place is gone or the text is no anchor. Flush first.
    pub fn resolve_anchor(&self, anchor: &str) -> Option<Range> {
        presence::resolve_anchor(&self.doc, anchor)
    }
}

#[cfg(test)]
mod tests;
