//! What was joined, and what was removed.
//!
//! Joined is what Slate merged, and what was emptied into the element before it and removed: between two halves that follow
//! each other the break is switched off, else the content flows in through a seam.

use std::rc::Rc;

use yrs::Any;

use super::before::{Before, Vanished};
use super::draft::{Draft, is_line, pieces_in};
#[cfg(test)]
use super::gap::Units;
use super::gap::end_of;
use crate::slate::view::tree::NodeId;
use crate::slate::view::{self, Cursor, PieceId, View};
use crate::slate::ydoc::{Erase, Gone, Id, Kind, Nid, QuickMap, QuickSet, ROOT};

/// Returns the heads that were joined.
pub(super) fn write_joins(draft: &mut Draft, before: &Before, joins: &QuickMap<Id, NodeId>) -> QuickSet<Id> {
    let mut joined = QuickSet::default();
    let mut lines = JoinedLines::default();
    for was in &before.vanished {
        let find = |draft: &Draft| {
            let host = host_of(draft, was, joins)?;
            Some((draft.piece_of(was.id).filter(|piece| *piece != host)?, host))
        };
        let Some((mut piece, mut host)) = find(draft) else { continue };
        let mut is_known = lines.know(draft, was, piece, host);
        if !is_known && draft.see() {
            lines = JoinedLines::default();
            let Some(now) = find(draft) else { continue };
            (piece, host) = now;
            is_known = lines.know(draft, was, piece, host);
        }
        #[cfg(test)]
        if is_known {
            check_join(draft, (piece, host), &lines);
        }
        let wrote = write_join(draft, before, was, (piece, host), &mut lines);
        joined.extend(wrote.is_some().then_some(was.id));
        if !is_known || wrote == Some(Elsewhere::Wrote) {
            draft.see();
            lines = JoinedLines::default();
        }
    }
    draft.see();
    joined
}

/// Whether a join wrote anywhere else than between the two.
#[derive(PartialEq)]
enum Elsewhere {
    Nothing,
    Wrote,
}

/// Lines that were joined since the view was made: where such an element ends now is known without another view.
#[derive(Default)]
struct JoinedLines {
    /// What another was joined to, where it ends since, and whether something flows into it.
    ends: QuickMap<PieceId, (Cursor, bool)>,
    /// What was joined, and what to; and whether by switching off the break between them.
    into: QuickMap<PieceId, (PieceId, bool)>,
    /// Strands of which something was joined, or to which.
    strands: QuickSet<Nid>,
}

impl JoinedLines {
    /// Whether what is to be joined and what to are lines that are in the view as they were before all these joins, or are known
    /// to have been joined.
    fn know(&self, draft: &Draft, was: &Vanished, piece: PieceId, host: PieceId) -> bool {
        let view = &draft.view;
        let strand_of = |at: PieceId| view.strand(at);
        let is_new = |at: PieceId| !self.strands.contains(&strand_of(at));
        let is_joined = |at: PieceId| self.into.contains_key(&at);
        let end = self.ends.get(&host);
        let is_next = || {
            let is_whole = end.is_none_or(|(_, flows)| !flows);
            is_whole && breaks_between(draft, view, (piece, host), self).is_some_and(|breaks| breaks.len() == 1)
        };
        !was.survivors.is_empty()
            && [piece, host].into_iter().all(|at| is_line(view, at) && view.piece(at).head != ROOT && !is_joined(at))
            && (end.is_some() || is_new(host))
            && (if strand_of(piece) == strand_of(host) { is_next() } else { is_new(piece) })
    }

    fn note(&mut self, draft: &Draft, (piece, host): (PieceId, PieceId), is_off: bool) {
        let end = end_of(&draft.view, draft.mirror(), piece);
        self.ends.extend(end.map(|end| (host, (end, !is_off))));
        self.into.insert(piece, (host, is_off));
        self.strands.extend([draft.view.strand(piece), draft.view.strand(host)]);
    }

    /// Where an element ends.
    fn end(&self, draft: &Draft, host: PieceId) -> Option<Cursor> {
        if let Some((end, _)) = self.ends.get(&host) {
            return Some(*end);
        }
        end_of(&draft.view, draft.mirror(), host)
    }
}

/// The piece into which it was joined.
fn host_of(draft: &Draft, was: &Vanished, joins: &QuickMap<Id, NodeId>) -> Option<PieceId> {
    let work = &draft.work;
    let mut is_emptied = false;
    let head = match (joins.get(&was.id), was.first) {
        (Some(_), Some(first)) => work.node(work.holder(first)).head,
        (Some(into), None) => match (work.by_source.get(into), into) {
            (Some(into), _) => work.node(work.holder(*into)).head,
            (None, NodeId::Head(id)) => Some(*id),
            (None, _) => None,
        },
        (None, _) => {
            let previous = work.by_head.get(&was.previous?).filter(|_| !was.inline && !was.survivors.is_empty())?;
            let all = was.survivors.iter().all(|survivor| work.is_within(*survivor, *previous));
            is_emptied = true;
            work.node(*previous).head.filter(|_| all)
        }
    };
    // What others have put into a container meanwhile would be blocks within a line.
    let is_alike = |host: &PieceId| !is_emptied || draft.view.piece(*host).holds == was.holds;
    draft.piece_of(head?).filter(is_alike)
}

fn write_join(
    draft: &mut Draft,
    before: &Before,
    was: &Vanished,
    (piece, host): (PieceId, PieceId),
    lines: &mut JoinedLines,
) -> Option<Elsewhere> {
    let view = draft.view.clone();
    let (x, into) = (view.piece(piece), view.piece(host));
    if was.survivors.is_empty() {
        // With all its text, and what had flowed into it: what nobody saw in it does not stay as an empty line.
        let joined = x.joined.iter().map(|joined| (joined.head, joined.to, joined.gone));
        for (head, to, _) in joined.chain([(x.head, x.to, x.gone)]).filter(|(.., gone)| gone.is_none()) {
            draft.set_gone(head, to, false);
        }
    }
    let breaks =
        breaks_between(draft, &view, (piece, host), lines).filter(|breaks| !flows_behind(draft, &view, host, breaks));
    if let Some(breaks) = breaks {
        let erased = was.is_start_lost && before.end_lost.contains(&into.head);
        let value = if erased { Any::from("erased") } else { Any::Bool(true) };
        for node in breaks {
            draft.set(node, "@off", value.clone());
        }
        lines.note(draft, (piece, host), true);
        return Some(Elsewhere::Nothing);
    }
    let end = lines.end(draft, host)?;
    let head = draft.id(x.head).to_any();
    let seam = draft.make(end, vec![("@".into(), "seam".into()), ("@for".into(), head)]);
    lines.note(draft, (piece, host), false);
    let along = draft.work.by_head.get(&draft.id(into.head)).map(|host| draft.along(piece, *host));
    let wrote = draft.register_with(piece, seam, &along.unwrap_or_default());
    Some(if wrote { Elsewhere::Wrote } else { Elsewhere::Nothing })
}

/// What is known of lines is what a view says.
#[cfg(test)]
fn check_join(draft: &Draft, (piece, host): (PieceId, PieceId), known: &JoinedLines) {
    let (view, nothing) = (draft.look(), JoinedLines::default());
    let now = |at: PieceId| view.find(draft.view.piece(at).head).expect("what is joined");
    let breaks = breaks_between(draft, &draft.view, (piece, host), known);
    assert_eq!(breaks, breaks_between(draft, &view, (now(piece), now(host)), &nothing), "breaks between the two");
    let gaps = Units::of(&view, draft.mirror(), now(host)).gaps;
    let end = gaps.last().and_then(|gap| gap.iter().rev().find(|cursor| cursor.piece == now(host)));
    let place = |cursor: Cursor| (cursor.seq, cursor.index, cursor.held);
    assert_eq!(known.end(draft, host).map(place), end.copied().map(place), "where the other ends");
}

/// The breaks to switch off, if only hidden pieces are between the two, and none of these has a place of its own.
fn breaks_between(
    draft: &Draft,
    view: &View,
    (from, host): (PieceId, PieceId),
    lines: &JoinedLines,
) -> Option<Vec<Nid>> {
    let mut breaks = Vec::new();
    let mut at = from;
    loop {
        let piece = view.piece(at);
        let is_plain = draft.mirror().kind(piece.head) == Kind::Break
            && view.frame(piece.frame).owner != Some(piece.head)
            && view.claims(piece.head).is_empty();
        if !is_plain || (at != from && !piece.hidden) {
            return None;
        }
        breaks.push(piece.head);
        at = piece.prev?;
        if at == host || lines.into.get(&at) == Some(&(host, true)) {
            return Some(breaks);
        }
    }
}

/// Whether something has flowed into a piece that would be shown behind what is joined to it, if these breaks were off.
fn flows_behind(draft: &Draft, view: &View, host: PieceId, breaks: &[Nid]) -> bool {
    let joined = &view.piece(host).joined;
    if joined.is_empty() {
        return false;
    }
    let mirror = draft.mirror();
    let ranks = view::ranks(mirror);
    let rank = |node: Nid| ranks[node as usize];
    let first = breaks.iter().map(|node| rank(*node)).min();
    let sequences: QuickSet<Nid> = breaks.iter().map(|node| mirror.node(*node).up).collect();
    joined.iter().any(|joined| {
        let claims = view.claims(joined.head);
        let stands = claims.iter().any(|(marker, _)| sequences.contains(&mirror.node(*marker).up));
        stands && Some(rank(joined.head)) > first
    })
}

/// What is removed, and not joined to anything, is gone; what lives in it is shown in its place.
pub(super) fn write_removals(draft: &mut Draft, before: &Before, start: &View, joined: &QuickSet<Id>) {
    let view = draft.view.clone();
    for was in before.vanished.iter().filter(|was| !joined.contains(&was.id)) {
        let unwrap = !was.survivors.is_empty();
        let now = match view.find(was.head) {
            Some(piece) => view.piece(piece),
            None => start.piece(was.piece),
        };
        let joined = was.joined.iter().map(|joined| (joined.head, joined.to, joined.gone));
        for (head, to, gone) in [(now.head, now.to, now.gone)].into_iter().chain(joined) {
            match gone {
                None => draft.set_gone(head, to, unwrap),
                // Removed by another, and shown for what lives in it: that stays without it.
                Some(gone) if unwrap && !gone.unwrap => {
                    draft.set_gone(head, to, true);
                    hand_on(draft, gone, to);
                }
                Some(_) => {}
            }
        }
    }
    draft.see();
}

/// What shows itself only since this flush (what held it is gone), and what the editor does not show, is gone: text beside it
/// would be shown in it. Whether there was such.
pub(super) fn write_appeared(draft: &mut Draft) -> bool {
    for round in 0..10 {
        let view = draft.view.clone();
        let mut extra = Vec::new();
        let mut todo = vec![View::ROOT];
        while let Some(at) = todo.pop() {
            for kid in pieces_in(&view, at) {
                let piece = view.piece(kid);
                let is_known = draft.work.by_head.contains_key(&draft.id(piece.head));
                if !is_known && piece.gone.is_none() {
                    extra.push((piece.head, piece.to));
                }
                todo.push(kid);
            }
        }
        for (head, to) in &extra {
            draft.set_gone(*head, *to, false);
        }
        if !draft.see() {
            return round > 0;
        }
    }
    true
}

/// What the editor shows and the view would hide; what the view would show and the editor does not. Returns what is shown then.
pub(super) fn write_lives(draft: &mut Draft) -> Rc<View> {
    let mut view = draft.plain_view();
    for _ in 0..10 {
        let mut displayed = QuickSet::from_iter([View::ROOT]);
        let mut extra = Vec::new();
        let mut todo = vec![View::ROOT];
        while let Some(at) = todo.pop() {
            for kid in pieces_in(&view, at) {
                displayed.insert(kid);
                todo.push(kid);
                if !draft.work.by_head.contains_key(&draft.id(view.piece(kid).head)) {
                    extra.push(kid);
                }
            }
        }
        let mut shown: Vec<Nid> = draft.work.by_head.keys().filter_map(|id| draft.mirror().find(*id)).collect();
        shown.sort_unstable();
        let is_known = |piece: PieceId| draft.work.by_head.contains_key(&draft.id(view.piece(piece).head));
        let missing: Vec<PieceId> = shown
            .iter()
            .filter(|head| **head != ROOT)
            .filter_map(|head| view.find(*head))
            .filter(|at| {
                let piece = view.piece(*at);
                // Transparent: shown for its text alone, as long as no other line takes that in.
                let is_shown_for_text = !extra.is_empty() && piece.gone.is_some_and(|gone| gone.unwrap);
                (piece.gone.is_some() && (piece.spill || is_shown_for_text))
                    || (!displayed.contains(at) && (piece.hidden || !is_known(piece.up)))
            })
            .collect();
        if missing.is_empty() && extra.is_empty() {
            break;
        }
        if !missing.is_empty() {
            // What is shown only because these are not may not be shown then.
            extra.clear();
        }
        let (stuck, missing): (Vec<PieceId>, Vec<PieceId>) = missing.into_iter().partition(|at| {
            let piece = view.piece(*at);
            piece.gone.is_none() && draft.mirror().node(piece.head).registers.keep
        });
        for at in missing {
            give_life(draft, &view, at);
        }
        for at in stuck {
            place_out(draft, draft.id(view.piece(at).head));
        }
        for at in extra {
            let piece = view.piece(at);
            draft.set_gone(piece.head, piece.to, false);
        }
        draft.see();
        view = draft.plain_view();
    }
    view
}

fn give_life(draft: &mut Draft, view: &View, at: PieceId) {
    let piece = view.piece(at);
    let Some(gone) = piece.gone else {
        draft.set(piece.head, "@keep", Any::Bool(true));
        return;
    };
    draft.set(piece.head, "@gone", Any::Bool(false));
    hand_on(draft, gone, piece.to);
}

/// What comes next in the chain goes on inheriting what it inherited from here.
fn hand_on(draft: &mut Draft, gone: Gone, next: Option<Nid>) {
    let Some(next) = next else { return };
    let until = gone.to.and_then(|to| draft.mirror().find(to));
    if gone.to != Some(draft.id(next)) && draft.mirror().node(next).registers.gone.is_none() {
        draft.set_gone(next, until, gone.unwrap);
    }
}

/// It is kept, and does not show itself: it is in something that is gone, in which nothing lives. It gets a place beside that.
fn place_out(draft: &mut Draft, id: Id) -> Option<()> {
    draft.see();
    let piece = draft.piece_of(id)?;
    let holder = draft.view.piece(piece).up;
    let units = draft.units(holder);
    let index = units.position(id)?;
    let cursor = units.for_element(0, index).filter(|cursor| cursor.piece == holder)?;
    let marker = draft.place(cursor);
    draft.register(piece, marker);
    Some(())
}

/// A break of which nothing is shown ended the piece inside its last child: there is no position behind that. It is switched
/// off.
pub(super) fn open_end(draft: &mut Draft, piece: PieceId) -> bool {
    let view = draft.view.clone();
    let Some(node) = view.piece(piece).to else { return false };
    let is_hidden = view.find(node).is_some_and(|piece| view.piece(piece).hidden);
    let is_on = draft.mirror().node(node).registers.off == Erase::On;
    if !is_on || !view.claims(node).is_empty() || !is_hidden {
        return false;
    }
    draft.set_off(node);
    true
}
