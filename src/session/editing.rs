//! The document as the editor has it: what is queued, what undo takes back, whose selection is where.
//!
//! The caller flushes queued operations before anything else touches the document. What a change has led to goes to the
//! stage; the update that has to be kept and sent is returned.

use crate::format::KnownFormats;
use crate::slate::{LocalChange, Op, Range, RemoteChange, Schema, SlateDoc};
use crate::undo::Undo;

use super::followed::FollowedMaps;
use super::fresh::Fresh;
use super::presence::SessionPresence;
use super::selfcheck::{LookedAt, SelfCheck};
use super::stage::{DocChange, Stage};
use super::types::{ErrorCode, Millis, Origin};

/// Whose operations are queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EditedBy {
    User,
    /// The editor, after a change by others: nobody can undo it.
    Normalizer,
}

pub(super) struct Editing {
    pub doc: SlateDoc,
    pub undo: Undo,
    /// Local operations the doc does not have yet, and the selection before the first.
    queue: Vec<Op>,
    /// Who made what is queued.
    author: EditedBy,
    selection_before: Option<Range>,
    /// The doc has updates that wait for others.
    pub incomplete: bool,
    pub presence: SessionPresence,
    /// Somebody is told of operations.
    pub heard: bool,
    pub check: SelfCheck,
    pub followed: FollowedMaps,
}

/// What an update from elsewhere has done.
#[derive(Debug, Clone, Copy)]
pub(super) struct TakenIn {
    /// The document is another one now.
    pub changed: bool,
    /// Some of it has to wait for other updates. It would be lost if it were not kept (F21).
    pub waits: bool,
    /// Some of it has to wait, and until now nothing had to.
    pub lacks_more: bool,
}

impl Editing {
    pub fn new(doc: SlateDoc, undo: Undo, presence: SessionPresence) -> Self {
        Self {
            doc,
            undo,
            queue: Vec::new(),
            author: EditedBy::User,
            selection_before: None,
            incomplete: false,
            presence,
            heard: true,
            check: SelfCheck::default(),
            followed: FollowedMaps::default(),
        }
    }

    // --- what the editor does

    /// Whether nothing is queued.
    pub fn is_flushed(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether what is queued was made by the other of the two.
    pub fn takes_turns(&self, author: EditedBy) -> bool {
        author != self.author
    }

    pub fn edit(&mut self, now: Millis, op: Op, author: EditedBy) {
        self.author = author;
        if self.queue.is_empty() {
            self.selection_before = self.presence.selection(&self.doc);
        }
        self.queue.push(op);
        if author == EditedBy::User {
            self.presence.edited(now);
        }
    }

    /// The queue becomes one transaction, one update.
    pub fn commit(&mut self, now: Millis, stage: &mut Stage) -> Option<Vec<u8>> {
        let ops = std::mem::take(&mut self.queue);
        let normalized = if self.author == EditedBy::Normalizer { ops.clone() } else { Vec::new() };
        let changed = DocChange::of(&ops);
        let caret = self.selection_before.as_ref().and_then(|range| self.doc.caret_by_reference(range));
        let mut change = self.doc.apply_local(ops);
        // What was refused does not count.
        stage.changed(if change.ops.is_empty() { changed } else { DocChange::Anything });
        let before = self.selection_before.take();
        let inverse = std::mem::take(&mut change.inverse);
        if self.author == EditedBy::User {
            let (acts, passage) = (std::mem::take(&mut change.acts), change.passage.take());
            self.undo.record_acts(now, acts, passage, caret);
        }
        match self.author {
            EditedBy::User if !inverse.is_empty() => self.undo.record(now, inverse, before),
            EditedBy::User => {}
            EditedBy::Normalizer => {
                let refused = |op: &Op| change.rejected.iter().any(|(rejected, _)| rejected == op);
                let applied: Vec<Op> = normalized.into_iter().filter(|op| !refused(op)).collect();
                self.undo.transform(&applied);
            }
        }
        let corrections = std::mem::take(&mut change.ops);
        self.undo.transform(&corrections);
        stage.operations(Origin::Local, corrections);
        self.presence.settle_selection(&self.doc);
        made(change, stage)
    }

    /// Takes back the last step, or does it again. Returns the updates that this makes.
    pub fn undo_or_redo(&mut self, now: Millis, undo: bool, stage: &mut Stage) -> Vec<Vec<u8>> {
        let selection = self.presence.selection(&self.doc);
        let result = match undo {
            true => self.undo.undo(&mut self.doc, selection),
            false => self.undo.redo(&mut self.doc, selection),
        };
        let changed = result.as_ref().is_some_and(|result| result.changed);
        self.undo.set_undone(changed);
        let Some(result) = result else { return Vec::new() };
        let mut updates = result.passed;
        if result.ops.is_empty() && result.change.update.is_none() {
            return updates;
        }
        stage.changed(DocChange::of(&result.ops));
        stage.operations(Origin::Undo, result.ops);
        if let Some(selection) = result.selection {
            stage.select(selection);
        }
        self.presence.edited(now);
        updates.extend(made(result.change, stage));
        updates
    }

    pub fn select(&mut self, now: Millis, range: Option<Range>) {
        self.presence.selects(now, range, &self.doc);
        if self.queue.is_empty() {
            self.presence.settle_selection(&self.doc);
        }
    }

    /// Which elements are inline and void, as the editor has it: a document of format 1 need not say.
    pub fn set_schema(&mut self, schema: Schema, stage: &mut Stage) {
        let ops = self.doc.set_schema(schema);
        if !ops.is_empty() {
            stage.changed(DocChange::Anything);
            stage.operations(Origin::Remote, ops);
        }
    }

    /// The self-check, with what it compares.
    pub fn checks(&mut self) -> (&mut SelfCheck, LookedAt<'_>) {
        let compared = LookedAt { doc: &mut self.doc, undo: &mut self.undo, flushed: self.queue.is_empty() };
        (&mut self.check, compared)
    }

    // --- what comes from elsewhere

    /// Puts a change from elsewhere into the document; none if the bytes are no update.
    pub fn take_in(&mut self, update: &[u8], origin: Origin, stage: &mut Stage) -> Option<TakenIn> {
        let was_incomplete = self.incomplete;
        let presence = &self.presence;
        let change = match self.heard {
            true => self.doc.apply_update_at(update, &|doc| presence.selection(doc)),
            false => self.doc.apply_unheard(update),
        };
        let change = match change {
            Ok(change) => change,
            Err(error) => {
                stage.report(ErrorCode::InvalidUpdate, error.to_string());
                return None;
            }
        };
        self.incomplete = change.pending;
        let taken = TakenIn {
            changed: change.changed,
            waits: change.pending && update.len() > 2,
            lacks_more: self.incomplete && !was_incomplete,
        };
        if taken.changed || taken.waits {
            stage.update(origin, update.to_vec());
        }
        self.show(change, origin, stage);
        Some(taken)
    }

    fn show(&mut self, change: RemoteChange, origin: Origin, stage: &mut Stage) {
        // A change that leads to no operation can still let a position be found that could not be found before.
        stage.changed(match change.changed {
            true if change.ops.is_empty() => DocChange::Anything,
            _ => DocChange::of(&change.ops),
        });
        if !change.ops.is_empty() {
            self.undo.transform(&change.ops);
            stage.operations(origin, change.ops);
        }
        if let Some(selection) = change.selection {
            stage.select(selection);
        }
        report_foreign(change.foreign, stage);
    }

    /// The document has been loaded, before anybody looks at it.
    pub fn loaded(&mut self, foreign: u32, stage: &mut Stage) {
        self.incomplete = self.doc.is_waiting();
        stage.changed(DocChange::Anything);
        report_foreign(foreign, stage);
    }

    /// Applies operations of the session itself, as if somebody else had made them. The caller decides what becomes of
    /// their update.
    pub fn amend(&mut self, mut ops: Vec<Op>, stage: &mut Stage) {
        let LocalChange { ops: corrections, .. } = self.doc.apply_local(ops.clone());
        ops.extend(corrections);
        self.undo.transform(&ops);
        stage.changed(DocChange::Anything);
        stage.operations(Origin::Store, ops);
    }

    /// Puts another document in the place of this one, in one step for the editor.
    pub fn show_instead(&mut self, doc: SlateDoc, formats: KnownFormats, origin: Origin, stage: &mut Stage) {
        let ops = if self.heard { SlateDoc::diff(&self.doc.value(), &doc.value()) } else { Vec::new() };
        self.doc = doc;
        self.doc.know(formats);
        self.incomplete = self.doc.is_waiting();
        self.undo.clear();
        self.presence.forget_selection();
        self.presence.awareness.rename(self.doc.client_id());
        stage.changed(DocChange::Anything);
        stage.operations(origin, ops);
    }

    /// Takes another client id: somebody else has this one.
    pub fn choose_client_id(&mut self, fresh: &mut Fresh) {
        let id = fresh.client_id(&self.doc);
        let placeholder = fresh.doc();
        self.doc = std::mem::replace(&mut self.doc, placeholder).with_client_id(id);
        self.presence.awareness.rename(id);
    }
}

/// What a change made here has led to. Returns its update.
fn made(change: LocalChange, stage: &mut Stage) -> Option<Vec<u8>> {
    if let Some((op, error)) = change.rejected.first() {
        let message = format!("an operation does not fit the document: {error} ({op:?})");
        stage.report(ErrorCode::InvalidUpdate, message);
        stage.diverged();
    }
    change.update
}

fn report_foreign(embeds: u32, stage: &mut Stage) {
    if embeds > 0 {
        let message = format!("{embeds} embeds are not for Slate and are not shown");
        stage.report(ErrorCode::InvalidUpdate, message);
    }
}
