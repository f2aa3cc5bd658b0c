//! The storage on SQLite and on PostgreSQL: the same tables, the same statements; where they differ, [`Dialect`] says
//! how.
//!
//! SQLite: write-ahead log, `synchronous = FULL`, one connection that writes. PostgreSQL: the document's row is locked
//! while its sequence numbers are given; reads have connections of their own, so that writers never wait for them.

use std::path::Path;

use async_trait::async_trait;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AnyPool, Row};

use super::connections::{Connections, POSTGRES_LANES};
use super::dialect::{Dialect, Durability, checksum};
use super::{
    Authors, Authorship, Detail, Document, Kick, Kicked, KnownSession, LogEntry, MAX_KICKED, Measure, Merge, Millis,
    NamedVersion, Progress, Refusal, Result, SceneState, Seq, Storage, StorageError, StoreRequest, Stored, UpdateRow,
    WebhookStorage, authorship, batch, count_within,
};

/// More than is left of a block, or of a log that is written anew, on a disk that is full.
const PROBE_BYTES: usize = 64 * 1024;

const UPDATE_COLUMNS: &str = "seq, first_seq, detail, author, at, bytes, checksum, quarantined, \
     CAST(CASE WHEN session IS NULL THEN 0 ELSE 1 END AS BIGINT)";

const NAMED_SELECT: &str =
    "SELECT id, document, through_seq, label, author, at, CAST(LENGTH(bytes) AS BIGINT) FROM snapshots";

pub struct SqlStorage {
    pub(super) dialect: Dialect,
    pub(super) connections: Connections,
}

impl SqlStorage {
    /// Opens `sqlite:PATH` (made if missing) or `postgres://…`, and brings its tables to this version.
    pub async fn open(url: &str, durability: Durability) -> Result<Self> {
        let connections = Connections::open(url, durability).await?;
        Ok(Self { dialect: connections.dialect(), connections })
    }

    pub(super) async fn reads(&self) -> Result<AnyPool> {
        self.connections.reads().await
    }

    /// One statement that writes. The number of rows that it concerned.
    pub(super) async fn write(&self, query: Query<'_, Any, AnyArguments>) -> Result<u64> {
        let mut writing = self.connections.write().await?;
        let done = query.execute(&mut *writing).await?;
        self.connections.commit(writing).await?;
        Ok(done.rows_affected())
    }

    /// The document's row, locked until the transaction ends.
    async fn lock(&self, connection: &mut AnyConnection, document: &str) -> Result<Option<Document>> {
        let sql = match self.dialect {
            Dialect::Sqlite => "SELECT id, epoch, tip, created_at, updated_at FROM documents WHERE id = $1",
            Dialect::Postgres => {
                "SELECT id, epoch, tip, created_at, updated_at FROM documents WHERE id = $1 FOR UPDATE"
            }
        };
        sqlx::query(sql).bind(document).fetch_optional(connection).await?.map(|row| document_row(&row)).transpose()
    }
}

#[async_trait]
impl Storage for SqlStorage {
    async fn open_document(&self, document: &str, now: Millis) -> Result<Document> {
        if let Some(row) = self.document(document).await? {
            return Ok(row);
        }
        let query = sqlx::query(
            "INSERT INTO documents (id, epoch, tip, created_at, updated_at) VALUES ($1, $2, 0, $3, $3) \
             ON CONFLICT (id) DO NOTHING",
        );
        self.write(query.bind(document).bind(random_id()).bind(now)).await?;
        self.document(document).await?.ok_or_else(|| StorageError::NoDocument(document.into()))
    }

    async fn document(&self, document: &str) -> Result<Option<Document>> {
        sqlx::query("SELECT id, epoch, tip, created_at, updated_at FROM documents WHERE id = $1")
            .bind(document)
            .fetch_optional(&self.reads().await?)
            .await?
            .map(|row| document_row(&row))
            .transpose()
    }

    async fn documents(&self, after: &str, limit: u32) -> Result<Vec<Document>> {
        sqlx::query("SELECT id, epoch, tip, created_at, updated_at FROM documents WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(&self.reads().await?)
            .await?
            .iter()
            .map(document_row)
            .collect()
    }

    async fn tips(&self, documents: &[String]) -> Result<Vec<Document>> {
        let list: Vec<String> = (1..=documents.len()).map(|at| format!("${at}")).collect();
        let sql =
            format!("SELECT id, epoch, tip, created_at, updated_at FROM documents WHERE id IN ({})", list.join(", "));
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for document in documents {
            query = query.bind(document);
        }
        let rows = query.fetch_all(&self.reads().await?).await?;
        rows.iter().map(document_row).collect()
    }

    async fn delete_document(&self, document: &str) -> Result<bool> {
        Ok(self.write(sqlx::query("DELETE FROM documents WHERE id = $1").bind(document)).await? > 0)
    }

    async fn store_updates(&self, requests: &[StoreRequest]) -> Result<Vec<Result<Stored, Refusal>>> {
        let mut writing = self.connections.write().await?;
        let number = writing.number();
        let results = batch::store(&mut writing, self.dialect, number, requests).await?;
        self.connections.commit(writing).await?;
        Ok(results)
    }

    fn database(&self) -> u64 {
        self.connections.number()
    }

    fn lanes(&self) -> usize {
        match self.dialect {
            Dialect::Sqlite => 1,
            Dialect::Postgres => POSTGRES_LANES,
        }
    }

    async fn get_scene_state(&self, document: &str) -> Result<Option<SceneState>> {
        // One transaction, so that a compaction in between cannot show half of itself.
        let mut reading = self.connections.snapshot().await?;
        let row = sqlx::query("SELECT id, epoch, tip, created_at, updated_at FROM documents WHERE id = $1")
            .bind(document)
            .fetch_optional(&mut *reading)
            .await?;
        let Some(row) = row else {
            reading.end("ROLLBACK").await?;
            return Ok(None);
        };
        let head =
            sqlx::query("SELECT through_seq, bytes, checksum FROM snapshots WHERE document = $1 AND kind = 'head'")
                .bind(document)
                .fetch_optional(&mut *reading)
                .await?;
        let mut snapshot = None;
        if let Some(head) = head {
            let bytes: Vec<u8> = head.try_get(1)?;
            // A damaged snapshot costs time, not data: the log has everything.
            if checksum(&bytes) == head.try_get::<i64, _>(2)? {
                snapshot = Some((head.try_get(0)?, bytes));
            }
        }
        let after: Seq = snapshot.as_ref().map_or(0, |(seq, _)| *seq);
        let sql = format!("SELECT {UPDATE_COLUMNS} FROM scene_versions WHERE document = $1 AND seq > $2 ORDER BY seq");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(document).bind(after).fetch_all(&mut *reading).await?;
        reading.end("ROLLBACK").await?;
        let rows = rows.iter().map(update_row).collect::<Result<Vec<_>>>()?;
        let all = rows.len();
        let tail: Vec<_> = rows.into_iter().filter(|row| row.quarantined.is_none()).collect();
        let quarantined = (all - tail.len()) as u64;
        Ok(Some(SceneState { document: document_row(&row)?, snapshot, tail, quarantined }))
    }

    async fn get_updates_since(&self, document: &str, seq: Seq, limit: u32) -> Result<Vec<UpdateRow>> {
        let sql = format!(
            "SELECT {UPDATE_COLUMNS} FROM scene_versions WHERE document = $1 AND seq > $2 ORDER BY seq LIMIT $3"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(document)
            .bind(seq)
            .bind(i64::from(limit))
            .fetch_all(&self.reads().await?)
            .await?
            .iter()
            .map(update_row)
            .collect()
    }

    async fn rows_within(&self, document: &str, seq: Seq, limit: u32, bytes: usize) -> Result<u32> {
        let sql = "SELECT CAST(LENGTH(bytes) AS BIGINT) FROM scene_versions \
             WHERE document = $1 AND seq > $2 ORDER BY seq LIMIT $3";
        let query = sqlx::query(sql).bind(document).bind(seq).bind(i64::from(limit));
        let rows = query.fetch_all(&self.reads().await?).await?;
        let sizes = rows.iter().map(|row| row.try_get::<i64, _>(0)).collect::<Result<Vec<_>, _>>()?;
        Ok(count_within(sizes.into_iter().map(|size| size as usize), bytes))
    }

    async fn seq_before(&self, document: &str, at: Millis) -> Result<Seq> {
        let sql = "SELECT CAST(COALESCE(MIN(seq), 0) AS BIGINT) FROM scene_versions WHERE document = $1 AND at >= $2";
        let row = sqlx::query(sql).bind(document).bind(at).fetch_one(&self.reads().await?).await?;
        let first: Seq = row.try_get(0)?;
        let sql = "SELECT CAST(COALESCE(MAX(seq), 0) AS BIGINT) FROM scene_versions \
             WHERE document = $1 AND (seq < $2 OR $2 = 0)";
        let row = sqlx::query(sql).bind(document).bind(first).fetch_one(&self.reads().await?).await?;
        Ok(row.try_get(0)?)
    }

    async fn has_damaged_head(&self, document: &str) -> Result<bool> {
        let sql = "SELECT bytes, checksum FROM snapshots WHERE document = $1 AND kind = 'head'";
        let Some(row) = sqlx::query(sql).bind(document).fetch_optional(&self.reads().await?).await? else {
            return Ok(false);
        };
        let bytes: Vec<u8> = row.try_get(0)?;
        Ok(checksum(&bytes) != row.try_get::<i64, _>(1)?)
    }

    async fn measure(&self) -> Result<Measure> {
        let reads = self.reads().await?;
        let sql = match self.dialect {
            Dialect::Sqlite => "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
            Dialect::Postgres => "SELECT CAST(pg_database_size(current_database()) AS BIGINT)",
        };
        let bytes: i64 = sqlx::query(sql).fetch_one(&reads).await?.try_get(0)?;
        let documents: i64 = sqlx::query("SELECT COUNT(*) FROM documents").fetch_one(&reads).await?.try_get(0)?;
        let sql = "SELECT COUNT(*), CAST(COALESCE(SUM(LENGTH(bytes)), 0) AS BIGINT), \
             CAST(MIN(CASE WHEN detail = 0 THEN at END) AS BIGINT) FROM scene_versions";
        let log = sqlx::query(sql).fetch_one(&reads).await?;
        let (log_rows, log_bytes): (i64, i64) = (log.try_get(0)?, log.try_get(1)?);
        Ok(Measure {
            database_bytes: bytes as u64,
            documents: documents as u64,
            log_rows: log_rows as u64,
            log_bytes: log_bytes as u64,
            oldest_edit: log.try_get(2)?,
            disk_free: self.connections.disk_free(),
        })
    }

    async fn back_up(&self, file: &Path) -> Result<()> {
        if self.dialect == Dialect::Postgres {
            return Err(StorageError::Unavailable("PostgreSQL is backed up with pg_dump".into()));
        }
        let name = file.to_str().ok_or_else(|| StorageError::Url {
            url: file.display().to_string(),
            reason: "the name of the file is not UTF-8".into(),
        })?;
        if file.exists() {
            return Err(StorageError::Url { url: name.to_owned(), reason: "it is there already".into() });
        }
        // Written under another name first: what is there under its own is whole.
        let part = format!("{name}.part");
        let _ = std::fs::remove_file(&part);
        sqlx::query("VACUUM INTO $1").bind(&part).execute(&self.reads().await?).await?;
        let disk = |error: std::io::Error| StorageError::Disk { path: name.to_owned(), error: error.to_string() };
        std::fs::File::open(&part).and_then(|copy| copy.sync_all()).map_err(disk)?;
        std::fs::rename(&part, file).map_err(disk)
    }

    async fn entries_of(&self, document: &str, epoch: &str, seq: Seq, limit: u32) -> Result<Option<Vec<LogEntry>>> {
        let sql = "SELECT first_seq, seq, author, at FROM scene_versions WHERE document = $1 AND seq > $2 \
             ORDER BY seq LIMIT $3";
        let query = sqlx::query(sql).bind(document).bind(seq).bind(i64::from(limit));
        let rows = query.fetch_all(&self.reads().await?).await?;
        let entry = |row: &AnyRow| {
            let authors = Authors::parse(row.try_get::<Option<String>, _>(2)?.as_deref());
            Ok(LogEntry { first_seq: row.try_get(0)?, seq: row.try_get(1)?, authors, at: row.try_get(3)? })
        };
        let entries = rows.iter().map(entry).collect::<Result<Vec<_>>>()?;
        // An epoch does not come back: if it is this one now, it was when the rows were read.
        Ok(self.document(document).await?.filter(|now| now.epoch == epoch).map(|_| entries))
    }

    async fn session(&self, document: &str, session: &str) -> Result<KnownSession> {
        let row = sqlx::query("SELECT acked_seq, last_seq, owner FROM sessions WHERE document = $1 AND session = $2")
            .bind(document)
            .bind(session)
            .fetch_optional(&self.reads().await?)
            .await?;
        let Some(row) = row else { return Ok(KnownSession::default()) };
        let progress = Progress { acked: row.try_get::<i64, _>(0)? as u64, last: row.try_get::<i64, _>(1)? as u64 };
        Ok(KnownSession { progress, owner: row.try_get(2)? })
    }

    async fn quarantine(&self, document: &str, seq: Seq, reason: &str) -> Result<()> {
        let query = sqlx::query("UPDATE scene_versions SET quarantined = $1 WHERE document = $2 AND seq = $3");
        self.write(query.bind(reason).bind(document).bind(seq)).await?;
        Ok(())
    }

    async fn put_head(&self, document: &str, epoch: &str, through: Seq, at: Millis, bytes: &[u8]) -> Result<()> {
        let mut writing = self.connections.write().await?;
        let current = self.lock(&mut writing, document).await?;
        if current.is_none_or(|current| current.epoch != epoch || current.tip < through) {
            return self.connections.roll_back(writing).await;
        }
        sqlx::query("DELETE FROM snapshots WHERE document = $1 AND kind = 'head' AND through_seq <= $2")
            .bind(document)
            .bind(through)
            .execute(&mut *writing)
            .await?;
        sqlx::query(
            "INSERT INTO snapshots (id, document, kind, through_seq, at, bytes, checksum) \
             VALUES ($1, $2, 'head', $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        )
        .bind(random_id())
        .bind(document)
        .bind(through)
        .bind(at)
        .bind(bytes.to_vec())
        .bind(checksum(bytes))
        .execute(&mut *writing)
        .await?;
        self.connections.commit(writing).await
    }

    async fn compact_updates(&self, document: &str, merges: &[Merge]) -> Result<Vec<bool>> {
        let mut done = Vec::with_capacity(merges.len());
        for merge in merges {
            done.push(self.replace_rows(document, merge).await?);
        }
        Ok(done)
    }

    async fn authorship(&self, document: &str) -> Result<Vec<Authorship>> {
        authorship::read(&self.reads().await?, document).await
    }

    async fn fine_rows(&self, document: &str, edits_before: Millis, hours_before: Millis) -> Result<u64> {
        let sql = "SELECT COUNT(*) FROM scene_versions WHERE document = $1 AND quarantined IS NULL \
             AND ((detail = 0 AND at < $2) OR (detail < 2 AND at < $3))";
        let row = sqlx::query(sql)
            .bind(document)
            .bind(edits_before)
            .bind(hours_before)
            .fetch_one(&self.reads().await?)
            .await?;
        let fine = row.try_get::<i64, _>(0)?;
        // Windows of which an interrupted run made several rows.
        let sql = "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM (SELECT COUNT(*) - 1 AS n FROM scene_versions \
             WHERE document = $1 AND quarantined IS NULL AND detail = $2 AND at >= $3 AND at < $4 GROUP BY at / $5) w";
        let mut split = 0;
        let hour: Millis = 3_600_000;
        for (detail, from, to, window) in [(1i64, hours_before, edits_before, hour), (2, 0, hours_before, 24 * hour)] {
            let query = sqlx::query(sql).bind(document).bind(detail).bind(from).bind(to).bind(window);
            split += query.fetch_one(&self.reads().await?).await?.try_get::<i64, _>(0)?;
        }
        Ok((fine + split) as u64)
    }

    async fn log_bytes(&self, document: &str) -> Result<u64> {
        let sql = "SELECT CAST(COALESCE(SUM(LENGTH(bytes)), 0) AS BIGINT) FROM scene_versions WHERE document = $1";
        let row = sqlx::query(sql).bind(document).fetch_one(&self.reads().await?).await?;
        Ok(row.try_get::<i64, _>(0)? as u64)
    }

    async fn forget_sessions(&self, before: Millis) -> Result<u64> {
        self.write(sqlx::query("DELETE FROM sessions WHERE at < $1").bind(before)).await
    }

    async fn take_lease(&self, name: &str, holder: &str, now: Millis, until: Millis) -> Result<bool> {
        let query = sqlx::query(
            "INSERT INTO leases (name, holder, until) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE \
             SET holder = $2, until = $3 WHERE leases.holder = $2 OR leases.until < $4",
        );
        Ok(self.write(query.bind(name).bind(holder).bind(until).bind(now)).await? > 0)
    }

    async fn kick(&self, whom: &Kicked, at: Millis) -> Result<()> {
        let mut writing = self.connections.write().await?;
        if self.dialect == Dialect::Postgres {
            // Numbers become visible in their order: else who asks for those after one would miss the one before it.
            sqlx::raw_sql("LOCK TABLE kicks IN EXCLUSIVE MODE").execute(&mut *writing).await?;
        }
        let Kicked { user, document } = whom;
        let sql = "INSERT INTO kicks (number, who, document, at) \
             SELECT COALESCE(MAX(number), 0) + 1, $1, $2, $3 FROM kicks";
        sqlx::query(sql).bind(user).bind(document).bind(at).execute(&mut *writing).await?;
        let sql = "DELETE FROM kicks WHERE who = $1 AND COALESCE(document, '') = $2 \
             AND number < (SELECT MAX(number) FROM kicks)";
        let of = document.as_deref().unwrap_or_default();
        sqlx::query(sql).bind(user).bind(of).execute(&mut *writing).await?;
        self.connections.commit(writing).await
    }

    async fn kicks(&self, after: i64) -> Result<Vec<Kick>> {
        let sql = "SELECT number, who, document, at FROM kicks WHERE number > $1 ORDER BY number DESC LIMIT $2";
        let query = sqlx::query(sql).bind(after).bind(MAX_KICKED as i64);
        let rows = query.fetch_all(&self.reads().await?).await?;
        let kick = |row: &AnyRow| {
            let whom = Kicked { user: row.try_get(1)?, document: row.try_get(2)? };
            Ok(Kick { number: row.try_get(0)?, whom, at: row.try_get(3)? })
        };
        rows.iter().rev().map(kick).collect()
    }

    async fn put_named(&self, version: &NamedVersion, bytes: &[u8], most: u32) -> Result<bool> {
        let mut writing = self.connections.write().await?;
        // Locked: two that name a version at once count each other's.
        let there = self.lock(&mut writing, &version.document).await?.is_some();
        let sql = "SELECT COUNT(*) FROM snapshots WHERE document = $1 AND kind = 'named'";
        let count = sqlx::query(sql).bind(&version.document).fetch_one(&mut *writing).await?.try_get::<i64, _>(0)?;
        if !there || count >= i64::from(most) {
            self.connections.roll_back(writing).await?;
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO snapshots (id, document, kind, through_seq, label, author, at, bytes, checksum) \
             VALUES ($1, $2, 'named', $3, $4, $5, $6, $7, $8)",
        )
        .bind(&version.id)
        .bind(&version.document)
        .bind(version.seq)
        .bind(&version.label)
        .bind(version.author.clone())
        .bind(version.at)
        .bind(bytes.to_vec())
        .bind(checksum(bytes))
        .execute(&mut *writing)
        .await?;
        self.connections.commit(writing).await?;
        Ok(true)
    }

    async fn delete_named(&self, document: &str, id: &str) -> Result<bool> {
        let query = sqlx::query("DELETE FROM snapshots WHERE document = $1 AND kind = 'named' AND id = $2");
        Ok(self.write(query.bind(document).bind(id)).await? > 0)
    }

    async fn named(&self, document: &str) -> Result<Vec<NamedVersion>> {
        let sql = format!("{NAMED_SELECT} WHERE document = $1 AND kind = 'named' ORDER BY at DESC, id");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(document).fetch_all(&self.reads().await?).await?;
        rows.iter().map(named_row).collect()
    }

    async fn named_state(&self, document: &str, id: &str) -> Result<Option<(NamedVersion, Vec<u8>)>> {
        let sql = format!("{NAMED_SELECT} WHERE document = $1 AND kind = 'named' AND id = $2");
        let row =
            sqlx::query(sqlx::AssertSqlSafe(sql)).bind(document).bind(id).fetch_optional(&self.reads().await?).await?;
        let Some(row) = row else { return Ok(None) };
        let state = sqlx::query("SELECT bytes, checksum FROM snapshots WHERE id = $1");
        let state = state.bind(id).fetch_one(&self.reads().await?).await?;
        let bytes: Vec<u8> = state.try_get(0)?;
        if checksum(&bytes) != state.try_get::<i64, _>(1)? {
            return Err(StorageError::Damaged(format!("the named version {id} of {document:?}")));
        }
        Ok(Some((named_row(&row)?, bytes)))
    }

    async fn probe(&self, now: Millis) -> Result<()> {
        let mut writing = self.connections.write().await?;
        // A row that is there is written in its place: whether there is room for more, a new one tells.
        for name in ["grows", "writes"] {
            let query = sqlx::query(
                "INSERT INTO probes (name, at, bytes) VALUES ($1, $2, $3) \
                 ON CONFLICT (name) DO UPDATE SET at = excluded.at, bytes = excluded.bytes",
            );
            query.bind(name).bind(now).bind(vec![0u8; PROBE_BYTES]).execute(&mut *writing).await?;
        }
        sqlx::query("DELETE FROM probes WHERE name = 'grows'").execute(&mut *writing).await?;
        self.connections.commit(writing).await
    }

    fn webhooks(&self) -> &dyn WebhookStorage {
        self
    }

    async fn close(&self) {
        self.connections.close().await;
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "for tests")]
impl SqlStorage {
    /// Runs SQL behind the server's back.
    pub async fn meddle(&self, sql: &'static str) {
        let mut writing = self.connections.write().await.expect("writes");
        sqlx::raw_sql(sql).execute(&mut *writing).await.expect("works");
        self.connections.commit(writing).await.expect("commits");
    }
}

impl SqlStorage {
    async fn replace_rows(&self, document: &str, merge: &Merge) -> Result<bool> {
        let mut writing = self.connections.write().await?;
        if self.lock(&mut writing, document).await?.is_none() {
            self.connections.roll_back(writing).await?;
            return Ok(false);
        }
        // Rows of a document come at its end and go by merges alone, so that as many as were read are the ones that were.
        let (first, last) = (merge.rows.first().copied(), merge.rows.last().copied());
        let deleted = sqlx::query(
            "DELETE FROM scene_versions WHERE document = $1 AND quarantined IS NULL AND seq BETWEEN $2 AND $3",
        )
        .bind(document)
        .bind(first.unwrap_or_default())
        .bind(last.unwrap_or_default())
        .execute(&mut *writing)
        .await?
        .rows_affected();
        if deleted != merge.rows.len() as u64 {
            self.connections.roll_back(writing).await?;
            return Ok(false);
        }
        let row = &merge.merged;
        sqlx::query(
            "INSERT INTO scene_versions (document, seq, first_seq, detail, author, at, bytes, checksum) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(document)
        .bind(row.seq)
        .bind(row.first_seq)
        .bind(row.detail.as_i64())
        .bind(row.authors.to_lines())
        .bind(row.at)
        .bind(row.bytes.clone())
        .bind(checksum(&row.bytes))
        .execute(&mut *writing)
        .await?;
        authorship::write(&mut writing, document, &merge.authorship).await?;
        self.connections.commit(writing).await?;
        Ok(true)
    }
}

fn document_row(row: &AnyRow) -> Result<Document> {
    Ok(Document {
        id: row.try_get(0)?,
        epoch: row.try_get(1)?,
        tip: row.try_get(2)?,
        created_at: row.try_get(3)?,
        updated_at: row.try_get(4)?,
    })
}

fn named_row(row: &AnyRow) -> Result<NamedVersion> {
    Ok(NamedVersion {
        id: row.try_get(0)?,
        document: row.try_get(1)?,
        seq: row.try_get(2)?,
        label: row.try_get::<Option<String>, _>(3)?.unwrap_or_default(),
        author: row.try_get(4)?,
        at: row.try_get(5)?,
        bytes: row.try_get::<i64, _>(6)? as u64,
    })
}

/// A row of [`UPDATE_COLUMNS`]. One whose checksum is wrong comes back as quarantined.
fn update_row(row: &AnyRow) -> Result<UpdateRow> {
    let bytes: Vec<u8> = row.try_get(5)?;
    let intact = checksum(&bytes) == row.try_get::<i64, _>(6)?;
    let quarantined: Option<String> = row.try_get(7)?;
    Ok(UpdateRow {
        seq: row.try_get(0)?,
        first_seq: row.try_get(1)?,
        detail: Detail::from_i64(row.try_get(2)?),
        authors: Authors::parse(row.try_get::<Option<String>, _>(3)?.as_deref()),
        at: row.try_get(4)?,
        bytes,
        quarantined: quarantined.or_else(|| (!intact).then(|| "the checksum does not match".to_owned())),
        submitted: row.try_get::<i64, _>(8)? != 0,
    })
}

/// 128 random bits, in hexadecimal. Without randomness the clock keeps ids apart, which is all that these are for.
pub fn random_id() -> String {
    secret_id().unwrap_or_else(|_| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        hexadecimal(now.as_nanos().to_be_bytes())
    })
}

/// The same where nobody may guess it.
///
/// # Errors
/// Where there is no randomness.
pub fn secret_id() -> Result<String, getrandom::Error> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes)?;
    Ok(hexadecimal(bytes))
}

fn hexadecimal(bytes: [u8; 16]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
