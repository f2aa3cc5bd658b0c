//! What an element has to show, cut where what stands in its sequence is cut.

use std::rc::Rc;
use std::sync::Arc;

use crate::slate::value::utf16;
use crate::slate::view::tree::{Chars, Element, Kid, NodeId};
use crate::slate::ydoc::{Id, Item, Mirror, Nid, QuickMap, QuickSet, gap, stretch_at};

/// One thing that an element has to show.
pub(super) struct CopyPiece<'a> {
    /// Which of its kids it is, or is in.
    pub kid: usize,
    /// Of the first character, or of the nested type, where that may stay.
    pub id: Option<Id>,
    pub what: PieceKind<'a>,
}

pub(super) enum PieceKind<'a> {
    Text { text: Arc<str>, len: u32 },
    Element { element: &'a Rc<Element>, node: Option<Nid> },
}

/// In characters and elements, with all in it.
pub(super) fn size(element: &Element) -> u64 {
    let of = |kid: &Kid| match kid {
        Kid::Leaf(leaf) => u64::from(leaf.len()),
        Kid::Element(kid) => size(kid),
    };
    1 + element.kids.iter().map(of).sum::<u64>()
}

/// Of two that are as much, what was moved is copied, and not what it was moved past.
pub(super) fn weight(piece: &CopyPiece, moved: &QuickSet<NodeId>) -> u64 {
    match &piece.what {
        PieceKind::Text { len, .. } => 2 * u64::from(*len),
        PieceKind::Element { element, .. } => 2 * size(element) + u64::from(!moved.contains(&element.id)),
    }
}

impl CopyPiece<'_> {
    pub fn len(&self) -> u32 {
        match &self.what {
            PieceKind::Text { len, .. } => *len,
            PieceKind::Element { .. } => 1,
        }
    }

    pub fn text(&self) -> &str {
        match &self.what {
            PieceKind::Text { text, .. } => text,
            PieceKind::Element { .. } => "",
        }
    }
}

/// What these kids are made of, cut where what stands in the sequence is cut.
pub(super) fn pieces<'a>(
    news: &'a [Kid],
    nodes: &[Option<Nid>],
    texts: &SequenceTexts,
    mirror: &Mirror,
) -> Vec<CopyPiece<'a>> {
    let mut pieces = Vec::new();
    for (kid, (new, node)) in news.iter().zip(nodes).enumerate() {
        match new {
            Kid::Element(element) => {
                let id = node.map(|node| mirror.id(node));
                pieces.push(CopyPiece { kid, id, what: PieceKind::Element { element, node: *node } });
            }
            Kid::Leaf(leaf) => leaf.runs.iter().for_each(|run| texts.cut(kid, run, &mut pieces)),
        }
    }
    pieces
}

/// The ids of those pieces that are there, in the order in which they are.
pub(super) fn have(items: &[Item], pieces: &[CopyPiece], texts: &SequenceTexts, mirror: &Mirror) -> Vec<Id> {
    let mut found: Vec<(usize, u32, Id)> = Vec::new();
    let mut wanted: QuickMap<Id, ()> = QuickMap::default();
    for piece in pieces {
        match (&piece.what, piece.id) {
            (PieceKind::Text { .. }, Some(id)) => {
                found.extend(texts.place(id).map(|(item, offset)| (item, offset, id)))
            }
            (PieceKind::Element { .. }, Some(id)) => drop(wanted.insert(id, ())),
            _ => {}
        }
    }
    for (at, item) in items.iter().enumerate() {
        if let Item::Node(node) = item
            && wanted.contains_key(&mirror.id(*node))
        {
            found.push((at, 0, mirror.id(*node)));
        }
    }
    found.sort_unstable();
    found.into_iter().map(|(.., id)| id).collect()
}

/// The text of some items of a sequence, by id: id, length, which item.
pub(super) struct SequenceTexts(Vec<(Id, u32, usize)>);

impl SequenceTexts {
    pub fn of(items: &[Item]) -> Self {
        let texts = items.iter().enumerate().filter_map(|(at, item)| match item {
            Item::Text(run) => Some((run.id, run.len, at)),
            _ => None,
        });
        let mut texts: Vec<_> = texts.collect();
        texts.sort_unstable();
        Self(texts)
    }

    fn at(&self, id: Id) -> Option<&(Id, u32, usize)> {
        stretch_at(&self.0, id)
    }

    /// In which item a character is, and how far in.
    fn place(&self, id: Id) -> Option<(usize, u32)> {
        self.at(id).map(|(first, _, item)| (*item, id.clock - first.clock))
    }

    /// A run as pieces: what is in the sequence, and what is not.
    pub fn cut(&self, kid: usize, run: &Chars, out: &mut Vec<CopyPiece>) {
        let mut add = |id: Option<Id>, text: &Arc<str>, len: u32| {
            out.push(CopyPiece { kid, id, what: PieceKind::Text { text: text.clone(), len } });
        };
        let Some(first) = run.id else { return add(None, &run.text, run.len) };
        let mut offset = 0;
        while offset < run.len {
            let id = first.plus(offset);
            let (there, len) = match self.at(id) {
                Some((start, len, _)) => (true, start.clock + len - id.clock),
                None => (false, gap(&self.0, id)),
            };
            let len = len.min(run.len - offset);
            if len == run.len {
                return add(Some(id).filter(|_| there), &run.text, len);
            }
            match utf16::slice(&run.text, offset, offset + len) {
                Some(text) => add(Some(id).filter(|_| there), &text.into(), len),
                // Somebody cut a surrogate pair in two.
                None => {
                    return add(
                        None,
                        &utf16::slice(&run.text, offset, run.len).unwrap_or_default().into(),
                        run.len - offset,
                    );
                }
            }
            offset += len;
        }
    }
}
