//! What happens on this device: edits, the store's answers, other tabs, epochs, opening and closing.
//!
//! Queued operations are flushed before anything else touches the document. A change made here goes to the outbox, the
//! journal and the wire; a change from elsewhere goes to the journal, as the bytes received.

use yrs::Any;

use crate::protocol::{NOTHING, close};
use crate::slate::{Op, Schema, SlateDoc};
use crate::store::{Loaded, Pending, Row, StoreError, Write, same_epoch};
use crate::update::Holes;

use super::connection::{Link, Why};
use super::editing::EditedBy;
use super::format::check_wanted;
use super::journal::Mending;
use super::loading::{self, LoadedCopy, REPLACED};
use super::local::Local;
use super::phase::{Epoch, Phase};
use super::stage::{DocChange, Effect};
use super::translating::TakenOver;
use super::types::{ErrorCode, Millis, Origin, Output, Remote};
use super::{Session, composing};

/// How long closing waits for the store.
const CLOSING: Millis = 5_000;

impl Session {
    pub(super) fn report(&mut self, code: ErrorCode, message: impl Into<String>) {
        self.local.report(code, message);
    }

    /// Carries out the effects: what changes of the document have led to outside it.
    pub(super) fn carry_on(&mut self) {
        while let Some(effect) = self.local.stage.effects.pop_front() {
            match effect {
                Effect::Ask if self.network.link.is_synced() => self.request_sync(),
                Effect::Ask => {}
                Effect::Answer(state_vector) => self.answer_sync(&state_vector),
                Effect::Pump => self.pump(),
                Effect::SettleFormat => self.settle_format(),
            }
        }
    }

    // --- the editor

    pub(super) fn edit(&mut self, op: Op, author: EditedBy) {
        if self.circumstances().refuses_edits() {
            // The editor has applied it already.
            return self.local.stage.diverged();
        }
        if self.local.editing.takes_turns(author) {
            self.flush();
        }
        let now = self.local.now;
        self.local.editing.edit(now, op, author);
        if author == EditedBy::User {
            self.network.typing(now, &mut self.local.stage);
        }
    }

    /// The queue becomes one transaction, one update.
    pub(super) fn flush(&mut self) {
        if self.local.editing.is_flushed() {
            return;
        }
        self.begin_format();
        self.keep_base();
        let update = self.local.editing.commit(self.local.now, &mut self.local.stage);
        if let Some(update) = update {
            self.submit(update, Origin::Local);
        }
    }

    /// A change made here: pending until the server has it, and sent if there is somebody to send it to.
    fn submit(&mut self, update: Vec<u8>, origin: Origin) {
        self.local.submit(update, origin);
        self.carry_on();
        if self.local.device.outbox.wants_merging() {
            self.local.device.rearrange();
        }
    }

    pub(super) fn undo_or_redo(&mut self, undo: bool) {
        self.flush();
        if self.circumstances().refuses_edits() {
            return;
        }
        for update in self.local.editing.undo_or_redo(self.local.now, undo, &mut self.local.stage) {
            self.submit(update, Origin::Undo);
        }
    }

    pub(super) fn stop_capturing(&mut self) {
        self.flush();
        self.local.editing.undo.stop_capturing();
    }

    /// Which elements are inline and void, as the editor has it.
    pub(super) fn set_schema(&mut self, schema: Schema) {
        self.flush();
        self.local.fresh.schema = schema.clone();
        self.local.editing.set_schema(schema, &mut self.local.stage);
    }

    pub(super) fn set_value(&mut self, map: String, key: String, value: Option<Any>, undoable: bool) {
        self.flush();
        if self.circumstances().refuses_edits() {
            return;
        }
        self.begin_format();
        self.keep_base();
        if let Some(update) = self.local.editing.set_value(map, key, value, undoable) {
            self.submit(update, Origin::Local);
        }
    }

    // --- changes from elsewhere

    /// A change from elsewhere. Returns whether the document is another one now; none if the bytes are no update.
    pub(super) fn apply(&mut self, update: &[u8], origin: Origin, journal: bool) -> Option<bool> {
        self.flush();
        let changed = self.seeding.apply(update, origin, journal, &mut self.local);
        self.carry_on();
        changed
    }

    /// An update the application brings: a remote change that the server does not have either.
    pub(super) fn import(&mut self, update: Vec<u8>) {
        if self.circumstances().refuses_edits() {
            return self.report(ErrorCode::Format, "an update is not applied: the document may only be read");
        }
        self.flush();
        let before = self.local.stage.updates.len();
        if self.apply(&update, Origin::Remote, false) == Some(true) || self.local.stage.updates.len() > before {
            self.local.submit_applied(update, Origin::Remote, before);
        }
    }

    /// A change from another tab. One of another epoch is of another document: whichever tab is behind learns so from
    /// the store, which is asked here, or from the server. What the other tab could not store becomes this one's own:
    /// it is shown here, and what is typed here may stand upon it.
    pub(super) fn tab_update(&mut self, update: Vec<u8>, epoch: Option<String>, kept: bool) {
        let journal = &mut self.local.device.journal;
        if !same_epoch(epoch.as_deref(), journal.epoch.as_deref()) {
            return journal.look();
        }
        if journal.epoch.is_none() {
            journal.epoch = epoch;
        }
        if update.len() > NOTHING.len() {
            self.keep_base();
            self.translating.shared = true;
        }
        if kept && self.composing.keeps(&update, Origin::Store) {
            return;
        }
        self.flush();
        let before = self.local.stage.updates.len();
        if self.apply(&update, Origin::Store, false).is_some() && !kept {
            self.local.submit_applied(update, Origin::Store, before);
        }
    }

    /// The user begins to compose a word, or has finished it.
    pub(super) fn compose(&mut self, begins: bool) {
        match begins {
            true => self.composing.begins(self.local.now),
            false => self.hear_all(),
        }
    }

    /// Takes in what has waited for the end of a composition.
    pub(super) fn hear_all(&mut self) {
        for composing::LateChange { update, origin } in self.composing.ends() {
            match origin {
                Origin::Remote => self.remote_update(&update),
                _ => {
                    self.apply(&update, origin, false);
                }
            }
        }
    }

    // --- the document's format

    /// Says so when the document turns out to be read only.
    pub(super) fn tell_format(&mut self) {
        let bar = self.circumstances().bar();
        if let Some(message) = self.formatting.tell(bar, self.local.config.formats) {
            self.report(ErrorCode::Format, message);
        }
    }

    /// Brings the document to the format it is to have, once its first content is there. An update of its own, so that
    /// seeds of equal content stay equal. Readers never do so, and nobody lowers a format.
    pub(super) fn settle_format(&mut self) {
        if self.local.editing.doc.is_empty() && self.local.editing.is_flushed() {
            return;
        }
        let Some(wanted) = self.formatting.to_set(&self.circumstances()) else { return };
        self.flush();
        let doc = &self.local.editing.doc;
        if wanted <= doc.format() {
            return;
        }
        let before = doc.value();
        self.raise_format(wanted);
        // The steps of undo so far are of another kind. The leaves may have changed to those that Slate's normalizer
        // makes.
        let editing = &mut self.local.editing;
        editing.undo.clear();
        let ops = SlateDoc::diff(&before, &editing.doc.value());
        if !ops.is_empty() {
            self.local.stage.changed(DocChange::Anything);
            self.local.stage.operations(Origin::Remote, ops);
        }
    }

    /// The same before the first edit of an empty document, which is then written in that format from the beginning.
    /// Opening alone writes nothing.
    fn begin_format(&mut self) {
        if self.local.editing.doc.is_empty()
            && let Some(wanted) = self.formatting.to_set(&self.circumstances())
        {
            self.raise_format(wanted);
        }
    }

    fn raise_format(&mut self, wanted: crate::format::Format) {
        for update in self.local.editing.doc.raise_format(wanted) {
            self.submit(update, Origin::Local);
        }
    }

    fn keep_base(&mut self) {
        let new = !self.network.link.is_synced() && self.formatting.server.unwrap_or(0) == 0;
        self.translating.keep_base(&self.local, &self.seeding, new);
    }

    /// The other tab has not translated in time, or the server's answer has not come.
    pub(super) fn overtaken_too_long(&mut self) {
        self.translating.waited_too_long(&mut self.local, &mut self.network);
        self.take_over();
    }

    /// Translates, if it is this tab's turn and the server's document is here.
    pub(super) fn take_over(&mut self) {
        if !self.translating.may_take_over() {
            return;
        }
        self.flush();
        match self.translating.take_over(&mut self.local, &mut self.seeding) {
            TakenOver::Waits => return,
            TakenOver::Shown => {
                self.seeding.forget();
                self.composing.forget();
            }
            TakenOver::Caught(theirs) => {
                if self.apply(&theirs, Origin::Remote, true).is_none() {
                    return;
                }
            }
            // The edits stay in the outbox, and the device's copy what it was: nothing is sent or taken any more.
            TakenOver::Failed => {
                self.drop_socket(close::NORMAL);
                self.connection_gone();
                self.network.link = Link::Outdated;
                return;
            }
        }
        self.formatting.note_found(true);
        if let Some(state_vector) = self.network.synced() {
            self.answer_sync(&state_vector);
        }
        self.pump();
        self.synced();
        self.settle_format();
    }

    // --- the store

    pub(super) fn start(&mut self) {
        if self.local.config.store {
            self.local.stage.order(Output::Load);
        } else {
            self.become_ready(true);
        }
    }

    /// `whole`: whether the document is known to be what the device has of it.
    fn become_ready(&mut self, whole: bool) {
        if self.phase.is_loaded() {
            return;
        }
        self.phase = Phase::Open;
        let local = &mut self.local;
        self.formatting.note_copy(whole, &local.config, &local.editing.doc, &local.device);
        check_wanted(&local.config, &mut local.stage);
        if whole && let Err(mismatch) = local.editing.doc.check_root() {
            return self.wrong_root(mismatch.to_string());
        }
        if local.config.remote != Remote::None {
            self.seeding.show_wanted(local);
        }
        local.stage.editor.clear();
        local.stage.editor.push(Output::Ready);
        match local.config.remote {
            Remote::Connect => self.open_socket(),
            Remote::Wait => self.set_offline(Why::ByUser),
            Remote::None => {
                self.network.link = Link::Offline(Why::NoServer);
                if !whole {
                    // A copy that could be read later would be merged with the seed.
                    local.device.journal.turn_off();
                }
                self.seeding.seed_alone(local);
                self.settle_format();
            }
        }
    }

    pub(super) fn loaded(&mut self, result: Result<Loaded, StoreError>) {
        if !self.local.device.journal.is_loading() {
            return;
        }
        let late = self.phase.is_loaded();
        match result {
            Ok(loaded) => {
                if late {
                    self.flush();
                }
                let (local, seeding) = (&mut self.local, &mut self.seeding);
                let copy = loading::take_loaded(loaded, late, local, seeding, &mut self.translating);
                self.carry_on();
                if let LoadedCopy::Taken { rewrite } = copy {
                    self.take_back_if_writable();
                    if rewrite {
                        self.rewrite_store();
                    }
                }
                self.become_ready(true);
            }
            Err(error) => {
                self.report(ErrorCode::Storage, error.to_string());
                self.local.device.journal.not_loaded(self.local.now, error);
                self.become_ready(false);
            }
        }
    }

    /// Takes over pending updates whose session has died, to submit them.
    pub(super) fn adopt_orphans(&mut self, pending: Vec<Pending>) {
        if pending.is_empty() {
            return;
        }
        self.flush();
        loading::adopt(pending, self.phase.is_loaded(), &mut self.local, &mut self.seeding);
    }

    pub(super) fn stored(&mut self, ticket: u64, rows: &[Row]) {
        self.local.device.stored(ticket, rows);
        self.translation_stored();
    }

    pub(super) fn store_failed(&mut self, ticket: u64, error: StoreError) {
        let local = &mut self.local;
        match local.device.store_failed(local.now, ticket, error, &mut local.stage) {
            // Another tab has taken the server's document in place of this one.
            true => self.epoch_mismatch(),
            false => self.translation_stored(),
        }
    }

    /// The page may be gone in a moment: writes what is queued, and tries a failing store once more.
    pub(super) fn suspend(&mut self) {
        self.flush();
        self.local.device.journal.hurry(self.local.now);
    }

    pub(super) fn mend_store(&mut self) {
        match self.local.device.journal.mend(self.local.now) {
            Some(Mending::Load) => self.local.stage.order(Output::Load),
            Some(Mending::Rewrite) => self.rewrite_store(),
            None => {}
        }
    }

    /// Brings the store up to what is in memory, whatever it has.
    fn rewrite_store(&mut self) {
        self.flush();
        let doc = &self.local.editing.doc;
        self.local.device.rewrite(doc, self.seeding.settled(doc));
    }

    pub(super) fn compact_if_due(&mut self) {
        let settled = self.seeding.settled(&self.local.editing.doc);
        self.local.device.compact_if_due(self.local.now, self.network.link.is_online(), settled);
    }

    pub(super) fn delete_local(&mut self, discard_pending: bool) {
        self.flush();
        self.local.device.delete_local(discard_pending, &mut self.local.stage);
    }

    /// Gives up what was set aside, with what was built upon it.
    pub(super) fn discard_set_aside(&mut self) {
        self.flush();
        if self.epoch.is_same() {
            self.local.discard_set_aside();
        }
    }

    /// Another tab keeps what the server sends, or this one does from now on.
    pub(super) fn keep(&mut self, here: bool) {
        let doc = &self.local.editing.doc;
        if self.local.device.keep(here, doc, self.seeding.settled(doc)) {
            self.take_over();
        }
    }

    // --- epochs

    /// The server has another document under this name: neither side takes anything from the other.
    pub(super) fn epoch_mismatch(&mut self) {
        self.composing.forget();
        if self.epoch.is_same() {
            self.epoch = Epoch::Conflict;
        }
        self.drop_socket(close::NORMAL);
        self.connection_gone();
        self.network.link = Link::Offline(Why::Conflict);
        self.report(ErrorCode::Epoch, "the document was replaced on the server since this copy was made");
    }

    pub(super) fn take_server(&mut self) {
        if matches!(self.epoch, Epoch::Conflict) {
            self.epoch = Epoch::Replacing(Box::new(self.local.fresh.doc()));
            self.drop_socket(close::NORMAL);
            self.open_socket();
        }
    }

    /// The server's document is here: puts it in the place of the local copy, in one step for the editor and one for
    /// the store.
    pub(super) fn replace_with(&mut self, update: &[u8]) {
        self.flush();
        let Epoch::Replacing(doc) = &mut self.epoch else { return };
        let epoch = self.network.hello().map(|hello| hello.epoch.clone());
        let (Some(epoch), Ok(_)) = (epoch, doc.apply_update(update)) else {
            return self.report(ErrorCode::InvalidUpdate, "what the server has cannot be read");
        };
        let Epoch::Replacing(doc) = std::mem::replace(&mut self.epoch, Epoch::Same) else { return };
        self.composing.forget();
        self.local.show_instead(*doc, Origin::Remote);
        self.seeding.forget();
        let Local { editing, device, stage, config, .. } = &mut self.local;
        device.forget_seed();
        let snapshot = editing.doc.encode_state(None).unwrap_or_default();
        stage.update(Origin::Remote, snapshot.clone());
        let writes = device.outbox.close_epoch(REPLACED);
        device.holes = Holes::default();
        device.replace_copy(config.formats);
        device.journal.write_all(writes);
        device.journal.write(Write::Reset { epoch: epoch.clone(), snapshot });
        device.keeping.kept_all(&editing.doc);
        device.journal.epoch = Some(epoch);
        stage.any_epoch = true;
        if let Some(live) = self.network.link.live_mut() {
            live.synced = true;
            live.sent_through = 0;
        }
        self.network.retries.synced(self.local.now);
    }

    // --- the end

    pub(super) fn close(&mut self) {
        if self.phase.closes_at().is_some() {
            return;
        }
        self.suspend();
        self.mend_store();
        self.say_goodbye();
        self.drop_socket(close::NORMAL);
        self.lost_connection();
        self.network.link = Link::Closed;
        self.phase = Phase::Closing { until: self.local.now + CLOSING };
    }

    pub(super) fn end(&mut self) {
        self.network.link = Link::Closed;
        self.phase = Phase::Ended;
    }
}
