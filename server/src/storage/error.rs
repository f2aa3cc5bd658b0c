//! What can go wrong with a database.

use thiserror::Error;

use super::fault::Fault;

#[derive(Debug, Error)]
pub enum StorageError {
    #[error("the database failed: {reason}")]
    Database { fault: Fault, reason: String },
    #[error("the database could not be brought to this version: {0}")]
    Migration(String),
    #[error("cannot use the database {url}: {reason}")]
    Url { url: String, reason: String },
    #[error("no document {0:?}")]
    NoDocument(String),
    #[error("{0} is damaged")]
    Damaged(String),
    #[error("{0} was moved or deleted while it was open, or something was put in its place")]
    Gone(String),
    #[error("{path}: {error}")]
    Disk { path: String, error: String },
    #[error("the database did not answer in time")]
    Slow,
    /// Made by tests, and by whoever gave up on a database.
    #[error("the storage is not available: {0}")]
    Unavailable(String),
}

impl StorageError {
    pub fn fault(&self) -> Fault {
        match self {
            Self::Database { fault, .. } => *fault,
            Self::Gone(_) => Fault::Gone,
            Self::Disk { .. } => Fault::Io,
            Self::Slow => Fault::Slow,
            Self::Damaged(_) => Fault::Damaged,
            Self::Migration(_) | Self::Url { .. } | Self::NoDocument(_) | Self::Unavailable(_) => Fault::Other,
        }
    }
}
