//! Who did what in rows that were merged.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};

use super::{Authorship, Result};

pub async fn read(reads: &AnyPool, document: &str) -> Result<Vec<Authorship>> {
    let sql = "SELECT first_seq, seq, author, first_at, last_at, inserted, deleted FROM authorship \
         WHERE document = $1 ORDER BY first_seq";
    let rows = sqlx::query(sql).bind(document).fetch_all(reads).await?;
    let one = |row: &AnyRow| {
        Ok(Authorship {
            first_seq: row.try_get(0)?,
            seq: row.try_get(1)?,
            author: row.try_get(2)?,
            first_at: row.try_get(3)?,
            last_at: row.try_get(4)?,
            inserted: row.try_get(5)?,
            deleted: row.try_get(6)?,
        })
    };
    rows.iter().map(one).collect()
}

/// Within the transaction that merges the rows.
pub async fn write(connection: &mut AnyConnection, document: &str, kept: &[Authorship]) -> Result<()> {
    for one in kept {
        let query = sqlx::query(
            "INSERT INTO authorship (document, first_seq, seq, author, first_at, last_at, inserted, deleted) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        );
        let query = query.bind(document).bind(one.first_seq).bind(one.seq).bind(one.author.clone());
        let query = query.bind(one.first_at).bind(one.last_at).bind(one.inserted.clone()).bind(one.deleted.clone());
        query.execute(&mut *connection).await?;
    }
    Ok(())
}
