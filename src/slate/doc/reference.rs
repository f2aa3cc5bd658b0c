//! A document of format 1: written by reference, read by the view.
//!
//! [`Reference`] holds what the Y.Doc has (the mirror) and what editor and document show (the tree). Local operations go
//! into the tree; a flush writes the difference. What comes from elsewhere changes the mirror; the tree that it shows then
//! is where the editor is led to, by ids.
//!
//! Invariant: between calls the tree is what the document shows, with the leaves that the editor has.

use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use yrs::{Any, TransactionMut, XmlTextRef};

use super::{LocalChange, anchors};
use crate::slate::node::{Attrs, Node};
use crate::slate::op::{Op, Path};
use crate::slate::steps;
use crate::slate::undo::{self, Again};
use crate::slate::view::tree::{Element, Kid, NodeId};
use crate::slate::view::{self, Schema, View};
use crate::slate::write::{self, EditorTree};
use crate::slate::ydoc::{Act, Followed, Id, Item, Kind, Mirror, ROOT, Writer, kind_name};

pub(super) struct Reference {
    pub mirror: Mirror,
    /// What the mirror shows, if that was worked out since it changed.
    view: Option<Rc<View>>,
    pub again: Again,
    schema: Schema,
    tree: EditorTree,
    client: u64,
    /// Flushes after which the document did not show what the editor shows.
    pub inexact: u32,
}

impl Reference {
    /// Reads a document. Outside of a transaction that has deleted something.
    pub fn read(txn: &mut TransactionMut, root: &XmlTextRef, schema: Schema, client: u32) -> Self {
        let mirror = Mirror::read(txn, root);
        let again = Again::read(txn);
        let shown = shown(&mirror, &schema);
        let tree = EditorTree::new(shown, schema.clone());
        Self { mirror, view: None, again, schema, tree, client: u64::from(client), inexact: 0 }
    }

    pub fn tree(&self) -> &Rc<Element> {
        self.tree.root()
    }

    pub fn value(&self) -> Vec<Node> {
        steps::value(self.tree())
    }

    /// One of the top-level blocks, and how many there are.
    pub fn block(&self, index: u32) -> (Option<Node>, u32) {
        let kids = &self.tree().kids;
        (kids.get(index as usize).map(steps::node), kids.len() as u32)
    }

    /// Whether the root's sequence has nothing in it, shown or not.
    pub fn is_empty(&self) -> bool {
        self.mirror.length(ROOT) == 0
    }

    pub fn foreign(&self) -> u32 {
        let of = |node| self.mirror.node(node).items.iter().filter(|item| **item == Item::Foreign).count() as u32;
        self.mirror.alive().map(of).sum()
    }

    /// Writes what an editor did. `fresh_id` gives ids for blocks that a split left without one of their own.
    pub fn local(
        &mut self,
        txn: &mut TransactionMut,
        ops: Vec<Op>,
        block_id: Option<&str>,
        mut fresh_id: impl FnMut() -> String,
        change: &mut LocalChange,
    ) {
        let before = self.tree.root().clone();
        let mut renamed = HashSet::new();
        for op in ops {
            if let Err(error) = self.tree.apply(&op) {
                change.rejected.push((op, error));
                continue;
            }
            if let (Op::SplitNode { path, .. }, Some(key)) = (&op, block_id)
                && let Some(renaming) = self.renaming(path, key, &mut fresh_id)
                && self.tree.apply(&renaming).is_ok()
                && let Op::SetNode { new_properties, .. } = renaming
            {
                renamed.extend(new_properties.get(key).map(Any::to_string));
            }
        }
        if !renamed.is_empty() {
            let key = block_id.unwrap_or_default();
            renamings(self.tree.root(), key, &renamed, &mut Path::new(), &mut change.ops);
        }
        let known = self.view.take();
        let mut writer = Writer::new(&mut self.mirror, txn, self.client);
        let flushed = write::flush(&mut writer, &before, &self.tree, &self.schema, known);
        self.view = flushed.view;
        change.acts = writer.take_acts();
        self.inexact += u32::from(!flushed.exact);
        self.tree.reset(flushed.tree);
    }

    /// A split that gives the new half the id of the old one, or none.
    fn renaming(&self, path: &Path, key: &str, fresh_id: &mut impl FnMut() -> String) -> Option<Op> {
        let left = self.tree().at(path).ok()?;
        let taken = left.props.get(key)?;
        let next = crate::slate::transform::next(path);
        let right = self.tree().at(&next).ok()?;
        let has = right.props.get(key);
        if has.is_some_and(|id| id != taken) {
            return None;
        }
        let name: Arc<str> = key.into();
        let properties = has.map(|id| (name.clone(), id.clone())).into_iter().collect();
        Some(Op::SetNode { path: next, properties, new_properties: Attrs::from([(name, Any::from(fresh_id()))]) })
    }

    /// After a transaction that was not one's own: what leads the editor to what the document shows now.
    pub fn follow(&mut self, txn: &mut TransactionMut, changed: &[XmlTextRef], again: bool) -> Vec<Op> {
        self.view = None;
        let followed = self.mirror.follow(txn, changed);
        if again {
            self.again = Again::read(txn);
        }
        match self.with_texts(&followed) {
            Some(now) => {
                let ops = steps::steps(self.tree.root(), &now);
                self.tree.reset(now);
                ops
            }
            None => self.show_now(),
        }
    }

    /// The tree with other texts, where nothing else changed than the text of blocks that have nothing but text, and are
    /// shown by themselves.
    fn with_texts(&self, followed: &[Followed]) -> Option<Rc<Element>> {
        if followed.len() > MANY {
            return None;
        }
        let mut now = self.tree.root().clone();
        for followed in followed {
            let (node, was) = (self.mirror.node(followed.node), followed.was.as_ref()?);
            if was.is_empty() || node.items.is_empty() || node.registers.open || node.registers.gone.is_some() {
                return None;
            }
            let (path, element) = anchors::find_head(self.tree.root(), node.id)?;
            if !is_text_of(element, was) {
                return None;
            }
            Element::at_mut(&mut now, &path).ok()?.kids = view::text_of(&node.items, node.id);
        }
        Some(now)
    }

    /// What leads the editor to what the mirror shows now.
    pub fn show_now(&mut self) -> Vec<Op> {
        let view = self.seen();
        let now = write::adopt(self.tree.root(), view::tree(&self.mirror, &view));
        let ops = steps::steps(self.tree.root(), &now);
        self.tree.reset(now);
        ops
    }

    /// What the mirror shows.
    fn seen(&mut self) -> Rc<View> {
        let (mirror, schema) = (&self.mirror, &self.schema);
        self.view.get_or_insert_with(|| Rc::new(view::show(mirror, schema, &HashSet::new()))).clone()
    }

    /// Takes edits back; what takes that back again. The editor is to be shown it, once it is committed:
    /// [`Reference::show_now`]. `aim`: what has to be shown then; what is not is written as an edit is.
    pub fn revert(&mut self, txn: &mut TransactionMut, acts: &[Act], aim: Option<&Rc<Element>>) -> Vec<Act> {
        self.view = None;
        let mut writer = Writer::new(&mut self.mirror, txn, self.client);
        undo::revert(&mut writer, &mut self.again, acts);
        let mut acts = writer.take_acts();
        let Some(aim) = aim else { return acts };
        let view = self.seen();
        let shown = view::tree(&self.mirror, &view);
        if write::fit(aim, &shown).is_none() {
            let aim = undo::aim(&self.mirror, &self.again, &shown, aim);
            let tree = EditorTree::new(aim, self.schema.clone());
            let known = self.view.take();
            let mut writer = Writer::new(&mut self.mirror, txn, self.client);
            let flushed = write::flush(&mut writer, &shown, &tree, &self.schema, known);
            acts.extend(writer.take_acts());
            self.inexact += u32::from(!flushed.exact);
        }
        acts
    }

    /// The same content, read anew under another client id: the editor has the leaves that it had.
    pub fn take_leaves(&mut self, before: &Self) {
        let tree = write::adopt(before.tree(), shown(&self.mirror, &self.schema));
        self.tree.reset(tree);
    }

    /// Reads the document again: what leads the editor there, if it differs from what is shown.
    pub fn check(&mut self, txn: &mut TransactionMut, root: &XmlTextRef) -> Vec<Op> {
        self.view = None;
        self.mirror = Mirror::read(txn, root);
        self.show_now()
    }

    /// Writes which strands are inline and void, where the document does not say: the last thing before it is format 1.
    pub fn write_kinds(&mut self, txn: &mut TransactionMut) {
        let mut todo = vec![self.tree.root().clone()];
        let mut kinds = Vec::new();
        while let Some(element) = todo.pop() {
            todo.extend(element.elements().cloned());
            if let (NodeId::Head(id), Some(kind)) = (&element.id, kind_name(element.inline, element.void)) {
                kinds.push((*id, kind));
            }
        }
        self.view = None;
        let mut writer = Writer::new(&mut self.mirror, txn, self.client);
        for (id, kind) in kinds {
            if let Some(node) = writer.mirror.find(id)
                && writer.mirror.kind(node) == Kind::Strand
                && writer.mirror.node(node).registers.says.is_none()
            {
                writer.set_attribute(node, "@kind", Any::from(kind));
            }
        }
    }

    /// See [`SlateDoc::kinds`](super::SlateDoc::kinds).
    pub fn kinds(&self) -> (Vec<String>, Vec<String>) {
        let (mut inline, mut void) = (HashSet::new(), HashSet::new());
        let mut add = |props: &Attrs, says: (bool, bool)| {
            let Some(Any::String(kind)) = props.get("type") else { return };
            inline.extend(says.0.then(|| kind.to_string()));
            void.extend(says.1.then(|| kind.to_string()));
        };
        for node in self.mirror.alive() {
            let registers = &self.mirror.node(node).registers;
            if let Some(says) = registers.says {
                add(&registers.own, says);
            }
        }
        let mut todo = vec![self.tree.root().clone()];
        while let Some(element) = todo.pop() {
            add(&element.props, (element.inline, element.void));
            todo.extend(element.elements().cloned());
        }
        (inline.into_iter().collect(), void.into_iter().collect())
    }

    /// An editor that knows which elements are inline and void: what it shows otherwise than before.
    pub fn set_schema(&mut self, schema: Schema) -> Vec<Op> {
        self.view = None;
        let now = shown(&self.mirror, &schema);
        let ops = steps::steps(self.tree.root(), &now);
        self.schema = schema.clone();
        self.tree = EditorTree::new(now, schema);
        ops
    }
}

/// If more changed at once, all is looked at.
const MANY: usize = 32;

/// Whether an element shows these characters, and nothing else.
fn is_text_of(element: &Element, items: &[Item]) -> bool {
    fn collect(element: &Element, out: &mut Vec<(Option<Id>, u32)>) -> bool {
        element.kids.iter().all(|kid| match kid {
            Kid::Leaf(leaf) => {
                leaf.runs.iter().for_each(|run| add(out, run.id, run.len));
                true
            }
            Kid::Element(kid) => matches!(kid.id, NodeId::Around { .. }) && collect(kid, out),
        })
    }
    fn add(out: &mut Vec<(Option<Id>, u32)>, id: Option<Id>, len: u32) {
        match (out.last_mut(), id) {
            (Some((Some(first), count)), Some(id)) if first.plus(*count) == id => *count += len,
            _ => out.push((id, len)),
        }
    }
    let (mut has, mut wants) = (Vec::new(), Vec::new());
    for item in items {
        if let Item::Text(run) = item {
            add(&mut wants, Some(run.id), run.len);
        }
    }
    collect(element, &mut has) && has == wants
}

fn shown(mirror: &Mirror, schema: &Schema) -> Rc<Element> {
    view::tree(mirror, &view::show(mirror, schema, &HashSet::new()))
}

/// Where elements with these new ids are when all operations are done.
fn renamings(element: &Element, key: &str, ids: &HashSet<String>, path: &mut Path, out: &mut Vec<Op>) {
    for (index, kid) in element.kids.iter().enumerate() {
        let Kid::Element(kid) = kid else { continue };
        path.push(index as u32);
        if let Some(id) = kid.props.get(key).filter(|id| ids.contains(&id.to_string())) {
            let new_properties = Attrs::from([(Arc::from(key), id.clone())]);
            out.push(Op::SetNode { path: path.clone(), properties: Attrs::new(), new_properties });
        }
        renamings(kid, key, ids, path, out);
        path.pop();
    }
}
