//! Elements that are gone into others: their content is at the end of another now.

use super::Plan;
use super::known::{OLD, Who};
use super::shade::{ShadeId, ShadeKind};
use super::shadow::Positions;

/// Which of these can stay if all are to be in increasing order: indices of a longest increasing subsequence.
pub fn increasing(list: &[u32]) -> Vec<usize> {
    if list.is_sorted_by(|a, b| a < b) {
        return (0..list.len()).collect();
    }
    // The last of the best of each length, and what comes before each.
    let (mut tails, mut before): (Vec<usize>, Vec<Option<usize>>) = (Vec::new(), Vec::with_capacity(list.len()));
    for (index, value) in list.iter().enumerate() {
        let len = tails.partition_point(|tail| list[*tail] < *value);
        before.push(len.checked_sub(1).map(|len| tails[len]));
        if len == tails.len() {
            tails.push(index);
        } else {
            tails[len] = index;
        }
    }
    let mut stay: Vec<_> = std::iter::successors(tails.last().copied(), |index| before[*index]).collect();
    stay.reverse();
    stay
}

impl Plan<'_> {
    /// Joins to an element those that are gone into it. `early`: only what needs no move.
    pub(super) fn join_heirs(&mut self, who: Who, early: bool) {
        let Some(heirs) = self.found.looked(who).map(|look| look.heir_of.clone()) else { return };
        if let Some(element) = self.shade(who) {
            for gone in heirs {
                self.join(gone, element, early);
            }
        }
    }

    fn join(&mut self, gone: Who, into: ShadeId, early: bool) {
        let Some(shade) = self.shade(gone) else { return };
        let outside = self.up(shade).is_some() && !self.is_within(Some(shade), into);
        if !outside || self.is_inline(shade) != self.is_inline(into) {
            return;
        }
        self.open(into);
        self.open(shade);
        let mut spots = self.spots(into, into);
        let own = increasing(&spots).len();
        let came = self.spots(shade, into);
        spots.extend_from_slice(&came);
        // How many of them need not be moved one by one.
        let gain = increasing(&spots).len() - own;
        let siblings = self.up(shade) == self.up(into);
        if siblings && (gain > 0 || came.is_empty()) {
            self.clear_between(into, shade);
        }
        let next = siblings && self.index_of(shade) == self.index_of(into) + 1;
        // Else to move what it has is as cheap.
        let worth = if next { came.is_empty() || gain > 0 } else { !early && gain > 1 };
        if !worth {
            return;
        }
        if !next && let Some(up) = self.up(into) {
            self.move_to(shade, up, self.index_of(into) + 1);
        }
        self.merge(shade, into);
    }

    /// Where in the element that `to` is what `shade` has belongs; nothing for what belongs elsewhere.
    fn spots(&self, shade: ShadeId, to: ShadeId) -> Positions {
        let to = self.who(to);
        let mut spots = Positions::new();
        for kid in self.children(shade) {
            match &self.shades[*kid as usize].kind {
                ShadeKind::Leaf { stretches, .. } => {
                    let all = stretches.iter().map(|id| self.stretch(*id));
                    spots.extend(all.filter(|stretch| stretch.to == to).map(|stretch| stretch.pos));
                }
                ShadeKind::Element { who, .. } if self.new_up(*who) == to => {
                    spots.push(self.found.known[*who as usize].pos)
                }
                ShadeKind::Element { .. } => {}
            }
        }
        spots
    }

    /// Removes what stands between two siblings, if that is only what is dead, and empty leaves.
    fn clear_between(&mut self, first: ShadeId, last: ShadeId) {
        let Some(up) = self.up(first) else { return };
        self.open(up);
        let (from, to) = (self.index_of(first) + 1, self.index_of(last));
        if from >= to {
            return;
        }
        let between = self.children(up)[from..to].to_vec();
        let dead = between.iter().all(|shade| match self.who(*shade) {
            None => self.is_free(*shade),
            Some(who) => self.end(OLD, who).is_some() && self.is_dead(who),
        });
        if dead {
            between.into_iter().for_each(|shade| self.remove(shade));
        }
    }
}
