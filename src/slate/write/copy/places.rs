//! Where the characters of what changed stood.

use std::rc::Rc;

use crate::slate::view::tree::{Element, Kid, NodeId, same_ends};
use crate::slate::ydoc::{Id, QuickMap, overlaps};

/// In which element the characters stood that are in changed ones.
pub(super) struct FormerPlaces(Vec<(Id, u32, Id)>);

impl FormerPlaces {
    pub fn of(before: &Element, now: &Element) -> Self {
        let mut places = Self(Vec::new());
        places.collect(before, now);
        places.0.sort_unstable();
        places
    }

    fn collect(&mut self, before: &Element, now: &Element) {
        self.note(before);
        let (start, end) = same_ends(&before.kids, &now.kids);
        let middle = |kids: &'_ [Kid]| start..kids.len() - end;
        let news = now.kids[middle(&now.kids)].iter().filter_map(Kid::element);
        let by_id: QuickMap<&NodeId, &Rc<Element>> = news.map(|element| (&element.id, element)).collect();
        for old in before.kids[middle(&before.kids)].iter().filter_map(Kid::element) {
            match by_id.get(&old.id) {
                Some(new) if Rc::ptr_eq(old, new) => {}
                Some(new) => self.collect(old, new),
                None => self.note_all(old),
            }
        }
    }

    fn note(&mut self, element: &Element) {
        let strand = match element.id {
            NodeId::Head(id) => id,
            _ => Id::ROOT,
        };
        for kid in &element.kids {
            if let Kid::Leaf(leaf) = kid {
                self.0.extend(leaf.runs.iter().filter_map(|run| Some((run.id?, run.len, strand))));
            }
        }
    }

    fn note_all(&mut self, element: &Element) {
        self.note(element);
        element.elements().for_each(|kid| self.note_all(kid));
    }

    /// In which elements these characters stood, and how many.
    pub fn strands(&self, first: Id, len: u32) -> impl Iterator<Item = (Id, u32)> {
        overlaps(&self.0, first, len).map(|(_, _, count, strand)| (*strand, count))
    }
}
