//! Taking back what one person did in a span of time, as an edit that comes after all others.
//!
//! What they typed goes, what they deleted comes back where it was, breaks, joins, moves, properties and formats are set back, each
//! where it still stands: undo does that with one's own acts, and here it is done with somebody's out of the log. What others wrote
//! in between stays, and so does what others have changed since. Of rows that were merged it is known who inserted and deleted
//! what; who set a property, of several authors, is not, so that it stays.

use std::sync::Arc;

use serde_json::json;
use slate_yrs::format::Format;
use slate_yrs::slate::ydoc::{Beside, Formats, Span, parse_key};
use slate_yrs::slate::{Act, Id, Witness, utf16_slice};
use yrs::block::ClientID;
use yrs::{ID, IdSet};

use super::{HistoryError, blame, schema, writable};
use crate::authorship::{KnownAuthors, Part};
use crate::live::Made;
use crate::room::load::build;
use crate::storage::{Millis, Storage, UpdateRow};

/// Only documents of this one say by ids what was done.
const BY_REFERENCE: Format = 1;

/// Whose edits, of which time, both ends included.
#[derive(Debug, Clone)]
pub struct Whose {
    pub author: String,
    pub from: Millis,
    pub to: Millis,
}

impl Whose {
    fn is_by(&self, part: &Part) -> bool {
        part.author.as_deref() == Some(self.author.as_str())
    }

    fn has(&self, part: &Part) -> bool {
        self.is_by(part) && (self.from..=self.to).contains(&part.first_at)
    }
}

/// What of a log is needed to take something back.
pub struct WholeLog {
    rows: Vec<UpdateRow>,
    known: KnownAuthors,
}

/// Reads the log.
///
/// # Errors
/// Where the database cannot be read.
pub async fn log(storage: &Arc<dyn Storage>, document: &str) -> Result<WholeLog, HistoryError> {
    let mut rows = Vec::new();
    let known = blame::known_beside(storage, document, |row| rows.push(row)).await?;
    Ok(WholeLog { rows, known })
}

/// Takes it back in `current`, as edits of `client_id`.
///
/// # Errors
/// Where the document cannot be read or written, or is of another format.
pub fn roll_back(
    root: &str,
    client_id: u32,
    current: &[u8],
    log: &WholeLog,
    whose: &Whose,
) -> Result<Made, HistoryError> {
    let mut doc = writable(root, client_id, current)?;
    if doc.format() != BY_REFERENCE {
        return Err(HistoryError::NotByReference);
    }
    let acts = acts(root, log, whose)?;
    let value = doc.value();
    doc.set_schema(schema(doc.kinds(), &value));
    let (change, _) = doc.revert(&acts, None);
    let count = |of: fn(&Act) -> u32| change.acts.iter().map(of).sum::<u32>();
    let removed = count(|act| if let Act::Delete { span, .. } = act { span.1 } else { 0 });
    let restored = count(|act| if let Act::Insert((_, len)) = act { *len } else { 0 });
    Ok(Made { update: change.update, report: json!({ "removed": removed, "restored": restored }) })
}

/// What is theirs of that time.
struct OwnEdits<'a> {
    whose: &'a Whose,
    known: &'a KnownAuthors,
    inserted: IdSet,
    /// And nobody else deleted it.
    deleted: IdSet,
}

impl<'a> OwnEdits<'a> {
    fn new(known: &'a KnownAuthors, whose: &'a Whose) -> Self {
        let (mut inserted, mut deleted, mut by_others) = (IdSet::new(), IdSet::new(), IdSet::new());
        for part in &known.parts {
            if whose.has(part) {
                inserted.merge_with(part.inserted.clone());
                deleted.merge_with(part.deleted.clone());
            } else if !whose.is_by(part) {
                by_others.merge_with(part.deleted.clone());
            }
        }
        deleted.diff_with(&by_others);
        // What they typed and deleted themselves is as it was.
        deleted.diff_with(&inserted);
        Self { whose, known, inserted, deleted }
    }

    /// Whether there is something of theirs in a row; and whether there is nothing else.
    fn is_in(&self, row: &UpdateRow) -> (bool, bool) {
        let from = self.known.parts.partition_point(|part| part.first_seq < row.first_seq);
        let of_row = self.known.parts[from..].iter().take_while(|part| part.first_seq <= row.seq);
        of_row.fold((false, true), |(some, all), part| {
            let own = self.whose.has(part);
            (some || own, all && own)
        })
    }

    /// Of what an update did, what is theirs. `whole`: the update is.
    fn of(&self, act: Act, whole: bool, acts: &mut Vec<Act>) {
        match act {
            Act::Insert(span) => acts.extend(parts(&self.inserted, span).into_iter().map(Act::Insert)),
            Act::Delete { span, text, formats, between } => {
                self.deleted_text(span, &text, &formats, between, acts);
            }
            Act::Make { id, .. } => acts.extend(has(&self.inserted, id).then_some(act)),
            Act::Drop { id, .. } => acts.extend(has(&self.deleted, id).then_some(act)),
            Act::Set { .. } => acts.extend(whole.then_some(act)),
            // A key says by itself whose it is.
            Act::Format { ref key, .. } => {
                let client = parse_key(key).client;
                let is_own = whole || self.inserted.get(&ClientID::new(client)).is_some();
                acts.extend(is_own.then_some(act));
            }
        }
    }

    fn deleted_text(&self, span: Span, text: &str, formats: &Formats, between: Beside, acts: &mut Vec<Act>) {
        for (first, len) in parts(&self.deleted, span) {
            let from = first.clock - span.0.clock;
            let Some(text) = utf16_slice(text, from, from + len) else { continue };
            let left = if from == 0 { between.left } else { Some(span.0.plus(from - 1)) };
            let right = if from + len == span.1 { between.right } else { Some(first.plus(len)) };
            let (text, formats) = (text.into(), formats.clone());
            acts.push(Act::Delete { span: (first, len), text, formats, between: Beside { left, right } });
        }
    }
}

fn acts(root: &str, log: &WholeLog, whose: &Whose) -> Result<Vec<Act>, HistoryError> {
    let own = OwnEdits::new(&log.known, whose);
    let first = log.rows.iter().position(|row| own.is_in(row).0).unwrap_or(log.rows.len());
    let last = log.rows.iter().rposition(|row| own.is_in(row).0).map_or(first, |last| last + 1);
    let unreadable = |error: &dyn std::fmt::Display| HistoryError::Unreadable(error.to_string());
    let before = build(None, &log.rows[..first]).and_then(|built| built.replica.encode_whole());
    let before = before.map_err(|error| unreadable(&error))?;
    let mut witness = Witness::new(root, &before).map_err(|error| unreadable(&error))?;
    let mut acts = Vec::new();
    for row in &log.rows[first..last] {
        // A row that cannot be read is left out, as it is when the document is loaded.
        let Ok(seen) = witness.see(&row.bytes) else { continue };
        let (some, all) = own.is_in(row);
        if some {
            seen.into_iter().for_each(|act| own.of(act, all, &mut acts));
        }
    }
    Ok(acts)
}

fn has(ids: &IdSet, id: Id) -> bool {
    ids.contains(&ID::new(ClientID::new(id.client), id.clock))
}

/// What of a span is among these ids.
fn parts(ids: &IdSet, (first, len): Span) -> Vec<Span> {
    let mut span = IdSet::new();
    span.insert(ID::new(ClientID::new(first.client), first.clock), len);
    let mut parts = Vec::new();
    for (_, ranges) in span.intersect(ids).iter() {
        parts.extend(ranges.iter().map(|range| (Id::new(first.client, range.start), range.end - range.start)));
    }
    parts
}
