//! Which of what is there already stays where it is: the heaviest set that is in the order that is wanted.

use std::collections::HashMap;
use std::hash::Hash;

/// `have`: what is there, in order. `want`: what is wanted, in order, with its weight. Returns for each of `want` whether it
/// stays; what is not there does not. O(n log n).
pub(super) fn in_order<T: Copy + Eq + Hash>(have: &[T], want: &[(Option<T>, u64)]) -> Vec<bool> {
    let mut stays = vec![false; want.len()];
    let start = have.iter().zip(want).take_while(|(have, (want, _))| Some(**have) == *want).count();
    let tail = have[start..].iter().rev().zip(want[start..].iter().rev());
    let end = tail.take_while(|(have, (want, _))| Some(**have) == *want).count();
    for at in (0..start).chain(want.len() - end..want.len()) {
        stays[at] = true;
    }
    let have = &have[start..have.len() - end];
    let position: HashMap<T, usize> = have.iter().enumerate().map(|(at, id)| (*id, at)).collect();
    // Best weight of a rising sequence that ends at or before a position, and where it ends in `want`.
    let mut best: Vec<(u64, usize)> = vec![(0, usize::MAX); have.len() + 1];
    let mut before = vec![usize::MAX; want.len()];
    let mut top = (0, usize::MAX);
    for at in start..want.len() - end {
        let (Some(id), weight) = want[at] else { continue };
        let Some(&place) = position.get(&id) else { continue };
        let (sum, last) = prefix(&best, place);
        before[at] = last;
        let found = (sum + weight, at);
        raise(&mut best, place, found);
        if found.0 > top.0 {
            top = found;
        }
    }
    let mut at = top.1;
    while at != usize::MAX {
        stays[at] = true;
        at = before[at];
    }
    stays
}

/// The heaviest of the first `count` positions; of equal ones the earliest in `want`.
fn prefix(best: &[(u64, usize)], count: usize) -> (u64, usize) {
    let mut found = (0, usize::MAX);
    let mut at = count;
    while at > 0 {
        found = heavier(found, best[at]);
        at &= at - 1;
    }
    found
}

fn raise(best: &mut [(u64, usize)], position: usize, with: (u64, usize)) {
    let mut at = position + 1;
    while at < best.len() {
        best[at] = heavier(best[at], with);
        at += at & at.wrapping_neg();
    }
}

fn heavier(a: (u64, usize), b: (u64, usize)) -> (u64, usize) {
    if b.0 > a.0 || (b.0 == a.0 && b.1 < a.1) { b } else { a }
}
