//! Changes of the tree that leave as operations for the editor. Each does to the tree what Slate does on the operation.

use super::op::{Op, Path};
use super::props::Props;
use super::transform;
use super::tree::{NodeId, Tree};
use super::utf16;

/// What the doc says and what the tree has do not fit: the element has to be replaced.
#[derive(Debug)]
pub(super) struct Misfit;

pub(super) struct Emit<'a> {
    pub tree: &'a mut Tree,
    pub ops: Vec<Op>,
}

impl Emit<'_> {
    fn path(&mut self, id: NodeId) -> Result<Path, Misfit> {
        self.tree.path(id).ok_or(Misfit)
    }

    fn child_path(&mut self, parent: NodeId, index: usize) -> Result<Path, Misfit> {
        let mut path = self.path(parent)?;
        path.push(index as u32);
        Ok(path)
    }

    pub fn insert_text(&mut self, id: NodeId, offset: u32, inserted: &str) -> Result<(), Misfit> {
        let text = self.tree.text_mut(id).ok_or(Misfit)?;
        let byte = utf16::byte_at(&text.text, text.len, offset).map_err(|_| Misfit)?;
        text.text.insert_str(byte, inserted);
        text.len += utf16::len(inserted);
        let path = self.path(id)?;
        self.ops.push(Op::InsertText { path, offset, text: inserted.to_owned() });
        Ok(())
    }

    pub fn remove_text(&mut self, id: NodeId, offset: u32, len: u32) -> Result<(), Misfit> {
        let text = self.tree.text_mut(id).ok_or(Misfit)?;
        let start = utf16::byte_at(&text.text, text.len, offset).map_err(|_| Misfit)?;
        let end = utf16::byte_at(&text.text, text.len, offset + len).map_err(|_| Misfit)?;
        let removed = text.text[start..end].to_owned();
        text.text.replace_range(start..end, "");
        text.len -= len;
        let path = self.path(id)?;
        self.ops.push(Op::RemoveText { path, offset, text: removed });
        Ok(())
    }

    /// Hangs in a detached node.
    pub fn insert_node(&mut self, parent: NodeId, index: usize, id: NodeId) -> Result<(), Misfit> {
        let path = self.child_path(parent, index)?;
        let node = self.tree.to_node(id);
        self.tree.attach(parent, index, id);
        self.ops.push(Op::InsertNode { path, node });
        Ok(())
    }

    pub fn remove_node(&mut self, id: NodeId) -> Result<(), Misfit> {
        let path = self.path(id)?;
        let parent = self.tree.parent(id).ok_or(Misfit)?;
        let index = self.tree.index(id).ok_or(Misfit)?;
        let node = self.tree.to_node(id);
        self.tree.detach(parent, index);
        self.tree.free(id);
        self.ops.push(Op::RemoveNode { path, node });
        Ok(())
    }

    /// Sets properties or marks; nothing if they are so already.
    pub fn set_props(&mut self, id: NodeId, target: Props) -> Result<(), Misfit> {
        let props = if let Some(text) = self.tree.text_mut(id) {
            &mut text.marks
        } else {
            &mut self.tree.block_mut(id).ok_or(Misfit)?.attrs
        };
        if props.same(&target) {
            return Ok(());
        }
        let changes = props.changes_to(&target);
        let back = target.changes_to(props);
        *props = target;
        let present = |list: Vec<_>| list.into_iter().filter(|(_, value)| !super::props::is_null(value)).collect();
        let path = self.path(id)?;
        self.ops.push(Op::SetNode { path, properties: present(back), new_properties: present(changes) });
        Ok(())
    }

    /// The new right half gets `marks`.
    pub fn split_text(&mut self, id: NodeId, offset: u32, marks: Props) -> Result<NodeId, Misfit> {
        let text = self.tree.text_mut(id).ok_or(Misfit)?;
        let byte = utf16::byte_at(&text.text, text.len, offset).map_err(|_| Misfit)?;
        let right = text.text.split_off(byte);
        text.len = offset;
        let path = self.path(id)?;
        let parent = self.tree.parent(id).ok_or(Misfit)?;
        let index = self.tree.index(id).ok_or(Misfit)?;
        let properties = marks.to_attrs();
        let new = self.tree.new_text(right, marks);
        self.tree.attach(parent, index + 1, new);
        self.ops.push(Op::SplitNode { path, position: offset, properties });
        Ok(new)
    }

    /// The children from `position` on move to a new element after `id`.
    pub fn split_block(&mut self, id: NodeId, position: usize, attrs: Props) -> Result<NodeId, Misfit> {
        let path = self.path(id)?;
        let parent = self.tree.parent(id).ok_or(Misfit)?;
        let index = self.tree.index(id).ok_or(Misfit)?;
        let properties = attrs.to_attrs();
        let new = self.tree.new_block(attrs);
        self.tree.attach(parent, index + 1, new);
        let count = self.tree.children(id).len();
        let mut moved = Vec::with_capacity(count.saturating_sub(position));
        for index in (position..count).rev() {
            moved.extend(self.tree.detach(id, index));
        }
        for (index, child) in moved.into_iter().rev().enumerate() {
            self.tree.attach(new, index, child);
        }
        self.ops.push(Op::SplitNode { path, position: position as u32, properties });
        Ok(new)
    }

    /// The children of `right` move to the end of `left`, its previous sibling.
    pub fn merge_blocks(&mut self, left: NodeId, right: NodeId) -> Result<(), Misfit> {
        let path = self.path(right)?;
        let parent = self.tree.parent(right).ok_or(Misfit)?;
        let index = self.tree.index(right).ok_or(Misfit)?;
        let at = index.checked_sub(1).ok_or(Misfit)?;
        if self.tree.children(parent).get(at) != Some(&left) {
            return Err(Misfit);
        }
        let position = self.tree.children(left).len();
        let properties = self.tree.block(right).ok_or(Misfit)?.attrs.to_attrs();
        let mut moved = Vec::new();
        for index in (0..self.tree.children(right).len()).rev() {
            moved.extend(self.tree.detach(right, index));
        }
        for (index, child) in moved.into_iter().rev().enumerate() {
            self.tree.attach(left, position + index, child);
        }
        self.tree.detach(parent, index);
        self.tree.free(right);
        self.ops.push(Op::MergeNode { path, position: position as u32, properties });
        Ok(())
    }

    /// Moves a node before the child that is now at `index` of `parent`; gives its index there afterwards.
    pub fn move_node(&mut self, id: NodeId, parent: NodeId, index: usize) -> Result<usize, Misfit> {
        if self.tree.is_ancestor_or_self(id, parent) {
            return Err(Misfit);
        }
        let path = self.path(id)?;
        let old_parent = self.tree.parent(id).ok_or(Misfit)?;
        let old_index = self.tree.index(id).ok_or(Misfit)?;
        let to = if old_parent == parent && old_index < index { index - 1 } else { index };
        let new_path = self.child_path(parent, to)?;
        if path != new_path {
            debug_assert_eq!(transform::moved(&path, &new_path).last(), Some(&(to as u32)));
            self.tree.detach(old_parent, old_index);
            self.tree.attach(parent, to, id);
            self.ops.push(Op::MoveNode { path, new_path });
        }
        Ok(to)
    }
}
