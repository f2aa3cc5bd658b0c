//! How a room ends, and what its peers are told.

use slate_yrs::protocol::close;

use crate::storage::{Fault, Refusal, StorageError};

pub(super) enum End {
    /// Empty, or shutting down: everything is stored.
    Done,
    /// The peers must come again, to another copy of the document.
    Failed { fault: Fault, error: String },
    /// The document was deleted, or another one has its id.
    Epoch,
}

impl End {
    pub fn farewell(&self) -> (u16, &'static str) {
        match self {
            Self::Done => (close::RESTART, "the server is restarting"),
            Self::Epoch => (close::EPOCH, "the document was deleted or replaced"),
            Self::Failed { fault, .. } => (close::INTERNAL, fault.reason()),
        }
    }
}

pub(super) fn failed(error: StorageError) -> End {
    End::Failed { fault: error.fault(), error: error.to_string() }
}

pub(super) fn replaced() -> End {
    End::Failed { fault: Fault::Replaced, error: Refusal::Replaced.to_string() }
}

pub(super) fn panicked() -> End {
    End::Failed { fault: Fault::Other, error: "the room panicked".into() }
}
