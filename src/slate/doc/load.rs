//! Updates into the Y.Doc, and the tree read anew from it: for opening a document, before an editor looks at it.

use std::collections::HashSet;

use yrs::{BranchID, Transact as _, TransactionMut, XmlTextRef};

use super::SlateDoc;
use crate::format::format_of;
use crate::slate::value::error::UpdateError;
use crate::slate::ydoc::values::TouchedMaps;
use crate::update::{Limits, Refused};

impl SlateDoc {
    /// Applies an update without saying what changed: for opening a document, before an editor looks at it.
    pub fn load(&mut self, update: &[u8]) -> Result<bool, UpdateError> {
        let changed = self.integrate_all(update, Limits::STORED)?;
        if changed {
            self.rebuild();
        }
        Ok(changed)
    }

    /// [`SlateDoc::load`] for the rows of a log, in whatever order they are: says of each whether it could be read, and
    /// how many foreign embeds were met.
    pub fn load_all(&mut self, updates: &[&[u8]]) -> (Vec<bool>, u32) {
        self.touched = TouchedMaps::All;
        let taken = self.intake.apply_all(&self.doc, updates.iter().copied(), Limits::STORED, &mut |_| {});
        self.format = format_of(&self.doc.transact());
        self.copies.absorb();
        (taken.iter().map(Result::is_ok).collect(), self.rebuild())
    }

    /// Returns how many foreign embeds were met.
    pub(super) fn rebuild(&mut self) -> u32 {
        self.reference = self.read_anew();
        self.reference.foreign()
    }

    /// Returns the shared types that it changed, and whether it changed anything.
    pub(super) fn integrate(&mut self, update: &[u8], limits: Limits) -> Result<(Vec<XmlTextRef>, bool), UpdateError> {
        let (mut transactions, mut branches) = (0, Vec::new());
        let changed = self.take_in(update, limits, &mut |txn| {
            branches.extend(changed_directly(txn).into_iter().map(|one| (id_of(&one), one)));
            transactions += 1;
        })?;
        if transactions > 1 {
            // Each once, without those that a later transaction removed: these must not be looked at.
            let (txn, mut seen) = (self.doc.transact(), HashSet::new());
            branches.retain(|(id, _)| seen.insert(id.clone()) && id.get_branch(&txn).is_some());
        }
        Ok((branches.into_iter().map(|(_, one)| one).collect(), changed))
    }

    /// The same where all is read anew. Returns whether it changed anything.
    pub(super) fn integrate_all(&mut self, update: &[u8], limits: Limits) -> Result<bool, UpdateError> {
        self.take_in(update, limits, &mut |_| {})
    }

    fn take_in(
        &mut self,
        update: &[u8],
        limits: Limits,
        each: &mut dyn FnMut(&TransactionMut),
    ) -> Result<bool, UpdateError> {
        let mut changed = false;
        let (touched, text) = (&mut self.touched, self.options.root.as_str());
        let result = self.intake.apply(&self.doc, update, limits, &mut |txn| {
            touched.note(txn, text);
            changed = true;
            each(txn);
        });
        self.format = format_of(&self.doc.transact());
        self.copies.absorb();
        match result {
            // What was integrated before the error is in the doc and must reach the editor.
            Err(error) if !changed => Err(refused(&error)),
            _ => Ok(changed),
        }
    }
}

fn id_of(branch: &XmlTextRef) -> BranchID {
    let branch: &yrs::branch::Branch = branch.as_ref();
    branch.id()
}

pub(super) fn refused(error: &Refused) -> UpdateError {
    match error {
        Refused::Undecodable(_)
        | Refused::Unreadable(_)
        | Refused::TooLarge
        | Refused::Json
        | Refused::Unfaithful
        | Refused::ClientTwice => UpdateError::Malformed(error.to_string()),
        _ => UpdateError::Rejected(error.to_string()),
    }
}

/// yrs gives, for each type that changed, the chain from it up to its root, one after the other. The first of each chain
/// is what changed itself.
pub(super) fn changed_directly(txn: &TransactionMut) -> Vec<XmlTextRef> {
    let mut changed = Vec::new();
    let mut starts = true;
    for branch in txn.changed_parent_types() {
        if starts {
            changed.push(XmlTextRef::from(*branch));
        }
        starts = matches!(branch.id(), BranchID::Root(_));
    }
    changed
}
