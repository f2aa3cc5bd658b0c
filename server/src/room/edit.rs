//! An edit that is worked out on the document as it is, for whoever asks the room for it.

use serde_json::Value;
use tokio::sync::oneshot;

use crate::allowance::Taker;
use crate::live::{EditError, Made, Taking};
use crate::storage::{OnceName, Seq, random_id};

/// From the document as one update, and the client id to write as, to an edit.
pub type EditWork = Box<dyn FnOnce(&[u8], u32) -> Result<Made, EditError> + Send>;

/// An edit that is worked out on the document as it is: going back to an earlier state, or what a program asks for.
pub struct Edit {
    pub work: EditWork,
    pub author: Option<String>,
    /// Who stores what comes of it.
    pub taker: Option<Taker>,
    /// Under which the request is done once; another one under its name is refused.
    pub key: Option<OnceName>,
    /// What goes with the edit, which is done only if it is there.
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
    /// It was stored when it was asked for before.
    pub replayed: bool,
}

/// Of a replica that makes one edit. It is not zero, and never met again.
pub(crate) fn fresh_client_id() -> u32 {
    u32::from_str_radix(&random_id()[..8], 16).map_or(1, |id| id.max(1))
}
