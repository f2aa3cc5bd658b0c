//! [`Again`]: what was written again, and under which ids.
//!
//! What undo, redo and restore write again has new ids. The root map `slate-yrs:again` says so, old run → new run: anchors,
//! carets, authors and later undos follow it. Keys are `client:clock` of the first character or the nested type, values are
//! `[length, client:clock]`.

use yrs::{Any, TransactionMut};

use crate::slate::ydoc::{
    Id, MAX_AGAIN, Mirror, Runs, Span, Writer, covering, origins, read_again, read_were, up_to_next,
};

/// Chains of what was written again and again are followed so far.
const MAX_CHAIN: usize = 1000;

/// So many runs that begin before another ends are kept in mind.
const MAX_OPEN: usize = 64;

#[derive(Debug, Clone, Default)]
pub struct Again {
    runs: Runs,
}

impl Again {
    /// Reads the map. Of what is there twice it leads to what is shown.
    pub fn read(txn: &mut TransactionMut, mirror: &Mirror) -> Self {
        let mut runs = all_found(read_again(txn));
        mirror.twice().iter().for_each(|(first, run)| runs.insert(first, *run));
        let mut again = Self { runs };
        if !mirror.shown_again().is_empty() {
            again.lead_to_shown(mirror.shown_again(), &read_were(txn));
        }
        again
    }

    /// Two wrote the same again, and the map has one of both under its key, which may be gone: what leads to either leads to what
    /// is shown. In forged maps, in which all runs overlap, not to all of it.
    fn lead_to_shown(&mut self, shown: &Runs, were: &Runs) {
        let mut left = 4096 + 8 * (shown.len() + were.len() + self.runs.len());
        for (first, (len, _)) in shown.iter() {
            self.lead((first, *len), &Runs::default(), shown, &mut left);
        }
        for (new, (len, old)) in were.iter() {
            let is_found = self.covering(*old).is_some_and(|((first, count), now)| {
                let passed = old.clock - first.clock;
                now.plus(passed) == new && *len <= count - passed
            });
            if !is_found {
                self.lead((new, *len), were, shown, &mut left);
            }
        }
    }

    /// From where these are now on to what is shown of what they were, in so many steps at most as are left.
    fn lead(&mut self, span: Span, were: &Runs, shown: &Runs, left: &mut usize) {
        let mut id = span.0;
        for (now, count) in self.follow_so_far(span, MAX_AGAIN, left) {
            let mut passed = 0;
            while passed < count && *left > 0 {
                *left -= 1;
                let (was, len) = origins(were, (id.plus(passed), count - passed));
                let here = match covering(shown, was) {
                    Some(((first, run), target)) => {
                        let offset = was.clock - first.clock;
                        let here = len.min(run - offset);
                        if target.plus(offset) != now.plus(passed) {
                            self.runs.insert(now.plus(passed), (here, target.plus(offset)));
                        }
                        here
                    }
                    None => up_to_next(shown, (was, len)),
                };
                passed += here;
            }
            id = id.plus(count);
        }
    }

    /// Notes, here and in the document, that these were written again.
    pub fn note(&mut self, writer: &mut Writer, (old, len): Span, new: Id) {
        self.runs.insert(old, (len, new));
        writer.note_again((old, len), new);
    }

    /// The id that a character or nested type has now.
    pub fn latest(&self, id: Id) -> Id {
        let mut now = id;
        for _ in 0..MAX_CHAIN {
            let Some((len, new)) = self.covering(now) else { break };
            let offset = now.clock - len.0.clock;
            now = new.plus(offset);
        }
        now
    }

    /// The run that covers an id: its first id and length, and what it became.
    fn covering(&self, id: Id) -> Option<(Span, Id)> {
        covering(&self.runs, id)
    }

    /// Where these are now, in pieces.
    pub fn follow(&self, span: Span) -> Vec<Span> {
        let mut left = usize::MAX;
        self.follow_so_far(span, MAX_CHAIN, &mut left)
    }

    /// In chains of so many at most, and in so many steps as are left.
    fn follow_so_far(&self, span: Span, chain: usize, left: &mut usize) -> Vec<Span> {
        let mut out: Vec<Span> = Vec::new();
        let mut todo = vec![(span, 0)];
        while let Some(((first, len), depth)) = todo.pop() {
            if len == 0 {
                continue;
            }
            if *left == 0 {
                break;
            }
            *left -= 1;
            match self.covering(first).filter(|_| depth < chain) {
                Some(((old, run), new)) => {
                    let offset = first.clock - old.clock;
                    let here = len.min(run - offset);
                    todo.push(((first.plus(here), len - here), depth));
                    todo.push(((new.plus(offset), here), depth + 1));
                }
                None => {
                    let here = up_to_next(&self.runs, (first, len));
                    todo.push(((first.plus(here), len - here), depth));
                    out.push((first, here));
                }
            }
        }
        out
    }

    /// The same backwards: what was written again, and as what it was written first.
    pub fn backwards(&self) -> Self {
        let mut back = Runs::default();
        for (old, (len, new)) in self.runs.iter() {
            // What two were written again as is the first one's.
            if back.range(*new..=*new).next().is_none() {
                back.insert(*new, (*len, old));
            }
        }
        Self { runs: back }
    }

    /// A register's value with the ids of today.
    pub(super) fn translate(&self, value: &Any) -> Any {
        match value {
            Any::String(_) => Id::from_any(value).map_or_else(|| value.clone(), |id| self.latest(id).to_any()),
            Any::Array(list) => Any::Array(list.iter().map(|value| self.translate(value)).collect()),
            other => other.clone(),
        }
    }
}

/// Two who wrote again what the one had removed more of than the other: of the longer run what is behind the shorter one is a run of
/// its own, so that it is found.
fn all_found(runs: Runs) -> Runs {
    let mut found = runs.clone();
    let mut open: Vec<(Id, u32, Id)> = Vec::new();
    for (first, (len, new)) in runs.iter() {
        let end = first.plus(*len);
        open.retain(|(start, len, _)| start.client == first.client && start.plus(*len) > first);
        let around = open.iter().rev().find(|(start, len, _)| start.plus(*len) > end);
        if let Some((start, len, new)) = around.filter(|_| runs.range(end..=end).next().is_none()) {
            let passed = end.clock - start.clock;
            found.insert(end, (len - passed, new.plus(passed)));
        }
        if open.len() == MAX_OPEN {
            open.remove(0);
        }
        open.push((first, *len, *new));
    }
    found
}
