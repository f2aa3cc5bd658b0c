//! What one input has led to so far. [`super::Session`] puts it in order when the input is done.

use crate::slate::{Op, Range};

use super::types::{ErrorCode, Origin, Output, SessionError};

#[derive(Debug, Default)]
pub(super) struct Stage {
    /// For the editor: batches of operations, selections.
    pub editor: Vec<Output>,
    pub updates: Vec<Output>,
    /// To the network and the store, in order.
    pub orders: Vec<Output>,
    pub errors: Vec<SessionError>,
    pub doc_changed: bool,
    /// The writes are meant for a copy of whatever epoch.
    pub any_epoch: bool,
}

impl Stage {
    /// Adds operations to the last batch if it has the same origin.
    pub fn operations(&mut self, origin: Origin, new: Vec<Op>) {
        if new.is_empty() {
            return;
        }
        match self.editor.last_mut() {
            Some(Output::Operations { origin: last, ops }) if *last == origin => ops.extend(new),
            _ => self.editor.push(Output::Operations { origin, ops: new }),
        }
    }

    pub fn select(&mut self, range: Range) {
        self.editor.push(Output::Select(range));
    }

    /// Said once per input.
    pub fn diverged(&mut self) {
        self.editor.retain(|output| *output != Output::Diverged);
        self.editor.push(Output::Diverged);
    }

    pub fn update(&mut self, origin: Origin, update: Vec<u8>) {
        self.doc_changed = true;
        self.updates.push(Output::Update { origin, update });
    }

    pub fn order(&mut self, order: Output) {
        self.orders.push(order);
    }

    pub fn error(&mut self, code: ErrorCode, message: impl Into<String>) -> &SessionError {
        self.errors.push(SessionError { code, message: message.into() });
        &self.errors[self.errors.len() - 1]
    }
}
