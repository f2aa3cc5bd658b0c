//! The short way of a flush that has only text typed into or deleted from one leaf: no view, and no walk over the document.
//!
//! It goes where what is left in the leaf says all: something of it was there before, and stands in the element's own
//! sequence. Then no element appears or is hidden, and what is typed takes exactly the formats of a neighbour in the leaf.

use super::Passage;
use super::tree::EditorTree;
use crate::slate::value::op::Path;
use crate::slate::view::tree::{Chars, Element, Kid, Leaf, NodeId};
use crate::slate::ydoc::{Formats, Id, Item, Kind, Mirror, Nid, Writer, overlaps};

/// What to write, once it is known that all of it can be written.
struct TypedChange {
    seq: Nid,
    /// [index, length], from left to right.
    lost: Vec<(u32, u32)>,
}

/// Writes it; `None`: it takes more than that, and nothing was written.
pub(super) fn flush(writer: &mut Writer, tree: &mut EditorTree) -> Option<Passage> {
    let (path, before) = tree.typed()?;
    let (head, after) = leaf(writer.mirror, tree.root(), path)?;
    let (seq, piece) = writer.mirror.piece(head)?;
    let after = after.clone();
    // In a line that was divided all of it stands in one piece, as a rule.
    writer.look_at(seq, piece);
    let change = change(writer, seq, before, &after).or_else(|| {
        writer.look_at_all();
        change(writer, seq, before, &after)
    });
    let leaf = change.and_then(|change| write(writer, &change, &after));
    writer.look_at_all();
    tree.set_typed(leaf?)
}

fn write(writer: &mut Writer, change: &TypedChange, after: &Leaf) -> Option<Leaf> {
    for (index, len) in change.lost.iter().rev() {
        writer.delete_text(change.seq, *index, *len);
    }
    let mut runs = Vec::with_capacity(after.runs.len());
    for (at, run) in after.runs.iter().enumerate() {
        let id = match run.id {
            Some(id) => id,
            None => type_text(writer, change.seq, &runs, run, &after.runs[at + 1..])?,
        };
        runs.push(Chars { id: Some(id), ..run.clone() });
    }
    let mut leaf = Leaf { marks: after.marks.clone(), runs: Vec::new() };
    runs.into_iter().for_each(|run| leaf.push(run));
    Some(leaf)
}

/// The head of the element that shows a leaf, and the leaf.
fn leaf<'a>(mirror: &Mirror, root: &'a Element, path: &Path) -> Option<(Nid, &'a Leaf)> {
    let (&last, parents) = path.split_last()?;
    let mut at = root;
    let mut holder = None;
    for &index in parents {
        let Kid::Element(kid) = at.kids.get(index as usize)? else { return None };
        at = kid;
        match &at.id {
            NodeId::Head(id) => holder = Some(*id),
            NodeId::Around { .. } => {}
            NodeId::Root | NodeId::New(_) => return None,
        }
    }
    let head = mirror.find(holder?)?;
    matches!(mirror.kind(head), Kind::Strand | Kind::Break).then_some(())?;
    match at.kids.get(last as usize)? {
        Kid::Leaf(leaf) => Some((head, leaf)),
        Kid::Element(_) => None,
    }
}

fn change(writer: &Writer, seq: Nid, before: &Leaf, after: &Leaf) -> Option<TypedChange> {
    after.runs.iter().find(|run| run.id.is_some())?;
    let (places, left) = (Stretches::of(writer.items(seq)), Stretches::of_leaf(after));
    let (mut lost, mut had) = (Vec::new(), Vec::new());
    for run in &before.runs {
        let id = run.id?;
        let there = had.len();
        had.extend(places.within(id, run.len).map(|(_, len, index)| (index, len)));
        if had[there..].iter().map(|(_, len)| len).sum::<u32>() != run.len {
            return None;
        }
        let mut from = 0;
        for (offset, len, _) in left.within(id, run.len).chain([(run.len, 0, 0)]) {
            if offset > from {
                lost.extend(places.within(id.plus(from), offset - from).map(|(_, len, index)| (index, len)));
            }
            from = offset + len;
        }
    }
    lost.sort_unstable();
    (lost.is_empty() || !empties_half(writer, seq, &had, &lost)).then_some(TypedChange { seq, lost })
}

/// Whether one of several halves that were joined loses all that it has in the leaf: if it was removed, what follows it is not
/// joined to it any more.
fn empties_half(writer: &Writer, seq: Nid, had: &[(u32, u32)], lost: &[(u32, u32)]) -> bool {
    let within = |all: &[(u32, u32)], from: u32, to: u32| -> u32 {
        all.iter().map(|(index, len)| (index + len).min(to).saturating_sub(*index.max(&from))).sum()
    };
    let (mut start, mut index) = (0, 0);
    let mut is_emptied = |to: u32| {
        let has = within(had, start, to);
        let is_emptied = has > 0 && within(lost, start, to) == has;
        start = to;
        is_emptied
    };
    for item in writer.items(seq) {
        if matches!(item, Item::Node(node) if writer.mirror.kind(*node) == Kind::Break) && is_emptied(index) {
            return true;
        }
        index += item.len();
    }
    is_emptied(u32::MAX)
}

/// Stretches of characters, by their ids: a leaf in which much was written has thousands, and each is looked for.
struct Stretches(Vec<(Id, u32, u32)>);

impl Stretches {
    /// Id, length and index of the text in a sequence.
    fn of(items: &[Item]) -> Self {
        let mut index = 0;
        let stretches = items.iter().filter_map(|item| {
            let at = index;
            index += item.len();
            match item {
                Item::Text(run) => Some((run.id, item.len(), at)),
                _ => None,
            }
        });
        Self::sorted(stretches.collect())
    }

    /// The same of what a leaf has of the document.
    fn of_leaf(leaf: &Leaf) -> Self {
        Self::sorted(leaf.runs.iter().filter_map(|run| Some((run.id?, run.len, 0))).collect())
    }

    fn sorted(mut stretches: Vec<(Id, u32, u32)>) -> Self {
        stretches.sort_unstable_by_key(|(id, ..)| (id.client, id.clock));
        Self(stretches)
    }

    /// Which of these characters there are: how far from the first, how many, and their index.
    fn within(&self, first: Id, count: u32) -> impl Iterator<Item = (u32, u32, u32)> {
        let here = overlaps(&self.0, first, count);
        here.map(move |(id, from, len, index)| (from - first.clock, len, index + (from - id.clock)))
    }
}

/// Behind the character before it, else before the one behind it, with the formats of that.
fn type_text(writer: &mut Writer, seq: Nid, before: &[Chars], run: &Chars, behind: &[Chars]) -> Option<Id> {
    if let Some(last) = before.last() {
        let (index, _) = *writer.find(seq, (last.id?.plus(last.len - 1), 1)).first()?;
        return Some(writer.insert_text(seq, index + 1, &run.text));
    }
    let next = behind.iter().find_map(|run| run.id)?;
    let (index, _) = *writer.find(seq, (next, 1)).first()?;
    let formats: Vec<_> =
        formats_behind(writer.items(seq), index).iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    Some(writer.insert_formatted(seq, index, &run.text, &formats))
}

/// The formats of what stands right behind an index.
fn formats_behind(items: &[Item], index: u32) -> Formats {
    let mut end = 0;
    for item in items {
        end += item.len();
        if index < end {
            return match item {
                Item::Text(run) => run.formats.clone(),
                _ => Formats::default(),
            };
        }
    }
    Formats::default()
}
