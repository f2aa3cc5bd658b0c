//! Where a session is in its life, and whose document it has: data only.

use super::types::Millis;
use crate::slate::SlateDoc;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The local copy is not loaded yet.
    Opening,
    Open,
    /// The store still has something to do, until then at most.
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
    /// It is another one, and nobody has said what shall become of the copy.
    Conflict,
    /// What the server has, on its way to replace the local copy.
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
