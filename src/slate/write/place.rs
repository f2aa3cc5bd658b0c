//! Everything to its place: first the elements, then the text; what stands beside an element that has yet to go is shown in
//! it.
//!
//! Each step brings one element closer to what it has to show. Steps that follow each other in one element are made at once:
//! new elements (written with all that is in them), elements that come from elsewhere, text.

use std::collections::HashMap;
use std::ops::Range;

use super::draft::{Draft, inside};
use super::gap::Units;
use super::join::open_end;
use super::keys::{Keys, Showing};
use super::order::in_order;
use super::work::{TOP, Want, Wanted, WorkId};
use crate::slate::view::{Cursor, Kid, PieceId};
use crate::slate::ydoc::{Formats, Id, Item, Kind, Nid, ROOT};

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
    /// How often an element, or text from this character on, was put to its place.
    pub(super) tries: HashMap<Id, u32>,
    /// How often text of a leaf was written again because it was not shown there.
    pub(super) hopeless: HashMap<(WorkId, usize), u32>,
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
        Self { draft, keys, texts, changed: false, tries: HashMap::new(), hopeless: HashMap::new() }
    }

    pub fn run(mut self) {
        for _ in 0..if self.texts { MAX_STEPS } else { MAX_PASSES } {
            self.changed = false;
            self.arrange(TOP);
            self.draft.see();
            if !self.changed {
                break;
            }
        }
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
            self.arrange(kid);
        }
    }

    /// False if there is nothing to do in this element.
    fn step(&mut self, at: WorkId) -> bool {
        let Some(mut piece) = self.draft.piece(at) else { return false };
        if self.draft.refresh(piece) {
            match self.draft.piece(at) {
                Some(now) => piece = now,
                None => return false,
            }
        }
        if self.agrees(at, piece) {
            return false;
        }
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
        let mut has: Vec<(Id, u32)> = Vec::new();
        for kid in &self.draft.view.piece(piece).kids {
            match kid {
                Kid::Piece(kid) => has.push((mirror.id(self.draft.view.piece(*kid).head), 0)),
                Kid::Text { item, at } => match mirror.node(at.seq).items.get(*item as usize) {
                    Some(Item::Text(run)) => extend(&mut has, run.id, run.len),
                    _ => return false,
                },
                Kid::Cursor(_) => {}
            }
        }
        let mut wants: Vec<(Id, u32)> = Vec::new();
        for want in self.draft.work.wanted(at) {
            match (want.id, &want.what) {
                (None, _) => return false,
                (Some(id), Want::Element(_)) => wants.push((id, 0)),
                (Some(id), Want::Text { len, .. }) => extend(&mut wants, id, *len),
            }
        }
        has == wants
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
        for at in group.filter_map(|at| sides.want[sides.atoms[at].of].element()) {
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
        for want in self.draft.work.wanted(at) {
            let index = self.draft.mirror().length(strand);
            let cursor = Cursor { seq: strand, index, frame: 0, piece: 0, held: false, props: 0 };
            match &want.what {
                Want::Element(kid) => {
                    let made = self.draft.make_strand(cursor, *kid, false);
                    self.fill(made, *kid);
                }
                Want::Text { text, marks, at, .. } => {
                    let look = Showing { marks: Some(marks), around: &want.around };
                    let formats = self.keys.changes(self.draft, &Formats::default(), &look);
                    self.draft.write_text(cursor, text, &formats, *at);
                }
            }
        }
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

fn extend(spans: &mut Vec<(Id, u32)>, id: Id, len: u32) {
    match spans.last_mut() {
        Some((start, before)) if *before > 0 && start.plus(*before) == id => *before += len,
        _ => spans.push((id, len)),
    }
}
