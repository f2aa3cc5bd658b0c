//! What a session holds while it waits for something: data only.

use super::types::{Millis, Origin};
use crate::slate::SlateDoc;

/// A word is being composed, or not.
#[derive(Debug, Default)]
pub(super) struct Composing {
    /// Until when changes from elsewhere wait; none: they do not.
    pub until: Option<Millis>,
    /// In the order in which they came.
    pub waiting: Vec<(Vec<u8>, Origin)>,
}

/// The server's document is of a higher format, and on its way.
#[derive(Debug)]
pub(super) struct Overtaken {
    /// Whether the server was asked for all of it.
    pub asked: bool,
    /// What the server has, once it is here.
    pub theirs: Option<SlateDoc>,
    /// When the server is asked again, and this tab translates even if it is not its turn.
    pub until: Millis,
}
