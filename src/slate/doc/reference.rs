//! A document as it is shown: that of format 1 written by reference and read by the view, that of format 0 written by copy and
//! read as it stands.
//!
//! [`Reference`] holds what the Y.Doc has (the mirror) and what editor and document show (the tree). Local operations go
//! into the tree; a flush writes the difference. What comes from elsewhere changes the mirror; the tree that it shows then
//! is where the editor is led to, by ids.
//!
//! Invariant: between calls the tree is what the document shows, with the leaves that the editor has.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use litemap::LiteMap;
use yrs::{Any, TransactionMut, XmlTextRef};

use super::change::LocalChange;
use crate::slate::part::ItemBatch;
use crate::slate::remote;
use crate::slate::remote::amend::{amend, inverse};
use crate::slate::undo::{self, Again};
use crate::slate::value::node::{Attrs, Node};
use crate::slate::value::op::{Op, Path};
use crate::slate::view::tree::{Element, Kid, NodeId};
use crate::slate::view::{self, Schema};
use crate::slate::write::{self, EditorTree, KnownParts};
use crate::slate::ydoc::{Followed, Id, Item, Kind, Mirror, Nid, QuickSet, ROOT, Writer, kind_name};
use crate::update::TypedText;

pub(super) struct Reference {
    pub mirror: Mirror,
    pub(super) known: KnownParts,
    pub again: Again,
    pub(super) schema: Schema,
    pub(super) tree: EditorTree,
    pub(super) client: u64,
    /// How often something came from elsewhere that is shown.
    pub(super) heard: u64,
    /// Flushes after which the document did not show what the editor shows.
    pub inexact: u32,
    /// In format 0: embeds that are no elements, in what the last transaction of others changed.
    pub met: u32,
}

impl Reference {
    /// Reads a document. Outside of a transaction that has deleted something.
    pub fn read(txn: &mut TransactionMut, root: &XmlTextRef, schema: Schema, client: u32) -> Self {
        let mirror = Mirror::read(txn, root);
        let again = Again::read(txn, &mirror);
        let view = view::show(&mirror, &schema, &QuickSet::default());
        let tree = EditorTree::new(view::tree(&mirror, &view), schema.clone());
        let known = KnownParts::new(&mirror, &schema, view);
        Self { mirror, known, again, schema, tree, client: u64::from(client), heard: 0, inexact: 0, met: 0 }
    }

    /// Whether it is of format 0.
    pub fn is_plain(&self) -> bool {
        self.mirror.is_plain()
    }

    pub fn tree(&self) -> &Rc<Element> {
        self.tree.root()
    }

    pub fn value(&self) -> Vec<Node> {
        remote::value(self.tree())
    }

    /// The top-level blocks, one after the other.
    pub fn blocks(&self) -> impl Iterator<Item = Node> {
        self.tree().kids.iter().map(remote::node)
    }

    /// One of the top-level blocks, and how many there are.
    pub fn block(&self, index: u32) -> (Option<Node>, u32) {
        let kids = &self.tree().kids;
        (kids.get(index as usize).map(remote::node), kids.len() as u32)
    }

    /// Whether the root's sequence has nothing in it, shown or not.
    pub fn is_empty(&self) -> bool {
        match self.is_plain() {
            true => self.mirror.node(ROOT).items.iter().all(|item| *item == Item::Foreign),
            false => self.mirror.length(ROOT) == 0,
        }
    }

    /// Whether a document of format 0 has nothing in its root but elements and fragments, as other editors write them.
    pub fn may_be_anothers(&self) -> bool {
        self.is_plain()
            && self.mirror.node(ROOT).items.iter().all(|item| match item {
                Item::Node(node) => !self.mirror.is_text(*node),
                item => *item == Item::Foreign,
            })
    }

    pub fn foreign(&self) -> u32 {
        self.foreign_in(self.mirror.alive())
    }

    /// Embeds that are no elements in the sequences of these.
    fn foreign_in(&self, nodes: impl Iterator<Item = Nid>) -> u32 {
        let of = |node| self.mirror.node(node).items.iter().filter(|item| **item == Item::Foreign).count() as u32;
        nodes.map(of).sum()
    }

    /// Writes what an editor did. `fresh_id` gives ids for blocks that a split left without one of their own. `amended`: the
    /// operations may have become stale, and are brought up to date first; takes those that were applied.
    pub fn local(
        &mut self,
        txn: &mut TransactionMut,
        ops: Vec<Op>,
        (block_id, mut amended): (Option<&str>, Option<&mut Vec<Op>>),
        mut fresh_id: impl FnMut() -> String,
        change: &mut LocalChange,
    ) {
        self.delete_twice(txn);
        let is_plain = self.is_plain();
        // What was given, and what the editor has there until it hears of that.
        let mut given: HashMap<String, Any> = HashMap::new();
        for mut op in ops {
            if amended.is_some() {
                let Some(now) = amend(self.tree.root(), op) else { continue };
                op = now;
            }
            let back = if is_plain { inverse(self.tree.root(), &op) } else { None };
            if let Err(error) = self.tree.apply(&op) {
                if amended.is_none() {
                    change.rejected.push((op, error));
                }
                continue;
            }
            change.inverse.extend(back);
            if let Some(applied) = &mut amended {
                applied.push(op.clone());
            }
            if let (Op::SplitNode { path, .. }, Some(key)) = (&op, block_id)
                && let Some(renaming) = self.renaming(path, key, &given, &mut fresh_id)
                && renaming.ops.iter().all(|op| {
                    if is_plain {
                        change.inverse.extend(inverse(self.tree.root(), op));
                    }
                    self.tree.apply(op).is_ok()
                })
            {
                given.insert(renaming.fresh.to_string(), renaming.shown);
            }
        }
        if !given.is_empty() {
            let key = block_id.unwrap_or_default();
            let ids = given.into_keys().collect();
            renamings(self.tree.root(), key, &ids, &mut Path::new(), &mut change.ops);
        }
        let mut writer = Writer::new(&mut self.mirror, txn, self.client);
        let flushed = self.known.flush(&mut writer, &mut self.tree, &self.schema);
        if let Some(edited) = &flushed.edited {
            undo::note_all(&mut writer, &mut self.again, &flushed.tree, edited);
        }
        if is_plain {
            change.inverse.reverse();
            return;
        }
        change.acts = writer.take_acts();
        self.inexact += u32::from(!flushed.exact);
        change.passage = Some(flushed.passage.at(self.heard));
    }

    /// After a split that gives the new half the id of the old one, or none. The id stays with the content: at the start it is the
    /// empty half that gets a new one.
    fn renaming(
        &self,
        path: &Path,
        key: &str,
        given: &HashMap<String, Any>,
        fresh_id: &mut impl FnMut() -> String,
    ) -> Option<Renaming> {
        let left = self.tree().at(path).ok()?;
        let taken = left.props.get(key)?;
        let next = crate::slate::value::transform::next(path);
        let right = self.tree().at(&next).ok()?;
        let has = right.props.get(key);
        let shown = given.get(&taken.to_string()).unwrap_or(taken);
        if has.is_some_and(|id| id != taken && id != shown) {
            return None;
        }
        let name: Arc<str> = key.into();
        let set = |path: Path, from: Option<&Any>, to: &Any| {
            let properties = from.map(|id| (name.clone(), id.clone())).into_iter().collect();
            Op::SetNode { path, properties, new_properties: Attrs::from([(name.clone(), to.clone())]) }
        };
        let fresh = Any::from(fresh_id());
        let ops = match has.is_some() && is_bare(left) && !is_bare(right) {
            true => vec![set(path.clone(), Some(taken), &fresh), set(next, has, taken)],
            false => vec![set(next, has, &fresh)],
        };
        Some(Renaming { ops, fresh, shown: shown.clone() })
    }

    /// After a transaction that was not one's own: what leads the editor to what the document shows now.
    pub fn follow(&mut self, txn: &mut TransactionMut, changed: &[XmlTextRef], again: bool) -> Vec<Op> {
        let is_shown = !self.mirror.is_touched();
        let followed = self.mirror.follow(txn, changed);
        if self.is_plain() {
            self.met = self.foreign_in(followed.iter().map(|followed| followed.node));
            return self.show_plain_now();
        }
        let is_again = again || self.mirror.has_twice();
        if is_again {
            self.mirror.hide_twice(txn);
            self.again = Again::read(txn, &self.mirror);
        }
        let ops = self.show_texts((is_shown && !is_again).then_some(followed));
        self.heard += u64::from(!ops.is_empty());
        ops
    }

    /// After a transaction in which others did nothing but type this, in a sequence of which all text has no formats: what
    /// leads the editor there. `None`, and nothing is done: that has to be looked for.
    pub fn type_in(&mut self, txn: &TransactionMut, branch: &XmlTextRef, typed: &TypedText) -> Option<Vec<Op>> {
        let place = self.mirror.place_of_typed(branch, typed).filter(|_| !self.mirror.is_touched())?;
        let near = self.known.piece_of_line(&self.mirror, place.seq, place.head)?;
        let head = self.mirror.id(place.head);
        let (at, before) = near.clone().zip(self.tree().kids.get(near)?).find_map(|(at, kid)| match kid {
            Kid::Element(kid) if kid.id == NodeId::Head(head) => Some((at, kid.clone())),
            Kid::Element(_) | Kid::Leaf(_) => None,
        })?;
        is_text_of(&before, self.mirror.piece_of(&place)).then_some(())?;
        let place = self.mirror.type_in(txn, place, typed);
        let kids = view::text_of(self.mirror.piece_of(&place), head);
        let now = Rc::new(Element { kids, ..(*before).clone() });
        let ops = remote::steps_within(&before, &now, at as u32);
        self.tree.set_top(at, now);
        self.known.note_typed(&self.mirror, place.head);
        self.known.keep(&mut self.mirror);
        #[cfg(test)]
        self.known.compare(&self.mirror, &self.schema, self.tree.root());
        self.heard += u64::from(!ops.is_empty());
        Some(ops)
    }

    /// What leads the editor to what the mirror shows now. `texts`: all that changed, if it may be nothing but text.
    fn show_texts(&mut self, texts: Option<Vec<Followed>>) -> Vec<Op> {
        match texts.and_then(|texts| self.texts(&texts)) {
            Some((tops, ops)) => {
                self.set_tops(tops);
                ops
            }
            None => self.show_now(),
        }
    }

    pub(super) fn set_tops(&mut self, tops: Tops) {
        tops.into_iter().for_each(|(at, top)| self.tree.set_top(at, top));
        self.known.keep(&mut self.mirror);
        #[cfg(test)]
        self.known.compare(&self.mirror, &self.schema, self.tree.root());
    }

    /// The top-level elements with other texts, and the operations that lead there, where nothing else changed than the text
    /// of blocks that have nothing but text, and are shown by themselves.
    pub(super) fn texts(&self, followed: &[Followed]) -> Option<(Tops, Vec<Op>)> {
        if followed.len() > MANY {
            return None;
        }
        let (mut tops, mut ops) = (Tops::new(), Vec::new());
        for followed in followed {
            let (node, was) = (self.mirror.node(followed.node), followed.was.as_ref()?);
            if was.is_empty() || node.items.is_empty() || node.registers.open || node.registers.gone.is_some() {
                return None;
            }
            let kids = &self.tree().kids;
            let near = self.known.top(&self.mirror, followed.node).unwrap_or(0..kids.len());
            let (at, path) = near.clone().zip(kids.get(near)?).find_map(|(at, kid)| match kid {
                Kid::Element(kid) => Some((at, tops.get(&at).unwrap_or(kid).path_of(node.id)?)),
                Kid::Leaf(_) => None,
            })?;
            let Kid::Element(kid) = &kids[at] else { return None };
            let before: &Rc<Element> = tops.get(&at).unwrap_or(kid);
            let mut now = before.clone();
            let element = Element::at_mut(&mut now, &path).ok()?;
            if !is_text_of(element, was) {
                return None;
            }
            element.kids = view::text_of(&node.items, node.id);
            ops.extend(remote::steps_within(before, &now, at as u32));
            tops.insert(at, now);
        }
        Some((tops, ops))
    }

    /// Who writes deletes what is there twice: it is not shown.
    pub(super) fn delete_twice(&mut self, txn: &mut TransactionMut) {
        if self.mirror.has_twice() {
            Writer::new(&mut self.mirror, txn, self.client).delete_twice();
            self.known = KnownParts::default();
        }
    }

    /// What leads the editor to what the mirror shows now.
    pub fn show_now(&mut self) -> Vec<Op> {
        if self.is_plain() {
            return self.show_plain_now();
        }
        let before = self.tree.root().clone();
        let (now, ops) = self.known.show(&mut self.mirror, &before, &self.schema);
        self.tree.reset(now);
        ops
    }

    /// The same content, read anew under another client id: the editor has the leaves that it had.
    pub fn take_leaves(&mut self, before: &Self) {
        self.heard = before.heard;
        let tree = write::adopt(before.tree(), self.see());
        self.tree.reset(tree);
    }

    /// Reads the document again: what leads the editor there, if it differs from what is shown.
    pub fn check(&mut self, txn: &mut TransactionMut, root: &XmlTextRef) -> Vec<Op> {
        if self.is_plain() {
            self.mirror = Mirror::read_plain(txn, root);
            return self.show_all_plain();
        }
        self.known = KnownParts::default();
        self.mirror = Mirror::read(txn, root);
        let ops = self.show_now();
        self.heard += u64::from(!ops.is_empty());
        ops
    }

    /// Whether [`Reference::check_part`] can look at anything.
    pub fn has_parts(&self) -> bool {
        self.is_plain() || self.known.batch(0, 1).is_some()
    }

    /// The same for some items, from one on: the top-level elements that they show, and what leads the editor to what they
    /// should show. `None`: there are none any more, or they cannot be looked at by themselves.
    pub fn check_part(&mut self, txn: &mut TransactionMut, root: &XmlTextRef, from: usize) -> Option<Checked> {
        if self.is_plain() {
            return self.check_plain(txn, root, from);
        }
        let ItemBatch { seq, items, opened } =
            self.known.batch(from, CHECKED).filter(|batch| !batch.items.is_empty())?;
        let is_true = (from > 0 || self.mirror.is_true(txn, &[ROOT]))
            && self.mirror.is_true_itself(txn, &opened)
            && self.mirror.is_true(txn, &items);
        if !is_true {
            let ops = self.check(txn, root);
            let blocks = (0..self.tree().kids.len() as u32).collect();
            return Some(Checked { blocks, next: usize::MAX, ops, is_true });
        }
        // An editor compares whole blocks: once, with the first items in them.
        let tops = if seq == ROOT { &items } else { &opened };
        let shown: Vec<Range<usize>> = tops.iter().filter_map(|item| self.known.top(&self.mirror, *item)).collect();
        let blocks = shown.first().map_or(0, |first| first.start)..shown.last().map_or(0, |last| last.end);
        let blocks = blocks.map(|block| block as u32).collect();
        self.mirror.touch(&items);
        let ops = self.show_now();
        Some(Checked { blocks, next: from + items.len(), is_true: ops.is_empty(), ops })
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
        if self.is_plain() {
            return Default::default();
        }
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

    /// What the whole document shows.
    fn see(&mut self) -> Rc<Element> {
        if self.is_plain() {
            return write::read_plain(&self.mirror, &self.schema, None);
        }
        let view = view::show(&self.mirror, &self.schema, &QuickSet::default());
        let tree = view::tree(&self.mirror, &view);
        self.known = KnownParts::new(&self.mirror, &self.schema, view);
        tree
    }

    /// An editor that knows which elements are inline and void: what it shows otherwise than before.
    pub fn set_schema(&mut self, schema: Schema) -> Vec<Op> {
        if schema.agrees(&self.schema, self.mirror.types()) {
            self.tree.set_schema(schema.clone());
            self.schema = schema;
            return Vec::new();
        }
        self.schema = schema;
        if self.is_plain() {
            let ops = self.show_all_plain();
            self.tree.set_schema(self.schema.clone());
            return ops;
        }
        let now = self.see();
        let ops = remote::steps(self.tree.root(), &now);
        self.tree = EditorTree::new(now, self.schema.clone());
        ops
    }
}

#[cfg(any(test, feature = "testing"))]
impl Reference {
    /// Shows another text than the document has, as a defect would.
    pub fn spoil_text(&mut self, path: &[u32], text: &str) {
        self.tree.spoil(path, text);
    }
}

#[cfg(test)]
impl Reference {
    /// Shows something else, as a defect would.
    pub fn spoil_root(&mut self, spoil: impl FnOnce(&mut Element)) {
        self.tree.spoil_root(spoil);
    }

    /// Shows another element at the top, as a defect would.
    pub fn spoil_tree(&mut self, at: usize, other: &Element) {
        if let Kid::Element(kid) = &other.kids[at] {
            self.tree.set_top(at, kid.clone());
            self.known.is_spoiled = true;
        }
    }

    /// Takes the last item of an element for missing, as a defect would.
    pub fn spoil_mirror(&mut self, at: usize) {
        let Kid::Element(kid) = &self.tree().kids[at] else { return };
        if let NodeId::Head(id) = kid.id
            && let Some(node) = self.mirror.find(id)
        {
            self.mirror.spoil(node);
            self.known.is_spoiled = true;
        }
    }
}

/// What was looked at by [`Reference::check_part`].
pub(super) struct Checked {
    /// Of the top-level elements.
    pub blocks: Vec<u32>,
    /// Of the items: where to go on.
    pub next: usize,
    /// Whether mirror and tree were what the document has.
    pub is_true: bool,
    pub ops: Vec<Op>,
}

/// So many items are looked at by a check of a part.
pub(super) const CHECKED: usize = 64;

/// Top-level elements by their place.
pub(super) type Tops = LiteMap<usize, Rc<Element>>;

/// If more changed at once, all is looked at.
const MANY: usize = 32;

/// What gives the halves of a split an id each.
struct Renaming {
    ops: Vec<Op>,
    fresh: Any,
    /// What the editor has there until it hears of that.
    shown: Any,
}

/// Whether there is nothing to see in it, at any depth.
fn is_bare(element: &Element) -> bool {
    let mut todo = vec![element];
    while let Some(element) = todo.pop() {
        for kid in &element.kids {
            match kid {
                Kid::Leaf(leaf) if leaf.runs.iter().all(|run| run.len == 0) => {}
                Kid::Element(kid) if !kid.void => todo.push(kid),
                _ => return false,
            }
        }
    }
    true
}

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
