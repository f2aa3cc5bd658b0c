//! Everything to its place: first the elements, then the text; what stands beside an element that has yet to go is shown in
//! it.
//!
//! Each step brings one element closer to what it has to show. Steps that follow each other in one element are made at once:
//! new elements (written with all that is in them), elements that come from elsewhere, text.

use std::ops::Range;

use super::draft::{Draft, inside};
use super::gap::Units;
use super::join::open_end;
use super::keys::{Keys, Showing};
use super::order::in_order;
use super::work::{TOP, Want, Wanted, WorkId};
use crate::slate::view::{Cursor, Kid, PieceId};
use crate::slate::ydoc::{Formats, Id, Item, Kind, Nid, QuickMap, ROOT};

/// Weights in the order that stays: what was moved gives way, until it has been placed. What comes along with it is moved then.
const PLACED: u64 = 10_000;
const CONTENT: u64 = 19;
const MOVED: u64 = 10;
/// Of what stands for many that are left out.
const LEFT_OUT: u64 = 1 << 40;
/// So many steps in one element; what is not done by then is written again whole.
const MAX_STEPS: usize = 400;
const MAX_PASSES: usize = 20;
/// So deep are gaps in gaps.
pub(super) const MAX_GAPS: usize = 64;
/// So often an element is put where it should be shown.
const MAX_TRIES: u32 = 3;

pub(super) struct Placer<'g, 'f, 'w, 'd> {
    pub draft: &'g mut Draft<'f, 'w, 'd>,
    pub keys: &'g mut Keys,
    pub texts: bool,
    changed: bool,
    /// Whether in this pass any element did not show what is wanted.
    is_open: bool,
    /// Which pass it is; those for text come behind those for elements.
    pass: usize,
    /// How often an element, or text from this character on, was put to its place.
    pub(super) tries: QuickMap<Id, u32>,
    /// How often text of a leaf was written again because it was not shown there.
    pub(super) hopeless: QuickMap<(WorkId, usize), u32>,
}

/// One thing that is wanted: a character, or an element.
pub(super) struct Atom {
    pub id: Option<Id>,
    /// Which of the wanted, and at which offset in its text.
    pub of: usize,
    pub offset: u32,
    pub len: u32,
}

/// What an element has and wants, side by side.
pub(super) struct Sides {
    pub piece: PieceId,
    pub units: Units,
    pub want: Vec<Wanted>,
    pub atoms: Vec<Atom>,
    /// Of each atom, whether it is there and stays where it is.
    pub stays: Vec<bool>,
}

impl<'g, 'f, 'w, 'd> Placer<'g, 'f, 'w, 'd> {
    pub fn new(draft: &'g mut Draft<'f, 'w, 'd>, keys: &'g mut Keys, texts: bool) -> Self {
        let pass = if texts { MAX_PASSES } else { 0 };
        Self {
            draft,
            keys,
            texts,
            changed: false,
            is_open: false,
            pass,
            tries: QuickMap::default(),
            hopeless: QuickMap::default(),
        }
    }

    /// Whether all elements show what is wanted now, text and all.
    pub fn run(mut self) -> bool {
        for _ in 0..if self.texts { MAX_STEPS } else { MAX_PASSES } {
            self.pass += 1;
            (self.changed, self.is_open) = (false, false);
            self.arrange(TOP);
            self.draft.see();
            if !self.changed {
                return !self.is_open;
            }
        }
        false
    }

    fn arrange(&mut self, at: WorkId) {
        for _ in 0..MAX_STEPS {
            if !self.step(at) {
                break;
            }
            self.changed = true;
            if self.draft.is_touched() {
                // Text was written. What more there is to do here comes with the next view, in the next pass.
                break;
            }
        }
        for kid in self.draft.work.elements(at) {
            // What was written in this pass with all that is in it is looked at in the next one.
            if self.draft.work.node(kid).filled != self.pass {
                self.arrange(kid);
            }
        }
    }

    /// False if there is nothing to do in this element.
    fn step(&mut self, at: WorkId) -> bool {
        let mut piece = self.draft.piece(at);
        if piece.is_some_and(|piece| self.draft.refresh(piece)) {
            piece = self.draft.piece(at);
        }
        if piece.is_some_and(|piece| self.agrees(at, piece)) {
            return false;
        }
        self.is_open = true;
        let Some(piece) = piece else { return false };
        let sides = self.sides(at, piece);
        let is_element = |at: usize| sides.want[sides.atoms[at].of].element().is_some();
        let is_open = |at: &usize| {
            let is_hopeless = match is_element(*at) {
                true => sides.atoms[*at].id.is_some_and(|id| self.tries.get(&id) > Some(&MAX_TRIES)),
                false => self.is_hopeless(&sides, *at),
            };
            !sides.stays[*at] && (self.texts || is_element(*at)) && !is_hopeless
        };
        let first = (0..sides.atoms.len()).find(is_open);
        match first {
            Some(first) if is_element(first) => {
                self.write_elements(&sides, first);
                self.draft.see();
                true
            }
            Some(first) => self.write_text(&sides, first),
            None => self.texts && self.erase_stale(&sides),
        }
    }

    /// Whether what is shown is what is wanted, formats apart.
    fn agrees(&self, at: WorkId, piece: PieceId) -> bool {
        let mirror = self.draft.mirror();
        let mut wanted = ShownRest { kids: &self.draft.view.piece(piece).kids, rest: None };
        let mut next = |len: u32| {
            wanted.next(len, |kid| match kid {
                Kid::Piece(kid) => Some((mirror.id(self.draft.view.piece(*kid).head), 0)),
                Kid::Text { item, at } => match mirror.node(at.seq).items.get(*item as usize) {
                    Some(Item::Text(run)) => Some((run.id, run.len)),
                    _ => None,
                },
                Kid::Cursor(_) => None,
            })
        };
        self.draft.work.each_wanted(at, &mut |id, len| {
            let Some(id) = id else { return false };
            let mut from = 0;
            loop {
                match next(len - from) {
                    Some((other, count)) if other == id.plus(from) && (count > 0) == (len > 0) => from += count,
                    _ => return false,
                }
                if from == len {
                    return true;
                }
            }
        }) && next(0).is_none()
    }

    fn sides(&self, at: WorkId, piece: PieceId) -> Sides {
        let units = self.draft.units(piece);
        let want = self.draft.work.wanted(at);
        let mut atoms = Vec::new();
        for (of, want) in want.iter().enumerate() {
            let Want::Text { text, .. } = &want.what else {
                atoms.push(Atom { id: want.id, of, offset: 0, len: 0 });
                continue;
            };
            let mut offset = 0;
            for char in text.chars() {
                let len = char.len_utf16() as u32;
                atoms.push(Atom { id: want.id.map(|id| id.plus(offset)), of, offset, len });
                offset += len;
            }
        }
        let weight = |atom: &Atom| match want[atom.of].element().map(|at| self.draft.work.node(at)) {
            Some(node) if node.head.and_then(Id::left_out).is_some() => LEFT_OUT,
            Some(node) if node.placed => PLACED,
            Some(node) if node.moved => MOVED,
            _ => CONTENT,
        };
        let have: Vec<Id> = units.list.iter().map(|unit| unit.id).collect();
        let weighed: Vec<(Option<Id>, u64)> = atoms.iter().map(|atom| (atom.id, weight(atom))).collect();
        let stays = in_order(&have, &weighed);
        Sides { piece, units, want, atoms, stays }
    }

    // --- elements

    /// Those that are missing from this atom on, up to the next that stays.
    fn write_elements(&mut self, sides: &Sides, first: usize) {
        let (from, to) = sides.between(first);
        let mut next: Option<Cursor> = None;
        let mut along: Vec<PieceId> = Vec::new();
        let group = (first..sides.atoms.len()).take_while(|at| !sides.stays[*at]);
        let group: Vec<WorkId> = group.filter_map(|at| sides.want[sides.atoms[at].of].element()).collect();
        let mut rest = group.as_slice();
        while let Some((&at, behind)) = rest.split_first() {
            rest = behind;
            let moved = self.draft.piece(at);
            if moved.is_some_and(|piece| along.contains(&piece)) {
                continue;
            }
            let bare = if moved.is_none() { self.bare_text(sides.piece, at) } else { None };
            if bare.is_some() && next.is_some() {
                return; // Another step's.
            }
            let behind = if moved.is_none() { self.behind_first(sides, from..to, at) } else { None };
            let until = behind.unwrap_or(to);
            let wraps = behind.and_then(|at| sides.units.right_behind(at));
            let cursor = match bare.or(next).or(wraps).or_else(|| sides.units.for_element(from, until)) {
                Some(cursor) => cursor,
                None if self.split(sides, to) || open_end(self.draft, sides.piece) => return,
                None => inside(self.draft.mirror(), &self.draft.view, sides.piece),
            };
            if next.is_none() && self.lift(sides, to, cursor) {
                return;
            }
            let made = match moved {
                Some(piece) => {
                    *self.draft.work.node(at).head.map(|id| self.tries.entry(id).or_insert(0)).unwrap_or(&mut 0) += 1;
                    self.draft.work.nodes[at].placed = true;
                    let marker = self.draft.place(cursor);
                    along = self.draft.along(piece, at);
                    self.draft.register_with(piece, marker, &along);
                    marker
                }
                None if bare.is_none() && self.draft.writer.is_bare(cursor.seq, cursor.index) => {
                    let more = rest.iter().take_while(|at| self.draft.work.is_all_new(**at)).count();
                    let (row, behind) = rest.split_at(more);
                    rest = behind;
                    self.make_row(cursor, at, row)
                }
                None => self.make(cursor, at, bare.is_some()),
            };
            if bare.is_some() {
                return;
            }
            next = Some(self.draft.beside(made, true, cursor));
        }
    }

    /// A new container of several stands behind the first of them, not behind the last: there others put in what follows, and of two
    /// at one place the client ids say which comes first.
    fn behind_first(&self, sides: &Sides, mut between: Range<usize>, at: WorkId) -> Option<usize> {
        let first = self.draft.work.first_element(at)?;
        let at = between.find(|unit| sides.units.list[*unit].id == first)? + 1;
        Some(at).filter(|at| sides.units.has_own(*at))
    }

    fn make(&mut self, cursor: Cursor, at: WorkId, is_bare: bool) -> Nid {
        let strand = self.draft.make_strand(cursor, at, is_bare);
        if !is_bare && !self.draft.work.has_old(at) {
            self.fill(strand, at);
        }
        strand
    }

    /// All that is in a new element is new as well: it is written as it is.
    fn fill(&mut self, strand: Nid, at: WorkId) {
        self.draft.work.nodes[at].filled = self.pass;
        let wanted = self.draft.work.wanted(at);
        let (mut rest, mut index) = (wanted.as_slice(), 0);
        while let Some((want, behind)) = rest.split_first() {
            rest = behind;
            let cursor = Cursor { seq: strand, index, frame: 0, piece: 0, held: false, props: 0 };
            match &want.what {
                Want::Element(first) => {
                    let more: Vec<WorkId> = rest.iter().map_while(Wanted::element).collect();
                    let is_row = self.draft.writer.is_bare(strand, index);
                    let more = if is_row { more.as_slice() } else { &[] };
                    rest = &rest[more.len()..];
                    index += 1 + more.len() as u32;
                    self.make_row(cursor, *first, more);
                }
                Want::Text { text, len, marks, at } => {
                    let look = Showing { marks: Some(marks), around: &want.around };
                    let formats = self.keys.changes(self.draft, &Formats::default(), &look);
                    self.draft.write_text(cursor, text, &formats, *at);
                    index += len;
                }
            }
        }
    }

    /// What is new, with others behind it in which all is new. Returns the last.
    fn make_row(&mut self, cursor: Cursor, first: WorkId, behind: &[WorkId]) -> Nid {
        let Some(last) = behind.len().checked_sub(1) else { return self.make(cursor, first, false) };
        let all: Vec<WorkId> = [first].into_iter().chain(behind.iter().copied()).collect();
        let strands = self.draft.make_strands(cursor, &all);
        for (strand, at) in strands.iter().zip(&all) {
            if !self.draft.work.has_old(*at) {
                self.fill(*strand, *at);
            }
        }
        strands[last + 1]
    }

    /// A new element around text that stands bare in this piece: an open strand before that text holds it. Nothing is copied.
    fn bare_text(&mut self, piece: PieceId, at: WorkId) -> Option<Cursor> {
        let first = self.draft.work.wanted(at).into_iter().next()?;
        let id = first.id.filter(|_| first.element().is_none())?;
        let (cursor, _) = self.draft.place_of(id)?;
        let view = &self.draft.view;
        let mut holder = cursor.piece;
        while view.piece(holder).spill {
            holder = view.piece(holder).up;
        }
        (holder == piece && self.draft.mirror().kind(cursor.seq) == Kind::Strand).then_some(cursor)
    }

    /// Two that stand at one place have no gap between: those behind get places of their own.
    pub(super) fn split(&mut self, sides: &Sides, at: usize) -> bool {
        let gap = sides.units.gaps.iter().skip(at).find(|gap| !gap.is_empty());
        let (Some(cursor), Some(piece)) =
            (gap.and_then(|gap| gap.last()), sides.units.list.get(at).and_then(|unit| unit.piece()))
        else {
            return false;
        };
        let marker = self.draft.place(*cursor);
        self.draft.register(piece, marker);
        true
    }

    /// Gaps nest when somebody divides a line, puts one between the halves, divides that one, and so on. From some depth on
    /// the second half gets a place further out, and so does what comes before it.
    fn lift(&mut self, sides: &Sides, at: usize, cursor: Cursor) -> bool {
        let depth = self.gaps_around(cursor.seq);
        let piece = sides.units.list.get(at).and_then(|unit| unit.piece());
        let (Some(piece), Some(gap)) = (piece.filter(|_| depth >= MAX_GAPS), sides.units.gaps.get(at + 1)) else {
            return false;
        };
        let outer = gap.iter().find(|cursor| self.gaps_around(cursor.seq) < depth).copied();
        let Some(outer) = outer else { return false };
        let marker = self.draft.place(outer);
        self.draft.register(piece, marker);
        true
    }

    fn gaps_around(&self, mut seq: Nid) -> usize {
        let mirror = self.draft.mirror();
        let mut count = 0;
        while seq != ROOT {
            count += usize::from(mirror.kind(seq) == Kind::Break);
            seq = mirror.node(seq).up;
        }
        count
    }
}

impl Sides {
    /// Between which units the atom has to come: behind the last before it that stays, and before the first behind it.
    pub fn between(&self, at: usize) -> (usize, usize) {
        let id = |at: usize| self.atoms[at].id.filter(|_| self.stays[at]);
        let before = (0..at).rev().find_map(id);
        let behind = (at..self.atoms.len()).find_map(id);
        let from = before.and_then(|id| self.units.position(id)).map_or(0, |at| at + 1);
        let to = behind.and_then(|id| self.units.position(id)).unwrap_or(self.units.list.len());
        (from, to)
    }
}

/// What an element shows, one after the other.
struct ShownRest<'a> {
    kids: &'a [Kid],
    /// Of the text that is under way.
    rest: Option<(Id, u32)>,
}

impl ShownRest<'_> {
    /// An element, or so many characters at most.
    fn next(&mut self, most: u32, read: impl Fn(&Kid) -> Option<(Id, u32)>) -> Option<(Id, u32)> {
        while self.rest.is_none() {
            let (kid, rest) = self.kids.split_first()?;
            self.kids = rest;
            if !matches!(kid, Kid::Cursor(_)) {
                // What cannot be read is nothing that is wanted.
                self.rest = Some(read(kid).unwrap_or((Id::ROOT, 0)));
            }
        }
        let (id, len) = self.rest.take()?;
        let count = len.min(most);
        self.rest = (count < len).then(|| (id.plus(count), len - count));
        Some((id, count))
    }
}
