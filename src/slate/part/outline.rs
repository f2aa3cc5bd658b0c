//! [`RootOutline`]: which of the root's items show which of the top-level elements, and which say something about each other.

use crate::slate::view::{Kid, Schema, View};
use crate::slate::ydoc::{Item, Kind, Mirror, Nid, Of, QuickSet, ROOT};

/// So many times links are followed; of longer chains all is looked at.
const MAX_LINKS: usize = 16;

/// One of the root's items, and how many top-level elements it shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ItemRow {
    pub node: Nid,
    pub shows: u32,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct RootOutline {
    pub(super) rows: Vec<ItemRow>,
    /// How many elements the rows before each show; one more, for all.
    pub(super) starts: Vec<u32>,
    /// By node: its row.
    places: Vec<u32>,
    /// Of the root's items, one of which names something in the other.
    pub(super) links: Vec<(Nid, Nid)>,
}

impl RootOutline {
    /// `None` where an item cannot be looked at without all the others: bare text at the top, moves into each other.
    pub fn of(mirror: &Mirror, schema: &Schema, view: &View) -> Option<Self> {
        Some(Self::new(mirror, rows(mirror, schema, view)?))
    }

    pub(super) fn new(mirror: &Mirror, rows: Vec<ItemRow>) -> Self {
        let (mut starts, mut places) = (Vec::with_capacity(rows.len() + 1), vec![u32::MAX; mirror.capacity()]);
        let mut start = 0;
        for (at, row) in rows.iter().enumerate() {
            starts.push(start);
            start += row.shows;
            places[row.node as usize] = at as u32;
        }
        starts.push(start);
        Self { rows, starts, places, links: mirror.links() }
    }

    /// Items of the root that came, and that are gone.
    pub(super) fn add_replaced(&self, mirror: &Mirror, inside: &mut QuickSet<Nid>) {
        let items = &mirror.node(ROOT).items;
        let is = |row: &ItemRow, item: &Item| *item == Item::Node(row.node);
        let start = self.rows.iter().zip(items).take_while(|(row, item)| is(row, item)).count();
        let rest = self.rows[start..].iter().rev().zip(items[start..].iter().rev());
        let end = rest.take_while(|(row, item)| is(row, item)).count();
        let (rows, items) = (&self.rows[start..self.rows.len() - end], &items[start..items.len() - end]);
        let has: QuickSet<Nid> = rows.iter().map(|row| row.node).collect();
        let now: QuickSet<Nid> = items.iter().filter_map(Item::node).collect();
        inside.extend(has.symmetric_difference(&now));
    }

    /// The items that show these top-level elements, which are in order.
    pub(super) fn owners(&self, kids: &[usize]) -> QuickSet<Nid> {
        let owner = |kid: &usize| {
            // The last that begins at or before it, and shows something.
            let at = self.starts.partition_point(|start| *start as usize <= *kid).checked_sub(1)?;
            self.rows.get(at).map(|row| row.node)
        };
        kids.iter().filter_map(owner).collect()
    }

    /// The root's items from one on, so many at most.
    pub fn items(&self, from: usize, count: usize) -> Vec<Nid> {
        self.rows.iter().skip(from).take(count).map(|row| row.node).collect()
    }

    /// Which of the top-level elements one of the root's items shows.
    pub fn shown_by(&self, item: Nid) -> Option<std::ops::Range<usize>> {
        let at = self.place(item)?;
        Some(self.starts[at] as usize..self.starts[at + 1] as usize)
    }

    /// How many top-level elements there are.
    pub(super) fn shown(&self) -> usize {
        self.starts.last().map_or(0, |all| *all as usize)
    }

    pub(super) fn place(&self, node: Nid) -> Option<usize> {
        let at = *self.places.get(node as usize)? as usize;
        self.rows.get(at).filter(|row| row.node == node).map(|_| at)
    }

    #[cfg(test)]
    pub fn compare(&self, fresh: &Self) {
        let links = |outline: &Self| -> QuickSet<(Nid, Nid)> { outline.links.iter().copied().collect() };
        assert_eq!(self.rows, fresh.rows, "what the root's items show");
        assert_eq!(links(self), links(fresh), "which of them are linked");
    }
}

/// With all that is linked with them; `None`: that takes too long.
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
            return Some(inside);
        }
    }
    None
}

/// What each of the root's items shows; see [`RootOutline::of`].
pub(super) fn rows(mirror: &Mirror, schema: &Schema, view: &View) -> Option<Vec<ItemRow>> {
    if !view.apart {
        return None;
    }
    let items = &mirror.node(ROOT).items;
    let mut rows = Vec::with_capacity(items.len());
    for item in items {
        let (Item::Node(node) | Item::Left { node, .. }) = item else { return None };
        let registers = &mirror.node(*node).registers;
        let stands_alone = match registers.kind {
            Kind::Strand => !schema.inline_of(registers),
            Kind::Place => registers.of == Of::Absent,
            Kind::Unknown => true,
            Kind::Break | Kind::Seam => false,
        };
        if !stands_alone {
            return None;
        }
        rows.push(ItemRow { node: *node, shows: 0 });
    }
    let (mut at, mut index) = (0, 0);
    for kid in &view.piece(View::ROOT).kids {
        match kid {
            Kid::Cursor(cursor) if cursor.seq == ROOT => {
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
    Some(rows)
}
