//! What a document of format 1 does to take edits back.

use std::ops::Range;
use std::rc::Rc;

use yrs::TransactionMut;

use super::reference::{Reference, Tops};
use crate::slate::remote;
use crate::slate::undo;
use crate::slate::value::op::Op;
use crate::slate::view::tree::{Element, Kid, same_ends};
use crate::slate::write::{self, Passage};
use crate::slate::ydoc::{Act, Followed, Writer};

impl Reference {
    /// Takes edits back: what takes that back again, what leads the editor there, and what was shown before and is now.
    /// `passage`: of the edits; if what they led to is shown, what is not as before then is written as an edit is.
    pub fn revert(
        &mut self,
        txn: &mut TransactionMut,
        acts: &[Act],
        passage: Option<&Passage>,
    ) -> (Vec<Act>, Vec<Op>, Passage) {
        self.delete_twice(txn);
        // Once others have changed something, only the acts say what is one's own.
        let undone = passage.filter(|passage| passage.is_latest(self.heard));
        let undone = undone.and_then(|passage| Some((passage, passage.place(&self.tree().kids)?)));
        let is_shown = !self.mirror.is_touched();
        let mut writer = Writer::new(&mut self.mirror, txn, self.client);
        let texts = if is_shown { undo::texts(&writer, &self.again, acts) } else { None };
        undo::revert(&mut writer, &mut self.again, acts);
        let mut acts = writer.take_acts();
        let is_all = |texts: &Vec<Followed>| {
            self.mirror.is_touched_only(|node| texts.iter().any(|followed| followed.node == node))
        };
        let texts = texts.filter(is_all).and_then(|texts| self.texts(&texts));
        let passage = texts.as_ref().and_then(|(tops, _)| self.passage_of(tops, undone.as_ref()));
        // What somebody else keeps is copied when it is changed: the root is not kept where it is not needed.
        let before = passage.map_or_else(|| Ok(self.tree.root().clone()), Err);
        let mut ops = match texts {
            Some((tops, ops)) => {
                self.set_tops(tops);
                ops
            }
            None => self.show_now(),
        };
        let before = match before {
            Ok(before) => before,
            Err(passage) => return (acts, ops, passage.at(self.heard)),
        };
        let shown = self.tree.root().clone();
        let aim = undone.and_then(|(passage, place)| passage.back(&before.kids, place, &shown.kids));
        let wanted = aim.as_deref().map_or_else(Vec::new, <[Kid]>::to_vec);
        if let Some(aim) = aim.and_then(|aim| self.aim(&shown, &aim)) {
            self.tree.edit(aim);
            let mut writer = Writer::new(&mut self.mirror, txn, self.client);
            let flushed = self.known.flush(&mut writer, &mut self.tree, &self.schema);
            undo::note_all(&mut writer, &mut self.again, &flushed.tree, &Element::root(wanted));
            acts.extend(writer.take_acts());
            self.inexact += u32::from(!flushed.exact);
            ops.extend(remote::steps(&shown, &flushed.tree));
        }
        (acts, ops, Passage::of(&before.kids, &self.tree().kids).at(self.heard))
    }

    /// From what is shown now to these elements at the top; `None`: what was shown before what was undone is not shown then.
    fn passage_of(&self, tops: &Tops, undone: Option<&(&Passage, Range<usize>)>) -> Option<Passage> {
        let kids = &self.tree().kids;
        let range = *tops.first()?.0..*tops.last()?.0 + 1;
        let kid = |at: usize| tops.get(&at).map_or_else(|| kids[at].clone(), |top| Kid::Element(top.clone()));
        let now: Vec<Kid> = range.clone().map(kid).collect();
        let is_back = undone.is_none_or(|(passage, place)| passage.is_back(kids, place, &range, &now));
        is_back.then(|| Passage::of_part(kids, range, &now))
    }

    /// What the editor has to show so that these elements are shown; `None`: they are.
    fn aim(&self, shown: &Element, wanted: &[Kid]) -> Option<Rc<Element>> {
        let (start, end) = same_ends(&shown.kids, wanted);
        let middle = |kids: &[Kid]| kids[start..kids.len() - end].to_vec();
        let (has, wants) = (middle(&shown.kids), middle(wanted));
        if write::fits(&wants, &has) {
            return None;
        }
        let kids = undo::aim(&self.mirror, &self.again, &has, &wants);
        let mut all = shown.kids[..start].to_vec();
        all.extend(kids);
        all.extend_from_slice(&shown.kids[shown.kids.len() - end..]);
        Some(Rc::new(Element::root(all)))
    }
}
