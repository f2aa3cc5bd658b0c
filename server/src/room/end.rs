//! How a room ends, and what its peers are told.

use slate_yrs::protocol::close;

use crate::storage::{Fault, Refusal, StorageError};

const NO_DOCUMENT: &str = "there is no such document, and this token may make none";

pub(super) enum RoomEnd {
    /// Empty, or shutting down: everything is stored.
    Done,
    /// The clients must come again, to another replica of the document.
    Failed { fault: Fault, error: String },
    /// The document was deleted, or another one has its id.
    Epoch,
    /// There is no such document, and who opened the room may make none.
    Missing,
}

impl RoomEnd {
    pub fn farewell(&self) -> (u16, &'static str) {
        match self {
            Self::Done => (close::RESTART, "the server is restarting"),
            Self::Epoch => (close::EPOCH, "the document was deleted or replaced"),
            Self::Missing => (close::NO_DOCUMENT, NO_DOCUMENT),
            Self::Failed { fault, .. } => (close::INTERNAL, fault.reason()),
        }
    }

    /// The same, to somebody who may make the document, and came to the room of somebody who may not.
    pub fn farewell_to_maker(&self) -> (u16, &'static str) {
        match self {
            Self::Missing => (close::INTERNAL, "the document is not there yet: come again"),
            _ => self.farewell(),
        }
    }
}

pub(super) fn failed(error: StorageError) -> RoomEnd {
    RoomEnd::Failed { fault: error.fault(), error: error.to_string() }
}

pub(super) fn replaced() -> RoomEnd {
    RoomEnd::Failed { fault: Fault::Replaced, error: Refusal::Replaced.to_string() }
}

pub(super) fn panicked() -> RoomEnd {
    RoomEnd::Failed { fault: Fault::Other, error: "the room panicked".into() }
}
