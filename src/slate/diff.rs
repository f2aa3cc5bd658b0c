//! Operations from one value to another, for when the way between them is not known: a resync, a change of epoch.

use super::node::{Attrs, Element, Leaf, Node};
use super::op::{Op, Path};
use super::utf16;

/// Comparing every old child with every new one is done up to this many pairs.
const MAX_PAIRS: usize = 1 << 20;

/// What is equal stays, what is of the same kind in the same place is changed, the rest is removed and inserted. Never
/// leaves a parent without children in between unless it had none or is to have none.
pub(super) fn diff(old: &[Node], new: &[Node]) -> Vec<Op> {
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
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let ((old_start, old), (new_start, new)) = (old.split_at(start), new.split_at(start));
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old, old_end) = old.split_at(old.len() - end);
    let (new, new_end) = new.split_at(new.len() - end);
    let mut stretches = vec![(old_start, new_start)];
    let (mut a, mut b) = (0, 0);
    for (i, j) in common(old, new) {
        stretches.push((&old[a..i], &new[b..j]));
        stretches.push((&old[i..=i], &new[j..=j]));
        (a, b) = (i + 1, j + 1);
    }
    stretches.push((&old[a..], &new[b..]));
    stretches.push((old_end, new_end));
    stretches
}

/// The longest common subsequence, as pairs of indices.
fn common(old: &[Node], new: &[Node]) -> Vec<(usize, usize)> {
    if old.is_empty() || new.is_empty() || old.len().saturating_mul(new.len()) > MAX_PAIRS {
        return Vec::new();
    }
    let width = new.len() + 1;
    let mut best = vec![0u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            let skip = best[(i + 1) * width + j].max(best[i * width + j + 1]);
            let both = best[(i + 1) * width + j + 1] + 1;
            best[i * width + j] = if old[i] == new[j] { both.max(skip) } else { skip };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pairs = Vec::new();
    while i < old.len() && j < new.len() {
        if old[i] == new[j] {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if best[(i + 1) * width + j] >= best[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}
