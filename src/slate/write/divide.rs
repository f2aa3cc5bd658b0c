//! What was divided: breaks, the inner one first. At its start and its end nothing is divided: there Enter makes a new element.

use std::rc::Rc;

use yrs::Any;

use super::before::Before;
use super::draft::{Attributes, Draft, is_line};
use super::gap::Units;
use super::work::{Work, WorkId};
use crate::slate::value::node::Attrs;
use crate::slate::view::{Cursor, FrameId, PieceId, View};
use crate::slate::ydoc::{Id, Nid, QuickMap, QuickSet, ROOT, attribute_name};

/// What is new on the left or right of a division is the new element.
pub(super) fn swap_at_starts(work: &mut Work) {
    for at in work.inner_first.clone() {
        let node = work.node(at);
        let (None, None, Some(origin)) = (node.head, &node.key, node.origin) else { continue };
        let Some(&left) = work.by_head.get(&origin) else { continue };
        if !work.has_old(left) && work.has_old(at) {
            work.nodes[left].head = None;
            work.set_head(at, origin);
        }
    }
}

/// An element was divided, and its first half removed, or joined to something without anything of it: what is left of it is the
/// element. So it is where something was joined, and all of it divided off again.
pub(super) fn take_over(work: &mut Work, before: &mut Before) {
    let halves: Vec<(WorkId, Id)> = (0..work.nodes.len())
        .filter(|at| work.node(*at).head.is_none() && work.node(*at).key.is_none())
        .filter_map(|at| Some((at, work.node(at).origin?)))
        .collect();
    if halves.is_empty() {
        return;
    }
    before.vanished.retain(|was| {
        let is_in = |half: WorkId, survivor: &WorkId| work.is_within(*survivor, half);
        let own: Vec<WorkId> = halves.iter().filter(|(_, of)| *of == was.id).map(|(at, _)| *at).collect();
        let is_left = !was.survivors.is_empty()
            && was.survivors.iter().all(|survivor| own.iter().any(|half| is_in(*half, survivor)));
        let half = own.into_iter().find(|half| is_left && work.has_old(*half));
        let again = || {
            // It is not what was taken off around all that is in a half.
            let is_alike = |half: &WorkId| work.node(*half).inline == was.inline && work.holds(*half) == was.holds;
            let begins = |half: &WorkId| was.begins.is_some() && is_alike(half) && work.first_old(*half) == was.begins;
            let mut halves = halves.iter().map(|(at, _)| *at).filter(|at| work.node(*at).head.is_none());
            halves.find(|half| begins(half) && was.survivors.iter().all(|survivor| is_in(*half, survivor)))
        };
        half.or_else(again).map(|half| work.set_head(half, was.id)).is_none()
    });
}

pub(super) fn write_breaks(draft: &mut Draft, start: &View, joins: &QuickSet<Id>) {
    let is_divided = |at: &WorkId| {
        let node = draft.work.node(*at);
        node.head.is_none() && node.key.is_none() && node.origin.is_some()
    };
    let divided: Vec<WorkId> = draft.work.inner_first.iter().copied().filter(is_divided).collect();
    let mut lines = Lines::default();
    let mut made: QuickMap<Id, Option<Id>> = QuickMap::default();
    for at in divided {
        let origin = draft.work.node(at).origin;
        let mut place = lines.place(draft, at);
        if place.is_err() && draft.see() {
            lines = Lines::default();
            place = lines.place(draft, at);
        }
        match place {
            Ok(holder) => drop(write_in_line(draft, start, joins, at, (holder, &mut lines))),
            Err(NoLine) => {
                // Also what was divided off the same element.
                let is_it = |head: Id| joins.contains(&head) || made.get(&head) == Some(&origin);
                write_break(draft, start, &is_it, at);
                draft.see();
            }
        }
        made.extend(draft.work.node(at).head.map(|head| (head, origin)));
    }
    draft.see();
}

/// Lines that were divided since the view was made: where the next break comes in one is known without another view, as long as
/// it stands behind those before.
#[derive(Default)]
struct Lines {
    of: QuickMap<PieceId, DividedLine>,
    strands: QuickSet<Nid>,
}

struct DividedLine {
    units: Units,
    /// How many breaks it got, and before which unit the last stands.
    breaks: u32,
    last: usize,
    /// What is inherited behind that.
    props: Option<Rc<Attrs>>,
}

/// Where to divide has to be looked for in a view that is true.
struct NoLine;

impl Lines {
    /// The line in which an element begins that was divided from it; `None`: nowhere.
    fn place(&mut self, draft: &mut Draft, at: WorkId) -> Result<Option<(PieceId, usize)>, NoLine> {
        let Some(first) = draft.work.first_old(at) else { return Ok(None) };
        let Some((_, piece)) = draft.place_of(first) else { return Err(NoLine) };
        if !self.of.contains_key(&piece) {
            let strand = draft.frame(piece).strand;
            let is_line = is_line(&draft.view, piece) && draft.view.piece(piece).head != ROOT;
            (is_line && self.strands.insert(strand)).then_some(()).ok_or(NoLine)?;
            self.of.insert(piece, DividedLine { units: draft.units(piece), breaks: 0, last: 0, props: None });
        }
        let line = &self.of[&piece];
        let index = line.units.list[line.last..].iter().position(|unit| unit.id == first).ok_or(NoLine)?;
        Ok(Some((piece, line.last + index)))
    }
}

fn write_in_line(
    draft: &mut Draft,
    start: &View,
    joins: &QuickSet<Id>,
    at: WorkId,
    (place, lines): (Option<(PieceId, usize)>, &mut Lines),
) -> Option<()> {
    let (piece, index) = place?;
    let line = lines.of.get_mut(&piece)?;
    if strand_of(draft, start, at) != Some(draft.frame(piece).strand) {
        let head = draft.id(draft.view.piece(piece).head);
        (line.breaks == 0 && joins.contains(&head)).then_some(())?;
    }
    (index > line.last).then_some(())?;
    let cursor = line.units.for_break(&draft.view, index)?;
    let cursor = Cursor { index: cursor.index + line.breaks, ..cursor };
    let inherited = line.props.take();
    let inherited = inherited.or_else(|| draft.view.inherited.get(cursor.props as usize).cloned()).unwrap_or_default();
    #[cfg(test)]
    check_break(draft, at, cursor, &inherited);
    let mut attributes: Attributes = vec![("@".into(), "break".into())];
    attributes.extend(differences(&inherited, &draft.work.node(at).props));
    let made = draft.make(cursor, attributes);
    let mut props = (*inherited).clone();
    let own = draft.mirror().node(made).registers.own.iter();
    own.for_each(|(name, value)| drop(props.insert(name.clone(), value.clone())));
    (line.breaks, line.last, line.props) = (line.breaks + 1, index, Some(Rc::new(props)));
    let id = draft.id(made);
    draft.work.set_head(at, id);
    Some(())
}

/// What is known of a line is what a view says.
#[cfg(test)]
fn check_break(draft: &Draft, at: WorkId, cursor: Cursor, inherited: &Attrs) {
    let view = draft.look();
    let first = draft.work.first_old(at).expect("what was divided");
    let found = (0..view.pieces.len() as PieceId).find_map(|piece| {
        let units = Units::of(&view, draft.mirror(), piece);
        let index = units.position(first).filter(|_| piece != View::ROOT)?;
        units.for_break(&view, index).filter(|_| index > 0)
    });
    let found = found.map(|found| (found.seq, found.index, view.inherited[found.props as usize].clone()));
    assert_eq!(found, Some((cursor.seq, cursor.index, Rc::new(inherited.clone()))), "where a break comes");
}

fn write_break(draft: &mut Draft, start: &View, is_it: &dyn Fn(Id) -> bool, at: WorkId) -> Option<()> {
    let first = draft.work.first_old(at)?;
    let holder = draft.holder_of(first)?;
    draft.frame(holder).parent?;
    let chain = draft.frame(holder).strand;
    if strand_of(draft, start, at) != Some(chain) {
        is_it(draft.id(draft.view.piece(holder).head)).then_some(())?;
    }
    let units = draft.units(holder);
    let index = units.position(first).filter(|index| *index > 0)?;
    let (mut cursor, frames) = match units.for_break(&draft.view, index) {
        Some(cursor) => (cursor, vec![cursor.frame]),
        None => {
            let cursor = units.for_any_break(index)?;
            (cursor, transparent_around(draft, cursor, holder)?)
        }
    };
    let props = if frames.len() == 1 { cursor.props } else { units.props_before(&draft.view, index)? };
    let inherited = draft.view.inherited.get(props as usize).cloned().unwrap_or_default();
    let mut made = None;
    for (level, frame) in frames.iter().enumerate() {
        let strand = draft.view.frame(*frame).strand;
        let mut attributes: Attributes = vec![("@".into(), "break".into())];
        if cursor.seq != strand {
            attributes.push(("@of".into(), draft.id(strand).to_any()));
        }
        if level + 1 == frames.len() {
            attributes.extend(differences(&inherited, &draft.work.node(at).props));
        }
        let seq = draft.make(cursor, attributes);
        cursor = Cursor { seq, index: 0, held: false, ..cursor };
        made = Some(seq);
    }
    let id = draft.id(made?);
    draft.work.set_head(at, id);
    Some(())
}

/// What is to be divided stands in something transparent: the walks of all that is around the place, the innermost first, up to
/// that of the holder. Each is divided, by a break in the gap of the one before. None if one of them was moved there: what is
/// divided off the element around it does not take along what is divided off such a one.
fn transparent_around(draft: &Draft, cursor: Cursor, holder: PieceId) -> Option<Vec<FrameId>> {
    let view = &draft.view;
    let (mut frame, mut at) = (cursor.frame, cursor.piece);
    let mut frames = vec![frame];
    while at != holder {
        let piece = view.piece(at);
        piece.gone.filter(|_| piece.spill)?;
        if draft.mirror().node(piece.head).registers.at.is_some() {
            return None;
        }
        frame = view.frame(view.outer(frame)).parent?;
        frames.push(frame);
        at = piece.up;
    }
    Some(frames)
}

/// The strand whose chain the element was in that this one was divided from.
fn strand_of(draft: &Draft, start: &View, at: WorkId) -> Option<u32> {
    let origin = draft.mirror().find(draft.work.node(at).origin?).filter(|head| *head != ROOT)?;
    let piece: PieceId = start.find(origin)?;
    Some(start.strand(piece))
}

/// Only what differs from what it inherits; null says: none.
fn differences(inherited: &Attrs, own: &Attrs) -> Attributes {
    let is_null = |value: &Any| matches!(value, Any::Null | Any::Undefined);
    let set = own.iter().filter(|(name, value)| inherited.get(*name) != Some(value));
    let none = inherited.iter().filter(|(name, value)| !is_null(value) && own.get(*name).is_none());
    let set = set.map(|(name, value)| (attribute_name(name), value.clone()));
    set.chain(none.map(|(name, _)| (attribute_name(name), Any::Null))).collect()
}
