//! Operations against a value: brought up to date with it, and taken back.

use crate::slate::value::node::Attrs;
use crate::slate::value::op::Op;
use crate::slate::value::props::{is_null, is_reserved, present};
use crate::slate::value::{transform, utf16};
use crate::slate::view::tree::{Element, Kid, Leaf};
use crate::slate::write::{kid_at, leaf_at, without_text};

fn text(leaf: &Leaf) -> String {
    leaf.runs.iter().map(|run| &*run.text).collect()
}

fn props(kid: &Kid) -> &Attrs {
    match kid {
        Kid::Leaf(leaf) => &leaf.marks,
        Kid::Element(element) => &element.props,
    }
}

/// The operation with what the value has in its place; `None` if it has become meaningless, or would remove another text
/// than the one it names.
pub(in crate::slate) fn amend(root: &Element, op: Op) -> Option<Op> {
    match op {
        Op::InsertText { path, offset, text: inserted } => {
            let leaf = leaf_at(root, &path)?;
            let offset = utf16::floor(&text(leaf), leaf.len(), offset);
            Some(Op::InsertText { path, offset, text: inserted })
        }
        Op::RemoveText { path, offset, text: removed } => {
            let there = text(leaf_at(root, &path)?);
            let there = utf16::slice(&there, offset, offset.checked_add(utf16::len(&removed))?)?;
            (there == removed).then_some(Op::RemoveText { path, offset, text: removed })
        }
        Op::InsertNode { path, node } => Some(Op::InsertNode { path: insertion(root, path)?, node }),
        Op::RemoveNode { path, .. } => {
            let node = super::node(kid_at(root, &path).ok()?);
            Some(Op::RemoveNode { path, node })
        }
        Op::SetNode { path, properties, new_properties } => {
            let props = props(kid_at(root, &path).ok()?);
            let keys = properties.keys().chain(new_properties.keys());
            let now = keys.filter_map(|key| Some((key.clone(), props.get(key)?.clone()))).collect();
            Some(Op::SetNode { path, properties: now, new_properties })
        }
        Op::SplitNode { path, position, properties } => {
            let position = division(root, &path, position)?;
            Some(Op::SplitNode { path, position, properties })
        }
        Op::MergeNode { path, .. } => {
            let (position, properties) = halves(root, &path)?;
            Some(Op::MergeNode { path, position, properties })
        }
        Op::MoveNode { path, new_path } => {
            kid_at(root, &path).ok()?;
            let new_path = landing(root, &path, new_path)?;
            Some(Op::MoveNode { path, new_path })
        }
    }
}

/// Where a merge joins, and the properties of what is joined.
fn halves(root: &Element, path: &[u32]) -> Option<(u32, Attrs)> {
    path.last().filter(|last| **last > 0)?;
    let right = kid_at(root, path).ok()?;
    let position = match (kid_at(root, &transform::previous(path)).ok()?, right) {
        (Kid::Leaf(left), Kid::Leaf(_)) => left.len(),
        (Kid::Element(left), Kid::Element(_)) => left.kids.len() as u32,
        _ => return None,
    };
    Some((position, props(right).clone()))
}

/// Where a node is put in: at the end, if the path is past it.
fn insertion(root: &Element, mut path: crate::slate::Path) -> Option<crate::slate::Path> {
    let (last, parent) = path.split_last_mut()?;
    *last = (*last).min(root.at(parent).ok()?.kids.len() as u32);
    Some(path)
}

/// Where a split divides.
fn division(root: &Element, path: &[u32], position: u32) -> Option<u32> {
    Some(match kid_at(root, path).ok()? {
        Kid::Leaf(leaf) => utf16::floor(&text(leaf), leaf.len(), position),
        Kid::Element(element) => position.min(element.kids.len() as u32),
    })
}

/// A target that is there.
fn landing(root: &Element, path: &[u32], mut new_path: crate::slate::Path) -> Option<crate::slate::Path> {
    let (last, parent) = new_path.split_last_mut()?;
    let same_parent = path.len() == parent.len() + 1 && path[..path.len() - 1] == *parent;
    let len = root.at(parent).ok()?.kids.len().saturating_sub(usize::from(same_parent));
    *last = (*last).min(len as u32);
    Some(new_path)
}

/// What takes back an operation that is about to be done; `None`: it changes nothing, or cannot be done.
pub(in crate::slate) fn inverse(root: &Element, op: &Op) -> Option<Op> {
    match op {
        Op::InsertText { path, offset, text: inserted } => {
            let leaf = leaf_at(root, path)?;
            let offset = utf16::floor(&text(leaf), leaf.len(), *offset);
            let text = inserted.clone();
            (!text.is_empty()).then(|| Op::RemoveText { path: path.clone(), offset, text })
        }
        Op::RemoveText { path, offset, text: removed } => {
            let leaf = leaf_at(root, path)?;
            let there = text(leaf);
            let offset = utf16::floor(&there, leaf.len(), *offset);
            let len = leaf.len() - without_text(leaf, offset, utf16::len(removed)).len();
            let text = utf16::slice(&there, offset, offset + len)?.to_owned();
            (!text.is_empty()).then(|| Op::InsertText { path: path.clone(), offset, text })
        }
        Op::InsertNode { path, node } => {
            Some(Op::RemoveNode { path: insertion(root, path.clone())?, node: node.clone() })
        }
        Op::RemoveNode { path, .. } => {
            let node = super::node(kid_at(root, path).ok()?);
            Some(Op::InsertNode { path: path.clone(), node })
        }
        Op::SetNode { path, properties, new_properties } => set_back(root, path, properties, new_properties),
        Op::SplitNode { path, position, properties } => {
            let position = division(root, path, *position)?;
            Some(Op::MergeNode { path: transform::next(path), position, properties: present(properties) })
        }
        Op::MergeNode { path, .. } => {
            let (position, properties) = halves(root, path)?;
            Some(Op::SplitNode { path: transform::previous(path), position, properties })
        }
        Op::MoveNode { path, new_path } => {
            kid_at(root, path).ok()?;
            let new_path = landing(root, path, new_path.clone())?;
            (*path != new_path).then(|| transform::inverse_move(path, &new_path))
        }
    }
}

fn set_back(root: &Element, path: &crate::slate::Path, properties: &Attrs, new_properties: &Attrs) -> Option<Op> {
    let before = props(kid_at(root, path).ok()?);
    let (mut now, mut back) = (Attrs::new(), Attrs::new());
    let removed = properties.keys().filter(|key| !new_properties.contains_key(*key)).map(|key| (key, &yrs::Any::Null));
    for (key, value) in new_properties.iter().chain(removed).filter(|(key, _)| !is_reserved(key)) {
        let was = before.get(key).filter(|was| !is_null(was)).unwrap_or(&yrs::Any::Null);
        if was == value || (is_null(was) && is_null(value)) {
            continue;
        }
        now.insert(key.clone(), value.clone());
        back.insert(key.clone(), was.clone());
    }
    (!now.is_empty()).then(|| Op::SetNode { path: path.clone(), properties: now, new_properties: back })
}
