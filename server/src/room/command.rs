//! What a room is asked to do.

use axum::body::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use super::announce::Listen;
use super::edit::Edit;
use super::participant::Participant;
use super::send_queue::SendQueue;
use crate::allowance::Taker;
use crate::hints::ConnId;
use crate::storage::Seq;

/// Small: a mailbox has room for many.
pub enum Command {
    Join(Box<JoinRequest>),
    Frame {
        conn: ConnId,
        bytes: Bytes,
        received: std::time::Instant,
        /// Its share of what may wait for the room; given back when it is stored.
        held: OwnedSemaphorePermit,
    },
    Leave {
        conn: ConnId,
    },
    Edit(Box<Edit>),
    /// Somebody listens, and edits nothing.
    Listen(Listen),
    /// This user's connections end.
    Kick {
        user: String,
    },
    /// Another server may have stored updates of this epoch up to this one.
    StoredElsewhere {
        epoch: String,
        seq: Seq,
    },
    /// Presence at another server, which counts as one connection.
    PresenceElsewhere {
        server: ConnId,
        update: Vec<u8>,
    },
    /// Another server wants to know who is here.
    TellNeighbours,
    /// Hints pass again: ask the others, and look.
    AskNeighbours,
}

/// A connection that wants in.
pub struct JoinRequest {
    pub conn: ConnId,
    pub who: Participant,
    /// Who stores what comes from it.
    pub taker: Option<Taker>,
    /// May make the document if there is none.
    pub create: bool,
    pub queue: SendQueue,
}
