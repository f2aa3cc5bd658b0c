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

/// Kept small, because a mailbox has places for many.
pub enum Command {
    Join(Box<JoinRequest>),
    Frame {
        conn: ConnId,
        bytes: Bytes,
        received: std::time::Instant,
        /// Its share of the bytes that may wait for the room; given back when the frame's updates are stored.
        held: OwnedSemaphorePermit,
    },
    Leave {
        conn: ConnId,
    },
    Edit(Box<Edit>),
    /// Somebody listens, and edits nothing.
    Listen(Listen),
    /// End this user's connections.
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
    /// Hints pass between servers again: ask the others who is there, and the database what was stored.
    AskNeighbours,
}

/// A connection that asks to join.
pub struct JoinRequest {
    pub conn: ConnId,
    pub who: Participant,
    /// Whose allowance pays for what comes from it.
    pub taker: Option<Taker>,
    /// May make the document if there is none.
    pub create: bool,
    pub queue: SendQueue,
}
