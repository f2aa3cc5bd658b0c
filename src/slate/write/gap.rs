//! The one gap function: where something is put in so that the view shows it between two neighbours.

use smallvec::SmallVec;

use crate::slate::view::{Cursor, Kid, PieceId, View};
use crate::slate::ydoc::{Formats, Id, Item, Kind, Mirror, Run};

/// What a piece shows: characters and elements, one by one.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub id: Id,
    pub what: What,
    pub formats: Formats,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    /// `len`: in UTF-16 units, of which it may have two. `at`: where it stands.
    Char {
        len: u32,
        at: Cursor,
    },
    Piece(PieceId),
}

impl Unit {
    pub fn char(&self) -> Option<(u32, Cursor)> {
        match self.what {
            What::Char { len, at, .. } => Some((len, at)),
            What::Piece(_) => None,
        }
    }

    pub fn piece(&self) -> Option<PieceId> {
        match self.what {
            What::Piece(piece) => Some(piece),
            What::Char { .. } => None,
        }
    }
}

type Gap = SmallVec<[Cursor; 2]>;

fn run_at(mirror: &Mirror, item: u32, at: Cursor) -> Option<&Run> {
    match mirror.node(at.seq).items.get(item as usize)? {
        Item::Text(run) => Some(run),
        _ => None,
    }
}

/// The last position of a piece's own behind all that it shows: what [`Units`] have in their last gap.
pub(super) fn end_of(view: &View, mirror: &Mirror, piece: PieceId) -> Option<Cursor> {
    let mut is_there = false;
    for kid in view.piece(piece).kids.iter().rev() {
        match kid {
            Kid::Cursor(cursor) if cursor.piece == piece => return Some(*cursor),
            Kid::Cursor(_) => is_there = true,
            Kid::Piece(_) => return None,
            Kid::Text { item, at } => {
                let Some(run) = run_at(mirror, *item, *at).filter(|run| run.len > 0) else { continue };
                let behind = Cursor { index: at.index + run.len, ..*at };
                return Some(behind).filter(|behind| !is_there && behind.piece == piece);
            }
        }
    }
    None
}

/// Units, and the positions between: `gaps[i]` stand before `list[i]`.
#[derive(Debug, Clone, Default)]
pub(super) struct Units {
    piece: PieceId,
    pub list: Vec<Unit>,
    pub gaps: Vec<Gap>,
}

impl Units {
    /// Of a piece of the view of this very mirror.
    pub fn of(view: &View, mirror: &Mirror, piece: PieceId) -> Self {
        let kids = &view.piece(piece).kids;
        let count = |kid: &Kid| match kid {
            Kid::Text { item, at } => run_at(mirror, *item, *at).map_or(0, |run| run.len as usize),
            Kid::Piece(_) => 1,
            Kid::Cursor(_) => 0,
        };
        let count = kids.iter().map(count).sum();
        let mut units = Self { piece, list: Vec::with_capacity(count), gaps: Vec::with_capacity(count + 1) };
        units.gaps.push(Gap::new());
        for kid in kids {
            match kid {
                Kid::Cursor(cursor) => units.last_gap().push(*cursor),
                Kid::Piece(kid) => {
                    let shown = view.piece(*kid);
                    let id = mirror.id(shown.head);
                    units.list.push(Unit { id, what: What::Piece(*kid), formats: shown.formats.clone() });
                    units.gaps.push(Gap::new());
                }
                Kid::Text { item, at } => units.push_text(mirror, *item, *at),
            }
        }
        units.close();
        units
    }

    fn last_gap(&mut self) -> &mut Gap {
        if self.gaps.is_empty() {
            self.gaps.push(Gap::new());
        }
        let last = self.gaps.len() - 1;
        &mut self.gaps[last]
    }

    fn push_text(&mut self, mirror: &Mirror, item: u32, at: Cursor) {
        let Some(run) = run_at(mirror, item, at) else { return };
        let mut offset = 0;
        for char in run.text.chars() {
            let at = Cursor { index: at.index + offset, ..at };
            if offset > 0 {
                self.last_gap().push(at);
            }
            let len = char.len_utf16() as u32;
            let what = What::Char { len, at };
            self.list.push(Unit { id: run.id.plus(offset), what, formats: run.formats.clone() });
            self.gaps.push(Gap::new());
            offset += len;
        }
    }

    /// Text that is shown elsewhere than where it stands has its gaps about it.
    fn close(&mut self) {
        for (at, unit) in self.list.iter().enumerate() {
            let Some((len, cursor)) = unit.char() else { continue };
            if self.gaps[at].is_empty() {
                self.gaps[at].push(cursor);
            }
            if self.gaps[at + 1].is_empty() {
                self.gaps[at + 1].push(Cursor { index: cursor.index + len, ..cursor });
            }
        }
    }

    /// A position of the element itself, not of one that is shown in it (stray text, an unwrapped element).
    fn own(&self, cursor: &Cursor) -> bool {
        cursor.piece == self.piece
    }

    fn is_char(&self, at: Option<usize>) -> bool {
        at.and_then(|at| self.list.get(at)).is_some_and(|unit| unit.char().is_some())
    }

    /// Text stands behind the character before it, else before the one behind it, and not in the gap of a break if it can be.
    pub fn for_text(&self, mirror: &Mirror, at: usize) -> Option<Cursor> {
        let gap = self.gaps.get(at)?;
        if self.is_char(at.checked_sub(1)) && !gap.is_empty() {
            return gap.first().copied();
        }
        if self.is_char(Some(at)) && !gap.is_empty() {
            return gap.last().copied();
        }
        let in_strand = |cursor: &&Cursor| mirror.kind(cursor.seq) == Kind::Strand;
        let own = gap.iter().find(|cursor| in_strand(cursor) && self.own(cursor));
        own.or_else(|| gap.iter().find(in_strand)).or(gap.last()).copied()
    }

    /// Elements stand before what follows: a strand or place; the end of the gap of a break; the token that ended the piece.
    /// Between units `from` and `to` stands only what is yet to go; of the positions that are the element's own it is the
    /// nearest to `to`. If there is none, there is only what is shown in it.
    pub fn for_element(&self, from: usize, to: usize) -> Option<Cursor> {
        let own = |at: usize| self.gaps[at].iter().rev().find(|cursor| self.own(cursor)).copied();
        (from..=to).rev().find_map(own).or_else(|| self.gaps[to].last().copied())
    }

    /// The element's own position right behind what stands before it.
    pub fn right_behind(&self, at: usize) -> Option<Cursor> {
        self.gaps[at].iter().find(|cursor| self.own(cursor)).copied()
    }

    /// Whether there is a position of the element's own.
    pub fn has_own(&self, at: usize) -> bool {
        self.gaps[at].iter().any(|cursor| self.own(cursor))
    }

    /// A break divides the element in whose sequence, or in whose child's gap, it stands.
    pub fn for_break(&self, view: &View, at: usize) -> Option<Cursor> {
        let outer = view.outer(view.piece(self.piece).frame);
        let mut gap = self.gaps[at].iter().filter(|cursor| self.own(cursor) && view.outer(cursor.frame) == outer);
        match self.is_char(at.checked_sub(1)) {
            true => gap.next().copied(),
            false => gap.next_back().copied(),
        }
    }

    /// The same, also in what is transparent in the element.
    pub fn for_any_break(&self, at: usize) -> Option<Cursor> {
        match self.is_char(at.checked_sub(1)) {
            true => self.gaps[at].first().copied(),
            false => self.gaps[at].last().copied(),
        }
    }

    /// What the element itself hands on there: index in [`View::inherited`].
    pub fn props_before(&self, view: &View, at: usize) -> Option<u32> {
        let outer = view.outer(view.piece(self.piece).frame);
        let is_own = |cursor: &&Cursor| self.own(cursor) && view.outer(cursor.frame) == outer;
        let own = |gap: &Gap| gap.iter().rev().find(is_own).map(|cursor| cursor.props);
        self.gaps[..=at].iter().rev().find_map(own)
    }

    pub fn position(&self, id: Id) -> Option<usize> {
        self.list.iter().position(|unit| unit.id == id)
    }
}
