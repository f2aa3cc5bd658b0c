//! Who wrote each word of a document, as it is now.
//!
//! Ids of characters never change in format 1, whatever is divided, joined or moved; what undo or going back writes again counts as
//! its first author's. In format 0 a structural edit writes text anew: it is then whoever's edit that was.

use std::sync::Arc;

use serde::Serialize;
use slate_yrs::slate::ShownRun;
use yrs::block::ClientID;

use super::{HistoryError, PAGE, PAGE_BYTES, open, rfc3339};
use crate::authorship::{Author, KnownAuthors, Part, SITTING_GAP_MS, is_kept, is_of_kept};
use crate::storage::{Detail, Millis, Storage, UpdateRow};

/// Characters of one text that follow each other, of one author, written in one sitting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BlameRun {
    pub path: Vec<u32>,
    /// In UTF-16 units.
    pub offset: u32,
    pub length: u32,
    /// None: nobody knows.
    pub author: Author,
    /// RFC 3339: when the last of it was stored.
    pub at: Option<String>,
    /// Their ids: the client, the clock of the first one, and how many.
    pub ids: Vec<(u64, u32, u32)>,
    #[serde(skip)]
    stored: Option<Millis>,
}

/// All that is known of who did what in a document.
pub async fn known(storage: &Arc<dyn Storage>, document: &str) -> Result<KnownAuthors, HistoryError> {
    known_beside(storage, document, drop).await
}

/// The same, while each row of the log that can be used is handed on, in order.
pub async fn known_beside(
    storage: &Arc<dyn Storage>,
    document: &str,
    mut each: impl FnMut(UpdateRow),
) -> Result<KnownAuthors, HistoryError> {
    let kept = storage.authorship(document).await?;
    let (mut of_rows, mut after) = (Vec::new(), 0);
    loop {
        let fits = storage.rows_within(document, after, PAGE, PAGE_BYTES).await?;
        let rows = storage.get_updates_since(document, after, fits.max(1)).await?;
        let Some(last) = rows.last() else { break };
        after = last.seq;
        for row in rows.into_iter().filter(|row| row.quarantined.is_none()) {
            if !is_kept(&row, &kept) {
                of_rows.extend(Part::of_row(&row).map(|part| (row.detail, part)));
            }
            each(row);
        }
    }
    // Asked again: what was merged meanwhile was read as a row of several authors.
    let kept = storage.authorship(document).await?;
    of_rows.retain(|(detail, part)| *detail == Detail::Edit || !is_of_kept(part.first_seq, part.seq, &kept));
    let parts = of_rows.into_iter().map(|(_, part)| part);
    Ok(KnownAuthors::new(parts.chain(kept.iter().filter_map(Part::of_kept)).collect()))
}

/// Who wrote what a state shows, in the order of its value.
///
/// # Errors
/// Where the state cannot be read.
pub fn blame(root: &str, state: &[u8], known: &KnownAuthors) -> Result<Vec<BlameRun>, HistoryError> {
    let doc = open(root, state)?;
    let shown = doc.runs();
    let first_written = doc.first_written(&shown);
    let mut runs: Vec<BlameRun> = Vec::new();
    for (run, pieces) in shown.iter().zip(first_written) {
        let mut at = 0;
        for (first, len) in pieces {
            let (mut clock, end) = (first.clock, first.clock + len);
            while clock < end {
                let (part, until) = known.inserted(ClientID::new(first.client), clock);
                let here = until.min(end) - clock;
                add(&mut runs, run, (at, here), part);
                (clock, at) = (clock + here, at + here);
            }
        }
    }
    Ok(runs)
}

fn add(runs: &mut Vec<BlameRun>, shown: &ShownRun, (from, length): (u32, u32), part: Option<&Part>) {
    let author = part.and_then(|part| part.author.clone());
    let stored = part.map(|part| part.last_at);
    let (offset, id) = (shown.offset + from, (shown.id.client, shown.id.clock + from, length));
    let is_same = |last: &&mut BlameRun| {
        let sitting = match (last.stored, stored) {
            (Some(a), Some(b)) => (a - b).abs() < SITTING_GAP_MS,
            (a, b) => a == b,
        };
        last.author == author && sitting && last.offset + last.length == offset && last.path == *shown.path
    };
    match runs.last_mut().filter(is_same) {
        Some(last) => {
            last.length += length;
            last.stored = last.stored.max(stored);
            last.at = last.stored.map(rfc3339);
            match last.ids.last_mut() {
                Some((client, clock, count)) if (*client, *clock + *count) == (id.0, id.1) => *count += length,
                _ => last.ids.push(id),
            }
        }
        None => {
            let (path, at) = (shown.path.to_vec(), stored.map(rfc3339));
            runs.push(BlameRun { path, offset, length, author, at, ids: vec![id], stored });
        }
    }
}
