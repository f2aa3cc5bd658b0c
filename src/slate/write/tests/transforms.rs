//! Slate's transforms, as the operations that they come to. Paths and offsets are of the value at that moment. `tests/oracle`
//! has this file as well.

use std::sync::Arc;

use yrs::Any;

use crate::slate::{Attrs, Element, Leaf, Node, Op, Path};

pub fn path(at: &[usize]) -> Path {
    at.iter().map(|index| *index as u32).collect()
}

pub fn attrs(pairs: &[(&str, Any)]) -> Attrs {
    pairs.iter().map(|(name, value)| (Arc::from(*name), value.clone())).collect()
}

pub fn element(kind: &str, children: Vec<Node>) -> Node {
    Node::Element(Element { attrs: attrs(&[("type", kind.into())]), children })
}

pub fn text(text: &str) -> Node {
    Node::Text(Leaf { text: text.into(), marks: Attrs::new() })
}

pub fn p(line: &str) -> Node {
    element("p", vec![text(line)])
}

pub fn li(line: &str, more: Vec<Node>) -> Node {
    element("li", [p(line)].into_iter().chain(more).collect())
}

pub fn td(line: &str) -> Node {
    element("td", vec![p(line)])
}

pub fn kind_of(node: &Node) -> &str {
    match node {
        Node::Element(element) => match element.attrs.get("type") {
            Some(Any::String(kind)) => kind,
            _ => "",
        },
        Node::Text(_) => "",
    }
}

pub fn is_inline(node: &Node) -> bool {
    ["a", "comment", "mention"].contains(&kind_of(node))
}

pub fn is_void(node: &Node) -> bool {
    ["image", "mention"].contains(&kind_of(node))
}

pub fn is_text(node: &Node) -> bool {
    matches!(node, Node::Text(_))
}

fn is_block(node: &Node) -> bool {
    !is_text(node) && !is_inline(node)
}

pub fn string(nodes: &[Node]) -> String {
    nodes
        .iter()
        .map(|node| match node {
            Node::Text(leaf) => leaf.text.clone(),
            Node::Element(element) => string(&element.children),
        })
        .collect()
}

pub fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// An editor, of which only the value is known, and that does operations.
pub trait Edits {
    /// Its children.
    fn content(&self) -> &[Node];

    fn op(&mut self, op: Op);

    fn children(&self, at: &[usize]) -> &[Node] {
        let mut nodes = self.content();
        for index in at {
            match &nodes[*index] {
                Node::Element(element) => nodes = &element.children,
                Node::Text(_) => return &[],
            }
        }
        nodes
    }

    fn node(&self, at: &[usize]) -> &Node {
        let (last, parent) = at.split_last().expect("no root");
        &self.children(parent)[*last]
    }

    /// All nodes with their paths, from top to bottom.
    fn all(&self) -> Vec<(Vec<usize>, Node)> {
        fn go(nodes: &[Node], at: &mut Vec<usize>, out: &mut Vec<(Vec<usize>, Node)>) {
            for (index, node) in nodes.iter().enumerate() {
                at.push(index);
                out.push((at.clone(), node.clone()));
                if let Node::Element(element) = node {
                    go(&element.children, at, out);
                }
                at.pop();
            }
        }
        let mut out = Vec::new();
        go(self.content(), &mut Vec::new(), &mut out);
        out
    }

    /// Texts that are in no void.
    fn texts(&self) -> Vec<(Vec<usize>, String)> {
        let of = |(at, node): (Vec<usize>, Node)| match node {
            Node::Text(leaf) if !(1..at.len()).any(|n| is_void(self.node(&at[..n]))) => Some((at, leaf.text)),
            _ => None,
        };
        self.all().into_iter().filter_map(of).collect()
    }

    fn blocks(&self) -> Vec<(Vec<usize>, Node)> {
        self.all().into_iter().filter(|(_, node)| is_block(node)).collect()
    }

    fn insert_text(&mut self, at: &[usize], offset: usize, text: &str) {
        self.op(Op::InsertText { path: path(at), offset: offset as u32, text: text.into() });
    }

    fn remove_text(&mut self, at: &[usize], from: usize, to: usize) {
        let Node::Text(leaf) = self.node(at) else { return };
        let units: Vec<u16> = leaf.text.encode_utf16().collect();
        let text = String::from_utf16(&units[from..to]).expect("whole characters");
        if from < to {
            self.op(Op::RemoveText { path: path(at), offset: from as u32, text });
        }
    }

    fn insert(&mut self, at: &[usize], node: Node) {
        self.op(Op::InsertNode { path: path(at), node });
    }

    fn remove(&mut self, at: &[usize]) {
        let node = self.node(at).clone();
        self.op(Op::RemoveNode { path: path(at), node });
    }

    fn shift(&mut self, at: &[usize], to: &[usize]) {
        self.op(Op::MoveNode { path: path(at), new_path: path(to) });
    }

    fn set(&mut self, at: &[usize], name: &str, value: Any) {
        let (properties, new_properties) = (Attrs::new(), attrs(&[(name, value)]));
        self.op(Op::SetNode { path: path(at), properties, new_properties });
    }

    fn split(&mut self, at: &[usize], position: usize) {
        let properties = match self.node(at) {
            Node::Element(element) => element.attrs.clone(),
            Node::Text(leaf) => leaf.marks.clone(),
        };
        self.op(Op::SplitNode { path: path(at), position: position as u32, properties });
    }

    fn merge(&mut self, at: &[usize]) {
        let position = match self.node(&before(at)) {
            Node::Element(element) => element.children.len(),
            Node::Text(leaf) => length(&leaf.text),
        };
        let properties = match self.node(at) {
            Node::Element(element) => element.attrs.clone(),
            Node::Text(leaf) => leaf.marks.clone(),
        };
        self.op(Op::MergeNode { path: path(at), position: position as u32, properties });
    }

    /// From the text upwards, `depth` is the length of the path of the outermost that is divided.
    fn split_up(&mut self, at: &[usize], offset: usize, depth: usize) {
        let mut position = offset;
        for n in (depth..=at.len()).rev() {
            self.split(&at[..n], position);
            position = at[n - 1] + 1;
        }
    }

    fn wrap(&mut self, at: &[usize], wrapper: Node) {
        self.insert(&behind(at), wrapper);
        self.shift(at, &[&behind(at)[..], &[0]].concat());
    }

    fn lift(&mut self, at: &[usize]) {
        let (index, parent) = at.split_last().expect("no root");
        let count = self.children(parent).len();
        if count == 1 {
            self.shift(at, &behind(parent));
            self.remove(parent);
        } else if *index == 0 {
            self.shift(at, parent);
        } else if index + 1 == count {
            self.shift(at, &behind(parent));
        } else {
            self.split(parent, index + 1);
            self.shift(at, &behind(parent));
        }
    }

    fn unwrap(&mut self, at: &[usize]) {
        let mut at = at.to_vec();
        for left in (1..=self.children(&at).len()).rev() {
            self.lift(&[&at[..], &[0]].concat());
            if left > 1 {
                at = behind(&at);
            }
        }
    }

    /// Slate's `mergeNodes` of a block with the text block before it.
    fn merge_blocks(&mut self, first: &[usize], second: &[usize]) {
        let common = first.iter().zip(second).take_while(|(a, b)| a == b).count();
        let mut emptied = None;
        for n in (common + 1..second.len()).rev() {
            match self.children(&second[..n]).len() {
                1 => emptied = Some(second[..n].to_vec()),
                _ => break,
            }
        }
        let (mut first, target) = (first.to_vec(), behind(first));
        if second != target {
            let is_first_empty = string(self.children(&first)).is_empty() && self.children(&first).iter().all(is_text);
            self.shift(second, &target);
            if let Some(emptied) = emptied {
                let moved = shifted(&emptied, second, &target);
                self.remove(&moved);
            }
            if is_first_empty {
                return self.remove(&first);
            }
        } else if string(self.children(&first)).is_empty() && self.children(&first).iter().all(is_text) {
            return self.remove(&first);
        }
        let last = first.len() - 1;
        first[last] += 1;
        self.merge(&first);
    }

    /// From one point to a later one, as `deleteFragment` does.
    fn delete(&mut self, start: (&[usize], usize), end: (&[usize], usize)) {
        if start.0 == end.0 {
            return self.remove_text(start.0, start.1.min(end.1), start.1.max(end.1));
        }
        let block = |peer: &Self, at: &[usize]| -> Vec<usize> {
            (1..at.len()).rev().map(|n| at[..n].to_vec()).find(|at| is_block(peer.node(at))).unwrap_or_default()
        };
        let (first, second) = (block(self, start.0), block(self, end.0));
        let len = length(&string(std::slice::from_ref(self.node(start.0))));
        self.remove_text(end.0, 0, end.1);
        self.remove_text(start.0, start.1, len);
        // What is between goes, from the end.
        let between = |at: &[usize]| at > start.0 && at < end.0 && !start.0.starts_with(at) && !end.0.starts_with(at);
        let mut all: Vec<Vec<usize>> = self.all().into_iter().map(|(at, _)| at).filter(|at| between(at)).collect();
        all.retain(|at| !(1..at.len()).any(|n| between(&at[..n])));
        let mut second_now = second.clone();
        for at in all.into_iter().rev() {
            self.remove(&at);
            let n = at.len() - 1;
            if second_now.len() > n && second_now[..n] == at[..n] && second_now[n] > at[n] {
                second_now[n] -= 1;
            }
        }
        if first != second && !first.is_empty() && !second.is_empty() {
            self.merge_blocks(&first, &second_now);
        }
    }

    /// Slate's own rules, until nothing changes.
    fn normalize(&mut self) {
        for _ in 0..2000 {
            if !self.normalize_once(&[]) {
                return;
            }
        }
        panic!("the normalizer does not come to an end");
    }

    fn normalize_once(&mut self, at: &[usize]) -> bool {
        let children = self.children(at).to_vec();
        if !at.is_empty() && children.is_empty() {
            self.insert(&[at, &[0]].concat(), text(""));
            return true;
        }
        for (index, child) in children.iter().enumerate() {
            if !is_text(child) && self.normalize_once(&[at, &[index]].concat()) {
                return true;
            }
        }
        let wants_inlines = !at.is_empty() && (is_inline(self.node(at)) || !children.first().is_some_and(is_block));
        for (index, child) in children.iter().enumerate() {
            let here = [at, &[index]].concat();
            if is_block(child) && wants_inlines {
                self.unwrap(&here);
                return true;
            }
            if !is_block(child) && !wants_inlines {
                self.remove(&here);
                return true;
            }
            if wants_inlines && self.tidy_text(&here, child, index.checked_sub(1).map(|index| &children[index])) {
                return true;
            }
        }
        if wants_inlines && children.last().is_some_and(is_inline) {
            self.insert(&[at, &[children.len()]].concat(), text(""));
            return true;
        }
        false
    }

    fn tidy_text(&mut self, here: &[usize], child: &Node, previous: Option<&Node>) -> bool {
        match (child, previous) {
            (Node::Text(right), Some(Node::Text(left))) if left.marks == right.marks => self.merge(here),
            (Node::Text(_), Some(Node::Text(left))) if left.text.is_empty() => self.remove(&before(here)),
            (Node::Text(right), Some(Node::Text(_))) if right.text.is_empty() => self.remove(here),
            (Node::Element(_), previous) if !previous.is_some_and(is_text) => self.insert(here, text("")),
            _ => return false,
        }
        true
    }
}

pub fn behind(at: &[usize]) -> Vec<usize> {
    let mut at = at.to_vec();
    if let Some(last) = at.last_mut() {
        *last += 1;
    }
    at
}

pub fn before(at: &[usize]) -> Vec<usize> {
    let mut at = at.to_vec();
    if let Some(last) = at.last_mut() {
        *last -= 1;
    }
    at
}

/// Where a node is after another was moved.
fn shifted(at: &[usize], from: &[usize], to: &[usize]) -> Vec<usize> {
    let mut out = at.to_vec();
    let take = |out: &mut Vec<usize>, other: &[usize], by: isize| {
        let n = other.len() - 1;
        let is_behind = |at: usize| if by < 0 { at > other[n] } else { at >= other[n] };
        if out.len() > n && out[..n] == other[..n] && is_behind(out[n]) {
            out[n] = out[n].wrapping_add_signed(by);
        }
    };
    take(&mut out, from, -1);
    take(&mut out, to, 1);
    out
}
