//! Connections of either database, and transactions on them.
//!
//! A connection on which something has failed, or that was dropped in the middle of something, is not used again:
//! nobody knows its state. SQLite ends a transaction by itself when the disk is full, and sqlx takes it for open still.

use std::ops::{Deref, DerefMut};
use std::str::FromStr;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Connection, Executor};
use tokio::time::timeout;

use super::dialect::Dialect;
use super::sqlite_url::SqliteUrl;
use super::{Durability, Result, StorageError, sqlite};

static POSTGRES_MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations/postgres");

/// Transactions of updates at a time: while one is flushed to the disk, others gather.
pub(super) const POSTGRES_LANES: usize = 3;

/// At the start.
const CONNECT: Duration = Duration::from_secs(4);

pub(super) enum Connections {
    Sqlite(sqlite::File),
    Postgres { reads: AnyPool, writes: AnyPool },
}

/// A connection of a pool, closed when it is dropped unless it was given back.
pub(super) struct Pooled {
    connection: PoolConnection<Any>,
    is_sound: bool,
}

/// A transaction that will write. Dropped, it is rolled back.
pub(super) enum Writing {
    Sqlite(sqlite::WriteTransaction),
    Postgres(Pooled),
}

impl Connections {
    pub async fn open(url: &str, durability: Durability) -> Result<Self> {
        sqlx::any::install_default_drivers();
        if let Some(SqliteUrl { path, max_bytes }) = SqliteUrl::read(url) {
            let opened = sqlite::File::open(path, durability, max_bytes).await;
            return opened.map(Self::Sqlite).map_err(|error| match error {
                StorageError::Migration(_) | StorageError::Url { .. } => error,
                error => StorageError::Url { url: path.display().to_string(), reason: error.to_string() },
            });
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Self::open_postgres(url, durability).await;
        }
        // A database URL may hold a password.
        let url = url.split('@').next_back().unwrap_or_default().to_owned();
        Err(StorageError::Url { url, reason: "it must begin with sqlite: or postgres://".into() })
    }

    async fn open_postgres(url: &str, durability: Durability) -> Result<Self> {
        let options = AnyConnectOptions::from_str(url)?;
        // A pool would try again and again, and say in the end that it has waited.
        let first = timeout(CONNECT, AnyConnection::connect_with(&options)).await;
        first.map_err(|_| StorageError::Slow)??.close().await?;
        let pool = |connections, patience: &'static str| {
            AnyPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(Duration::from_secs(3))
                .after_connect(move |connection, _| {
                    Box::pin(async move {
                        if durability == Durability::Process {
                            connection.execute("SET synchronous_commit = off").await?;
                        }
                        // A lock or an answer that does not come in this time is a failure to report, not a hang.
                        connection.execute("SET lock_timeout = '10s'").await?;
                        connection.execute(patience).await?;
                        Ok(())
                    })
                })
                .connect_with(options.clone())
        };
        // One for each lane of the writer, and some for heads and compaction.
        let writes = pool(POSTGRES_LANES as u32 + 3, "SET statement_timeout = '30s'").await?;
        POSTGRES_MIGRATIONS.run(&writes).await?;
        Ok(Self::Postgres { reads: pool(6, "SET statement_timeout = '120s'").await?, writes })
    }

    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres { .. } => Dialect::Postgres,
        }
    }

    /// See [`super::Storage::database`].
    pub fn number(&self) -> u64 {
        match self {
            Self::Sqlite(file) => file.number(),
            Self::Postgres { .. } => 0,
        }
    }

    /// What is left on the disk of a database that is a file.
    pub fn disk_free(&self) -> Option<u64> {
        match self {
            Self::Sqlite(file) => file.disk_free(),
            Self::Postgres { .. } => None,
        }
    }

    /// For single statements.
    pub async fn reads(&self) -> Result<AnyPool> {
        match self {
            Self::Sqlite(file) => file.reads().await,
            Self::Postgres { reads, .. } => Ok(reads.clone()),
        }
    }

    /// One state of the database, for several statements.
    pub async fn snapshot(&self) -> Result<Pooled> {
        let mut reading = Pooled { connection: self.reads().await?.acquire().await?, is_sound: false };
        let begin = match self.dialect() {
            Dialect::Sqlite => "BEGIN",
            Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        sqlx::raw_sql(begin).execute(&mut *reading).await?;
        Ok(reading)
    }

    pub async fn write(&self) -> Result<Writing> {
        match self {
            Self::Sqlite(file) => Ok(Writing::Sqlite(file.begin().await?)),
            Self::Postgres { writes, .. } => {
                let mut pooled = Pooled { connection: writes.acquire().await?, is_sound: false };
                sqlx::raw_sql("BEGIN").execute(&mut *pooled).await?;
                Ok(Writing::Postgres(pooled))
            }
        }
    }

    /// After `Ok` it is in the database that the path or the address names.
    pub async fn commit(&self, writing: Writing) -> Result<()> {
        match (self, writing) {
            (Self::Sqlite(file), Writing::Sqlite(transaction)) => file.commit(transaction).await,
            (_, Writing::Postgres(pooled)) => pooled.end("COMMIT").await,
            (Self::Postgres { .. }, Writing::Sqlite(_)) => Err(StorageError::Unavailable("another database".into())),
        }
    }

    pub async fn roll_back(&self, writing: Writing) -> Result<()> {
        match (self, writing) {
            (Self::Sqlite(file), Writing::Sqlite(transaction)) => file.roll_back(transaction).await,
            (_, Writing::Postgres(pooled)) => pooled.end("ROLLBACK").await,
            (Self::Postgres { .. }, Writing::Sqlite(_)) => Ok(()),
        }
    }

    pub async fn close(&self) {
        match self {
            Self::Sqlite(file) => file.close().await,
            Self::Postgres { reads, writes } => {
                reads.close().await;
                writes.close().await;
            }
        }
    }
}

impl Pooled {
    pub async fn end(mut self, how: &'static str) -> Result<()> {
        sqlx::raw_sql(how).execute(&mut *self).await?;
        self.is_sound = true;
        Ok(())
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        if !self.is_sound {
            self.connection.close_on_drop();
        }
    }
}

impl Deref for Pooled {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.connection
    }
}

impl DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.connection
    }
}

impl Writing {
    /// See [`super::Storage::database`].
    pub fn number(&self) -> u64 {
        match self {
            Self::Sqlite(transaction) => transaction.number,
            Self::Postgres(_) => 0,
        }
    }
}

impl Deref for Writing {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        match self {
            Self::Sqlite(transaction) => &transaction.connection,
            Self::Postgres(pooled) => pooled,
        }
    }
}

impl DerefMut for Writing {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        match self {
            Self::Sqlite(transaction) => &mut transaction.connection,
            Self::Postgres(pooled) => pooled,
        }
    }
}
