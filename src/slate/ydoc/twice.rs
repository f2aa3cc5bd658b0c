//! Text that is there twice: two took the removal of the same letters back without having heard of each other, and each wrote
//! them again.
//!
//! Who writes again says so in the root map [`MAP`], for each run under a key that no other has: `=NEW`, with `[length, OLD]`.
//! Of all that is there of what was one character, that with the lowest id is shown. The rest takes up its place, as an embed
//! does that nobody knows, and is deleted by whoever writes next.

use std::collections::HashMap;

use yrs::{Any, Map as _, Out, TransactionMut, WriteTxn as _};

use super::act::Span;
use super::id::Id;
use super::mirror::{Item, Mirror, Nid, Run, Runs, Twice};
use super::writer::Writer;
use crate::slate::value::utf16;

/// What was written again, and under which ids.
pub const MAP: &str = "slate-yrs:again";
/// Before the id of what was written: what it is of.
const OF: &str = "=";
/// What was written again and again is followed so far.
pub const MAX_AGAIN: usize = 64;

/// Reads the map: what became of old runs. What is damaged is left out. From then on yrs tells when it changes: of a root that
/// only others have named, it does not.
pub fn read_again(txn: &mut TransactionMut) -> Runs {
    read(txn, "")
}

/// The same backwards: what new runs were.
pub fn read_were(txn: &mut TransactionMut) -> Runs {
    read(txn, OF)
}

fn read(txn: &mut TransactionMut, prefix: &str) -> Runs {
    let map = txn.get_or_insert_map(MAP);
    let run = |(key, value): (&str, Out)| {
        let name = key.strip_prefix(prefix)?;
        // In its one form: else two keys could be of one run, and which counts nobody could say.
        let first = Id::from_any(&Any::String(name.into())).filter(|first| first.to_string() == name)?;
        let Out::Any(Any::Array(list)) = value else { return None };
        let len = match list.first()? {
            Any::Number(number) => number.as_f64().filter(|len| *len >= 1.0 && *len <= f64::from(u32::MAX))? as u32,
            _ => return None,
        };
        let other = Id::from_any(list.get(1)?)?;
        [first, other].iter().all(|id| id.clock.checked_add(len).is_some()).then_some((first, (len, other)))
    };
    map.iter(&*txn).filter_map(run).collect()
}

/// The run that an id is in: its first id and length, and the other run.
pub fn covering(runs: &Runs, id: Id) -> Option<(Span, Id)> {
    let (first, (len, other)) = runs.range(..=id).next_back()?;
    let is_in = first.client == id.client && id.clock - first.clock < *len;
    is_in.then_some(((first, *len), *other))
}

/// What a character was before it was written again, for the first time.
fn origin(were: &Runs, id: Id) -> Option<Id> {
    let (first, _) = back(were, (id, 1));
    (first != id).then_some(first)
}

/// What the first of these was before it was written again for the first time, and of how many of them that is to be counted up.
pub fn origins(were: &Runs, span: Span) -> Span {
    let (first, len) = back(were, span);
    (first, up_to_next(were, (first, len)))
}

/// What these were, and how many of them were written again together with the first.
fn back(were: &Runs, (id, len): Span) -> Span {
    let (mut now, mut here) = (id, len);
    for _ in 0..MAX_AGAIN {
        let Some(((first, count), old)) = covering(were, now) else { break };
        let passed = now.clock - first.clock;
        (now, here) = (old.plus(passed), here.min(count - passed));
    }
    (now, here)
}

/// How many of these stand before the next run behind the first begins.
pub fn up_to_next(runs: &Runs, (first, len): Span) -> u32 {
    let mut next = runs.range(first..first.plus(len)).map(|(run, _)| run.clock - first.clock);
    next.find(|at| *at > 0).unwrap_or(len)
}

impl Mirror {
    /// Whether anything is hidden.
    pub fn has_twice(&self) -> bool {
        !self.twice.hidden.is_empty()
    }

    /// What is hidden, and what is shown in its stead.
    pub fn twice(&self) -> &Runs {
        &self.twice.hidden
    }

    /// What was written again and is shown: by what it was before it was written again for the first time.
    pub fn shown_again(&self) -> &Runs {
        &self.twice.shown
    }

    /// Looks for what is there twice, and hides it. Outside of a transaction that has deleted something.
    pub fn hide_twice(&mut self, txn: &mut TransactionMut) {
        let were = read_were(txn);
        let before = std::mem::take(&mut self.twice).within;
        self.refill(txn, &before);
        if were.len() < 2 {
            return;
        }
        let twice = self.find_twice(&were);
        let within = twice.within.clone();
        self.twice = twice;
        self.refill(txn, &within);
    }

    fn find_twice(&self, were: &Runs) -> Twice {
        let mut found: Vec<(Id, u32, Id, Nid)> = Vec::new();
        let mut lowest: HashMap<Id, Id> = HashMap::new();
        for seq in self.alive() {
            let runs = self.node(seq).items.iter().filter_map(|item| match item {
                Item::Text(run) => Some(run),
                _ => None,
            });
            for run in runs.filter(|run| is_again(were, run)) {
                let mut id = run.id;
                for letter in run.text.chars() {
                    let len = letter.len_utf16() as u32;
                    if let Some(origin) = origin(were, id) {
                        found.push((id, len, origin, seq));
                        let lowest = lowest.entry(origin).or_insert(id);
                        *lowest = id.min(*lowest);
                    }
                    id = id.plus(len);
                }
            }
        }
        found.sort_unstable();
        let mut twice = Twice::default();
        let (mut hidden, mut again) = (None, None);
        for (id, len, origin, seq) in found {
            let shown = lowest[&origin];
            if shown == id {
                push(&mut twice.shown, &mut again, (origin, len), id);
            } else {
                twice.within.push(seq);
                push(&mut twice.hidden, &mut hidden, (id, len), shown);
            }
        }
        twice.within.sort_unstable();
        twice.within.dedup();
        twice
    }

    /// What stands at an index and is not shown.
    fn drop_foreign(&mut self, seq: Nid, index: u32) {
        let items = &mut self.nodes[seq as usize].items;
        let mut start = 0;
        let place = items.iter().position(|item| {
            let is_it = start == index && *item == Item::Foreign;
            start += item.len();
            is_it
        });
        if let Some(place) = place {
            items.remove(place);
            self.touched.insert(seq);
        }
    }

    /// A run as it is shown.
    pub(super) fn without_twice(&self, run: Run) -> Vec<Item> {
        let end = run.id.plus(run.len);
        let mut items = Vec::new();
        let mut at = run.id;
        while at < end {
            let next = match covering(&self.twice.hidden, at) {
                Some(((first, len), _)) => {
                    let next = end.min(first.plus(len));
                    items.extend((at.clock..next.clock).map(|_| Item::Foreign));
                    next
                }
                None => {
                    let next = self.twice.hidden.range(at..end).next().map_or(end, |(first, _)| first);
                    let (from, to) = (at.clock - run.id.clock, next.clock - run.id.clock);
                    if let Some(text) = utf16::slice(&run.text, from, to) {
                        let formats = run.formats.clone();
                        items.push(Item::Text(Run { id: at, text: text.into(), len: to - from, formats }));
                    }
                    next
                }
            };
            at = next;
        }
        items
    }
}

/// Adds to what was added last, where both count on.
fn push(runs: &mut Runs, last: &mut Option<(Span, Id)>, (id, len): Span, other: Id) {
    let ((first, count), stead) = match *last {
        Some(((first, count), stead)) if first.plus(count) == id && stead.plus(count) == other => {
            ((first, count + len), stead)
        }
        _ => ((id, len), other),
    };
    *last = Some(((first, count), stead));
    runs.insert(first, (count, stead));
}

/// Whether any of it was written again.
fn is_again(were: &Runs, run: &Run) -> bool {
    covering(were, run.id).is_some() || were.range(run.id..run.id.plus(run.len)).next().is_some()
}

impl Writer<'_, '_> {
    /// Notes in the document that these were written again.
    pub fn note_again(&mut self, (old, len): Span, new: Id) {
        let run = |other: Id| Any::Array(vec![Any::from(f64::from(len)), other.to_any()].into());
        self.set_in_map(MAP, old.to_string(), run(new));
        self.set_in_map(MAP, format!("{OF}{new}"), run(old));
    }

    /// Deletes what is hidden; who looks for it finds what is shown in its stead.
    pub fn delete_twice(&mut self) {
        let hidden: Vec<(Id, (u32, Id))> = self.mirror.twice.hidden.iter().map(|(id, run)| (id, *run)).collect();
        let all = hidden.iter().flat_map(|(first, (len, _))| (0..*len).map(|offset| first.plus(offset)));
        let mut places: Vec<(Nid, u32)> = all.filter_map(|id| self.place_of(id)).collect();
        // The last first, so that the places of those before it hold.
        places.sort_unstable();
        places.into_iter().rev().for_each(|(seq, index)| self.mirror.drop_foreign(seq, index));
        for (first, (len, stead)) in &hidden {
            let run = Any::Array(vec![Any::from(f64::from(*len)), stead.to_any()].into());
            self.set_in_map(MAP, first.to_string(), run);
        }
        let ids: Vec<Span> = hidden.iter().map(|(first, (len, _))| (*first, *len)).collect();
        self.delete(&ids);
        self.mirror.twice = Twice::default();
    }
}
