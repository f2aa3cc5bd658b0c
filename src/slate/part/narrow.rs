//! [`Narrow`]: a part of a document, with elements that stand for what is left out of it.

use std::ops::Range;
use std::rc::Rc;

use crate::slate::op::{Op, Path};
use crate::slate::steps::increasing;
use crate::slate::view::tree::{Element, Kid, Leaf, NodeId};
use crate::slate::ydoc::{Id, Part, QuickMap};

/// See the module.
#[derive(Debug)]
pub struct Narrow {
    /// For [`Mirror::mask`](crate::slate::ydoc::Mirror::mask).
    pub parts: Vec<Part>,
    /// Of the outline, for each part that is left out.
    pub(super) left_rows: Vec<Range<usize>>,
    /// Of the top-level elements before, for each part that is left out and shows something: what stands for it has its
    /// place here in its id.
    runs: Vec<Range<usize>>,
    old: Element,
}

impl Narrow {
    pub(super) fn new(before: &Element) -> Self {
        let old = Element { kids: Vec::new(), ..shallow(before) };
        Self { parts: Vec::new(), left_rows: Vec::new(), runs: Vec::new(), old }
    }

    pub(super) fn show(&mut self, kids: &[Kid]) {
        self.old.kids.extend_from_slice(kids);
    }

    pub(super) fn leave(&mut self, rows: Range<usize>, items: Range<usize>, kids: Range<usize>) {
        let shows = !kids.is_empty();
        self.parts.push(Part::Left { items, shows });
        self.left_rows.push(rows);
        if shows {
            self.old.kids.push(stand_in(self.runs.len()));
            self.runs.push(kids);
        }
    }

    pub(super) fn leaves_anything(&self) -> bool {
        !self.left_rows.is_empty()
    }

    /// What was shown before of the part.
    pub fn old(&self) -> Rc<Element> {
        Rc::new(self.old.clone())
    }

    /// What an editor shows of the part. `fixed`: which elements stayed.
    pub(super) fn after(&self, after: &Element, fixed: &Fixed) -> Option<Rc<Element>> {
        let mut kids = Vec::with_capacity(self.old.kids.len() + 4);
        let (mut at, mut runs) = (0, self.runs.iter().enumerate().peekable());
        while at < after.kids.len() {
            match runs.next_if(|(_, run)| fixed.before(at) == Some(run.start)) {
                Some((nth, run)) => {
                    at += run.len();
                    if fixed.before(at - 1) != Some(run.end - 1) {
                        return None;
                    }
                    kids.push(stand_in(nth));
                }
                None => {
                    kids.push(after.kids[at].clone());
                    at += 1;
                }
            }
        }
        runs.peek().is_none().then(|| Rc::new(Element { kids, ..shallow(after) }))
    }

    /// All of what is shown, where this is shown of the part.
    pub fn widen(&self, now: &Element, before: &Element) -> Rc<Element> {
        let mut kids = Vec::with_capacity(before.kids.len() + now.kids.len());
        for kid in &now.kids {
            match left_out_kid(kid).and_then(|nth| self.runs.get(nth)) {
                Some(run) => kids.extend_from_slice(&before.kids[run.clone()]),
                None => kids.push(kid.clone()),
            }
        }
        Rc::new(Element { kids, ..shallow(now) })
    }

    /// Operations on the part as operations on all.
    pub fn widen_ops(&self, mut ops: Vec<Op>) -> Vec<Op> {
        let of = |kid: &Kid| left_out_kid(kid).and_then(|nth| self.runs.get(nth)).map_or(1, |run| run.len() as u32);
        let mut sizes: Vec<u32> = self.old.kids.iter().map(of).collect();
        for op in &mut ops {
            widen_op(op, &mut sizes);
        }
        ops
    }
}

/// `sizes`: how many elements each at the top of the part stands for.
fn widen_op(op: &mut Op, sizes: &mut Vec<u32>) {
    let start = |sizes: &[u32], at: u32| sizes.iter().take(at as usize).sum::<u32>();
    let widen = |sizes: &[u32], path: &mut Path| {
        if let Some(first) = path.first_mut() {
            *first = start(sizes, *first);
        }
    };
    match op {
        Op::MoveNode { path, new_path } => {
            let (is_top, to_top) = (path.len() == 1, new_path.len() == 1);
            let (from, to) = (path[0] as usize, new_path[0] as usize);
            widen(sizes, path);
            let moved = is_top.then(|| sizes.remove(from));
            match (moved, to_top) {
                // The place among the siblings without it.
                (Some(size), true) => {
                    widen(sizes, new_path);
                    sizes.insert(to.min(sizes.len()), size);
                }
                // The place while it was there.
                (Some(size), false) => {
                    sizes.insert(from, size);
                    widen(sizes, new_path);
                    sizes.remove(from);
                }
                (None, to_top) => {
                    widen(sizes, new_path);
                    if to_top {
                        sizes.insert(to.min(sizes.len()), 1);
                    }
                }
            }
        }
        Op::InsertText { path, .. }
        | Op::RemoveText { path, .. }
        | Op::InsertNode { path, .. }
        | Op::RemoveNode { path, .. }
        | Op::SetNode { path, .. }
        | Op::SplitNode { path, .. }
        | Op::MergeNode { path, .. } => {
            let (is_top, at) = (path.len() == 1, path.first().map_or(0, |first| *first as usize));
            widen(sizes, path);
            if is_top {
                change_top(op, at, sizes);
            }
        }
    }
}

fn change_top(op: &Op, at: usize, sizes: &mut Vec<u32>) {
    match op {
        Op::InsertNode { .. } => sizes.insert(at.min(sizes.len()), 1),
        Op::SplitNode { .. } => sizes.insert((at + 1).min(sizes.len()), 1),
        Op::RemoveNode { .. } | Op::MergeNode { .. } if at < sizes.len() => drop(sizes.remove(at)),
        _ => {}
    }
}

/// Stands for what is left out, as the view shows it.
fn stand_in(nth: usize) -> Kid {
    Kid::Element(Rc::new(Element {
        id: NodeId::Head(Id::of_left_out(nth as u32)),
        props: Rc::default(),
        kids: vec![Kid::Leaf(Leaf::default())],
        inline: false,
        void: true,
    }))
}

fn left_out_kid(kid: &Kid) -> Option<usize> {
    match kid {
        Kid::Element(element) => element.id.left_out().map(|nth| nth as usize),
        Kid::Leaf(_) => None,
    }
}

/// An element without its kids.
fn shallow(of: &Element) -> Element {
    Element { id: of.id.clone(), props: of.props.clone(), kids: Vec::new(), inline: of.inline, void: of.void }
}

/// Which top-level elements are the same before and after a change, and in the same order.
pub(super) struct Fixed {
    start: usize,
    /// Where the same begin again, before and after.
    ends: (usize, usize),
    /// Of those between, after the change: which they were before.
    between: Vec<Option<usize>>,
}

impl Fixed {
    pub fn of(before: &[Kid], after: &[Kid]) -> Self {
        let start = before.iter().zip(after).take_while(|(a, b)| is_same(a, b)).count();
        let rest = before[start..].iter().rev().zip(after[start..].iter().rev());
        let end = rest.take_while(|(a, b)| is_same(a, b)).count();
        let ends = (before.len() - end, after.len() - end);
        let known: QuickMap<usize, usize> = match start < ends.1 {
            true => (start..ends.0).filter_map(|at| Some((address(&before[at])?, at))).collect(),
            false => QuickMap::default(),
        };
        let mut between: Vec<Option<usize>> =
            after[start..ends.1].iter().map(|kid| known.get(&address(kid)?).copied()).collect();
        keep_rising(&mut between);
        Self { start, ends, between }
    }

    /// Which of those before stands here, if it stayed.
    pub fn before(&self, at: usize) -> Option<usize> {
        if at < self.start {
            Some(at)
        } else if at >= self.ends.1 {
            Some(at - self.ends.1 + self.ends.0)
        } else {
            self.between[at - self.start]
        }
    }

    /// Those before that did not stay, and those that stand, or stood, beside what changed; in order.
    pub fn touched(&self) -> Vec<usize> {
        if self.between.is_empty() && self.start == self.ends.0 {
            return Vec::new();
        }
        let mut stayed = vec![false; self.ends.0 - self.start];
        self.between.iter().flatten().for_each(|at| stayed[at - self.start] = true);
        let stays = |at: usize| stayed.get(at.wrapping_sub(self.start)).is_none_or(|stayed| *stayed);
        let mut touched: Vec<usize> = (self.start..self.ends.0)
            .filter(|at| !stays(*at) || !stays(at + 1) || at.checked_sub(1).is_some_and(|before| !stays(before)))
            .collect();
        touched.extend(self.start.checked_sub(1));
        touched.push(self.ends.0);
        let changed = |at: usize| self.between.get(at).is_some_and(Option::is_none);
        for (at, was) in self.between.iter().enumerate() {
            if let Some(was) = was
                && (changed(at + 1) || at.checked_sub(1).is_some_and(changed) || self.jumps(at))
            {
                touched.push(*was);
            }
        }
        touched.sort_unstable();
        touched.dedup();
        touched
    }

    /// Whether something else stands beside it than before.
    fn jumps(&self, at: usize) -> bool {
        let follows = |a: Option<usize>, b: Option<usize>| matches!((a, b), (Some(a), Some(b)) if a + 1 == b);
        let at = at + self.start;
        let before = at.checked_sub(1).and_then(|left| self.before(left));
        !follows(before, self.before(at)) || !follows(self.before(at), self.before(at + 1))
    }
}

fn is_same(a: &Kid, b: &Kid) -> bool {
    matches!((a, b), (Kid::Element(a), Kid::Element(b)) if Rc::ptr_eq(a, b))
}

fn address(kid: &Kid) -> Option<usize> {
    match kid {
        Kid::Element(element) => Some(Rc::as_ptr(element) as usize),
        Kid::Leaf(_) => None,
    }
}

/// Only a longest rising sequence is left.
fn keep_rising(list: &mut [Option<usize>]) {
    let (places, values): (Vec<usize>, Vec<u32>) =
        list.iter().enumerate().filter_map(|(at, value)| Some((at, (*value)? as u32))).unzip();
    let mut stays = increasing(&values).into_iter().map(|index| places[index]).peekable();
    for (at, value) in list.iter_mut().enumerate() {
        *value = value.filter(|_| stays.next_if_eq(&at).is_some());
    }
}
