//! What is planned and what is held: one client's structs, and where their bytes are.

/// Client and clock.
pub(super) type StructId = (u64, u64);

/// Where bytes are: in the update, or held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Update,
    Held(u64),
}

/// One client's structs in an update, and how far they are planned.
#[derive(Debug, Clone)]
pub(super) struct Section {
    pub source: Source,
    pub client: u64,
    /// Where the next struct is, its clock, and how many are left.
    pub at: usize,
    pub clock: u64,
    pub left: u64,
}
