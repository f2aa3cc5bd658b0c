//! New elements out of what is there.

use super::known::{KidRef, NEW, OLD, Shaded, Who};
use super::shade::{ShadeId, ShadeKind};
use super::stretches::StretchId;
use super::{Plan, value};
use crate::slate::value::node::{self, Node};

/// A kid of an element as the new tree has it: an element, or text that stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NewKid {
    Element(Who),
    Text(StretchId),
}

/// What a new element is split off from.
#[derive(Debug, Clone, Copy)]
struct SplitFrom {
    text: Option<StretchId>,
    /// The first that goes into the new one, a kid of `from`.
    first: ShadeId,
    from: ShadeId,
    /// It is gone and nothing that lives gets its content: the new one takes its place.
    over: bool,
}

/// The search for it.
struct Search {
    who: Who,
    /// An element in its final place above the new one.
    at: ShadeId,
    /// What the new one is to stand behind.
    prev: Option<NewKid>,
    inline: bool,
    tried: Vec<ShadeId>,
    best: Option<SplitFrom>,
}

impl Plan<'_> {
    /// Makes a new element from what is there: by a split, or by taking over an element that is gone.
    pub(super) fn make(&mut self, who: Who, at: ShadeId, prev: Option<NewKid>) -> Option<ShadeId> {
        let inline = self.end(NEW, who)?.element.inline;
        let mut search = Search { who, at, prev, inline, tried: Vec::new(), best: None };
        self.search(&mut search);
        let SplitFrom { text, first, from, over } = search.best?;
        if over {
            return Some(self.take_over(from, who));
        }
        let index = self.index_of(first);
        let start = text.map_or(0, |id| self.start_of(id, first));
        // At the very start an empty leaf without marks stays behind.
        if start > 0 || (text.is_some() && index == 0 && self.attrs(first).is_empty()) {
            self.split_leaf(first, start);
            return self.split_element(from, index + 1, who);
        }
        // An inline element takes the empty leaf before it along.
        let spacer = text.is_none() && index > 0 && {
            let before = self.children(from)[index - 1];
            self.is_leaf(before) && self.texts(before).is_empty()
        };
        self.split_element(from, index - usize::from(spacer), who)
    }

    fn take_over(&mut self, shade: ShadeId, by: Who) -> ShadeId {
        if let ShadeKind::Element { who, .. } = &mut self.shades[shade as usize].kind {
            self.found.known[*who as usize].shaded = Shaded::Gone;
            self.found.known[by as usize].shaded = Shaded::As(shade);
            *who = by;
        }
        shade
    }

    /// The first from which it can be split off; better the one that it stands behind.
    fn search(&mut self, search: &mut Search) {
        for index in 0..self.kid_count(NEW, search.who) {
            match self.kid(NEW, search.who, index) {
                Some(KidRef::Element(kid)) => {
                    let found = match self.shade(kid) {
                        _ if self.is_fresh(kid) => None,
                        None if search.best.is_none() => self.make(kid, search.at, None),
                        found => found,
                    };
                    if found.is_some_and(|found| self.consider(search, found, None)) {
                        return;
                    }
                }
                Some(KidRef::Leaf(first, count)) => {
                    for run in first..first + count {
                        let mut cuts = self.cuts_of(NEW, run, 1).iter().flatten();
                        let Some(id) = cuts.find(|id| self.stretch(**id).kept).copied() else { continue };
                        if self.leaf_of(id).is_some_and(|leaf| self.consider(search, leaf, Some(id))) {
                            return;
                        }
                    }
                }
                None => {}
            }
        }
    }

    /// Returns whether the search is over.
    fn consider(&mut self, search: &mut Search, first: ShadeId, text: Option<StretchId>) -> bool {
        let Some(from) = self.up(first) else { return false };
        // Where it came from is above it: a wrapper.
        let above = self.is_within(Some(search.at), from);
        if above || search.tried.contains(&from) || self.is_inline(from) != search.inline {
            return false;
        }
        search.tried.push(from);
        self.open(from);
        let Some(origin) = self.who(from) else { return false };
        let over =
            self.end(NEW, origin).is_none() && self.heir(origin).is_none_or(|heir| self.end(OLD, heir).is_none());
        if !over && self.would_give_back(first, text, from) {
            return false;
        }
        let preferred = search.prev == Some(NewKid::Element(origin));
        if search.best.is_none() || preferred {
            search.best = Some(SplitFrom { text, first, from, over });
        }
        search.prev.is_none() || preferred
    }

    /// Whether a part that is split off would have something that belongs to what it is split off from.
    fn would_give_back(&self, first: ShadeId, text: Option<StretchId>, from: ShadeId) -> bool {
        let own = match text {
            Some(id) => {
                let to = self.who(from);
                self.texts(first)[self.start_of(id, first)..].iter().any(|id| self.stretch(*id).to == to)
            }
            None => self.belongs(first, from),
        };
        own || self.children(from)[self.index_of(first) + 1..].iter().any(|kid| self.belongs(*kid, from))
    }

    /// The first thing of a new element that is there already, and what the element would be split off from.
    pub(super) fn first_there(&mut self, who: Who) -> Option<(ShadeId, Option<ShadeId>)> {
        for index in 0..self.kid_count(NEW, who) {
            match self.kid(NEW, who, index) {
                Some(KidRef::Element(kid)) => {
                    if let Some(shade) = self.shade(kid) {
                        return Some((shade, self.up(shade)));
                    }
                    if !self.is_fresh(kid) {
                        // What is new itself will stand beside its own origin.
                        let (shade, from) = self.first_there(kid)?;
                        return Some((shade, from.and_then(|from| self.up(from))));
                    }
                }
                Some(KidRef::Leaf(first, count)) => {
                    let mut cuts = self.cuts_of(NEW, first, count).iter().flatten();
                    let leaf = cuts.find(|id| self.stretch(**id).kept).and_then(|id| self.leaf_of(*id));
                    if let Some(leaf) = leaf {
                        return Some((leaf, self.up(leaf)));
                    }
                }
                None => {}
            }
        }
        None
    }

    /// A new element with all that is new in it. What is old, or will be split off from what is old, comes in later.
    pub(super) fn build(&mut self, who: Who, at: ShadeId) -> Option<(ShadeId, Node)> {
        let target = self.end(NEW, who)?.element;
        let shade = self.new_element(who, target, None, Some(Vec::new()));
        let mut children = Vec::new();
        if self.is_fresh(who) {
            children = value(target);
        } else {
            for index in 0..self.kid_count(NEW, who) {
                let Some(KidRef::Element(kid)) = self.kid(NEW, who, index) else { continue };
                if self.shade(kid).is_some() {
                    continue;
                }
                let wrapper = self.is_fresh(kid) || {
                    let from = self.first_there(kid).and_then(|(_, from)| from);
                    from.is_some_and(|from| self.is_within(Some(at), from))
                };
                if wrapper && let Some((kid, node)) = self.build(kid, at) {
                    let end = self.children(shade).len();
                    self.put(shade, end, kid);
                    children.push(node);
                }
            }
        }
        Some((shade, Node::Element(node::Element { attrs: (*target.props).clone(), children })))
    }
}
