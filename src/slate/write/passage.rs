//! [`Passage`]: what an edit led to, from what.

use std::ops::Range;

use super::fit::fit;
use crate::slate::view::tree::{Kid, NodeId, same_ends};

/// Top-level elements before and after an edit: those that it changed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Passage {
    /// What stood, and stands, right before them.
    left: Option<NodeId>,
    /// How many stood before them.
    at: usize,
    /// How many there were at the top afterwards.
    count: usize,
    before: Vec<Kid>,
    after: Vec<Kid>,
    /// How often something came from elsewhere that is shown, up to then.
    heard: u64,
}

impl Passage {
    /// That one of the elements that there are now, at the top, was another one before.
    pub(super) fn of_one(before: Kid, kids: &[Kid], at: usize) -> Option<Self> {
        let left = at.checked_sub(1).and_then(|left| id(kids.get(left)?)).cloned();
        let after = vec![kids.get(at)?.clone()];
        Some(Self { left, at, count: kids.len(), before: vec![before], after, heard: 0 })
    }

    /// `heard`: how often something came from elsewhere that is shown.
    pub fn at(self, heard: u64) -> Self {
        Self { heard, ..self }
    }

    /// Whether nothing came from elsewhere since.
    pub fn is_latest(&self, heard: u64) -> bool {
        self.heard == heard
    }

    /// From what is shown before and afterwards.
    pub fn of(before: &[Kid], after: &[Kid]) -> Self {
        Self::of_part(before, 0..before.len(), after)
    }

    /// The same where only some of what is shown before is another afterwards.
    pub fn of_part(before: &[Kid], range: Range<usize>, after: &[Kid]) -> Self {
        let part = &before[range.clone()];
        let (start, end) = same_ends(part, after);
        let middle = |kids: &[Kid]| kids[start..kids.len() - end].to_vec();
        let (at, count) = (range.start + start, before.len() - range.len() + after.len());
        let left = at.checked_sub(1).and_then(|left| id(before.get(left)?)).cloned();
        Self { left, at, count, before: middle(part), after: middle(after), heard: 0 }
    }

    /// Whether the same was shown afterwards, be it by other elements.
    pub fn shows_the_same(&self) -> bool {
        fits(&self.before, &self.after)
    }

    /// With an edit that came later. `None`: something else was shown in between, or elsewhere.
    pub fn and(self, next: Self) -> Option<Self> {
        if self.heard != next.heard {
            return None;
        }
        let (had, has) = (self.after.len(), next.before.len());
        // How far behind the start of what this one led to the next one began.
        let shift = match (self.after.first(), next.before.first()) {
            (Some(first), _) if next.before.iter().any(|kid| kid.is_same(first)) => {
                -(next.before.iter().position(|kid| kid.is_same(first))? as isize)
            }
            (_, Some(first)) if self.after.iter().any(|kid| kid.is_same(first)) => {
                self.after.iter().position(|kid| kid.is_same(first))? as isize
            }
            _ if next.left == self.after.last().map_or_else(|| self.left.clone(), |kid| id(kid).cloned()) => {
                had as isize
            }
            _ if next.before.last().is_some_and(|kid| id(kid) == self.left.as_ref()) => -(has as isize),
            _ => return None,
        };
        let (early, late) = ((-shift).max(0) as usize, shift.max(0) as usize);
        let both = (has - early).min(had - late);
        let is_same = self.after[late..late + both].iter().zip(&next.before[early..]).all(|(a, b)| a.is_same(b));
        if !is_same {
            return None;
        }
        let mut before = next.before[..early].to_vec();
        before.extend(self.before);
        before.extend_from_slice(&next.before[early + both..]);
        let mut after = self.after[..late].to_vec();
        after.extend(next.after);
        after.extend_from_slice(&self.after[late + both..]);
        let (left, at) = if early > 0 { (next.left, next.at) } else { (self.left, self.at) };
        Some(Self { left, at, count: next.count, before, after, heard: self.heard })
    }

    /// Where what it led to is shown; `None`: it is not.
    pub fn place(&self, shown: &[Kid]) -> Option<Range<usize>> {
        // Mostly it is where it was.
        let is = |at: &usize, wanted: &NodeId| shown.get(*at).and_then(id) == Some(wanted);
        let find = |wanted: &NodeId| {
            let near = Some(self.at).filter(|at| is(at, wanted));
            near.or_else(|| (0..shown.len()).find(|at| is(at, wanted)))
        };
        let start = match (self.after.first().and_then(id), &self.left) {
            (Some(first), _) => find(first),
            (None, Some(left)) => find(left).map(|left| left + 1),
            (None, None) => Some(0),
        };
        // Taking back what came later may have made it anew. Nothing came from elsewhere: then it is where it was.
        let start = start.or_else(|| (shown.len() == self.count).then_some(self.at))?;
        let place = start..start + self.after.len();
        fits(&self.after, shown.get(place.clone())?).then_some(place)
    }

    /// Whether what was shown before it is shown where it led to, at this place of what is shown, if these are others there.
    pub fn is_back(&self, shown: &[Kid], place: &Range<usize>, range: &Range<usize>, now: &[Kid]) -> bool {
        place.start <= range.start
            && range.end <= place.end
            && fits(&self.before, &[&shown[place.start..range.start], now, &shown[range.end..place.end]].concat())
    }

    /// What is to be shown where this is taken back: `shown` was, with what it led to at this place. `None`: `now` is that.
    pub fn back(&self, shown: &[Kid], place: Range<usize>, now: &[Kid]) -> Option<Vec<Kid>> {
        let (left, right) = (&shown[..place.start], &shown[place.end..]);
        let same = |a: &[Kid], b: &[Kid]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.is_same(b));
        let middle = place.start..now.len().saturating_sub(right.len()).max(place.start);
        let is_back = now.len() == left.len() + self.before.len() + right.len()
            && same(left, &now[..place.start])
            && same(right, &now[middle.end..])
            && fits(&self.before, &now[middle]);
        (!is_back).then(|| [left, &self.before, right].concat())
    }
}

/// Whether the second shows what the first shows, element by element.
pub fn fits(a: &[Kid], b: &[Kid]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|kids| match kids {
            (Kid::Element(a), Kid::Element(b)) => fit(a, b).is_some(),
            (a, b) => a == b,
        })
}

fn id(kid: &Kid) -> Option<&NodeId> {
    match kid {
        Kid::Element(element) => Some(&element.id),
        Kid::Leaf(_) => None,
    }
}
