//! [`Division`]: a document on the way from one state to the next, segment by segment.

use std::ops::Range;
use std::rc::Rc;

use super::document::DocumentOutline;
use super::edited::EditedKids;
use super::fixed::Fixed;
use super::groups::groups;
use super::line::{self, ItemRun};
use super::outline::{SequenceOutline, rows};
use super::rows::ItemRow;
use super::segments::{ChunkOfRows, ChunksOfRows, Segment};
use super::way::{Way, left_out, stand_in};
use super::widen;
use crate::slate::value::node::Attrs;
use crate::slate::value::op::{Op, Path};
use crate::slate::view::tree::{Element, Kid, NodeId};
use crate::slate::view::{Schema, View};
use crate::slate::ydoc::{Mirror, Nid, QuickSet, ROOT, StandIn};

/// One thing at the top of a group.
#[derive(Debug, Clone, Copy, PartialEq)]
enum TopSlot {
    Segment(usize),
    /// Stands for so many.
    Left(u32),
}

/// What a sequence is divided in.
#[derive(Debug)]
pub(super) struct Parts {
    chunks: Vec<ChunkOfRows>,
    segments: Vec<Segment>,
    groups: Vec<Vec<usize>>,
}

/// See the module.
#[derive(Debug)]
pub struct Division {
    outlines: DocumentOutline,
    /// What is divided, and how it is reached.
    seq: Nid,
    way: Way,
    parts: Parts,
    /// Sequences of which an outline is wanted, and those that were made.
    wants: Vec<Nid>,
    found: Vec<SequenceOutline>,
}

/// What is worked on at a time.
#[derive(Debug)]
pub struct SegmentGroup {
    slots: Vec<TopSlot>,
    focus: Vec<usize>,
    /// Of what the slots showed before: how many elements each is.
    sizes: Vec<u32>,
    paths: (Vec<u32>, Vec<u32>),
    /// Its elements before, and those of an editor, if there is one, with what is around them up to a root.
    pub old: Rc<Element>,
    pub after: Rc<Element>,
}

impl Parts {
    /// In one group. `runs`: of a line in which others changed something. `None`: all of the sequence is inside, or nothing.
    pub fn new(
        outline: &SequenceOutline,
        mirror: &Mirror,
        before: &[Kid],
        inside: &QuickSet<Nid>,
        runs: Option<&[ItemRun]>,
    ) -> Option<Self> {
        let chunks = match runs {
            Some(runs) => cut(outline, runs.len(), |at| runs.get(at).map(|run| (run.node, run.items)), inside)?,
            None if outline.is_line => cut_line(outline, mirror, inside)?,
            None => {
                let items = &mirror.node(outline.seq).items;
                cut(outline, items.len(), |at| Some((items.get(at)?.node()?, 1)), inside)?
            }
        };
        let mut parts = Self { chunks, segments: Vec::new(), groups: Vec::new() };
        parts.fill(outline, before)?;
        parts.groups = vec![(0..parts.segments.len()).collect()];
        Some(parts)
    }

    /// Gives each segment what was shown of it.
    fn fill(&mut self, outline: &SequenceOutline, before: &[Kid]) -> Option<()> {
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
    pub fn distribute(&mut self, after: EditedKids, fixed: &Fixed) -> Option<()> {
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
                Some(segment) => self.segments[segment].after = after.slice(kids)?.to_vec(),
                None if kids.is_empty() => {}
                None => return None,
            }
        }
        Some(())
    }

    /// What stands for a chunk.
    fn stand_in(&self, outline: Option<&SequenceOutline>, at: usize) -> StandIn {
        let chunk = &self.chunks[at];
        let last =
            chunk.rows.end.checked_sub(1).and_then(|last| outline?.rows.get(last)).and_then(|row| row.piece.as_ref());
        match last {
            _ if chunk.shows == 0 => StandIn::Hidden,
            Some(piece) => StandIn::Piece(piece.props.clone()),
            None => StandIn::Element,
        }
    }

    /// The properties of what stands for the chunks of a line that are left out, where it is in one group.
    fn left_props(&self, outline: Option<&SequenceOutline>) -> Vec<Rc<Attrs>> {
        let left = (0..self.chunks.len()).filter(|at| self.chunks[*at].segment.is_none());
        let props = left.filter_map(|at| match self.stand_in(outline, at) {
            StandIn::Piece(props) => Some(props),
            StandIn::Element | StandIn::Hidden => None,
        });
        props.collect()
    }

    /// In groups of segments that have to do with each other.
    pub fn group(&mut self, outline: &SequenceOutline, tied: &[(NodeId, NodeId)]) {
        self.groups = groups(outline, &self.chunks, &self.segments, tied);
    }

    fn slots(&self, group: usize) -> (Vec<TopSlot>, Vec<usize>) {
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
        (slots, focus)
    }

    /// `kids`: what is shown of the group now, of which the first that is left out has this number.
    fn take(&mut self, group: &SegmentGroup, kids: &[Kid], first: u32) -> Option<()> {
        let mut kids = kids.iter().peekable();
        let (mut left, mut taken) = (first, Vec::new());
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

    /// `chunks`: of each item now.
    fn note(&mut self, group: &SegmentGroup, found: Vec<ItemRow>, chunks: &[Option<usize>]) -> Option<()> {
        for at in &group.focus {
            let chunk = &mut self.chunks[*at];
            (chunk.shows, chunk.now) = (0, Vec::new());
        }
        let mut item = 0;
        for row in found {
            // The first piece of a line may have nothing.
            let at = if row.items == 0 { group.focus.first() } else { chunks.get(item)?.as_ref() };
            item += row.items;
            if let Some(at) = at {
                let chunk = self.chunks.get_mut(*at)?;
                chunk.shows += row.shows;
                chunk.now.push(row);
            }
        }
        Some(())
    }

    /// Whether what is left out of a line inherits what it inherited.
    fn hand_on_the_same(&self, before: &SequenceOutline) -> bool {
        self.chunks.windows(2).filter(|pair| pair[0].segment.is_some()).all(|pair| {
            let last = pair[0].rows.clone().next_back().and_then(|last| before.rows.get(last));
            line::hand_on_the_same(last, pair[0].now.last())
        })
    }

    /// If there is but one segment: which of so many elements were its own, and what is shown of it.
    fn one(&self, all: usize) -> Option<(Range<usize>, Vec<Kid>)> {
        let [segment] = self.segments.as_slice() else { return None };
        let is_own = |chunk: &ChunkOfRows| chunk.segment.is_some();
        let (first, last) = (self.chunks.iter().position(is_own)?, self.chunks.iter().rposition(is_own)?);
        let start = first.checked_sub(1).map_or(0, |before| self.chunks[before].kids.end);
        let end = self.chunks.get(last + 1).map_or(all, |behind| behind.kids.start);
        Some((start..end, if segment.is_done { &segment.kids } else { &segment.after }.clone()))
    }

    /// All that is shown, with what an editor shows of segments whose turn did not come.
    fn all(&self, before: &[Kid]) -> Vec<Kid> {
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
        kids
    }
}

impl Division {
    pub(super) fn new(outlines: DocumentOutline, seq: Nid, way: Way, parts: Parts, wants: Vec<Nid>) -> Self {
        Self { outlines, seq, way, parts, wants, found: Vec::new() }
    }

    /// Sequences of which an outline is wanted if all has to be looked at.
    pub fn wants(&self) -> Vec<Nid> {
        let divided = Some(self.seq).filter(|seq| *seq != ROOT);
        self.wants.iter().copied().chain(divided).collect()
    }

    /// How many groups there are.
    pub fn len(&self) -> usize {
        self.parts.groups.len()
    }

    /// To be called before the first group is looked at. False: there is no way to what is divided.
    pub fn begin(&self, mirror: &mut Mirror) -> bool {
        let is_there = self.way.narrow(mirror);
        mirror.divide(self.seq, self.parts.chunks.iter().map(|chunk| chunk.items));
        is_there
    }

    /// From now on the document is this group alone, up to the next one, or [`Division::end`].
    pub fn enter(&self, group: usize, mirror: &mut Mirror) -> SegmentGroup {
        let (slots, focus) = self.parts.slots(group);
        mirror.focus(&focus, |at| self.parts.stand_in(self.outlines.get(self.seq), at));
        mirror.look_around();
        let first = self.way.left_out();
        let props = self.parts.left_props(self.outlines.get(self.seq));
        let root = |of: &dyn Fn(usize) -> Vec<Kid>| {
            let mut left = first;
            let kids = slots.iter().flat_map(|slot| match slot {
                TopSlot::Segment(segment) => of(*segment),
                TopSlot::Left(_) => {
                    left += 1;
                    vec![stand_in(left - 1, props.get((left - 1 - first) as usize).map(|props| &**props))]
                }
            });
            self.way.lead_to(kids.collect())
        };
        let segments = &self.parts.segments;
        let old = root(&|segment| segments[segment].kids.clone());
        let after = root(&|segment| segments[segment].after.clone());
        let sizes = slots.iter().flat_map(|slot| match slot {
            TopSlot::Segment(segment) => vec![1; segments[*segment].kids.len()],
            TopSlot::Left(count) => vec![*count],
        });
        let [before, behind] = self.way.beside();
        let (sizes, paths) = (before.into_iter().chain(sizes).chain(behind).collect(), self.way.paths());
        SegmentGroup { slots, focus, sizes, paths, old, after }
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
        let kids = self.way.follow(now);
        let is_taken = kids.and_then(|kids| self.parts.take(group, kids, self.way.left_out())).is_some();
        let Some(view) = view.filter(|_| is_taken) else { return false };
        for seq in &self.wants {
            if self.found.iter().all(|outline| outline.seq != *seq) {
                self.found.extend(SequenceOutline::of(mirror, schema, view, *seq));
            }
        }
        // What was put in beyond what is left out, at either end, is of no segment.
        let is_kept = self.way.is_kept(mirror) && mirror.keeps_to_focus();
        let Some(outline) = self.outlines.get(self.seq).filter(|_| is_kept) else { return false };
        let found = rows(mirror, schema, view, self.seq, outline.is_line);
        found.is_some_and(|found| self.parts.note(group, found, &mirror.in_focus()).is_some())
            && (!outline.is_line || self.parts.hand_on_the_same(outline))
    }

    /// Which of the elements at the top are others now, and what is shown in their place; what an editor shows of segments
    /// whose turn did not come.
    pub fn changed(&self, before: &Element) -> (Range<usize>, Vec<Kid>) {
        let kids = self.way.kids(before);
        let (range, now) = self.parts.one(kids.len()).unwrap_or_else(|| (0..kids.len(), self.parts.all(kids)));
        self.way.replace(range, now)
    }

    /// The document is whole again. Returns its outlines, if every group had its turn.
    pub fn end(self, mirror: &mut Mirror) -> DocumentOutline {
        mirror.unite();
        let Self { mut outlines, seq, parts, found, .. } = self;
        let mut focus = QuickSet::default();
        if let Some(outline) = outlines.get_mut(seq) {
            let looked_at = parts.chunks.into_iter().filter(|chunk| chunk.segment.is_some());
            let now: Vec<(Range<usize>, Vec<ItemRow>)> = looked_at.map(|chunk| (chunk.rows, chunk.now)).collect();
            focus.extend(now.iter().flat_map(|(_, rows)| rows).map(|row| row.node));
            outline.replace(mirror, now);
        }
        outlines.renew(mirror, seq, &focus, found);
        outlines
    }
}

impl SegmentGroup {
    /// Operations on the group, as it was before, as operations on the whole. `None`: one concerns what is around it.
    pub fn widen(&self, mut ops: Vec<Op>) -> Option<Vec<Op>> {
        let (own, whole) = &self.paths;
        for path in ops.iter_mut().flat_map(Op::paths_mut) {
            *path = Path::from_slice(path.strip_prefix(&own[..]).filter(|rest| !rest.is_empty())?);
        }
        widen::widen(&mut ops, self.sizes.clone());
        for path in ops.iter_mut().flat_map(Op::paths_mut) {
            *path = whole.iter().copied().chain(path.iter().copied()).collect();
        }
        Some(ops)
    }
}

/// The items of a line of which the outline is true, but that a piece may have more of them since.
fn cut_line(outline: &SequenceOutline, mirror: &Mirror, inside: &QuickSet<Nid>) -> Option<Vec<ChunkOfRows>> {
    let mut chunks = cut(outline, outline.rows.len(), |at| Some((outline.rows.get(at)?.node, 0)), inside)?;
    let start = |at: usize| match outline.rows.get(at) {
        None => Some(mirror.node(outline.seq).items.len()),
        Some(row) if row.node == outline.seq => Some(0),
        Some(row) => mirror.place(row.node),
    };
    for chunk in &mut chunks {
        chunk.items = start(chunk.rows.end)?.checked_sub(start(chunk.rows.start)?)?;
    }
    Some(chunks)
}

/// The items, so many, now and of the outline, in chunks; `None`: what is not inside is not the same.
fn cut(
    outline: &SequenceOutline,
    count: usize,
    item: impl Fn(usize) -> Option<(Nid, usize)>,
    inside: &QuickSet<Nid>,
) -> Option<Vec<ChunkOfRows>> {
    let rows = &outline.rows;
    let mut stops: Vec<usize> = inside.iter().filter_map(|node| outline.place(*node)).collect();
    stops.sort_unstable();
    let mut chunks = ChunksOfRows::default();
    let (mut next, mut at) = (0, 0);
    for stop in stops.into_iter().map(Some).chain([None]) {
        let end = stop.unwrap_or(rows.len());
        loop {
            let (first, mut items) = (at, 0);
            while at < end
                && let Some((node, count)) = item(next)
                && node == rows[at].node
            {
                (next, at, items) = (next + 1, at + 1, items + count);
            }
            if at > first {
                chunks.leave_out(items, first..at, outline.starts[at] - outline.starts[first]);
            }
            if if stop.is_some() { at == end } else { next == count } {
                break;
            }
            // It came, or its row was before.
            let (node, items) = item(next)?;
            inside.contains(&node).then_some(())?;
            chunks.add(items, None);
            next += 1;
        }
        if let Some(row) = stop.and_then(|at| rows.get(at)) {
            chunks.add(0, Some(row.shows));
            at += 1;
        }
    }
    (at == rows.len()).then_some(())?;
    let mut chunks = chunks.end();
    // Before what shows nothing at the start, and behind it at the end, something may be put in.
    let edge = |at: usize| ChunkOfRows::new(true, at);
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
