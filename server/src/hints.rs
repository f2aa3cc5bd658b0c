//! What rooms leave for other servers, and how connections are named so that another server's are told apart.
//!
//! Rooms and presence know this and not who carries it: that is [`crate::neighbours`].

use tokio::sync::mpsc;

use crate::storage::{Millis, Seq};

/// Names a connection within this process.
pub type ConnId = u64;

/// Connections of this process count from 1; other servers are seen as connections from here on.
pub const REMOTE: ConnId = 1 << 63;

/// Whether a presence comes from another server.
pub fn is_remote(conn: ConnId) -> bool {
    conn >= REMOTE
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// The document is stored up to this update, in this lifetime.
    Stored { epoch: String, seq: Seq },
    /// Presence of the sender's connections, see [`crate::presence::RoomPresence::take_elsewhere`].
    Presence(Vec<u8>),
    /// A room has opened: who has presence of this document?
    WhoIsThere,
    /// Of no document: for the sender itself.
    Beat,
    /// This user was kicked at this time; from everywhere, where the hint is of no document.
    Kick { user: String, at: Millis },
}

/// Where rooms leave hints for other servers.
#[derive(Clone)]
pub struct Hints {
    queue: Option<mpsc::Sender<(String, Hint)>>,
}

impl Hints {
    pub(crate) fn to(queue: mpsc::Sender<(String, Hint)>) -> Self {
        Self { queue: Some(queue) }
    }

    /// Goes nowhere.
    pub fn none() -> Self {
        Self { queue: None }
    }

    pub fn are_used(&self) -> bool {
        self.queue.is_some()
    }

    /// Never waits: hints may be lost.
    pub fn send(&self, document: &str, hint: Hint) {
        if let Some(queue) = &self.queue {
            let _ = queue.try_send((document.to_owned(), hint));
        }
    }
}
