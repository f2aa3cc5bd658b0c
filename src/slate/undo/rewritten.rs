//! What an edit wrote again whole: which characters stand where others stood.

use super::Again;
use crate::slate::view::tree::{Element, Kid};
use crate::slate::ydoc::{Id, Span, Writer};

/// Notes that the own characters of `now` which stand in the place of others in `was`, that are not shown any more, are these
/// written again. Nothing, if the two do not have the same text.
pub fn note_all(writer: &mut Writer, again: &mut Again, now: &Element, was: &Element) {
    let (mut here, mut there) = (TextInOrder::default(), TextInOrder::default());
    here.read(now);
    there.read(was);
    if here.text != there.text {
        return;
    }
    let pairs = here.written_again(&there, writer.client(), again);
    pairs.into_iter().for_each(|(was, new)| again.note(writer, was, new));
}

/// All text of a tree, and the ids of its characters by where they stand in it.
#[derive(Default)]
struct TextInOrder {
    spans: Vec<(u32, Span)>,
    text: String,
    len: u32,
}

impl TextInOrder {
    fn read(&mut self, element: &Element) {
        for kid in &element.kids {
            match kid {
                Kid::Element(kid) => self.read(kid),
                Kid::Leaf(leaf) => {
                    for chars in &leaf.runs {
                        self.spans.extend(chars.id.map(|id| (self.len, (id, chars.len))));
                        self.text.push_str(&chars.text);
                        self.len += chars.len;
                    }
                }
            }
        }
    }

    fn written_again(&self, other: &Self, own: u64, again: &Again) -> Vec<(Span, Id)> {
        let mut alive: Vec<Span> = self.spans.iter().map(|(_, span)| *span).collect();
        alive.sort_unstable();
        let (mut pairs, mut at_other) = (Vec::new(), 0);
        for (at, (id, len)) in self.spans.iter().filter(|(_, (id, _))| id.client == own) {
            while let Some((start, (was, count))) = other.spans.get(at_other) {
                let (from, to) = (*start.max(at), (start + count).min(at + len));
                if from < to {
                    let mut new = id.plus(from - at);
                    for piece in again.follow((was.plus(from - start), to - from)) {
                        pairs.extend((!is_among(&alive, piece)).then_some((piece, new)));
                        new = new.plus(piece.1);
                    }
                }
                if start + count >= at + len {
                    break;
                }
                at_other += 1;
            }
        }
        pairs
    }
}

/// Whether some of a span is among these, which are sorted.
fn is_among(spans: &[Span], (first, len): Span) -> bool {
    let behind = spans.partition_point(|(id, _)| *id < first.plus(len));
    let before = behind.checked_sub(1).and_then(|at| spans.get(at));
    before.is_some_and(|(id, count)| id.client == first.client && first.clock < id.clock + count)
}
