//! Local operations into tree and doc.
//!
//! Every operation is checked completely before anything is written. What must be copied (the doc cannot move or cut)
//! is the part that loses least: edits made by others to a copied part at the same time stay with the original.

use std::sync::Arc;

use smallvec::SmallVec;
use yrs::{Any, TransactionMut, XmlTextRef};

use super::error::OpError;
use super::node::{Attrs, Node};
use super::op::{Op, Path};
use super::props::{Props, is_null, is_reserved};
use super::transform;
use super::tree::{Kind, MAX_DEPTH, NodeId, Tree};
use super::{by_copy, read, utf16};

/// How many times as heavy as the left block the right one must be to be the one that stays in a merge.
const CLEARLY: u64 = 4;

/// One transaction's worth of local edits.
pub(super) struct Edit<'a, 'doc> {
    pub tree: &'a mut Tree,
    pub txn: &'a mut TransactionMut<'doc>,
    pub block_id: Option<&'a str>,
    pub rng: &'a mut fastrand::Rng,
    /// Inverse operations in the order of the edits.
    pub inverse: Vec<Op>,
    /// What the editor has to apply on top.
    pub extra: Vec<Op>,
    /// Elements that were given text: remote changes of them are followed exactly from now on.
    pub touched: SmallVec<[NodeId; 1]>,
    /// Elements that hang in the tree, next to each other, and are to be written together: parent, offset, nodes.
    pub unwritten: Option<(NodeId, u32, Vec<NodeId>)>,
}

impl Edit<'_, '_> {
    pub fn apply(&mut self, op: &Op) -> Result<(), OpError> {
        let earlier = self.extra.len();
        self.dispatch(op)?;
        // The editor applies the extra operations after all others.
        let mut index = 0;
        self.extra.retain_mut(|extra| {
            index += 1;
            index > earlier || shift(extra, op)
        });
        Ok(())
    }

    fn touch(&mut self, id: NodeId) {
        if self.touched.last() != Some(&id) {
            self.touched.push(id);
        }
    }

    /// Writes what the tree has and the doc has not. To be called when all operations are applied, too.
    pub fn catch_up(&mut self) {
        if let Some((parent, at, ids)) = self.unwritten.take() {
            self.write_nodes(&ids, parent, at);
        }
    }

    fn dispatch(&mut self, op: &Op) -> Result<(), OpError> {
        if !matches!(op, Op::InsertNode { .. }) {
            self.catch_up();
        }
        match op {
            Op::InsertText { path, offset, text } => self.insert_text(path, *offset, text),
            Op::RemoveText { path, offset, text } => self.remove_text(path, *offset, text),
            Op::InsertNode { path, node } => self.insert_node(path, node),
            Op::RemoveNode { path, .. } => self.remove_node(path),
            Op::SetNode { path, properties, new_properties } => self.set_node(path, properties, new_properties),
            Op::SplitNode { path, position, properties } => self.split_node(path, *position, properties),
            Op::MergeNode { path, .. } => self.merge_node(path),
            Op::MoveNode { path, new_path } => self.move_node(path, new_path),
        }
    }

    // --- text

    fn insert_text(&mut self, path: &Path, offset: u32, inserted: &str) -> Result<(), OpError> {
        let (parent, index) = self.tree.resolve_parent(path)?;
        let id = self.tree.resolve(path)?;
        let start = self.tree.offset(parent, index);
        let text = self.tree.text_mut(id).ok_or(OpError::WrongKind)?;
        let byte = utf16::byte_at(&text.text, text.len, offset)?;
        let at = start + offset;
        if inserted.is_empty() {
            return Ok(());
        }
        text.text.insert_str(byte, inserted);
        text.len += utf16::len(inserted);
        if let Some(branch) = self.tree.branch(parent) {
            let at = self.doc_offset(parent, &branch, at);
            if let Some(text) = self.tree.text(id) {
                by_copy::insert_text(self.txn, &branch, at, inserted, &text.marks);
            }
        }
        self.touch(parent);
        self.inverse.push(Op::RemoveText { path: path.clone(), offset, text: inserted.to_owned() });
        Ok(())
    }

    fn remove_text(&mut self, path: &Path, offset: u32, removed: &str) -> Result<(), OpError> {
        let (parent, index) = self.tree.resolve_parent(path)?;
        let id = self.tree.resolve(path)?;
        let before = self.tree.offset(parent, index);
        let len = utf16::len(removed);
        let text = self.tree.text_mut(id).ok_or(OpError::WrongKind)?;
        let start = utf16::byte_at(&text.text, text.len, offset)?;
        let end = utf16::byte_at(&text.text, text.len, offset.saturating_add(len))?;
        let at = before + offset;
        if len == 0 {
            return Ok(());
        }
        let actual = text.text[start..end].to_owned();
        text.text.replace_range(start..end, "");
        text.len -= len;
        self.remove_range(parent, at, len);
        self.touch(parent);
        self.inverse.push(Op::InsertText { path: path.clone(), offset, text: actual });
        Ok(())
    }

    // --- nodes

    fn insert_node(&mut self, path: &Path, node: &Node) -> Result<(), OpError> {
        let (parent, index) = self.tree.resolve_parent(path)?;
        if index > self.tree.children(parent).len() {
            return Err(OpError::NoSuchNode);
        }
        if path.len() + depth(node) > MAX_DEPTH {
            return Err(OpError::TooDeep(MAX_DEPTH));
        }
        let at = self.tree.offset(parent, index);
        let id = self.tree.build(node);
        match &mut self.unwritten {
            Some((other, from, ids)) if *other == parent && *from + ids.len() as u32 == at => ids.push(id),
            _ => {
                self.catch_up();
                self.unwritten = Some((parent, at, vec![id]));
            }
        }
        self.tree.attach(parent, index, id);
        if self.tree.is_text(id) {
            self.catch_up();
        }
        self.inverse.push(Op::RemoveNode { path: path.clone(), node: node.clone() });
        Ok(())
    }

    fn remove_node(&mut self, path: &Path) -> Result<(), OpError> {
        let (parent, index) = self.tree.resolve_parent(path)?;
        let id = self.tree.resolve(path)?;
        let node = self.tree.to_node(id);
        let (at, len) = (self.tree.offset(parent, index), self.tree.len(id));
        self.remove_range(parent, at, len);
        self.tree.detach(parent, index);
        self.tree.free(id);
        self.inverse.push(Op::InsertNode { path: path.clone(), node });
        Ok(())
    }

    fn set_node(&mut self, path: &Path, properties: &Attrs, new_properties: &Attrs) -> Result<(), OpError> {
        let (parent, index) = self.tree.resolve_parent(path)?;
        let id = self.tree.resolve(path)?;
        if let Some(key) = new_properties.keys().find(|key| is_reserved(key)) {
            return Err(OpError::ReservedProperty(key.to_string()));
        }
        let before = match self.tree.kind(id) {
            Kind::Text(text) => &text.marks,
            Kind::Element(block) => &block.attrs,
            Kind::Free => return Err(OpError::NoSuchNode),
        };
        let mut after = before.clone();
        for (key, value) in new_properties {
            if is_null(value) {
                after.remove(key);
            } else {
                after.set(key.clone(), value.clone());
            }
        }
        for key in properties.keys().filter(|key| !new_properties.contains_key(key)) {
            after.remove(key);
        }
        let (changes, back) = (before.changes_to(&after), after.changes_to(before));
        if changes.is_empty() {
            return Ok(());
        }
        self.set_props(parent, index, id, after, &changes);
        self.inverse.push(Op::SetNode {
            path: path.clone(),
            properties: changes.into_iter().collect(),
            new_properties: back.into_iter().collect(),
        });
        Ok(())
    }

    fn set_props(&mut self, parent: NodeId, index: usize, id: NodeId, after: Props, changes: &[(Arc<str>, Any)]) {
        let at = self.tree.offset(parent, index);
        if let Some(text) = self.tree.text_mut(id) {
            text.marks = after;
            let len = text.len;
            self.format_range(parent, at, len, changes);
        } else if let Some(block) = self.tree.block_mut(id) {
            block.attrs = after;
            if let Some(branch) = &block.branch {
                by_copy::set_attrs(self.txn, branch, changes);
            }
        }
    }

    // --- split

    fn split_node(&mut self, path: &Path, position: u32, properties: &Attrs) -> Result<(), OpError> {
        let (parent, index) = self.tree.resolve_parent(path)?;
        let id = self.tree.resolve(path)?;
        if let Some(key) = properties.keys().find(|key| is_reserved(key)) {
            return Err(OpError::ReservedProperty(key.to_string()));
        }
        let mut props = Props::marks(properties);
        if let Some(text) = self.tree.text_mut(id) {
            let byte = utf16::byte_at(&text.text, text.len, position)?;
            let right = text.text.split_off(byte);
            let len = text.len - position;
            text.len = position;
            let changes = text.marks.changes_to(&props);
            let new = self.tree.new_text(right, props);
            self.tree.attach(parent, index + 1, new);
            let at = self.tree.offset(parent, index + 1);
            self.format_range(parent, at, len, &changes);
        } else {
            let children = self.tree.children(id).len();
            if position as usize > children {
                return Err(OpError::OutOfRange { offset: position, len: children as u32 });
            }
            let fresh = self.fresh_id(id, &mut props);
            self.split_block(parent, index, id, position as usize, props);
            self.extra.extend(fresh.map(|new_properties| Op::SetNode {
                path: transform::next(path),
                properties: self.block_id.and_then(|key| properties.get_key_value(key)).map(own).into_iter().collect(),
                new_properties,
            }));
        }
        self.inverse.push(Op::MergeNode { path: transform::next(path), position, properties: properties.clone() });
        Ok(())
    }

    /// Gives the right half of a split an id of its own, if the left half has one.
    fn fresh_id(&mut self, left: NodeId, right: &mut Props) -> Option<Attrs> {
        let key = self.block_id?;
        let taken = self.tree.block(left)?.attrs.get(key)?;
        if right.get(key).is_some_and(|id| id != taken) {
            return None;
        }
        let id: String = (0..16).map(|_| self.rng.alphanumeric()).collect();
        let (key, id): (Arc<str>, Any) = (key.into(), Any::from(id));
        right.set(key.clone(), id.clone());
        Some(Attrs::from([(key, id)]))
    }

    /// The left half keeps the place and the properties, the right one follows it; which of the two keeps the shared
    /// type is a matter of what the copy would lose.
    fn split_block(&mut self, parent: NodeId, index: usize, id: NodeId, position: usize, props: Props) {
        let cut = self.tree.offset(id, position);
        let total = self.tree.content_len(id);
        let children = self.tree.children(id);
        let weigh = |ids: &[NodeId]| ids.iter().map(|&id| self.tree.weight(id)).sum::<u64>();
        let keeps_left = cut == total || (cut > 0 && weigh(&children[position..]) <= weigh(&children[..position]));
        let old = self.tree.block(id).map(|block| block.attrs.clone()).unwrap_or_default();
        let at = self.tree.offset(parent, index);
        if keeps_left {
            let new = self.tree.new_block(props);
            let moved = self.take_children(id, position, usize::MAX);
            self.remove_range(id, cut, total - cut);
            self.tree.attach(parent, index + 1, new);
            self.hang(new, &moved);
            self.write_nodes(&[new], parent, at + 1);
        } else {
            let changes = old.changes_to(&props);
            let new = self.tree.new_block(old);
            let moved = self.take_children(id, 0, position);
            self.remove_range(id, 0, cut);
            self.tree.attach(parent, index, new);
            self.hang(new, &moved);
            self.write_nodes(&[new], parent, at);
            self.set_props(parent, index + 1, id, props, &changes);
        }
    }

    // --- merge

    fn merge_node(&mut self, path: &Path) -> Result<(), OpError> {
        let (parent, index) = self.tree.resolve_parent(path)?;
        let right = self.tree.resolve(path)?;
        let Some(left_index) = index.checked_sub(1) else { return Err(OpError::NoSuchNode) };
        let left = self.tree.children(parent)[left_index];
        let (position, properties) = match (self.tree.kind(left), self.tree.kind(right)) {
            (Kind::Text(l), Kind::Text(r)) => (l.len, r.marks.to_attrs()),
            (Kind::Element(l), Kind::Element(r)) => (l.children.len() as u32, r.attrs.to_attrs()),
            _ => return Err(OpError::WrongKind),
        };
        if self.tree.is_text(left) {
            self.merge_texts(parent, left_index, left, right);
        } else {
            self.merge_blocks(parent, left_index, left, right);
        }
        self.inverse.push(Op::SplitNode { path: transform::previous(path), position, properties });
        Ok(())
    }

    fn merge_texts(&mut self, parent: NodeId, left_index: usize, left: NodeId, right: NodeId) {
        let at = self.tree.offset(parent, left_index + 1);
        let (Some(l), Some(r)) = (self.tree.text(left), self.tree.text(right)) else { return };
        let (changes, len, text) = (r.marks.changes_to(&l.marks), r.len, r.text.clone());
        self.format_range(parent, at, len, &changes);
        if let Some(left) = self.tree.text_mut(left) {
            left.text.push_str(&text);
            left.len += len;
        }
        self.tree.detach(parent, left_index + 1);
        self.tree.free(right);
    }

    fn merge_blocks(&mut self, parent: NodeId, left_index: usize, left: NodeId, right: NodeId) {
        let (left_len, right_len) = (self.tree.content_len(left), self.tree.content_len(right));
        let at = self.tree.offset(parent, left_index);
        let foreign = |id| self.tree.block(id).is_some_and(|block| block.foreign > 0);
        let keeps_right = match (foreign(left), foreign(right)) {
            (true, false) => false,
            (false, true) => true,
            // Two people may merge the same two blocks while one of them types: if they kept different ones, both
            // blocks would be gone. So the left one, unless there is no doubt.
            _ => right_len > 0 && (left_len == 0 || self.tree.weight(right) > CLEARLY * self.tree.weight(left)),
        };
        if keeps_right {
            let moved = self.take_children(left, 0, usize::MAX);
            let target = self.tree.block(left).map(|block| block.attrs.clone()).unwrap_or_default();
            let changes = self.tree.block(right).map(|block| block.attrs.changes_to(&target)).unwrap_or_default();
            self.remove_range(parent, at, 1);
            self.tree.detach(parent, left_index);
            self.tree.free(left);
            for (index, &child) in moved.iter().enumerate() {
                self.tree.attach(right, index, child);
            }
            self.write_nodes(&moved, right, 0);
            self.set_props(parent, left_index, right, target, &changes);
            self.touch(right);
        } else {
            let moved = self.take_children(right, 0, usize::MAX);
            self.remove_range(parent, at + 1, 1);
            self.tree.detach(parent, left_index + 1);
            self.tree.free(right);
            let end = self.tree.children(left).len();
            for (index, &child) in moved.iter().enumerate() {
                self.tree.attach(left, end + index, child);
            }
            self.write_nodes(&moved, left, left_len);
            self.touch(left);
        }
    }

    // --- move

    fn move_node(&mut self, path: &Path, new_path: &Path) -> Result<(), OpError> {
        let (from, index) = self.tree.resolve_parent(path)?;
        let id = self.tree.resolve(path)?;
        if new_path.is_empty() {
            return Err(OpError::Root);
        }
        if new_path.len() > path.len() && new_path.starts_with(path) {
            return Err(OpError::IntoItself);
        }
        if path == new_path {
            return Ok(());
        }
        let target = transform::moved(path, new_path);
        let (at, len) = (self.tree.offset(from, index), self.tree.len(id));
        if path[..path.len() - 1] == target[..target.len() - 1] {
            self.move_among_siblings(from, index, target[target.len() - 1] as usize)?;
            self.inverse.push(transform::inverse_move(path, new_path));
            return Ok(());
        }
        self.tree.detach(from, index);
        let (to, to_index) = match self.tree.resolve_parent(&target) {
            Ok((to, to_index)) if to_index <= self.tree.children(to).len() => (to, to_index),
            other => {
                self.tree.attach(from, index, id);
                return Err(other.err().unwrap_or(OpError::NoSuchNode));
            }
        };
        if target.len() + self.depth(id) > MAX_DEPTH {
            self.tree.attach(from, index, id);
            return Err(OpError::TooDeep(MAX_DEPTH));
        }
        self.remove_range(from, at, len);
        let to_at = self.tree.offset(to, to_index);
        self.tree.attach(to, to_index, id);
        self.write_nodes(&[id], to, to_at);
        self.inverse.push(transform::inverse_move(path, new_path));
        Ok(())
    }

    /// Moving one past others is moving the others past the one: what weighs less is copied.
    fn move_among_siblings(&mut self, parent: NodeId, index: usize, to: usize) -> Result<(), OpError> {
        let siblings = self.tree.children(parent);
        if to >= siblings.len() {
            return Err(OpError::NoSuchNode);
        }
        let id = siblings[index];
        let passed = if index < to { siblings[index + 1..=to].to_vec() } else { siblings[to..index].to_vec() };
        let (at, len) = (self.tree.offset(parent, index), self.tree.len(id));
        let passed_at = self.tree.offset(parent, if index < to { index + 1 } else { to });
        let passed_len: u32 = passed.iter().map(|&id| self.tree.len(id)).sum();
        let passed_weight: u64 = passed.iter().map(|&id| self.tree.weight(id)).sum();
        let copies_passed = passed_weight < self.tree.weight(id);
        let copied = if copies_passed { passed } else { vec![id] };
        if copies_passed {
            self.remove_range(parent, passed_at, passed_len);
        } else {
            self.remove_range(parent, at, len);
        }
        self.tree.detach(parent, index);
        self.tree.attach(parent, to, id);
        let copy_at = match (copies_passed, index < to) {
            (true, true) => at,
            (true, false) => passed_at + len,
            (false, true) => at + passed_len,
            (false, false) => passed_at,
        };
        self.write_nodes(&copied, parent, copy_at);
        Ok(())
    }

    // --- shared

    fn depth(&self, id: NodeId) -> usize {
        1 + self.tree.children(id).iter().map(|&child| self.depth(child)).max().unwrap_or(0)
    }

    fn take_children(&mut self, id: NodeId, from: usize, to: usize) -> Vec<NodeId> {
        let end = to.min(self.tree.children(id).len());
        let taken = self.tree.children(id)[from.min(end)..end].to_vec();
        for index in (from..end).rev() {
            self.tree.detach(id, index);
        }
        taken
    }

    fn hang(&mut self, id: NodeId, children: &[NodeId]) {
        for (index, &child) in children.iter().enumerate() {
            self.tree.attach(id, index, child);
        }
    }

    /// Writes nodes that hang in the tree already into their parent's shared type.
    fn write_nodes(&mut self, ids: &[NodeId], parent: NodeId, at: u32) {
        if let Some(branch) = self.tree.branch(parent) {
            let at = self.doc_offset(parent, &branch, at);
            by_copy::write_nodes(self.txn, self.tree, ids, &branch, at);
        }
    }

    fn doc_offset(&self, parent: NodeId, branch: &XmlTextRef, at: u32) -> u32 {
        match self.tree.block(parent) {
            Some(block) if block.foreign > 0 => read::doc_offset(self.txn, branch, at),
            _ => at,
        }
    }

    fn doc_ranges(&self, parent: NodeId, branch: &XmlTextRef, at: u32, len: u32) -> Vec<(u32, u32)> {
        match self.tree.block(parent) {
            Some(block) if block.foreign > 0 => read::doc_ranges(self.txn, branch, at, len),
            _ => vec![(at, len)],
        }
    }

    fn remove_range(&mut self, parent: NodeId, at: u32, len: u32) {
        let Some(branch) = self.tree.branch(parent) else { return };
        if len == 0 {
            return;
        }
        for (at, len) in self.doc_ranges(parent, &branch, at, len) {
            by_copy::remove(self.txn, &branch, at, len);
        }
    }

    fn format_range(&mut self, parent: NodeId, at: u32, len: u32, changes: &[(Arc<str>, Any)]) {
        let Some(branch) = self.tree.branch(parent) else { return };
        if len == 0 || changes.is_empty() {
            return;
        }
        for (at, len) in self.doc_ranges(parent, &branch, at, len) {
            by_copy::format(self.txn, &branch, at, len, changes);
        }
    }
}

fn own((key, value): (&Arc<str>, &Any)) -> (Arc<str>, Any) {
    (key.clone(), value.clone())
}

/// Brings a `set_node` past a later operation; false if its node is gone.
fn shift(extra: &mut Op, later: &Op) -> bool {
    let Op::SetNode { path, .. } = extra else { return false };
    if matches!(later, Op::MergeNode { path: merged, .. } if merged == path) {
        return false;
    }
    match transform::path(path, later, transform::Affinity::Backward) {
        Some(moved) => {
            *path = moved;
            true
        }
        None => false,
    }
}

/// Levels of nesting: 1 for a text. Stops counting where no value may go.
pub(super) fn depth(node: &Node) -> usize {
    fn down(node: &Node, level: usize) -> usize {
        match node {
            Node::Element(element) if level <= MAX_DEPTH => {
                element.children.iter().map(|child| down(child, level + 1)).max().unwrap_or(level)
            }
            _ => level,
        }
    }
    down(node, 1)
}
