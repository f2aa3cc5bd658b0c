//! Looking at parts of a sequence by themselves.
//!
//! [`Mirror::divide`] cuts the list of a sequence's items in chunks; with [`Mirror::focus`] only some of them are there, and one
//! item stands for all that are left out between. It has their length, so that indices stay true and what is written meanwhile
//! goes to where it belongs; it shows one element, or nothing. Of the sequences around it [`Mirror::narrow`] leaves one
//! item each.

use std::ops::Range;
use std::rc::Rc;

use super::attrs::{Kind, Registers};
use super::formats::Formats;
use super::id::Id;
use super::mirror::{DividedSequence, Item, ItemChunk, Mirror, Nid, ROOT, Stand};
use crate::slate::value::node::Attrs;

/// So many chunks of a sequence are put back one by one; of more all items are put together anew.
const FEW_CHUNKS: usize = 4;

/// What stands for items that are left out.
#[derive(Debug, Clone, Default)]
pub enum StandIn {
    /// They show nothing.
    #[default]
    Hidden,
    /// A void element.
    Element,
    /// A piece of the chain, with what is inherited from the last of them.
    Piece(Rc<Attrs>),
}

/// What is left out, so far.
#[derive(Default)]
struct LeftStretch {
    len: u32,
    stand_in: StandIn,
    first: Option<Id>,
    last: Option<Id>,
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

impl DividedSequence {
    fn new(seq: Nid, items: Vec<Item>, counts: impl IntoIterator<Item = usize>) -> Self {
        let mut start = 0;
        let chunk = |count: usize| {
            let range = start..(start + count).min(items.len());
            start = range.end;
            ItemChunk { len: items[range.clone()].iter().map(Item::len).sum(), range, own: None }
        };
        let chunks = counts.into_iter().map(chunk).collect();
        Self { seq, items, chunks, focus: Vec::new(), stand_ins: Vec::new() }
    }

    /// The items of a chunk.
    fn chunk(&self, at: usize) -> &[Item] {
        let chunk = &self.chunks[at];
        chunk.own.as_deref().unwrap_or_else(|| &self.items[chunk.range.clone()])
    }

    /// The same, to be changed.
    fn own(&mut self, at: usize) -> &mut Vec<Item> {
        let chunk = &mut self.chunks[at];
        let items = &mut self.items[chunk.range.clone()];
        let take = || items.iter_mut().map(|item| std::mem::replace(item, Item::Foreign)).collect();
        chunk.own.get_or_insert_with(take)
    }

    /// All items again; and where those are that were in focus.
    fn unite(mut self) -> (Vec<Item>, Vec<Range<usize>>) {
        let mut found = Vec::new();
        let is_same = |chunk: &ItemChunk| chunk.own.as_ref().is_none_or(|own| own.len() == chunk.range.len());
        if self.chunks.iter().all(is_same) {
            for chunk in self.chunks {
                let Some(own) = chunk.own else { continue };
                self.items[chunk.range.clone()].iter_mut().zip(own).for_each(|(item, own)| *item = own);
                found.push(chunk.range);
            }
            return (self.items, found);
        }
        if self.chunks.iter().filter(|chunk| chunk.own.is_some()).count() <= FEW_CHUNKS {
            let all = self.items.len();
            for chunk in self.chunks {
                let Some(own) = chunk.own else { continue };
                // Those before it may be more or fewer by now.
                let start = self.items.len() - (all - chunk.range.start);
                found.push(start..start + own.len());
                self.items.splice(start..start + chunk.range.len(), own);
            }
            return (self.items, found);
        }
        let mut left = self.items.into_iter();
        let mut items = Vec::with_capacity(left.len() + 8);
        for chunk in self.chunks {
            let left = left.by_ref().take(chunk.range.len());
            let start = items.len();
            match chunk.own {
                None => items.extend(left),
                Some(own) => {
                    left.for_each(drop);
                    items.extend(own);
                    found.push(start..items.len());
                }
            }
        }
        (items, found)
    }

    /// Whether something is left out at its start, and at its end: what stands for that is the first item, and the last.
    fn left_at_ends(&self) -> [bool; 2] {
        let is_before = self.focus.first().is_some_and(|first| *first > 0);
        [is_before, self.focus.last().is_some_and(|last| last + 1 < self.chunks.len())]
    }
}

impl Mirror {
    /// Of the items of a sequence only this one is there, until [`Mirror::unite`]. `shows`: whether those before it, and
    /// behind it, show something. False, and nothing is done: it is not one of them.
    pub fn narrow(&mut self, seq: Nid, item: Nid, shows: [bool; 2]) -> bool {
        let items = &self.node(seq).items;
        let Some(at) = items.iter().position(|other| *other == Item::Node(item)) else { return false };
        let counts = [at, 1, items.len() - at - 1];
        self.divide(seq, counts);
        self.focus(&[1], |at| if shows[at / 2] { StandIn::Element } else { StandIn::Hidden });
        true
    }

    /// Cuts the items of a sequence in chunks of so many items. Until [`Mirror::unite`] it has only what is in focus.
    pub fn divide(&mut self, seq: Nid, chunks: impl IntoIterator<Item = usize>) {
        let items = std::mem::take(&mut self.nodes[seq as usize].items);
        self.divided.push(DividedSequence::new(seq, items, chunks));
    }

    /// Only these chunks of the sequence that was divided last are there, in order, none beside another. What stands for those
    /// between are elements with the ids [`Id::of_left_out`], counted from the first sequence on.
    pub fn focus(&mut self, focus: &[usize], stand_in: impl Fn(usize) -> StandIn) {
        self.blur();
        let Some(mut divided) = self.divided.pop() else { return };
        let mut items = Vec::new();
        let mut left: Option<LeftStretch> = None;
        let mut focused = focus.iter().peekable();
        for at in 0..divided.chunks.len() {
            if focused.next_if_eq(&&at).is_some() {
                if let Some(stretch) = left.take() {
                    items.push(self.stand_in(divided.seq, &stretch, &mut divided.stand_ins));
                }
                items.append(divided.own(at));
            } else {
                self.leave_out(left.get_or_insert_default(), &divided, (at, stand_in(at)));
            }
        }
        if let Some(stretch) = left {
            items.push(self.stand_in(divided.seq, &stretch, &mut divided.stand_ins));
        }
        divided.focus = focus.to_vec();
        self.nodes[divided.seq as usize].items = items;
        self.divided.push(divided);
    }

    /// To be called when all is in focus that is to be: what there is from now on.
    pub fn look_around(&mut self) {
        self.alive.clear();
        let mut todo = vec![ROOT];
        while let Some(node) = todo.pop() {
            self.alive.insert(node);
            let items = self.nodes[node as usize].items.iter();
            todo.extend(items.filter_map(|item| match item {
                Item::Node(node) | Item::Left { node, .. } => Some(*node),
                Item::Text(_) | Item::Foreign => None,
            }));
        }
    }

    /// Of each item of the sequence that was divided last, the chunk that it is in; none for what stands for others.
    pub fn in_focus(&self) -> Vec<Option<usize>> {
        let Some(divided) = self.divided.last() else { return Vec::new() };
        let items = &self.node(divided.seq).items;
        let (focus, [before, behind]) = (&divided.focus, divided.left_at_ends());
        let all = items.iter().filter(|item| matches!(item, Item::Left { .. })).count();
        let mut left: usize = 0;
        let chunk = |item: &Item| match item {
            Item::Left { .. } => {
                left += 1;
                None
            }
            _ if before && left == 0 => Some(0),
            _ if behind && left == all => divided.chunks.len().checked_sub(1),
            _ => focus.get(left - usize::from(before)).copied(),
        };
        items.iter().map(chunk).collect()
    }

    /// Whether nothing was put in before what is left out at the start of that sequence, or behind what is left out at its end.
    pub fn keeps_to_focus(&self) -> bool {
        let Some(divided) = self.divided.last() else { return true };
        let (items, [before, behind]) = (&self.node(divided.seq).items, divided.left_at_ends());
        let is_left = |item: Option<&Item>| matches!(item, Some(Item::Left { .. }));
        (!before || is_left(items.first())) && (!behind || is_left(items.last()))
    }

    /// Nothing is in focus of the sequence that was divided last: what is written in chunks is theirs.
    pub fn blur(&mut self) {
        let at = self.in_focus();
        let Some(mut divided) = self.divided.pop() else { return };
        let items = std::mem::take(&mut self.nodes[divided.seq as usize].items);
        let [before, _] = divided.left_at_ends();
        let mut touched = std::mem::take(&mut divided.focus);
        let mut first = Vec::new();
        for (item, at) in items.into_iter().zip(at) {
            let Some(at) = at else { continue };
            match at {
                0 if before => first.push(item),
                _ => divided.own(at).push(item),
            }
            touched.push(at);
        }
        if !first.is_empty() {
            divided.own(0).splice(0..0, first);
        }
        touched.sort_unstable();
        touched.dedup();
        for at in touched {
            divided.chunks[at].len = divided.own(at).iter().map(Item::len).sum();
        }
        for stand in std::mem::take(&mut divided.stand_ins) {
            self.forget(stand.node);
        }
        self.divided.push(divided);
    }

    /// All sequences have all their items again.
    pub fn unite(&mut self) {
        while !self.divided.is_empty() {
            self.blur();
            let Some(divided) = self.divided.pop() else { return };
            let seq = divided.seq;
            let (items, found) = divided.unite();
            let nodes = found.into_iter().flat_map(|range| range.clone().zip(&items[range]));
            nodes.filter_map(|(at, item)| Some((item.node()?, at))).for_each(|(node, at)| self.stands_at(node, at));
            self.nodes[seq as usize].items = items;
        }
    }

    /// The id of the first or last of what is left out, for which this stands.
    pub fn edge_left_out(&self, node: Nid, is_last: bool) -> Option<Id> {
        let mut stand_ins = self.divided.iter().flat_map(|divided| &divided.stand_ins);
        let stand = stand_ins.find(|stand| stand.node == node)?;
        if is_last { stand.last } else { stand.first }
    }

    fn leave_out(&self, stretch: &mut LeftStretch, divided: &DividedSequence, (at, stand_in): (usize, StandIn)) {
        let edge = |item: Option<&Item>, is_last: bool| match item? {
            Item::Text(run) if is_last => Some(run.id.plus(run.len - 1)),
            Item::Text(run) => Some(run.id),
            item => item.node().map(|node| self.id(node)),
        };
        let items = divided.chunk(at);
        stretch.len += divided.chunks[at].len;
        if !matches!(stand_in, StandIn::Hidden) {
            stretch.stand_in = stand_in;
        }
        stretch.first = stretch.first.or_else(|| edge(items.first(), false));
        stretch.last = edge(items.last(), true).or(stretch.last);
    }

    fn stand_in(&mut self, seq: Nid, stretch: &LeftStretch, own: &mut Vec<Stand>) -> Item {
        let LeftStretch { len, first, last, .. } = *stretch;
        let shows = !matches!(stretch.stand_in, StandIn::Hidden);
        let others = self.divided.iter().flat_map(|divided| &divided.stand_ins).chain(&*own);
        let (shown, all) = others.fold((0, 0), |(shown, all), stand| (shown + u32::from(stand.shows), all + 1));
        let id = Id::of_left_out(if shows { shown } else { u32::MAX - all });
        let branch = self.node(seq).branch.clone();
        let node = self.add(branch, id, seq, Formats::default());
        let says = Some((false, true));
        self.nodes[node as usize].registers = match &stretch.stand_in {
            StandIn::Hidden => Registers { kind: Kind::Unknown, says, ..Registers::default() },
            StandIn::Element => Registers { kind: Kind::Strand, says, ..Registers::default() },
            StandIn::Piece(props) => {
                Registers { kind: Kind::Break, keep: true, own: props.clone(), ..Registers::default() }
            }
        };
        own.push(Stand { node, shows, first, last });
        Item::Left { node, len }
    }
}
