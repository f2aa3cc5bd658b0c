//! What was copied where.
//!
//! Splitting, merging and moving copy content, and a copy is nothing that the doc connects with its original. So each
//! such edit also writes down, in a root map of its own that slate-yjs does not see, which characters and elements
//! became which. With that a position follows its character, and a peer's edit is recognised for what it was.
//!
//! Entries are written once and never changed. The oldest are removed when there are many: what they are for, edits
//! that others made without knowing of the copy, comes soon or never.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use litemap::LiteMap;
use smallvec::SmallVec;
use yrs::types::EntryChange;
use yrs::types::text::YChange;
use yrs::{
    Any, Assoc, BranchID, ClientID, Doc, ID, IdSet, IndexedSequence as _, Map as _, MapRef, Observable as _, Out,
    ReadTxn, Snapshot, StateVector, Text as _, TransactionMut, XmlTextRef,
};

use super::tree::branch_id;
use super::utf16;

mod bytes;
mod entry;

pub(super) use entry::{CopyRecord, Gone, Group, Part, Run, nth};

/// The root map.
pub(super) const NAME: &str = "slate-yrs:copies";

/// Whether an update has entries in it: each names the map.
pub(super) fn are_in(update: &[u8]) -> bool {
    update.windows(NAME.len()).any(|part| part == NAME.as_bytes())
}

/// How many entries are kept.
const MAX: usize = 1_000;
/// Groups go into one entry up to so many bytes: no update can be cut inside of one.
const TOGETHER: usize = 400;
/// So many removed elements go into one entry, for the same reason; of more than so many nothing is written.
const GONE_TOGETHER: usize = 40;
const MAX_GONE: usize = 2_000;
/// Of how many authors an entry says what was known.
const MAX_KNOWN: usize = 64;
/// How many of the newest groups are looked through.
const RECENT: usize = 512;
/// How many pairs are remembered: far more than people bring about.
const MAX_TWINS: usize = 10_000;
/// How often a position is handed on.
const MAX_HOPS: usize = 64;

/// The order of entries is about the order of edits: each is numbered one higher than all its author knew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    number: u64,
    client: u64,
    clock: u32,
}

impl Key {
    /// Who copied.
    pub fn client(self) -> ClientID {
        ClientID::new(self.client)
    }

    fn name(self) -> String {
        format!("{}.{}.{}", self.number, self.client, self.clock)
    }

    fn read(name: &str) -> Option<Self> {
        let mut parts = name.split('.');
        let key = Self {
            number: parts.next()?.parse().ok()?,
            client: parts.next()?.parse().ok()?,
            clock: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(key)
    }
}

/// Where to look for an original.
#[derive(Debug, Clone, Copy)]
struct SearchRange {
    len: u32,
    to: ID,
    key: Key,
    group: u32,
}

impl SearchRange {
    /// What was copied.
    fn original(self, client: ClientID, start: u32) -> Run {
        Run { id: ID::new(client, start), len: self.len }
    }
}

/// What two edits copied, each without knowing of the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Twin {
    /// The copy that should not stay, the element it was put into, and who made it.
    pub run: Run,
    pub target: Option<ID>,
    pub loser: Key,
    /// Where the other copy of it begins, and the element that was put into.
    pub to: ID,
    pub to_target: Option<ID>,
    pub winner: Key,
}

/// Which of two copies stays: the lesser. Made of what is written in the record, and nothing else.
///
/// A moved block stays whole where it was moved to. What is behind a split stays behind it when its block is merged; what
/// is before one is merged. Two splits of one line put blocks side by side, in the order of the client ids as Yjs has it:
/// what both copied stays in the outer one, so that it is in order.
type Rank = (u8, u64, Key, u32);

type RecordChanges = Rc<RefCell<Vec<(Arc<str>, Option<Arc<[u8]>>)>>>;

#[derive(Debug)]
pub(super) struct Copies {
    map: MapRef,
    /// What the map's observer saw and is not in here yet.
    changes: RecordChanges,
    entries: LiteMap<Key, CopyRecord>,
    spans: BTreeMap<(ClientID, u32), SmallVec<[SearchRange; 1]>>,
    longest: u32,
    /// Elements that are copies, and of what.
    originals: HashMap<ID, ID>,
    /// Whole sources, and what has become of their content.
    wholes: HashMap<ID, SmallVec<[(Key, u32); 1]>>,
    /// Copies that have a twin which stays: few, as a rule none.
    twins: Vec<Twin>,
    /// How many of them were asked for, and the entries that came since.
    asked: usize,
    news: Vec<Key>,
}

impl Copies {
    pub fn new(doc: &Doc) -> Self {
        let map = doc.get_or_insert_map(NAME);
        let changes = RecordChanges::default();
        let log = changes.clone();
        map.observe("slate-yrs", move |txn, event| {
            let mut log = log.borrow_mut();
            for (key, change) in event.keys(txn) {
                let bytes = match change {
                    EntryChange::Inserted(Out::Any(Any::Buffer(bytes)))
                    | EntryChange::Updated(_, Out::Any(Any::Buffer(bytes))) => Some(bytes.clone()),
                    _ => None,
                };
                log.push((key.clone(), bytes));
            }
        });
        Self {
            map,
            changes,
            entries: LiteMap::new(),
            spans: BTreeMap::new(),
            longest: 0,
            originals: HashMap::new(),
            wholes: HashMap::new(),
            twins: Vec::new(),
            asked: 0,
            news: Vec::new(),
        }
    }

    /// Takes in what transactions have changed.
    pub fn absorb(&mut self) {
        let changes = std::mem::take(&mut *self.changes.borrow_mut());
        let keyed = |(name, bytes): (Arc<str>, _)| Some((Key::read(&name)?, bytes));
        let mut changes: Vec<(Key, Option<Arc<[u8]>>)> = changes.into_iter().filter_map(keyed).collect();
        // Those of one update come in no order, and the latest copy of something is the one that counts.
        changes.sort_by_key(|(key, _)| *key);
        for (key, bytes) in changes {
            self.remove(key);
            if let Some(entry) = bytes.and_then(|bytes| bytes::decode(&bytes)) {
                self.insert(key, entry);
            }
        }
    }

    fn insert(&mut self, key: Key, entry: CopyRecord) {
        for (index, group) in entry.groups.iter().enumerate() {
            for &(from, to, len) in &group.runs {
                self.longest = self.longest.max(len);
                let span = SearchRange { len, to, key, group: index as u32 };
                self.spans.entry((from.client, from.clock)).or_default().push(span);
            }
            if let (Part::Whole, Some(source)) = (group.part, group.source) {
                self.wholes.entry(source).or_default().push((key, index as u32));
                if let Some(target) = group.target {
                    self.originals.entry(target).or_insert(source);
                }
            }
        }
        self.entries.insert(key, entry);
        self.news.push(key);
        self.compare(key);
    }

    /// Looks for other copies of what this entry copied.
    fn compare(&mut self, key: Key) {
        let Some(entry) = self.entries.get(&key) else { return };
        let mut found = Vec::new();
        for (index, group) in entry.groups.iter().enumerate() {
            for &(from, to, len) in &group.runs {
                for (span, start) in self.spans_over(from, len).filter(|(span, _)| span.key != key) {
                    let Some(other) = self.group(span.key, span.group) else { continue };
                    let (all, whole) = (Run { id: from, len }, span.original(from.client, start));
                    let (Some(one), Some(two)) = (all.copied(to, whole), whole.copied(span.to, all)) else { continue };
                    let mine = (self.rank(key, index as u32), one, group.target, key);
                    let theirs = (self.rank(span.key, span.group), two, other.target, span.key);
                    let (stays, goes) = if mine.0 < theirs.0 { (mine, theirs) } else { (theirs, mine) };
                    found.push(Twin {
                        run: goes.1,
                        target: goes.2,
                        loser: goes.3,
                        to: stays.1.id,
                        to_target: stays.2,
                        winner: stays.3,
                    });
                }
            }
        }
        let room = MAX_TWINS.saturating_sub(self.twins.len());
        self.twins.extend(found.into_iter().take(room));
    }

    /// Of what was copied as part of something else, that of the whole: both go the same way.
    fn rank(&self, key: Key, group: u32) -> Option<Rank> {
        let groups = &self.entries.get(&key)?.groups;
        let mut at = group as usize;
        for _ in 0..groups.len() {
            let Group { source, target, .. } = groups.get(at)?;
            let holds = |outer: &Group| {
                outer.runs.iter().any(|(from, to, len)| {
                    let into = source.filter(|id| id.client == from.client).map(|id| id.clock.wrapping_sub(from.clock));
                    into.is_some_and(|into| into < *len && *target == Some(ID::new(to.client, to.clock + into)))
                })
            };
            match groups.iter().position(holds) {
                Some(outer) if outer != at => at = outer,
                _ => break,
            }
        }
        let group = groups.get(at)?;
        let (class, side) = match group.part {
            Part::Some => (0, 0),
            Part::Tail => (1, u64::MAX - key.client),
            Part::Whole => (2, 0),
            Part::Head => (3, key.client),
        };
        Some((class, side, key, at as u32))
    }

    fn remove(&mut self, key: Key) {
        let Some(entry) = self.entries.remove(&key) else { return };
        let mut at = 0;
        self.twins.retain(|twin| {
            let stays = twin.loser != key && twin.winner != key;
            self.asked -= usize::from(!stays && at < self.asked);
            at += usize::from(stays);
            stays
        });
        for group in entry.groups {
            for (from, _, _) in group.runs {
                if let Some(spans) = self.spans.get_mut(&(from.client, from.clock)) {
                    spans.retain(|span| span.key != key);
                    if spans.is_empty() {
                        self.spans.remove(&(from.client, from.clock));
                    }
                }
            }
            if let Some(source) = group.source
                && let Some(list) = self.wholes.get_mut(&source)
            {
                list.retain(|(other, _)| *other != key);
                if list.is_empty() {
                    self.wholes.remove(&source);
                }
                if let Some(target) = group.target {
                    self.originals.remove(&target);
                }
            }
        }
    }

    /// Writes entries, in the transaction that copies or removes; removes the oldest if there are too many. `witnessed`:
    /// of whom something was deleted lately; none if what was copied had gone before.
    pub fn write(&self, txn: &mut TransactionMut, copied: Vec<Group>, gone: &Gone, witnessed: Option<&[ClientID]>) {
        let groups = copied.into_iter().filter(|group| group.part == Part::Whole || !group.runs.is_empty());
        let (mut entries, mut last, mut size) = (Vec::new(), CopyRecord::default(), 0);
        for group in groups {
            let more = bytes::size(&group);
            if size > 0 && size + more > TOGETHER {
                entries.push(std::mem::take(&mut last));
                size = 0;
            }
            size += more;
            last.groups.push(group);
        }
        let removed = if gone.elements.len() > MAX_GONE { &[] } else { &*gone.elements };
        for elements in removed.chunks(GONE_TOGETHER) {
            if !last.gone.is_empty() {
                entries.push(std::mem::take(&mut last));
            }
            last.gone = elements.to_vec();
        }
        if !last.groups.is_empty() || !last.gone.is_empty() {
            entries.push(last);
        }
        if entries.is_empty() {
            return;
        }
        let (client, state) = (txn.doc().client_id(), txn.state_vector());
        let number = self.entries.last().map_or(0, |(key, _)| key.number).saturating_add(1);
        let room = (self.entries.len() + entries.len()).saturating_sub(MAX);
        for mut entry in entries {
            entry.known = witnessed.map(|witnessed| {
                let authors = entry.authors(gone).chain(witnessed.iter().copied());
                let mut known: Vec<(ClientID, u32)> = Vec::new();
                for author in authors.filter(|author| *author != client) {
                    if known.len() < MAX_KNOWN && !known.iter().any(|(other, _)| *other == author) {
                        known.push((author, state.get(&author)));
                    }
                }
                known
            });
            let key = Key { number, client: client.get(), clock: txn.store().get_local_state() };
            self.map.insert(txn, key.name(), Any::Buffer(bytes::encode(&entry).into()));
        }
        for key in self.entries.keys().take(room) {
            self.map.remove(txn, &key.name());
        }
    }

    // --- looking up

    /// Whether content of `source` was copied to `target`.
    pub fn links(&self, source: Option<ID>, target: &XmlTextRef) -> bool {
        let (Some(source), BranchID::Nested(target)) = (source, branch_id(target)) else { return false };
        let is_it = |group: &Group| group.source == Some(source) && group.target == Some(target);
        // Few are looked at with every structural change of others; the newest are what matters.
        self.entries.values().rev().flat_map(|entry| entry.groups.iter().rev()).take(RECENT).any(is_it)
    }

    /// What an element is a copy of, the nearest first.
    pub fn originals(&self, mut id: ID) -> impl Iterator<Item = ID> {
        std::iter::from_fn(move || {
            id = *self.originals.get(&id)?;
            Some(id)
        })
        .take(MAX_HOPS)
    }

    /// The entries that came since this was asked.
    pub fn take_news(&mut self) -> Vec<Key> {
        std::mem::take(&mut self.news)
    }

    /// The twins that were found since this was asked for.
    pub fn take_found(&mut self) -> &[Twin] {
        let asked = std::mem::replace(&mut self.asked, self.twins.len());
        &self.twins[asked..]
    }

    /// The character or element that stays of one that is there twice.
    pub fn twin(&self, id: ID) -> Option<ID> {
        self.twins.iter().find_map(|twin| twin.run.copied(twin.to, Run { id, len: 1 }).map(|run| run.id))
    }

    /// Whether it is one of two copies of the same.
    pub fn has_twin(&self, id: ID) -> bool {
        self.twins.iter().any(|twin| twin.run.contains(id) || Run { id: twin.to, ..twin.run }.contains(id))
    }

    /// A copy, and what was copied from it since, each with the element it was put into.
    pub fn descendants(&self, target: Option<ID>, run: Run) -> Vec<(Option<ID>, Run)> {
        let mut all = vec![(target, run)];
        let mut at = 0;
        while let Some(&(_, run)) = all.get(at).filter(|_| at < MAX) {
            at += 1;
            for (span, start) in self.spans_over(run.id, run.len) {
                let target = self.group(span.key, span.group).and_then(|group| group.target);
                let copied = span.original(run.id.client, start).copied(span.to, run);
                all.extend(copied.map(|run| (target, run)));
            }
        }
        all
    }

    /// The spans that have any of these ids, the last first, and where each begins.
    fn spans_over(&self, id: ID, len: u32) -> impl Iterator<Item = (SearchRange, u32)> {
        let first = id.clock.saturating_sub(self.longest.saturating_sub(1));
        let spans = self.spans.range((id.client, first)..(id.client, id.clock.saturating_add(len))).rev();
        spans
            .flat_map(|((_, start), spans)| spans.iter().map(move |span| (*span, *start)))
            .filter(move |(span, start)| start + span.len > id.clock)
    }

    fn spans_at(&self, id: ID) -> impl Iterator<Item = (SearchRange, u32)> {
        self.spans_over(id, 1).map(move |(span, start)| (span, id.clock - start))
    }

    /// What a character or element was copied to, in each entry that knows it.
    pub fn copies(&self, id: ID) -> impl Iterator<Item = (ID, Key, u32)> {
        self.spans_at(id).map(|(span, into)| (ID::new(span.to.client, span.to.clock + into), span.key, span.group))
    }

    pub fn entry(&self, key: Key) -> Option<&CopyRecord> {
        self.entries.get(&key)
    }

    pub fn groups(&self, key: Key) -> &[Group] {
        self.entries.get(&key).map_or(&[], |entry| &entry.groups)
    }

    pub fn group(&self, key: Key, group: u32) -> Option<&Group> {
        self.entries.get(&key)?.groups.get(group as usize)
    }

    /// The entries in which all of an element was copied.
    pub fn wholes(&self, source: ID) -> impl Iterator<Item = (Key, u32)> {
        self.wholes.get(&source).into_iter().flatten().copied()
    }

    /// What the content of a merged element ends with now.
    pub fn end_of(&self, source: ID) -> Option<ID> {
        let (key, group) = self.wholes(source).last()?;
        let group = self.group(key, group)?;
        let last = group.runs.last().map(|(_, to, len)| ID::new(to.client, to.clock + len - 1));
        self.follow(last.or(group.before)?).pop()
    }

    /// What the content of a merged or moved element begins with now, or what stands beside the place if it had none: in
    /// each of its copies, the newest first.
    pub fn starts_of(&self, source: ID) -> Vec<(ID, Assoc)> {
        let groups: Vec<&Group> = self.wholes(source).filter_map(|(key, group)| self.group(key, group)).collect();
        let mut starts = Vec::new();
        for group in groups.into_iter().rev() {
            let first = group.runs.first().map(|(_, to, _)| (*to, Assoc::After));
            let before = || group.before.map(|id| (id, Assoc::Before));
            let behind = || group.behind.map(|id| (id, Assoc::After));
            if let Some((id, assoc)) = first.or_else(before).or_else(behind) {
                starts.extend(self.follow(id).into_iter().rev().map(|id| (id, assoc)));
            }
        }
        starts
    }

    /// Where a character or element is after all copying; several places if several people copied it at once.
    pub fn follow(&self, id: ID) -> Vec<ID> {
        let (mut open, mut ends) = (vec![id], Vec::new());
        for _ in 0..MAX_HOPS {
            let Some(id) = open.pop() else { break };
            let before = open.len();
            open.extend(self.copies(id).map(|(to, ..)| to));
            if open.len() == before {
                ends.push(id);
            }
        }
        ends
    }
}

/// The ids of an element's content between two offsets, foreign embeds not counted.
pub(super) fn ids(txn: &mut TransactionMut, branch: &XmlTextRef, from: u32, to: u32) -> Vec<Run> {
    let everything = everything(txn);
    ids_of(txn, branch, from, to, &everything)
}

/// The same for a few characters or elements of an element without foreign embeds; none if there are not so many.
pub(super) fn few(txn: &TransactionMut, branch: &XmlTextRef, from: u32, to: u32) -> Option<Vec<Run>> {
    let mut runs = Vec::new();
    for at in from..to {
        let place = branch.sticky_index(txn, at, Assoc::After)?;
        push(&mut runs, *place.id()?, 1);
    }
    Some(runs)
}

/// All that the doc has, and what this transaction may still write.
pub(super) fn everything(txn: &TransactionMut) -> Snapshot {
    let mut state = txn.state_vector();
    state.set_max(txn.doc().client_id(), u32::MAX);
    Snapshot::new(state, IdSet::default())
}

/// [`ids`] with [`everything`], for whoever asks more than once.
pub(super) fn ids_of(
    txn: &mut TransactionMut,
    branch: &XmlTextRef,
    from: u32,
    to: u32,
    everything: &Snapshot,
) -> Vec<Run> {
    let nothing = Snapshot::new(StateVector::default(), IdSet::default());
    let mut runs: Vec<Run> = Vec::new();
    let mut at = 0;
    // yrs names the items only in comparisons; compared with nothing, all are new.
    for diff in branch.diff_range(txn, Some(everything), Some(&nothing), YChange::identity) {
        let (id, len) = match (&diff.insert, diff.ychange) {
            (Out::Any(Any::String(text)), Some(change)) => (change.id, utf16::len(text)),
            (Out::YXmlText(inner), _) => match branch_id(inner) {
                BranchID::Nested(id) => (id, 1),
                BranchID::Root(_) => continue,
            },
            _ => continue,
        };
        // Deleted in this very transaction.
        if txn.delete_set().contains(&id) {
            continue;
        }
        let (start, end) = (from.max(at), to.min(at + len));
        if start < end {
            push(&mut runs, ID::new(id.client, id.clock + (start - at)), end - start);
        }
        at += len;
    }
    runs
}

/// What follows the last by its ids, too, is one with it.
pub(super) fn push(runs: &mut Vec<Run>, id: ID, len: u32) {
    match runs.last_mut() {
        Some(last) if last.id.client == id.client && last.id.clock + last.len == id.clock => last.len += len,
        _ => runs.push(Run { id, len }),
    }
}

/// The runs of an original beside those of its copy.
pub(super) fn pair(from: &[Run], to: &[Run]) -> Vec<(ID, ID, u32)> {
    let mut pairs = Vec::new();
    let (mut from, mut to) = (from.iter().copied(), to.iter().copied());
    let (mut a, mut b) = (from.next(), to.next());
    while let (Some(x), Some(y)) = (a, b) {
        let len = x.len.min(y.len);
        pairs.push((x.id, y.id, len));
        let rest = |run: Run| {
            (run.len > len).then(|| Run { id: ID::new(run.id.client, run.id.clock + len), len: run.len - len })
        };
        a = rest(x).or_else(|| from.next());
        b = rest(y).or_else(|| to.next());
    }
    pairs
}
