//! Which of a device's tabs keeps what the server sends: one of them, so that it is stored once.
//!
//! Own edits are journaled by their own tab in any case. A tab that takes over stores first what it has received while
//! another one was to keep it: whatever that one did not finish is then stored by this one, or, if the whole browser
//! was killed, still on the server.

use crate::store::Write;

use super::Session;

#[derive(Debug)]
pub(super) enum Keeping {
    /// Here.
    Here,
    /// By another tab. `since`: a state vector, what the device has at least; `missed`: something came after it.
    Elsewhere { since: Vec<u8>, missed: bool },
}

impl Session {
    /// Another tab keeps what the server sends, or this one does from now on.
    pub(super) fn keep(&mut self, here: bool) {
        match (&self.keeping, here) {
            (Keeping::Here, false) => {
                self.keeping = Keeping::Elsewhere { since: self.doc.state_vector(), missed: false };
            }
            (Keeping::Elsewhere { since, missed }, true) => {
                if *missed && let Ok(update) = self.settled().encode_state(Some(since)) {
                    self.journal.write(Write::Append { update });
                }
                self.keeping = Keeping::Here;
                self.take_over();
            }
            _ => {}
        }
    }

    /// The device has everything that is in the document now.
    pub(super) fn kept_all(&mut self) {
        if let Keeping::Elsewhere { since, missed } = &mut self.keeping {
            *since = self.doc.state_vector();
            *missed = false;
        }
    }

    /// Something from the server that the device may not have.
    pub(super) fn keep_received(&mut self, update: &[u8]) {
        match &mut self.keeping {
            Keeping::Here => self.journal.write(Write::Append { update: update.to_vec() }),
            Keeping::Elsewhere { missed, .. } => *missed = true,
        }
    }

    /// Whether the log is this tab's to compact. Without a connection there is nobody who keeps what the server sends:
    /// then it is anyone's. Two that do it at once make two snapshots, which the next one makes one of.
    pub(super) fn compacts(&self) -> bool {
        matches!(self.keeping, Keeping::Here) || !self.link.is_online()
    }
}
