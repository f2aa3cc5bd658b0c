//! What [`SlateDoc`] does with what is shown: edits, changes from elsewhere, positions, the format.

use yrs::{Assoc, BranchID, ClientID, ID, IndexScope, ReadTxn as _, Transact as _, XmlTextRef};

use super::reference::Reference;
use super::{LocalChange, Look, RemoteChange, SlateDoc};
use crate::format::{Format, note_translated, set_format, translated_of};
use crate::slate::remote;
use crate::slate::value::error::UpdateError;
use crate::slate::value::op::{Op, Point, Range};
use crate::slate::view::Schema;
use crate::slate::write::Passage;
use crate::slate::ydoc::MAP;
use crate::slate::ydoc::sticky::Sticky;
use crate::slate::ydoc::{Act, Id};
use crate::update::{Limits, TypedText};

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
        !self.reference.is_plain()
    }

    /// After the document's format may have changed: reads it anew if it is another one now. Whether it is.
    pub(super) fn settle_format(&mut self) -> bool {
        if (self.format == BY_REFERENCE) == self.is_by_reference() {
            return false;
        }
        self.reference = self.read_anew();
        true
    }

    /// The document as it is now.
    pub(super) fn read_anew(&self) -> Reference {
        match self.format == BY_REFERENCE {
            true => self.read_by_reference(),
            false => {
                let (schema, client) = (self.options.schema.clone(), self.options.client_id);
                Reference::read_plain(&mut self.doc.transact_mut(), &self.root, schema, client)
            }
        }
    }

    fn read_by_reference(&self) -> Reference {
        let (schema, client) = (self.options.schema.clone(), self.options.client_id);
        Reference::read(&mut self.doc.transact_mut(), &self.root, schema, client)
    }

    /// Brings a document to a higher format. To format 1: says which elements are inline and void, then sets the flag.
    /// Both are updates of their own, to be stored and sent in this order. Empty if it is that already, or something higher.
    pub fn raise_format(&mut self, format: Format) -> Vec<Vec<u8>> {
        if self.format >= format {
            return Vec::new();
        }
        if format != BY_REFERENCE {
            return vec![self.set_flag(format)];
        }
        let mut reference = self.read_by_reference();
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
        self.reference.set_schema(schema)
    }

    /// The types of elements that the document says are inline, and of those that are void; also of what is not shown any
    /// more. Empty in other formats, which say nothing of it.
    pub fn kinds(&self) -> (Vec<String>, Vec<String>) {
        self.reference.kinds()
    }

    /// Operations from what is shown here to what another state of the same document shows, by the ids of elements and
    /// characters: what both have stays, or moves. `None` if one of them is of another format.
    pub fn steps_to(&self, other: &Self) -> Option<Vec<Op>> {
        let both = self.is_by_reference() && other.is_by_reference();
        both.then(|| remote::steps(self.reference.tree(), other.reference.tree()))
    }

    pub(super) fn apply(&mut self, ops: Vec<Op>, amended: Option<&mut Vec<Op>>) -> LocalChange {
        let mut change = LocalChange::default();
        // In format 0 there are no acts.
        let is_key = !self.is_by_reference() && matches!(*ops, [Op::InsertText { .. }]);
        let rng = &mut self.rng;
        let fresh_id = || (0..16).map(|_| rng.alphanumeric()).collect();
        let mut txn = self.doc.transact_mut();
        self.reference.local(&mut txn, ops, (self.options.block_id.as_deref(), amended), fresh_id, &mut change);
        // A commit joins what was typed to the text typed before it, and it would have to be cut out again.
        let early = ((is_key || change.acts.len() == 1) && txn.has_changes()).then(|| txn.encode_update_v1());
        txn.commit();
        change.update = early.or_else(|| txn.has_changes().then(|| txn.encode_update_v1()));
        drop(txn);
        change.update.iter().for_each(|update| self.intake.wrote(update));
        change
    }

    pub(super) fn receive(
        &mut self,
        update: &[u8],
        caret: &dyn Fn(&Self) -> Option<Range>,
        told: bool,
    ) -> Result<RemoteChange, UpdateError> {
        // In format 0 it comes along with the operations: what was copied has other ids.
        let told_caret = if told && self.is_by_reference() { caret(self) } else { None };
        let at = told_caret.and_then(|range| self.caret(&range));
        let typed = self.typed(update);
        let (branches, changed) = self.integrate(update, Limits::RECEIVED)?;
        let mut change = RemoteChange { changed, pending: self.is_waiting(), ..RemoteChange::default() };
        if !changed {
            return Ok(change);
        }
        if (self.format == BY_REFERENCE) != self.is_by_reference() {
            return Ok(self.show_anew(told));
        }
        let typed = typed.filter(|typed| self.knows(typed.client) == typed.clock + typed.len);
        let typed = typed.zip(branches.first().filter(|_| branches.len() == 1));
        change.ops = match typed.and_then(|(typed, at)| self.reference.type_in(&self.doc.transact_mut(), at, &typed)) {
            Some(ops) if told => ops,
            Some(_) => Vec::new(),
            None => self.lead(&branches, told),
        };
        change.foreign = self.reference.met;
        // Operations of text alone take the caret along by themselves.
        let is_text = |op: &Op| matches!(op, Op::InsertText { .. } | Op::RemoveText { .. });
        if let Some(at) = at.filter(|_| !change.ops.iter().all(is_text)) {
            change.selection = self.range(&at);
        }
        Ok(change)
    }

    /// What an update types, if it is new as a whole, and waits for nothing: in a document without formats, in which text has
    /// none wherever it is put in.
    fn typed<'u>(&self, update: &'u [u8]) -> Option<TypedText<'u>> {
        let is_plain_text = self.is_by_reference() && !self.intake.has_formats();
        let typed = TypedText::of(update).filter(|_| is_plain_text && !self.is_waiting())?;
        (self.knows(typed.client) == typed.clock).then_some(typed)
    }

    fn knows(&self, client: u64) -> u32 {
        self.doc.transact().state_vector().get(&ClientID::new(client))
    }

    /// After a transaction that changed these: what the editor has to do.
    fn lead(&mut self, branches: &[XmlTextRef], told: bool) -> Vec<Op> {
        let again = branches.iter().any(|branch| {
            let branch: &yrs::branch::Branch = branch.as_ref();
            matches!(branch.id(), BranchID::Root(name) if &*name == MAP)
        });
        let ops = self.reference.follow(&mut self.doc.transact_mut(), branches, again);
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

    /// Where a position is now; `None` if what it was tied to is gone without trace, or not here yet.
    pub fn resolve(&self, sticky: &Sticky) -> Option<Point> {
        let id = match sticky.0.scope() {
            IndexScope::Relative(id) | IndexScope::Nested(id) => *id,
            IndexScope::Root(_) => return None,
        };
        // What was copied while the document was of format 0, the last copy first.
        let mut ids: Vec<Id> = self.copies.follow(id).into_iter().map(|id: ID| id.into()).collect();
        if !ids.contains(&id.into()) {
            ids.push(id.into());
        }
        let (txn, scope, assoc) = (self.doc.transact(), sticky.0.scope(), sticky.0.assoc);
        // Of what was there twice, one copy was removed.
        if ids.len() > 1 {
            ids.sort_by_key(|id| !self.reference.is_shown(*id));
        }
        let merged = || match scope {
            IndexScope::Nested(id) => self.copies.end_of(*id),
            _ => None,
        };
        self.reference.resolve(&txn, scope, assoc, &ids).or_else(|| {
            let end = merged()?;
            self.reference.resolve(&txn, &IndexScope::Relative(end), Assoc::Before, &[end.into()])
        })
    }

    /// Takes back what was done by these acts. The change has the acts that take it back again. `passage`: if what was shown
    /// after them is shown now, all of it by whoever, what was shown before them is shown then.
    pub fn revert(&mut self, acts: &[Act], passage: Option<&Passage>) -> (LocalChange, Vec<Op>) {
        let mut txn = self.doc.transact_mut();
        let (acts, ops, passage) = self.reference.revert(&mut txn, acts, passage);
        txn.commit();
        let update = txn.has_changes().then(|| txn.encode_update_v1());
        drop(txn);
        update.iter().for_each(|update| self.intake.wrote(update));
        (LocalChange { update, acts, passage: Some(passage), ..LocalChange::default() }, ops)
    }

    /// Whether some of the document can be looked at without the rest.
    pub(super) fn has_parts(&self) -> bool {
        self.reference.has_parts()
    }

    /// Compares a part of what is shown with the document; `None` where that has no parts, or the last was looked at.
    pub(super) fn look_at_part(&mut self, from: usize) -> Option<(Look, usize)> {
        let (root, reference) = (&self.root, &mut self.reference);
        let checked = reference.check_part(&mut self.doc.transact_mut(), root, from)?;
        let inexact = std::mem::take(&mut reference.inexact);
        Some((
            Look { blocks: checked.blocks, divergences: inexact + u32::from(!checked.is_true), ops: checked.ops },
            checked.next,
        ))
    }

    /// The same of what changed since this was asked last, in a document of format 0.
    pub(super) fn look_at_plain_changes(&mut self) -> Look {
        let Some(checked) = self.reference.check_changed(&mut self.doc.transact_mut(), &self.root) else {
            return Look::default();
        };
        Look { blocks: checked.blocks, divergences: u32::from(!checked.is_true), ops: checked.ops }
    }

    /// Compares what is shown with the document, read anew.
    pub(super) fn look_by_reference(&mut self) -> Look {
        let (root, reference) = (&self.root, &mut self.reference);
        let ops = reference.check(&mut self.doc.transact_mut(), root);
        let inexact = std::mem::take(&mut reference.inexact);
        let blocks = (0..reference.tree().kids.len() as u32).collect();
        Look { blocks, divergences: inexact + u32::from(!ops.is_empty()), ops }
    }
}
