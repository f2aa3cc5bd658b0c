//! While a word is being composed, by an input method or on a phone's keyboard, the page holds text that the document
//! does not have yet. To show a change from elsewhere would redraw the line and end the composition in its middle, so
//! that the word is there in part, or twice. So changes from elsewhere wait until the word is finished; not for long,
//! as some people compose all the time.
//!
//! What waits is in no copy and no outbox: the server has it, or the tab that made it.

use super::types::{Millis, Origin};

/// What comes from elsewhere waits this long at most.
const PATIENCE: Millis = 5_000;

/// A word is being composed, or not.
#[derive(Debug, Default)]
pub(super) struct Composing {
    /// Until when changes from elsewhere wait; none: they do not.
    until: Option<Millis>,
    /// In the order in which they came.
    waiting: Vec<LateChange>,
}

/// A change that waits.
#[derive(Debug)]
pub(super) struct LateChange {
    pub update: Vec<u8>,
    pub origin: Origin,
}

impl Composing {
    /// The user begins to compose a word.
    pub fn begins(&mut self, now: Millis) {
        self.until.get_or_insert(now + PATIENCE);
    }

    /// Keeps a change from elsewhere for later. Returns whether it does.
    pub fn keeps(&mut self, update: &[u8], origin: Origin) -> bool {
        let waits = self.until.is_some();
        if waits {
            self.waiting.push(LateChange { update: update.to_vec(), origin });
        }
        waits
    }

    pub fn deadline(&self) -> Option<Millis> {
        self.until
    }

    /// Nothing waits any more. Returns what has waited.
    pub fn ends(&mut self) -> Vec<LateChange> {
        self.until = None;
        std::mem::take(&mut self.waiting)
    }

    /// Another document takes the place of this one, of which the waiting changes are.
    pub fn forget(&mut self) {
        self.waiting.clear();
    }
}
