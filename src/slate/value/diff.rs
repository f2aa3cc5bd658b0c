//! Operations from one value to another, for when the way between them is not known: a resync, a change of epoch.

use super::alignment::{Alignment, align};
use super::node::{Attrs, Element, Leaf, Node};
use super::op::{Op, Path};
use super::utf16;

/// Comparing every old child with every new one is done up to this many pairs.
const MAX_PAIRS: usize = 1 << 20;

/// What is equal stays, what is of the same kind in the same place is changed, the rest is removed and inserted. Never
/// leaves a parent without children in between unless it had none or is to have none.
pub(in crate::slate) fn diff(old: &[Node], new: &[Node]) -> Vec<Op> {
    let mut ops = Vec::new();
    children(&mut Path::new(), old, new, &mut ops);
    ops
}

fn children(path: &mut Path, old: &[Node], new: &[Node], ops: &mut Vec<Op>) {
    // Where the next old child is by now.
    let mut at = 0;
    for (old, new) in stretches(old, new) {
        if old == new {
            at += old.len() as u32;
            continue;
        }
        let paired = old.len().min(new.len());
        for (old, new) in old.iter().zip(new) {
            path.push(at);
            pair(path, old, new, ops);
            path.pop();
            at += 1;
        }
        let child = |at: u32| path.iter().copied().chain([at]).collect::<Path>();
        for node in &new[paired..] {
            ops.push(Op::InsertNode { path: child(at), node: node.clone() });
            at += 1;
        }
        for node in &old[paired..] {
            ops.push(Op::RemoveNode { path: child(at), node: node.clone() });
        }
    }
}

fn pair(path: &mut Path, old: &Node, new: &Node, ops: &mut Vec<Op>) {
    match (old, new) {
        (old, new) if old == new => {}
        (Node::Text(old), Node::Text(new)) => text(path, old, new, ops),
        (Node::Element(old), Node::Element(new)) => element(path, old, new, ops),
        (old, new) => {
            let mut next = path.clone();
            if let Some(last) = next.last_mut() {
                *last += 1;
            }
            ops.push(Op::InsertNode { path: path.clone(), node: new.clone() });
            ops.push(Op::RemoveNode { path: next, node: old.clone() });
        }
    }
}

fn element(path: &mut Path, old: &Element, new: &Element, ops: &mut Vec<Op>) {
    set(path, &old.attrs, &new.attrs, ops);
    children(path, &old.children, &new.children, ops);
}

fn text(path: &Path, old: &Leaf, new: &Leaf, ops: &mut Vec<Op>) {
    let (a, b) = (old.text.as_str(), new.text.as_str());
    let start: usize = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).map(|(c, _)| c.len_utf8()).sum();
    let (a_rest, b_rest) = (&a[start..], &b[start..]);
    let ends = a_rest.chars().rev().zip(b_rest.chars().rev());
    let end: usize = ends.take_while(|(a, b)| a == b).map(|(c, _)| c.len_utf8()).sum();
    let offset = utf16::len(&a[..start]);
    let (gone, come) = (&a_rest[..a_rest.len() - end], &b_rest[..b_rest.len() - end]);
    if !gone.is_empty() {
        ops.push(Op::RemoveText { path: path.clone(), offset, text: gone.to_owned() });
    }
    if !come.is_empty() {
        ops.push(Op::InsertText { path: path.clone(), offset, text: come.to_owned() });
    }
    set(path, &old.marks, &new.marks, ops);
}

fn set(path: &Path, old: &Attrs, new: &Attrs, ops: &mut Vec<Op>) {
    let differs = |a: &Attrs, b: &Attrs| -> Attrs {
        a.iter().filter(|(key, value)| b.get(key) != Some(value)).map(|(k, v)| (k.clone(), v.clone())).collect()
    };
    let (properties, new_properties) = (differs(old, new), differs(new, old));
    if !properties.is_empty() || !new_properties.is_empty() {
        ops.push(Op::SetNode { path: path.clone(), properties, new_properties });
    }
}

/// Both lists in stretches that are equal or have nothing equal in common order.
fn stretches<'a>(old: &'a [Node], new: &'a [Node]) -> Vec<(&'a [Node], &'a [Node])> {
    let Alignment { start, pairs, end } = align(old, new, MAX_PAIRS, |a, b| a == b);
    let (mut a, mut b) = (start, start);
    let mut stretches = vec![(&old[..a], &new[..b])];
    for (i, j) in pairs {
        stretches.push((&old[a..i], &new[b..j]));
        stretches.push((&old[i..=i], &new[j..=j]));
        (a, b) = (i + 1, j + 1);
    }
    let (old, old_end) = old.split_at(old.len() - end);
    let (new, new_end) = new.split_at(new.len() - end);
    stretches.push((&old[a..], &new[b..]));
    stretches.push((old_end, new_end));
    stretches
}
