//! Marks and elements around text: keys are given where something else is shown than what is wanted.

use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use yrs::Any;

use super::draft::{Attributes, Draft, formats_of};
use super::keys::{Keys, Showing};
use super::work::{Want, Wanted, WorkId, WorkKid};
use crate::slate::value::node::Attrs;
use crate::slate::view::{Cursor, Kid, PieceId};
use crate::slate::ydoc::{Formats, Id, Item, KeyName, Kind, MarkKey, Nid, parse_key, resolve};

/// A stretch of what an element shows, with the same formats and the same that is wanted.
struct FormatStretch {
    formats: Formats,
    place: StretchPlace,
    marks: Option<Rc<Attrs>>,
    around: Rc<[WorkId]>,
}

#[derive(Clone, Copy)]
enum StretchPlace {
    Text(Cursor, u32),
    Piece(PieceId),
}

/// Elements, not around text, of which the formats matter.
fn formatted(draft: &Draft) -> Vec<WorkId> {
    let work = &draft.work;
    let is_formatted = |at: &WorkId| {
        let node = work.node(*at);
        let wants = node.kids.iter().any(|kid| match kid {
            WorkKid::Leaf(leaf) => !leaf.marks.is_empty(),
            WorkKid::Node(kid) => work.is_around(*kid),
        });
        let has = |piece: PieceId| {
            draft.view.piece(piece).kids.iter().any(|kid| match kid {
                Kid::Text { item, at } => !formats_of(draft.mirror(), *item, *at).is_empty(),
                Kid::Piece(kid) => !draft.view.piece(*kid).formats.is_empty(),
                Kid::Cursor(_) => false,
            })
        };
        node.head.is_some() && (wants || draft.piece(*at).is_some_and(has))
    };
    let mut all: Vec<WorkId> = work.inner_first.iter().copied().filter(is_formatted).collect();
    all.sort_unstable();
    all
}

/// What an element shows beside what is wanted; nothing if that is not the same.
fn stretches(draft: &Draft, at: WorkId) -> Vec<FormatStretch> {
    let Some(piece) = draft.piece(at) else { return Vec::new() };
    let want = draft.work.wanted(at);
    let mut wanted = WantedCursor { want: &want, at: 0, offset: 0 };
    let mut out = Vec::new();
    for kid in &draft.view.piece(piece).kids {
        match kid {
            Kid::Cursor(_) => {}
            Kid::Piece(kid) => {
                let shown = draft.view.piece(*kid);
                let Some(around) = wanted.element(draft.id(shown.head)) else { return Vec::new() };
                let formats = shown.formats.clone();
                if shown.inline {
                    out.push(FormatStretch { formats, place: StretchPlace::Piece(*kid), marks: None, around });
                }
            }
            Kid::Text { item, at } => {
                let Some(Item::Text(run)) = draft.mirror().node(at.seq).items.get(*item as usize) else { continue };
                let mut offset = 0;
                while offset < run.len {
                    let id = run.id.plus(offset);
                    let Some((len, marks, around)) = wanted.text(id, run.len - offset) else { return Vec::new() };
                    let place = StretchPlace::Text(Cursor { index: at.index + offset, ..*at }, len);
                    out.push(FormatStretch { formats: run.formats.clone(), place, marks: Some(marks), around });
                    offset += len;
                }
            }
        }
    }
    out
}

/// A place among what is wanted.
struct WantedCursor<'a> {
    want: &'a [Wanted],
    at: usize,
    offset: u32,
}

impl WantedCursor<'_> {
    fn element(&mut self, id: Id) -> Option<Rc<[WorkId]>> {
        let want = self.want.get(self.at)?;
        self.at += 1;
        (want.element().is_some() && want.id == Some(id)).then(|| want.around.clone())
    }

    fn text(&mut self, id: Id, most: u32) -> Option<(u32, Rc<Attrs>, Rc<[WorkId]>)> {
        let want = self.want.get(self.at)?;
        let Want::Text { len, marks, .. } = &want.what else { return None };
        if want.id.map(|id| id.plus(self.offset)) != Some(id) {
            return None;
        }
        let taken = most.min(len - self.offset);
        self.offset += taken;
        if self.offset == *len {
            (self.at, self.offset) = (self.at + 1, 0);
        }
        Some((taken, marks.clone(), want.around.clone()))
    }
}

/// An element around text that stands, here or there, under a younger one of its name gets a new key.
pub(super) fn renew(draft: &mut Draft, keys: &mut Keys) {
    for at in formatted(draft) {
        for stretch in stretches(draft, at) {
            for around in stretch.around.iter() {
                let Some(key) = draft.work.node(*around).key.clone() else { continue };
                let own = parse_key(&key);
                let is_younger = |other: &Arc<str>| {
                    let other_key = parse_key(other);
                    *other != key && other_key.name == own.name && other_key.time >= own.time
                };
                if stretch.formats.keys().any(is_younger) && !is_shown_under(&stretch.formats, &key) {
                    keys.give_anew(draft, *around);
                }
            }
        }
    }
}

fn is_shown_under(formats: &Formats, key: &str) -> bool {
    resolve(formats).around.iter().any(|around| *around.key == *key)
}

/// Writes what has to be shown and is not. Formats concern text and inline elements only.
pub(super) fn paint(draft: &mut Draft, keys: &mut Keys) {
    give_places(draft, keys);
    let mut todo: Vec<(Nid, u32, u32, Attributes)> = Vec::new();
    for at in formatted(draft) {
        for stretch in stretches(draft, at) {
            let look = Showing { marks: stretch.marks.as_deref(), around: &stretch.around };
            let change = keys.changes(draft, &stretch.formats, &look);
            if change.is_empty() {
                continue;
            }
            let (seq, index, len) = match stretch.place {
                StretchPlace::Text(at, len) => (at.seq, at.index, len),
                StretchPlace::Piece(piece) => token_of(draft, piece),
            };
            match todo.last_mut() {
                Some((last, start, before, other)) if *last == seq && *start + *before == index && *other == change => {
                    *before += len;
                }
                _ => todo.push((seq, index, len, change)),
            }
        }
    }
    for (seq, index, len, change) in todo {
        draft.writer.format(seq, index, len, &change);
    }
}

/// The second half of an inline strand has the formats of the first. To have others it gets a place of its own.
fn give_places(draft: &mut Draft, keys: &mut Keys) {
    let mirror = draft.mirror();
    if !draft.view.pieces.iter().any(|piece| piece.inline && mirror.kind(piece.head) == Kind::Break) {
        return;
    }
    let mut halves: Vec<Nid> = Vec::new();
    for at in formatted(draft) {
        for stretch in stretches(draft, at) {
            let StretchPlace::Piece(piece) = stretch.place else { continue };
            let head = draft.view.piece(piece).head;
            let is_half = draft.mirror().kind(head) == Kind::Break && draft.view.claims(head).is_empty();
            let look = Showing { marks: None, around: &stretch.around };
            if is_half && !keys.changes(draft, &stretch.formats, &look).is_empty() {
                halves.push(head);
            }
        }
    }
    for head in halves {
        let Some(piece) = draft.view.find(head) else { continue };
        let units = draft.units(draft.view.piece(piece).up);
        let index = units.position(draft.id(head));
        let Some(cursor) = index.and_then(|index| units.for_element(index, index)) else { continue };
        let marker = draft.place(cursor);
        draft.register(piece, marker);
        draft.see();
    }
}

/// What stands for an element where it is shown: the marker at which it is registered, or its head.
fn token_of(draft: &Draft, piece: PieceId) -> (Nid, u32, u32) {
    let head = draft.view.piece(piece).head;
    let token = draft.view.claims(head).first().map_or(head, |(marker, _)| *marker);
    (draft.mirror().node(token).up, draft.mirror().index_of(token), 1)
}

/// A key of one's own is cleared, whole, when a newer key of one's own covers all of it. Nothing else is ever cleared.
pub(super) fn compact(draft: &mut Draft) {
    let client = draft.writer.client();
    let mirror = draft.mirror();
    let mut spread: Vec<(Arc<str>, (Nid, u32, u32))> = Vec::new();
    let mut needed: HashSet<Arc<str>> = HashSet::new();
    let mut alive: Vec<Nid> = mirror.alive().collect();
    alive.sort_unstable();
    for seq in alive {
        let mut index = 0;
        for item in &mirror.node(seq).items {
            let formats = match item {
                Item::Text(run) => Some(&run.formats),
                Item::Node(node) => Some(&mirror.node(*node).formats),
                Item::Foreign | Item::Left { .. } => None,
            };
            for (key, is_covered) in formats.into_iter().flat_map(|formats| own_keys(formats, client)) {
                match is_covered {
                    true => spread.push((key, (seq, index, item.len()))),
                    false => drop(needed.insert(key)),
                }
            }
            index += item.len();
        }
    }
    spread.retain(|(key, _)| !needed.contains(key));
    spread.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (key, (seq, index, len)) in spread {
        draft.writer.format(seq, index, len, &[(key, Any::Null)]);
    }
}

/// Keys of one's own, and whether a newer one of one's own with the same name is there too.
fn own_keys(formats: &Formats, client: u64) -> Vec<(Arc<str>, bool)> {
    if formats.is_empty() {
        return Vec::new();
    }
    let keys: Vec<(&Arc<str>, MarkKey)> = formats
        .keys()
        .map(|key| (key, parse_key(key)))
        .filter(|(_, parsed)| parsed.client == client && parsed.time > 0)
        .collect();
    let is_newer = |name: &KeyName, time: u64| keys.iter().any(|(_, other)| other.name == *name && other.time > time);
    keys.iter().map(|(key, parsed)| ((*key).clone(), is_newer(&parsed.name, parsed.time))).collect()
}
