//! What earlier versions wrote down of what they copied.
//!
//! In a document of format 0, splitting, merging and moving copy content, and a copy is nothing that the doc connects with
//! its original. Versions before format 1 wrote down in a root map which characters and elements became which. It is still
//! read, so that positions that were stored while something was copied lead to where it is; nothing is written.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use smallvec::SmallVec;
use yrs::types::EntryChange;
use yrs::{Any, ClientID, Doc, ID, Observable as _, Out};

use crate::protocol::lib0::Lib0Reader;
use crate::slate::ydoc::Id;
use crate::sorted::Sorted;

/// The root map.
const NAME: &str = "slate-yrs:copies";
/// The version of its entries.
const VERSION: u8 = 1;
/// All of an element was copied.
const WHOLE: u8 = 0;
/// There is no other kind of part from here on.
const KINDS: u8 = 4;
/// How often a position is handed on.
const MAX_HOPS: usize = 64;

/// The order of entries is about the order of edits: each is numbered one higher than all its author knew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Key {
    number: u64,
    client: u64,
    clock: u32,
}

impl Key {
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

/// One stretch of content and where it was copied to.
#[derive(Debug, PartialEq, Eq)]
struct Group {
    /// The element, if all of it was copied and it is gone.
    whole: Option<ID>,
    /// What its content ended with when it was copied, or what stood before the copy if it had none.
    end: Option<ID>,
    /// From, to, how many.
    runs: Vec<(ID, ID, u32)>,
}

/// So many characters or elements were copied to ids from `to` on.
#[derive(Debug, Clone, Copy)]
struct CopiedRun {
    len: u32,
    to: ID,
    key: Key,
}

/// What the map's observer saw: the entries' names and bytes; none: removed.
type RecordChanges = Rc<RefCell<Vec<(Arc<str>, Option<Arc<[u8]>>)>>>;

#[derive(Debug)]
pub(in crate::slate) struct Copies {
    /// Not in here yet.
    changes: RecordChanges,
    entries: HashMap<Key, Vec<Group>>,
    spans: Sorted<Id, SmallVec<[CopiedRun; 1]>>,
    longest: u32,
    /// What the content of an element that is gone ended with, in each entry that copied all of it.
    ends: HashMap<ID, SmallVec<[(Key, ID); 1]>>,
}

impl Copies {
    pub fn new(doc: &Doc) -> Self {
        let changes = RecordChanges::default();
        let log = changes.clone();
        doc.get_or_insert_map(NAME).observe("slate-yrs", move |txn, event| {
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
        Self { changes, entries: HashMap::new(), spans: Sorted::default(), longest: 0, ends: HashMap::new() }
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
            if let Some(groups) = bytes.and_then(|bytes| decode(&bytes)) {
                self.insert(key, groups);
            }
        }
    }

    fn insert(&mut self, key: Key, groups: Vec<Group>) {
        for group in &groups {
            for &(from, to, len) in &group.runs {
                self.longest = self.longest.max(len);
                self.spans.or_default(place(from)).push(CopiedRun { len, to, key });
            }
            if let (Some(source), Some(end)) = (group.whole, group.end) {
                self.ends.entry(source).or_default().push((key, end));
            }
        }
        self.entries.insert(key, groups);
    }

    fn remove(&mut self, key: Key) {
        for group in self.entries.remove(&key).into_iter().flatten() {
            for (from, ..) in group.runs {
                if let Some(spans) = self.spans.get_mut(place(from)) {
                    spans.retain(|span| span.key != key);
                    if spans.is_empty() {
                        self.spans.remove(place(from));
                    }
                }
            }
            if let Some(ends) = group.whole.and_then(|source| self.ends.get_mut(&source)) {
                ends.retain(|(other, _)| *other != key);
            }
        }
    }

    /// What a character or element was copied to, the last copy first.
    fn copies(&self, id: ID) -> impl Iterator<Item = ID> {
        let first = id.clock.saturating_sub(self.longest.saturating_sub(1));
        let spans = self.spans.range(place(ID::new(id.client, first))..=place(id)).rev();
        spans.flat_map(move |(start, spans)| {
            let into = id.clock - start.clock;
            let here = spans.iter().filter(move |span| into < span.len);
            here.map(move |span| ID::new(span.to.client, span.to.clock + into))
        })
    }

    /// What the content of a merged element ends with now.
    pub fn end_of(&self, source: ID) -> Option<ID> {
        let (_, end) = *self.ends.get(&source)?.last()?;
        self.follow(end).pop()
    }

    /// Where a character or element is after all copying; several places if several people copied it at once.
    pub fn follow(&self, id: ID) -> Vec<ID> {
        let (mut open, mut ends) = (vec![id], Vec::new());
        for _ in 0..MAX_HOPS {
            let Some(id) = open.pop() else { break };
            let before = open.len();
            open.extend(self.copies(id));
            if open.len() == before {
                ends.push(id);
            }
        }
        ends
    }
}

/// What stands behind the groups, what was removed and what was known, no position needs.
fn decode(bytes: &[u8]) -> Option<Vec<Group>> {
    let mut reader = Lib0Reader::new(bytes);
    if reader.byte().ok()? != VERSION {
        return None;
    }
    let mut groups = Vec::new();
    for _ in 0..reader.var_uint().ok()? {
        let kind = reader.byte().ok().filter(|kind| *kind < KINDS)?;
        // Source, target, before, behind.
        let mut ends = [None; 4];
        for end in &mut ends {
            *end = if reader.byte().ok()? == 0 { None } else { Some(id(&mut reader)?) };
        }
        let mut runs = Vec::new();
        for _ in 0..reader.var_uint().ok()? {
            let (from, to, len) = (id(&mut reader)?, id(&mut reader)?, number(&mut reader)?);
            from.clock.checked_add(len)?;
            to.clock.checked_add(len)?;
            if len > 0 {
                runs.push((from, to, len));
            }
        }
        let [source, _, before, _] = ends;
        let last = runs.last().map(|(_, to, len)| ID::new(to.client, to.clock + len - 1));
        groups.push(Group { whole: source.filter(|_| kind == WHOLE), end: last.or(before), runs });
    }
    Some(groups)
}

fn place(id: ID) -> Id {
    Id::new(id.client.get(), id.clock)
}

fn id(reader: &mut Lib0Reader) -> Option<ID> {
    let client = number(reader)?;
    Some(ID::new(ClientID::new(client.into()), number(reader)?))
}

fn number(reader: &mut Lib0Reader) -> Option<u32> {
    u32::try_from(reader.var_uint().ok()?).ok()
}
