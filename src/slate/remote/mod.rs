//! From two trees with identities to the Slate operations that lead from one to the other.
//!
//! Nothing is guessed: elements and characters have ids. A shadow of the old tree is led to the new one; every operation is
//! read off the shadow as it stands and done to it at once, so that paths are right. In four passes:
//!
//! 1. *join*: neighbours of which one is gone into the other, from the top down, while they still are neighbours;
//! 2. *arrange*: from the top down, every changed element gets its own elements and stretches of text in order, by join,
//!    split, move and insert. What does not belong to it stays until the element it belongs to claims it. An element that is
//!    arranged stands in its final place with all above it: what is moved into it cannot be above it, and what is its own is
//!    never taken away again;
//! 3. *clear*: what is gone is removed, by now without anything that lives on;
//! 4. *finish*: the leaves of every changed element.
//!
//! Invariants: what stays is never removed and inserted again; no operation is illegal where it is applied, as long as no
//! normalizer comes between. What is the same by its pointer in both trees is not looked into: the cost is the kids of
//! changed elements, and for each operation the siblings on its path. Recursion is as deep as the trees.

pub mod amend;
mod arrange;
mod copied;
mod finish;
mod heirs;
mod join;
mod known;
mod ops;
mod shade;
mod shadow;
mod split;
mod stretches;

use std::rc::Rc;

use self::copied::recognise;
pub use self::join::increasing;
use self::known::{End, Found, KidRef, NEW, OLD, Side, Who};
use self::shade::Shade;
use self::stretches::{Cuts, Stretch, StretchId};
use super::view::tree::{Chars, Element, Kid, Leaf, same_ends};
use crate::slate::value::node::{self, Node};
use crate::slate::value::op::Op;

/// The operations that lead an editor whose value is that of `old` to that of `new`; see the module.
///
/// The leaves of `old` are the editor's (empty ones, neighbours with equal marks), those of `new` the ones that have to come
/// out. What has no id in `old` is replaced. A normalizer must not run before the last of them.
pub fn steps(old: &Rc<Element>, new: &Rc<Element>) -> Vec<Op> {
    if Rc::ptr_eq(old, new) {
        return Vec::new();
    }
    let mut plan = Plan { found: Found::new(old, new), ..Plan::default() };
    plan.run();
    plan.ops
}

/// [`steps`] where one of the top-level elements changed, and nothing else.
pub fn steps_within(old: &Rc<Element>, new: &Rc<Element>, at: u32) -> Vec<Op> {
    let alone = |top: &Rc<Element>| Rc::new(Element::root(vec![Kid::Element(top.clone())]));
    let mut ops = steps(&alone(old), &alone(new));
    ops.iter_mut().flat_map(Op::paths_mut).filter_map(|path| path.first_mut()).for_each(|first| *first += at);
    ops
}

/// [`steps`] where what was copied is recognised: in a document of format 0, in which nothing is ever moved. What stays at
/// both ends of the root is not looked at.
pub fn steps_by_copy(old: &Rc<Element>, new: &Rc<Element>) -> Vec<Op> {
    let (start, end) = same_ends(&old.kids, &new.kids);
    let middle = |root: &Element| Rc::new(Element::root(root.kids[start..root.kids.len() - end].to_vec()));
    let (old, new) = (middle(old), middle(new));
    let mut ops = steps(&recognise(&old, &new).unwrap_or(old), &new);
    ops.iter_mut().flat_map(Op::paths_mut).filter_map(|path| path.first_mut()).for_each(|first| *first += start as u32);
    ops
}

/// The kids of an element as Slate's value.
pub fn value(element: &Element) -> Vec<Node> {
    element.kids.iter().map(node).collect()
}

/// A kid as Slate has it.
pub fn node(kid: &Kid) -> Node {
    match kid {
        Kid::Element(kid) => Node::Element(node::Element { attrs: (*kid.props).clone(), children: value(kid) }),
        Kid::Leaf(leaf) => Node::Text(text_of(leaf)),
    }
}

fn text_of(leaf: &Leaf) -> node::Leaf {
    node::Leaf { text: leaf.runs.iter().map(|run| &*run.text).collect(), marks: (*leaf.marks).clone() }
}

#[derive(Debug, Default)]
struct Plan<'a> {
    found: Found<'a>,
    /// Old elements whose kids are looked at: kept and changed, or gone.
    before: Vec<Who>,
    /// New elements whose kids are looked at: kept and changed, or new.
    after: Vec<Who>,
    gone: Vec<Who>,
    /// The runs of what is looked at, by side, and how they are cut.
    runs: [Vec<&'a Chars>; 2],
    cuts: [Vec<Cuts>; 2],
    stretches: Vec<Stretch<'a>>,
    shades: Vec<Shade<'a>>,
    /// Counted up for every element that is arranged.
    turn: u32,
    ops: Vec<Op>,
}

impl<'a> Plan<'a> {
    fn run(&mut self) {
        let changed = self.found.changed();
        self.look(&changed);
        self.find_heirs();
        let mut next = 0;
        // Opening may look at more.
        while let Some(who) = self.before.get(next).copied() {
            if let Some(shade) = self.shade(who) {
                self.open(shade);
            }
            next += 1;
        }
        for who in self.top_down() {
            if self.end(OLD, who).is_some() {
                self.join_heirs(who, true);
            }
        }
        for who in self.top_down() {
            self.arrange(who);
        }
        for who in std::mem::take(&mut self.gone) {
            if let Some(shade) = self.shade(who) {
                self.remove(shade);
            }
        }
        for who in self.top_down() {
            self.finish(who);
        }
    }

    /// Looks at what the kids of these kept elements are in both trees, with what is gone from them and new in them.
    fn look(&mut self, whos: &[Who]) {
        let from = [OLD, NEW].map(|side| self.runs[side].len());
        let came = self.after.len();
        for who in whos {
            self.look_at(OLD, *who);
            self.look_at(NEW, *who);
        }
        let [olds, news] = &self.runs;
        let [was, is] = &mut self.cuts;
        stretches::refine((&olds[from[OLD]..], was), (&news[from[NEW]..], is), &mut self.stretches);
        for index in came..self.after.len() {
            self.number(self.after[index]);
        }
    }

    fn look_at(&mut self, side: Side, who: Who) {
        let Some(element) = self.end(side, who).map(|end| end.element) else { return };
        match side {
            OLD => self.before.push(who),
            _ => self.after.push(who),
        }
        let mut kids = self.found.look(who).kids[side].take().unwrap_or_default();
        for (kid, real) in kids.iter_mut().zip(&element.kids) {
            match (&mut *kid, real) {
                (KidRef::Element(kid), _) if self.found.is_kept(*kid) => {}
                (KidRef::Element(kid), _) => {
                    if side == OLD {
                        self.gone.push(*kid);
                    }
                    self.look_at(side, *kid);
                }
                (KidRef::Leaf(..), Kid::Leaf(leaf)) => {
                    *kid = KidRef::Leaf(self.runs[side].len() as u32, leaf.runs.len() as u32);
                    self.runs[side].extend(&leaf.runs);
                }
                _ => {}
            }
        }
        self.found.look(who).kids[side] = Some(kids);
    }

    /// Tells elements and stretches where in their new parent they belong.
    fn number(&mut self, who: Who) {
        let mut pos = 0;
        for index in 0..self.kid_count(NEW, who) {
            match self.kid(NEW, who, index) {
                Some(KidRef::Element(kid)) => {
                    self.found.known[kid as usize].pos = pos;
                    pos += 1;
                }
                Some(KidRef::Leaf(first, count)) => {
                    for cuts in &self.cuts[NEW][first as usize..(first + count) as usize] {
                        for id in cuts {
                            let stretch = &mut self.stretches[*id as usize];
                            (stretch.to, stretch.pos) = (Some(who), pos);
                            pos += 1;
                        }
                    }
                }
                None => {}
            }
        }
    }

    fn end(&self, side: Side, who: Who) -> Option<End<'a>> {
        self.found.known[who as usize].ends[side]
    }

    fn new_up(&self, who: Who) -> Option<Who> {
        self.end(NEW, who)?.up
    }

    fn kids(&self, side: Side, who: Who) -> &[KidRef] {
        self.found.looked(who).and_then(|look| look.kids[side].as_deref()).unwrap_or_default()
    }

    fn kid(&self, side: Side, who: Who, index: usize) -> Option<KidRef> {
        self.kids(side, who).get(index).copied()
    }

    fn kid_count(&self, side: Side, who: Who) -> usize {
        self.kids(side, who).len()
    }

    /// How the runs of a leaf are cut.
    fn cuts_of(&self, side: Side, first: u32, count: u32) -> &[Cuts] {
        &self.cuts[side][first as usize..(first + count) as usize]
    }

    fn stretch(&self, id: StretchId) -> &Stretch<'a> {
        &self.stretches[id as usize]
    }

    /// New elements that are looked at and not all new, parents before children.
    fn top_down(&mut self) -> Vec<Who> {
        let mut order = Vec::with_capacity(self.after.len());
        for index in 0..self.after.len() {
            let who = self.after[index];
            if !self.is_fresh(who) {
                let depth = std::iter::successors(self.new_up(who), |who| self.new_up(*who)).count();
                order.push((depth, who));
            }
        }
        order.sort_by_key(|(depth, _)| *depth);
        order.into_iter().map(|(_, who)| who).collect()
    }
}

#[cfg(test)]
mod tests;
