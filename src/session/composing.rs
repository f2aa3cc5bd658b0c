//! While a word is being composed, by an input method or on a phone's keyboard, the page holds what the document does not have
//! yet. A change from elsewhere would redraw the line and end the composition in its middle, so that the word is there in
//! part, or twice. So it waits until the word is finished; not for long, as some compose all day.
//!
//! What waits is in no copy and no outbox: the server has it, or the tab that made it.

use super::{Millis, Origin, Session};

/// What comes from elsewhere waits this long at most.
const PATIENCE: Millis = 5_000;

impl Session {
    /// A word is begun, or finished.
    pub(super) fn compose(&mut self, begins: bool) {
        match begins {
            true if self.composing.until.is_none() => self.composing.until = Some(self.now + PATIENCE),
            true => {}
            false => self.hear_all(),
        }
    }

    /// Keeps a change from elsewhere for later. Returns whether it does.
    pub(super) fn waits_for_word(&mut self, update: &[u8], origin: Origin) -> bool {
        let waits = self.composing.until.is_some();
        if waits {
            self.composing.waiting.push((update.to_vec(), origin));
        }
        waits
    }

    pub(super) fn composing_deadline(&self) -> Option<Millis> {
        self.composing.until
    }

    /// What has waited is taken in.
    pub(super) fn hear_all(&mut self) {
        self.composing.until = None;
        for (update, origin) in std::mem::take(&mut self.composing.waiting) {
            match origin {
                Origin::Remote => self.remote_update(&update),
                _ => {
                    self.apply(&update, origin, false);
                }
            }
        }
    }

    /// The document is another one: what waits is of the one before.
    pub(super) fn forget_waiting(&mut self) {
        self.composing.waiting.clear();
    }
}
