//! Looking at parts of the root's sequence by themselves.
//!
//! [`Mirror::divide`] cuts the list of the root's items in chunks; with [`Mirror::focus`] only some of them are there, and one
//! item stands for all that are left out between. It has their length, so that indices stay true and what is written meanwhile
//! goes to where it belongs; it shows one void element, or nothing.

use super::attrs::{Kind, Registers};
use super::formats::Formats;
use super::id::Id;
use super::mirror::{Item, Mirror, Nid, ROOT, RootChunk, RootChunks, Stand};
use super::quick::QuickSet;

/// What is left out, so far.
#[derive(Default)]
struct LeftStretch {
    len: u32,
    shows: bool,
    first: Option<Nid>,
    last: Option<Nid>,
}

impl Id {
    /// Of what stands for items that are left out; greater than any that is in a document.
    pub const fn of_left_out(nth: u32) -> Self {
        Self { client: Self::ROOT.client - 1, clock: nth }
    }

    /// Which of those that are left out it stands for.
    pub const fn left_out(self) -> Option<u32> {
        if self.client == Self::ROOT.client - 1 { Some(self.clock) } else { None }
    }
}

impl Mirror {
    /// Cuts the root's items in chunks of so many items. Until [`Mirror::unite`] the root has only what is in focus.
    pub fn divide(&mut self, chunks: impl IntoIterator<Item = usize>) {
        let mut items = std::mem::take(&mut self.nodes[ROOT as usize].items).into_iter();
        let chunks = chunks.into_iter().map(|count| {
            let items: Vec<Item> = items.by_ref().take(count).collect();
            RootChunk { len: items.iter().map(Item::len).sum(), items }
        });
        let chunks = chunks.collect();
        self.chunks =
            Some(Box::new(RootChunks { chunks, focus: Vec::new(), stand_ins: Vec::new(), alive: QuickSet::default() }));
    }

    /// Only these chunks are there, in order, none beside another. What stands for those between are elements with the ids
    /// [`Id::of_left_out`], counted from 0, where one of them `shows` something.
    pub fn focus(&mut self, focus: &[usize], shows: impl Fn(usize) -> bool) {
        self.blur();
        let Some(mut divided) = self.chunks.take() else { return };
        divided.alive = QuickSet::from_iter([ROOT]);
        let (mut items, mut shown) = (Vec::new(), 0);
        let mut left: Option<LeftStretch> = None;
        let mut focused = focus.iter().peekable();
        for (at, chunk) in divided.chunks.iter_mut().enumerate() {
            if focused.next_if_eq(&&at).is_some() {
                if let Some(stretch) = left.take() {
                    items.push(self.stand_in(&stretch, &mut shown, &mut divided.stand_ins));
                }
                chunk.items.iter().for_each(|item| self.collect(item, &mut divided.alive));
                items.append(&mut chunk.items);
            } else {
                let stretch = left.get_or_insert_default();
                stretch.len += chunk.len;
                stretch.shows |= shows(at);
                stretch.first = stretch.first.or_else(|| chunk.items.first().and_then(Item::node));
                stretch.last = chunk.items.last().and_then(Item::node).or(stretch.last);
            }
        }
        if let Some(stretch) = left {
            items.push(self.stand_in(&stretch, &mut shown, &mut divided.stand_ins));
        }
        divided.alive.extend(divided.stand_ins.iter().map(|stand| stand.node));
        divided.focus = focus.to_vec();
        self.nodes[ROOT as usize].items = items;
        self.chunks = Some(divided);
    }

    /// Of each of the root's items now, the chunk that it is in; none for what stands for others.
    pub fn in_focus(&self) -> Vec<Option<usize>> {
        let focus = self.chunks.as_ref().map_or(&[][..], |chunks| &chunks.focus);
        // What is left out stands before the first, unless that is the first of all, and between.
        let before = usize::from(focus.first().is_some_and(|first| *first > 0));
        let mut left: usize = 0;
        let chunk = |item: &Item| match item {
            Item::Left { .. } => {
                left += 1;
                None
            }
            _ => focus.get(left.saturating_sub(before).min(focus.len().saturating_sub(1))).copied(),
        };
        self.node(ROOT).items.iter().map(chunk).collect()
    }

    /// Nothing is in focus: what is written in chunks is theirs.
    pub fn blur(&mut self) {
        let at = self.in_focus();
        let Some(mut divided) = self.chunks.take() else { return };
        let items = std::mem::take(&mut self.nodes[ROOT as usize].items);
        for (item, at) in items.into_iter().zip(at) {
            if let Some(at) = at {
                divided.chunks[at].items.push(item);
            }
        }
        for at in std::mem::take(&mut divided.focus) {
            let chunk = &mut divided.chunks[at];
            chunk.len = chunk.items.iter().map(Item::len).sum();
        }
        for stand in std::mem::take(&mut divided.stand_ins) {
            self.forget(stand.node);
        }
        self.chunks = Some(divided);
    }

    /// The root has all its items again.
    pub fn unite(&mut self) {
        self.blur();
        let Some(divided) = self.chunks.take() else { return };
        let items = divided.chunks.into_iter().flat_map(|chunk| chunk.items);
        self.nodes[ROOT as usize].items = items.collect();
    }

    /// The id of the first or last of what is left out, for which this stands.
    pub(super) fn edge_left_out(&self, node: Nid, is_last: bool) -> Option<Id> {
        let stand = self.chunks.as_ref()?.stand_ins.iter().find(|stand| stand.node == node)?;
        let item = if is_last { stand.last } else { stand.first };
        item.map(|item| self.id(item))
    }

    fn stand_in(&mut self, stretch: &LeftStretch, shown: &mut u32, all: &mut Vec<Stand>) -> Item {
        let LeftStretch { len, shows, first, last } = *stretch;
        let id = Id::of_left_out(if shows { *shown } else { u32::MAX - all.len() as u32 });
        *shown += u32::from(shows);
        let branch = self.node(ROOT).branch.clone();
        let node = self.add(branch, id, ROOT, Formats::default());
        let kind = if shows { Kind::Strand } else { Kind::Unknown };
        self.nodes[node as usize].registers = Registers { kind, says: Some((false, true)), ..Registers::default() };
        all.push(Stand { node, first, last });
        Item::Left { node, len }
    }

    fn collect(&self, item: &Item, out: &mut QuickSet<Nid>) {
        let mut todo: Vec<Nid> = item.node().into_iter().collect();
        while let Some(node) = todo.pop() {
            out.insert(node);
            todo.extend(self.node(node).items.iter().filter_map(Item::node));
        }
    }
}
