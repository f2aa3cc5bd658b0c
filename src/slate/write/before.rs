//! [`Before`]: what the document showed when the flush began and the editor shows no more.

use super::work::{Work, WorkId};
use crate::slate::view::{Cursor, Joined, Kid, PieceId, View};
use crate::slate::ydoc::{Id, Item, Mirror, Nid, QuickSet, ROOT};

/// An element that the editor shows no more.
pub(super) struct Vanished {
    pub head: Nid,
    pub id: Id,
    pub piece: PieceId,
    pub inline: bool,
    /// Had blocks.
    pub holds: bool,
    /// The first that it showed was a character, and is gone.
    pub is_start_lost: bool,
    /// In which elements of the editor's is what it showed, at any depth.
    pub survivors: Vec<WorkId>,
    /// In which element is the first that it showed itself.
    pub first: Option<WorkId>,
    /// What that is: a character, or an element.
    pub begins: Option<Id>,
    /// The head of the element right before it.
    pub previous: Option<Id>,
    pub joined: Vec<Joined>,
}

pub(super) struct Before {
    /// Inner ones first.
    pub vanished: Vec<Vanished>,
    /// Heads of elements whose last was a character, and is gone.
    pub end_lost: QuickSet<Nid>,
    /// Characters that are gone: [sequence, index, length].
    pub lost: Vec<(Nid, u32, u32)>,
}

impl Before {
    pub fn of(view: &View, mirror: &Mirror, work: &Work) -> Self {
        let mut before = Self { vanished: Vec::new(), end_lost: QuickSet::default(), lost: Vec::new() };
        let mut todo = vec![(View::ROOT, false, None)];
        while let Some((at, done, previous)) = todo.pop() {
            if done {
                before.look_at(view, mirror, work, at, previous);
                continue;
            }
            todo.push((at, true, previous));
            let mut left = None;
            let first = todo.len();
            for kid in &view.piece(at).kids {
                match kid {
                    Kid::Piece(kid) => {
                        todo.push((*kid, false, left));
                        left = Some(mirror.id(view.piece(*kid).head));
                    }
                    Kid::Text { .. } => left = None,
                    Kid::Cursor(_) => {}
                }
            }
            todo[first..].reverse();
        }
        before
    }

    fn look_at(&mut self, view: &View, mirror: &Mirror, work: &Work, at: PieceId, previous: Option<Id>) {
        let piece = view.piece(at);
        self.find_lost(view, mirror, work, at);
        let edge = |kid: Option<&Kid>, last: bool| match kid {
            Some(Kid::Text { item, at }) => run(mirror, *item, *at).is_some_and(|(id, len)| {
                let id = if last { id.plus(len - 1) } else { id };
                work.parent_of_char(id).is_none()
            }),
            _ => false,
        };
        let mut shown = piece.kids.iter().filter(|kid| !matches!(kid, Kid::Cursor(_)));
        let is_start_lost = edge(shown.clone().next(), false);
        if edge(shown.next_back(), true) {
            self.end_lost.insert(piece.head);
        }
        let id = mirror.id(piece.head);
        if piece.head == ROOT || work.by_head.contains_key(&id) {
            return;
        }
        let first = first_survivor(view, mirror, work, at);
        let mut survivors = Vec::new();
        survive(view, mirror, work, at, &mut survivors);
        self.vanished.push(Vanished {
            head: piece.head,
            id,
            piece: at,
            inline: piece.inline,
            holds: piece.holds,
            is_start_lost,
            first: first.map(|(element, _)| element),
            begins: first.map(|(_, id)| id),
            survivors,
            previous,
            joined: piece.joined.clone(),
        });
    }

    fn find_lost(&mut self, view: &View, mirror: &Mirror, work: &Work, at: PieceId) {
        for kid in &view.piece(at).kids {
            let Kid::Text { item, at } = kid else { continue };
            let Some((id, len)) = run(mirror, *item, *at) else { continue };
            if work.has_all(id, len) {
                continue;
            }
            let mut from = 0;
            for (offset, kept, _) in work.kept(id, len).into_iter().chain([(len, 0, 0)]) {
                if offset > from {
                    self.lost.push((at.seq, at.index + from, offset - from));
                }
                from = offset + kept;
            }
        }
    }
}

fn run(mirror: &Mirror, item: u32, at: Cursor) -> Option<(Id, u32)> {
    match mirror.node(at.seq).items.get(item as usize) {
        Some(Item::Text(run)) => Some((run.id, run.len)),
        _ => None,
    }
}

/// In which elements of the editor's is what a piece showed, at any depth.
fn survive(view: &View, mirror: &Mirror, work: &Work, at: PieceId, out: &mut Vec<WorkId>) {
    let mut todo = vec![at];
    while let Some(at) = todo.pop() {
        for kid in &view.piece(at).kids {
            match kid {
                Kid::Piece(kid) => {
                    out.extend(element(view, mirror, work, *kid));
                    todo.push(*kid);
                }
                Kid::Text { item, at } => {
                    let Some((id, len)) = run(mirror, *item, *at) else { continue };
                    out.extend(work.kept(id, len).into_iter().map(|(.., parent)| parent));
                }
                Kid::Cursor(_) => {}
            }
        }
    }
    out.sort_unstable();
    out.dedup();
}

/// The parent of an element that the editor shows.
fn element(view: &View, mirror: &Mirror, work: &Work, at: PieceId) -> Option<WorkId> {
    let at = work.by_head.get(&mirror.id(view.piece(at).head))?;
    work.node(*at).parent
}

fn first_survivor(view: &View, mirror: &Mirror, work: &Work, at: PieceId) -> Option<(WorkId, Id)> {
    view.piece(at).kids.iter().find_map(|kid| match kid {
        Kid::Piece(kid) => Some((element(view, mirror, work, *kid)?, mirror.id(view.piece(*kid).head))),
        Kid::Text { item, at } => {
            let (id, len) = run(mirror, *item, *at)?;
            work.kept(id, len).first().map(|(offset, _, parent)| (*parent, id.plus(*offset)))
        }
        Kid::Cursor(_) => None,
    })
}
