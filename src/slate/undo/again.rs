//! [`Again`]: what was written again, and under which ids.
//!
//! What undo, redo and restore write again has new ids. The root map `slate-yrs:again` says so, old run → new run: anchors,
//! carets, authors and later undos follow it. Keys are `client:clock` of the first character or the nested type, values are
//! `[length, client:clock]`.

use yrs::{Any, Map as _, Out, TransactionMut, WriteTxn as _};

use crate::slate::ydoc::{Id, Span, Writer};
use crate::sorted::Sorted;

pub const MAP: &str = "slate-yrs:again";

/// Chains of what was written again and again are followed so far.
const MAX_CHAIN: usize = 1000;

#[derive(Debug, Clone, Default)]
pub struct Again {
    runs: Sorted<Id, (u32, Id)>,
}

impl Again {
    /// Reads the map; what is damaged is left out. From then on yrs tells when it changes: of a root that only others have
    /// named, it does not.
    pub fn read(txn: &mut TransactionMut) -> Self {
        let map = txn.get_or_insert_map(MAP);
        let run = |(key, value): (&str, Out)| {
            let old = Id::from_any(&Any::String(key.into()))?;
            let Out::Any(Any::Array(list)) = value else { return None };
            let len = match list.first()? {
                Any::Number(number) => number.as_f64().filter(|len| *len >= 1.0 && *len <= f64::from(u32::MAX))? as u32,
                _ => return None,
            };
            Some((old, (len, Id::from_any(list.get(1)?)?)))
        };
        Self { runs: map.iter(&*txn).filter_map(run).collect() }
    }

    /// Notes, here and in the document, that these were written again.
    pub fn note(&mut self, writer: &mut Writer, (old, len): Span, new: Id) {
        self.runs.insert(old, (len, new));
        let value = Any::Array(vec![Any::from(f64::from(len)), new.to_any()].into());
        writer.set_in_map(MAP, old.to_string(), value);
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
        let (old, (len, new)) = self.runs.range(..=id).next_back()?;
        let is_in = old.client == id.client && id.clock - old.clock < *len;
        is_in.then_some(((old, *len), *new))
    }

    /// Where these are now, in pieces.
    pub fn follow(&self, span: Span) -> Vec<Span> {
        let mut out: Vec<Span> = Vec::new();
        let mut todo = vec![(span, 0)];
        while let Some(((first, len), depth)) = todo.pop() {
            if len == 0 {
                continue;
            }
            match self.covering(first).filter(|_| depth < MAX_CHAIN) {
                Some(((old, run), new)) => {
                    let offset = first.clock - old.clock;
                    let here = len.min(run - offset);
                    todo.push(((first.plus(here), len - here), depth));
                    todo.push(((new.plus(offset), here), depth + 1));
                }
                None => {
                    // Up to where the next run begins.
                    let next = self.runs.range(first..first.plus(len)).map(|(old, _)| old.clock - first.clock);
                    let here = next.filter(|at| *at > 0).min().unwrap_or(len);
                    todo.push(((first.plus(here), len - here), depth));
                    out.push((first, here));
                }
            }
        }
        out
    }

    /// The same backwards: what was written again, and as what it was written first.
    pub fn backwards(&self) -> Self {
        let mut back: Sorted<Id, (u32, Id)> = Sorted::default();
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
