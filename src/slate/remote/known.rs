//! Which elements are in both trees, found by pointers: what is the same by its pointer is not looked into.

use std::collections::hash_map::Entry;

use crate::slate::view::tree::{Element, Kid, NodeId};
use crate::slate::ydoc::QuickMap;

/// An element of either tree, or of both.
pub(super) type Who = u32;
pub(super) const ROOT: Who = 0;

/// Which tree.
pub(super) type Side = usize;
pub(super) const OLD: Side = 0;
pub(super) const NEW: Side = 1;

/// How far to look for where two lists of kids go on alike; beyond it ids are compared by hash.
const AHEAD: usize = 4;

/// An element as one of the trees has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct End<'a> {
    pub element: &'a Element,
    pub up: Option<Who>,
    /// Index among the kids of `up`.
    pub at: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shaded {
    Not,
    /// Was there, is no more.
    Gone,
    As(u32),
}

#[derive(Debug)]
pub(super) struct Known<'a> {
    pub ends: [Option<End<'a>>; 2],
    /// In [`Found::looks`].
    pub look: Option<u32>,
    /// Its place in its new parent, counted in elements and stretches of text.
    pub pos: u32,
    pub shaded: Shaded,
    /// In which turn it was to be put in order, and needed not be moved.
    pub wanted: u32,
    pub stays: u32,
}

impl Known<'_> {
    /// It stands for what is left out of a part of a document.
    pub fn stands_for_many(&self) -> bool {
        self.ends[0].is_some_and(|end| end.element.id.left_out().is_some())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KidRef {
    Element(Who),
    /// Runs of its tree: the first, and how many.
    Leaf(u32, u32),
}

/// What is known of the kids of an element.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// None where nobody needed them.
    pub kids: [Option<Vec<KidRef>>; 2],
    /// Nothing of its own changed, but these kids did.
    pub touched: Vec<(u32, Who)>,
    /// Gone elements most of whose content is in it now.
    pub heir_of: Vec<Who>,
    /// By side: whether it has nothing that the other tree has.
    pub shares_nothing: [Option<bool>; 2],
    pub heir: Option<Option<Who>>,
}

#[derive(Debug, Default)]
pub(super) struct Found<'a> {
    pub known: Vec<Known<'a>>,
    pub looks: Vec<Facts>,
    by_id: QuickMap<&'a NodeId, Who>,
    /// In both trees, by different pointers, not compared yet.
    differ: Vec<Who>,
    /// Seen in one tree so far, by tree; and how many of them nobody looked into yet.
    lone: [Vec<Who>; 2],
    alone: [usize; 2],
}

fn same(a: &Element, b: &Element) -> bool {
    std::ptr::eq(a, b) || (a.id == b.id && !matches!(a.id, NodeId::New(_)))
}

fn element(kid: Option<&Kid>) -> Option<&Element> {
    match kid {
        Some(Kid::Element(element)) => Some(element),
        _ => None,
    }
}

fn same_kids(a: Option<&Kid>, b: Option<&Kid>) -> bool {
    element(a).zip(element(b)).is_some_and(|(a, b)| same(a, b))
}

/// The kids that changed inside, if nothing of the element's own did.
fn touched(old: &Element, new: &Element) -> Option<Vec<u32>> {
    if old.kids.len() != new.kids.len() || old.props != new.props || old.inline != new.inline {
        return None;
    }
    let mut touched = Vec::new();
    for (at, kids) in old.kids.iter().zip(&new.kids).enumerate() {
        match kids {
            (Kid::Element(a), Kid::Element(b)) if std::rc::Rc::ptr_eq(a, b) => {}
            (Kid::Element(a), Kid::Element(b)) if same(a, b) => touched.push(at as u32),
            (Kid::Leaf(a), Kid::Leaf(b)) if a == b => {}
            _ => return None,
        }
    }
    Some(touched)
}

impl<'a> Found<'a> {
    pub fn new(old: &'a Element, new: &'a Element) -> Self {
        let mut found = Self::default();
        found.both(End { element: old, up: None, at: 0 }, End { element: new, up: None, at: 0 });
        while found.step() {}
        found
    }

    pub fn is_clean(&self, who: Who) -> bool {
        match self.known[who as usize].ends {
            [Some(old), Some(new)] => std::ptr::eq(old.element, new.element),
            _ => false,
        }
    }

    pub fn is_kept(&self, who: Who) -> bool {
        self.known[who as usize].ends.iter().all(Option::is_some)
    }

    pub fn look(&mut self, who: Who) -> &mut Facts {
        let known = &mut self.known[who as usize];
        let at = *known.look.get_or_insert_with(|| {
            self.looks.push(Facts::default());
            self.looks.len() as u32 - 1
        });
        &mut self.looks[at as usize]
    }

    pub fn looked(&self, who: Who) -> Option<&Facts> {
        self.known[who as usize].look.map(|at| &self.looks[at as usize])
    }

    /// Kept elements whose own content changed, in the order of the new tree.
    pub fn changed(&self) -> Vec<Who> {
        let (mut changed, mut stack) = (Vec::new(), vec![ROOT]);
        while let Some(who) = stack.pop() {
            let Some(look) = self.looked(who).filter(|_| !self.is_clean(who)) else { continue };
            let Some(kids) = &look.kids[NEW] else {
                stack.extend(look.touched.iter().rev().map(|(_, kid)| *kid));
                continue;
            };
            if self.is_kept(who) {
                changed.push(who);
            }
            stack.extend(kids.iter().rev().filter_map(|kid| match kid {
                KidRef::Element(kid) if self.known[*kid as usize].look.is_some() => Some(*kid),
                _ => None,
            }));
        }
        changed
    }

    /// Lists the kids of an element of which nothing but kids changed.
    pub fn list(&mut self, who: Who) {
        let [Some(old), Some(new)] = self.known[who as usize].ends else { return };
        let mut touched = std::mem::take(&mut self.look(who).touched).into_iter().peekable();
        let mut kids = Vec::with_capacity(old.element.kids.len());
        for (at, pair) in old.element.kids.iter().zip(&new.element.kids).enumerate() {
            let at = at as u32;
            kids.push(match pair {
                (Kid::Element(a), Kid::Element(b)) => {
                    KidRef::Element(match touched.next_if(|(index, _)| *index == at) {
                        Some((_, kid)) => kid,
                        None => self.both(End { element: a, up: Some(who), at }, End { element: b, up: Some(who), at }),
                    })
                }
                _ => KidRef::Leaf(0, 0),
            });
        }
        self.look(who).kids = [Some(kids.clone()), Some(kids)];
    }

    fn push(&mut self, ends: [Option<End<'a>>; 2]) -> Who {
        self.known.push(Known { ends, look: None, pos: u32::MAX, shaded: Shaded::Not, wanted: 0, stays: 0 });
        self.known.len() as Who - 1
    }

    fn both(&mut self, old: End<'a>, new: End<'a>) -> Who {
        let who = self.push([Some(old), Some(new)]);
        if !self.is_clean(who) {
            self.differ.push(who);
        }
        who
    }

    fn one(&mut self, side: Side, end: End<'a>) -> Who {
        let next = self.known.len() as Who;
        if !matches!(end.element.id, NodeId::New(_)) {
            match self.by_id.entry(&end.element.id) {
                Entry::Occupied(there) => {
                    let who = *there.get();
                    let known = &mut self.known[who as usize];
                    // Otherwise an id is in one tree twice: the second is nobody's.
                    if known.ends[side].is_none() {
                        known.ends[side] = Some(end);
                        if self.looked(who).is_none_or(|look| look.kids[1 - side].is_none()) {
                            self.alone[1 - side] = self.alone[1 - side].saturating_sub(1);
                        }
                        if !self.is_clean(who) {
                            self.differ.push(who);
                        }
                        return who;
                    }
                }
                Entry::Vacant(free) => {
                    free.insert(next);
                }
            }
        }
        let mut ends = [None, None];
        ends[side] = Some(end);
        self.lone[side].push(next);
        self.alone[side] += 1;
        self.push(ends)
    }

    /// False when all is known. What is seen in one tree alone is looked into on the side that has less of it: a new
    /// wrapper rather than all that is in it now. What was looked into for nothing is not reached by [`Found::changed`].
    fn step(&mut self) -> bool {
        if let Some(who) = self.differ.pop() {
            self.compare(who);
            return true;
        }
        let side = match self.alone {
            [0, 0] => return false,
            [0, _] => NEW,
            [_, 0] => OLD,
            [old, new] => Side::from(new <= old),
        };
        while let Some(who) = self.lone[side].pop() {
            if self.known[who as usize].ends[1 - side].is_none() {
                self.alone[side] = self.alone[side].saturating_sub(1);
                self.look_into(side, who);
                return true;
            }
        }
        self.alone[side] = 0;
        true
    }

    fn look_into(&mut self, side: Side, who: Who) {
        let Some(end) = self.known[who as usize].ends[side] else { return };
        let mut kids = Vec::with_capacity(end.element.kids.len());
        for (at, kid) in end.element.kids.iter().enumerate() {
            kids.push(self.kid(side, who, at, kid));
        }
        self.look(who).kids[side] = Some(kids);
    }

    fn kid(&mut self, side: Side, up: Who, at: usize, kid: &'a Kid) -> KidRef {
        match kid {
            Kid::Element(element) => KidRef::Element(self.one(side, End { element, up: Some(up), at: at as u32 })),
            Kid::Leaf(_) => KidRef::Leaf(0, 0),
        }
    }

    fn compare(&mut self, who: Who) {
        let [Some(old), Some(new)] = self.known[who as usize].ends else { return };
        if let Some(look) = self.looked(who) {
            for side in [OLD, NEW].map(|side| look.kids[side].is_none().then_some(side)).into_iter().flatten() {
                self.look_into(side, who);
            }
        } else if let Some(touched) = touched(old.element, new.element) {
            let kids = touched.into_iter().filter_map(|at| {
                let end = |end: End<'a>| {
                    let element = element(end.element.kids.get(at as usize))?;
                    Some(End { element, up: Some(who), at })
                };
                Some((at, self.both(end(old)?, end(new)?)))
            });
            let kids = kids.collect();
            self.look(who).touched = kids;
        } else {
            self.align(who, &old.element.kids, &new.element.kids);
        }
    }

    /// Pairs what stands alike without a look at its id in the map.
    fn align(&mut self, who: Who, old: &'a [Kid], new: &'a [Kid]) {
        let alike = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| same_kids(Some(a), Some(b))).count();
        let ends = [old.len() - alike, new.len() - alike];
        let (mut olds, mut news) = (Vec::with_capacity(old.len()), Vec::with_capacity(new.len()));
        self.known.reserve(old.len().max(new.len()));
        loop {
            let (i, j) = (olds.len(), news.len());
            let (a, b) = (old.get(i), new.get(j));
            let pair = element(a).zip(element(b)).filter(|(a, b)| same(a, b));
            if let Some((a, b)) = pair {
                let end = |element, at: usize| End { element, up: Some(who), at: at as u32 };
                let kid = KidRef::Element(self.both(end(a, i), end(b, j)));
                olds.push(kid);
                news.push(kid);
                continue;
            }
            let skip = |list: &'a [Kid], from: usize, to: Option<&Kid>| {
                (1..=AHEAD).any(|ahead| same_kids(list.get(from + ahead), to))
            };
            let (mut old_too, mut new_too) = (i < ends[OLD], j < ends[NEW]);
            match (a, b) {
                (Some(Kid::Leaf(_)), _) => new_too = false,
                (_, Some(Kid::Leaf(_))) => old_too = false,
                _ if old_too && new_too && skip(old, i, b) => new_too = false,
                _ if old_too && new_too && skip(new, j, a) => old_too = false,
                _ => {}
            }
            if let Some(kid) = a.filter(|_| old_too) {
                olds.push(self.kid(OLD, who, i, kid));
            }
            if let Some(kid) = b.filter(|_| new_too) {
                news.push(self.kid(NEW, who, j, kid));
            }
            if !old_too && !new_too {
                break;
            }
        }
        self.look(who).kids = [Some(olds), Some(news)];
    }
}
