//! Undo and redo of one's own edits.
//!
//! The stacks hold the inverse operations of each group of local edits. What peers do meanwhile is transformed into
//! them when they are needed, so that undoing never removes what a peer wrote. No clock: callers pass the time.

use crate::slate::{LocalChange, Op, Range, SlateDoc};

#[derive(Debug)]
pub struct Undo {
    capture_timeout: u64,
}

/// What an undo or redo did.
#[derive(Debug, Clone, PartialEq)]
pub struct UndoResult {
    /// For the editor, to be applied without echo.
    pub ops: Vec<Op>,
    /// The doc's change, as of [`SlateDoc::apply_local`]. Its `ops` are contained in `ops` above.
    pub change: LocalChange,
    /// To be restored.
    pub selection: Option<Range>,
}

impl Undo {
    /// Edits less than `capture_timeout` ms apart are undone together.
    pub fn new(capture_timeout: u64) -> Self {
        Self { capture_timeout }
    }

    /// After local edits: their inverse, and the selection before the first of them. Clears what could be redone.
    pub fn record(&mut self, now: u64, inverse: Vec<Op>, selection_before: Option<Range>) {
        let _ = (now, inverse, selection_before, self.capture_timeout);
    }

    /// After remote operations (and those of [`LocalChange::ops`], which belong to no one's undo).
    pub fn transform(&mut self, _ops: &[Op]) {}

    /// Undoes the last group; `selection` is the current one, for a later redo. `None`: nothing to undo.
    pub fn undo(&mut self, _doc: &mut SlateDoc, _selection: Option<Range>) -> Option<UndoResult> {
        None
    }

    pub fn redo(&mut self, _doc: &mut SlateDoc, _selection: Option<Range>) -> Option<UndoResult> {
        None
    }

    pub fn can_undo(&self) -> bool {
        false
    }

    pub fn can_redo(&self) -> bool {
        false
    }

    /// The next edit starts a new group.
    pub fn stop_capturing(&mut self) {}

    /// Forgets everything (the document was replaced).
    pub fn clear(&mut self) {}
}
