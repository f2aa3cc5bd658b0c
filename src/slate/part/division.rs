//! [`Division`]: a document on the way from one state to the next, segment by segment.

use std::ops::Range;
use std::rc::Rc;

use super::fixed::Fixed;
use super::groups::groups;
use super::outline::{ItemRow, RootOutline, close, rows};
use super::segments::{ChunkOfRows, Segment};
use super::widen;
use crate::slate::op::Op;
use crate::slate::view::tree::{Element, Kid, Leaf, NodeId};
use crate::slate::view::{Schema, View};
use crate::slate::ydoc::{Id, Item, Mirror, Nid, QuickSet, ROOT};

/// One thing at the top of a group.
#[derive(Debug, Clone, Copy, PartialEq)]
enum TopSlot {
    Segment(usize),
    /// Stands for so many.
    Left(u32),
}

/// See the module.
#[derive(Debug)]
pub struct Division {
    outline: RootOutline,
    chunks: Vec<ChunkOfRows>,
    segments: Vec<Segment>,
    groups: Vec<Vec<usize>>,
}

/// What is worked on at a time.
#[derive(Debug)]
pub struct SegmentGroup {
    slots: Vec<TopSlot>,
    focus: Vec<usize>,
    /// Its elements before, and those of an editor, if there is one, as kids of a root.
    pub old: Rc<Element>,
    pub after: Rc<Element>,
}

impl RootOutline {
    /// The parts that an editor's change concerns: what it changed, and what stands beside that. `tied`: elements that are to
    /// be in one part. `None`: all of the document.
    pub fn divide_edit(
        self,
        mirror: &Mirror,
        before: &[Kid],
        after: &[Kid],
        tied: &[(NodeId, NodeId)],
    ) -> Option<Division> {
        let fixed = Fixed::of(before, after);
        let inside = close(self.owners(&fixed.touched()), &self.links)?;
        let mut division = Division::new(self, mirror, before, &inside)?;
        division.distribute(after, &fixed)?;
        division.groups = groups(&division.outline, &division.chunks, &division.segments, tied);
        Some(division)
    }

    /// The part that a change of the document concerns. `touched`: the nodes that changed. `None`: all of the document.
    pub fn divide_change(self, mirror: &Mirror, before: &[Kid], touched: &QuickSet<Nid>) -> Option<Division> {
        let mut inside: QuickSet<Nid> =
            touched.iter().filter(|node| **node != ROOT).map(|node| mirror.top(*node)).collect();
        if touched.contains(&ROOT) {
            self.add_replaced(mirror, &mut inside);
        }
        // What was linked before was shown elsewhere, perhaps.
        let mut links = mirror.links();
        links.extend_from_slice(&self.links);
        let inside = close(inside, &links)?;
        Division::new(self, mirror, before, &inside)
    }
}

impl Division {
    /// In one group. `None`: all of the document is inside, or nothing.
    fn new(outline: RootOutline, mirror: &Mirror, before: &[Kid], inside: &QuickSet<Nid>) -> Option<Self> {
        let chunks = cut(&outline, mirror.node(ROOT).items.iter().map(Item::node), inside)?;
        let mut division = Self { outline, chunks, segments: Vec::new(), groups: Vec::new() };
        division.fill(before)?;
        division.groups = vec![(0..division.segments.len()).collect()];
        Some(division)
    }

    /// Gives each segment what was shown of it.
    fn fill(&mut self, before: &[Kid]) -> Option<()> {
        let outline = &self.outline;
        (before.len() == outline.shown()).then_some(())?;
        let mut is_open = false;
        for chunk in &mut self.chunks {
            let kids = outline.starts[chunk.rows.start] as usize..outline.starts[chunk.rows.end] as usize;
            if chunk.segment.is_none() {
                is_open &= kids.is_empty();
                chunk.kids = kids;
                continue;
            }
            if !std::mem::replace(&mut is_open, true) {
                self.segments.push(Segment { kids: Vec::new(), after: Vec::new(), is_done: false });
            }
            chunk.segment = Some(self.segments.len() - 1);
            self.segments.last_mut()?.kids.extend_from_slice(before.get(kids)?);
        }
        let is_divided = self.chunks.iter().any(|chunk| chunk.segment.is_none());
        (is_divided && !self.segments.is_empty()).then_some(())
    }

    /// Gives each segment what an editor shows of it.
    fn distribute(&mut self, after: &[Kid], fixed: &Fixed) -> Option<()> {
        let (mut at, mut open) = (0, None);
        let mut given: Vec<(Option<usize>, Range<usize>)> = Vec::new();
        for chunk in &self.chunks {
            if let Some(segment) = chunk.segment {
                open = Some(segment);
            } else if !chunk.kids.is_empty() {
                let start = at;
                while fixed.before(at) != Some(chunk.kids.start) {
                    at += 1;
                    if at >= after.len() {
                        return None;
                    }
                }
                given.push((open.take(), start..at));
                at += chunk.kids.len();
                if fixed.before(at - 1) != Some(chunk.kids.end - 1) {
                    return None;
                }
            }
        }
        given.push((open, at..after.len()));
        for (segment, kids) in given {
            match segment {
                Some(segment) => self.segments[segment].after = after.get(kids)?.to_vec(),
                None if kids.is_empty() => {}
                None => return None,
            }
        }
        Some(())
    }

    /// How many groups there are.
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// To be called before the first group is looked at.
    pub fn begin(&self, mirror: &mut Mirror) {
        mirror.divide(self.chunks.iter().map(|chunk| chunk.items));
    }

    /// From now on the document is this group alone, up to the next one, or [`Division::end`].
    pub fn enter(&self, group: usize, mirror: &mut Mirror) -> SegmentGroup {
        let segments = &self.groups[group];
        let (mut slots, mut focus, mut left) = (Vec::new(), Vec::new(), 0);
        for (at, chunk) in self.chunks.iter().enumerate() {
            let own = chunk.segment.filter(|segment| segments.binary_search(segment).is_ok());
            let Some(segment) = own else {
                left += chunk.shows;
                continue;
            };
            if left > 0 {
                slots.push(TopSlot::Left(std::mem::take(&mut left)));
            }
            if slots.last() != Some(&TopSlot::Segment(segment)) {
                slots.push(TopSlot::Segment(segment));
            }
            focus.push(at);
        }
        if left > 0 {
            slots.push(TopSlot::Left(left));
        }
        mirror.focus(&focus, |at| self.chunks[at].shows > 0);
        let root = |of: &dyn Fn(usize) -> Vec<Kid>| {
            let mut left = 0;
            let kids = slots.iter().flat_map(|slot| match slot {
                TopSlot::Segment(segment) => of(*segment),
                TopSlot::Left(_) => {
                    left += 1;
                    vec![stand_in(left - 1)]
                }
            });
            Rc::new(Element::root(kids.collect()))
        };
        let old = root(&|segment| self.segments[segment].kids.clone());
        let after = root(&|segment| self.segments[segment].after.clone());
        SegmentGroup { slots, focus, old, after }
    }

    /// What the group in focus shows now. False if it does not stand by itself any more, and all has to be looked at.
    pub fn leave(
        &mut self,
        group: &SegmentGroup,
        now: &Element,
        mirror: &Mirror,
        schema: &Schema,
        view: Option<&View>,
    ) -> bool {
        let is_taken = self.take(group, now).is_some();
        let found = view.and_then(|view| rows(mirror, schema, view));
        is_taken && found.is_some_and(|found| self.note(group, found, &mirror.in_focus()).is_some())
    }

    fn take(&mut self, group: &SegmentGroup, now: &Element) -> Option<()> {
        let mut kids = now.kids.iter().peekable();
        let (mut left, mut taken) = (0, Vec::new());
        for slot in &group.slots {
            match slot {
                TopSlot::Left(_) => {
                    kids.next_if(|kid| left_out(kid) == Some(left))?;
                    left += 1;
                }
                TopSlot::Segment(segment) => {
                    let own = std::iter::from_fn(|| kids.next_if(|kid| left_out(kid).is_none()));
                    taken.push((*segment, own.cloned().collect()));
                }
            }
        }
        if kids.next().is_some() {
            return None;
        }
        for (segment, kids) in taken {
            let segment = &mut self.segments[segment];
            (segment.kids, segment.is_done) = (kids, true);
        }
        Some(())
    }

    /// `chunks`: of each of the root's items now.
    fn note(&mut self, group: &SegmentGroup, found: Vec<ItemRow>, chunks: &[Option<usize>]) -> Option<()> {
        for at in &group.focus {
            let chunk = &mut self.chunks[*at];
            (chunk.shows, chunk.now) = (0, Vec::new());
        }
        for (row, at) in found.into_iter().zip(chunks) {
            if let Some(at) = at {
                let chunk = self.chunks.get_mut(*at)?;
                chunk.shows += row.shows;
                chunk.now.push(row);
            }
        }
        Some(())
    }

    /// All that is shown, with what an editor shows of segments whose turn did not come.
    pub fn all(&self, before: &[Kid]) -> Rc<Element> {
        let mut kids = Vec::with_capacity(before.len() + 8);
        let mut last = None;
        for chunk in &self.chunks {
            match chunk.segment {
                None => kids.extend_from_slice(&before[chunk.kids.clone()]),
                Some(at) if last == Some(at) => {}
                Some(at) => {
                    let segment = &self.segments[at];
                    kids.extend_from_slice(if segment.is_done { &segment.kids } else { &segment.after });
                    last = Some(at);
                }
            }
        }
        Rc::new(Element::root(kids))
    }

    /// The document is whole again. Returns its outline, if every group had its turn.
    pub fn end(self, mirror: &mut Mirror) -> RootOutline {
        mirror.unite();
        let mut rows = Vec::with_capacity(self.outline.rows.len() + 8);
        for chunk in &self.chunks {
            match chunk.segment {
                None => rows.extend_from_slice(&self.outline.rows[chunk.rows.clone()]),
                Some(_) => rows.extend_from_slice(&chunk.now),
            }
        }
        RootOutline::new(mirror, rows)
    }
}

impl SegmentGroup {
    /// Operations on the group, as it was before, as operations on the whole.
    pub fn widen(&self, mut ops: Vec<Op>) -> Vec<Op> {
        let mut left = self.slots.iter().filter_map(|slot| match slot {
            TopSlot::Left(count) => Some(*count),
            TopSlot::Segment(_) => None,
        });
        let size = |kid: &Kid| if left_out(kid).is_some() { left.next().unwrap_or(1) } else { 1 };
        widen::widen(&mut ops, self.old.kids.iter().map(size).collect());
        ops
    }
}

/// The root's items, now and of the outline, in chunks; `None`: what is not inside is not the same.
fn cut(
    outline: &RootOutline,
    items: impl Iterator<Item = Option<Nid>>,
    inside: &QuickSet<Nid>,
) -> Option<Vec<ChunkOfRows>> {
    let mut is_inside: Vec<bool> = Vec::new();
    for node in inside {
        let at = *node as usize;
        is_inside.resize(is_inside.len().max(at + 1), false);
        is_inside[at] = true;
    }
    let is_inside = |node: Nid| is_inside.get(node as usize).copied().unwrap_or_default();
    let mut chunks: Vec<ChunkOfRows> = Vec::new();
    let mut at = 0;
    let mut open = |segment: bool, at: usize| -> usize {
        if chunks.last().is_none_or(|last| last.segment.is_some() != segment) {
            let segment = segment.then_some(usize::MAX);
            chunks.push(ChunkOfRows { items: 0, rows: at..at, segment, kids: 0..0, shows: 0, now: Vec::new() });
        }
        chunks.len() - 1
    };
    let mut found: Vec<(usize, usize, usize, u32)> = Vec::new();
    for item in items {
        while let Some(row) = outline.rows.get(at).filter(|row| is_inside(row.node)) {
            found.push((open(true, at), 0, 1, row.shows));
            at += 1;
        }
        let node = item?;
        if is_inside(node) {
            found.push((open(true, at), 1, 0, 0));
            continue;
        }
        let row = outline.rows.get(at).filter(|row| row.node == node)?;
        found.push((open(false, at), 1, 1, row.shows));
        at += 1;
    }
    while let Some(row) = outline.rows.get(at) {
        is_inside(row.node).then_some(())?;
        found.push((open(true, at), 0, 1, row.shows));
        at += 1;
    }
    for (chunk, items, rows, shows) in found {
        let chunk = &mut chunks[chunk];
        chunk.items += items;
        chunk.rows.end += rows;
        chunk.shows += shows;
    }
    // Before what shows nothing at the start, and behind it at the end, something may be put in.
    let edge = |at: usize| ChunkOfRows {
        items: 0,
        rows: at..at,
        segment: Some(usize::MAX),
        kids: 0..0,
        shows: 0,
        now: Vec::new(),
    };
    let is_hidden =
        |chunk: Option<&ChunkOfRows>| chunk.is_some_and(|chunk| chunk.segment.is_none() && chunk.shows == 0);
    if is_hidden(chunks.first()) {
        chunks.insert(0, edge(0));
    }
    if is_hidden(chunks.last()) {
        chunks.push(edge(outline.rows.len()));
    }
    Some(chunks)
}

/// Stands for what is left out, as the view shows it.
fn stand_in(nth: u32) -> Kid {
    Kid::Element(Rc::new(Element {
        id: NodeId::Head(Id::of_left_out(nth)),
        props: Rc::default(),
        kids: vec![Kid::Leaf(Leaf::default())],
        inline: false,
        void: true,
    }))
}

fn left_out(kid: &Kid) -> Option<u32> {
    match kid {
        Kid::Element(element) => element.id.left_out(),
        Kid::Leaf(_) => None,
    }
}
