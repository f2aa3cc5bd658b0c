//! [`SlateDoc`] where the document is of format 1.

use yrs::{Assoc, BranchID, ID, IndexScope, Transact as _, XmlTextRef};

use super::reference::Reference;
use super::{LocalChange, Look, RemoteChange, SlateDoc};
use crate::format::{Format, note_translated, set_format, translated_of};
use crate::slate::error::UpdateError;
use crate::slate::op::{Op, Point, Range};
use crate::slate::steps;
use crate::slate::sticky::Sticky;
use crate::slate::tree::{ROOT, Tree};
use crate::slate::undo::MAP;
use crate::slate::view::Schema;
use crate::slate::write::Passage;
use crate::slate::ydoc::{Act, Id};
use crate::update::Limits;

/// The format that is written by reference.
pub const BY_REFERENCE: Format = 1;

/// A selection that stays with its characters: anchor and focus.
#[derive(Debug, Clone, PartialEq)]
pub struct Caret {
    anchor: Sticky,
    focus: Sticky,
    /// The character that a collapsed selection stands behind.
    behind: Option<Id>,
}

impl Caret {
    /// Whether it is collapsed right behind this character.
    pub fn stands_behind(&self, id: Id) -> bool {
        self.behind == Some(id)
    }
}

impl SlateDoc {
    /// Whether structure is written by reference.
    pub fn is_by_reference(&self) -> bool {
        self.reference.is_some()
    }

    /// After the document's format may have changed: reads it anew if it is another one now. Whether it is.
    pub(super) fn settle_format(&mut self) -> bool {
        let wanted = self.format == BY_REFERENCE;
        if wanted == self.reference.is_some() {
            return false;
        }
        self.reference = match (wanted, self.root_branch()) {
            (true, Some(root)) => Some(Box::new(self.read_by_reference(&root))),
            _ => None,
        };
        // What it keeps is of no use any more.
        self.tree = Tree::new(self.root_branch());
        true
    }

    /// The document as it is now.
    pub(super) fn read_by_reference(&self, root: &XmlTextRef) -> Reference {
        let (schema, client) = (self.options.schema.clone(), self.options.client_id);
        Reference::read(&mut self.doc.transact_mut(), root, schema, client)
    }

    pub(super) fn root_branch(&self) -> Option<XmlTextRef> {
        self.tree.branch(ROOT)
    }

    /// Brings a document to a higher format. To format 1: says which elements are inline and void, then sets the flag.
    /// Both are updates of their own, to be stored and sent in this order. Empty if it is that already, or something higher.
    pub fn raise_format(&mut self, format: Format) -> Vec<Vec<u8>> {
        let Some(root) = self.root_branch().filter(|_| self.format < format) else { return Vec::new() };
        if format != BY_REFERENCE {
            return vec![self.set_flag(format)];
        }
        let mut reference = self.read_by_reference(&root);
        let mut txn = self.doc.transact_mut();
        reference.write_kinds(&mut txn);
        txn.commit();
        let kinds = txn.has_changes().then(|| txn.encode_update_v1());
        drop(txn);
        kinds.iter().for_each(|kinds| self.intake.wrote(kinds));
        let flag = self.set_flag(format);
        self.settle_format();
        kinds.into_iter().chain([flag]).collect()
    }

    fn set_flag(&mut self, format: Format) -> Vec<u8> {
        let mut txn = self.doc.transact_mut();
        set_format(&mut txn, format);
        txn.commit();
        self.format = format;
        let flag = txn.encode_update_v1();
        drop(txn);
        self.intake.wrote(&flag);
        flag
    }

    /// Notes whose edits were translated, each up to a clock: one update.
    pub fn note_translated(&mut self, through: &[(u64, u32)]) -> Option<Vec<u8>> {
        let mut txn = self.doc.transact_mut();
        through.iter().for_each(|(client, clock)| note_translated(&mut txn, *client, *clock));
        txn.commit();
        let update = txn.has_changes().then(|| txn.encode_update_v1());
        drop(txn);
        update.iter().for_each(|update| self.intake.wrote(update));
        update
    }

    /// Below which clock the edits of a client were translated from format 0: [`crate::format::translated_of`].
    pub fn translated(&self, client: u64) -> u32 {
        translated_of(&self.doc.transact(), client)
    }

    /// Which elements are inline and void where the document does not say: as the editor has it. Operations for the editor,
    /// if that changes what is shown.
    pub fn set_schema(&mut self, schema: Schema) -> Vec<Op> {
        self.options.schema = schema.clone();
        self.reference.as_mut().map(|reference| reference.set_schema(schema)).unwrap_or_default()
    }

    /// The types of elements that the document says are inline, and of those that are void; also of what is not shown any
    /// more. Empty in other formats, which say nothing of it.
    pub fn kinds(&self) -> (Vec<String>, Vec<String>) {
        self.reference.as_ref().map(|reference| reference.kinds()).unwrap_or_default()
    }

    /// Operations from what is shown here to what another state of the same document shows, by the ids of elements and
    /// characters: what both have stays, or moves. `None` if one of them is of another format.
    pub fn steps_to(&self, other: &Self) -> Option<Vec<Op>> {
        Some(steps::steps(self.reference.as_ref()?.tree(), other.reference.as_ref()?.tree()))
    }

    pub(super) fn apply_by_reference(&mut self, ops: Vec<Op>) -> LocalChange {
        let mut change = LocalChange::default();
        let Some(reference) = &mut self.reference else { return change };
        let rng = &mut self.rng;
        let fresh_id = || (0..16).map(|_| rng.alphanumeric()).collect();
        let mut txn = self.doc.transact_mut();
        reference.local(&mut txn, ops, self.options.block_id.as_deref(), fresh_id, &mut change);
        // A commit joins what was typed to the text typed before it, and it would have to be cut out again.
        let early = (change.acts.len() == 1 && txn.has_changes()).then(|| txn.encode_update_v1());
        txn.commit();
        change.update = early.or_else(|| txn.has_changes().then(|| txn.encode_update_v1()));
        drop(txn);
        change.update.iter().for_each(|update| self.intake.wrote(update));
        change
    }

    pub(super) fn receive_by_reference(
        &mut self,
        update: &[u8],
        caret: &dyn Fn(&Self) -> Option<Range>,
        told: bool,
    ) -> Result<RemoteChange, UpdateError> {
        let at = if told { caret(self).and_then(|range| self.caret(&range)) } else { None };
        let (branches, changed) = self.integrate(update, Limits::RECEIVED)?;
        let mut change = RemoteChange { changed, pending: self.is_waiting(), ..RemoteChange::default() };
        if !changed {
            return Ok(change);
        }
        change.ops = self.lead(&branches, told);
        // Operations of text alone take the caret along by themselves.
        let is_text = |op: &Op| matches!(op, Op::InsertText { .. } | Op::RemoveText { .. });
        if let Some(at) = at.filter(|_| !change.ops.iter().all(is_text)) {
            change.selection = self.range(&at);
        }
        Ok(change)
    }

    /// After a transaction that changed these: what the editor has to do.
    fn lead(&mut self, branches: &[XmlTextRef], told: bool) -> Vec<Op> {
        let Some(reference) = &mut self.reference else { return Vec::new() };
        let again = branches.iter().any(|branch| {
            let branch: &yrs::branch::Branch = branch.as_ref();
            matches!(branch.id(), BranchID::Root(name) if &*name == MAP)
        });
        let ops = reference.follow(&mut self.doc.transact_mut(), branches, again);
        if told { ops } else { Vec::new() }
    }

    /// `None` if a point of it does not exist.
    pub fn caret(&self, range: &Range) -> Option<Caret> {
        let behind = if range.anchor == range.focus { self.sticky(&range.anchor, Assoc::Before) } else { None };
        Some(Caret {
            anchor: self.sticky(&range.anchor, Assoc::After)?,
            focus: self.sticky(&range.focus, Assoc::After)?,
            behind: behind.and_then(|sticky| sticky.item()).map(Id::from),
        })
    }

    /// [`SlateDoc::caret`] in a document of format 1; in others nothing is kept by it.
    pub fn caret_by_reference(&self, range: &Range) -> Option<Caret> {
        self.is_by_reference().then(|| self.caret(range)).flatten()
    }

    /// Where it is now.
    pub fn range(&self, caret: &Caret) -> Option<Range> {
        Some(Range { anchor: self.resolve(&caret.anchor)?, focus: self.resolve(&caret.focus)? })
    }

    pub(super) fn resolve_by_reference(&self, reference: &Reference, sticky: &Sticky) -> Option<Point> {
        let id = match sticky.0.scope() {
            IndexScope::Relative(id) | IndexScope::Nested(id) => *id,
            IndexScope::Root(_) => return None,
        };
        // What was copied while the document was of format 0, the last copy first.
        let mut ids: Vec<Id> = self.copies.follow(id).into_iter().map(|id: ID| id.into()).collect();
        if !ids.contains(&id.into()) {
            ids.push(id.into());
        }
        reference.resolve(&self.doc.transact(), sticky.0.scope(), sticky.0.assoc, &ids)
    }

    /// Takes back what was done by these acts. The change has the acts that take it back again. `passage`: if what was shown
    /// after them is shown now, all of it by whoever, what was shown before them is shown then.
    pub fn revert(&mut self, acts: &[Act], passage: Option<&Passage>) -> (LocalChange, Vec<Op>) {
        let Some(reference) = &mut self.reference else { return (LocalChange::default(), Vec::new()) };
        let mut txn = self.doc.transact_mut();
        let (acts, ops, passage) = reference.revert(&mut txn, acts, passage);
        txn.commit();
        let update = txn.has_changes().then(|| txn.encode_update_v1());
        drop(txn);
        update.iter().for_each(|update| self.intake.wrote(update));
        (LocalChange { update, acts, passage: Some(passage), ..LocalChange::default() }, ops)
    }

    /// Whether some of the document can be looked at without the rest.
    pub(super) fn has_parts(&self) -> bool {
        self.reference.as_ref().is_some_and(|reference| reference.has_parts())
    }

    /// Compares a part of what is shown with the document; `None` where that has no parts, or the last was looked at.
    pub(super) fn look_at_part(&mut self, from: usize) -> Option<(Look, usize)> {
        let (root, reference) = (self.tree.branch(ROOT)?, self.reference.as_mut()?);
        let checked = reference.check_part(&mut self.doc.transact_mut(), &root, from)?;
        let inexact = std::mem::take(&mut reference.inexact);
        let blocks = checked.blocks.map(|block| block as u32).collect();
        Some((Look { blocks, divergences: inexact + u32::from(!checked.is_true), ops: checked.ops }, checked.next))
    }

    /// Compares what is shown with the document, read anew.
    pub(super) fn look_by_reference(&mut self) -> Look {
        let (Some(root), Some(reference)) = (self.tree.branch(ROOT), &mut self.reference) else {
            return Look::default();
        };
        let ops = reference.check(&mut self.doc.transact_mut(), &root);
        let inexact = std::mem::take(&mut reference.inexact);
        let blocks = (0..reference.tree().kids.len() as u32).collect();
        Look { blocks, divergences: inexact + u32::from(!ops.is_empty()), ops }
    }
}
