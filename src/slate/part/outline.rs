//! [`Outline`]: which of the root's items show which of the top-level elements, and which say something about each other.
//!
//! With it a change is worked out on the part of the document that it concerns, a [`Narrow`]: the items that changed, those
//! that are linked with these, and elements that stand for what is left out between. What a part shows does not depend on
//! what is left out (`View::apart`), so that the cost of a change is that of its part.

use std::ops::Range;
use std::rc::Rc;

use super::narrow::{Fixed, Narrow};
use crate::slate::view::tree::Element;
use crate::slate::view::{Kid, Schema, View};
use crate::slate::ydoc::{Item, Kind, Mirror, Nid, Of, Part, QuickSet, ROOT};

/// So many times links are followed; of longer chains all is looked at.
const MAX_LINKS: usize = 16;

/// One of the root's items, and how many top-level elements it shows.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Row {
    node: Nid,
    shows: u32,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Outline {
    rows: Vec<Row>,
    /// Of the root's items, one of which names something in the other.
    links: Vec<(Nid, Nid)>,
}

impl Outline {
    /// `None` where an item cannot be looked at without all the others: bare text at the top, moves into each other.
    pub fn of(mirror: &Mirror, schema: &Schema, view: &View) -> Option<Self> {
        Some(Self { rows: rows(mirror, schema, view)?, links: mirror.links() })
    }

    /// The part that an editor's change concerns: what it changed, and what stands beside that; and what the editor shows of
    /// it. `None`: all of the document.
    pub fn narrow_to_edit(
        &self,
        mirror: &Mirror,
        before: &Rc<Element>,
        after: &Rc<Element>,
    ) -> Option<(Narrow, Rc<Element>)> {
        let fixed = Fixed::of(&before.kids, &after.kids);
        let inside = close(self.owners(&fixed.touched()), &self.links)?;
        let narrow = self.narrow(mirror, before, &inside)?;
        let after = narrow.after(after, &fixed)?;
        Some((narrow, after))
    }

    /// The part that a change of the document concerns. `touched`: the nodes that changed.
    pub fn narrow_to_change(&self, mirror: &Mirror, before: &Rc<Element>, touched: &QuickSet<Nid>) -> Option<Narrow> {
        let mut inside: QuickSet<Nid> =
            touched.iter().filter(|node| **node != ROOT).map(|node| mirror.top(*node)).collect();
        if touched.contains(&ROOT) {
            self.add_replaced(mirror, &mut inside);
        }
        // What was linked before was shown elsewhere, perhaps.
        let mut links = mirror.links();
        links.extend_from_slice(&self.links);
        self.narrow(mirror, before, &close(inside, &links)?)
    }

    /// Items of the root that came, and that are gone.
    fn add_replaced(&self, mirror: &Mirror, inside: &mut QuickSet<Nid>) {
        let items = &mirror.node(ROOT).items;
        let is = |row: &Row, item: &Item| *item == Item::Node(row.node);
        let start = self.rows.iter().zip(items).take_while(|(row, item)| is(row, item)).count();
        let rest = self.rows[start..].iter().rev().zip(items[start..].iter().rev());
        let end = rest.take_while(|(row, item)| is(row, item)).count();
        let (rows, items) = (&self.rows[start..self.rows.len() - end], &items[start..items.len() - end]);
        let has: QuickSet<Nid> = rows.iter().map(|row| row.node).collect();
        let now: QuickSet<Nid> = items.iter().filter_map(Item::node).collect();
        inside.extend(has.symmetric_difference(&now));
    }

    /// The items that show these top-level elements, in order.
    fn owners(&self, kids: &[usize]) -> QuickSet<Nid> {
        let mut owners = QuickSet::default();
        let (mut kids, mut end) = (kids.iter().peekable(), 0);
        for row in &self.rows {
            end += row.shows as usize;
            while kids.next_if(|kid| **kid < end).is_some() {
                owners.insert(row.node);
            }
            if kids.peek().is_none() {
                break;
            }
        }
        owners
    }

    fn narrow(&self, mirror: &Mirror, before: &Rc<Element>, inside: &QuickSet<Nid>) -> Option<Narrow> {
        let items = &mirror.node(ROOT).items;
        let mut narrow = Narrow::new(before);
        let (mut at, mut item, mut kid) = (0, 0, 0);
        // Where what is left out began.
        let mut left: Option<(usize, usize, usize)> = None;
        loop {
            let row = self.rows.get(at);
            let node = items.get(item).map(|item| item.node().unwrap_or(ROOT));
            let (is_row, is_item) =
                (row.is_some_and(|row| inside.contains(&row.node)), node.is_some_and(|node| inside.contains(&node)));
            let is_end = row.is_none() && node.is_none();
            if is_row || is_item || is_end {
                if let Some((row, first, shown)) = left.take() {
                    narrow.leave(row..at, first..item, shown..kid);
                }
            }
            match (row, node) {
                (None, None) => break,
                (Some(row), _) if is_row => {
                    narrow.show(before.kids.get(kid..kid + row.shows as usize)?);
                    (at, kid) = (at + 1, kid + row.shows as usize);
                }
                (_, Some(node)) if is_item => {
                    narrow.parts.push(Part::Item(node));
                    item += 1;
                }
                (Some(row), Some(node)) if row.node == node => {
                    left.get_or_insert((at, item, kid));
                    (at, item, kid) = (at + 1, item + 1, kid + row.shows as usize);
                }
                _ => return None,
            }
        }
        (kid == before.kids.len() && narrow.leaves_anything()).then_some(narrow)
    }

    /// The outline after a change within a part: `mirror` is masked to it, `view` is what it shows now. To be followed by
    /// [`Outline::linked`].
    pub fn after(self, narrow: &Narrow, mirror: &Mirror, schema: &Schema, view: &View) -> Option<Self> {
        let found = rows(mirror, schema, view)?;
        let mut left = narrow.left_rows.iter();
        let mut rows = Vec::with_capacity(self.rows.len() + found.len());
        for (row, item) in found.into_iter().zip(&mirror.node(ROOT).items) {
            match item {
                Item::Left { .. } => rows.extend_from_slice(&self.rows[Range::clone(left.next()?)]),
                _ => rows.push(row),
            }
        }
        Some(Self { rows, links: Vec::new() })
    }

    /// Looks at what names what, once the whole document is there again.
    pub fn linked(self, mirror: &Mirror) -> Self {
        Self { links: mirror.links(), ..self }
    }

    #[cfg(test)]
    pub fn compare(&self, fresh: &Self) {
        let links = |outline: &Self| -> QuickSet<(Nid, Nid)> { outline.links.iter().copied().collect() };
        assert_eq!(self.rows, fresh.rows, "what the root's items show");
        assert_eq!(links(self), links(fresh), "which of them are linked");
    }
}

impl Item {
    fn node(&self) -> Option<Nid> {
        match self {
            Self::Node(node) => Some(*node),
            Self::Text(_) | Self::Foreign | Self::Left { .. } => None,
        }
    }
}

/// With all that is linked with them; `None`: that takes too long.
fn close(mut inside: QuickSet<Nid>, links: &[(Nid, Nid)]) -> Option<QuickSet<Nid>> {
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

fn rows(mirror: &Mirror, schema: &Schema, view: &View) -> Option<Vec<Row>> {
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
        rows.push(Row { node: *node, shows: 0 });
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
