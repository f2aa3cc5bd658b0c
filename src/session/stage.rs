//! What one input has led to so far. [`super::Session`] puts it in order when the input is done.

use crate::slate::{Op, Path, Range};

use super::types::{ErrorCode, Origin, Output, SessionError};

/// What of the document one input has changed, as far as positions in it are concerned.
#[derive(Debug, Default, PartialEq)]
pub(super) enum DocChange {
    #[default]
    Nothing,
    /// The characters of one text: positions elsewhere are where they were.
    Text(Path),
    Anything,
}

impl DocChange {
    pub fn of(ops: &[Op]) -> Self {
        ops.iter().fold(Self::Nothing, |change, op| change.and(Self::of_one(op)))
    }

    fn of_one(op: &Op) -> Self {
        match op {
            Op::InsertText { path, .. } | Op::RemoveText { path, .. } => Self::Text(path.clone()),
            _ => Self::Anything,
        }
    }

    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, change) | (change, Self::Nothing) => change,
            (Self::Text(one), Self::Text(other)) if one == other => Self::Text(one),
            _ => Self::Anything,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Stage {
    /// For the editor: batches of operations, selections.
    pub editor: Vec<Output>,
    pub updates: Vec<Output>,
    pub values: Vec<Output>,
    /// To the network and the store, in order.
    pub orders: Vec<Output>,
    pub errors: Vec<SessionError>,
    pub doc: DocChange,
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

    /// After the operations there are.
    pub fn compare(&mut self, blocks: Vec<u32>) {
        if !blocks.is_empty() {
            self.editor.push(Output::Compare { blocks });
        }
    }

    pub fn update(&mut self, origin: Origin, update: Vec<u8>) {
        self.updates.push(Output::Update { origin, update });
    }

    pub fn order(&mut self, order: Output) {
        self.orders.push(order);
    }

    /// The document has been changed.
    pub fn changed(&mut self, change: DocChange) {
        self.doc = std::mem::take(&mut self.doc).and(change);
    }

    pub fn error(&mut self, code: ErrorCode, message: impl Into<String>) -> &SessionError {
        self.errors.push(SessionError { code, message: message.into() });
        &self.errors[self.errors.len() - 1]
    }
}
