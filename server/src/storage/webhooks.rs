//! Webhooks and what they are still to be told.
//!
//! Events are made out of the log, in a transaction that also notes how far the log has become events. So, whenever the
//! server is killed, each seq becomes part of an event, and of one only. While a receiver is away, one event waits for
//! each document, not one for each change.

use std::collections::BTreeSet;

use async_trait::async_trait;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::dialect::Dialect;
use super::sql::{SqlStorage, random_id};
use super::{
    Attendance, Authors, FailedDelivery, Millis, QueuedEvent, QueuedKind, Result, Seq, WebhookRow, WebhookStorage,
};

/// Keys of comments, or users, that one event names.
const MAX_NAMES: usize = 1_000;
/// Events that were given up and are kept for each webhook.
const MAX_DEAD: i64 = 1_000;

const EVENT_COLUMNS: &str =
    "number, id, document, epoch, first_seq, seq, authors, comments, at, tries, error, kind, server";

fn event_row(row: &AnyRow) -> Result<QueuedEvent> {
    Ok(QueuedEvent {
        number: row.try_get(0)?,
        id: row.try_get(1)?,
        document: row.try_get(2)?,
        epoch: row.try_get(3)?,
        first_seq: row.try_get(4)?,
        seq: row.try_get(5)?,
        authors: Authors::parse(row.try_get::<Option<String>, _>(6)?.as_deref()),
        comments: Authors::parse(row.try_get::<Option<String>, _>(7)?.as_deref()),
        at: row.try_get(8)?,
        tries: u32::try_from(row.try_get::<i64, _>(9)?).unwrap_or(u32::MAX),
        error: row.try_get(10)?,
        kind: QueuedKind::named(&row.try_get::<String, _>(11)?),
        server: row.try_get(12)?,
    })
}

/// What came to a document since the last time.
struct News {
    document: String,
    epoch: String,
    before: Seq,
    tip: Seq,
    authors: BTreeSet<String>,
    comments: BTreeSet<String>,
    at: Millis,
}

/// All who are told.
async fn receivers(connection: &mut AnyConnection) -> Result<Vec<String>> {
    let rows = sqlx::query("SELECT id FROM webhooks ORDER BY id").fetch_all(connection).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

fn lines(names: BTreeSet<String>) -> Option<String> {
    Authors(names.into_iter().take(MAX_NAMES).collect()).to_lines()
}

#[async_trait]
impl WebhookStorage for SqlStorage {
    async fn put_webhook(&self, webhook: &WebhookRow, most: u32) -> Result<bool> {
        let mut writing = self.connections.write().await?;
        if self.dialect == Dialect::Postgres {
            sqlx::raw_sql("LOCK TABLE webhooks IN EXCLUSIVE MODE").execute(&mut *writing).await?;
        }
        let count: i64 = sqlx::query("SELECT COUNT(*) FROM webhooks").fetch_one(&mut *writing).await?.try_get(0)?;
        if count >= i64::from(most) {
            self.connections.roll_back(writing).await?;
            return Ok(false);
        }
        if count == 0 {
            // Nobody was told what came before, and nobody is.
            sqlx::query("DELETE FROM webhook_progress").execute(&mut *writing).await?;
            sqlx::query("INSERT INTO webhook_progress (document, epoch, seq) SELECT id, epoch, tip FROM documents")
                .execute(&mut *writing)
                .await?;
        }
        sqlx::query("INSERT INTO webhooks (id, url, secret, created_at) VALUES ($1, $2, $3, $4)")
            .bind(&webhook.id)
            .bind(&webhook.url)
            .bind(&webhook.secret)
            .bind(webhook.created_at)
            .execute(&mut *writing)
            .await?;
        self.connections.commit(writing).await?;
        Ok(true)
    }

    async fn webhooks(&self) -> Result<Vec<WebhookRow>> {
        let sql = "SELECT id, url, secret, created_at, failures, failing_since, error, retry_at, \
             (SELECT COUNT(*) FROM webhook_events e WHERE e.webhook = w.id AND e.dead_at IS NULL), \
             (SELECT COUNT(*) FROM webhook_events e WHERE e.webhook = w.id AND e.dead_at IS NOT NULL) \
             FROM webhooks w ORDER BY created_at, id";
        let rows = sqlx::query(sql).fetch_all(&self.reads().await?).await?;
        let webhook = |row: &AnyRow| {
            Ok(WebhookRow {
                id: row.try_get(0)?,
                url: row.try_get(1)?,
                secret: row.try_get(2)?,
                created_at: row.try_get(3)?,
                failures: u32::try_from(row.try_get::<i64, _>(4)?).unwrap_or(u32::MAX),
                failing_since: row.try_get(5)?,
                error: row.try_get(6)?,
                retry_at: row.try_get(7)?,
                waiting: row.try_get::<i64, _>(8)? as u64,
                dead: row.try_get::<i64, _>(9)? as u64,
            })
        };
        rows.iter().map(webhook).collect()
    }

    async fn delete_webhook(&self, id: &str) -> Result<bool> {
        Ok(self.write(sqlx::query("DELETE FROM webhooks WHERE id = $1").bind(id)).await? > 0)
    }

    async fn unnoted(&self, limit: u32) -> Result<Vec<String>> {
        let sql = "SELECT d.id FROM documents d LEFT JOIN webhook_progress p \
             ON p.document = d.id AND p.epoch = d.epoch WHERE d.tip > COALESCE(p.seq, 0) ORDER BY d.id LIMIT $1";
        let rows = sqlx::query(sql).bind(i64::from(limit)).fetch_all(&self.reads().await?).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    async fn note(&self, documents: &[String]) -> Result<()> {
        // In one order: two servers cannot wait for each other.
        let documents: BTreeSet<&String> = documents.iter().collect();
        let mut writing = self.connections.write().await?;
        let webhooks = receivers(&mut writing).await?;
        for document in documents {
            let Some(news) = self.news(&mut writing, document).await? else { continue };
            for webhook in &webhooks {
                self.queue(&mut writing, webhook, &news).await?;
            }
        }
        self.connections.commit(writing).await
    }

    async fn note_attendance(&self, server: &str, attended: &[Attendance]) -> Result<()> {
        let mut writing = self.connections.write().await?;
        let webhooks = receivers(&mut writing).await?;
        let sql = "INSERT INTO webhook_events (webhook, id, document, epoch, first_seq, seq, at, kind, server) \
             VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8)";
        for one in attended {
            for webhook in &webhooks {
                let query = sqlx::query(sql).bind(webhook).bind(random_id()).bind(&one.document).bind(&one.epoch);
                let query = query.bind(one.seq).bind(one.at).bind(one.kind.name()).bind(server);
                query.execute(&mut *writing).await?;
            }
        }
        self.connections.commit(writing).await
    }

    async fn claim(&self, webhook: &str) -> Result<Option<QueuedEvent>> {
        let mut writing = self.connections.write().await?;
        let sql = format!(
            "UPDATE webhook_events SET tries = tries + 1 WHERE number = \
             (SELECT MIN(number) FROM webhook_events WHERE webhook = $1 AND dead_at IS NULL) RETURNING {EVENT_COLUMNS}"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(webhook).fetch_optional(&mut *writing).await?;
        let event = row.map(|row| event_row(&row)).transpose()?;
        self.connections.commit(writing).await?;
        Ok(event)
    }

    async fn delivered(&self, webhook: &str, number: i64) -> Result<()> {
        let mut writing = self.connections.write().await?;
        sqlx::query("DELETE FROM webhook_events WHERE number = $1").bind(number).execute(&mut *writing).await?;
        let sql = "UPDATE webhooks SET failures = 0, failing_since = NULL, retry_at = 0, error = NULL \
             WHERE id = $1 AND failures > 0";
        sqlx::query(sql).bind(webhook).execute(&mut *writing).await?;
        self.connections.commit(writing).await
    }

    async fn failed(&self, webhook: &str, number: i64, failed: &FailedDelivery) -> Result<()> {
        let mut writing = self.connections.write().await?;
        let dead_at = failed.is_dead.then_some(failed.now);
        sqlx::query("UPDATE webhook_events SET error = $1, dead_at = $2 WHERE number = $3")
            .bind(&failed.error)
            .bind(dead_at)
            .bind(number)
            .execute(&mut *writing)
            .await?;
        let sql = "UPDATE webhooks SET failures = failures + 1, failing_since = COALESCE(failing_since, $1), \
             retry_at = $2, error = $3 WHERE id = $4";
        sqlx::query(sql)
            .bind(failed.now)
            .bind(failed.retry_at)
            .bind(&failed.error)
            .bind(webhook)
            .execute(&mut *writing)
            .await?;
        if failed.is_dead {
            let sql = "DELETE FROM webhook_events WHERE webhook = $1 AND dead_at IS NOT NULL AND number <= \
                 (SELECT number FROM webhook_events WHERE webhook = $1 AND dead_at IS NOT NULL \
                 ORDER BY number DESC LIMIT 1 OFFSET $2)";
            sqlx::query(sql).bind(webhook).bind(MAX_DEAD).execute(&mut *writing).await?;
        }
        self.connections.commit(writing).await
    }

    async fn dead(&self, webhook: &str, limit: u32) -> Result<Vec<QueuedEvent>> {
        let sql = format!(
            "SELECT {EVENT_COLUMNS} FROM webhook_events WHERE webhook = $1 AND dead_at IS NOT NULL \
             ORDER BY number DESC LIMIT $2"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(webhook).bind(i64::from(limit));
        query.fetch_all(&self.reads().await?).await?.iter().map(event_row).collect()
    }

    async fn revive(&self, webhook: &str) -> Result<u64> {
        // As often tried as is needed to stay what they are.
        let sql = "UPDATE webhook_events SET dead_at = NULL, tries = 1 WHERE webhook = $1 AND dead_at IS NOT NULL";
        self.write(sqlx::query(sql).bind(webhook)).await
    }
}

impl SqlStorage {
    /// What came to a document since the last time, which is now. None: nothing, or another server has it.
    async fn news(&self, connection: &mut AnyConnection, document: &str) -> Result<Option<News>> {
        let sql = "SELECT epoch, tip FROM documents WHERE id = $1";
        let Some(row) = sqlx::query(sql).bind(document).fetch_optional(&mut *connection).await? else {
            return Ok(None);
        };
        let (epoch, tip): (String, Seq) = (row.try_get(0)?, row.try_get(1)?);
        let sql = "SELECT epoch, seq FROM webhook_progress WHERE document = $1";
        let known = sqlx::query(sql).bind(document).fetch_optional(&mut *connection).await?;
        let known: Option<(String, Seq)> = match known {
            Some(row) => Some((row.try_get(0)?, row.try_get(1)?)),
            None => None,
        };
        let before = known.as_ref().filter(|(known, _)| *known == epoch).map_or(0, |(_, seq)| *seq);
        if tip <= before {
            return Ok(None);
        }
        let query = match &known {
            None => sqlx::query(
                "INSERT INTO webhook_progress (document, epoch, seq) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            ),
            Some(_) => sqlx::query(
                "UPDATE webhook_progress SET epoch = $2, seq = $3 WHERE document = $1 AND epoch = $4 AND seq = $5",
            ),
        };
        let mut query = query.bind(document).bind(&epoch).bind(tip);
        if let Some((epoch, seq)) = &known {
            query = query.bind(epoch).bind(*seq);
        }
        if query.execute(&mut *connection).await?.rows_affected() == 0 {
            return Ok(None);
        }
        let mut news = News {
            document: document.to_owned(),
            epoch,
            before,
            tip,
            authors: BTreeSet::new(),
            comments: BTreeSet::new(),
            at: 0,
        };
        let sql = "SELECT author, comments, MAX(at) FROM scene_versions WHERE document = $1 AND seq > $2 AND seq <= $3 \
             GROUP BY author, comments";
        for row in sqlx::query(sql).bind(document).bind(before).bind(tip).fetch_all(&mut *connection).await? {
            news.authors.extend(Authors::parse(row.try_get::<Option<String>, _>(0)?.as_deref()).0);
            news.comments.extend(Authors::parse(row.try_get::<Option<String>, _>(1)?.as_deref()).0);
            news.at = news.at.max(row.try_get(2)?);
        }
        Ok(Some(news))
    }

    /// To be told to a webhook: together with what waits already, unless that was tried.
    async fn queue(&self, connection: &mut AnyConnection, webhook: &str, news: &News) -> Result<()> {
        let sql = "SELECT number, authors, comments FROM webhook_events WHERE webhook = $1 AND document = $2 \
             AND epoch = $3 AND seq = $4 AND kind = 'changed' AND tries = 0 AND dead_at IS NULL";
        let waiting = sqlx::query(sql)
            .bind(webhook)
            .bind(&news.document)
            .bind(&news.epoch)
            .bind(news.before)
            .fetch_optional(&mut *connection)
            .await?;
        if let Some(row) = waiting {
            let number: i64 = row.try_get(0)?;
            let mut authors = Authors::parse(row.try_get::<Option<String>, _>(1)?.as_deref()).0;
            let mut comments = Authors::parse(row.try_get::<Option<String>, _>(2)?.as_deref()).0;
            authors.extend(news.authors.iter().cloned());
            comments.extend(news.comments.iter().cloned());
            let sql = "UPDATE webhook_events SET seq = $1, authors = $2, comments = $3, at = $4 \
                 WHERE number = $5 AND tries = 0";
            let query = sqlx::query(sql).bind(news.tip).bind(lines(authors)).bind(lines(comments));
            let extended = query.bind(news.at).bind(number).execute(&mut *connection).await?;
            if extended.rows_affected() > 0 {
                return Ok(());
            }
        }
        let sql = "INSERT INTO webhook_events (webhook, id, document, epoch, first_seq, seq, authors, comments, at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        sqlx::query(sql)
            .bind(webhook)
            .bind(random_id())
            .bind(&news.document)
            .bind(&news.epoch)
            .bind(news.before + 1)
            .bind(news.tip)
            .bind(lines(news.authors.clone()))
            .bind(lines(news.comments.clone()))
            .bind(news.at)
            .execute(&mut *connection)
            .await?;
        Ok(())
    }
}
