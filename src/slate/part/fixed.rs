//! [`Fixed`]: which top-level elements stayed.

use std::rc::Rc;

use super::edited::EditedKids;
use crate::slate::remote::increasing;
use crate::slate::view::tree::Kid;
use crate::slate::ydoc::QuickMap;

/// Which top-level elements are the same before and after a change, and in the same order.
pub(super) struct Fixed {
    start: usize,
    /// Where the same begin again, before and after.
    ends: (usize, usize),
    /// Of those between, after the change: which they were before.
    between: Vec<Option<usize>>,
}

impl Fixed {
    /// `start`, `end`: how many are the same at the start, and at the end.
    pub fn of(before: &[Kid], after: EditedKids, (start, end): (usize, usize)) -> Self {
        let ends = (before.len() - end, after.len() - end);
        let known: QuickMap<usize, usize> = match start < ends.1 {
            true => (start..ends.0).filter_map(|at| Some((address(&before[at])?, at))).collect(),
            false => QuickMap::default(),
        };
        let mut between: Vec<Option<usize>> =
            (start..ends.1).map(|at| known.get(&address(after.at(at)?)?).copied()).collect();
        keep_rising(&mut between);
        Self { start, ends, between }
    }

    /// Which of those before stands here, if it stayed.
    pub fn before(&self, at: usize) -> Option<usize> {
        if at < self.start {
            Some(at)
        } else if at >= self.ends.1 {
            Some(at - self.ends.1 + self.ends.0)
        } else {
            self.between[at - self.start]
        }
    }

    /// Those before that did not stay, and those that stand, or stood, beside what changed; in order.
    pub fn touched(&self) -> Vec<usize> {
        if self.between.is_empty() && self.start == self.ends.0 {
            return Vec::new();
        }
        let mut stayed = vec![false; self.ends.0 - self.start];
        self.between.iter().flatten().for_each(|at| stayed[at - self.start] = true);
        let stays = |at: usize| stayed.get(at.wrapping_sub(self.start)).is_none_or(|stayed| *stayed);
        let mut touched: Vec<usize> = (self.start..self.ends.0)
            .filter(|at| !stays(*at) || !stays(at + 1) || at.checked_sub(1).is_some_and(|before| !stays(before)))
            .collect();
        touched.extend(self.start.checked_sub(1));
        touched.push(self.ends.0);
        let changed = |at: usize| self.between.get(at).is_some_and(Option::is_none);
        for (at, was) in self.between.iter().enumerate() {
            if let Some(was) = was
                && (changed(at + 1) || at.checked_sub(1).is_some_and(changed) || self.jumps(at))
            {
                touched.push(*was);
            }
        }
        touched.sort_unstable();
        touched.dedup();
        touched
    }

    /// Whether something else stands beside it than before.
    fn jumps(&self, at: usize) -> bool {
        let follows = |a: Option<usize>, b: Option<usize>| matches!((a, b), (Some(a), Some(b)) if a + 1 == b);
        let at = at + self.start;
        let before = at.checked_sub(1).and_then(|left| self.before(left));
        !follows(before, self.before(at)) || !follows(self.before(at), self.before(at + 1))
    }
}

fn address(kid: &Kid) -> Option<usize> {
    match kid {
        Kid::Element(element) => Some(Rc::as_ptr(element) as usize),
        Kid::Leaf(_) => None,
    }
}

/// Only a longest rising sequence is left.
fn keep_rising(list: &mut [Option<usize>]) {
    let (places, values): (Vec<usize>, Vec<u32>) =
        list.iter().enumerate().filter_map(|(at, value)| Some((at, (*value)? as u32))).unzip();
    let mut stays = increasing(&values).into_iter().map(|index| places[index]).peekable();
    for (at, value) in list.iter_mut().enumerate() {
        *value = value.filter(|_| stays.next_if_eq(&at).is_some());
    }
}
