//! How far client sessions are stored, within a transaction.

use std::collections::HashMap;

use sqlx::{AnyConnection, Row};

use super::sql::checksum;
use super::{Millis, Progress, Result, Submission};

/// The sessions of one request: read once each, written once each.
#[derive(Default)]
pub struct Sessions {
    touched: HashMap<String, Progress>,
}

impl Sessions {
    /// Notes that a submission is stored. True if the log has this very submission already.
    pub async fn take(
        &mut self,
        connection: &mut AnyConnection,
        document: &str,
        submission: &Submission,
        bytes: &[u8],
    ) -> Result<bool> {
        if !self.touched.contains_key(&submission.session) {
            let progress = progress(connection, document, &submission.session).await?;
            self.touched.insert(submission.session.clone(), progress);
        }
        let progress = self.touched.entry(submission.session.clone()).or_default();
        if submission.seq <= progress.last {
            let same = sqlx::query(
                "SELECT seq FROM scene_versions \
                 WHERE document = $1 AND session = $2 AND client_seq = $3 AND checksum = $4",
            )
            .bind(document)
            .bind(&submission.session)
            .bind(submission.seq as i64)
            .bind(checksum(bytes))
            .fetch_optional(connection)
            .await?;
            return Ok(same.is_some());
        }
        // Once a submission was refused, `acked` stays below it and so below `last`, for good.
        if !submission.after_refusal && progress.acked == progress.last {
            progress.acked = submission.seq;
        }
        progress.last = submission.seq;
        Ok(false)
    }

    pub async fn save(&self, connection: &mut AnyConnection, document: &str, at: Millis) -> Result<()> {
        for (session, progress) in &self.touched {
            sqlx::query(
                "INSERT INTO sessions (document, session, acked_seq, last_seq, at) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (document, session) DO UPDATE SET acked_seq = $3, last_seq = $4, at = $5",
            )
            .bind(document)
            .bind(session)
            .bind(progress.acked as i64)
            .bind(progress.last as i64)
            .bind(at)
            .execute(&mut *connection)
            .await?;
        }
        Ok(())
    }
}

pub async fn progress(connection: &mut AnyConnection, document: &str, session: &str) -> Result<Progress> {
    let row = sqlx::query("SELECT acked_seq, last_seq FROM sessions WHERE document = $1 AND session = $2")
        .bind(document)
        .bind(session)
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(Progress::default()) };
    Ok(Progress { acked: row.try_get::<i64, _>(0)? as u64, last: row.try_get::<i64, _>(1)? as u64 })
}
