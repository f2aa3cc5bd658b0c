//! Why a database takes nothing: what clients are told, what operators count.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Full,
    ReadOnly,
    Locked,
    /// The disk answers with errors, or the process may write no more to a file.
    Io,
    /// The file was moved or deleted while it was open.
    Gone,
    /// Another database has its place.
    Replaced,
    Damaged,
    Slow,
    Away,
    Other,
}

impl Fault {
    pub const ALL: [Self; 10] = [
        Self::Full,
        Self::ReadOnly,
        Self::Locked,
        Self::Io,
        Self::Gone,
        Self::Replaced,
        Self::Damaged,
        Self::Slow,
        Self::Away,
        Self::Other,
    ];

    /// In metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::ReadOnly => "read-only",
            Self::Locked => "locked",
            Self::Io => "io",
            Self::Gone => "gone",
            Self::Replaced => "replaced",
            Self::Damaged => "damaged",
            Self::Slow => "slow",
            Self::Away => "away",
            Self::Other => "other",
        }
    }

    /// To people, and in close frames.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Full => "the server's disk is full",
            Self::ReadOnly => "the server's database is read-only",
            Self::Locked => "another process has locked the server's database",
            Self::Io => "the server's disk fails",
            Self::Gone => "the file of the server's database is gone",
            Self::Replaced => "the server's database was replaced",
            Self::Damaged => "the server's database is damaged",
            Self::Slow => "the server's database does not answer",
            Self::Away => "the server's database cannot be reached",
            Self::Other => "the document cannot be stored at the moment",
        }
    }

    /// Whether it concerns the database as a whole: to store a part of what failed is no use.
    pub fn is_outage(self) -> bool {
        !matches!(self, Self::Other | Self::Slow | Self::Damaged)
    }
}
