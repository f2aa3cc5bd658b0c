//! [`SequenceOutline`]: which items of a sequence show which of the elements in it, and which say something about each other.

use std::ops::Range;

use super::line;
use super::rows::{ItemRow, stands_alone};
use crate::slate::view::{Kid, PieceId, Schema, View};
use crate::slate::ydoc::{Id, Item, Kind, Mirror, Nid, OUTSIDE, QuickSet, ROOT, Registers};

/// So many times links are followed; of longer chains all is looked at.
const MAX_LINKS: usize = 16;
/// So deep are sequences that have an outline.
pub(super) const MAX_NESTED: usize = 32;

/// See the module. Of the root, or of a strand that is shown where it stands: as one element that has only elements, or as a
/// *line*, divided by breaks in pieces that have only text.
#[derive(Debug, Clone)]
pub struct SequenceOutline {
    pub(super) seq: Nid,
    pub(super) is_line: bool,
    id: Id,
    /// Of the strand.
    registers: Registers,
    pub(super) rows: Vec<ItemRow>,
    /// How many elements the rows before each show; one more, for all.
    pub(super) starts: Vec<u32>,
    /// By node, from the lowest on: its row.
    places: Vec<u32>,
    lowest: Nid,
    /// Of the items, one of which names something in the other.
    pub(super) links: Vec<(Nid, Nid)>,
}

impl SequenceOutline {
    /// `None` where an item cannot be looked at without all the others: bare text among them, moves into each other.
    pub fn of(mirror: &Mirror, schema: &Schema, view: &View, seq: Nid) -> Option<Self> {
        let is_line = seq != ROOT && mirror.node(seq).items.iter().any(|item| matches!(item, Item::Text(_)));
        Some(Self::new(mirror, seq, is_line, rows(mirror, schema, view, seq, is_line)?))
    }

    fn new(mirror: &Mirror, seq: Nid, is_line: bool, rows: Vec<ItemRow>) -> Self {
        let (id, registers) = (mirror.id(seq), mirror.node(seq).registers.clone());
        let (starts, places, links) = (vec![0], Vec::new(), mirror.links(seq));
        let mut outline = Self { seq, is_line, id, registers, rows, starts, places, lowest: 0, links };
        outline.count(0);
        outline
    }

    /// These rows are others now.
    pub(super) fn replace(&mut self, mirror: &Mirror, now: Vec<(Range<usize>, Vec<ItemRow>)>) {
        (self.registers, self.links) = (mirror.node(self.seq).registers.clone(), mirror.links(self.seq));
        let is_same = |was: &ItemRow, is: &ItemRow| was.node == is.node && was.shows == is.shows;
        let differs = |(range, rows): &(Range<usize>, Vec<ItemRow>)| {
            let was = &self.rows[range.clone()];
            was.len() != rows.len() || !was.iter().zip(rows).all(|(was, is)| is_same(was, is))
        };
        let first = now.iter().find(|now| differs(now)).map(|(range, _)| range.start);
        if now.iter().all(|(range, rows)| range.len() == rows.len()) {
            for (range, rows) in now {
                self.rows[range].iter_mut().zip(rows).for_each(|(was, is)| *was = is);
            }
        } else {
            let mut left = std::mem::take(&mut self.rows).into_iter();
            let more: usize = now.iter().map(|(_, rows)| rows.len()).sum();
            let (mut rows, mut at) = (Vec::with_capacity(left.len() + more), 0);
            for (range, now) in now {
                rows.extend(left.by_ref().take(range.start - at));
                left.by_ref().take(range.len()).for_each(drop);
                rows.extend(now);
                at = range.end;
            }
            rows.extend(left);
            self.rows = rows;
        }
        first.into_iter().for_each(|first| self.count(first));
    }

    /// From this row on the others are to be told where they are.
    fn count(&mut self, first: usize) {
        let lowest = self.rows.iter().map(|row| row.node).min().unwrap_or_default();
        let highest = self.rows.iter().map(|row| row.node + 1).max().unwrap_or_default();
        let mut first = first;
        if first == 0 || lowest < self.lowest {
            (first, self.lowest) = (0, lowest);
            self.places.clear();
        }
        self.places.resize(self.places.len().max((highest - self.lowest) as usize), u32::MAX);
        self.starts.truncate(first + 1);
        let mut start = self.starts[first];
        for (at, row) in self.rows.iter().enumerate().skip(first) {
            start += row.shows;
            self.starts.push(start);
            self.places[(row.node - self.lowest) as usize] = at as u32;
        }
    }

    /// One of the items shows so many elements now.
    pub(super) fn set_shows(&mut self, item: Nid, shows: u32) {
        let Some(at) = self.place(item) else { return };
        let was = std::mem::replace(&mut self.rows[at].shows, shows);
        self.starts[at + 1..].iter_mut().for_each(|start| *start = *start + shows - was);
    }

    /// Whether the sequence is still there, and what the element is has not changed.
    pub(super) fn is_of_today(&self, mirror: &Mirror) -> bool {
        mirror.find(self.id) == Some(self.seq) && mirror.node(self.seq).registers == self.registers
    }

    /// Items that came, and that are gone.
    pub(super) fn add_replaced(&self, mirror: &Mirror, inside: &mut QuickSet<Nid>) {
        let items = &mirror.node(self.seq).items;
        let is = |row: &ItemRow, item: &Item| *item == Item::Node(row.node);
        let start = self.rows.iter().zip(items).take_while(|(row, item)| is(row, item)).count();
        let rest = self.rows[start..].iter().rev().zip(items[start..].iter().rev());
        let end = rest.take_while(|(row, item)| is(row, item)).count();
        let (rows, items) = (&self.rows[start..self.rows.len() - end], &items[start..items.len() - end]);
        let has: QuickSet<Nid> = rows.iter().map(|row| row.node).collect();
        let now: QuickSet<Nid> = items.iter().filter_map(Item::node).collect();
        inside.extend(has.symmetric_difference(&now));
    }

    /// The items that show these elements, which are in order.
    pub(super) fn owners(&self, kids: &[usize]) -> QuickSet<Nid> {
        let owner = |kid: &usize| {
            // The last that begins at or before it, and shows something.
            let at = self.starts.partition_point(|start| *start as usize <= *kid).checked_sub(1)?;
            self.rows.get(at).map(|row| row.node)
        };
        kids.iter().filter_map(owner).collect()
    }

    /// Which of the elements one of the items shows.
    pub fn shown_by(&self, item: Nid) -> Option<Range<usize>> {
        let at = self.place(item)?;
        Some(self.starts[at] as usize..self.starts[at + 1] as usize)
    }

    /// How many elements there are.
    pub(super) fn shown(&self) -> usize {
        self.starts.last().map_or(0, |all| *all as usize)
    }

    pub(super) fn place(&self, node: Nid) -> Option<usize> {
        let at = *self.places.get(node.checked_sub(self.lowest)? as usize)? as usize;
        self.rows.get(at).filter(|row| row.node == node).map(|_| at)
    }

    /// Of a line: the row in which one of its heads stands.
    pub(super) fn row_of(&self, mirror: &Mirror, head: Nid) -> Option<usize> {
        let begins =
            |at: usize| mirror.node(self.seq).items[..at].iter().rev().find_map(|item| self.place(item.node()?));
        self.place(head).or_else(|| {
            let at = mirror.place(head).filter(|_| mirror.node(head).up == self.seq)?;
            begins(at).or_else(|| self.place(self.seq))
        })
    }

    #[cfg(test)]
    pub fn compare(&self, fresh: &Self) {
        let links = |outline: &Self| -> QuickSet<(Nid, Nid)> { outline.links.iter().copied().collect() };
        let rows =
            |outline: &Self| -> Vec<(Nid, u32)> { outline.rows.iter().map(|row| (row.node, row.shows)).collect() };
        assert_eq!(rows(self), rows(fresh), "what the items show");
        assert_eq!((self.is_line, &self.starts), (fresh.is_line, &fresh.starts), "where they show it");
        assert_eq!(links(self), links(fresh), "which of them are linked");
        assert_eq!(self.registers, fresh.registers, "what the element is");
    }
}

/// With all that is linked with them; `None`: that takes too long, or is not in the sequence.
pub(super) fn close(mut inside: QuickSet<Nid>, links: &[(Nid, Nid)]) -> Option<QuickSet<Nid>> {
    for _ in 0..MAX_LINKS {
        let before = inside.len();
        for (a, b) in links {
            if inside.contains(a) != inside.contains(b) {
                inside.extend([*a, *b]);
            }
        }
        if inside.len() == before {
            inside.remove(&ROOT);
            return (!inside.contains(&OUTSIDE)).then_some(inside);
        }
    }
    None
}

/// What each of a sequence's items shows; see [`SequenceOutline::of`].
pub(super) fn rows(mirror: &Mirror, schema: &Schema, view: &View, seq: Nid, is_line: bool) -> Option<Vec<ItemRow>> {
    if is_line {
        let around = holder(mirror, schema, view, mirror.node(seq).up)?;
        is_plain(mirror, schema, seq).then_some(())?;
        return line::rows(mirror, schema, view, seq, around);
    }
    let holder = holder(mirror, schema, view, seq)?;
    let items = &mirror.node(seq).items;
    let node = |item: &Item| match item {
        Item::Node(node) | Item::Left { node, .. } => Some(ItemRow { node: *node, shows: 0, items: 1, piece: None }),
        Item::Text(_) | Item::Foreign => None,
    };
    let mut rows = items.iter().map(node).collect::<Option<Vec<ItemRow>>>()?;
    let (mut at, mut index) = (0, 0);
    for kid in &view.piece(holder).kids {
        match kid {
            Kid::Cursor(cursor) if cursor.seq == seq => {
                while index < cursor.index {
                    index += items.get(at)?.len();
                    at += 1;
                }
            }
            Kid::Cursor(_) => {}
            Kid::Piece(piece) if !view.piece(*piece).inline => rows.get_mut(at)?.shows += 1,
            Kid::Piece(_) | Kid::Text { .. } => return None,
        }
    }
    // What has nothing may be hidden, for the sake of what is hidden in it.
    (seq == ROOT || rows.iter().any(|row| row.shows > 0)).then_some(rows)
}

/// The piece in which a sequence is shown, if it shows all of it, and nothing else; the same of all around it.
fn holder(mirror: &Mirror, schema: &Schema, view: &View, seq: Nid) -> Option<PieceId> {
    view.apart.then_some(())?;
    let found = if seq == ROOT { View::ROOT } else { view.find(seq)? };
    let (mut at, mut piece) = (seq, found);
    for _ in 0..MAX_NESTED {
        let is_closed = mirror.node(at).items.iter().all(|item| stands_alone(mirror, schema, item));
        if !is_closed || view.strayed.contains(&piece) {
            return None;
        }
        if at == ROOT {
            return Some(found);
        }
        let (shown, up) = (view.piece(piece), mirror.node(at).up);
        let is_whole = is_plain(mirror, schema, at) && is_undivided(view, piece) && view.piece(shown.up).head == up;
        is_whole.then_some(())?;
        (at, piece) = (up, shown.up);
    }
    None
}

/// A block that was not moved or removed.
fn is_plain(mirror: &Mirror, schema: &Schema, at: Nid) -> bool {
    let registers = &mirror.node(at).registers;
    registers.kind == Kind::Strand
        && registers.at.is_none()
        && registers.gone.flatten().is_none()
        && !registers.open
        && registers.says.is_none_or(|says| says == (false, false))
        && !schema.inline_of(registers)
}

/// One element, of which nothing is shown elsewhere, and in which nothing else flows.
fn is_undivided(view: &View, piece: PieceId) -> bool {
    let shown = view.piece(piece);
    let frame = view.frame(shown.frame);
    let is_shown = !shown.hidden && !shown.spill && !shown.again && !shown.inline && !shown.void;
    let is_alone = shown.prev.is_none() && shown.next.is_none() && shown.to.is_none() && shown.joined.is_empty();
    is_shown && is_alone && shown.gone.is_none() && frame.owner.is_none() && frame.host.is_none()
}
