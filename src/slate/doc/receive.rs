//! Remote updates.

use yrs::Transact as _;

use super::by_reference::BY_REFERENCE;
use super::{RemoteChange, SlateDoc};
use crate::slate::error::UpdateError;
use crate::slate::op::Range;
use crate::slate::remote::Remote;
use crate::slate::tree::ROOT;
use crate::update::Limits;

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
        if self.reference.is_some() {
            return self.receive_by_reference(update, caret, true);
        }
        if self.tree.children(ROOT).is_empty() {
            return self.receive_first(update, true);
        }
        self.tree.recycle();
        self.watch.start();
        let integrated = self.integrate(update, Limits::RECEIVED);
        let records = self.watch.stop();
        let (branches, changed) = integrated?;
        if !self.is_writable() || self.format == BY_REFERENCE {
            return Ok(self.show_anew(changed));
        }
        let txn = self.doc.transact();
        let outcome = Remote::new(&mut self.tree, &txn).run(&branches, records);
        drop(txn);
        for &id in &outcome.touched {
            self.looks.changed(id);
            self.watch(id);
        }
        let (ops, resynced, foreign) = (outcome.ops, outcome.resynced, outcome.foreign);
        Ok(RemoteChange { ops, changed, pending: self.is_waiting(), selection: None, resynced, foreign })
    }

    /// [`SlateDoc::apply_update`] while there is no editor: what fills an empty document comes without its operations.
    pub fn apply_unheard(&mut self, update: &[u8]) -> Result<RemoteChange, UpdateError> {
        if self.reference.is_some() {
            return self.receive_by_reference(update, &|_| None, false);
        }
        match self.tree.children(ROOT) {
            [] => self.receive_first(update, false),
            _ => self.apply_update(update),
        }
    }

    /// After an update that changed the format, or to a document that must not be written.
    #[cold]
    fn show_anew(&mut self, changed: bool) -> RemoteChange {
        // The tree is still that of before.
        let before = self.value();
        let foreign = self.rebuild();
        let ops = Self::diff(&before, &self.value());
        RemoteChange { ops, changed, pending: self.is_waiting(), foreign, ..RemoteChange::default() }
    }
}
