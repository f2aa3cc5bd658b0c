//! While a word is being composed, by an input method or on a phone's keyboard, the page holds what the document does not have
//! yet. A change from elsewhere would redraw the line and end the composition in its middle, so that the word is there in
//! part, or twice. So it waits until the word is finished; not for long, as some compose all day.
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
    /// A word is begun.
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

    /// Nothing waits any more: what has waited so far.
    pub fn ends(&mut self) -> Vec<LateChange> {
        self.until = None;
        std::mem::take(&mut self.waiting)
    }

    /// The document is another one: what waits is of the one before.
    pub fn forget(&mut self) {
        self.waiting.clear();
    }
}
