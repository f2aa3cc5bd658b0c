//! The shadow: the old tree as the operations so far have changed it.

use std::cell::Cell;

use smallvec::SmallVec;

use super::Plan;
use super::known::{KidRef, OLD, Shaded, Who};
use super::shade::{Shade, ShadeId, ShadeKind};
use super::stretches::StretchId;
use crate::slate::value::node::Attrs;
use crate::slate::value::op::Path;
use crate::slate::view::tree::{Element, Kid};

/// The index of a member of a list, from a guess outwards.
fn find(list: &[ShadeId], shade: ShadeId, guess: usize) -> Option<usize> {
    let guess = guess.min(list.len());
    let (before, behind) = list.split_at(guess);
    let mut before = before.iter().rev();
    let mut behind = behind.iter();
    for far in 0.. {
        match (behind.next(), before.next()) {
            (None, None) => return None,
            (Some(there), _) if *there == shade => return Some(guess + far),
            (_, Some(there)) if *there == shade => return Some(guess - far - 1),
            _ => {}
        }
    }
    None
}

impl<'a> Plan<'a> {
    /// The shadow of an element; `None` if it is not there yet, or no more.
    pub(super) fn shade(&mut self, who: Who) -> Option<ShadeId> {
        let end = match self.found.known[who as usize].shaded {
            Shaded::As(shade) => return Some(shade),
            Shaded::Gone => return None,
            Shaded::Not => self.end(OLD, who)?,
        };
        let up = end.up.and_then(|up| self.shade(up));
        Some(self.new_element(who, end.element, up, None))
    }

    pub(super) fn new_element(
        &mut self,
        who: Who,
        like: &'a Element,
        up: Option<ShadeId>,
        kids: Option<Vec<ShadeId>>,
    ) -> ShadeId {
        let id = self.shades.len() as ShadeId;
        self.shades.push(Shade {
            up,
            at: Cell::new(0),
            kind: ShadeKind::Element { who, like, kids, off: Cell::new(0) },
        });
        self.found.known[who as usize].shaded = Shaded::As(id);
        id
    }

    pub(super) fn new_leaf(&mut self, marks: &'a Attrs, stretches: Vec<StretchId>, up: Option<ShadeId>) -> ShadeId {
        let id = self.shades.len() as ShadeId;
        for stretch in &stretches {
            self.stretches[*stretch as usize].leaf = Some(id);
        }
        self.shades.push(Shade { up, at: Cell::new(0), kind: ShadeKind::Leaf { marks, stretches } });
        id
    }

    /// Makes the kids of an element, and looks at it if nobody did: something is to be done to it all the same.
    pub(super) fn open(&mut self, shade: ShadeId) {
        let ShadeKind::Element { who, kids: None, .. } = self.shades[shade as usize].kind else { return };
        let Some(end) = self.end(OLD, who) else { return };
        if self.kids(OLD, who).is_empty() && !end.element.kids.is_empty() {
            self.found.list(who);
            self.look(&[who]);
        }
        let count = self.kid_count(OLD, who);
        let mut made = Vec::with_capacity(count + 4);
        self.shades.reserve(count);
        for (index, real) in end.element.kids.iter().enumerate() {
            made.extend(match (self.kid(OLD, who, index), real) {
                (Some(KidRef::Element(kid)), _) => self.shade(kid),
                (Some(KidRef::Leaf(first, count)), Kid::Leaf(leaf)) => {
                    let stretches = self.cuts_of(OLD, first, count).iter().flatten().copied().collect();
                    Some(self.new_leaf(&leaf.marks, stretches, Some(shade)))
                }
                _ => None,
            });
            if let Some(kid) = made.last() {
                self.shades[*kid as usize].at = Cell::new(index as u32);
            }
        }
        if let ShadeKind::Element { kids, .. } = &mut self.shades[shade as usize].kind {
            *kids = Some(made);
        }
    }

    pub(super) fn up(&self, shade: ShadeId) -> Option<ShadeId> {
        self.shades[shade as usize].up
    }

    pub(super) fn who(&self, shade: ShadeId) -> Option<Who> {
        match self.shades[shade as usize].kind {
            ShadeKind::Element { who, .. } => Some(who),
            ShadeKind::Leaf { .. } => None,
        }
    }

    pub(super) fn is_leaf(&self, shade: ShadeId) -> bool {
        matches!(self.shades[shade as usize].kind, ShadeKind::Leaf { .. })
    }

    pub(super) fn is_inline(&self, shade: ShadeId) -> bool {
        matches!(self.shades[shade as usize].kind, ShadeKind::Element { like, .. } if like.inline)
    }

    /// Of an open element.
    pub(super) fn children(&self, shade: ShadeId) -> &[ShadeId] {
        match &self.shades[shade as usize].kind {
            ShadeKind::Element { kids: Some(kids), .. } => kids,
            _ => &[],
        }
    }

    pub(super) fn children_mut(&mut self, shade: ShadeId) -> Option<&mut Vec<ShadeId>> {
        self.open(shade);
        match &mut self.shades[shade as usize].kind {
            ShadeKind::Element { kids, .. } => kids.as_mut(),
            ShadeKind::Leaf { .. } => None,
        }
    }

    /// Of a leaf.
    pub(super) fn texts(&self, leaf: ShadeId) -> &[StretchId] {
        match &self.shades[leaf as usize].kind {
            ShadeKind::Leaf { stretches, .. } => stretches,
            ShadeKind::Element { .. } => &[],
        }
    }

    pub(super) fn texts_mut(&mut self, leaf: ShadeId) -> Option<&mut Vec<StretchId>> {
        match &mut self.shades[leaf as usize].kind {
            ShadeKind::Leaf { stretches, .. } => Some(stretches),
            ShadeKind::Element { .. } => None,
        }
    }

    pub(super) fn attrs(&self, shade: ShadeId) -> &'a Attrs {
        match self.shades[shade as usize].kind {
            ShadeKind::Leaf { marks, .. } => marks,
            ShadeKind::Element { like, .. } => &like.props,
        }
    }

    pub(super) fn units(&self, stretches: &[StretchId]) -> u32 {
        stretches.iter().map(|id| self.stretch(*id).len).sum()
    }

    pub(super) fn text(&self, stretches: &[StretchId]) -> String {
        stretches.iter().map(|id| self.stretch(*id).text).collect()
    }

    /// Among its siblings.
    pub(super) fn index_of(&self, shade: ShadeId) -> usize {
        let Some(up) = self.up(shade) else { return 0 };
        let at = &self.shades[shade as usize].at;
        if let ShadeKind::Element { kids: Some(kids), off, .. } = &self.shades[up as usize].kind {
            if kids.get(at.get() as usize) == Some(&shade) {
                return at.get() as usize;
            }
            let guess = at.get().saturating_add_signed(off.get());
            let index = find(kids, shade, guess as usize).unwrap_or(kids.len());
            off.set(index as i32 - at.get() as i32);
            at.set(index as u32);
            return index;
        }
        self.who(shade).and_then(|who| self.end(OLD, who)).map_or(0, |end| end.at as usize)
    }

    pub(super) fn path(&self, mut shade: ShadeId) -> Path {
        let mut path = Path::new();
        while let Some(up) = self.up(shade) {
            path.push(self.index_of(shade) as u32);
            shade = up;
        }
        path.reverse();
        path
    }

    pub(super) fn is_within(&self, shade: Option<ShadeId>, above: ShadeId) -> bool {
        std::iter::successors(shade, |shade| self.up(*shade)).any(|shade| shade == above)
    }

    /// Whether the new tree has it, or a part of it, directly in the element that `above` is.
    pub(super) fn belongs(&self, shade: ShadeId, above: ShadeId) -> bool {
        let to = self.who(above);
        match &self.shades[shade as usize].kind {
            ShadeKind::Leaf { stretches, .. } => stretches.iter().any(|id| self.stretch(*id).to == to),
            ShadeKind::Element { who, .. } => self.new_up(*who) == to,
        }
    }

    /// Without text that stays.
    pub(super) fn is_free(&self, leaf: ShadeId) -> bool {
        self.is_leaf(leaf) && !self.texts(leaf).iter().any(|id| self.stretch(*id).kept)
    }

    /// What is gone goes with the text that stays at its left in the leaf (carets do so), or with the first that does.
    /// Where the part of a leaf begins that goes with a stretch.
    pub(super) fn start_of(&self, id: StretchId, leaf: ShadeId) -> usize {
        let texts = self.texts(leaf);
        let at = texts.iter().position(|other| *other == id).unwrap_or_default();
        if texts[..at].iter().any(|before| self.stretch(*before).kept) { at } else { 0 }
    }

    /// And where it ends.
    pub(super) fn end_of(&self, id: StretchId, leaf: ShadeId) -> usize {
        let texts = self.texts(leaf);
        let at = texts.iter().position(|other| *other == id).map_or(texts.len(), |at| at + 1);
        at + texts[at..].iter().take_while(|behind| !self.stretch(**behind).kept).count()
    }

    /// The leaf of a stretch, which is there.
    pub(super) fn leaf_of(&self, id: StretchId) -> Option<ShadeId> {
        self.stretch(id).leaf
    }
}

/// Small lists of positions.
pub(super) type Positions = SmallVec<[u32; 8]>;
