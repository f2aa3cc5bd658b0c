//! Who inserted and who deleted what, by ids, which never change.
//!
//! A row of the log says it by itself: it has its author, its time, and the ids in its update. What compaction merges it would
//! lose; so it keeps of such rows, in the same transaction, what each author did in each sitting. Whatever is inserted is whose
//! came first: an update may repeat what others had sent.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use yrs::block::ClientID;
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{ID, IdSet, ReadTxn, Transact, Update};

use crate::replica::Replica;
use crate::storage::{Authorship, Detail, Millis, Seq, UpdateRow};

/// Edits closer together than this belong to one sitting, up to a length.
pub const SITTING_GAP_MS: Millis = 120_000;
pub const SITTING_MS: Millis = 600_000;

pub type Author = Option<Arc<str>>;

/// What one author did, in a row or a sitting.
#[derive(Debug, Clone)]
pub struct Part {
    pub first_seq: Seq,
    pub seq: Seq,
    pub author: Author,
    pub first_at: Millis,
    pub last_at: Millis,
    pub inserted: IdSet,
    pub deleted: IdSet,
    /// What it deletes is nothing that somebody else's update repeats.
    is_own: bool,
}

impl Part {
    /// Of a row. Where several authors were merged into it nobody knows who did what.
    pub fn of_row(row: &UpdateRow) -> Option<Self> {
        let update = Update::decode_v1(&row.bytes).ok()?;
        Some(Self {
            first_seq: row.first_seq,
            seq: row.seq,
            author: only_author(row),
            first_at: row.at,
            last_at: row.at,
            inserted: update.insertions(true),
            deleted: update.delete_set().clone(),
            is_own: row.submitted,
        })
    }

    /// None: it is damaged, and nobody knows any more.
    pub fn of_kept(kept: &Authorship) -> Option<Self> {
        Some(Self {
            first_seq: kept.first_seq,
            seq: kept.seq,
            author: kept.author.as_deref().map(Arc::from),
            first_at: kept.first_at,
            last_at: kept.last_at,
            inserted: IdSet::decode_v1(&kept.inserted).ok()?,
            deleted: IdSet::decode_v1(&kept.deleted).ok()?,
            is_own: true,
        })
    }

    fn to_kept(&self) -> Authorship {
        Authorship {
            first_seq: self.first_seq,
            seq: self.seq,
            author: self.author.as_deref().map(str::to_owned),
            first_at: self.first_at,
            last_at: self.last_at,
            inserted: self.inserted.encode_v1(),
            deleted: self.deleted.encode_v1(),
        }
    }

    /// Whether a later one is of the same sitting.
    fn takes(&self, later: &Self) -> bool {
        self.author == later.author
            && later.last_at - self.last_at < SITTING_GAP_MS
            && later.last_at - self.first_at < SITTING_MS
    }
}

/// Whose a row is, if it is one person's.
pub fn only_author(row: &UpdateRow) -> Author {
    let mut names = row.authors.0.iter();
    let first = names.next()?;
    names.next().is_none().then(|| Arc::from(first.as_str()))
}

/// Whether this row's authorship is kept.
pub fn is_kept(row: &UpdateRow, kept: &[Authorship]) -> bool {
    row.detail != Detail::Edit && is_of_kept(row.first_seq, row.seq, kept)
}

/// Whether something of these rows, from the first to the last, is kept.
pub fn is_of_kept(first: Seq, last: Seq, kept: &[Authorship]) -> bool {
    let from = kept.partition_point(|one| one.first_seq < first);
    kept.get(from).is_some_and(|one| one.first_seq <= last)
}

/// Spans of each client's clock, and something of each; what came first holds.
#[derive(Debug)]
pub struct IdSpans<T>(HashMap<ClientID, BTreeMap<u32, (u32, T)>>);

impl<T> Default for IdSpans<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Copy + PartialEq> IdSpans<T> {
    /// Notes what is not noted yet. Returns that.
    pub fn take(&mut self, ids: &IdSet, of: T) -> IdSet {
        let mut taken = IdSet::new();
        for (client, ranges) in ids.iter() {
            let spans = self.0.entry(*client).or_default();
            for range in ranges.iter() {
                for free in free(spans, range) {
                    taken.insert(ID::new(*client, free.start), free.end - free.start);
                    put(spans, free, of);
                }
            }
        }
        taken
    }

    /// Of this id and those behind it, up to the clock with which something else begins.
    pub fn get(&self, client: ClientID, clock: u32) -> (Option<T>, u32) {
        let Some(spans) = self.0.get(&client) else { return (None, u32::MAX) };
        match spans.range(..=clock).next_back() {
            Some((_, (end, of))) if clock < *end => (Some(*of), *end),
            _ => (None, spans.range(clock..).next().map_or(u32::MAX, |(start, _)| *start)),
        }
    }
}

/// The parts of a range that no span has.
fn free<T>(spans: &BTreeMap<u32, (u32, T)>, range: &Range<u32>) -> Vec<Range<u32>> {
    let before = spans.range(..range.start).next_back().map(|(start, (end, _))| (*start, *end));
    let within = spans.range(range.clone()).map(|(start, (end, _))| (*start, *end));
    let (mut at, mut free) = (range.start, Vec::new());
    for (start, end) in before.into_iter().chain(within) {
        if at < start {
            free.push(at..start);
        }
        at = at.max(end);
    }
    if at < range.end {
        free.push(at..range.end);
    }
    free
}

fn put<T: Copy + PartialEq>(spans: &mut BTreeMap<u32, (u32, T)>, range: Range<u32>, of: T) {
    // Who types writes one behind the other.
    if let Some((_, (end, same))) = spans.range_mut(..range.start).next_back()
        && *end == range.start
        && *same == of
    {
        *end = range.end;
        return;
    }
    spans.insert(range.start, (range.end, of));
}

/// All that is known of who did what.
#[derive(Debug, Default)]
pub struct KnownAuthors {
    pub parts: Vec<Part>,
    inserted: IdSpans<usize>,
    deleted: IdSpans<usize>,
}

impl KnownAuthors {
    /// In the order of the rows, whatever order they come in.
    pub fn new(mut parts: Vec<Part>) -> Self {
        parts.sort_by_key(|part| part.first_seq);
        let mut known = Self::default();
        for part in parts {
            known.add(part);
        }
        known
    }

    fn add(&mut self, mut part: Part) {
        let at = self.parts.len();
        part.inserted = self.inserted.take(&part.inserted, at);
        let first = self.deleted.take(&part.deleted, at);
        if !part.is_own {
            part.deleted = first;
        }
        self.parts.push(part);
    }

    /// Who inserted this one, and up to which clock those behind it.
    pub fn inserted(&self, client: ClientID, clock: u32) -> (Option<&Part>, u32) {
        let (at, until) = self.inserted.get(client, clock);
        (at.and_then(|at| self.parts.get(at)), until)
    }
}

/// What is to be kept of rows that are merged. `before`: what there was before them; `kept`: of rows that were merged before.
pub fn of_merged(before: &Replica, rows: &[UpdateRow], kept: &[Authorship]) -> Vec<Authorship> {
    let mut known = KnownAuthors::default();
    let of_nobody = usize::MAX;
    {
        let txn = before.doc().transact();
        let mut there = IdSet::new();
        txn.state_vector().iter().for_each(|(client, clock)| there.insert(ID::new(*client, 0), *clock));
        known.inserted.take(&there, of_nobody);
        known.deleted.take(&txn.snapshot().delete_set, of_nobody);
    }
    for row in rows {
        match is_kept(row, kept) {
            // That it is there is all that matters for those after it.
            true => {
                if let Some(part) = Part::of_row(row) {
                    known.inserted.take(&part.inserted, of_nobody);
                    known.deleted.take(&part.deleted, of_nobody);
                }
            }
            false => Part::of_row(row).into_iter().for_each(|part| known.add(part)),
        }
    }
    let mut sittings: Vec<Part> = Vec::new();
    for part in known.parts {
        let open = sittings.iter_mut().rev().find(|sitting| sitting.author == part.author);
        match open.filter(|sitting| sitting.takes(&part)) {
            Some(sitting) => {
                sitting.seq = part.seq;
                sitting.last_at = part.last_at;
                sitting.inserted.merge_with(part.inserted);
                sitting.deleted.merge_with(part.deleted);
            }
            None => sittings.push(part),
        }
    }
    sittings.iter().map(Part::to_kept).collect()
}
