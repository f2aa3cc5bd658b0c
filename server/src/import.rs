//! Takes over what another backend kept in a table: one row per update, with the document's id and a time.
//!
//! Rows are taken in the order of their time and stored with it, so that the history goes back as far as theirs. What
//! such a backend stored may be an update, or the whole WebSocket frame it came in: both are recognised. A row that
//! cannot be read is stored as it is, in quarantine. What changes nothing is left out, so that importing twice adds
//! nothing.

use std::str::FromStr;
use std::sync::Arc;

use futures_util::TryStreamExt;
use slate_yrs::protocol::{self, Message};
use sqlx::any::{AnyConnectOptions, AnyRow};
use sqlx::{AnyConnection, ConnectOptions, Row};

use crate::admin::AdminError;
use crate::clock::now;
use crate::config::SourceArgs;
use crate::replica::{ApplyError, Replica};
use crate::room::load::load;
use crate::storage::{Authors, Document, Millis, NewUpdate, Seq, Storage, StoreRequest};
use crate::validate;

type Result<T> = std::result::Result<T, AdminError>;

/// Updates stored in one transaction.
const BATCH: usize = 500;

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    pub documents: u64,
    pub imported: u64,
    pub unchanged: u64,
    pub quarantined: u64,
}

/// Imports every document of the table. No server should have one of them open meanwhile.
pub async fn import_table(storage: &Arc<dyn Storage>, source: &SourceArgs) -> Result<Imported> {
    let (mut connection, sql) = open(source).await?;
    let mut rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch(&mut connection);
    let mut report = Imported::default();
    let mut current: Option<Import> = None;
    while let Some(row) = rows.try_next().await.map_err(unreadable)? {
        let (id, at, bytes) = columns(&row, &source.prefix).map_err(unreadable)?;
        if current.as_ref().is_none_or(|import| import.document.id != id) {
            if let Some(done) = current.take() {
                report.add(done.finish(storage).await?);
            }
            current = Some(Import::begin(storage, &id).await?);
        }
        if let Some(import) = &mut current {
            import.row(storage, at, bytes).await?;
        }
    }
    if let Some(done) = current {
        report.add(done.finish(storage).await?);
    }
    Ok(report)
}

async fn open(source: &SourceArgs) -> Result<(AnyConnection, String)> {
    sqlx::any::install_default_drivers();
    let sqlite = source.from.starts_with("sqlite:");
    let url = match source.from.strip_prefix("sqlite:") {
        // Not made if it is missing.
        Some(path) => format!("sqlite://{}?mode=ro", path.trim_start_matches("//")),
        None => source.from.clone(),
    };
    let scripts = source.table == "script_versions";
    let id = name(source.id_column.as_deref().unwrap_or(if scripts { "script_id" } else { "scene_id" }))?;
    let update = name(source.update_column.as_deref().unwrap_or(if scripts { "update" } else { "yjs_update" }))?;
    let (table, time) = (name(&source.table)?, name(&source.time_column)?);
    let millis = match sqlite {
        true => format!("CAST(ROUND((julianday({time}) - 2440587.5) * 86400000) AS BIGINT)"),
        false => format!("CAST(EXTRACT(EPOCH FROM {time}) * 1000 AS BIGINT)"),
    };
    // Rows of one moment in the order they were written, as far as the database knows it: a second run must see the same.
    let physical = if sqlite { "rowid" } else { "ctid" };
    let sql = format!(
        "SELECT CAST({id} AS TEXT), {millis}, {update} FROM {table} WHERE {update} IS NOT NULL \
         ORDER BY CAST({id} AS TEXT), {time}, {physical}"
    );
    // The error of a URL may show its password.
    let options = AnyConnectOptions::from_str(&url).map_err(|_| AdminError::Source("the URL is not valid".into()))?;
    Ok((options.connect().await.map_err(unreadable)?, sql))
}

/// A name as SQL quotes it; with a schema before it, perhaps.
fn name(name: &str) -> Result<String> {
    let plain = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
    let parts: Vec<&str> = name.split('.').collect();
    match parts.iter().all(|part| plain(part)) {
        true => Ok(parts.iter().map(|part| format!("\"{part}\"")).collect::<Vec<_>>().join(".")),
        false => Err(AdminError::Source(format!("{name:?} is no name of a table or column"))),
    }
}

fn columns(row: &AnyRow, prefix: &str) -> sqlx::Result<(String, Millis, Vec<u8>)> {
    let id: String = row.try_get(0)?;
    let at: Option<i64> = row.try_get(1)?;
    Ok((format!("{prefix}{id}"), at.unwrap_or_else(now), row.try_get(2)?))
}

fn unreadable(error: sqlx::Error) -> AdminError {
    AdminError::Source(error.to_string())
}

/// One document on its way.
struct Import {
    document: Document,
    replica: Replica,
    /// What is in quarantine already, from an import before.
    known_bad: Vec<Vec<u8>>,
    waiting: Vec<(Millis, Vec<u8>)>,
    report: Imported,
}

impl Import {
    async fn begin(storage: &Arc<dyn Storage>, id: &str) -> Result<Self> {
        let loaded = load(storage, id, now()).await?;
        let log = storage.get_updates_since(id, 0, u32::MAX).await?;
        let known_bad = log.into_iter().filter(|row| row.quarantined.is_some()).map(|row| row.bytes).collect();
        let report = Imported { documents: 1, ..Imported::default() };
        let (document, replica) = (loaded.document, loaded.replica);
        Ok(Self { document, replica, known_bad, waiting: Vec::new(), report })
    }

    async fn row(&mut self, storage: &Arc<dyn Storage>, at: Millis, bytes: Vec<u8>) -> Result<()> {
        for update in unwrap(&bytes).unwrap_or_else(|| vec![&bytes]) {
            match self.replica.load(update) {
                Ok(true) => {
                    self.waiting.push((at, update.to_vec()));
                    self.report.imported += 1;
                }
                Ok(false) => self.report.unchanged += 1,
                Err(error) => self.quarantine(storage, at, update, error).await?,
            }
        }
        if self.waiting.len() >= BATCH { self.store(storage).await.map(drop) } else { Ok(()) }
    }

    async fn quarantine(
        &mut self,
        storage: &Arc<dyn Storage>,
        at: Millis,
        bytes: &[u8],
        error: ApplyError,
    ) -> Result<()> {
        if self.known_bad.iter().any(|known| known == bytes) {
            self.report.unchanged += 1;
            return Ok(());
        }
        self.store(storage).await?;
        self.waiting.push((at, bytes.to_vec()));
        if let Some(seq) = self.store(storage).await? {
            storage.quarantine(&self.document.id, seq, &error.to_string()).await?;
        }
        self.report.quarantined += 1;
        self.known_bad.push(bytes.to_vec());
        if error == ApplyError::Spoiled {
            self.replica = load(storage, &self.document.id, now()).await?.replica;
        }
        Ok(())
    }

    /// Stores what waits; where its last update is now.
    async fn store(&mut self, storage: &Arc<dyn Storage>) -> Result<Option<Seq>> {
        let request = |(at, bytes): (Millis, Vec<u8>)| StoreRequest {
            document: self.document.id.clone(),
            epoch: self.document.epoch.clone(),
            at,
            updates: vec![NewUpdate {
                bytes: bytes.into(),
                author: None,
                submission: None,
                comments: Authors::default(),
            }],
            only_at_tip: None,
            once: Vec::new(),
            database: None,
        };
        let requests: Vec<_> = std::mem::take(&mut self.waiting).into_iter().map(request).collect();
        let mut last = None;
        if !requests.is_empty() {
            for stored in storage.store_updates(&requests).await? {
                let stored = stored.map_err(|refusal| AdminError::Source(refusal.to_string()))?;
                last = Some(stored.last);
            }
        }
        Ok(last)
    }

    async fn finish(mut self, storage: &Arc<dyn Storage>) -> Result<Imported> {
        self.store(storage).await?;
        Ok(self.report)
    }
}

impl Imported {
    fn add(&mut self, other: Self) {
        self.documents += other.documents;
        self.imported += other.imported;
        self.unchanged += other.unchanged;
        self.quarantined += other.quarantined;
    }
}

/// The updates of a WebSocket frame, if this is one: a backend that stores what it receives has the frame's head
/// before the update. An update is not taken for a frame: as one, its lengths would not come out even.
fn unwrap(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut updates = Vec::new();
    for message in protocol::messages(bytes) {
        match message {
            Ok(Message::SyncStep2(update) | Message::Update(update)) if validate::update(update).is_ok() => {
                updates.push(update);
            }
            _ => return None,
        }
    }
    (!updates.is_empty()).then_some(updates)
}

#[cfg(test)]
mod tests {
    use yrs::{Doc, ReadTxn, StateVector, Text, Transact};

    use super::*;

    #[test]
    fn frames_are_unwrapped_and_updates_are_not() {
        let doc = Doc::with_client_id(7);
        let text = doc.get_or_insert_text("content");
        text.insert(&mut doc.transact_mut(), 0, "typed");
        let update = doc.transact().encode_diff_v1(&StateVector::default());
        text.remove_range(&mut doc.transact_mut(), 0, 5);
        let deletion = {
            let all = doc.transact().state_vector();
            doc.transact().encode_diff_v1(&all)
        };
        for update in [&update, &deletion] {
            assert_eq!(unwrap(update), None);
            for frame in [Message::Update(update).to_frame(), Message::SyncStep2(update).to_frame()] {
                assert_eq!(unwrap(&frame), Some(vec![update.as_slice()]));
                assert_eq!(unwrap(&frame[..frame.len() - 1]), None);
            }
        }
        let two = [Message::Update(&update).to_frame(), Message::Update(&deletion).to_frame()].concat();
        assert_eq!(unwrap(&two), Some(vec![update.as_slice(), deletion.as_slice()]));
        assert_eq!(unwrap(&Message::SyncStep1(&[0]).to_frame()), None);
    }

    #[test]
    fn names_are_quoted_and_nothing_else_passes() {
        assert_eq!(name("app.scene_versions").unwrap(), "\"app\".\"scene_versions\"");
        for bad in ["", "a;b", "a b", "\"x\"", "a.", "x)--"] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }
}
