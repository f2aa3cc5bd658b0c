//! The leaves of a changed element become those of the new tree.

use smallvec::SmallVec;

use super::Plan;
use super::known::{KidRef, NEW, Who};
use super::shade::ShadeId;
use super::stretches::StretchId;
use crate::slate::value::node::{self, Attrs, Node};
use crate::slate::value::op::Op;
use crate::slate::view::tree::Kid;

/// A leaf that has to come out.
struct WantedLeaf<'a> {
    marks: &'a Attrs,
    stretches: SmallVec<[StretchId; 4]>,
    /// Those of them that are there already.
    first: Option<StretchId>,
    last: Option<StretchId>,
}

impl<'a> Plan<'a> {
    pub(super) fn finish(&mut self, who: Who) {
        let (Some(element), Some(target)) = (self.shade(who), self.end(NEW, who).map(|end| end.element)) else {
            return;
        };
        self.open(element);
        let mut at = 0;
        let mut wants = Vec::new();
        for (index, kid) in target.kids.iter().enumerate() {
            match (kid, self.kid(NEW, who, index)) {
                (Kid::Leaf(leaf), Some(KidRef::Leaf(first, count))) => wants.push(self.want(&leaf.marks, first, count)),
                (Kid::Leaf(_), _) => {}
                (Kid::Element(_), _) => {
                    at = self.leaves(element, at, &wants) + 1;
                    wants.clear();
                }
            }
        }
        self.leaves(element, at, &wants);
    }

    fn want(&self, marks: &'a Attrs, first: u32, count: u32) -> WantedLeaf<'a> {
        let stretches: SmallVec<_> = self.cuts_of(NEW, first, count).iter().flatten().copied().collect();
        let kept = |id: &&StretchId| self.stretch(**id).kept;
        let (first, last) = (stretches.iter().find(kept).copied(), stretches.iter().rfind(kept).copied());
        WantedLeaf { marks, stretches, first, last }
    }

    fn leaf_at(&self, element: ShadeId, at: usize) -> Option<ShadeId> {
        self.children(element).get(at).copied().filter(|shade| self.is_leaf(*shade))
    }

    fn free_at(&self, element: ShadeId, at: usize) -> Option<ShadeId> {
        self.leaf_at(element, at).filter(|leaf| self.is_free(*leaf))
    }

    /// The leaves from `at` up to the next element become the wanted ones; returns where that element is.
    fn leaves(&mut self, element: ShadeId, mut at: usize, wants: &[WantedLeaf<'a>]) -> usize {
        let start = at;
        self.part(wants);
        for want in wants {
            let (Some(_), Some(last)) = (want.first, want.last) else {
                self.fill(element, at, want);
                at += 1;
                continue;
            };
            self.type_into(want);
            while let Some(leaf) = self.free_at(element, at) {
                self.drop_leaf(element, leaf, at, start);
            }
            let Some(leaf) = self.leaf_at(element, at) else { continue };
            self.erase(leaf);
            self.set_marks(leaf, want.marks);
            at += 1;
            let mut len = self.units(self.texts(leaf));
            while self.leaf_of(last) != Some(leaf) {
                let Some(next) = self.leaf_at(element, at) else { break };
                if self.is_free(next) {
                    self.drop_leaf(element, next, at, start);
                } else {
                    self.erase(next);
                    let more = self.units(self.texts(next));
                    self.merge_at(next, leaf, len);
                    len += more;
                }
            }
        }
        while let Some(leaf) = self.leaf_at(element, at) {
            self.drop_leaf(element, leaf, at, start);
        }
        at
    }

    /// Splits what is in one leaf and has to be in several.
    fn part(&mut self, wants: &[WantedLeaf<'a>]) {
        let mut cuts: Vec<usize> = Vec::new();
        let mut before: Option<ShadeId> = None;
        for (index, want) in wants.iter().enumerate() {
            let (Some(first), Some(last)) = (want.first, want.last) else { continue };
            let leaf = self.leaf_of(first);
            if let Some(leaf) = leaf.filter(|leaf| before == Some(*leaf)) {
                let from = cuts.last().copied().unwrap_or_default();
                let at = self.texts(leaf)[from..].iter().position(|id| *id == first);
                cuts.extend(at.map(|at| from + at));
            }
            before = self.leaf_of(last);
            let next = wants[index + 1..].iter().find_map(|want| want.first).and_then(|id| self.leaf_of(id));
            if let Some(leaf) = leaf.filter(|leaf| next != Some(*leaf)) {
                self.split_leaf_at(leaf, &std::mem::take(&mut cuts));
            }
        }
    }

    /// A leaf of new text only, or an empty one.
    fn fill(&mut self, element: ShadeId, at: usize, want: &WantedLeaf<'a>) {
        for id in &want.stretches {
            self.stretches[*id as usize].kept = true;
        }
        let text = self.text(&want.stretches);
        let Some(leaf) = self.free_at(element, at) else {
            let leaf = self.new_leaf(want.marks, want.stretches.to_vec(), None);
            self.insert(element, at, leaf, Node::Text(node::Leaf { text, marks: want.marks.clone() }));
            return;
        };
        if !text.is_empty() {
            let offset = self.units(self.texts(leaf));
            self.ops.push(Op::InsertText { path: self.path(leaf), offset, text });
            self.put_in(leaf, &want.stretches);
            if let Some(texts) = self.texts_mut(leaf) {
                texts.extend_from_slice(&want.stretches);
            }
        }
        self.erase(leaf);
        self.set_marks(leaf, want.marks);
    }

    /// New text goes in front of what stays at its right, at the end else; behind what is gone. One pass over the leaves.
    fn type_into(&mut self, want: &WantedLeaf<'a>) {
        if want.stretches.iter().all(|id| self.stretch(*id).kept) {
            return;
        }
        let mut from = 0;
        while let Some(rest) = want.stretches.get(from..).filter(|rest| !rest.is_empty()) {
            let (leaf, count) = self.of_one_leaf(rest);
            let Some(leaf) = leaf else { break };
            self.type_into_leaf(leaf, &rest[..count]);
            from += count;
        }
    }

    fn type_into_leaf(&mut self, leaf: ShadeId, list: &[StretchId]) {
        let mut old = self.texts_mut(leaf).map(std::mem::take).unwrap_or_default().into_iter();
        let mut texts = Vec::with_capacity(old.len() + list.len());
        let (mut offset, mut from) = (0, 0);
        while from < list.len() {
            let new = list[from..].iter().take_while(|id| !self.stretch(**id).kept).count();
            let (new, stop) = (&list[from..from + new], list.get(from + new).copied());
            from += new.len() + 1;
            for there in old.by_ref().take_while(|there| Some(*there) != stop) {
                offset += self.stretch(there).len;
                texts.push(there);
            }
            if !new.is_empty() {
                self.ops.push(Op::InsertText { path: self.path(leaf), offset, text: self.text(new) });
                offset += self.units(new);
                texts.extend_from_slice(new);
                self.put_in(leaf, new);
            }
            if let Some(stop) = stop {
                offset += self.stretch(stop).len;
                texts.push(stop);
            }
        }
        texts.extend(old);
        if let Some(there) = self.texts_mut(leaf) {
            *there = texts;
        }
    }

    fn put_in(&mut self, leaf: ShadeId, new: &[StretchId]) {
        for id in new {
            let stretch = &mut self.stretches[*id as usize];
            (stretch.kept, stretch.leaf) = (true, Some(leaf));
        }
    }

    /// The leaf of the first of these that is there, and how many of these go into it: what is there, with what is new in
    /// front of it, and behind the last of all.
    fn of_one_leaf(&self, list: &[StretchId]) -> (Option<ShadeId>, usize) {
        let (mut leaf, mut count) = (None, 0);
        for (index, id) in list.iter().enumerate().filter(|(_, id)| self.stretch(**id).kept) {
            let here = self.leaf_of(*id);
            if leaf.is_some() && here != leaf {
                return (leaf, count);
            }
            (leaf, count) = (here, index + 1);
        }
        (leaf, list.len())
    }

    /// Takes out what is gone.
    fn erase(&mut self, leaf: ShadeId) {
        if self.texts(leaf).iter().all(|id| self.stretch(*id).kept) {
            return;
        }
        let texts = self.texts_mut(leaf).map(std::mem::take).unwrap_or_default();
        let mut left = Vec::with_capacity(texts.len());
        let (mut offset, mut text) = (0, String::new());
        for id in texts {
            let stretch = self.stretch(id);
            if !stretch.kept {
                text.push_str(stretch.text);
                continue;
            }
            let len = stretch.len;
            self.take_out(leaf, offset, std::mem::take(&mut text));
            left.push(id);
            offset += len;
        }
        self.take_out(leaf, offset, text);
        if let Some(texts) = self.texts_mut(leaf) {
            *texts = left;
        }
    }

    fn take_out(&mut self, leaf: ShadeId, offset: u32, text: String) {
        if !text.is_empty() {
            self.ops.push(Op::RemoveText { path: self.path(leaf), offset, text });
        }
    }

    /// A leaf that is not wanted: an empty one is merged, so that a caret in it stays.
    fn drop_leaf(&mut self, element: ShadeId, leaf: ShadeId, at: usize, start: usize) {
        match self.leaf_at(element, at.wrapping_sub(1)) {
            Some(before) if at > start && self.texts(leaf).is_empty() => self.merge(leaf, before),
            _ => self.remove(leaf),
        }
    }
}
