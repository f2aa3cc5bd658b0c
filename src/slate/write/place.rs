//! Everything to its place: first the elements, then the text; what stands beside an element that has yet to go is shown in
//! it.
//!
//! Each step brings one element closer to what it has to show. Steps that follow each other in one element are made at once:
//! new elements (written with all that is in them), elements that come from elsewhere, text.

use super::draft::{Attributes, Draft, inside};
use super::gap::Units;
use super::join::open_end;
use super::keys::{Keys, Look, is_shown};
use super::moving;
use super::order::in_order;
use super::work::{LeafOffset, TOP, Want, Wanted, WorkId};
use crate::slate::view::{Cursor, Kid, PieceId};
use crate::slate::ydoc::{Formats, Id, Item, Kind, Nid};

/// Weights in the order that stays: what was moved gives way, until it has been placed. What comes along with it is moved then.
const PLACED: u64 = 10_000;
const CONTENT: u64 = 19;
const MOVED: u64 = 10;
/// So many steps in one element; what is not done by then is written again whole.
const MAX_STEPS: usize = 400;
const MAX_PASSES: usize = 20;

pub(super) struct Placer<'g, 'f, 'w, 'd> {
    pub draft: &'g mut Draft<'f, 'w, 'd>,
    pub keys: &'g mut Keys,
    pub texts: bool,
    changed: bool,
}

/// One thing that is wanted: a character, or an element.
struct Atom {
    id: Option<Id>,
    /// Which of the wanted, and at which offset in its text.
    of: usize,
    offset: u32,
    len: u32,
}

/// What an element has and wants, side by side.
struct Sides {
    piece: PieceId,
    units: Units,
    want: Vec<Wanted>,
    atoms: Vec<Atom>,
    /// Of each atom, whether it is there and stays where it is.
    stays: Vec<bool>,
}

impl<'g, 'f, 'w, 'd> Placer<'g, 'f, 'w, 'd> {
    pub fn new(draft: &'g mut Draft<'f, 'w, 'd>, keys: &'g mut Keys, texts: bool) -> Self {
        Self { draft, keys, texts, changed: false }
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
        let first = (0..sides.atoms.len()).find(|at| !sides.stays[*at] && (self.texts || is_element(*at)));
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
        let group = (first..sides.atoms.len()).take_while(|at| !sides.stays[*at]);
        for at in group.filter_map(|at| sides.want[sides.atoms[at].of].element()) {
            let moved = self.draft.piece(at);
            let bare = if moved.is_none() { self.bare_text(sides.piece, at) } else { None };
            if bare.is_some() && next.is_some() {
                return; // Another step's.
            }
            let cursor = match bare.or(next).or_else(|| sides.units.for_element(from, to)) {
                Some(cursor) => cursor,
                None if self.split(sides, to) || open_end(self.draft, sides.piece) => return,
                None => inside(self.draft.mirror(), &self.draft.view, sides.piece),
            };
            let made = match moved {
                Some(piece) => {
                    self.draft.work.nodes[at].placed = true;
                    let marker = self.draft.place(cursor);
                    self.draft.register(piece, marker);
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
                    let look = Look { marks: Some(marks), around: &want.around };
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
    fn split(&mut self, sides: &Sides, at: usize) -> bool {
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

    // --- text

    fn write_text(&mut self, sides: &Sides, first: usize) -> bool {
        if sides.atoms[first].id.is_some() {
            self.take_text(sides, first);
            return true;
        }
        let (from, to) = sides.between(first);
        let want = &sides.want[sides.atoms[first].of];
        let Want::Text { text, marks, at, .. } = &want.what else { return false };
        let look = Look { marks: Some(marks), around: &want.around };
        let list = &sides.units.list;
        // It stands with the neighbour that shows the same.
        let near = [from.checked_sub(1), Some(from)].into_iter().flatten().find(|at| {
            let unit = list.get(*at).filter(|unit| unit.char().is_some());
            unit.is_some_and(|unit| is_shown(&self.draft.work, &unit.formats, &look))
        });
        let before = near.filter(|near| *near == from).and_then(|_| sides.units.gaps[from].last().copied());
        let mirror = self.draft.mirror();
        let cursor = before.or_else(|| sides.units.for_text(mirror, from)).or_else(|| sides.units.for_text(mirror, to));
        let cursor = match cursor {
            Some(cursor) => cursor,
            None if self.split(sides, from) => {
                self.draft.see();
                return true;
            }
            None => inside(self.draft.mirror(), &self.draft.view, sides.piece),
        };
        let formats: Attributes = match near {
            Some(near) => list[near].formats.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
            None => self.keys.changes(self.draft, &Formats::default(), &look),
        };
        self.draft.write_text(cursor, text, &formats, *at);
        true
    }

    /// Text that moves without its element; what stands nowhere is new from now on.
    fn take_text(&mut self, sides: &Sides, first: usize) {
        if self.draft.refresh_all() {
            return;
        }
        let Some((start, len)) = self.stretch(sides, first) else { return self.forget(sides, first) };
        let (from, to) = sides.between(first);
        let mirror = self.draft.mirror();
        let target = sides.units.for_text(mirror, from).or_else(|| sides.units.for_text(mirror, to));
        let target = match target {
            Some(target) => target,
            None if self.split(sides, from) => return drop(self.draft.see()),
            None => inside(self.draft.mirror(), &self.draft.view, sides.piece),
        };
        moving::move_text(self.draft, start, len, target);
        self.draft.see();
    }

    /// The characters from an atom on that stand in one sequence as they are wanted, and do not stay: where, and how long.
    fn stretch(&mut self, sides: &Sides, first: usize) -> Option<(Cursor, u32)> {
        let (start, piece) = self.draft.place_of(sides.atoms[first].id?)?;
        let mut len = 0;
        for at in first..sides.atoms.len() {
            let atom = &sides.atoms[at];
            let Some(id) = atom.id.filter(|_| !sides.stays[at] && atom.len > 0) else { break };
            match self.draft.place_of(id) {
                Some((cursor, other)) if other == piece && cursor == (Cursor { index: start.index + len, ..start }) => {
                    len += atom.len;
                }
                _ => break,
            }
        }
        Some((start, len))
    }

    fn forget(&mut self, sides: &Sides, first: usize) {
        let atom = &sides.atoms[first];
        if let Want::Text { at, .. } = &sides.want[atom.of].what {
            let at = LeafOffset { offset: at.offset + atom.offset, ..*at };
            self.draft.work.set_ids(at, atom.len, None);
        }
    }

    fn erase_stale(&mut self, sides: &Sides) -> bool {
        // What the editor shows elsewhere is moved from there.
        let stale = sides.units.list.iter().filter(|unit| self.draft.work.parent_of_char(unit.id).is_none());
        let stale: Vec<(Nid, u32, u32)> =
            stale.filter_map(|unit| unit.char().map(|(len, at)| (at.seq, at.index, len))).collect();
        let is_any = !stale.is_empty();
        self.draft.erase(stale);
        is_any
    }
}

impl Sides {
    /// Between which units the atom has to come: behind the last before it that stays, and before the first behind it.
    fn between(&self, at: usize) -> (usize, usize) {
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
