//! Brings an operation made for an earlier value up to date with the tree.

use super::op::Op;
use super::props::Props;
use super::tree::{Kind, NodeId, Tree};
use super::{transform, utf16};

/// The operation with what the tree has in its place; `None` if it has become meaningless, or would remove another text
/// than the one it names.
pub(super) fn amend(tree: &Tree, op: Op) -> Option<Op> {
    match op {
        Op::InsertText { path, offset, text } => {
            let leaf = tree.text(tree.resolve(&path).ok()?)?;
            let offset = utf16::floor(&leaf.text, leaf.len, offset);
            Some(Op::InsertText { path, offset, text })
        }
        Op::RemoveText { path, offset, text } => {
            let leaf = tree.text(tree.resolve(&path).ok()?)?;
            let there = utf16::slice(&leaf.text, offset, offset.checked_add(utf16::len(&text))?)?;
            (there == text).then_some(Op::RemoveText { path, offset, text })
        }
        Op::InsertNode { mut path, node } => {
            let (parent, index) = tree.resolve_parent(&path).ok()?;
            *path.last_mut()? = index.min(tree.children(parent).len()) as u32;
            Some(Op::InsertNode { path, node })
        }
        Op::RemoveNode { path, .. } => {
            let id = tree.resolve(&path).ok()?;
            let node = tree.to_node(id);
            tree.parent(id)?;
            Some(Op::RemoveNode { path, node })
        }
        Op::SetNode { path, properties, new_properties } => {
            let props = props(tree, tree.resolve(&path).ok()?)?;
            let keys = properties.keys().chain(new_properties.keys());
            let now = keys.filter_map(|key| Some((key.clone(), props.get(key)?.clone()))).collect();
            let op = Op::SetNode { path, properties: now, new_properties };
            Some(op)
        }
        Op::SplitNode { path, position, properties } => {
            let id = tree.resolve(&path).ok()?;
            let position = match tree.kind(id) {
                Kind::Text(leaf) => utf16::floor(&leaf.text, leaf.len, position),
                _ => position.min(tree.children(id).len() as u32),
            };
            Some(Op::SplitNode { path, position, properties })
        }
        Op::MergeNode { path, .. } => {
            let right = tree.resolve(&path).ok()?;
            path.last().filter(|&&last| last > 0)?;
            let left = tree.resolve(&transform::previous(&path)).ok()?;
            let position = match (tree.kind(left), tree.kind(right)) {
                (Kind::Text(left), Kind::Text(_)) => left.len,
                (Kind::Element(left), Kind::Element(_)) => left.children.len() as u32,
                _ => return None,
            };
            let properties = props(tree, right)?.to_attrs();
            Some(Op::MergeNode { path, position, properties })
        }
        Op::MoveNode { path, mut new_path } => {
            tree.parent(tree.resolve(&path).ok()?)?;
            let (parent, index) = tree.resolve_parent(&new_path).ok()?;
            let same_parent = path.len() == new_path.len() && path[..path.len() - 1] == new_path[..new_path.len() - 1];
            let len = tree.children(parent).len() - usize::from(same_parent);
            *new_path.last_mut()? = index.min(len) as u32;
            Some(Op::MoveNode { path, new_path })
        }
    }
}

fn props(tree: &Tree, id: NodeId) -> Option<&Props> {
    match tree.kind(id) {
        Kind::Text(text) => Some(&text.marks),
        Kind::Element(block) => Some(&block.attrs),
        Kind::Free => None,
    }
}
