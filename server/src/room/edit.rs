//! An edit that is worked out on the document as it is, for whoever asks the room for it.

use serde_json::Value;
use tokio::sync::oneshot;

use crate::allowance::Taker;
use crate::live::{EditError, Made};
use crate::storage::Seq;

/// From the document as one update, and the client id to write as, to an edit.
pub type EditWork = Box<dyn FnOnce(&[u8], u32) -> Result<Made, EditError> + Send>;

/// An edit that is worked out on the document as it is: going back to an earlier state, or what a program asks for.
pub struct Edit {
    pub work: EditWork,
    pub author: Option<String>,
    /// Who stores what comes of it.
    pub taker: Option<Taker>,
    /// Under which the request is done once.
    pub key: Option<EditKey>,
    /// Answered when the edit is stored; dropped if it cannot be.
    pub done: oneshot::Sender<Result<Edited, EditError>>,
}

/// What a request that is sent again is known by.
#[derive(Debug, Clone)]
pub struct EditKey {
    /// Kept like a client's session, in the same transaction as the edit.
    pub session: String,
    /// What the request was; another one under the key is refused.
    pub request: String,
}

/// An edit that is stored.
#[derive(Debug)]
pub struct Edited {
    pub epoch: String,
    pub tip: Seq,
    pub report: Value,
    /// It was stored when it was asked for before.
    pub replayed: bool,
}
