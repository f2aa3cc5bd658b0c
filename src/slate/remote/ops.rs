//! Operations: each is written down and done to the shadow.

use std::cell::Cell;

use super::known::{NEW, Shaded, Who};
use super::shade::{ShadeId, ShadeKind};
use super::{Plan, node as node_of};
use crate::slate::value::node::{self, Attrs, Node};
use crate::slate::value::op::Op;
use crate::slate::view::tree::Element;

/// What changes between two sets of attributes: what was, what is.
fn changes(had: &Attrs, to: &Attrs) -> Option<(Attrs, Attrs)> {
    if had == to {
        return None;
    }
    let only = |a: &Attrs, b: &Attrs| -> Attrs {
        let differ = a.iter().filter(|(key, value)| b.get(key) != Some(value));
        differ.map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    Some((only(had, to), only(to, had)))
}

impl<'a> Plan<'a> {
    pub(super) fn put(&mut self, up: ShadeId, at: usize, shade: ShadeId) {
        if let Some(kids) = self.children_mut(up) {
            let at = at.min(kids.len());
            kids.insert(at, shade);
            let shade = &mut self.shades[shade as usize];
            shade.up = Some(up);
            shade.at = Cell::new(at as u32);
        }
    }

    fn take(&mut self, shade: ShadeId) {
        let Some(up) = self.up(shade) else { return };
        self.open(up);
        let at = self.index_of(shade);
        if let Some(kids) = self.children_mut(up).filter(|kids| at < kids.len()) {
            kids.remove(at);
        }
        self.shades[shade as usize].up = None;
    }

    /// In front of what is at `at` now.
    pub(super) fn move_to(&mut self, shade: ShadeId, up: ShadeId, mut at: usize) {
        let from = self.index_of(shade);
        if self.up(shade) == Some(up) {
            if from == at {
                return;
            }
            at -= usize::from(from < at);
            if from == at {
                return;
            }
        }
        let mut new_path = self.path(up);
        new_path.push(at as u32);
        self.ops.push(Op::MoveNode { path: self.path(shade), new_path });
        self.take(shade);
        self.put(up, at, shade);
    }

    pub(super) fn insert(&mut self, up: ShadeId, at: usize, shade: ShadeId, node: Node) {
        let mut path = self.path(up);
        path.push(at as u32);
        self.ops.push(Op::InsertNode { path, node });
        self.put(up, at, shade);
    }

    fn node(&self, shade: ShadeId) -> Node {
        match &self.shades[shade as usize].kind {
            ShadeKind::Leaf { marks, stretches } => {
                Node::Text(node::Leaf { text: self.text(stretches), marks: (*marks).clone() })
            }
            ShadeKind::Element { like, kids, .. } => Node::Element(node::Element {
                attrs: (*like.props).clone(),
                children: match kids {
                    Some(kids) => kids.iter().map(|kid| self.node(*kid)).collect(),
                    None => like.kids.iter().map(node_of).collect(),
                },
            }),
        }
    }

    fn bury(&mut self, shade: ShadeId) {
        if let ShadeKind::Element { who, kids, .. } = &mut self.shades[shade as usize].kind {
            self.found.known[*who as usize].shaded = Shaded::Gone;
            for kid in kids.take().unwrap_or_default() {
                self.bury(kid);
            }
        }
    }

    pub(super) fn remove(&mut self, shade: ShadeId) {
        self.ops.push(Op::RemoveNode { path: self.path(shade), node: self.node(shade) });
        self.take(shade);
        self.bury(shade);
    }

    /// In front of its stretch `at`; the right part is new.
    pub(super) fn split_leaf(&mut self, leaf: ShadeId, at: usize) -> ShadeId {
        self.split_leaf_at(leaf, &[at]).unwrap_or(leaf)
    }

    /// In front of several of its stretches, from left to right; returns the last part.
    pub(super) fn split_leaf_at(&mut self, leaf: ShadeId, cuts: &[usize]) -> Option<ShadeId> {
        let up = self.up(leaf)?;
        let (marks, mut path, index) = (self.attrs(leaf), self.path(leaf), self.index_of(leaf));
        let first = *cuts.first()?;
        let rest = self.texts_mut(leaf)?.split_off(first);
        let mut left = self.units(self.texts(leaf));
        let mut parts = Vec::with_capacity(cuts.len());
        for (cut, next) in cuts.iter().zip(cuts[1..].iter().chain([&(first + rest.len())])) {
            self.ops.push(Op::SplitNode { path: path.clone(), position: left, properties: marks.clone() });
            if let Some(index) = path.last_mut() {
                *index += 1;
            }
            let part = rest[cut - first..next - first].to_vec();
            left = self.units(&part);
            let part = self.new_leaf(marks, part, Some(up));
            self.shades[part as usize].at = Cell::new((index + 1 + parts.len()) as u32);
            parts.push(part);
        }
        let last = parts.last().copied();
        self.children_mut(up)?.splice(index + 1..index + 1, parts);
        last
    }

    /// In front of its kid `at`; the right part is `who`.
    pub(super) fn split_element(&mut self, element: ShadeId, at: usize, who: Who) -> Option<ShadeId> {
        let like = self.end(NEW, who)?.element;
        self.ops.push(Op::SplitNode {
            path: self.path(element),
            position: at as u32,
            properties: (*like.props).clone(),
        });
        let kids = self.children_mut(element).map(|kids| kids.split_off(at)).unwrap_or_default();
        let right = self.shades.len() as ShadeId;
        for kid in &kids {
            self.shades[*kid as usize].up = Some(right);
        }
        let right = self.new_element(who, like, None, Some(kids));
        if let Some(up) = self.up(element) {
            self.put(up, self.index_of(element) + 1, right);
        }
        Some(right)
    }

    /// A node into the one that stands right in front of it.
    pub(super) fn merge(&mut self, shade: ShadeId, into: ShadeId) {
        let position =
            if self.is_leaf(shade) { self.units(self.texts(into)) } else { self.children(into).len() as u32 };
        self.merge_at(shade, into, position);
    }

    /// `position`: how much `into` has.
    pub(super) fn merge_at(&mut self, shade: ShadeId, into: ShadeId, position: u32) {
        self.open(shade);
        self.ops.push(Op::MergeNode { path: self.path(shade), position, properties: self.attrs(shade).clone() });
        self.take(shade);
        match &mut self.shades[shade as usize].kind {
            ShadeKind::Leaf { stretches, .. } => {
                let stretches = std::mem::take(stretches);
                for id in &stretches {
                    self.stretches[*id as usize].leaf = Some(into);
                }
                if let Some(texts) = self.texts_mut(into) {
                    texts.extend(stretches);
                }
            }
            ShadeKind::Element { who, kids, .. } => {
                self.found.known[*who as usize].shaded = Shaded::Gone;
                let moved = kids.take().unwrap_or_default();
                for kid in &moved {
                    self.shades[*kid as usize].up = Some(into);
                }
                if let Some(kids) = self.children_mut(into) {
                    kids.extend(moved);
                }
            }
        }
    }

    fn set(&mut self, shade: ShadeId, to: &Attrs) {
        if let Some((properties, new_properties)) = changes(self.attrs(shade), to) {
            self.ops.push(Op::SetNode { path: self.path(shade), properties, new_properties });
        }
    }

    pub(super) fn set_props(&mut self, shade: ShadeId, element: &'a Element) {
        self.set(shade, &element.props);
        if let ShadeKind::Element { like, .. } = &mut self.shades[shade as usize].kind {
            *like = element;
        }
    }

    pub(super) fn set_marks(&mut self, leaf: ShadeId, to: &'a Attrs) {
        self.set(leaf, to);
        if let ShadeKind::Leaf { marks, .. } = &mut self.shades[leaf as usize].kind {
            *marks = to;
        }
    }
}
