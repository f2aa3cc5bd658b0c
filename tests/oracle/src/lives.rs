//! What becomes of the people and their devices meanwhile.

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Life {
    /// All are there, all the time.
    Present,
    /// Pages are loaded again, up to three times, before anything was told.
    Reload,
    /// What was made is told in one piece.
    Merged,
    /// The client id changes in between.
    NewClient,
    /// Somebody has told everything, and never comes back.
    AuthorGone,
    /// The same, and deleted.
    EraserGone,
    /// The same, and formatted.
    FormatterGone,
    /// A server sends on what its own document has changed.
    Relay,
    Three,
    /// The document is raised from format 0 to 1 while somebody is offline and edits.
    Upgrade,
    /// A property of 40 kB.
    BigValue,
}

impl Life {
    pub const ALL: [Self; 11] = [
        Self::Present,
        Self::Reload,
        Self::Merged,
        Self::NewClient,
        Self::AuthorGone,
        Self::EraserGone,
        Self::FormatterGone,
        Self::Relay,
        Self::Three,
        Self::Upgrade,
        Self::BigValue,
    ];

    pub const fn people(self) -> usize {
        match self {
            Self::AuthorGone | Self::EraserGone | Self::FormatterGone | Self::Three | Self::Upgrade => 3,
            _ => 2,
        }
    }

    /// Whether the last of the people leaves after a round.
    pub const fn is_left(self) -> bool {
        matches!(self, Self::AuthorGone | Self::EraserGone | Self::FormatterGone)
    }
}

/// In which way updates reach somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Of each person in their order.
    InTurn,
    /// In any order.
    Shuffled,
    /// Each twice, in any order.
    Twice,
    /// All in one piece.
    Merged,
    /// One comes last.
    Gap,
}

impl Delivery {
    pub const ALL: [Self; 5] = [Self::InTurn, Self::Shuffled, Self::Twice, Self::Merged, Self::Gap];
}
