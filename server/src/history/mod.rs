//! Earlier states of a document, out of its log.
//!
//! A version is a row of the log, a burst of edits, or a state that someone named. Its id is the sequence number of its
//! last update, or `n-` and the named state's id. Reading one replays the log up to there: rows that compaction merged
//! are read as the window they stand for.

mod authors;
pub mod blame;
mod compare;
mod json;
mod kinds;
pub mod rollback;
pub mod values;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;
use slate_yrs::format::OWN_ROOTS;
use slate_yrs::slate::{DocOptions, Node, Op, Schema, SlateDoc};
use slate_yrs::update::merge;
use thiserror::Error;

pub use authors::AuthorSpans;
pub use json::nodes_to_json;
pub(crate) use kinds::schema;

use crate::authorship::{Part, SITTING_GAP_MS, SITTING_MS, is_kept};
use crate::room::load::{build, whole_log};
use crate::storage::{Detail, Millis, NamedVersion, Seq, Storage, StorageError, UpdateRow};

const PAGE: u32 = 1_000;
/// What a page of rows may hold, beside one larger row.
pub const PAGE_BYTES: usize = 8 << 20;

#[derive(Debug, Error)]
pub enum HistoryError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("there is no such document")]
    NoDocument,
    #[error("there is no such version")]
    NoVersion,
    #[error("the version cannot be read: {0}")]
    Unreadable(String),
    #[error("the document is of format {0}, which this server does not write")]
    Format(u32),
    #[error("only in a document of format 1 is it known what somebody did")]
    NotByReference,
}

/// As `Version` of the JavaScript API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Version {
    pub id: String,
    /// RFC 3339.
    pub at: String,
    pub label: Option<String>,
    pub authors: Vec<String>,
    pub kind: VersionKind,
    /// Of the updates it is made of; of the whole state if it is named.
    pub bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VersionKind {
    Edit,
    Hourly,
    Daily,
    Named,
}

/// Which state is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionId {
    /// After this update.
    Seq(Seq),
    Named(String),
    Now,
}

impl VersionId {
    pub fn parse(id: &str) -> Option<Self> {
        if id == "now" {
            return Some(Self::Now);
        }
        match id.strip_prefix("n-") {
            Some(id) => Some(Self::Named(id.to_owned())),
            None => id.parse().ok().filter(|seq| *seq > 0).map(Self::Seq),
        }
    }
}

/// Versions of a document, newest first, after (older than) `before`.
pub async fn list(
    storage: &Arc<dyn Storage>,
    document: &str,
    before: Option<&str>,
    limit: usize,
) -> Result<Vec<Version>, HistoryError> {
    let mut found: Vec<(Millis, Version)> = Vec::new();
    let mut burst: Option<Burst> = None;
    for_rows(storage, document, Seq::MAX, |row| {
        if row.quarantined.is_some() {
            return Ok(());
        }
        match (&mut burst, row.detail) {
            (Some(open), Detail::Edit) if open.takes(&row) => open.add(&row),
            _ => {
                found.extend(burst.take().map(Burst::close));
                burst = Some(Burst::new(&row));
            }
        }
        Ok(())
    })
    .await?;
    found.extend(burst.map(Burst::close));
    found.extend(storage.named(document).await?.iter().map(|named| (named.at, named_version(named))));
    found.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let mut versions: Vec<Version> = found.into_iter().map(|(_, version)| version).collect();
    if let Some(before) = before {
        let at = versions.iter().position(|version| version.id == before).ok_or(HistoryError::NoVersion)?;
        versions.drain(..=at);
    }
    versions.truncate(limit);
    Ok(versions)
}

/// Edits of one sitting.
struct Burst {
    first_at: Millis,
    last_at: Millis,
    seq: Seq,
    detail: Detail,
    authors: BTreeSet<String>,
    bytes: u64,
}

impl Burst {
    fn new(row: &UpdateRow) -> Self {
        let mut burst = Self {
            first_at: row.at,
            last_at: row.at,
            seq: row.seq,
            detail: row.detail,
            authors: BTreeSet::new(),
            bytes: 0,
        };
        burst.add(row);
        burst
    }

    fn takes(&self, row: &UpdateRow) -> bool {
        self.detail == Detail::Edit && row.at - self.last_at < SITTING_GAP_MS && row.at - self.first_at < SITTING_MS
    }

    fn add(&mut self, row: &UpdateRow) {
        self.last_at = row.at;
        self.seq = row.seq;
        self.bytes += row.bytes.len() as u64;
        self.authors.extend(row.authors.0.iter().cloned());
    }

    fn close(self) -> (Millis, Version) {
        let kind = match self.detail {
            Detail::Edit => VersionKind::Edit,
            Detail::Hour => VersionKind::Hourly,
            Detail::Day => VersionKind::Daily,
        };
        let version = Version {
            id: self.seq.to_string(),
            at: rfc3339(self.last_at),
            label: None,
            authors: self.authors.into_iter().collect(),
            kind,
            bytes: self.bytes,
        };
        (self.last_at, version)
    }
}

pub fn named_version(named: &NamedVersion) -> Version {
    Version {
        id: format!("n-{}", named.id),
        at: rfc3339(named.at),
        label: Some(named.label.clone()),
        authors: named.author.iter().cloned().collect(),
        kind: VersionKind::Named,
        bytes: named.bytes,
    }
}

/// The state at a version as one update, and the sequence number it stands at.
pub async fn state(
    storage: &Arc<dyn Storage>,
    document: &str,
    version: &VersionId,
) -> Result<(Seq, Vec<u8>), HistoryError> {
    let until = match version {
        VersionId::Named(id) => {
            let named = storage.named_state(document, id).await.map_err(|error| match error {
                StorageError::Damaged(_) => HistoryError::Unreadable(error.to_string()),
                error => error.into(),
            })?;
            let (named, bytes) = named.ok_or(HistoryError::NoVersion)?;
            return Ok((named.seq, bytes));
        }
        VersionId::Seq(seq) => *seq,
        VersionId::Now => return now(storage, document).await,
    };
    let mut rows = Vec::new();
    for_rows(storage, document, until, |row| {
        rows.push(row);
        Ok(())
    })
    .await?;
    let last = rows.last().map_or(0, |row| row.seq);
    if last != until {
        return Err(HistoryError::NoVersion);
    }
    rows.retain(|row| row.quarantined.is_none());
    Ok((last, replayed(None, rows).await?))
}

/// The newest state: snapshot and tail, however old the document is.
async fn now(storage: &Arc<dyn Storage>, document: &str) -> Result<(Seq, Vec<u8>), HistoryError> {
    let state = storage.get_scene_state(document).await?.ok_or(HistoryError::NoDocument)?;
    let tip = state.document.tip;
    if let Ok(bytes) = replayed(state.snapshot, state.tail).await {
        return Ok((tip, bytes));
    }
    // As when a room is loaded: a head that cannot be used costs time.
    Ok((tip, replayed(None, whole_log(storage, document).await?).await?))
}

/// What rows after a snapshot come to. One that cannot be applied is left out, as it is when the document is loaded:
/// what was typed after it can be read all the same.
async fn replayed(snapshot: Option<(Seq, Vec<u8>)>, rows: Vec<UpdateRow>) -> Result<Vec<u8>, HistoryError> {
    let unreadable = |error: &dyn std::fmt::Display| HistoryError::Unreadable(error.to_string());
    let work = tokio::task::spawn_blocking(move || build(snapshot.as_ref(), &rows)?.replica.encode_whole());
    work.await.map_err(|error| unreadable(&error))?.map_err(|error| unreadable(&error))
}

/// Who wrote what between two states.
pub async fn authors(
    storage: &Arc<dyn Storage>,
    document: &str,
    after: Seq,
    until: Seq,
) -> Result<AuthorSpans, HistoryError> {
    let mut authors = AuthorSpans::default();
    let kept = storage.authorship(document).await?;
    for_rows(storage, document, until, |row| {
        if row.seq > after && row.quarantined.is_none() {
            match is_kept(&row, &kept) {
                true => authors.add_kept(&row, kept.iter().filter_map(Part::of_kept)),
                false => authors.add(&row),
            }
        }
        Ok(())
    })
    .await?;
    Ok(authors)
}

/// Two states as one value: see `compare`.
pub fn compared(root: &str, from: &[u8], to: &[u8], authors: &AuthorSpans) -> Result<Vec<Node>, HistoryError> {
    let (from, to) = (open(root, from)?, open(root, to)?);
    Ok(compare::compare(&from.value(), &to.value(), &|change, at, len| authors.of((&from, &to), change, at, len)))
}

/// The rows up to `until`, a page at a time.
async fn for_rows(
    storage: &Arc<dyn Storage>,
    document: &str,
    until: Seq,
    mut each: impl FnMut(UpdateRow) -> Result<(), HistoryError>,
) -> Result<(), HistoryError> {
    let mut after = 0;
    loop {
        let fits = storage.rows_within(document, after, PAGE, PAGE_BYTES).await?;
        let rows = storage.get_updates_since(document, after, fits.max(1)).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.seq;
        for row in rows {
            if row.seq > until {
                return Ok(());
            }
            each(row)?;
        }
    }
}

/// A state as a Slate value.
pub fn value(root: &str, state: &[u8]) -> Result<Vec<Node>, HistoryError> {
    Ok(open(root, state)?.value())
}

/// A state, to be read.
pub(crate) fn open(root: &str, state: &[u8]) -> Result<SlateDoc, HistoryError> {
    let doc = load(root, 1, state)?;
    doc.check_root().map_err(|error| HistoryError::Unreadable(error.to_string()))?;
    Ok(doc)
}

fn load(root: &str, client_id: u32, state: &[u8]) -> Result<SlateDoc, HistoryError> {
    let mut doc = SlateDoc::new(DocOptions {
        client_id,
        root: root.to_owned(),
        block_id: None,
        seed: 0,
        schema: Schema::default(),
    });
    doc.load(state).map_err(|error| HistoryError::Unreadable(error.to_string()))?;
    Ok(doc)
}

/// The update that brings a document from `current` to `target`, as edits of `client_id`. None: it is there already.
pub fn forward_edit(
    root: &str,
    client_id: u32,
    current: &[u8],
    target: &[Node],
) -> Result<Option<Vec<u8>>, HistoryError> {
    let mut doc = writable(root, client_id, current)?;
    doc.set_schema(schema(doc.kinds(), target));
    let ops = SlateDoc::diff(&doc.value(), target);
    written(&mut doc, ops)
}

/// Whether a map beside the text is the applications'.
fn is_shared(map: &str) -> bool {
    !map.starts_with(OWN_ROOTS)
}

/// The update that brings a document from `current` back to the state `version`, as edits of `client_id`. None: it is
/// there already. In a document of format 1 what is there in both keeps its ids, wherever it stands. The applications' values go
/// back with the text; comments do not.
pub fn restore(root: &str, client_id: u32, current: &[u8], version: &[u8]) -> Result<Option<Vec<u8>>, HistoryError> {
    let mut doc = writable(root, client_id, current)?;
    let mut target = open(root, version)?;
    let schema = schema(doc.kinds(), &target.value());
    doc.set_schema(schema.clone());
    target.set_schema(schema);
    let mut updates = Vec::new();
    // What was written again has other ids, and would be once more.
    if doc.value() != target.value() {
        if let Some(ops) = doc.steps_to(&target) {
            updates.extend(doc.apply_local(ops).update);
        }
        let ops = SlateDoc::diff(&doc.value(), &target.value());
        updates.extend(written(&mut doc, ops)?);
        // It stays its first author's.
        updates.extend(doc.note_again(&target));
    }
    let values = doc.values_to(&target, is_shared);
    updates.extend(doc.set_values(&values));
    match updates.len() {
        0 | 1 => Ok(updates.pop()),
        _ => {
            let merged = merge(updates.iter().map(Vec::as_slice));
            merged.map(Some).map_err(|error| HistoryError::Unreadable(error.to_string()))
        }
    }
}

/// A state, to be written in.
pub(crate) fn writable(root: &str, client_id: u32, current: &[u8]) -> Result<SlateDoc, HistoryError> {
    let doc = load(root, client_id, current)?;
    if doc.is_writable() { Ok(doc) } else { Err(HistoryError::Format(doc.format())) }
}

fn written(doc: &mut SlateDoc, ops: Vec<Op>) -> Result<Option<Vec<u8>>, HistoryError> {
    let change = doc.apply_local(ops);
    match change.rejected.first() {
        Some((_, error)) => Err(HistoryError::Unreadable(error.to_string())),
        None => Ok(change.update),
    }
}

/// A time as [`rfc3339`] writes it.
pub fn parse_time(text: &str) -> Option<Millis> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

pub fn rfc3339(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |at| at.to_string())
}
