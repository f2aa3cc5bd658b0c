//! The stage: what one input has led to so far. [`super::Session`] puts it in order when the input is done.

use std::collections::VecDeque;

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

/// What a change of the document leads to outside it. The session does it as soon as the change is whole.
#[derive(Debug, PartialEq)]
pub(super) enum Effect {
    /// An update waits for others that are missing: asks the server for them.
    Ask,
    /// Answers the server's step 1, which had to wait; with its state vector.
    Answer(Vec<u8>),
    /// Sends what is pending.
    Pump,
    /// Brings the document to the format that it is to have, if that may be done.
    SettleFormat,
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
    /// Still to be done, in order.
    pub effects: VecDeque<Effect>,
    /// The writes of this input are meant for the copy whatever its epoch is.
    pub any_epoch: bool,
    /// The last error there was: it stays.
    pub last_error: Option<SessionError>,
    /// Why there is no connection, as far as is known: it stays, too, until there is one.
    pub unreachable: Option<SessionError>,
}

impl Stage {
    /// Takes what is to be told now.
    pub fn take(&mut self) -> Self {
        let (last_error, unreachable) = (self.last_error.take(), self.unreachable.take());
        std::mem::replace(self, Self { last_error, unreachable, ..Self::default() })
    }

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

    /// Told once per input.
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

    pub fn effect(&mut self, effect: Effect) {
        if self.effects.back() != Some(&effect) {
            self.effects.push_back(effect);
        }
    }

    /// The document has been changed.
    pub fn changed(&mut self, change: DocChange) {
        self.doc = std::mem::take(&mut self.doc).and(change);
    }

    /// Tells of an error, and keeps it for the status.
    pub fn report(&mut self, code: ErrorCode, message: impl Into<String>) {
        let error = SessionError { code, message: message.into() };
        self.errors.push(error.clone());
        self.last_error = Some(error);
        self.unreachable = None;
    }

    /// Tells of an error that the status does not keep.
    pub fn error(&mut self, code: ErrorCode, message: impl Into<String>) {
        self.errors.push(SessionError { code, message: message.into() });
    }

    /// In the status, until there is a connection. Without an event, which would come with every try.
    pub fn unreachable(&mut self, code: ErrorCode, message: String) {
        self.unreachable = Some(SessionError { code, message });
    }

    /// What the status says of errors.
    pub fn error_now(&self) -> Option<&SessionError> {
        self.unreachable.as_ref().or(self.last_error.as_ref())
    }
}
