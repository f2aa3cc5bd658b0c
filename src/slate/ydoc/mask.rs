//! [`Mirror::mask`]: for a while only some of the root's items are there.
//!
//! What is left out stands in the root's sequence as items of its length that show one void element, or nothing. So
//! indices stay true, and what is written meanwhile goes to where it belongs, while reading costs what is left.

use std::ops::Range;

use super::attrs::{Kind, Registers};
use super::formats::Formats;
use super::id::Id;
use super::mirror::{Item, Mirror, Nid, ROOT};
use super::quick::QuickSet;

/// What a masked root has, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// One of its items, with all that is in it.
    Item(Nid),
    /// Items that are left out, by their place in the list, and whether they show anything.
    Left { items: Range<usize>, shows: bool },
}

#[derive(Debug, Clone)]
pub(super) struct Mask {
    /// The root's.
    items: Vec<Item>,
    left: Vec<(Nid, Range<usize>)>,
    pub alive: QuickSet<Nid>,
}

impl Id {
    /// Of what stands for items that are left out; greater than any that is in a document.
    pub const fn of_left_out(nth: u32) -> Self {
        Self { client: Self::ROOT.client - 1, clock: nth }
    }

    /// Which of those that are left out it stands for.
    pub const fn left_out(self) -> Option<u32> {
        if self.client == Self::ROOT.client - 1 { Some(self.clock) } else { None }
    }
}

impl Mirror {
    /// Until [`Mirror::unmask`]. The parts cover all of the root's items, in order. Those that are left out and show
    /// something are elements with the ids [`Id::of_left_out`], counted from 0.
    pub fn mask(&mut self, parts: &[Part]) {
        let mut mask = Mask { items: Vec::new(), left: Vec::new(), alive: QuickSet::from_iter([ROOT]) };
        let mut items = Vec::with_capacity(parts.len());
        let mut shown = 0;
        for part in parts {
            match part {
                Part::Item(node) => {
                    self.collect(*node, &mut mask.alive);
                    items.push(Item::Node(*node));
                }
                Part::Left { items: range, shows } => {
                    let id = Id::of_left_out(if *shows { shown } else { u32::MAX - mask.left.len() as u32 });
                    shown += u32::from(*shows);
                    let node = self.stand_in(id, *shows);
                    let len = self.node(ROOT).items[range.clone()].iter().map(Item::len).sum();
                    mask.alive.insert(node);
                    mask.left.push((node, range.clone()));
                    items.push(Item::Left { node, len });
                }
            }
        }
        mask.items = std::mem::replace(&mut self.nodes[ROOT as usize].items, items);
        self.mask = Some(Box::new(mask));
    }

    /// The root has all its items again, with what was put in and deleted meanwhile.
    pub fn unmask(&mut self) {
        let Some(mask) = self.mask.take() else { return };
        let masked = std::mem::take(&mut self.nodes[ROOT as usize].items);
        let left = mask.left.clone();
        self.nodes[ROOT as usize].items = if mask.is_same(&masked) { mask.items } else { mask.fill(masked) };
        for (node, _) in left {
            self.forget(node);
        }
    }

    fn stand_in(&mut self, id: Id, shows: bool) -> Nid {
        let branch = self.node(ROOT).branch.clone();
        let node = self.add(branch, id, ROOT, Formats::default());
        let kind = if shows { Kind::Strand } else { Kind::Unknown };
        self.nodes[node as usize].registers = Registers { kind, says: Some((false, true)), ..Registers::default() };
        node
    }

    fn collect(&self, node: Nid, out: &mut QuickSet<Nid>) {
        let mut todo = vec![node];
        while let Some(node) = todo.pop() {
            out.insert(node);
            todo.extend(self.node(node).items.iter().filter_map(|item| match item {
                Item::Node(node) => Some(*node),
                _ => None,
            }));
        }
    }
}

impl Mask {
    /// The items with those that were left out.
    fn fill(self, masked: Vec<Item>) -> Vec<Item> {
        let mut all: Vec<Option<Item>> = self.items.into_iter().map(Some).collect();
        let mut items = Vec::with_capacity(all.len() + masked.len());
        for item in masked {
            match item {
                Item::Left { node, .. } => {
                    let range = self.left.iter().find(|(other, _)| *other == node).map(|(_, range)| range.clone());
                    items.extend(range.into_iter().flatten().filter_map(|at| all[at].take()));
                }
                item => items.push(item),
            }
        }
        items
    }

    /// Whether the root's sequence has what it had when it was masked.
    fn is_same(&self, masked: &[Item]) -> bool {
        let mut at = 0;
        masked.iter().all(|item| match item {
            Item::Left { node, .. } => match self.left.iter().find(|(other, _)| other == node) {
                Some((_, range)) if range.start == at => {
                    at = range.end;
                    true
                }
                _ => false,
            },
            item => {
                at += 1;
                self.items.get(at - 1) == Some(item)
            }
        }) && at == self.items.len()
    }
}
