//! [`Mirror`]: the document's nested types and sequences, outside of yrs.

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;

use yrs::{Any, XmlTextRef};

use super::attrs::{Erase, Kind, Registers};
use super::formats::{Formats, parse_key};
use super::id::Id;
use crate::quick::{QuickMap, QuickSet};
use crate::sorted::Sorted;

/// Index of a nested type in [`Mirror`].
pub type Nid = u32;
pub const ROOT: Nid = 0;

/// Characters that follow each other in the document, of one author, written in one go, with the same formats.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Of its first character; those behind count up.
    pub id: Id,
    pub text: Arc<str>,
    /// In UTF-16 units; not 0.
    pub len: u32,
    pub formats: Formats,
}

/// Runs, by the id of their first character: how long they are, and the first id of what they became, or were.
pub type Runs = Sorted<Id, (u32, Id)>;

/// What is there twice: what is not shown, with what is in its stead, and the sequences that have it; and what was written again
/// and is shown, by what it was at first.
#[derive(Debug, Clone, Default)]
pub(super) struct Twice {
    pub(super) hidden: Runs,
    pub(super) within: Vec<Nid>,
    pub(super) shown: Runs,
}

/// One thing in a sequence.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    Text(Run),
    Node(Nid),
    /// An embed that is no text, element or fragment: kept, not shown, one unit long.
    Foreign,
    /// In a sequence of which parts are left out: what stands for them. See [`Mirror::focus`].
    Left {
        node: Nid,
        len: u32,
    },
}

/// A nested type, or the root.
#[derive(Debug, Clone)]
pub struct NodeData {
    pub branch: XmlTextRef,
    pub id: Id,
    pub registers: Registers,
    /// In whose sequence it stands; its own index for the root.
    pub up: Nid,
    /// The formats that it has as an embed of that sequence.
    pub formats: Formats,
    pub items: Vec<Item>,
    /// Where in that sequence it was found last: near there it is looked for first.
    pub(super) near: Cell<u32>,
}

/// See the module. Nodes that are deleted keep their index, unreachable from the root.
#[derive(Debug, Clone)]
pub struct Mirror {
    /// The document is of format 0: attributes and formats are what they are called.
    pub(super) plain: bool,
    pub(super) nodes: Vec<NodeData>,
    pub(super) by_id: QuickMap<Id, Nid>,
    pub(super) free: Vec<Nid>,
    /// Highest Lamport time of a register or key that was seen.
    pub(super) time: u64,
    /// Above this no register's time is believed: the sum of all clocks.
    pub(super) bound: u64,
    /// Nodes whose registers name others.
    pub(super) linked: QuickSet<Nid>,
    /// Nodes whose sequence or attributes changed since this was taken.
    pub(super) touched: QuickSet<Nid>,
    /// Sequences that are divided: each is that of an item in focus of the one before.
    pub(super) divided: Vec<DividedSequence>,
    /// Nodes that there are in focus, while sequences are divided.
    pub(super) alive: QuickSet<Nid>,
    pub(super) twice: Twice,
}

/// The items of a sequence while they are divided.
#[derive(Debug, Clone)]
pub(super) struct DividedSequence {
    pub(super) seq: Nid,
    /// All of them, but for those of chunks that have their own.
    pub(super) items: Vec<Item>,
    pub(super) chunks: Vec<ItemChunk>,
    /// Those that the sequence has now, in order; none: what there is, is in the chunks.
    pub(super) focus: Vec<usize>,
    /// What stands for others in the sequence now.
    pub(super) stand_ins: Vec<Stand>,
}

/// What stands for chunks between, and the ids at the start of the first and the end of the last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stand {
    pub(super) node: Nid,
    pub(super) shows: bool,
    pub(super) first: Option<Id>,
    pub(super) last: Option<Id>,
}

/// Items that follow each other.
#[derive(Debug, Clone)]
pub(super) struct ItemChunk {
    /// Which of the sequence's they were.
    pub(super) range: Range<usize>,
    /// Once it was in focus: what there is of them elsewhere than in the sequence.
    pub(super) own: Option<Vec<Item>>,
    pub(super) len: u32,
}

impl Mirror {
    pub fn node(&self, at: Nid) -> &NodeData {
        &self.nodes[at as usize]
    }

    /// What is in the document has this id; `None` if it was deleted, or is no nested type.
    pub fn find(&self, id: Id) -> Option<Nid> {
        self.by_id.get(&id).copied()
    }

    /// Whether the document is of format 0.
    pub fn is_plain(&self) -> bool {
        self.plain
    }

    pub fn kind(&self, at: Nid) -> Kind {
        self.node(at).registers.kind
    }

    pub fn id(&self, at: Nid) -> Id {
        self.node(at).id
    }

    /// All that are in the document, or in the parts that are in focus, in no particular order; the root is [`ROOT`].
    pub fn alive(&self) -> impl Iterator<Item = Nid> + '_ {
        let focused = (!self.divided.is_empty()).then(|| self.alive.iter().copied());
        let all = if focused.is_none() { Some(self.by_id.values().copied()) } else { None };
        focused.into_iter().flatten().chain(all.into_iter().flatten())
    }

    /// How many these are.
    pub fn count(&self) -> usize {
        if self.divided.is_empty() { self.by_id.len() } else { self.alive.len() }
    }

    /// Whether anything changed since [`Mirror::take_touched`].
    pub fn is_touched(&self) -> bool {
        !self.touched.is_empty()
    }

    /// Whether nothing else changed since [`Mirror::take_touched`].
    pub fn is_touched_only(&self, mut at: impl FnMut(Nid) -> bool) -> bool {
        self.touched.iter().all(|node| at(*node))
    }

    /// The types of elements that do not say whether they are inline or void, each once.
    pub fn types(&self) -> QuickSet<Arc<str>> {
        let unsaid = self.alive().map(|at| &self.node(at).registers).filter(|registers| registers.says.is_none());
        let named = unsaid.flat_map(|registers| [registers.own.get("type"), registers.pins.get("type")]).flatten();
        named.fold(QuickSet::default(), |mut types, kind| {
            if let Any::String(kind) = kind
                && !types.contains(kind)
            {
                types.insert(kind.clone());
            }
            types
        })
    }

    /// As if these had changed.
    pub fn touch(&mut self, nodes: &[Nid]) {
        self.touched.extend(nodes);
    }

    /// What changed since this was asked last.
    pub fn take_touched(&mut self) -> QuickSet<Nid> {
        std::mem::take(&mut self.touched)
    }

    /// Upper bound of every [`Nid`], for tables.
    pub fn capacity(&self) -> usize {
        self.nodes.len()
    }

    pub fn time(&self) -> u64 {
        self.time
    }

    pub fn bound(&self) -> u64 {
        self.bound
    }

    /// Which item it is of the sequence that it is in.
    pub fn place(&self, node: Nid) -> Option<usize> {
        let data = self.node(node);
        let items = &self.node(data.up).items;
        let near = (data.near.get() as usize).min(items.len());
        let is_there = |at: &usize| items.get(*at).and_then(Item::node) == Some(node);
        let found = (0..=items.len()).find_map(|away| {
            visited(2);
            Some(near + away).filter(is_there).or_else(|| near.checked_sub(away).filter(is_there))
        })?;
        self.stands_at(node, found);
        Some(found)
    }

    pub(super) fn stands_at(&self, node: Nid, at: usize) {
        self.node(node).near.set(at as u32);
    }

    /// The sequence of a piece of a line, and its items there: behind its head, up to the next break that is on.
    pub fn piece(&self, head: Nid) -> Option<(Nid, Range<usize>)> {
        let (seq, start) = match self.kind(head) {
            Kind::Break => (self.node(head).up, self.place(head)? + 1),
            _ => (head, 0),
        };
        let items = &self.node(seq).items;
        let is_end = |item: &Item| item.node().is_some_and(|node| self.is_break(node));
        let end = items[start..].iter().position(is_end).map_or(items.len(), |behind| start + behind);
        visited(end - start);
        Some((seq, start..end))
    }

    /// Whether it divides what it stands in.
    pub(super) fn is_break(&self, node: Nid) -> bool {
        let registers = &self.node(node).registers;
        registers.kind == Kind::Break && registers.off == Erase::On
    }

    /// Length of a sequence in UTF-16 units and embeds.
    pub fn length(&self, at: Nid) -> u32 {
        self.node(at).items.iter().map(Item::len).sum()
    }

    /// Where a nested type stands in the sequence it is in: UTF-16 units and embeds before it.
    pub fn index_of(&self, at: Nid) -> u32 {
        let mut index = 0;
        for item in &self.node(self.node(at).up).items {
            if *item == Item::Node(at) {
                break;
            }
            index += item.len();
        }
        index
    }

    /// The formats in force at an index: what is put in there takes them.
    pub fn formats_at(&self, seq: Nid, index: u32) -> Formats {
        let mut end = 0;
        for item in &self.node(seq).items {
            let start = end;
            end += item.len();
            if start < index && index <= end {
                return match item {
                    Item::Text(run) => run.formats.clone(),
                    Item::Node(node) => self.node(*node).formats.clone(),
                    Item::Foreign | Item::Left { .. } => Formats::default(),
                };
            }
        }
        Formats::default()
    }

    #[cfg(test)]
    pub fn spoil(&mut self, at: Nid) {
        self.nodes[at as usize].items.pop();
    }

    pub(super) fn see_time(&mut self, time: u64) {
        if time > self.time && time <= self.bound {
            self.time = time;
        }
    }

    pub(super) fn see_formats(&mut self, formats: &Formats) {
        if self.plain {
            return;
        }
        for key in formats.keys() {
            let time = parse_key(key).time;
            self.see_time(time);
        }
    }
}

impl Item {
    pub fn len(&self) -> u32 {
        match self {
            Self::Text(run) => run.len,
            Self::Node(_) | Self::Foreign => 1,
            Self::Left { len, .. } => *len,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The nested type that it is.
    pub fn node(&self) -> Option<Nid> {
        match self {
            Self::Node(node) => Some(*node),
            Self::Text(_) | Self::Foreign | Self::Left { .. } => None,
        }
    }
}

#[cfg(test)]
thread_local! {
    static VISITED: Cell<usize> = const { Cell::new(0) };
}

/// So many items are looked at to write something.
pub(super) fn visited(count: usize) {
    #[cfg(test)]
    VISITED.set(VISITED.get() + count);
    #[cfg(not(test))]
    let _ = count;
}

/// How many items were looked at since this was asked last.
#[cfg(test)]
pub fn take_visited() -> usize {
    VISITED.take()
}
