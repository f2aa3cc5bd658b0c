//! What becomes of elements that are gone, and what new ones are made of.

use std::collections::HashMap;

use super::Plan;
use super::known::{KidRef, NEW, OLD, Side, Who};

impl Plan<'_> {
    /// A new element in which nothing is old.
    pub(super) fn is_fresh(&mut self, who: Who) -> bool {
        self.shares_nothing(NEW, who)
    }

    /// A gone element of which nothing lives on.
    pub(super) fn is_dead(&mut self, who: Who) -> bool {
        self.shares_nothing(OLD, who)
    }

    /// An element that only one tree has, with nothing in it that the other has.
    fn shares_nothing(&mut self, side: Side, who: Who) -> bool {
        if self.end(1 - side, who).is_some() {
            return false;
        }
        if let Some(known) = self.found.look(who).shares_nothing[side] {
            return known;
        }
        let is = (0..self.kid_count(side, who)).all(|index| match self.kid(side, who, index) {
            Some(KidRef::Element(kid)) => self.shares_nothing(side, kid),
            Some(KidRef::Leaf(first, count)) => !self.any_kept(side, first, count),
            None => true,
        });
        self.found.look(who).shares_nothing[side] = Some(is);
        is
    }

    fn any_kept(&self, side: usize, first: u32, count: u32) -> bool {
        self.cuts_of(side, first, count).iter().flatten().any(|id| self.stretch(*id).kept)
    }

    /// The element that has most of what a gone element had.
    pub(super) fn heir(&mut self, who: Who) -> Option<Who> {
        if let Some(heir) = self.found.look(who).heir {
            return heir;
        }
        let mut votes: Vec<(Who, u32)> = Vec::new();
        let mut index_of: HashMap<Who, usize> = HashMap::new();
        let mut vote = |to: Option<Who>| {
            let Some(to) = to else { return };
            let index = *index_of.entry(to).or_insert_with(|| {
                votes.push((to, 0));
                votes.len() - 1
            });
            votes[index].1 += 1;
        };
        for index in 0..self.kid_count(OLD, who) {
            match self.kid(OLD, who, index) {
                Some(KidRef::Leaf(first, count)) => {
                    let kept = self.cuts_of(OLD, first, count).iter().flatten().map(|id| self.stretch(*id));
                    kept.filter(|stretch| stretch.kept).for_each(|stretch| vote(stretch.to));
                }
                Some(KidRef::Element(kid)) if self.end(NEW, kid).is_some() => vote(self.new_up(kid)),
                Some(KidRef::Element(kid)) => vote(self.heir(kid).and_then(|heir| self.new_up(heir))),
                None => {}
            }
        }
        // The first of several with as many.
        let best = votes.iter().rev().max_by_key(|(_, count)| *count).map(|(to, _)| *to);
        self.found.look(who).heir = Some(best);
        best
    }

    /// Tells heirs whose they are, in the order in which they have what they inherit, and looks at those that have nothing
    /// of their own changed: an item, when another was joined to it by their paragraphs.
    pub(super) fn find_heirs(&mut self) {
        let mut heirs = Vec::new();
        for index in 0..self.gone.len() {
            let who = self.gone[index];
            let Some(heir) = self.heir(who) else { continue };
            let of = &mut self.found.look(heir).heir_of;
            if of.is_empty() {
                heirs.push(heir);
            }
            of.push(who);
        }
        let unlooked = |who: &Who| self.found.looked(*who).is_none_or(|look| look.kids[NEW].is_none());
        let more: Vec<Who> = heirs.iter().copied().filter(unlooked).collect();
        for who in &more {
            self.found.list(*who);
        }
        self.look(&more);
        for heir in heirs {
            let mut of = std::mem::take(&mut self.found.look(heir).heir_of);
            of.sort_by_cached_key(|who| self.first_pos(*who, heir));
            self.found.look(heir).heir_of = of;
        }
    }

    /// Where in its heir the first begins of what a gone element had.
    fn first_pos(&mut self, who: Who, heir: Who) -> u32 {
        let mut first = u32::MAX;
        for index in 0..self.kid_count(OLD, who) {
            match self.kid(OLD, who, index) {
                Some(KidRef::Element(kid)) => {
                    let now = if self.end(NEW, kid).is_some() { Some(kid) } else { self.heir(kid) };
                    if let Some(now) = now.filter(|now| self.new_up(*now) == Some(heir)) {
                        first = first.min(self.found.known[now as usize].pos);
                    }
                }
                Some(KidRef::Leaf(from, count)) => {
                    let all = self.cuts_of(OLD, from, count).iter().flatten().map(|id| self.stretch(*id));
                    let there = all.filter(|stretch| stretch.to == Some(heir)).map(|stretch| stretch.pos);
                    first = first.min(there.min().unwrap_or(u32::MAX));
                }
                None => {}
            }
        }
        first
    }
}
