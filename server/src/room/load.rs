//! Loads a document from the database: head snapshot and the rows after it, into a replica. Rows that cannot be applied
//! are quarantined.

use std::sync::Arc;

use crate::replica::{ApplyError, Replica};
use crate::storage::{Document, Millis, SceneState, Seq, Storage, StorageError, UpdateRow};

/// Rows read at once when a snapshot cannot be used.
const PAGE: u32 = 1_000;

pub struct LoadedRoom {
    pub document: Document,
    pub replica: Replica,
    /// Rows applied after the head snapshot.
    pub tail_rows: u64,
    /// Rows in quarantine, and how many of them were put there just now.
    pub quarantined: u64,
    pub set_aside: u64,
}

/// Loads the document, making its row if there is none.
pub async fn load(storage: &Arc<dyn Storage>, document: &str, now: Millis) -> Result<LoadedRoom, StorageError> {
    storage.open_document(document, now).await?;
    let state = storage.get_scene_state(document).await?;
    let state = state.ok_or_else(|| StorageError::NoDocument(document.to_owned()))?;
    let known_bad = state.quarantined;
    let (row, built) = in_background(state).await?;
    let built = match built {
        Ok(built) => built,
        Err(error) => {
            tracing::error!(document, %error, "the head snapshot cannot be used, replaying the log");
            let tail = whole_log(storage, document).await?;
            let state = SceneState { document: row.clone(), snapshot: None, tail, quarantined: known_bad };
            // Without a snapshot building cannot fail.
            in_background(state).await?.1.map_err(|error| StorageError::Unavailable(error.to_string()))?
        }
    };
    for (seq, reason) in &built.bad {
        tracing::error!(document, seq, reason, "row quarantined");
        storage.quarantine(document, *seq, reason).await?;
    }
    let set_aside = built.bad.len() as u64;
    let quarantined = known_bad + set_aside;
    Ok(LoadedRoom { document: row, replica: built.replica, tail_rows: built.rows, quarantined, set_aside })
}

/// The same, where `create` says whether the document may be made. Returns also the bytes of its log, if `measured`
/// asks for them.
pub async fn load_for(
    storage: &Arc<dyn Storage>,
    document: &str,
    now: Millis,
    create: bool,
    measured: bool,
) -> Result<(LoadedRoom, u64), StorageError> {
    if !create && storage.document(document).await?.is_none() {
        return Err(StorageError::NoDocument(document.to_owned()));
    }
    let loaded = load(storage, document, now).await?;
    let bytes = if measured { storage.log_bytes(document).await? } else { 0 };
    Ok((loaded, bytes))
}

async fn in_background(state: SceneState) -> Result<(Document, Result<Built, ApplyError>), StorageError> {
    let row = state.document.clone();
    let built = tokio::task::spawn_blocking(move || build(state.snapshot.as_ref(), &state.tail)).await;
    Ok((row, built.map_err(|error| StorageError::Unavailable(error.to_string()))?))
}

/// Every row that can be used, oldest first.
pub async fn whole_log(storage: &Arc<dyn Storage>, document: &str) -> Result<Vec<UpdateRow>, StorageError> {
    let mut rows: Vec<UpdateRow> = Vec::new();
    loop {
        let after = rows.last().map_or(0, |row| row.seq);
        let page = storage.get_updates_since(document, after, PAGE).await?;
        if page.is_empty() {
            return Ok(rows.into_iter().filter(|row| row.quarantined.is_none()).collect());
        }
        rows.extend(page);
    }
}

pub struct Built {
    pub replica: Replica,
    /// Rows that were applied.
    pub rows: u64,
    /// Rows that could not be applied, and why.
    pub bad: Vec<(Seq, String)>,
}

/// Fails only if the snapshot cannot be applied.
pub fn build(snapshot: Option<&(Seq, Vec<u8>)>, tail: &[UpdateRow]) -> Result<Built, ApplyError> {
    let mut bad: Vec<(Seq, String)> = Vec::new();
    'fresh: loop {
        let mut replica = Replica::new();
        if let Some((_, bytes)) = snapshot {
            replica.load(bytes)?;
        }
        let mut rows = 0;
        for row in tail {
            if bad.iter().any(|(seq, _)| *seq == row.seq) {
                continue;
            }
            match replica.load(&row.bytes) {
                Ok(_) => rows += 1,
                Err(error) => {
                    let spoiled = error == ApplyError::Spoiled;
                    bad.push((row.seq, error.to_string()));
                    if spoiled {
                        continue 'fresh;
                    }
                }
            }
        }
        return Ok(Built { replica, rows, bad });
    }
}
