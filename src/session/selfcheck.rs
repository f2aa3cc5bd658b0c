//! When the tree is compared with the doc: after each change every block has its turn once more, some blocks at a time,
//! a second apart. A debug build also looks at once at what was changed.
//!
//! One mechanism for both seams: the tree is compared with the doc here, and the editor is asked to compare itself with
//! the same blocks of the tree.

use crate::slate::{Look, SlateDoc};
use crate::undo::Undo;

use super::stage::{DocChange, Stage};
use super::types::{ErrorCode, Millis, Origin};

/// The time between two looks.
const INTERVAL: Millis = 1_000;

/// When to look, and what was found so far.
#[derive(Debug, Default)]
pub(super) struct SelfCheck {
    pub due: Option<Millis>,
    pub divergences: u32,
}

/// What is compared. `flushed`: the document has all that the editor has done.
pub(super) struct LookedAt<'a> {
    pub doc: &'a mut SlateDoc,
    pub undo: &'a mut Undo,
    pub flushed: bool,
}

impl SelfCheck {
    /// Runs after each input: notes that there is something to look at, and in a debug build looks. A mending begins no
    /// new round.
    pub fn note_changes(&mut self, now: Millis, of: LookedAt<'_>, stage: &mut Stage) {
        if stage.doc == DocChange::Nothing {
            return;
        }
        of.doc.look_again();
        self.due.get_or_insert(now + INTERVAL);
        if cfg!(debug_assertions) && of.flushed {
            let look = of.doc.look_at_changes();
            self.mend(look, of.undo, stage);
        }
    }

    pub fn check_if_due(&mut self, now: Millis, of: LookedAt<'_>, stage: &mut Stage) {
        if self.due.is_none_or(|at| at > now) {
            return;
        }
        // The editor may be in the midst of something.
        if of.flushed {
            let look = of.doc.look();
            self.mend(look, of.undo, stage);
        }
        self.due = (of.doc.is_looking() || !of.flushed).then_some(now + INTERVAL);
    }

    /// The editor was found to differ, and was mended.
    #[cold]
    #[inline(never)]
    pub fn mended(&mut self, what: String, stage: &mut Stage) {
        self.divergences += 1;
        stage.report(ErrorCode::InvalidUpdate, what);
    }

    /// Brings the editor to what the doc has, as if somebody else had changed it: nothing is written, nobody can undo
    /// it.
    #[cold]
    #[inline(never)]
    fn mend(&mut self, look: Look, undo: &mut Undo, stage: &mut Stage) {
        let Look { blocks, divergences, ops } = look;
        if divergences > 0 {
            self.divergences += divergences;
            stage.changed(DocChange::Anything);
            undo.transform(&ops);
            stage.operations(Origin::Store, ops);
            let message = format!("{divergences} elements were not what the document has, and were mended");
            stage.report(ErrorCode::InvalidUpdate, message);
        }
        stage.compare(blocks);
    }
}
