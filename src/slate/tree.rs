//! The editor's value as an arena of nodes, with the shared type behind each element.
//!
//! Knows nothing of transactions. A node knows its parent and roughly its place in it, so that paths are found in both
//! directions without a walk. A node that is removed gives up its shared type at once: one that was deleted in the doc
//! must never be looked at again.

use std::cell::Cell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use yrs::{BranchID, ID, XmlTextRef};

use super::error::OpError;
use super::node::{Element, Leaf, Node};
use super::op::Path;
use super::props::Props;
use super::utf16;

pub(super) type NodeId = u32;

pub(super) const ROOT: NodeId = 0;
const NOWHERE: NodeId = NodeId::MAX;

/// Deeper values are refused: recursion must not be able to exhaust the stack.
pub(super) const MAX_DEPTH: usize = 100;

#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Slot>,
    free: Vec<NodeId>,
    /// Freed since the transaction began: whoever remembers a node must not find another one under its number.
    freed: Vec<NodeId>,
    by_branch: HashMap<ID, NodeId, BuildHasherDefault<IdHasher>>,
    /// Names of properties: a document has few, thousands of times.
    names: Vec<Arc<str>>,
}

/// So many names are kept.
const NAMES: usize = 32;

#[derive(Debug)]
struct Slot {
    parent: NodeId,
    /// Where it was last seen among its siblings.
    hint: Cell<u32>,
    kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Free,
    Text(Text),
    Element(Block),
}

#[derive(Debug, Default)]
pub(super) struct Text {
    pub text: String,
    /// Of `text`, in UTF-16 units.
    pub len: u32,
    pub marks: Props,
}

#[derive(Debug, Default)]
pub(super) struct Block {
    pub attrs: Props,
    pub children: Vec<NodeId>,
    /// How many of the children are texts. None: a child's offset in the doc is its index.
    pub texts: u32,
    /// Embeds in the doc that are no elements and have no node here.
    pub foreign: u32,
    /// The shared type; none in a tree without a doc.
    pub branch: Option<XmlTextRef>,
    /// The id of `branch`, kept because a deleted shared type must not be asked for it.
    pub key: Option<ID>,
    /// Its remote changes are recorded precisely.
    pub watched: bool,
}

impl Tree {
    pub fn new(branch: Option<XmlTextRef>) -> Self {
        let root = Block { branch, ..Block::default() };
        let slot = Slot { parent: NOWHERE, hint: Cell::new(0), kind: Kind::Element(root) };
        Self {
            nodes: vec![slot],
            free: Vec::new(),
            freed: Vec::new(),
            by_branch: HashMap::default(),
            names: Vec::new(),
        }
    }

    // --- nodes

    pub fn text(&self, id: NodeId) -> Option<&Text> {
        match self.nodes.get(id as usize).map(|slot| &slot.kind) {
            Some(Kind::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub fn text_mut(&mut self, id: NodeId) -> Option<&mut Text> {
        match self.nodes.get_mut(id as usize).map(|slot| &mut slot.kind) {
            Some(Kind::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub fn block(&self, id: NodeId) -> Option<&Block> {
        match self.nodes.get(id as usize).map(|slot| &slot.kind) {
            Some(Kind::Element(block)) => Some(block),
            _ => None,
        }
    }

    pub fn block_mut(&mut self, id: NodeId) -> Option<&mut Block> {
        match self.nodes.get_mut(id as usize).map(|slot| &mut slot.kind) {
            Some(Kind::Element(block)) => Some(block),
            _ => None,
        }
    }

    pub fn kind(&self, id: NodeId) -> &Kind {
        self.nodes.get(id as usize).map_or(&Kind::Free, |slot| &slot.kind)
    }

    pub fn is_text(&self, id: NodeId) -> bool {
        self.text(id).is_some()
    }

    /// Children of an element; none of a text.
    pub fn children(&self, id: NodeId) -> &[NodeId] {
        self.block(id).map_or(&[], |block| &block.children)
    }

    pub fn branch(&self, id: NodeId) -> Option<XmlTextRef> {
        self.block(id)?.branch.clone()
    }

    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.nodes.get(id as usize).map(|slot| slot.parent).filter(|&parent| parent != NOWHERE)
    }

    /// Length in the doc: UTF-16 units of a text, 1 for an element.
    pub fn len(&self, id: NodeId) -> u32 {
        self.text(id).map_or(1, |text| text.len)
    }

    /// Length of an element's content in the doc, foreign embeds not counted.
    pub fn content_len(&self, id: NodeId) -> u32 {
        let Some(block) = self.block(id) else { return 0 };
        if block.texts == 0 {
            return block.children.len() as u32;
        }
        block.children.iter().map(|&child| self.len(child)).sum()
    }

    /// Where the child at `index` starts in the doc, foreign embeds not counted.
    pub fn offset(&self, parent: NodeId, index: usize) -> u32 {
        let Some(block) = self.block(parent) else { return 0 };
        if block.texts == 0 {
            return index as u32;
        }
        block.children[..index.min(block.children.len())].iter().map(|&child| self.len(child)).sum()
    }

    /// How much a copy of the node would carry: text and elements, at any depth.
    pub fn weight(&self, id: NodeId) -> u64 {
        match self.kind(id) {
            Kind::Text(text) => u64::from(text.len),
            Kind::Element(block) => 1 + block.children.iter().map(|&child| self.weight(child)).sum::<u64>(),
            Kind::Free => 0,
        }
    }

    // --- paths

    pub fn resolve(&self, path: &[u32]) -> Result<NodeId, OpError> {
        let mut id = ROOT;
        for &index in path {
            id = *self.children(id).get(index as usize).ok_or(OpError::NoSuchNode)?;
        }
        Ok(id)
    }

    /// The parent of what is or could be at `path`, and the index in it, which may be past the end.
    pub fn resolve_parent(&self, path: &[u32]) -> Result<(NodeId, usize), OpError> {
        let (last, ancestors) = path.split_last().ok_or(OpError::Root)?;
        let parent = self.resolve(ancestors)?;
        match self.kind(parent) {
            Kind::Element(_) => Ok((parent, *last as usize)),
            _ => Err(OpError::WrongKind),
        }
    }

    /// Where a node is among its siblings. Looks outward from where it was last, and remembers what it found.
    pub fn index(&self, id: NodeId) -> Option<usize> {
        let slot = self.nodes.get(id as usize)?;
        let index = look_outward(self.children(slot.parent), id, slot.hint.get() as usize)?;
        slot.hint.set(index as u32);
        Some(index)
    }

    pub fn path(&self, id: NodeId) -> Option<Path> {
        let mut path = Path::new();
        let mut at = id;
        while at != ROOT {
            path.push(self.index(at)? as u32);
            at = self.parent(at)?;
        }
        path.reverse();
        Some(path)
    }

    /// How far below the root; none if it is not below it.
    pub fn depth(&self, id: NodeId) -> Option<usize> {
        let (mut at, mut depth) = (id, 0);
        while at != ROOT {
            at = self.parent(at)?;
            depth += 1;
        }
        Some(depth)
    }

    pub fn is_ancestor_or_self(&self, ancestor: NodeId, id: NodeId) -> bool {
        let mut at = Some(id);
        while let Some(node) = at {
            if node == ancestor {
                return true;
            }
            at = self.parent(node);
        }
        false
    }

    // --- shared types

    pub fn by_branch(&self, id: &BranchID) -> Option<NodeId> {
        match id {
            BranchID::Nested(id) => self.by_branch.get(id).copied(),
            BranchID::Root(_) => None,
        }
    }

    /// The element that a shared type is behind.
    pub fn element_of(&self, branch: &XmlTextRef) -> Option<NodeId> {
        match branch_id(branch) {
            BranchID::Root(_) => (self.branch(ROOT).as_ref() == Some(branch)).then_some(ROOT),
            nested => self.by_branch(&nested),
        }
    }

    /// Puts another shared type behind an element.
    pub fn bind(&mut self, id: NodeId, branch: XmlTextRef) {
        self.unbind(id);
        let key = match branch_id(&branch) {
            BranchID::Nested(key) => Some(key),
            BranchID::Root(_) => None,
        };
        if let Some(block) = self.block_mut(id) {
            block.branch = Some(branch);
            block.key = key;
            if let Some(key) = key {
                self.by_branch.insert(key, id);
            }
        }
    }

    /// Forgets the shared type behind an element: it is deleted, or about to be.
    pub fn unbind(&mut self, id: NodeId) {
        let Some(block) = self.block_mut(id) else { return };
        block.watched = false;
        block.foreign = 0;
        block.branch = None;
        // Another node may have taken it over.
        if let Some(key) = block.key.take()
            && self.by_branch.get(&key) == Some(&id)
        {
            self.by_branch.remove(&key);
        }
    }

    // --- structure

    fn alloc(&mut self, kind: Kind) -> NodeId {
        let slot = Slot { parent: NOWHERE, hint: Cell::new(0), kind };
        match self.free.pop() {
            Some(id) => {
                self.nodes[id as usize] = slot;
                id
            }
            None => {
                self.nodes.push(slot);
                (self.nodes.len() - 1) as NodeId
            }
        }
    }

    /// The name of a property, shared with all others of that name.
    pub fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.iter().find(|known| known.as_ref() == name) {
            return known.clone();
        }
        let name: Arc<str> = name.into();
        if self.names.len() < NAMES {
            self.names.push(name.clone());
        }
        name
    }

    pub fn new_text(&mut self, text: String, marks: Props) -> NodeId {
        let len = utf16::len(&text);
        self.alloc(Kind::Text(Text { text, len, marks }))
    }

    pub fn new_block(&mut self, attrs: Props) -> NodeId {
        self.alloc(Kind::Element(Block { attrs, ..Block::default() }))
    }

    /// A detached copy of `node`, without shared types.
    pub fn build(&mut self, node: &Node) -> NodeId {
        match node {
            Node::Text(leaf) => self.new_text(leaf.text.clone(), Props::marks(&leaf.marks)),
            Node::Element(element) => {
                let id = self.new_block(Props::from_attrs(&element.attrs));
                for (index, child) in element.children.iter().enumerate() {
                    let child = self.build(child);
                    self.attach(id, index, child);
                }
                id
            }
        }
    }

    /// Hangs a detached node into an element.
    pub fn attach(&mut self, parent: NodeId, index: usize, child: NodeId) {
        let is_text = self.is_text(child);
        let slot = &mut self.nodes[child as usize];
        slot.parent = parent;
        slot.hint.set(index as u32);
        if let Some(block) = self.block_mut(parent) {
            block.children.insert(index.min(block.children.len()), child);
            block.texts += u32::from(is_text);
        }
    }

    /// Takes the child at `index` out of its parent; it lives on, detached.
    pub fn detach(&mut self, parent: NodeId, index: usize) -> Option<NodeId> {
        let child = *self.children(parent).get(index)?;
        let is_text = self.is_text(child);
        let block = self.block_mut(parent)?;
        block.children.remove(index);
        block.texts -= u32::from(is_text);
        self.nodes[child as usize].parent = NOWHERE;
        Some(child)
    }

    /// To be called where no freed node is remembered: their numbers may be given again.
    pub fn recycle(&mut self) {
        self.free.append(&mut self.freed);
    }

    /// Frees a detached node and all below it.
    pub fn free(&mut self, id: NodeId) {
        self.unbind(id);
        let kind = std::mem::replace(&mut self.nodes[id as usize].kind, Kind::Free);
        self.nodes[id as usize].parent = NOWHERE;
        self.freed.push(id);
        if let Kind::Element(block) = kind {
            for child in block.children {
                self.free(child);
            }
        }
    }

    /// Whether what is kept about an element did not fit it; it does now.
    #[cold]
    #[inline(never)]
    pub fn recount(&mut self, id: NodeId) -> bool {
        let children = self.children(id).to_vec();
        let mut wrong = false;
        let mut texts = 0;
        for child in children {
            if let Some(text) = self.text_mut(child) {
                texts += 1;
                let len = utf16::len(&text.text);
                wrong |= std::mem::replace(&mut text.len, len) != len;
            }
        }
        let Some(block) = self.block_mut(id) else { return false };
        wrong |= std::mem::replace(&mut block.texts, texts) != texts;
        if let Some(key) = block.key {
            wrong |= self.by_branch.insert(key, id) != Some(id);
        }
        wrong
    }

    // --- values

    pub fn to_node(&self, id: NodeId) -> Node {
        match self.kind(id) {
            Kind::Text(text) => Node::Text(Leaf { text: text.text.clone(), marks: text.marks.to_attrs() }),
            Kind::Element(block) => {
                Node::Element(Element { attrs: block.attrs.to_attrs(), children: self.to_nodes(&block.children) })
            }
            Kind::Free => Node::Text(Leaf::default()),
        }
    }

    pub fn to_nodes(&self, ids: &[NodeId]) -> Vec<Node> {
        ids.iter().map(|&id| self.to_node(id)).collect()
    }
}

fn look_outward(siblings: &[NodeId], id: NodeId, from: usize) -> Option<usize> {
    let from = from.min(siblings.len());
    let (before, after) = siblings.split_at(from);
    for distance in 0..before.len().max(after.len()) {
        if after.get(distance) == Some(&id) {
            return Some(from + distance);
        }
        if distance < before.len() && before[before.len() - 1 - distance] == id {
            return Some(before.len() - 1 - distance);
        }
    }
    None
}

pub(super) fn branch_id(branch: &XmlTextRef) -> BranchID {
    let branch: &yrs::branch::Branch = branch.as_ref();
    branch.id()
}

/// Ids are two small numbers, and not an attacker's choice worth a slow hash: a client id is 32 bits of randomness.
#[derive(Debug, Default)]
pub(super) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u32(u32::from(byte));
        }
    }

    fn write_u32(&mut self, n: u32) {
        self.0 = (self.0.rotate_left(23) ^ u64::from(n)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}
