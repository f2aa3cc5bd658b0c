//! Which of a device's tabs keeps what the server sends: one of them, so that it is stored once.
//!
//! Each tab journals its own edits in any case. A tab that becomes the keeper first stores what it has received while
//! another tab was the keeper: whatever that one did not finish is then stored by this one, or, if the whole browser
//! was killed, still on the server.

use crate::slate::SlateDoc;
use crate::store::Write;

use super::journal::Journal;

#[derive(Debug)]
pub(super) enum Keeping {
    /// By this tab.
    Here,
    /// By another tab. `since`: the state vector of what the device has at least; `missed`: something has come since.
    Elsewhere { since: Vec<u8>, missed: bool },
}

impl Keeping {
    /// Another tab keeps what the server sends, or this one does from now on. `settled`: the document as far as it is
    /// decided. Returns whether this one has taken over.
    pub fn change(&mut self, here: bool, doc: &SlateDoc, settled: &SlateDoc, journal: &mut Journal) -> bool {
        match (&self, here) {
            (Self::Here, false) => {
                *self = Self::Elsewhere { since: doc.state_vector(), missed: false };
                false
            }
            (Self::Elsewhere { since, missed }, true) => {
                if *missed && let Ok(update) = settled.encode_state(Some(since)) {
                    journal.write(Write::Append { update });
                }
                *self = Self::Here;
                true
            }
            _ => false,
        }
    }

    /// The device has everything that is in the document now.
    pub fn kept_all(&mut self, doc: &SlateDoc) {
        if let Self::Elsewhere { since, missed } = self {
            *since = doc.state_vector();
            *missed = false;
        }
    }

    /// Something from the server that the device may not have.
    pub fn received(&mut self, update: &[u8], journal: &mut Journal) {
        match self {
            Self::Here => journal.write(Write::Append { update: update.to_vec() }),
            Self::Elsewhere { missed, .. } => *missed = true,
        }
    }

    /// Whether this tab may compact the log. Without a connection no tab keeps what the server sends, and any tab may.
    /// Two that do it at once make two snapshots, and the next compaction makes one of them.
    pub fn compacts(&self, online: bool) -> bool {
        matches!(self, Self::Here) || !online
    }
}
