//! When the document is compared with what is shown: after each change all of it is looked at once more, a piece at a time
//! and seconds apart. In a debug build what was changed is looked at at once as well.
//!
//! One mechanism for both seams: the tree is compared with the doc here, and the editor is asked to compare itself with
//! the same blocks of the tree.

use crate::slate::Look;

use super::stage::DocChange;
use super::{ErrorCode, Millis, Origin, Session};

/// So far apart.
const INTERVAL: Millis = 1_000;

/// When to look, and what was found so far.
#[derive(Debug, Default)]
pub(super) struct SelfCheck {
    pub due: Option<Millis>,
    pub divergences: u32,
}

impl Session {
    /// Runs after each input: no more than a note of it, but in a debug build. What is mended itself begins no new round.
    pub(super) fn check_changes(&mut self) {
        if self.stage.doc == DocChange::Nothing {
            return;
        }
        self.doc.look_again();
        self.check.due.get_or_insert(self.now + INTERVAL);
        if cfg!(debug_assertions) && self.queue.is_empty() {
            let look = self.doc.look_at_changes();
            self.mend(look);
        }
    }

    pub(super) fn check_if_due(&mut self) {
        if self.check.due.is_none_or(|at| at > self.now) {
            return;
        }
        // The editor may be in the midst of something.
        if self.queue.is_empty() {
            let look = self.doc.look();
            self.mend(look);
        }
        self.check.due = (self.doc.is_looking() || !self.queue.is_empty()).then_some(self.now + INTERVAL);
    }

    /// The editor was found to differ, and was mended.
    #[cold]
    #[inline(never)]
    pub(super) fn mended(&mut self, what: String) {
        self.check.divergences += 1;
        self.report(ErrorCode::InvalidUpdate, what);
    }

    /// What differs is brought to what the doc has, as if somebody else had changed it: nothing is written, nobody can undo it.
    #[cold]
    #[inline(never)]
    fn mend(&mut self, look: Look) {
        let Look { blocks, divergences, ops } = look;
        if divergences > 0 {
            self.check.divergences += divergences;
            self.stage.changed(DocChange::Anything);
            self.undo.transform(&ops);
            self.stage.operations(Origin::Store, ops);
            let message = format!("{divergences} elements were not what the document has, and were mended");
            self.report(ErrorCode::InvalidUpdate, message);
        }
        self.stage.compare(blocks);
    }
}

#[cfg(any(test, feature = "testing"))]
impl Session {
    /// Makes the tree differ from the doc, as a defect would.
    pub fn spoil(&mut self, path: &[u32], text: &str) {
        self.doc.spoil(path, text);
    }
}
