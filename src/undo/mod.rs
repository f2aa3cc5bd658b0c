//! Undo and redo of one's own edits.
//!
//! The stacks hold the inverse operations of each group of local edits. What others do meanwhile is only noted; it is
//! transformed into a group when that is undone, so that a remote keystroke costs nothing here. Undoing never removes
//! what a peer wrote: their text inside what is taken back stays, a block into which they wrote stays, a property they
//! set stays. No clock: callers pass the time.

mod result;
mod stack;
mod steps;
#[cfg(test)]
mod tests;
mod transform;

use crate::slate::{Act, Caret, Op, Passage, Range, SlateDoc, ValueChange};
use result::MAX_TIME;
pub use result::UndoResult;
use stack::{Stack, UndoGroup};
use steps::Steps;

#[derive(Debug)]
pub struct Undo {
    capture_timeout: u64,
    undo: Stack,
    redo: Stack,
    /// When the last edit was recorded, if the next may join its group.
    last: Option<u64>,
    /// When the last group of `undo` began.
    began: u64,
    /// Of a document of format 1.
    steps: Steps,
    /// Whether the last undo or redo changed what is shown.
    undone: bool,
}

impl Undo {
    /// Edits less than `capture_timeout` ms apart are undone together, up to [`MAX_TIME`].
    pub fn new(capture_timeout: u64) -> Self {
        Self {
            capture_timeout,
            undo: Stack::default(),
            redo: Stack::default(),
            last: None,
            began: 0,
            steps: Steps::default(),
            undone: false,
        }
    }

    /// After local edits: their inverse, and the selection before the first of them. Clears what could be redone.
    ///
    /// Edits that did not change the doc (an editor's normalizing of what came from elsewhere) are no one's to undo:
    /// they go to [`Undo::transform`] instead.
    pub fn record(&mut self, now: u64, inverse: Vec<Op>, selection_before: Option<Range>) {
        if inverse.is_empty() {
            return;
        }
        self.redo.clear();
        let joins = self.last.is_some_and(|last| now.saturating_sub(last) < self.capture_timeout);
        self.last = Some(now);
        if joins && now.saturating_sub(self.began) < MAX_TIME && self.undo.join(&inverse) {
            return;
        }
        self.began = now;
        self.undo.push(UndoGroup::new(inverse, selection_before));
    }

    /// After local edits in a document of format 1: what was written, and the selection before.
    pub fn record_acts(&mut self, now: u64, acts: Vec<Act>, passage: Option<Passage>, before: Option<Caret>) {
        if acts.is_empty() {
            return;
        }
        let joins = self.last.is_some_and(|last| now.saturating_sub(last) < self.capture_timeout);
        self.last = Some(now);
        self.steps.record(now, acts, passage, before, joins);
    }

    /// After values were set: a step of its own, before which and after which another begins. `by_reference`: in a document of
    /// format 1.
    pub fn record_values(&mut self, values: Vec<ValueChange>, by_reference: bool) {
        self.last = None;
        if values.is_empty() {
            return;
        }
        if by_reference {
            return self.steps.record_values(values);
        }
        self.redo.clear();
        self.undo.push(UndoGroup::of_values(values));
    }

    /// After operations that are not one's own: remote ones, and those of [`LocalChange::ops`].
    pub fn transform(&mut self, ops: &[Op]) {
        self.undo.note(ops);
        self.redo.note(ops);
    }

    /// Undoes the last group; `selection` is the current one, for a later redo. `None`: nothing to undo.
    pub fn undo(&mut self, doc: &mut SlateDoc, selection: Option<Range>) -> Option<UndoResult> {
        self.last = None;
        if doc.is_by_reference() {
            return self.steps.undo(doc, selection);
        }
        step(&mut self.undo, &mut self.redo, doc, selection)
    }

    pub fn redo(&mut self, doc: &mut SlateDoc, selection: Option<Range>) -> Option<UndoResult> {
        self.last = None;
        if doc.is_by_reference() {
            return self.steps.redo(doc, selection);
        }
        step(&mut self.redo, &mut self.undo, doc, selection)
    }

    pub fn has_undone(&self) -> bool {
        self.undone
    }

    pub fn set_undone(&mut self, undone: bool) {
        self.undone = undone;
    }

    pub fn can_undo(&self) -> bool {
        !self.undo.is_empty() || self.steps.can_undo()
    }

    pub fn can_redo(&self) -> bool {
        !self.redo.is_empty() || self.steps.can_redo()
    }

    /// The next edit starts a new group.
    pub fn stop_capturing(&mut self) {
        self.last = None;
    }

    /// Forgets everything (the document was replaced).
    pub fn clear(&mut self) {
        self.undo.clear();
        self.redo.clear();
        self.steps = Steps::default();
        self.last = None;
    }
}

/// Takes groups off one stack until one still has an effect; what undoes that goes onto the other.
fn step(from: &mut Stack, to: &mut Stack, doc: &mut SlateDoc, selection: Option<Range>) -> Option<UndoResult> {
    while let Some((ops, restored, values)) = from.pop() {
        if !values.is_empty() {
            let (update, back) = doc.revert_values(&values);
            if back.is_empty() {
                continue;
            }
            to.push(UndoGroup::of_values(back));
            return Some(UndoResult::of_values(update));
        }
        let (change, mut applied) = doc.apply_amended(ops);
        if applied.is_empty() {
            continue;
        }
        applied.extend(change.ops.iter().cloned());
        to.push(UndoGroup::new(change.inverse.clone(), selection));
        let changed = !applied.is_empty();
        return Some(UndoResult { ops: applied, changed, change, selection: restored, passed: Vec::new() });
    }
    None
}
