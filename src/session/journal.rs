//! The session's side of its store: which writes are on their way, what the store has, what to do when it fails.
//!
//! The writes of one input form one transaction. What was acknowledged moves from the outbox to the log a little later,
//! so that this does not happen for each keystroke. When a write fails, memory goes on as the truth: nothing more is
//! written until, after a while, one transaction brings the store up to everything. Nothing here reads the document.

use std::collections::VecDeque;

use litemap::LiteMap;

use crate::store::{PendingKey, Row, StoreError, Write};
use crate::update::merge;

use super::types::{DeviceStorage, Millis};

/// A log of more rows, or of more bytes beside its largest row, is compacted when the session is idle.
const COMPACT_ROWS: usize = 500;
const COMPACT_BYTES: usize = 1 << 20;
/// A log of so many times that size is compacted at once.
const URGENT: usize = 4;
/// What was acknowledged stays in the store's outbox so long, to leave it together with what is acknowledged meanwhile.
/// If the page is gone before, the next session sends it once more, and the server has it already.
const SETTLE: Millis = 1_000;
const RETRY_FIRST: Millis = 1_000;
const RETRY_LONGEST: Millis = 60_000;

#[derive(Debug)]
pub(super) struct Journal {
    state: JournalState,
    /// Whether there is a copy on the device, or may be.
    kept: bool,
    batch: Vec<Write>,
    settling: Option<Settling>,
    last_ticket: u64,
    in_flight: VecDeque<InFlight>,
    rows: LogRows,
    pub epoch: Option<String>,
    failures: u32,
    /// What is being loaded may be gone from the store.
    doubtful: bool,
}

/// What was acknowledged, and is still in the store's outbox.
#[derive(Debug)]
struct Settling {
    through: PendingKey,
    updates: Vec<Vec<u8>>,
    at: Millis,
}

impl Settling {
    /// From the outbox into the log. `shown`: the same transaction writes all that is in the document.
    fn writes(self, shown: bool) -> Vec<Write> {
        let updates = match merge(&self.updates) {
            _ if shown => Vec::new(),
            Ok(update) => vec![update],
            Err(_) => self.updates,
        };
        let PendingKey { session, seq } = self.through;
        let mut writes: Vec<Write> = updates.into_iter().map(|update| Write::Append { update }).collect();
        writes.push(Write::Acknowledge { session, seq });
        writes
    }
}

/// Log rows whose content is in the document, with their sizes.
#[derive(Debug, Default)]
struct LogRows {
    sizes: LiteMap<Row, usize>,
    bytes: usize,
    largest: usize,
}

impl LogRows {
    fn extend(&mut self, rows: impl IntoIterator<Item = (Row, usize)>) {
        for (row, size) in rows {
            self.bytes += size;
            self.largest = self.largest.max(size);
            self.bytes -= self.sizes.insert(row, size).unwrap_or_default();
        }
    }

    /// All of them, to be deleted.
    fn take(&mut self) -> Vec<(Row, usize)> {
        std::mem::take(self).sizes.into_iter().collect()
    }
}

#[derive(Debug, Clone, PartialEq)]
enum JournalState {
    /// No store, or its copy was deleted.
    Off,
    Loading,
    Working,
    Failing {
        error: StoreError,
        retry_at: Millis,
        loaded: bool,
    },
}

#[derive(Debug)]
struct InFlight {
    ticket: u64,
    /// Sizes of the rows it appends.
    appends: Vec<usize>,
    /// Rows it deletes.
    deletes: Vec<(Row, usize)>,
    /// Whether it gives other keys to what is pending.
    moves: bool,
}

/// What a failing store needs after a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mending {
    /// It was never loaded: load it.
    Load,
    /// Bring it up to what is in memory.
    Rewrite,
}

impl Journal {
    pub fn new(store: bool) -> Self {
        let state = if store { JournalState::Loading } else { JournalState::Off };
        Self {
            state,
            kept: store,
            batch: Vec::new(),
            settling: None,
            last_ticket: 0,
            in_flight: VecDeque::new(),
            rows: LogRows::default(),
            epoch: None,
            failures: 0,
            doubtful: false,
        }
    }

    pub fn is_loading(&self) -> bool {
        self.state == JournalState::Loading
    }

    pub fn is_working(&self) -> bool {
        self.state == JournalState::Working
    }

    /// There is a copy, as far as it is known, and it was never loaded.
    pub fn is_unread(&self) -> bool {
        matches!(self.state, JournalState::Loading | JournalState::Failing { loaded: false, .. })
    }

    /// Nothing is written any more.
    pub fn is_off(&self) -> bool {
        self.state == JournalState::Off
    }

    pub fn shown(&self) -> DeviceStorage {
        match &self.state {
            JournalState::Off => DeviceStorage::Memory,
            JournalState::Loading | JournalState::Working => DeviceStorage::IndexedDb,
            JournalState::Failing { error, .. } => match error {
                StoreError::Full => DeviceStorage::Full,
                StoreError::Blocked(_) => DeviceStorage::Blocked,
                StoreError::Corrupt(_) => DeviceStorage::Corrupt,
                StoreError::Closed(_) | StoreError::Failed(_) | StoreError::Replaced => DeviceStorage::Memory,
            },
        }
    }

    /// Returns whether the store may have lost what was loaded.
    pub fn loaded(&mut self, epoch: Option<String>, rows: Vec<(Row, usize)>) -> bool {
        self.state = JournalState::Working;
        self.failures = 0;
        self.epoch = epoch;
        let doubtful = std::mem::take(&mut self.doubtful);
        if !doubtful {
            self.rows.extend(rows);
        }
        doubtful
    }

    /// What was stored may be gone: none of it counts, and the store is written anew as soon as it works.
    pub fn lost(&mut self, now: Millis, error: StoreError) {
        match &self.state {
            JournalState::Off => {}
            JournalState::Loading => self.doubtful = true,
            JournalState::Working => {
                let first = self.failures == 0;
                self.forget();
                self.fail(now, error, true);
                if first {
                    self.hurry(now);
                }
            }
            JournalState::Failing { loaded: false, .. } => {}
            JournalState::Failing { .. } => self.forget(),
        }
    }

    /// Forgets all rows: other rows may have their numbers by now.
    fn forget(&mut self) {
        self.rows = LogRows::default();
        self.in_flight.clear();
    }

    /// Does at once what is to be done later.
    pub fn hurry(&mut self, now: Millis) {
        if let Some(settling) = &mut self.settling {
            settling.at = now;
        }
        if let JournalState::Failing { retry_at, .. } = &mut self.state {
            *retry_at = now;
        }
    }

    /// Nothing is written from now on.
    pub fn turn_off(&mut self) {
        self.state = JournalState::Off;
        self.batch.clear();
        self.settling = None;
    }

    /// The copy is replaced: what failed before, or was acknowledged, does not matter any more.
    pub fn restart(&mut self) {
        self.settling = None;
        if self.kept {
            self.state = JournalState::Working;
        }
    }

    /// Deletes the copy; nothing else is written after that.
    pub fn delete(&mut self) {
        self.batch = vec![Write::Delete];
        self.settling = None;
        self.forget();
        self.kept = false;
        self.state = JournalState::Off;
    }

    /// Adds a step to the transaction of this input.
    pub fn write(&mut self, write: Write) {
        if self.is_working() {
            self.batch.push(write);
        }
    }

    pub fn write_all(&mut self, writes: Vec<Write>) {
        if self.is_working() {
            self.batch.extend(writes);
        }
    }

    /// The server has these updates, which the store's outbox has up to the key `through`.
    pub fn acknowledged(&mut self, now: Millis, through: PendingKey, updates: Vec<Vec<u8>>) {
        if !self.is_working() {
            return;
        }
        let settling =
            self.settling.get_or_insert(Settling { through: through.clone(), updates: vec![], at: now + SETTLE });
        settling.through = through;
        settling.updates.extend(updates);
    }

    /// Whether the log has anything, as far as it is known.
    pub fn has_log(&self) -> bool {
        !self.rows.sizes.is_empty()
    }

    /// When what was acknowledged is to leave the outbox.
    pub fn settles_at(&self) -> Option<Millis> {
        self.settling.as_ref().filter(|_| !self.moving()).map(|settling| settling.at)
    }

    /// Whether a write is on its way that gives other keys to what is pending. Should it fail, pending updates are
    /// under their old keys, which may be among those that acknowledged updates have.
    fn moving(&self) -> bool {
        self.in_flight.iter().any(|write| write.moves)
    }

    /// Finds out whether the copy is still of our epoch.
    pub fn look(&mut self) {
        if let Some(epoch) = self.epoch.clone() {
            self.write(Write::InEpoch { epoch });
        }
    }

    /// Moves what was acknowledged when it is time to, or in a transaction that is no mere edit: an edit shall cost one
    /// write.
    fn settle(&mut self, now: Millis) {
        let along = self.batch.iter().any(|write| !matches!(write, Write::Edit { .. }));
        let due = self.settling.as_ref().is_some_and(|settling| along || settling.at <= now) && !self.moving();
        let Some(settling) = self.settling.take_if(|_| due) else { return };
        let shown = self.batch.iter().any(|write| matches!(write, Write::Compact { .. }));
        // Behind whatever was put into the outbox before it was acknowledged.
        self.batch.extend(settling.writes(shown));
    }

    /// The transaction of this input, if there is anything to write. `in_epoch`: only if the copy is still of ours.
    pub fn take_batch(&mut self, now: Millis, in_epoch: bool) -> Option<(u64, Vec<Write>)> {
        self.settle(now);
        if self.batch.is_empty() {
            return None;
        }
        let mut writes = std::mem::take(&mut self.batch);
        if let Some(epoch) = self.epoch.clone().filter(|_| in_epoch) {
            writes.insert(0, Write::InEpoch { epoch });
        }
        self.last_ticket += 1;
        let mut appends = Vec::new();
        let mut deletes = Vec::new();
        for write in &writes {
            match write {
                Write::Append { update } => appends.push(update.len()),
                Write::Compact { snapshot, .. } | Write::Reset { snapshot, .. } => {
                    deletes.append(&mut self.rows.take());
                    appends.push(snapshot.len());
                }
                _ => {}
            }
        }
        let moves = writes.iter().any(|write| matches!(write, Write::Coalesce { .. }));
        self.in_flight.push_back(InFlight { ticket: self.last_ticket, appends, deletes, moves });
        Some((self.last_ticket, writes))
    }

    pub fn stored(&mut self, ticket: u64, rows: &[Row]) {
        let Some(write) = self.landed(ticket) else { return };
        self.rows.extend(rows.iter().copied().zip(write.appends));
        if self.is_working() {
            self.failures = 0;
        }
    }

    /// Returns whether the store was working until now.
    pub fn failed(&mut self, now: Millis, ticket: u64, error: StoreError) -> bool {
        match self.landed(ticket) {
            Some(write) if !error.loses() => self.rows.extend(write.deletes),
            _ => {}
        }
        if error.loses() {
            self.forget();
        }
        self.fail(now, error, true)
    }

    pub fn not_loaded(&mut self, now: Millis, error: StoreError) {
        self.fail(now, error, false);
    }

    fn fail(&mut self, now: Millis, error: StoreError, loaded: bool) -> bool {
        if matches!(self.state, JournalState::Off | JournalState::Failing { .. }) {
            return false;
        }
        let wait = RETRY_FIRST.checked_shl(self.failures.min(10)).unwrap_or(RETRY_LONGEST).min(RETRY_LONGEST);
        self.failures = self.failures.saturating_add(1);
        self.batch.clear();
        self.settling = None;
        self.state = JournalState::Failing { error, retry_at: now + wait, loaded };
        true
    }

    fn landed(&mut self, ticket: u64) -> Option<InFlight> {
        let at = self.in_flight.iter().position(|write| write.ticket == ticket)?;
        self.in_flight.remove(at)
    }

    pub fn in_flight(&self) -> bool {
        !self.in_flight.is_empty()
    }

    pub fn retry_at(&self) -> Option<Millis> {
        match self.state {
            JournalState::Failing { retry_at, .. } => Some(retry_at),
            _ => None,
        }
    }

    /// Goes back to work when it is time to.
    pub fn mend(&mut self, now: Millis) -> Option<Mending> {
        let JournalState::Failing { retry_at, loaded, .. } = self.state else { return None };
        if now < retry_at {
            return None;
        }
        self.state = if loaded { JournalState::Working } else { JournalState::Loading };
        Some(if loaded { Mending::Rewrite } else { Mending::Load })
    }

    /// Whether the log wants compacting; `idle`: nothing is happening.
    pub fn wants_compacting(&self, idle: bool) -> bool {
        let factor = if idle { 1 } else { URGENT };
        let bytes = self.rows.bytes - self.rows.largest;
        self.is_working() && (self.rows.sizes.len() > COMPACT_ROWS * factor || bytes > COMPACT_BYTES * factor)
    }

    pub fn compact(&mut self, snapshot: Vec<u8>) {
        let rows = self.rows.sizes.keys().copied().collect();
        self.write(Write::Compact { rows, snapshot });
    }
}
