//! From yrs into a [`Mirror`]: whole, or only what a transaction changed.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use yrs::branch::{Branch, BranchID, BranchPtr};
use yrs::types::TypeRef;
use yrs::types::text::YChange;
use yrs::{Any, ID, IdSet, Out, ReadTxn, Snapshot, StateVector, Text as _, TransactionMut, Xml as _, XmlTextRef};

use super::attrs::Registers;
use super::formats::{Formats, none};
use super::id::Id;
use super::mirror::{Item, Mirror, Nid, NodeData, ROOT, Run, Twice};
use crate::quick::{QuickMap, QuickSet};
use crate::slate::value::node::Attrs;
use crate::slate::value::utf16;
use crate::slate::view::MAX_DEPTH;
use crate::update::MAX_NESTING;

impl Id {
    pub(super) fn of(branch: &XmlTextRef) -> Self {
        let branch: &Branch = branch.as_ref();
        match branch.id() {
            BranchID::Nested(id) => Self::from(id),
            BranchID::Root(_) => Self::ROOT,
        }
    }
}

impl From<ID> for Id {
    fn from(id: ID) -> Self {
        Self::new(id.client.get(), id.clock)
    }
}

/// A nested type that changed.
#[derive(Debug, Clone)]
pub struct Followed {
    pub node: Nid,
    /// What its sequence had, if it had and has nothing but text, and nothing else about it changed.
    pub was: Option<Vec<Item>>,
}

/// Everything that is in the document; with it yrs tells the ids of what it reads. Deleted content must have been
/// collected, as it is after each commit.
struct Reader {
    everything: Snapshot,
    nothing: Snapshot,
    last: Formats,
    /// Names of attributes, and attributes, that were read: elements mostly have those of others.
    names: Vec<Arc<str>>,
    owns: Vec<Rc<Attrs>>,
    read: Vec<(Arc<str>, Any)>,
}

/// So many are kept to be used again.
const NAMES: usize = 16;
const OWNS: usize = 4;

impl Reader {
    fn new(txn: &TransactionMut) -> Self {
        let nothing = Snapshot::new(StateVector::default(), IdSet::default());
        let everything = Snapshot::new(txn.state_vector(), IdSet::default());
        Self { everything, nothing, last: none(), names: Vec::new(), owns: Vec::new(), read: Vec::new() }
    }

    /// What the attributes of a nested type say. `plain`: the document is of format 0.
    fn registers(&mut self, txn: &TransactionMut, branch: &XmlTextRef, plain: bool) -> Registers {
        let mut registers = Registers::default();
        for (name, value) in attributes(txn, branch).filter(|(_, value)| !matches!(value, Any::Undefined)) {
            match Registers::own_name(name, plain) {
                Some(name) => {
                    let name = self.name(name);
                    self.read.push((name, value));
                }
                None => registers.set(name, Some(&value)),
            }
        }
        registers.own = self.own();
        registers
    }

    fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.iter().find(|known| ***known == *name) {
            return known.clone();
        }
        let name: Arc<str> = name.into();
        if self.names.len() < NAMES {
            self.names.push(name.clone());
        }
        name
    }

    /// What was read, or what another has that is the same.
    fn own(&mut self) -> Rc<Attrs> {
        self.read.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        // A number equals another that is written otherwise, 2 and 2.0: those are kept as they stand in the document.
        let is_one = |a: &Any, b: &Any| matches!(a, Any::String(_) | Any::Bool(_) | Any::Null) && a == b;
        let same = |known: &&Rc<Attrs>| {
            known.len() == self.read.len()
                && known.iter().zip(&self.read).all(|(a, b)| a.0 == &b.0 && is_one(a.1, &b.1))
        };
        if let Some(known) = self.owns.iter().find(same) {
            let known = known.clone();
            self.read.clear();
            return known;
        }
        let own: Rc<Attrs> = Rc::new(Attrs::of_sorted(self.read.drain(..).collect()));
        if self.owns.len() == OWNS {
            self.owns.remove(0);
        }
        self.owns.push(own.clone());
        own
    }

    fn formats(&mut self, attributes: Option<Box<yrs::types::Attrs>>) -> Formats {
        let Some(attributes) = attributes else { return none() };
        let is_last = self.last.len() == attributes.len()
            && self.last.iter().all(|(key, value)| attributes.get(key) == Some(value));
        if !is_last {
            self.last = Formats::new(attributes.into_iter().collect());
        }
        self.last.clone()
    }

    /// The sequence of a nested type; nested types in it by themselves.
    fn sequence(&mut self, txn: &mut TransactionMut, branch: &XmlTextRef) -> Vec<Raw> {
        let diffs = branch.diff_range(txn, Some(&self.everything), Some(&self.nothing), YChange::from);
        let mut raw = Vec::with_capacity(diffs.len());
        for diff in diffs {
            match (diff.insert, diff.ychange) {
                (Out::Any(Any::String(text)), Some(change)) => {
                    let formats = self.formats(diff.attributes);
                    raw.push(Raw::Text(Run { id: change.id.into(), len: utf16::len(&text), text, formats }));
                }
                (out, _) => raw.push(match sequence_of(&out) {
                    Some(branch) => Raw::Node(branch, self.formats(diff.attributes)),
                    None => Raw::Foreign,
                }),
            }
        }
        raw
    }
}

enum Raw {
    Text(Run),
    Node(XmlTextRef, Formats),
    Foreign,
}

/// Runs that go on with each other are one.
fn joined(items: impl Iterator<Item = Item>) -> Vec<Item> {
    let mut joined: Vec<Item> = Vec::new();
    for item in items {
        match (joined.last_mut(), item) {
            (Some(Item::Text(last)), Item::Text(run))
                if last.id.plus(last.len) == run.id && last.formats == run.formats =>
            {
                last.text = [&*last.text, &*run.text].concat().into();
                last.len += run.len;
            }
            (_, item) => joined.push(item),
        }
    }
    joined
}

/// What holds text and nested types in one sequence: a `Y.XmlText`, and the elements and fragments that Yjs 14 has for all of
/// these. Both are written as a text is.
pub(in crate::slate) fn sequence_of(out: &Out) -> Option<XmlTextRef> {
    let branch: &Branch = match out {
        Out::YXmlText(text) => text.as_ref(),
        Out::YXmlElement(element) => element.as_ref(),
        Out::YXmlFragment(fragment) => fragment.as_ref(),
        _ => return None,
    };
    Some(XmlTextRef::from(BranchPtr::from(branch)))
}

impl Mirror {
    /// Whether it is a `Y.XmlText`.
    pub fn is_text(&self, at: Nid) -> bool {
        let branch: &Branch = self.node(at).branch.as_ref();
        matches!(branch.type_ref(), TypeRef::XmlText)
    }
}

/// The property that an element's name is, where no attribute says otherwise.
const NAME: &str = "type";

/// The name of an element: what Yjs 14 calls a type by.
fn name_of(branch: &XmlTextRef) -> Option<Any> {
    let branch: &Branch = branch.as_ref();
    match branch.type_ref() {
        TypeRef::XmlElement(name) => Some(Any::String(name.clone())),
        _ => None,
    }
}

/// Whether it would show the element's name again if this attribute were removed.
pub(super) fn is_named(branch: &XmlTextRef, attribute: &str) -> bool {
    attribute == NAME && name_of(branch).is_some()
}

/// One attribute: a value, no shared type.
pub(super) fn attribute<T: ReadTxn>(txn: &T, branch: &XmlTextRef, name: &str) -> Option<Any> {
    match branch.get_attribute(txn, name) {
        Some(Out::Any(value)) => Some(value),
        None if name == NAME => name_of(branch),
        _ => None,
    }
}

/// All of them.
pub(super) fn attributes<'a, T: ReadTxn>(
    txn: &'a T,
    branch: &'a XmlTextRef,
) -> impl Iterator<Item = (&'a str, Any)> + 'a {
    let name = name_of(branch).and_then(|_| Some((NAME, attribute(txn, branch, NAME)?)));
    let is_named = name.is_some();
    let others = branch.attributes(txn).filter_map(move |(name, value)| match value {
        Out::Any(value) if !is_named || name != NAME => Some((name, value)),
        _ => None,
    });
    name.into_iter().chain(others)
}

impl Mirror {
    /// Reads all of a document. Outside of a transaction that has deleted something.
    pub fn read(txn: &mut TransactionMut, root: &XmlTextRef) -> Self {
        Self::read_as(txn, root, false)
    }

    /// The same of a document of format 0.
    pub fn read_plain(txn: &mut TransactionMut, root: &XmlTextRef) -> Self {
        Self::read_as(txn, root, true)
    }

    fn read_as(txn: &mut TransactionMut, root: &XmlTextRef, plain: bool) -> Self {
        let mut mirror = Self {
            plain,
            nodes: vec![NodeData {
                branch: root.clone(),
                id: Id::ROOT,
                registers: Registers::default(),
                up: ROOT,
                formats: Formats::default(),
                items: Vec::new(),
                near: Cell::default(),
            }],
            by_id: QuickMap::from_iter([(Id::ROOT, ROOT)]),
            free: Vec::new(),
            time: 0,
            bound: 0,
            linked: QuickSet::default(),
            touched: QuickSet::default(),
            divided: Vec::new(),
            alive: QuickSet::default(),
            twice: Twice::default(),
        };
        mirror.set_bound(txn);
        mirror.fill(txn, &mut Reader::new(txn), vec![(ROOT, 0)]);
        if !plain {
            mirror.hide_twice(txn);
        }
        mirror.touched.clear();
        mirror
    }

    /// Follows a committed transaction: `changed` are the nested types that changed themselves (in their sequence or
    /// attributes). Returns those of them that the mirror has.
    pub fn follow(&mut self, txn: &mut TransactionMut, changed: &[XmlTextRef]) -> Vec<Followed> {
        self.set_bound(txn);
        let mut reader = Reader::new(txn);
        // The document's other roots are no part of what it shows.
        let own = |branch: &XmlTextRef| self.find(Id::of(branch)).filter(|at| self.node(*at).branch == *branch);
        let mut dirty: Vec<(usize, Nid)> = changed.iter().filter_map(own).map(|at| (self.nesting(at), at)).collect();
        dirty.sort_unstable();
        dirty.dedup();
        let mut followed = Vec::with_capacity(dirty.len());
        for (depth, at) in dirty {
            // Deleted with what it stood in, which came before.
            if self.find(self.id(at)) != Some(at) {
                continue;
            }
            let (items, registers) = (self.node(at).items.clone(), self.node(at).registers.clone());
            if at != ROOT {
                self.take_registers(txn, &mut reader, at);
            }
            self.fill(txn, &mut reader, vec![(at, depth)]);
            let is_text = |items: &[Item]| items.iter().all(|item| matches!(item, Item::Text(_)));
            let node = self.node(at);
            let text_only = node.registers == registers && is_text(&items) && is_text(&node.items);
            followed.push(Followed { node: at, was: text_only.then_some(items) });
        }
        followed
    }

    pub(super) fn set_bound(&mut self, txn: &TransactionMut) {
        self.bound = txn.state_vector().iter().map(|(_, clock)| u64::from(*clock)).sum();
    }

    /// Whether the sequences and attributes of these, and of all in them, are what the document has. Outside of a
    /// transaction that has deleted something.
    pub fn is_true(&self, txn: &mut TransactionMut, nodes: &[Nid]) -> bool {
        let mut reader = Reader::new(txn);
        let mut todo = nodes.to_vec();
        while let Some(at) = todo.pop() {
            if at != ROOT && reader.registers(txn, &self.node(at).branch, self.plain) != self.node(at).registers {
                return false;
            }
            if !self.has_sequence(txn, &mut reader, at) {
                return false;
            }
            todo.extend(self.node(at).items.iter().filter_map(|item| match item {
                Item::Node(node) if at != ROOT => Some(*node),
                _ => None,
            }));
        }
        true
    }

    /// The same of these alone, without what is in them.
    pub fn is_true_itself(&self, txn: &mut TransactionMut, nodes: &[Nid]) -> bool {
        let mut reader = Reader::new(txn);
        nodes.iter().all(|at| {
            reader.registers(txn, &self.node(*at).branch, self.plain) == self.node(*at).registers
                && self.has_sequence(txn, &mut reader, *at)
        })
    }

    fn has_sequence(&self, txn: &mut TransactionMut, reader: &mut Reader, at: Nid) -> bool {
        let branch = self.node(at).branch.clone();
        let raw = reader.sequence(txn, &branch);
        let found = raw.into_iter().flat_map(|raw| match raw {
            Raw::Text(run) => self.without_twice(run),
            Raw::Node(branch, formats) => match self.find(Id::of(&branch)) {
                Some(node) if self.node(node).formats == formats => vec![Item::Node(node)],
                _ => vec![Item::Foreign],
            },
            Raw::Foreign => vec![Item::Foreign],
        });
        joined(found) == joined(self.node(at).items.iter().cloned())
    }

    fn nesting(&self, mut at: Nid) -> usize {
        let mut depth = 0;
        while at != ROOT {
            at = self.node(at).up;
            depth += 1;
        }
        depth
    }

    fn take_registers(&mut self, txn: &TransactionMut, reader: &mut Reader, at: Nid) {
        let registers = reader.registers(txn, &self.node(at).branch, self.plain);
        if let Some(place) = &registers.at {
            self.see_time(place.time);
        }
        self.nodes[at as usize].registers = registers;
        self.note_registers(at);
    }

    /// Reads the sequences of these again, as far as they are still there.
    pub(super) fn refill(&mut self, txn: &mut TransactionMut, nodes: &[Nid]) {
        let mut reader = Reader::new(txn);
        for at in nodes.iter().filter(|at| self.find(self.id(**at)) == Some(**at)).copied().collect::<Vec<_>>() {
            let depth = self.nesting(at);
            self.fill(txn, &mut reader, vec![(at, depth)]);
        }
    }

    /// Reads the sequences of these, and of what is new in them.
    fn fill(&mut self, txn: &mut TransactionMut, reader: &mut Reader, mut todo: Vec<(Nid, usize)>) {
        // What slate-yjs writes is shown as deep as it stands, and no deeper than an editor may write.
        let deepest = if self.plain { MAX_DEPTH } else { MAX_NESTING as usize };
        while let Some((at, depth)) = todo.pop() {
            let branch = self.node(at).branch.clone();
            let raw = reader.sequence(txn, &branch);
            let old = std::mem::take(&mut self.nodes[at as usize].items);
            let mut items = Vec::with_capacity(raw.len());
            if self.by_id.len() == 1 {
                // Mostly the rest of the document has none.
                self.nodes.reserve_exact(raw.len());
                self.by_id.reserve(raw.len());
            }
            for raw in raw {
                let item = match raw {
                    Raw::Text(run) => {
                        self.see_formats(&run.formats);
                        if self.has_twice() {
                            items.extend(self.without_twice(run));
                            continue;
                        }
                        Item::Text(run)
                    }
                    Raw::Foreign => Item::Foreign,
                    Raw::Node(branch, formats) => {
                        self.see_formats(&formats);
                        let id = Id::of(&branch);
                        match self.find(id) {
                            Some(node) => {
                                self.nodes[node as usize].formats = formats;
                                Item::Node(node)
                            }
                            // Who takes updates in refuses it.
                            None if depth >= deepest => Item::Foreign,
                            None => {
                                let node = self.add(branch, id, at, formats);
                                self.take_registers(txn, reader, node);
                                todo.push((node, depth + 1));
                                Item::Node(node)
                            }
                        }
                    }
                };
                items.push(item);
            }
            self.forget_missing(&old, &items);
            items
                .iter()
                .zip(0..)
                .for_each(|(item, at)| item.node().into_iter().for_each(|node| self.stands_at(node, at)));
            self.touched.insert(at);
            self.nodes[at as usize].items = items;
        }
    }

    pub(super) fn add(&mut self, branch: XmlTextRef, id: Id, up: Nid, formats: Formats) -> Nid {
        let data = NodeData {
            branch,
            id,
            registers: Registers::default(),
            up,
            formats,
            items: Vec::new(),
            near: Cell::default(),
        };
        let at = match self.free.pop() {
            Some(at) => {
                self.nodes[at as usize] = data;
                at
            }
            None => {
                if self.nodes.len() == self.nodes.capacity() {
                    // They are large: no room for as many again.
                    self.nodes.reserve_exact(self.nodes.len() / 8 + 16);
                }
                self.nodes.push(data);
                self.nodes.len() as Nid - 1
            }
        };
        self.by_id.insert(id, at);
        if !self.divided.is_empty() {
            self.alive.insert(at);
        }
        at
    }

    fn forget_missing(&mut self, old: &[Item], new: &[Item]) {
        let nodes = |items: &[Item]| -> Vec<Nid> { items.iter().filter_map(Item::node).collect() };
        let (old, mut new) = (nodes(old), nodes(new));
        if old.is_empty() || old == new {
            return;
        }
        new.sort_unstable();
        for node in old {
            if new.binary_search(&node).is_err() {
                self.forget(node);
            }
        }
    }

    /// A nested type was deleted, and all in it.
    pub(super) fn forget(&mut self, node: Nid) {
        let mut todo = vec![node];
        while let Some(node) = todo.pop() {
            let id = self.id(node);
            if self.by_id.get(&id) != Some(&node) {
                continue;
            }
            self.by_id.remove(&id);
            let items = std::mem::take(&mut self.nodes[node as usize].items);
            todo.extend(items.iter().filter_map(Item::node));
            self.nodes[node as usize].registers = Registers::default();
            self.linked.remove(&node);
            self.touched.remove(&node);
            self.alive.remove(&node);
            self.free.push(node);
        }
    }
}
