//! An edit that the room itself works out on the document as it is then, for whoever asks for it.

use serde_json::Value;
use tokio::sync::oneshot;

use crate::allowance::Taker;
use crate::live::{EditError, Made, Taking};
use crate::storage::{OnceName, Seq, random_id};

/// Makes an edit out of the document, as one update, and the client id that writes it.
pub type EditWork = Box<dyn FnOnce(&[u8], u32) -> Result<Made, EditError> + Send>;

/// An edit that is worked out on the document as it is: going back to an earlier state, or what a program asks for.
pub struct Edit {
    pub work: EditWork,
    pub author: Option<String>,
    /// Whose allowance pays for the edit.
    pub taker: Option<Taker>,
    /// The name under which the request is done once; another request under that name is refused.
    pub key: Option<OnceName>,
    /// A value that is removed with the edit; the edit is done only if the value is there.
    pub take: Option<Taking>,
    /// Answered when the edit is stored; dropped if it cannot be.
    pub done: oneshot::Sender<Result<Edited, EditError>>,
}

/// An edit that is stored.
#[derive(Debug)]
pub struct Edited {
    pub epoch: String,
    pub tip: Seq,
    pub report: Value,
    /// The same request was done before.
    pub replayed: bool,
}

/// A client id for one edit: not zero, and never used again.
pub(crate) fn fresh_client_id() -> u32 {
    u32::from_str_radix(&random_id()[..8], 16).map_or(1, |id| id.max(1))
}
