//! Changes of the document: local operations in, remote updates in, undo.
//!
//! Queued operations are flushed before anything else touches the document. What is made here goes to the outbox, the
//! journal and the wire; what comes from elsewhere goes to the journal, as the bytes received.

use crate::protocol::NOTHING;
use crate::slate::{LocalChange, Op, RemoteChange, SlateDoc};
use crate::store::{Write, same_epoch};

use super::outbox::KeptIn;
use super::sending::cut;
use super::stage::DocChange;
use super::{ErrorCode, Origin, Output, Session};

/// Whose operations are queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EditedBy {
    User,
    /// The editor, after a change by others: nobody can undo it.
    Normalizer,
}

impl Session {
    pub(super) fn edit(&mut self, op: Op, author: EditedBy) {
        if self.refuses_edits() {
            // The editor has applied it already.
            return self.stage.diverged();
        }
        if author != self.author {
            self.flush();
            self.author = author;
        }
        if self.queue.is_empty() {
            self.selection_before = self.presence.selection(&self.doc);
        }
        self.queue.push(op);
        if author == EditedBy::User {
            self.presence.edited(self.now);
            self.typing();
        }
    }

    /// The queue becomes one transaction, one update.
    pub(super) fn flush(&mut self) {
        if self.queue.is_empty() {
            return;
        }
        self.begin_format();
        self.keep_base();
        let ops = std::mem::take(&mut self.queue);
        let normalized = if self.author == EditedBy::Normalizer { ops.clone() } else { Vec::new() };
        let changed = DocChange::of(&ops);
        let caret = self.selection_before.as_ref().and_then(|range| self.doc.caret_by_reference(range));
        let mut change = self.doc.apply_local(ops);
        // What was refused has no part in it, and does not matter.
        self.stage.changed(if change.ops.is_empty() { changed } else { DocChange::Anything });
        let before = self.selection_before.take();
        let inverse = std::mem::take(&mut change.inverse);
        if self.author == EditedBy::User {
            let (acts, passage) = (std::mem::take(&mut change.acts), change.passage.take());
            self.undo.record_acts(self.now, acts, passage, caret);
        }
        match self.author {
            EditedBy::User if !inverse.is_empty() => self.undo.record(self.now, inverse, before),
            EditedBy::User => {}
            EditedBy::Normalizer => {
                let refused = |op: &Op| change.rejected.iter().any(|(rejected, _)| rejected == op);
                let applied: Vec<Op> = normalized.into_iter().filter(|op| !refused(op)).collect();
                self.undo.transform(&applied);
            }
        }
        let corrections = std::mem::take(&mut change.ops);
        self.undo.transform(&corrections);
        self.stage.operations(Origin::Local, corrections);
        self.local_change(change, Origin::Local);
        self.presence.settle_selection(&self.doc);
    }

    fn local_change(&mut self, change: LocalChange, origin: Origin) {
        if let Some((op, error)) = change.rejected.first() {
            let message = format!("an operation does not fit the document: {error} ({op:?})");
            self.report(ErrorCode::InvalidUpdate, message);
            self.stage.diverged();
        }
        if let Some(update) = change.update {
            self.submit(update, origin);
        }
    }

    pub(super) fn undo(&mut self) {
        self.undo_or_redo(true);
    }

    pub(super) fn redo(&mut self) {
        self.undo_or_redo(false);
    }

    pub(super) fn stop_capturing(&mut self) {
        self.flush();
        self.undo.stop_capturing();
    }

    fn undo_or_redo(&mut self, undo: bool) {
        self.flush();
        if self.refuses_edits() {
            return;
        }
        let selection = self.presence.selection(&self.doc);
        let result = match undo {
            true => self.undo.undo(&mut self.doc, selection),
            false => self.undo.redo(&mut self.doc, selection),
        };
        let changed = result.as_ref().is_some_and(|result| result.changed);
        self.undo.set_undone(changed);
        let Some(result) = result else { return };
        for update in result.passed {
            self.submit(update, Origin::Undo);
        }
        if result.ops.is_empty() && result.change.update.is_none() {
            return;
        }
        self.stage.changed(DocChange::of(&result.ops));
        self.stage.operations(Origin::Undo, result.ops);
        if let Some(selection) = result.selection {
            self.stage.select(selection);
        }
        self.presence.edited(self.now);
        self.local_change(result.change, Origin::Undo);
    }

    /// A change made here: pending until the server has it.
    pub(super) fn submit(&mut self, update: Vec<u8>, origin: Origin) {
        self.busy_at = self.now;
        for piece in cut(&update, self.update_limit) {
            let key = self.outbox.push(piece.clone(), KeptIn::Memory);
            self.journal.write(Write::Edit { key, update: piece });
        }
        if matches!(origin, Origin::Local | Origin::Undo) {
            self.isolate(&update);
        }
        self.stage.update(origin, update);
        if !self.holes.is_empty() {
            self.set_dependents_aside();
        }
        self.pump();
        if self.outbox.wants_merging() {
            self.rearrange();
        }
    }

    /// Merges and cuts what was never sent.
    pub(super) fn rearrange(&mut self) {
        let writes = self.outbox.rearrange(self.update_limit);
        match self.config.store {
            true => self.journal.write_all(writes),
            false => self.outbox.nothing_to_replace(),
        }
    }

    /// Puts a change from elsewhere into the document: [`Session::apply`], whatever it says of a seed.
    pub(super) fn take_in(&mut self, update: &[u8], origin: Origin, journal: bool) -> Option<bool> {
        self.flush();
        let was_incomplete = self.incomplete;
        let presence = &self.presence;
        let change = match self.heard {
            true => self.doc.apply_update_at(update, &|doc| presence.selection(doc)),
            false => self.doc.apply_unheard(update),
        };
        let change = match change {
            Ok(change) => change,
            Err(error) => {
                self.report(ErrorCode::InvalidUpdate, error.to_string());
                return None;
            }
        };
        // What has to wait for other updates changes nothing, and would be lost if it were not kept (F21).
        let waits = change.pending && update.len() > 2;
        if journal && (change.changed || waits) {
            self.keep_received(update);
        }
        let changed = change.changed;
        self.incomplete = change.pending;
        if change.changed || waits {
            self.busy_at = self.now;
            self.stage.update(origin, update.to_vec());
        }
        self.remote_change(change, origin);
        if self.incomplete && !was_incomplete && self.link.is_synced() {
            self.request_sync();
        }
        Some(changed)
    }

    fn remote_change(&mut self, change: RemoteChange, origin: Origin) {
        // A change that no operation shows can still let a position be found that was not.
        self.stage.changed(match change.changed {
            true if change.ops.is_empty() => DocChange::Anything,
            _ => DocChange::of(&change.ops),
        });
        if !change.ops.is_empty() {
            self.undo.transform(&change.ops);
            self.stage.operations(origin, change.ops);
        }
        if let Some(selection) = change.selection {
            self.stage.select(selection);
        }
        self.report_oddities(change.resynced, change.foreign);
    }

    fn report_oddities(&mut self, resynced: u32, foreign: u32) {
        self.check.divergences += resynced;
        if resynced > 0 || foreign > 0 {
            let message =
                format!("{resynced} elements were mended, {foreign} embeds are not for Slate and are not shown");
            self.report(ErrorCode::InvalidUpdate, message);
        }
    }

    /// The document has been loaded, before anybody looks at it.
    pub(super) fn log_applied(&mut self, foreign: u32) {
        self.incomplete = self.doc.is_waiting();
        self.busy_at = self.now;
        self.stage.changed(DocChange::Anything);
        self.report_oddities(0, foreign);
    }

    /// An update the application brings: a remote change that the server does not have either.
    pub(super) fn import(&mut self, update: Vec<u8>) {
        if self.refuses_edits() {
            return self.report(ErrorCode::Format, "an update is not applied: the document may only be read");
        }
        let before = self.stage.updates.len();
        if self.apply(&update, Origin::Remote, false) == Some(true) || self.stage.updates.len() > before {
            // What the editor had queued was flushed before it, and is an update of its own.
            self.submit_applied(update, Origin::Remote, before);
        }
    }

    /// Submits what was applied, and has made the staged updates after `before`.
    fn submit_applied(&mut self, update: Vec<u8>, origin: Origin, before: usize) {
        let made = self.stage.updates.split_off(before);
        self.submit(update, origin);
        let own = |output: &Output| matches!(output, Output::Update { origin: Origin::Local, .. });
        self.stage.updates.extend(made.into_iter().filter(own));
    }

    /// A change from another tab. One of another epoch is of another document: whichever tab is behind learns so from
    /// the store, which is asked, or from the server. What the other tab could not store is made this one's own: it is shown here, and
    /// what is typed here may stand upon it.
    pub(super) fn tab_update(&mut self, update: Vec<u8>, epoch: Option<String>, kept: bool) {
        if !same_epoch(epoch.as_deref(), self.journal.epoch.as_deref()) {
            return self.journal.look();
        }
        if self.journal.epoch.is_none() {
            self.journal.epoch = epoch;
        }
        if update.len() > NOTHING.len() {
            self.keep_base();
            self.formatting.shared = true;
        }
        if kept && self.waits_for_word(&update, Origin::Store) {
            return;
        }
        let before = self.stage.updates.len();
        if self.apply(&update, Origin::Store, false).is_some() && !kept {
            self.submit_applied(update, Origin::Store, before);
        }
    }

    /// Another document in place of this one, in one step for the editor.
    pub(super) fn show_instead(&mut self, doc: SlateDoc, origin: Origin) {
        let ops = if self.heard { SlateDoc::diff(&self.doc.value(), &doc.value()) } else { Vec::new() };
        self.doc = doc;
        self.doc.know(self.config.formats);
        self.undo.clear();
        self.presence.forget_selection();
        self.presence.awareness.rename(self.doc.client_id());
        self.stage.changed(DocChange::Anything);
        self.stage.operations(origin, ops);
    }

    /// Another client id: ours is someone else's.
    pub(super) fn choose_client_id(&mut self) {
        let mut id = self.random.u32(1..);
        while self.doc.knows_client(id) {
            id = self.random.u32(1..);
        }
        let placeholder = SlateDoc::new(self.doc_options());
        self.doc = std::mem::replace(&mut self.doc, placeholder).with_client_id(id);
        self.presence.awareness.rename(id);
    }

    pub(super) fn doc_options(&mut self) -> crate::slate::DocOptions {
        crate::slate::DocOptions {
            client_id: self.random.u32(1..),
            root: self.config.root.clone(),
            block_id: self.config.block_id.clone(),
            seed: self.random.u64(..),
            schema: self.config.schema.clone(),
        }
    }
}
