//! Characters of a leaf: cut, put in, taken out. Offsets count UTF-16 units; inside a surrogate pair they are the pair's start.

use crate::slate::value::utf16;
use crate::slate::view::tree::{Chars, Leaf};
use crate::slate::ydoc::Id;

/// Characters that are not in the document yet.
pub(super) fn fresh(text: &str) -> Option<Chars> {
    (!text.is_empty()).then(|| Chars { id: None, text: text.into(), len: utf16::len(text) })
}

/// A run in two, at an offset inside it; the second is `None` at its end, and the first at its start.
fn cut(run: &Chars, offset: u32) -> (Option<Chars>, Option<Chars>) {
    let offset = utf16::floor(&run.text, run.len, offset);
    let Ok(byte) = utf16::byte_at(&run.text, run.len, offset) else { return (Some(run.clone()), None) };
    let part = |text: &str, id: Option<Id>, len: u32| (len > 0).then(|| Chars { id, text: text.into(), len });
    let (left, right) = run.text.split_at(byte);
    (part(left, run.id, offset), part(right, run.id.map(|id| id.plus(offset)), run.len - offset))
}

/// What is from an offset on.
pub(super) fn split_off(leaf: &mut Leaf, offset: u32) -> Vec<Chars> {
    let mut left = offset;
    for at in 0..leaf.runs.len() {
        let len = leaf.runs[at].len;
        if left >= len {
            left -= len;
            continue;
        }
        let mut behind = leaf.runs.split_off(at);
        let (before, after) = cut(&behind[0], left);
        leaf.runs.extend(before);
        match after {
            Some(after) => behind[0] = after,
            None => drop(behind.remove(0)),
        }
        return behind;
    }
    Vec::new()
}

pub(super) fn append(leaf: &mut Leaf, runs: impl IntoIterator<Item = Chars>) {
    runs.into_iter().for_each(|run| leaf.push(run));
}

pub(super) fn insert(leaf: &mut Leaf, offset: u32, text: &str) {
    let behind = split_off(leaf, offset);
    append(leaf, fresh(text));
    append(leaf, behind);
}

/// What is left without some of it.
pub fn without_text(leaf: &Leaf, offset: u32, len: u32) -> Leaf {
    let mut left = leaf.clone();
    remove(&mut left, offset, len);
    left
}

pub(super) fn remove(leaf: &mut Leaf, offset: u32, len: u32) {
    let mut rest = Leaf { runs: split_off(leaf, offset), ..Leaf::default() };
    // What the cut left of a pair counts.
    let len = (offset.saturating_add(len)).saturating_sub(leaf.len());
    append(leaf, split_off(&mut rest, len));
}
