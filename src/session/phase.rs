//! How far a session is in its life, and whether the server has the document of its copy.

use super::types::Millis;
use crate::slate::SlateDoc;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The local copy is not loaded yet.
    Opening,
    Open,
    /// The store still has something to do; it is waited for until then at most.
    Closing {
        until: Millis,
    },
    Ended,
}

impl Phase {
    /// What the device has is loaded, or cannot be.
    pub fn is_loaded(self) -> bool {
        self != Self::Opening
    }

    pub fn closes_at(self) -> Option<Millis> {
        match self {
            Self::Closing { until } => Some(until),
            Self::Opening | Self::Open | Self::Ended => None,
        }
    }
}

/// Whether the server's document is the one of which this device has a copy.
#[derive(Debug)]
pub(super) enum Epoch {
    /// It is, as far as is known.
    Same,
    /// It is another one, and the application has not said what becomes of the copy.
    Conflict,
    /// The server's document, as far as it has come, which is to replace the local copy.
    Replacing(Box<SlateDoc>),
}

impl Epoch {
    pub fn is_same(&self) -> bool {
        matches!(self, Self::Same)
    }

    pub fn is_replacing(&self) -> bool {
        matches!(self, Self::Replacing(_))
    }
}
