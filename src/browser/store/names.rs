//! The names of the object stores and the index of the database.

pub const DOCUMENTS: &str = "documents";
pub const LOG: &str = "log";
pub const OUTBOX: &str = "outbox";
pub const SET_ASIDE: &str = "set_aside";
pub const ALL: [&str; 4] = [DOCUMENTS, LOG, OUTBOX, SET_ASIDE];
/// Index of the log by document.
pub const BY_DOCUMENT: &str = "document";
