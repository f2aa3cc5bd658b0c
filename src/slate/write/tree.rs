//! [`EditorTree`]: the editor's value, in which every element and character knows its id in the document.
//!
//! It is given Slate's operations, and does with them what Slate does. Besides it remembers what the value alone does not
//! say: what was divided from what, joined into what, moved, and given other properties. An operation that cannot be applied
//! leaves everything as it was.

use std::rc::Rc;
use std::sync::Arc;

use super::{Passage, fit, leaf};
use crate::slate::value::error::OpError;
use crate::slate::value::node::{Attrs, Node};
use crate::slate::value::op::{Op, Path};
use crate::slate::value::props::{is_null, is_reserved, present};
use crate::slate::view::Schema;
use crate::slate::view::tree::{Element, Kid, Leaf, NodeId};
use crate::slate::ydoc::{Id, QuickMap, QuickSet};

/// Deeper values are refused: recursion must not be able to exhaust the stack.
const MAX_DEPTH: usize = 100;

/// Of an element that is not in the document yet: what it was divided from.
#[derive(Debug, Clone, Default)]
pub(super) struct DividedFrom {
    pub head: Option<Id>,
    /// The key of the element around text.
    pub key: Option<Arc<str>>,
}

/// What was done since the document showed the same.
#[derive(Debug, Default)]
enum Touched {
    #[default]
    Nothing,
    /// Text was typed into, or deleted from, the leaf at this path; the element at the top before.
    Text(Path, Rc<Element>),
    /// More was done in the element at the top that stands here, and nothing elsewhere; it before.
    Within(usize, Rc<Element>),
    /// What was shown before.
    More(Rc<Element>),
}

/// See the module.
pub struct EditorTree {
    pub(super) root: Rc<Element>,
    pub(super) schema: Schema,
    next: u64,
    pub(super) origins: QuickMap<NodeId, DividedFrom>,
    pub(super) moved: QuickSet<NodeId>,
    pub(super) changed: QuickSet<NodeId>,
    /// Heads that were merged into others.
    pub(super) joins: QuickMap<Id, NodeId>,
    touched: Touched,
    /// It was made wrong on purpose.
    #[cfg(any(test, feature = "testing"))]
    pub(super) is_spoiled: bool,
}

impl EditorTree {
    /// `root`: what editor and document show.
    pub fn new(root: Rc<Element>, schema: Schema) -> Self {
        Self {
            root,
            schema,
            next: 0,
            origins: QuickMap::default(),
            moved: QuickSet::default(),
            changed: QuickSet::default(),
            joins: QuickMap::default(),
            touched: Touched::Nothing,
            #[cfg(any(test, feature = "testing"))]
            is_spoiled: false,
        }
    }

    /// Says of what is new which of it is inline and void.
    pub fn set_schema(&mut self, schema: Schema) {
        self.schema = schema;
    }

    pub fn root(&self) -> &Rc<Element> {
        &self.root
    }

    /// What has to be written together: what was divided and what from, what was joined and what into.
    pub fn ties(&self) -> Vec<(NodeId, NodeId)> {
        let origins = self.origins.iter().filter_map(|(id, origin)| Some((id.clone(), NodeId::Head(origin.head?))));
        let joins = self.joins.iter().map(|(from, into)| (NodeId::Head(*from), into.clone()));
        origins.chain(joins).collect()
    }

    /// Another root in its place: what was divided, joined and moved stays known.
    pub(super) fn set_root(&mut self, root: Rc<Element>) {
        self.root = root;
    }

    /// Goes on from what the document shows now: nothing is divided, joined or moved yet.
    pub fn reset(&mut self, root: Rc<Element>) {
        self.root = root;
        self.origins.clear();
        self.moved.clear();
        self.changed.clear();
        self.joins.clear();
        self.touched = Touched::Nothing;
    }

    /// The path of the one leaf in which text was typed or deleted, and what it was before, if nothing else was done.
    pub(super) fn typed(&self) -> Option<(&Path, &Leaf)> {
        let Touched::Text(path, top) = &self.touched else { return None };
        match kid_at(top, path.get(1..)?) {
            Ok(Kid::Leaf(leaf)) => Some((path, leaf)),
            _ => None,
        }
    }

    /// The head of the element, not around text, that has this leaf.
    pub(super) fn typed_in(&self) -> Option<Id> {
        let Touched::Text(path, _) = &self.touched else { return None };
        let (mut at, mut found) = (&self.root, None);
        for index in &path[..path.len() - 1] {
            let Some(Kid::Element(kid)) = at.kids.get(*index as usize) else { return None };
            at = kid;
            if let NodeId::Head(id) = at.id {
                found = Some(id);
            }
        }
        found
    }

    /// What was shown when the document showed the same.
    pub fn before(&self) -> Rc<Element> {
        match &self.touched {
            Touched::Nothing => self.root.clone(),
            Touched::More(before) => before.clone(),
            Touched::Text(path, top) => with_top(&self.root, path[0] as usize, top),
            Touched::Within(at, top) => with_top(&self.root, *at, top),
        }
    }

    /// The same, and the one element at the top that is another now, if there is not more to it: then the root is to be set.
    pub(super) fn take_edit(&mut self) -> (Rc<Element>, Option<(usize, Kid)>) {
        let (at, top) = match &self.touched {
            Touched::Text(path, top) => (path[0] as usize, top.clone()),
            Touched::Within(at, top) => (*at, top.clone()),
            _ => return (self.before(), None),
        };
        let mut before = std::mem::replace(&mut self.root, Rc::new(Element::root(Vec::new())));
        let now = Rc::make_mut(&mut before).kids.get_mut(at).map(|kid| std::mem::replace(kid, Kid::Element(top)));
        (before, now.map(|now| (at, now)))
    }

    /// Before an operation. What is kept of the state before it shares all with it that is not changed, so that a whole root
    /// is kept only where more is done than typing into one leaf.
    fn touch(&mut self, op: &Op) {
        let leaf = match op {
            Op::InsertText { path, .. } | Op::RemoveText { path, .. } => Some(path),
            _ => None,
        };
        let top = op.within();
        match &self.touched {
            Touched::More(_) => return,
            Touched::Text(other, _) if leaf == Some(other) => return,
            Touched::Within(at, _) if top == Some(*at) => return,
            _ => {}
        }
        let was = match (&self.touched, top) {
            (Touched::Nothing, Some(at)) => self.root.kids.get(at).and_then(Kid::element).map(|top| (at, top.clone())),
            (Touched::Text(path, top), Some(at)) if path[0] as usize == at => Some((at, top.clone())),
            _ => None,
        };
        let is_leaf = |path: &&Path| matches!(kid_at(&self.root, path), Ok(Kid::Leaf(_)));
        self.touched = match (was, leaf.filter(is_leaf), &self.touched) {
            (Some((_, top)), Some(path), Touched::Nothing) => Touched::Text(path.clone(), top),
            (Some((at, top)), _, _) => Touched::Within(at, top),
            (None, _, _) => Touched::More(self.before()),
        };
    }

    /// The leaf that was typed into is so from now on, and shown by the document.
    pub(super) fn set_typed(&mut self, leaf: Leaf) -> Option<Passage> {
        let Touched::Text(path, top) = std::mem::take(&mut self.touched) else { return None };
        *leaf_at_mut(&mut self.root, &path)? = leaf;
        let at = path[0] as usize;
        Passage::of_one(Kid::Element(top), &self.root.kids, at)
    }

    /// An editor that shows this now.
    pub fn edit(&mut self, root: Rc<Element>) {
        self.touched = Touched::More(self.before());
        self.root = root;
    }

    /// Another element at the top, which the document shows.
    pub fn set_top(&mut self, at: usize, kid: Rc<Element>) {
        if let Some(old) = Rc::make_mut(&mut self.root).kids.get_mut(at) {
            *old = Kid::Element(kid);
        }
    }

    /// Makes a text other than it is in the document, as a defect would.
    #[cfg(any(test, feature = "testing"))]
    pub fn spoil(&mut self, path: &[u32], text: &str) {
        self.is_spoiled = true;
        if let Some(leaf) = leaf_at_mut(&mut self.root, path) {
            leaf.runs = leaf::fresh(text).into_iter().collect();
        }
    }

    /// Makes the value other than it is in the document in any way.
    #[cfg(test)]
    pub fn spoil_root(&mut self, spoil: impl FnOnce(&mut Element)) {
        self.is_spoiled = true;
        spoil(Rc::make_mut(&mut self.root));
    }

    /// What differs from what is shown is new, with all that is in it.
    pub(super) fn renew(&mut self, shown: &Rc<Element>) {
        self.touched = Touched::More(self.before());
        self.root = fit::renewed(&self.root, shown, &mut self.next);
    }

    /// # Errors
    /// If the operation does not fit the value. Offsets and indices past an end are the end, as in Slate.
    pub fn apply(&mut self, op: &Op) -> Result<(), OpError> {
        self.touch(op);
        self.change(op)
    }

    fn change(&mut self, op: &Op) -> Result<(), OpError> {
        match op {
            Op::InsertText { path, offset, text } => {
                leaf::insert(self.leaf(path)?, *offset, text);
                Ok(())
            }
            Op::RemoveText { path, offset, text } => {
                leaf::remove(self.leaf(path)?, *offset, crate::slate::value::utf16::len(text));
                Ok(())
            }
            Op::InsertNode { path, node } => self.insert_node(path, node),
            Op::RemoveNode { path, .. } => {
                let (parent, index) = self.place(path)?;
                parent.kids.remove(index);
                Ok(())
            }
            Op::SetNode { path, properties, new_properties } => self.set_node(path, properties, new_properties),
            Op::SplitNode { path, position, properties } => self.split_node(path, *position, properties),
            Op::MergeNode { path, .. } => self.merge_node(path),
            Op::MoveNode { path, new_path } => self.move_node(path, new_path),
        }
    }

    /// For change: the element at a path. Everything above it is no longer shared.
    fn element(&mut self, path: &[u32]) -> Result<&mut Element, OpError> {
        Element::at_mut(&mut self.root, path)
    }

    /// The parent of what is at a path, and its index there.
    fn place(&mut self, path: &[u32]) -> Result<(&mut Element, usize), OpError> {
        let (&index, parent) = path.split_last().ok_or(OpError::Root)?;
        if self.root.at(parent)?.kids.len() <= index as usize {
            return Err(OpError::NoSuchNode);
        }
        Ok((self.element(parent)?, index as usize))
    }

    fn leaf(&mut self, path: &[u32]) -> Result<&mut Leaf, OpError> {
        let (&index, parent) = path.split_last().ok_or(OpError::Root)?;
        match self.root.at(parent)?.kids.get(index as usize) {
            Some(Kid::Leaf(_)) => {}
            Some(Kid::Element(_)) => return Err(OpError::WrongKind),
            None => return Err(OpError::NoSuchNode),
        }
        match self.element(parent)?.kids.get_mut(index as usize) {
            Some(Kid::Leaf(leaf)) => Ok(leaf),
            _ => Err(OpError::WrongKind),
        }
    }

    fn new_id(&mut self) -> NodeId {
        self.next += 1;
        NodeId::New(self.next)
    }

    fn insert_node(&mut self, path: &Path, node: &Node) -> Result<(), OpError> {
        let (&index, parent) = path.split_last().ok_or(OpError::Root)?;
        self.root.at(parent)?;
        if path.len() + depth_of(node) > MAX_DEPTH {
            return Err(OpError::TooDeep(MAX_DEPTH));
        }
        let kid = self.detached(node);
        let parent = self.element(parent)?;
        let index = (index as usize).min(parent.kids.len());
        parent.kids.insert(index, kid);
        Ok(())
    }

    fn detached(&mut self, node: &Node) -> Kid {
        match node {
            Node::Text(text) => Kid::Leaf(Leaf {
                marks: Rc::new(present(&text.marks)),
                runs: leaf::fresh(&text.text).into_iter().collect(),
            }),
            Node::Element(element) => {
                let id = self.new_id();
                let kids = element.children.iter().map(|child| self.detached(child)).collect();
                Kid::Element(Rc::new(self.new_element(id, present(&element.attrs), kids)))
            }
        }
    }

    /// A new element is inline or void as the schema says.
    fn new_element(&self, id: NodeId, props: Attrs, kids: Vec<Kid>) -> Element {
        let (inline, void) = (self.schema.is_inline(&props), self.schema.is_void(&props));
        Element { id, props: Rc::new(props), kids, inline, void }
    }

    fn set_node(&mut self, path: &Path, properties: &Attrs, new_properties: &Attrs) -> Result<(), OpError> {
        if let Some(name) = new_properties.keys().find(|name| is_reserved(name)) {
            return Err(OpError::ReservedProperty(name.to_string()));
        }
        let change = |attrs: &mut Rc<Attrs>| {
            let attrs = Rc::make_mut(attrs);
            for name in properties.keys() {
                attrs.remove(name);
            }
            for (name, value) in new_properties {
                match is_null(value) {
                    true => drop(attrs.remove(name)),
                    false => drop(attrs.insert(name.clone(), value.clone())),
                }
            }
        };
        let schema = self.schema.clone();
        let (parent, index) = self.place(path)?;
        let id = match &mut parent.kids[index] {
            Kid::Leaf(leaf) => {
                change(&mut leaf.marks);
                return Ok(());
            }
            Kid::Element(element) => {
                let element = Rc::make_mut(element);
                change(&mut element.props);
                if matches!(element.id, NodeId::New(_)) {
                    element.inline = schema.is_inline(&element.props);
                    element.void = schema.is_void(&element.props);
                }
                element.id.clone()
            }
        };
        self.changed.insert(id);
        Ok(())
    }

    fn split_node(&mut self, path: &Path, position: u32, properties: &Attrs) -> Result<(), OpError> {
        let new = self.new_id();
        let (parent, index) = self.place(path)?;
        let (right, from) = match &mut parent.kids[index] {
            Kid::Leaf(left) => {
                let runs = leaf::split_off(left, position);
                (Kid::Leaf(Leaf { marks: Rc::new(present(properties)), runs }), None)
            }
            Kid::Element(left) => {
                let left = Rc::make_mut(left);
                let kids = left.kids.split_off((position as usize).min(left.kids.len()));
                let props = Rc::new(present(properties));
                let right = Element { id: new.clone(), props, kids, inline: left.inline, void: left.void };
                (Kid::Element(Rc::new(right)), Some(left.id.clone()))
            }
        };
        parent.kids.insert(index + 1, right);
        let Some(from) = from else { return Ok(()) };
        let origin = match &from {
            NodeId::Head(head) => DividedFrom { head: Some(*head), key: None },
            NodeId::Around { key, .. } => DividedFrom { head: None, key: Some(key.clone()) },
            NodeId::New(_) | NodeId::Root => self.origins.get(&from).cloned().unwrap_or_default(),
        };
        for set in [&mut self.changed, &mut self.moved] {
            if set.contains(&from) {
                set.insert(new.clone());
            }
        }
        self.origins.insert(new, origin);
        Ok(())
    }

    fn merge_node(&mut self, path: &Path) -> Result<(), OpError> {
        let (&index, parent) = path.split_last().ok_or(OpError::Root)?;
        let kids = &self.root.at(parent)?.kids;
        let right = kids.get(index as usize).ok_or(OpError::NoSuchNode)?;
        let left = (index as usize).checked_sub(1).and_then(|index| kids.get(index)).ok_or(OpError::NoSuchNode)?;
        if matches!(left, Kid::Leaf(_)) != matches!(right, Kid::Leaf(_)) {
            return Err(OpError::WrongKind);
        }
        let (parent, index) = self.place(path)?;
        let right = parent.kids.remove(index);
        match (&mut parent.kids[index - 1], right) {
            (Kid::Leaf(left), Kid::Leaf(right)) => leaf::append(left, right.runs),
            (Kid::Element(left), Kid::Element(right)) => {
                let (left, right) = (Rc::make_mut(left), Rc::unwrap_or_clone(right));
                left.kids.extend(right.kids);
                let (from, to) = (right.id, left.id.clone());
                match from {
                    NodeId::Head(head) => self.joined(path, head, to),
                    // If the rest of what it was divided from goes, that was joined.
                    NodeId::New(_) => {
                        let origin = self.origins.get(&from).and_then(|origin| origin.head);
                        if let Some(head) = origin.filter(|head| to != NodeId::Head(*head)) {
                            self.joins.entry(head).or_insert(to);
                        }
                    }
                    NodeId::Root | NodeId::Around { .. } => {}
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What is new takes over what it is joined with; else it is remembered.
    fn joined(&mut self, path: &Path, from: Id, to: NodeId) {
        let origin = self.origins.get(&to).cloned().unwrap_or_default();
        if !matches!(to, NodeId::New(_)) || origin.head.is_some() || origin.key.is_some() {
            self.joins.insert(from, to);
            return;
        }
        let taken = NodeId::Head(from);
        for set in [&mut self.moved, &mut self.changed] {
            match set.remove(&to) {
                true => drop(set.insert(taken.clone())),
                false => drop(set.remove(&taken)),
            }
        }
        for into in self.joins.values_mut().filter(|into| **into == to) {
            *into = taken.clone();
        }
        let mut left = path.clone();
        if let Some(last) = left.last_mut() {
            *last -= 1;
        }
        if let Ok(element) = self.element(&left) {
            element.id = taken;
        }
    }

    fn move_node(&mut self, path: &Path, new_path: &Path) -> Result<(), OpError> {
        if path == new_path {
            kid_at(&self.root, path)?;
            return Ok(());
        }
        if new_path.starts_with(path) {
            return Err(OpError::IntoItself);
        }
        let kid = kid_at(&self.root, path)?;
        let (_, target) = new_path.split_last().ok_or(OpError::Root)?;
        self.root.at(target)?;
        if new_path.len() + depth_of_kid(kid) > MAX_DEPTH {
            return Err(OpError::TooDeep(MAX_DEPTH));
        }
        let (parent, index) = self.place(path)?;
        let kid = parent.kids.remove(index);
        if let Kid::Element(element) = &kid {
            self.moved.insert(element.id.clone());
        }
        let to = landing(path, new_path);
        let (&index, target) = to.split_last().ok_or(OpError::Root)?;
        let target = self.element(target)?;
        let index = (index as usize).min(target.kids.len());
        target.kids.insert(index, kid);
        Ok(())
    }
}

/// With another element in its place at the top.
pub(super) fn with_top(root: &Rc<Element>, at: usize, top: &Rc<Element>) -> Rc<Element> {
    let mut root = root.clone();
    if let Some(kid) = Rc::make_mut(&mut root).kids.get_mut(at) {
        *kid = Kid::Element(top.clone());
    }
    root
}

/// What is on the way is no longer shared.
fn leaf_at_mut<'a>(tree: &'a mut Rc<Element>, path: &[u32]) -> Option<&'a mut Leaf> {
    let (&last, parents) = path.split_last()?;
    match Element::at_mut(tree, parents).ok()?.kids.get_mut(last as usize) {
        Some(Kid::Leaf(leaf)) => Some(leaf),
        _ => None,
    }
}

/// Where a moved node is put, as a path after it was taken out.
fn landing(path: &[u32], new_path: &[u32]) -> Path {
    let mut to = Path::from_slice(new_path);
    let (Some((last, parent)), true) = (path.split_last(), path.len() < to.len()) else { return to };
    if to.starts_with(parent) && *last < to[parent.len()] {
        to[parent.len()] -= 1;
    }
    to
}

/// What is at a path.
///
/// # Errors
/// If there is nothing, or the path is the root's.
pub fn kid_at<'a>(root: &'a Element, path: &[u32]) -> Result<&'a Kid, OpError> {
    let (&index, parent) = path.split_last().ok_or(OpError::Root)?;
    root.at(parent)?.kids.get(index as usize).ok_or(OpError::NoSuchNode)
}

/// The text at a path, if it is one.
pub fn leaf_at<'a>(root: &'a Element, path: &[u32]) -> Option<&'a Leaf> {
    match kid_at(root, path).ok()? {
        Kid::Leaf(leaf) => Some(leaf),
        Kid::Element(_) => None,
    }
}

fn depth_of(node: &Node) -> usize {
    match node {
        Node::Text(_) => 0,
        Node::Element(element) => 1 + element.children.iter().map(depth_of).max().unwrap_or_default(),
    }
}

fn depth_of_kid(kid: &Kid) -> usize {
    match kid {
        Kid::Leaf(_) => 0,
        Kid::Element(element) => 1 + element.kids.iter().map(depth_of_kid).max().unwrap_or_default(),
    }
}
