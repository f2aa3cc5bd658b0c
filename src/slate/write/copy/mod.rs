//! What an editor writes into a document of format 0: by copy, as slate-yjs does.
//!
//! There an element is what stands in one nested type, and text belongs to the element in whose sequence it stands: what
//! comes to stand elsewhere is deleted and inserted anew. Of the halves of a line that was divided, of lines that were
//! joined, of blocks that were put in another order, those stay that are the most: edits that others make meanwhile to what
//! is copied go astray. What stays keeps its items.

mod pieces;
mod places;

use std::rc::Rc;
use std::sync::Arc;

use yrs::Any;

use pieces::{CopyPiece, PieceKind, SequenceTexts, have, pieces, weight};
use places::FormerPlaces;

use super::order::in_order;
use super::tree::EditorTree;
use crate::slate::value::node::Attrs;
use crate::slate::value::props::is_present;
use crate::slate::value::utf16;
use crate::slate::view::Schema;
use crate::slate::view::tree::{Chars, Element, Kid, Leaf, NodeId, same_ends};
use crate::slate::ydoc::by_copy::cleaned;
use crate::slate::ydoc::{Formats, Id, Item, Mirror, Nid, QuickMap, QuickSet, ROOT, Span, Writer};

/// Two people may merge the same two blocks while one of them types: if they kept different ones, both blocks would be gone.
/// So the left one stays, unless the right one is so many times as long.
const CLEARLY: u64 = 4;

/// An embed that is no element cannot be copied.
const FOREIGN: u64 = 1 << 40;

/// Writes what `tree` has and the document does not, which shows `before`. Returns what it shows then: the editor's tree, in
/// which everything has an id.
pub(super) fn write(writer: &mut Writer, before: &Rc<Element>, tree: &EditorTree) -> Rc<Element> {
    let places = FormerPlaces::of(before, tree.root());
    let mut copier = Copier { writer, schema: &tree.schema, joins: &tree.joins, moved: &tree.moved, places };
    copier.element(ROOT, before, tree.root())
}

struct Copier<'a, 'w, 'doc> {
    writer: &'a mut Writer<'w, 'doc>,
    schema: &'a Schema,
    joins: &'a QuickMap<Id, NodeId>,
    moved: &'a QuickSet<NodeId>,
    places: FormerPlaces,
}

/// What is left in a sequence, in order.
struct KeptUnit {
    len: u32,
    /// `None`: no element and no text.
    formats: Option<Formats>,
}

impl Copier<'_, '_, '_> {
    fn mirror(&self) -> &Mirror {
        self.writer.mirror
    }

    /// The element of a nested type, which showed `before`. What it shows now.
    fn element(&mut self, at: Nid, before: &Rc<Element>, now: &Rc<Element>) -> Rc<Element> {
        if Rc::ptr_eq(before, now) {
            return now.clone();
        }
        if at != ROOT {
            self.set_props(at, &before.props, &cleaned(&now.props));
        }
        let is_same = |(a, b): (&Kid, &Kid)| a.is_same(b);
        if at != ROOT && before.kids.len() == now.kids.len() && before.kids.iter().zip(&now.kids).all(is_same) {
            return self.shown(self.mirror().id(at), now, now.kids.clone());
        }
        let (start, end) = element_ends(&before.kids, &now.kids);
        let mut kids = now.kids[..start].to_vec();
        kids.extend(self.content(at, before, now, (start, end)));
        kids.extend_from_slice(&now.kids[now.kids.len() - end..]);
        if at == ROOT {
            return Rc::new(Element::root(kids));
        }
        self.shown(self.mirror().id(at), now, kids)
    }

    fn shown(&self, id: Id, now: &Element, kids: Vec<Kid>) -> Rc<Element> {
        let (inline, void) = (self.schema.is_inline(&now.props), self.schema.is_void(&now.props));
        Rc::new(Element { id: NodeId::Head(id), props: cleaned(&now.props), kids, inline, void })
    }

    fn set_props(&mut self, at: Nid, before: &Rc<Attrs>, now: &Rc<Attrs>) {
        if Rc::ptr_eq(before, now) {
            return;
        }
        for (name, _) in before.iter().filter(|(name, _)| !now.contains_key(*name)) {
            self.writer.remove_attribute(at, name);
        }
        for (name, value) in now.iter().filter(|(name, value)| before.get(*name) != Some(*value)) {
            self.writer.set_attribute(at, name, value.clone());
        }
    }

    /// All kids but the same at the start and the end.
    fn content(&mut self, at: Nid, before: &Element, now: &Element, (start, end): (usize, usize)) -> Vec<Kid> {
        let (olds, news) = (&before.kids[start..before.kids.len() - end], &now.kids[start..now.kids.len() - end]);
        let range = item_range(
            &self.mirror().node(at).items,
            units(&before.kids[..start]),
            units(&before.kids[before.kids.len() - end..]),
        );
        let nodes = self.match_elements(at, olds, news);
        let items = &self.mirror().node(at).items[range.clone()];
        let texts = SequenceTexts::of(items);
        let pieces = pieces(news, &nodes, &texts, self.mirror());
        let have = have(items, &pieces, &texts, self.mirror());
        let want: Vec<(Option<Id>, u64)> = pieces.iter().map(|piece| (piece.id, weight(piece, self.moved))).collect();
        let stays = in_order(&have, &want);
        let base: u32 = self.mirror().node(at).items[..range.start].iter().map(Item::len).sum();
        let rest = self.take_out(at, range, &pieces, &stays);
        self.put_in(at, base, (olds, news), &pieces, &stays, &rest)
    }

    /// Which nested type of a sequence is to show which of these kids: what has the most of what stands in it.
    fn match_elements(&self, at: Nid, olds: &[Kid], news: &[Kid]) -> Vec<Option<Nid>> {
        let mirror = self.mirror();
        let mut by_id: QuickMap<Id, &Rc<Element>> = QuickMap::default();
        for kid in olds {
            if let Kid::Element(element) = kid
                && let NodeId::Head(id) = element.id
            {
                by_id.insert(id, element);
            }
        }
        let own = |element: &Element| match element.id {
            NodeId::Head(id) => mirror.find(id).filter(|node| mirror.node(*node).up == at),
            _ => None,
        };
        let mut nodes = vec![None; news.len()];
        let mut taken: QuickMap<Nid, usize> = QuickMap::default();
        let mut scores: Vec<(u64, usize, Nid)> = Vec::new();
        let stay: Vec<Nid> = news.iter().filter_map(|kid| own(kid.element()?)).collect();
        let stay: QuickSet<Nid> = stay.into_iter().collect();
        for (index, kid) in news.iter().enumerate() {
            let Some(element) = kid.element() else { continue };
            let own = own(element);
            if let (Some(own), NodeId::Head(id)) = (own, &element.id)
                && by_id.get(id).is_some_and(|old| Rc::ptr_eq(old, element))
            {
                nodes[index] = Some(own);
                taken.insert(own, index);
                continue;
            }
            // What comes from elsewhere is copied: what it was in may be another kind of thing.
            if own.is_none() && matches!(element.id, NodeId::Head(id) if mirror.find(id).is_some()) {
                continue;
            }
            let mut weights = self.weights(at, element);
            let weight = own.and_then(|own| weights.remove(&own)).unwrap_or_default();
            if let Some(own) = own {
                scores.push((2 * weight + 1, index, own));
            }
            for (node, other) in weights {
                // One that was joined, or one that was divided.
                if stay.contains(&node) || own.is_none() || weight == 0 || other > CLEARLY * weight {
                    scores.push((2 * other, index, node));
                }
            }
        }
        scores.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        for (_, index, node) in scores {
            if nodes[index].is_none() && !taken.contains_key(&node) {
                nodes[index] = Some(node);
                taken.insert(node, index);
            }
        }
        nodes
    }

    /// How much an element has of what stands in nested types of a sequence.
    fn weights(&self, at: Nid, element: &Element) -> QuickMap<Nid, u64> {
        let mirror = self.mirror();
        let mut weights: QuickMap<Nid, u64> = QuickMap::default();
        // At any depth: what was divided further in was divided here as well.
        let mut add = |node: Nid, weight: u64| {
            if let Some(item) = mirror.item_of(at, node) {
                *weights.entry(item).or_default() += weight;
            }
        };
        // What this one was put around is not to become it, but to be copied into it.
        let mut wrapped: QuickSet<Nid> = QuickSet::default();
        let mut todo = vec![element];
        while let Some(element) = todo.pop() {
            for kid in &element.kids {
                match kid {
                    Kid::Leaf(leaf) => {
                        for run in &leaf.runs {
                            let Some(id) = run.id else { continue };
                            let mut rest = run.len;
                            for (strand, len) in self.places.strands(id, run.len) {
                                rest -= len;
                                if let Some(strand) = mirror.find(strand) {
                                    add(strand, u64::from(len));
                                }
                            }
                            // What is as it was is not among the places: it stands where it is.
                            if let NodeId::Head(id) = element.id
                                && let Some(holder) = mirror.find(id)
                            {
                                add(holder, u64::from(rest));
                            }
                        }
                    }
                    Kid::Element(kid) => {
                        if let NodeId::Head(id) = kid.id
                            && let Some(node) = mirror.find(id)
                        {
                            add(mirror.node(node).up, 1);
                            wrapped.insert(node);
                        }
                        todo.push(kid);
                    }
                }
            }
        }
        let has_foreign = |node: Nid| mirror.node(node).items.contains(&Item::Foreign);
        let into = self.joins.iter().filter(|(_, into)| **into == element.id).map(|(from, _)| *from);
        let own = match element.id {
            NodeId::Head(id) => Some(id),
            _ => None,
        };
        for node in into.chain(own).filter_map(|id| mirror.find(id)) {
            if has_foreign(node) {
                add(node, FOREIGN);
            }
        }
        weights.retain(|node, _| !wrapped.contains(node));
        weights
    }

    /// Deletes what does not stay. Returns what is left there.
    fn take_out(
        &mut self,
        at: Nid,
        range: std::ops::Range<usize>,
        pieces: &[CopyPiece],
        stays: &[bool],
    ) -> Vec<KeptUnit> {
        let mut staying: QuickMap<Id, u32> = QuickMap::default();
        for (piece, _) in pieces.iter().zip(stays).filter(|(_, stays)| **stays) {
            if let Some(id) = piece.id {
                staying.insert(id, piece.len());
            }
        }
        let (mut kept, mut rest, mut text, mut nodes) = (Vec::new(), Vec::new(), Vec::<Span>::new(), Vec::new());
        for item in &self.mirror().node(at).items[range.clone()] {
            match item {
                Item::Text(run) => {
                    let mut offset = 0;
                    while offset < run.len {
                        let id = run.id.plus(offset);
                        match staying.get(&id) {
                            Some(len) => {
                                let len = *len;
                                rest.push(KeptUnit { len, formats: Some(run.formats.clone()) });
                                let part = utf16::slice(&run.text, offset, offset + len).unwrap_or_default();
                                let mut part = crate::slate::ydoc::Run { id, text: part.into(), len, ..run.clone() };
                                if len == run.len {
                                    part = run.clone();
                                }
                                kept.push(Item::Text(part));
                                offset += len;
                            }
                            None => {
                                match text.last_mut() {
                                    Some((first, len)) if first.plus(*len) == id => *len += 1,
                                    _ => text.push((id, 1)),
                                }
                                offset += 1;
                            }
                        }
                    }
                }
                Item::Node(node) if staying.contains_key(&self.mirror().id(*node)) => {
                    rest.push(KeptUnit { len: 1, formats: Some(Formats::default()) });
                    kept.push(item.clone());
                }
                Item::Node(node) => nodes.push(*node),
                Item::Foreign | Item::Left { .. } => {
                    rest.push(KeptUnit { len: item.len(), formats: None });
                    kept.push(item.clone());
                }
            }
        }
        if !text.is_empty() || !nodes.is_empty() {
            self.writer.take_out(at, range, kept, &text, &nodes);
        }
        rest
    }

    /// Inserts what is missing, from the left to the right. Returns the kids with their ids.
    fn put_in(
        &mut self,
        at: Nid,
        base: u32,
        (olds, news): (&[Kid], &[Kid]),
        pieces: &[CopyPiece],
        stays: &[bool],
        rest: &[KeptUnit],
    ) -> Vec<Kid> {
        let by_id: QuickMap<&NodeId, &Rc<Element>> =
            olds.iter().filter_map(Kid::element).map(|element| (&element.id, element)).collect();
        let mut out: Vec<Kid> = Vec::with_capacity(news.len());
        let mut rest = rest.iter();
        let (mut index, mut from) = (base, 0);
        let mut made: std::vec::IntoIter<Nid> = Vec::new().into_iter();
        let mut format = PendingFormat::default();
        for (kid, new) in news.iter().enumerate() {
            let to = from + pieces[from..].iter().take_while(|piece| piece.kid == kid).count();
            let Kid::Leaf(leaf) = new else {
                let (piece, stay) = (&pieces[from], stays[from]);
                if let PieceKind::Element { element, node } = &piece.what {
                    let shown = match (stay, node) {
                        (true, Some(node)) => {
                            index += next(&mut rest).0;
                            let before = by_id.get(&NodeId::Head(self.mirror().id(*node)));
                            match before {
                                Some(before) => self.element(*node, before, element),
                                None => Rc::clone(element),
                            }
                        }
                        _ => {
                            if made.len() == 0 {
                                let is_new =
                                    |at: &usize| !stays[*at] && matches!(pieces[*at].what, PieceKind::Element { .. });
                                let count = (from..pieces.len()).take_while(is_new).count();
                                made = self.writer.make_row(at, index, count).into_iter();
                            }
                            index += 1;
                            match made.next() {
                                Some(node) => self.fill(node, element),
                                None => Rc::clone(element),
                            }
                        }
                    };
                    out.push(Kid::Element(shown));
                }
                from = to;
                continue;
            };
            let mut shown = Leaf { marks: cleaned(&leaf.marks), runs: Vec::new() };
            let mut next_piece = from;
            while next_piece < to {
                if stays[next_piece] {
                    let piece = &pieces[next_piece];
                    let (len, formats) = next(&mut rest);
                    // Over what is no text.
                    index += len - piece.len();
                    let changes = formats.map(|formats| changes(formats, &shown.marks)).unwrap_or_default();
                    format.add(self.writer, at, (index, piece.len()), changes);
                    if let PieceKind::Text { text, len } = &piece.what {
                        shown.push(Chars { id: piece.id, text: text.clone(), len: *len });
                    }
                    index += piece.len();
                    next_piece += 1;
                    continue;
                }
                let end = next_piece + stays[next_piece..to].iter().take_while(|stays| !**stays).count();
                let text: String = pieces[next_piece..end].iter().map(CopyPiece::text).collect();
                let len = utf16::len(&text);
                let id = self.writer.insert_formatted(at, index, &text, &formats_of(&shown.marks));
                shown.push(Chars { id: Some(id), text: text.into(), len });
                index += len;
                next_piece = end;
            }
            from = to;
            out.push(Kid::Leaf(shown));
        }
        format.write(self.writer, at);
        out
    }

    /// A new element, with all that is in it.
    fn fill(&mut self, node: Nid, element: &Rc<Element>) -> Rc<Element> {
        for (name, value) in cleaned(&element.props).iter() {
            self.writer.set_attribute(node, name, value.clone());
        }
        let mut kids = Vec::with_capacity(element.kids.len());
        let mut index = 0;
        let mut made: std::vec::IntoIter<Nid> = Vec::new().into_iter();
        for (at, kid) in element.kids.iter().enumerate() {
            match kid {
                Kid::Leaf(leaf) => {
                    let text: String = leaf.runs.iter().map(|run| &*run.text).collect();
                    let mut shown = Leaf { marks: cleaned(&leaf.marks), runs: Vec::new() };
                    if !text.is_empty() {
                        let id = self.writer.insert_formatted(node, index, &text, &formats_of(&shown.marks));
                        let len = utf16::len(&text);
                        shown.push(Chars { id: Some(id), text: text.into(), len });
                        index += len;
                    }
                    kids.push(Kid::Leaf(shown));
                }
                Kid::Element(kid) => {
                    if made.len() == 0 {
                        let rest = element.kids[at..].iter();
                        let count = rest.take_while(|kid| matches!(kid, Kid::Element(_))).count();
                        made = self.writer.make_row(node, index, count).into_iter();
                    }
                    index += 1;
                    let shown = made.next().map_or_else(|| kid.clone(), |node| self.fill(node, kid));
                    kids.push(Kid::Element(shown));
                }
            }
        }
        self.shown(self.mirror().id(node), element, kids)
    }
}

/// How long the next element or text is with what stands before it that is neither, and its formats.
fn next<'a>(rest: &mut std::slice::Iter<'a, KeptUnit>) -> (u32, Option<&'a Formats>) {
    let mut len = 0;
    for one in rest {
        len += one.len;
        if let Some(formats) = &one.formats {
            return (len, Some(formats));
        }
    }
    (len, None)
}

/// A change of formats that may go on.
#[derive(Default)]
struct PendingFormat {
    range: (u32, u32),
    changes: Vec<(Arc<str>, Any)>,
}

impl PendingFormat {
    fn add(&mut self, writer: &mut Writer, at: Nid, (index, len): (u32, u32), changes: Vec<(Arc<str>, Any)>) {
        if changes == self.changes && self.range.0 + self.range.1 == index {
            self.range.1 += len;
            return;
        }
        self.write(writer, at);
        (self.range, self.changes) = ((index, len), changes);
    }

    fn write(&mut self, writer: &mut Writer, at: Nid) {
        let changes = std::mem::take(&mut self.changes);
        if !changes.is_empty() {
            writer.format(at, self.range.0, self.range.1, &changes);
        }
    }
}

fn formats_of(marks: &Attrs) -> Vec<(Arc<str>, Any)> {
    marks.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Null for what is to go.
fn changes(formats: &Attrs, marks: &Attrs) -> Vec<(Arc<str>, Any)> {
    let gone = formats.iter().filter(|(name, value)| is_present(name, value) && !marks.contains_key(*name));
    let gone = gone.map(|(name, _)| (name.clone(), Any::Null));
    let set = marks.iter().filter(|(name, value)| formats.get(*name) != Some(*value));
    gone.chain(set.map(|(name, value)| (name.clone(), value.clone()))).collect()
}

/// [`same_ends`], up to elements: text between them may be of one run.
fn element_ends(before: &[Kid], now: &[Kid]) -> (usize, usize) {
    let (mut start, mut end) = same_ends(before, now);
    while start > 0 && matches!(now[start - 1], Kid::Leaf(_)) {
        start -= 1;
    }
    while end > 0 && matches!(now[now.len() - end], Kid::Leaf(_)) {
        end -= 1;
    }
    (start, end)
}

fn units(kids: &[Kid]) -> u32 {
    let len = |kid: &Kid| match kid {
        Kid::Leaf(leaf) => leaf.len(),
        Kid::Element(_) => 1,
    };
    kids.iter().map(len).sum()
}

/// The items without so many units at the start and the end.
fn item_range(items: &[Item], start: u32, end: u32) -> std::ops::Range<usize> {
    let skip = |items: &mut dyn Iterator<Item = &Item>, units: u32| {
        let (mut count, mut seen) = (0, 0);
        while seen < units {
            let Some(item) = items.next() else { break };
            count += 1;
            seen += if *item == Item::Foreign { 0 } else { item.len() };
        }
        count
    };
    let from = skip(&mut items.iter(), start);
    let to = items.len() - skip(&mut items.iter().rev(), end);
    from..to.max(from)
}
