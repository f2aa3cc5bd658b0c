//! The characters that are shown, with their ids: for who wants to know whose they are.

use yrs::Transact as _;

use super::SlateDoc;
use super::reference::Reference;
use crate::slate::undo;
use crate::slate::value::op::Path;
use crate::slate::view::tree::{Element, Kid, Leaf};
use crate::slate::ydoc::{Id, Span, Writer};

/// Characters that follow each other in one text of the value, and by their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownRun {
    pub path: Path,
    /// Where they begin in the text, and how many they are, in UTF-16 units.
    pub offset: u32,
    pub len: u32,
    /// Of the first one; those behind count up.
    pub id: Id,
}

impl SlateDoc {
    /// Every character that is shown, in the order of the value. What the editor has and the document has not is left out.
    pub fn runs(&self) -> Vec<ShownRun> {
        let mut runs: Vec<ShownRun> = Vec::new();
        each_leaf(self.reference.tree(), &mut Path::new(), &mut |path, leaf| {
            let mut offset = 0;
            for chars in &leaf.runs {
                let same = |last: &&mut ShownRun| {
                    last.path == *path && last.offset + last.len == offset && Some(last.id.plus(last.len)) == chars.id
                };
                match (chars.id, runs.last_mut().filter(same)) {
                    (Some(_), Some(last)) => last.len += chars.len,
                    (Some(id), None) => runs.push(ShownRun { path: path.clone(), offset, len: chars.len, id }),
                    (None, _) => {}
                }
                offset += chars.len;
            }
        });
        runs
    }

    /// As what the characters of each run were written first, in pieces in the order of the run: what was written again counts
    /// as what it was.
    pub fn first_written<'r>(&self, runs: impl IntoIterator<Item = &'r ShownRun>) -> Vec<Vec<Span>> {
        let back = self.reference.again.backwards();
        runs.into_iter().map(|run| back.follow((run.id, run.len))).collect()
    }

    /// After an edit that led to what `other`, another state of this document, shows: says of the characters that the edit put in
    /// which ones of the other state they are, as undo does of what it writes again. The update; none: there is nothing to say.
    pub fn note_again(&mut self, other: &Self) -> Option<Vec<u8>> {
        if !self.is_by_reference() || !other.is_by_reference() {
            return None;
        }
        let (now, was) = (self.reference.tree().clone(), other.reference.tree());
        let mut txn = self.doc.transact_mut();
        let Reference { mirror, again, client, .. } = &mut self.reference;
        undo::note_all(&mut Writer::new(mirror, &mut txn, *client), again, &now, was);
        txn.commit();
        let update = txn.has_changes().then(|| txn.encode_update_v1());
        drop(txn);
        update.iter().for_each(|update| self.intake.wrote(update));
        update
    }
}

fn each_leaf<'e>(element: &'e Element, path: &mut Path, each: &mut impl FnMut(&Path, &'e Leaf)) {
    for (index, kid) in element.kids.iter().enumerate() {
        path.push(index as u32);
        match kid {
            Kid::Element(kid) => each_leaf(kid, path, each),
            Kid::Leaf(leaf) => each(path, leaf),
        }
        path.pop();
    }
}
