//! Text to its place: what is new is written beside what shows the same, what stands elsewhere comes from there.

use super::draft::{Attributes, inside};
use super::keys::{Showing, is_shown};
use super::moving;
use super::place::{Placer, Sides};
use super::work::{LeafOffset, Want, WorkId};
use crate::slate::view::Cursor;
use crate::slate::ydoc::{Formats, Nid};

/// So often text is put where it should be shown. What still is not is written again.
const MAX_TRIES: u32 = 3;
/// So often text of one leaf is written again. What then is shown elsewhere stays there: the rules want it so.
const MAX_AGAIN: u32 = 3;

impl Placer<'_, '_, '_, '_> {
    pub(super) fn write_text(&mut self, sides: &Sides, first: usize) -> bool {
        if sides.atoms[first].id.is_some() {
            self.take_text(sides, first);
            return true;
        }
        let (from, to) = sides.between(first);
        let want = &sides.want[sides.atoms[first].of];
        let Want::Text { text, marks, at, .. } = &want.what else { return false };
        let look = Showing { marks: Some(marks), around: &want.around };
        let list = &sides.units.list;
        // It stands with the neighbour that shows the same.
        let near = [from.checked_sub(1), Some(from)].into_iter().flatten().find(|at| {
            let unit = list.get(*at).filter(|unit| unit.char().is_some());
            unit.is_some_and(|unit| is_shown(&self.draft.work, &unit.formats, &look))
        });
        let before = near.filter(|near| *near == from).and_then(|_| sides.units.gaps[from].last().copied());
        let mirror = self.draft.mirror();
        let cursor = before.or_else(|| sides.units.for_text(mirror, from)).or_else(|| sides.units.for_text(mirror, to));
        let cursor = match cursor {
            Some(cursor) => cursor,
            None if self.split(sides, from) => {
                self.draft.see();
                return true;
            }
            None => inside(self.draft.mirror(), &self.draft.view, sides.piece),
        };
        let formats: Attributes = match near {
            Some(near) => list[near].formats.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
            None => self.keys.changes(self.draft, &Formats::default(), &look),
        };
        self.draft.write_text(cursor, text, &formats, *at);
        true
    }

    /// Text that moves without its element; what stands nowhere is new from now on.
    fn take_text(&mut self, sides: &Sides, first: usize) {
        if self.draft.refresh_all() {
            return;
        }
        let Some((start, len)) = self.stretch(sides, first) else { return self.forget(sides, first, 1) };
        let tries = sides.atoms[first].id.map(|id| self.tries.entry(id).or_insert(0));
        if let Some(tries) = tries {
            *tries += 1;
            if *tries > MAX_TRIES {
                *self.hopeless.entry(self.leaf_of(sides, first)).or_insert(0) += 1;
                self.forget(sides, first, len);
                self.draft.erase(vec![(start.seq, start.index, len)]);
                self.draft.see();
                return;
            }
        }
        let (from, to) = sides.between(first);
        let mirror = self.draft.mirror();
        let target = sides.units.for_text(mirror, from).or_else(|| sides.units.for_text(mirror, to));
        let target = match target {
            Some(target) => target,
            None if self.split(sides, from) => {
                self.draft.see();
                return;
            }
            None => inside(self.draft.mirror(), &self.draft.view, sides.piece),
        };
        moving::move_text(self.draft, start, len, target);
        self.draft.see();
    }

    /// The leaf that an atom is in.
    fn leaf_of(&self, sides: &Sides, at: usize) -> (WorkId, usize) {
        match &sides.want[sides.atoms[at].of].what {
            Want::Text { at, .. } => (at.node, at.kid),
            Want::Element(node) => (*node, 0),
        }
    }

    /// Whether text was written again and again, and is shown elsewhere all the same.
    pub(super) fn is_hopeless(&self, sides: &Sides, at: usize) -> bool {
        let has_id = sides.atoms[at].id.is_some();
        has_id && self.hopeless.get(&self.leaf_of(sides, at)).is_some_and(|times| *times > MAX_AGAIN)
    }

    /// The characters from an atom on that stand in one sequence as they are wanted, and do not stay: where, and how long.
    fn stretch(&mut self, sides: &Sides, first: usize) -> Option<(Cursor, u32)> {
        let (start, piece) = self.draft.place_of(sides.atoms[first].id?)?;
        let mut len = 0;
        for at in first..sides.atoms.len() {
            let atom = &sides.atoms[at];
            let Some(id) = atom.id.filter(|_| !sides.stays[at] && atom.len > 0) else { break };
            match self.draft.place_of(id) {
                Some((cursor, other)) if other == piece && cursor == (Cursor { index: start.index + len, ..start }) => {
                    len += atom.len;
                }
                _ => break,
            }
        }
        Some((start, len))
    }

    /// So many units from an atom on are new from now on.
    fn forget(&mut self, sides: &Sides, first: usize, len: u32) {
        let mut left = len;
        for atom in &sides.atoms[first..] {
            let Want::Text { at, .. } = &sides.want[atom.of].what else { return };
            let at = LeafOffset { offset: at.offset + atom.offset, ..*at };
            self.draft.work.set_ids(at, atom.len, None);
            left = left.saturating_sub(atom.len);
            if left == 0 {
                return;
            }
        }
    }

    pub(super) fn erase_stale(&mut self, sides: &Sides) -> bool {
        // What the editor shows elsewhere is moved from there.
        let stale = sides.units.list.iter().filter(|unit| self.draft.work.parent_of_char(unit.id).is_none());
        let stale: Vec<(Nid, u32, u32)> =
            stale.filter_map(|unit| unit.char().map(|(len, at)| (at.seq, at.index, len))).collect();
        let is_any = !stale.is_empty();
        self.draft.erase(stale);
        is_any
    }
}
