//! The pending updates: what the server has not acknowledged, in the order it is to be submitted.
//!
//! Only an acknowledgement removes an update. Seqs follow each other without gaps. An update that was never sent may
//! still be merged with others or cut, so its seq may change until then. The store knows each update by a number of its
//! own, in the same order, which is never given again: a write that fails, or comes late, concerns no other update.

use std::collections::VecDeque;

use yrs::Update;
use yrs::updates::decoder::Decode;

use crate::protocol::{NOTHING, RejectCode};
use crate::store::{ASIDE, Pending, PendingKey, SEED, SetAside, Write};
use crate::update::{Apart, Holes, split};

use super::ErrorCode;

/// Pending updates that were never sent are merged up to this size, bytes.
pub(super) const MERGED_BYTES: usize = 32 * 1024;
/// Updates smaller than this are merged when there are many, bytes.
const SMALL_BYTES: usize = 4 * 1024;
/// So many unsent updates are worth merging.
const MERGE_AT: usize = 128;

#[derive(Debug)]
pub(super) struct Outbox {
    session: String,
    entries: VecDeque<PendingUpdate>,
    /// The highest seq given so far.
    last_seq: u64,
    /// The highest number given so far.
    last_number: u64,
    /// The highest seq that was ever sent.
    sent: u64,
    pub set_aside: Vec<Aside>,
    asides: u64,
    /// Keys that the store may still have of what is no longer pending, each with the write that removes it, if one is
    /// on its way.
    leftover: Vec<(PendingKey, Option<u64>)>,
}

#[derive(Debug)]
pub(super) struct PendingUpdate {
    pub seq: u64,
    /// What the store knows it by.
    number: u64,
    pub update: Vec<u8>,
    pub place: KeptIn,
    /// Keys under which the store has this entry, until the store has it under its own.
    replaces: Vec<PendingKey>,
    /// The write that gives it its own key.
    replacing: Option<u64>,
}

/// Where an update of this device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeptIn {
    Memory,
    /// In memory, and in the write with this ticket.
    Writing(u64),
    Stored,
}

#[derive(Debug)]
pub(super) struct Aside {
    pub update: SetAside,
    pub place: KeptIn,
}

impl KeptIn {
    fn settle(&mut self, ticket: u64, outcome: KeptIn) {
        if *self == Self::Writing(ticket) {
            *self = outcome;
        }
    }
}

impl Outbox {
    pub fn new(session: String) -> Self {
        Self {
            session,
            entries: VecDeque::new(),
            last_seq: 0,
            last_number: 0,
            sent: 0,
            set_aside: Vec::new(),
            asides: 0,
            leftover: Vec::new(),
        }
    }

    fn key(&self, number: u64) -> PendingKey {
        PendingKey { session: self.session.clone(), seq: number }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    pub fn highest_sent(&self) -> u64 {
        self.sent
    }

    pub fn first_pending(&self) -> Option<u64> {
        self.entries.front().map(|entry| entry.seq)
    }

    pub fn updates(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.entries.iter().map(|entry| &entry.update)
    }

    /// The entries after `seq`.
    pub fn after(&self, seq: u64) -> impl Iterator<Item = &PendingUpdate> {
        self.entries.iter().filter(move |entry| entry.seq > seq)
    }

    pub fn mark_sent(&mut self, seq: u64) {
        self.sent = self.sent.max(seq);
    }

    /// Takes in an update; returns its key.
    pub fn push(&mut self, update: Vec<u8>, place: KeptIn) -> PendingKey {
        self.put(update, place, Vec::new())
    }

    fn put(&mut self, update: Vec<u8>, place: KeptIn, replaces: Vec<PendingKey>) -> PendingKey {
        self.last_seq += 1;
        self.last_number += 1;
        let (seq, number) = (self.last_seq, self.last_number);
        self.entries.push_back(PendingUpdate { seq, number, update, place, replaces, replacing: None });
        self.key(number)
    }

    /// Puts an entry at the end, under a seq and a number of its own. To be followed by [`Outbox::rearrange`].
    fn put_again(&mut self, mut entry: PendingUpdate) {
        entry.replaces.push(self.key(entry.number));
        self.put(entry.update, entry.place, entry.replaces);
    }

    /// Removes what was acknowledged. Returns it, with the key up to which the store may remove it, too.
    pub fn acknowledge(&mut self, seq: u64) -> Option<(PendingKey, Vec<Vec<u8>>)> {
        let mut updates = Vec::new();
        let mut through = None;
        while let Some(PendingUpdate { number, update, replaces, replacing, .. }) =
            self.entries.pop_front_if(|entry| entry.seq <= seq)
        {
            self.leftover.extend(replaces.into_iter().map(|key| (key, replacing)));
            updates.push(update);
            through = Some(number);
        }
        through.map(|number| (self.key(number), updates))
    }

    pub fn remove(&mut self, seq: u64) -> Option<PendingUpdate> {
        let at = self.entries.iter().position(|entry| entry.seq == seq)?;
        self.entries.remove(at)
    }

    /// Puts a refused update aside. None if it is not pending.
    pub fn put_aside(&mut self, seq: u64, code: &str, message: &str) -> Option<Vec<Write>> {
        let entry = self.remove(seq)?;
        Some(self.entry_aside(entry, code, message))
    }

    fn entry_aside(&mut self, entry: PendingUpdate, code: &str, message: &str) -> Vec<Write> {
        let mut from = entry.replaces;
        from.push(self.key(entry.number));
        self.aside(from, entry.update, entry.place, code, message)
    }

    /// Puts an update aside. The store may have it under the keys `from`. It gets a key of its own, for those keys may
    /// be removed with what is acknowledged.
    pub fn aside(
        &mut self,
        from: Vec<PendingKey>,
        update: Vec<u8>,
        place: KeptIn,
        code: &str,
        message: &str,
    ) -> Vec<Write> {
        self.asides += 1;
        let key = PendingKey { session: format!("{}{ASIDE}", self.session), seq: self.asides };
        // Should the write fail, a later one removes these keys.
        self.leftover.extend(from.iter().map(|key| (key.clone(), None)));
        let (code, message) = (code.to_owned(), message.to_owned());
        let aside = SetAside { key: key.clone(), epoch: None, code: code.clone(), message: message.clone(), update };
        let put = Write::Coalesce { from, to: key.clone(), update: aside.update.clone() };
        let mut writes = vec![put, Write::SetAside { key, code, message }];
        if aside.code != ErrorCode::Epoch.as_str() && aside.code != SEED {
            // It is shown as before: so it has to be in the log.
            writes.push(Write::Append { update: aside.update.clone() });
        }
        self.set_aside.push(Aside { update: aside, place });
        writes
    }

    /// Puts aside what needs something that is missing, and keeps the rest pending. Where the whole was sent, the rest
    /// gets a new seq, because a seq that was sent means one update. To be followed by [`Outbox::rearrange`], which
    /// tells the store.
    pub fn part(&mut self, holes: &Holes, code: &str, message: &str) -> Vec<Write> {
        let mut writes = Vec::new();
        let mut again = Vec::new();
        for entry in std::mem::take(&mut self.entries) {
            let apart = holes.part(&entry.update).unwrap_or_default();
            match apart {
                Apart { stuck: None, .. } => self.entries.push_back(entry),
                Apart { sound: None, .. } => writes.extend(self.entry_aside(entry, code, message)),
                Apart { sound: Some(sound), stuck: Some(stuck) } => {
                    writes.extend(self.aside(Vec::new(), stuck, KeptIn::Memory, code, message));
                    let rest = PendingUpdate { update: sound, place: KeptIn::Memory, ..entry };
                    if rest.seq <= self.sent {
                        again.push(rest);
                        continue;
                    }
                    let (from, to) = (rest.replaces.clone(), self.key(rest.number));
                    writes.push(Write::Coalesce { from, to, update: rest.update.clone() });
                    self.entries.push_back(rest);
                }
            }
        }
        if !again.is_empty() {
            let unsent = self.take_unsent();
            again.into_iter().chain(unsent).for_each(|entry| self.put_again(entry));
        }
        writes
    }

    /// Forgets what was set aside, and keeps a seed. Returns what puts that back into a store without.
    pub fn discard_aside(&mut self) -> Vec<Write> {
        self.set_aside.retain(|aside| aside.update.code == SEED);
        self.rewrite_aside().collect()
    }

    /// How many updates were set aside, without seeds, which nobody has refused.
    pub fn aside_for_good(&self) -> usize {
        self.set_aside.iter().filter(|aside| aside.update.code != SEED).count()
    }

    /// A seed has been decided about: its record is removed.
    pub fn forget_seed(&mut self) -> Vec<Write> {
        let from = self.take_seeds();
        self.forget(from)
    }

    /// Returns what removes these keys from the store.
    pub fn forget(&mut self, from: Vec<PendingKey>) -> Vec<Write> {
        if from.is_empty() {
            return Vec::new();
        }
        // Should the write fail, a later one removes these keys.
        self.leftover.extend(from.iter().map(|key| (key.clone(), None)));
        vec![
            Write::Coalesce { from, to: self.key(0), update: NOTHING.to_vec() },
            Write::Acknowledge { session: self.session.clone(), seq: 0 },
        ]
    }

    fn take_seeds(&mut self) -> Vec<PendingKey> {
        let all = std::mem::take(&mut self.set_aside);
        let (seeds, kept) = all.into_iter().partition(|aside| aside.update.code == SEED);
        self.set_aside = kept;
        Vec::into_iter(seeds).map(|aside: Aside| aside.update.key).collect()
    }

    /// Makes a seed pending, before all that was not sent yet. To be followed by [`Outbox::rearrange`], which tells the
    /// store.
    pub fn give_seed(&mut self, update: Vec<u8>) {
        let seeds = self.take_seeds();
        let unsent = self.take_unsent();
        self.put(update, KeptIn::Memory, seeds);
        unsent.into_iter().for_each(|entry| self.put_again(entry));
    }

    /// Puts one update in the place of the seed and of all that was not sent: it holds them all. To be followed by
    /// [`Outbox::rearrange`], which tells the store.
    pub fn replace_unsent(&mut self, update: Vec<u8>) {
        let mut from = self.take_seeds();
        for entry in self.take_unsent() {
            from.push(self.key(entry.number));
            from.extend(entry.replaces);
        }
        self.put(update, KeptIn::Memory, from);
    }

    /// Puts these updates in the place of the seed and of everything pending, under seqs that were never sent. Behind
    /// them comes, as it is, what `waiting` gives of each pending update. Returns writes that go before those of
    /// [`Outbox::rearrange`], which has to follow and tells the store.
    pub fn translate(&mut self, mut updates: Vec<Vec<u8>>, waiting: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Vec<Write> {
        let mut from = self.take_seeds();
        for entry in std::mem::take(&mut self.entries) {
            updates.extend(waiting(&entry.update));
            from.push(self.key(entry.number));
            from.extend(entry.replaces);
        }
        self.last_seq = self.sent;
        let mut writes = Vec::new();
        if updates.is_empty() {
            writes = self.forget(from);
            from = Vec::new();
        }
        for update in updates {
            self.put(update, KeptIn::Memory, std::mem::take(&mut from));
        }
        writes
    }

    /// Puts aside each update that has something at or above the clock which `through` gives for its client, unless it
    /// `waits`. Returns what the store has to be told.
    pub fn put_late_aside(
        &mut self,
        through: impl Fn(u64) -> u32,
        waits: impl Fn(&[u8]) -> bool,
        (code, message): (&str, &str),
    ) -> Vec<Write> {
        let mut writes = Vec::new();
        for entry in std::mem::take(&mut self.entries) {
            match is_below(&entry.update, &through) || waits(&entry.update) {
                true => self.entries.push_back(entry),
                false => writes.extend(self.entry_aside(entry, code, message)),
            }
        }
        writes
    }

    fn take_unsent(&mut self) -> Vec<PendingUpdate> {
        let at = self.entries.iter().position(|entry| entry.seq > self.sent).unwrap_or(self.entries.len());
        let unsent = self.entries.drain(at..).collect();
        self.last_seq = self.last_before(at);
        unsent
    }

    /// Puts everything pending aside: it belongs to an epoch that has ended. So does what waits for the right to write.
    /// Seqs start again in the next epoch. Returns all that the store has to be told, even if it has failed since.
    pub fn close_epoch(&mut self, why: &str) -> Vec<Write> {
        for entry in std::mem::take(&mut self.entries) {
            self.entry_aside(entry, ErrorCode::Epoch.as_str(), why);
        }
        for Aside { update, place } in &mut self.set_aside {
            if update.code == RejectCode::ReadOnly.as_str() {
                (update.code, update.message) = (ErrorCode::Epoch.as_str().to_owned(), why.to_owned());
                *place = KeptIn::Memory;
            }
        }
        self.last_seq = 0;
        self.sent = 0;
        self.rewrite()
    }

    /// Takes over updates of other sessions, which are in `place` under their keys, to submit them under seqs of this
    /// session. To be followed by [`Outbox::rearrange`], which tells the store.
    pub fn adopt(&mut self, pending: impl IntoIterator<Item = Pending>, place: KeptIn) {
        for Pending { key, update, .. } in pending {
            if key.session != self.session || self.entries.iter().all(|entry| entry.number != key.seq) {
                self.put(update, place, vec![key]);
            }
        }
    }

    /// Makes pending again what was set aside with this code. To be followed by [`Outbox::rearrange`]. Returns whether
    /// there was anything.
    pub fn take_back(&mut self, code: &str) -> bool {
        let (taken, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.set_aside).into_iter().partition(|aside| aside.update.code == code);
        self.set_aside = kept;
        let any = !taken.is_empty();
        for Aside { update, place } in taken {
            self.put(update.update, place, vec![update.key]);
        }
        any
    }

    /// Moves a sent update to the end, under a new seq: it is submitted again later. To be followed by
    /// [`Outbox::rearrange`]. Returns whether it was pending.
    pub fn postpone(&mut self, seq: u64) -> bool {
        let Some(entry) = self.remove(seq) else { return false };
        self.put_again(entry);
        true
    }

    /// Takes over what the store has of updates set aside earlier.
    pub fn take_stored_aside(&mut self, stored: Vec<SetAside>) {
        for update in stored {
            if self.set_aside.iter().all(|aside| aside.update.key != update.key) {
                self.set_aside.push(Aside { update, place: KeptIn::Stored });
            }
        }
    }

    /// Whether enough is unsent that merging pays.
    pub fn wants_merging(&self) -> bool {
        self.entries.len() >= MERGE_AT
            && self.unsent().filter(|entry| entry.update.len() < SMALL_BYTES).count() >= MERGE_AT
    }

    fn unsent(&self) -> impl Iterator<Item = &PendingUpdate> {
        self.entries.iter().filter(|entry| entry.seq > self.sent)
    }

    /// The first of what is unsent that exceeds `max` bytes.
    pub fn oversized(&self, max: usize) -> Option<u64> {
        self.unsent().find(|entry| entry.update.len() > max).map(|entry| entry.seq)
    }

    /// Merges small unsent updates, cuts those over `max` bytes, and gives them new seqs. Returns the writes that make
    /// the store follow, to be carried out in one transaction.
    pub fn rearrange(&mut self, max: usize) -> Vec<Write> {
        let at = self.disorder(max);
        let unsent: Vec<PendingUpdate> = self.entries.drain(at..).collect();
        self.last_seq = self.last_before(self.entries.len());
        if unsent.is_empty() {
            return Vec::new();
        }
        let stored = unsent.iter().all(|entry| entry.place == KeptIn::Stored);
        let mut from: Vec<PendingKey> = Vec::new();
        for entry in &unsent {
            from.push(self.key(entry.number));
            from.extend(entry.replaces.iter().cloned());
        }
        let updates = merged(unsent.into_iter().map(|entry| entry.update).collect(), MERGED_BYTES.min(max));
        let updates =
            updates.into_iter().flat_map(|update| if update.len() > max { cut(update, max) } else { vec![update] });
        // Until the write is committed, the store has it all under the old keys.
        let place = if stored { KeptIn::Stored } else { KeptIn::Memory };
        let mut writes = Vec::new();
        for update in updates {
            let replaces = std::mem::take(&mut from);
            let to = self.put(update.clone(), place, replaces.clone());
            writes.push(Write::Coalesce { from: replaces, to, update });
        }
        writes
    }

    /// There is no store: nothing is kept under other keys.
    pub fn nothing_to_replace(&mut self) {
        self.entries.iter_mut().for_each(|entry| entry.replaces.clear());
    }

    /// The highest seq in use once the entries from `at` on are given new seqs.
    fn last_before(&self, at: usize) -> u64 {
        self.sent.max(at.checked_sub(1).and_then(|at| self.entries.get(at)).map_or(0, |entry| entry.seq))
    }

    /// The first of the unsent entries that has to be cut, told to the store, given another seq, or merged.
    fn disorder(&self, max: usize) -> usize {
        let unsent = self.entries.iter().position(|entry| entry.seq > self.sent).unwrap_or(self.entries.len());
        // Something before it may have been put aside, and seqs have no gaps.
        let first = self.last_before(unsent) + 1;
        let odd = |(at, entry): (usize, &PendingUpdate)| {
            entry.update.len() > max || !entry.replaces.is_empty() || entry.seq != first + at as u64
        };
        let odd = self.entries.range(unsent..).enumerate().position(odd).map_or(self.entries.len(), |at| unsent + at);
        // A large entry is merged only once what came after it is about as large: so each byte takes part in few
        // merges.
        let mut at = self.entries.len();
        let mut after = 0;
        for entry in self.entries.range(unsent..).rev() {
            let size = entry.update.len();
            if after > 0 && (size > 2 * after || size + after > MERGED_BYTES) {
                break;
            }
            after += size;
            at -= 1;
        }
        odd.min(at)
    }

    /// What the store has to be told if nothing is known of what it has.
    pub fn rewrite(&self) -> Vec<Write> {
        let own = |key: &PendingKey| key.session == self.session;
        let others: Vec<_> = self.leftover.iter().map(|(key, _)| key).filter(|key| !own(key)).cloned().collect();
        let mut writes = Vec::new();
        if !others.is_empty() {
            // Under a number that is never given; the next write removes it.
            writes.push(Write::Coalesce { from: others, to: self.key(0), update: NOTHING.to_vec() });
        }
        // What is pending is put back below.
        writes.push(Write::Acknowledge { session: self.session.clone(), seq: self.last_number });
        writes.extend(self.rewrite_aside());
        for entry in &self.entries {
            let to = self.key(entry.number);
            writes.push(Write::Coalesce { from: entry.replaces.clone(), to, update: entry.update.clone() });
        }
        writes
    }

    fn rewrite_aside(&self) -> impl Iterator<Item = Write> {
        self.set_aside.iter().flat_map(|aside| {
            let SetAside { key, code, message, update, .. } = aside.update.clone();
            let put = Write::Coalesce { from: Vec::new(), to: key.clone(), update };
            [put, Write::SetAside { key, code, message }]
        })
    }

    /// Everything that is not in the store yet is in the write with this ticket.
    pub fn writing(&mut self, ticket: u64) {
        self.leftover.iter_mut().for_each(|(_, write)| *write = write.or(Some(ticket)));
        for entry in self.entries.iter_mut().filter(|entry| !entry.replaces.is_empty()) {
            entry.replacing.get_or_insert(ticket);
        }
        self.each_place(|place| {
            if *place == KeptIn::Memory {
                *place = KeptIn::Writing(ticket);
            }
        });
    }

    pub fn stored(&mut self, ticket: u64) {
        for entry in self.entries.iter_mut().filter(|entry| entry.replacing == Some(ticket)) {
            entry.replacing = None;
            entry.replaces.clear();
        }
        self.leftover.retain(|(_, write)| *write != Some(ticket));
        self.each_place(|place| place.settle(ticket, KeptIn::Stored));
    }

    pub fn not_stored(&mut self, ticket: u64) {
        for entry in self.entries.iter_mut().filter(|entry| entry.replacing == Some(ticket)) {
            entry.replacing = None;
        }
        for (_, write) in self.leftover.iter_mut().filter(|(_, write)| *write == Some(ticket)) {
            *write = None;
        }
        self.each_place(|place| place.settle(ticket, KeptIn::Memory));
    }

    /// Nothing of this is in a store any more.
    pub fn in_memory_only(&mut self) {
        self.each_place(|place| *place = KeptIn::Memory);
    }

    pub fn is_stored(&self) -> bool {
        self.entries.iter().all(|entry| entry.place == KeptIn::Stored)
            && self.set_aside.iter().all(|aside| aside.place == KeptIn::Stored)
    }

    fn each_place(&mut self, mut change: impl FnMut(&mut KeptIn)) {
        self.entries.iter_mut().for_each(|entry| change(&mut entry.place));
        self.set_aside.iter_mut().for_each(|aside| change(&mut aside.place));
    }
}

/// Whether all that an update inserts is below the clock that `through` says of its client.
pub(super) fn is_below(update: &[u8], through: &impl Fn(u64) -> u32) -> bool {
    let Ok(update) = Update::decode_v1(update) else { return false };
    let inserted = update.insertions(true);
    inserted.iter().all(|(client, ranges)| ranges.iter().all(|range| range.end <= through(client.get())))
}

/// Whether an update brings anything but deletions.
pub(super) fn inserts(update: &[u8]) -> bool {
    Update::decode_v1(update).is_ok_and(|update| !update.insertions(true).is_empty())
}

/// Neighbours merged as long as they stay within `max` bytes together.
fn merged(updates: Vec<Vec<u8>>, max: usize) -> Vec<Vec<u8>> {
    let mut out: Vec<Vec<u8>> = Vec::new();
    let mut group: Vec<Vec<u8>> = Vec::new();
    let mut size = 0;
    for update in updates {
        if size + update.len() > max && !group.is_empty() {
            finish_group(&mut out, std::mem::take(&mut group), max);
            size = 0;
        }
        size += update.len();
        group.push(update);
    }
    finish_group(&mut out, group, max);
    out
}

fn finish_group(out: &mut Vec<Vec<u8>>, group: Vec<Vec<u8>>, max: usize) {
    if group.len() < 2 {
        out.extend(group);
        return;
    }
    match crate::update::merge(&group) {
        Ok(update) if update.len() <= max.max(MERGED_BYTES) => out.push(update),
        // The server is to refuse what does not decode, and not its neighbours with it.
        _ => out.extend(group),
    }
}

fn cut(update: Vec<u8>, max: usize) -> Vec<Vec<u8>> {
    match split(&update, max) {
        Ok(pieces) if !pieces.is_empty() => pieces,
        _ => vec![update],
    }
}
