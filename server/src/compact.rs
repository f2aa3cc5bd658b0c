//! Compaction: what is old becomes coarser, and nothing that is kept reads differently (F19).
//!
//! Edits stay as received for a day. Older ones are merged by the hour, after thirty days by the day; named versions
//! are states of their own and stay for ever. A merge replaces exactly the rows it was made of, in one short
//! transaction, and only after its result was compared with them; rows in quarantine are left alone, and so is what
//! waits for updates that never came. Run again after an interruption it goes on where it was.

use std::sync::Arc;

use slate_yrs::update::{merge as merge_updates, say_the_same};

use serde::Serialize;

use crate::authorship;
use crate::replica::{ApplyError, Replica};
use crate::room::load::{build, whole_log};
use crate::storage::{Authors, Authorship, Detail, Merge, Millis, Seq, Storage, StorageError, UpdateRow};

const HOUR_MS: Millis = 3_600_000;
const DAY_MS: Millis = 24 * HOUR_MS;
/// Rows merged into one: keeps the transaction, and with it the time writers wait, short.
const MAX_MERGE: usize = 500;
const PAGE: u32 = 1_000;
/// Documents looked at in one go.
const DOCUMENTS_PAGE: u32 = 200;
/// Documents in a row that the database fails at: it is not the documents then.
const MAX_FAILURES: u32 = 3;
/// The lease of a whole run is renewed with every document.
const LEASE_MS: Millis = 10 * 60_000;
const LEASE: &str = "compaction";

/// How long what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Edits younger than this stay as received.
    pub edits_ms: Millis,
    /// Hours younger than this are not merged into days.
    pub hours_ms: Millis,
    /// Sessions that stored nothing for so long are forgotten.
    pub sessions_ms: Millis,
}

impl Default for Retention {
    fn default() -> Self {
        Self { edits_ms: DAY_MS, hours_ms: 30 * DAY_MS, sessions_ms: 90 * DAY_MS }
    }
}

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub documents: u64,
    pub rows_merged: u64,
    pub rows_made: u64,
    /// Merges that were given up, because a row had changed or the result would have differed.
    pub given_up: u64,
    /// Rows that cannot be read, and were set aside.
    pub quarantined: u64,
    /// Documents left as they are, because of an error that is in the log.
    pub failed: u64,
}

impl Report {
    fn add(&mut self, other: Self) {
        self.documents += other.documents;
        self.rows_merged += other.rows_merged;
        self.rows_made += other.rows_made;
        self.given_up += other.given_up;
        self.quarantined += other.quarantined;
        self.failed += other.failed;
    }
}

/// Compacts every document that needs it. None if another server is at it.
pub async fn compact_all(
    storage: &Arc<dyn Storage>,
    retention: Retention,
    holder: &str,
    clock: impl Fn() -> Millis,
) -> Result<Option<Report>, StorageError> {
    let mut report = Report::default();
    let mut after = String::new();
    let mut failures = 0;
    loop {
        let documents = storage.documents(&after, DOCUMENTS_PAGE).await?;
        let Some(last) = documents.last() else { break };
        after.clone_from(&last.id);
        for document in &documents {
            let now = clock();
            if !storage.take_lease(LEASE, holder, now, now + LEASE_MS).await? {
                return Ok(None);
            }
            match compact_document(storage, &document.id, retention, now).await {
                Ok(one) => {
                    failures = 0;
                    report.add(one);
                }
                // One document's affair, unless it is that of all.
                Err(error) => {
                    failures += 1;
                    if error.fault().is_outage() || failures == MAX_FAILURES {
                        return Err(error);
                    }
                    tracing::error!(document = document.id, %error, "not compacted");
                    report.failed += 1;
                }
            }
        }
    }
    let now = clock();
    storage.forget_sessions(now - retention.sessions_ms).await?;
    // Given back: the next run may be another server's.
    storage.take_lease(LEASE, holder, now, now).await?;
    Ok(Some(report))
}

/// Compacts one document.
pub async fn compact_document(
    storage: &Arc<dyn Storage>,
    document: &str,
    retention: Retention,
    now: Millis,
) -> Result<Report, StorageError> {
    let mut report = Report { documents: 1, ..Report::default() };
    if storage.fine_rows(document, now - retention.edits_ms, now - retention.hours_ms).await? == 0 {
        return Ok(report);
    }
    loop {
        match pass(storage, document, retention, now).await {
            Ok(done) => {
                report.add(done);
                // A window of more rows than one merge takes needs another pass.
                if done.rows_merged == done.rows_made {
                    return Ok(report);
                }
            }
            Err(Stop::Storage(error)) => return Err(error),
            Err(Stop::Unreadable(error)) => {
                let found = quarantine_unreadable(storage, document).await?;
                if found == 0 {
                    return Err(StorageError::Unavailable(format!("rows of {document:?} cannot be read: {error}")));
                }
                report.quarantined += found;
            }
        }
    }
}

/// Why a pass ended early.
enum Stop {
    Storage(StorageError),
    /// Of a row, which is to be found.
    Unreadable(ApplyError),
}

impl From<StorageError> for Stop {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

/// Sets aside what cannot be applied after the rows before it; how many rows that are.
async fn quarantine_unreadable(storage: &Arc<dyn Storage>, document: &str) -> Result<u64, StorageError> {
    let rows = whole_log(storage, document).await?;
    let built = tokio::task::spawn_blocking(move || build(None, &rows)).await;
    let built = built.map_err(|error| StorageError::Unavailable(error.to_string()))?;
    let bad = built.map(|built| built.bad).unwrap_or_default();
    for (seq, reason) in &bad {
        tracing::error!(document, seq, reason, "row quarantined");
        storage.quarantine(document, *seq, reason).await?;
    }
    Ok(bad.len() as u64)
}

async fn pass(storage: &Arc<dyn Storage>, document: &str, retention: Retention, now: Millis) -> Result<Report, Stop> {
    let mut report = Report::default();
    let mut kept: Arc<[Authorship]> = [].into();
    let mut replica = Replica::new();
    let mut group: Vec<UpdateRow> = Vec::new();
    let mut window = None;
    let mut after: Seq = 0;
    loop {
        let rows = storage.get_updates_since(document, after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = last.seq;
        // After the rows: another server may have merged some of them just now.
        kept = storage.authorship(document).await?.into();
        for row in rows {
            let next = window_of(&row, retention, now);
            if next.is_none() || next != window || group.len() == MAX_MERGE {
                let full = std::mem::take(&mut group);
                replica = close_group((storage, document, &kept), window, full, replica, &mut report).await?;
                window = next;
            }
            if next.is_none() && row.quarantined.is_none() && row.at >= now - retention.edits_ms {
                // From here on nothing is old enough; later rows may be older by their clock, never by their seq.
                return Ok(report);
            }
            if row.quarantined.is_none() {
                group.push(row);
            }
        }
    }
    close_group((storage, document, &kept), window, group, replica, &mut report).await?;
    Ok(report)
}

/// The stretch of time whose rows become one, and how coarse it is. None: the row stays as it is.
fn window_of(row: &UpdateRow, retention: Retention, now: Millis) -> Option<(Detail, Millis)> {
    if row.quarantined.is_some() || row.at >= now - retention.edits_ms {
        return None;
    }
    if row.at >= now - retention.hours_ms {
        return Some((Detail::Hour, row.at.div_euclid(HOUR_MS)));
    }
    Some((Detail::Day, row.at.div_euclid(DAY_MS)))
}

/// Merges the rows of a window; the replica goes on behind them in any case.
async fn close_group(
    (storage, document, kept): (&Arc<dyn Storage>, &str, &Arc<[Authorship]>),
    window: Option<(Detail, Millis)>,
    group: Vec<UpdateRow>,
    replica: Replica,
    report: &mut Report,
) -> Result<Replica, Stop> {
    let finished = match (&window, group.as_slice()) {
        (_, []) => return Ok(replica),
        (Some((detail, _)), [alone]) => alone.detail >= *detail,
        _ => false,
    };
    let kept = Arc::clone(kept);
    let work = tokio::task::spawn_blocking(move || {
        let mut replica = replica;
        let merged = match window {
            Some((detail, _)) if !finished => merge(&mut replica, &group, detail, &kept),
            _ => group.iter().try_for_each(|row| replica.load(&row.bytes).map(drop)).map(|()| Merged::Nothing),
        };
        (replica, group, merged)
    });
    let (replica, group, merged) = work.await.map_err(|error| StorageError::Unavailable(error.to_string()))?;
    match merged.map_err(Stop::Unreadable)? {
        Merged::Nothing => {}
        Merged::Differs => {
            tracing::warn!(document, rows = group.len(), "a merge would have read differently: left as it is");
            report.given_up += 1;
        }
        Merged::Row(merged, authorship) => {
            let rows: Vec<Seq> = group.iter().map(|row| row.seq).collect();
            let count = rows.len() as u64;
            if storage.compact_updates(document, &[Merge { rows, merged: *merged, authorship }]).await? == [true] {
                report.rows_merged += count;
                report.rows_made += 1;
            } else {
                report.given_up += 1;
            }
        }
    }
    Ok(replica)
}

/// What became of the rows of a window.
enum Merged {
    /// They stay as they are.
    Nothing,
    /// They stay, because their merge could not be shown to be equal.
    Differs,
    Row(Box<UpdateRow>, Vec<Authorship>),
}

/// Applies the rows to the replica and makes one row that holds them.
fn merge(
    replica: &mut Replica,
    group: &[UpdateRow],
    detail: Detail,
    kept: &[Authorship],
) -> Result<Merged, ApplyError> {
    let (Some(first), Some(last)) = (group.first(), group.last()) else { return Ok(Merged::Nothing) };
    let updates: Vec<&[u8]> = group.iter().map(|row| row.bytes.as_slice()).collect();
    let mut check = Replica::new();
    check.load(&replica.encode_whole()?)?;
    let waiting = replica.has_pending();
    let authorship = authorship::of_merged(replica, group, kept);
    let merged = replica.load_merged(&updates)?;
    let bytes = if waiting || replica.has_pending() {
        // What waits is in no transaction: keep every struct of every row.
        match merge_updates(&updates) {
            Ok(bytes) => bytes,
            Err(_) => return Ok(Merged::Differs),
        }
    } else {
        merged.unwrap_or_else(|| vec![0, 0])
    };
    check.load(&bytes)?;
    if !say_the_same(&check.encode(), &replica.encode()) {
        return Ok(Merged::Differs);
    }
    let mut authors = Authors::default();
    for row in group {
        authors.0.extend(row.authors.0.iter().cloned());
    }
    let row = UpdateRow {
        seq: last.seq,
        first_seq: first.first_seq,
        detail,
        authors,
        at: last.at,
        bytes,
        quarantined: None,
        submitted: false,
    };
    Ok(Merged::Row(Box::new(row), authorship))
}
