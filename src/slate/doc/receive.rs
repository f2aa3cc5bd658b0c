//! Remote updates.

use super::{RemoteChange, SlateDoc};
use crate::slate::value::error::UpdateError;
use crate::slate::value::op::Range;

impl SlateDoc {
    /// Applies an update from elsewhere. Bytes already known change nothing; an update that depends on missing ones is
    /// kept and takes effect when they come.
    pub fn apply_update(&mut self, update: &[u8]) -> Result<RemoteChange, UpdateError> {
        self.apply_update_at(update, &|_| None)
    }

    /// The same where somebody is typing. `caret`: where the selection is, asked for if it matters.
    pub fn apply_update_at(
        &mut self,
        update: &[u8],
        caret: &dyn Fn(&Self) -> Option<Range>,
    ) -> Result<RemoteChange, UpdateError> {
        self.receive_told(update, caret, true)
    }

    /// [`SlateDoc::apply_update`] while there is no editor: what fills an empty document comes without its operations.
    pub fn apply_unheard(&mut self, update: &[u8]) -> Result<RemoteChange, UpdateError> {
        let told = !self.is_by_reference() && !self.is_empty();
        self.receive_told(update, &|_| None, told)
    }

    fn receive_told(
        &mut self,
        update: &[u8],
        caret: &dyn Fn(&Self) -> Option<Range>,
        told: bool,
    ) -> Result<RemoteChange, UpdateError> {
        // In format 1 there may be something that is not shown.
        let is_first = match self.is_by_reference() {
            true => self.reference.is_empty() && self.reference.tree().kids.is_empty(),
            false => self.reference.tree().kids.is_empty(),
        };
        match is_first {
            true => self.receive_first(update, told),
            false => self.receive(update, caret, told),
        }
    }

    /// After an update that changed the format.
    #[cold]
    pub(super) fn show_anew(&mut self, told: bool) -> RemoteChange {
        // What is shown is still that of before.
        let before = self.value();
        let foreign = self.rebuild();
        let ops = if told { Self::diff(&before, &self.value()) } else { Vec::new() };
        RemoteChange { ops, changed: true, pending: self.is_waiting(), foreign, ..RemoteChange::default() }
    }
}
