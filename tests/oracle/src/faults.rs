//! What may be wrong.

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A letter that nobody removed is gone.
    Lost,
    /// A letter, or the id of a block, is there twice.
    Doubled,
    /// A removed letter is there.
    Back,
    /// The letters of one element are in another order.
    Order,
    /// Something typed is not where it was typed.
    Place,
    /// A division is gone.
    Breaks,
    /// A division that nobody made.
    Joins,
    /// A letter is in another kind of block; a void is gone or twice.
    Kind,
    /// A shape that nobody had; an empty element that nobody left.
    Shape,
    /// Bold lost or gained.
    Marks,
    /// Undo or redo leaves something of one's own, or changes something of others.
    Undo,
    /// An edit after the exchange changes something else as well.
    Calm,
    /// Who has the updates alone sees something else than their author.
    Flush,
    /// Two see different things.
    Differ,
    /// Something panicked, was refused, or waits for ever.
    Threw,
}

impl Kind {
    pub const ALL: [Self; 15] = [
        Self::Lost,
        Self::Doubled,
        Self::Back,
        Self::Order,
        Self::Place,
        Self::Breaks,
        Self::Joins,
        Self::Kind,
        Self::Shape,
        Self::Marks,
        Self::Undo,
        Self::Calm,
        Self::Flush,
        Self::Differ,
        Self::Threw,
    ];

    pub fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

#[derive(Debug, Clone)]
pub struct Fault {
    pub kind: Kind,
    pub what: String,
}

impl Fault {
    pub fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.what)
    }
}
