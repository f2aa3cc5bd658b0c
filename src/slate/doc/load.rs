//! Updates into the Y.Doc, and the tree read anew from it: for opening a document, before an editor looks at it.

use std::collections::HashSet;

use yrs::{BranchID, Transact as _, TransactionMut, XmlTextRef};

use super::SlateDoc;
use crate::format::format_of;
use crate::slate::value::error::UpdateError;
use crate::slate::ydoc::values::TouchedMaps;
use crate::update::{Limits, Refused, has_wide_client};

impl SlateDoc {
    /// Applies an update without saying what changed: for opening a document, before an editor looks at it.
    pub fn load(&mut self, update: &[u8]) -> Result<bool, UpdateError> {
        let (_, changed) = self.integrate(update, Limits::STORED)?;
        if changed {
            self.rebuild();
        }
        Ok(changed)
    }

    /// [`SlateDoc::load`] for the rows of a log, in whatever order they are: says of each whether it could be read, and
    /// how many foreign embeds were met.
    pub fn load_all(&mut self, updates: &[&[u8]]) -> (Vec<bool>, u32) {
        self.touched = TouchedMaps::All;
        let wide: Vec<bool> = updates.iter().map(|update| has_wide_client(update)).collect();
        let narrow = updates.iter().copied().zip(&wide).filter(|(_, wide)| !**wide).map(|(update, _)| update);
        let mut taken = self.intake.apply_all(&self.doc, narrow, Limits::STORED, &mut |_| {}).into_iter();
        self.format = format_of(&self.doc.transact());
        self.copies.absorb();
        let read = wide.iter().map(|wide| !wide && taken.next().is_some_and(|taken| taken.is_ok())).collect();
        (read, self.rebuild())
    }

    /// Returns how many foreign embeds were met.
    pub(super) fn rebuild(&mut self) -> u32 {
        self.reference = self.read_anew();
        self.reference.foreign()
    }

    /// Returns the shared types that it changed, and whether it changed anything.
    pub(super) fn integrate(&mut self, update: &[u8], limits: Limits) -> Result<(Vec<XmlTextRef>, bool), UpdateError> {
        if has_wide_client(update) {
            return Err(UpdateError::Malformed("a client id has more than 53 bits".to_owned()));
        }
        let (mut transactions, mut branches) = (0, Vec::new());
        let (touched, text) = (&mut self.touched, self.options.root.as_str());
        let result = self.intake.apply(&self.doc, update, limits, &mut |txn| {
            touched.note(txn, text);
            branches.extend(changed_directly(txn).into_iter().map(|one| (id_of(&one), one)));
            transactions += 1;
        });
        self.format = format_of(&self.doc.transact());
        self.copies.absorb();
        let changed = transactions > 0;
        if transactions > 1 {
            // Each once, without those that a later transaction removed: these must not be looked at.
            let (txn, mut seen) = (self.doc.transact(), HashSet::new());
            branches.retain(|(id, _)| seen.insert(id.clone()) && id.get_branch(&txn).is_some());
        }
        let branches = branches.into_iter().map(|(_, one)| one).collect();
        match result {
            // What was integrated before the error is in the doc and must reach the editor.
            Err(error) if !changed => Err(refused(&error)),
            _ => Ok((branches, changed)),
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
