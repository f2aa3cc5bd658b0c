//! Where the two databases differ, and what the rows of both have.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// What a commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// A loss of power.
    #[default]
    Full,
    /// The process being killed, not the machine. For tests.
    Process,
}

/// Of the bytes of an update, stored beside them.
pub(super) fn checksum(bytes: &[u8]) -> i64 {
    i64::from(crc32fast::hash(bytes))
}
