//! What the stacks of both formats have in common.

use crate::slate::{LocalChange, Op, Range};

/// One step of typing takes back so many milliseconds of it at most: who writes on without a pause does not lose a page.
pub(super) const MAX_TIME: u64 = 5_000;

/// What an undo or redo did.
#[derive(Debug, Clone, PartialEq)]
pub struct UndoResult {
    /// For the editor, to be applied without echo.
    pub ops: Vec<Op>,
    /// Whether something else is shown than before.
    pub changed: bool,
    /// The doc's change, as of [`SlateDoc::apply_local`]. Its `ops` are contained in `ops` above.
    pub change: LocalChange,
    /// To be restored.
    pub selection: Option<Range>,
    /// Updates of steps that changed nothing that is shown, and were passed over: to be stored and sent before.
    pub passed: Vec<Vec<u8>>,
}

impl UndoResult {
    /// Of values that were set back: the text is as it was.
    pub(super) fn of_values(update: Option<Vec<u8>>) -> Self {
        let change = LocalChange { update, ..LocalChange::default() };
        Self { ops: Vec::new(), changed: true, change, selection: None, passed: Vec::new() }
    }
}
