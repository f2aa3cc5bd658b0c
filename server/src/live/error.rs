//! Why an edit is not done.

use thiserror::Error;

use crate::history::HistoryError;
use crate::replica::ApplyError;

/// Why nothing of a request was done.
#[derive(Debug, Error)]
pub enum EditError {
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error("the edit cannot be applied: {0}")]
    Apply(#[from] ApplyError),
    /// What an edit is about is not there, or there several times.
    #[error("edit {edit}: {message}")]
    Found { edit: usize, code: &'static str, message: String, found: Vec<String> },
    #[error("edit {edit}: {message}")]
    Invalid { edit: usize, message: String },
    #[error("the edits come to {0} bytes, which is more than the server takes")]
    TooLarge(usize),
    #[error("{0}")]
    Full(&'static str),
    #[error("this Idempotency-Key was used for another request")]
    KeyReused,
    #[error("what was to be taken is not there: somebody else has taken it, or it was taken back")]
    Taken,
}

/// Why an edit cannot be done.
pub enum Unplanned {
    /// It is not there, or not once.
    Found {
        code: &'static str,
        message: String,
        found: Vec<String>,
    },
    Invalid(String),
}

impl Unplanned {
    /// Of the edit with this number.
    pub fn of(self, edit: usize) -> EditError {
        match self {
            Self::Found { code, message, found } => EditError::Found { edit, code, message, found },
            Self::Invalid(message) => EditError::Invalid { edit, message },
        }
    }
}

impl From<String> for Unplanned {
    fn from(message: String) -> Self {
        Self::Invalid(message)
    }
}
