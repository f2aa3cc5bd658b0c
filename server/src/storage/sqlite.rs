//! The file of an SQLite database: connections to it, and whether they lead to the file that its path names.
//!
//! SQLite goes on with the files that it has open, also when they were deleted or others were put in their place: what
//! it commits then, nobody finds again. So the files are looked at before each use, and once more between a commit and
//! its acknowledgement. While the file is gone nothing is stored, and no file is made: an empty database would tell
//! every client that its document was deleted. Another file that is put there is opened as another database, with
//! another number. Before that, all connections to the earlier one are closed and its write-ahead log is emptied:
//! otherwise SQLite would take that log for the new file's.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;
use rustix::io::Errno;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, AnyPool, Connection, Row};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::sleep;

use super::{Durability, Result, StorageError};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations/sqlite");

const READERS: u32 = 4;

/// How long a start waits for another one.
const PATIENCE: Duration = Duration::from_secs(4);

pub(super) struct File {
    path: PathBuf,
    durability: Durability,
    max_bytes: Option<u64>,
    current: RwLock<Option<Arc<OpenDatabase>>>,
    /// How many databases were at the path so far.
    number: AtomicU64,
    /// Held by whoever looks for another database at the path; the last one.
    reopening: Mutex<Option<FileId>>,
}

/// Connections to one database.
struct OpenDatabase {
    number: u64,
    files: Files,
    reads: AnyPool,
    /// The connection that writes, made when it is needed: one that has failed is not used again.
    write: Arc<Mutex<Option<AnyConnection>>>,
    /// A connection that stays open while others come and go: SQLite ends the write-ahead log with the last connection.
    anchor: Mutex<Option<AnyConnection>>,
    retired: AtomicBool,
}

/// What a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
}

/// The database, its write-ahead log, and the index of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Files {
    main: FileId,
    log: Option<FileId>,
    index: Option<FileId>,
}

/// The connection that writes, within a transaction.
pub(super) struct WriteTransaction {
    pub connection: AnyConnection,
    pub number: u64,
    opened: Arc<OpenDatabase>,
    place: OwnedMutexGuard<Option<AnyConnection>>,
}

impl File {
    /// Opens the file, made if it is missing.
    pub async fn open(path: &Path, durability: Durability, max_bytes: Option<u64>) -> Result<Self> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| disk(parent, error))?;
        }
        if path.is_dir() {
            return Err(unusable(path, "it is a folder"));
        }
        let file = Self {
            path: path.to_owned(),
            durability,
            max_bytes,
            current: RwLock::new(None),
            number: AtomicU64::new(0),
            reopening: Mutex::new(None),
        };
        let alone = alone(path).await;
        let made = file.connect("rwc").await?;
        file.reopen().await?;
        made.close().await?;
        drop(alone);
        Ok(file)
    }

    /// Which of the databases that were at the path the last one is.
    pub fn number(&self) -> u64 {
        self.number.load(Ordering::Acquire)
    }

    pub async fn reads(&self) -> Result<AnyPool> {
        Ok(self.opened().await?.reads.clone())
    }

    /// Begins a transaction that will write. It takes SQLite's write lock at once: a later upgrade could fail.
    pub async fn begin(&self) -> Result<WriteTransaction> {
        loop {
            let opened = self.opened().await?;
            let mut place = Arc::clone(&opened.write).lock_owned().await;
            if opened.retired.load(Ordering::Acquire) {
                continue;
            }
            let mut connection = match place.take() {
                Some(connection) => connection,
                None => {
                    let connection = self.connect("rw").await?;
                    if self.files()? != Some(opened.files) {
                        // It may be one to another database.
                        drop(connection);
                        continue;
                    }
                    connection
                }
            };
            sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut connection).await?;
            return Ok(WriteTransaction { connection, number: opened.number, opened, place });
        }
    }

    /// Commits, and makes sure that it is in what the path names. A transaction that is dropped instead takes its
    /// connection along, and is rolled back: whatever failed in it, the next one has a new connection.
    pub async fn commit(&self, transaction: WriteTransaction) -> Result<()> {
        let WriteTransaction { mut connection, opened, mut place, .. } = transaction;
        sqlx::raw_sql("COMMIT").execute(&mut connection).await?;
        if self.files()? != Some(opened.files) {
            return Err(self.gone());
        }
        *place = Some(connection);
        Ok(())
    }

    pub async fn roll_back(&self, transaction: WriteTransaction) -> Result<()> {
        let WriteTransaction { mut connection, mut place, .. } = transaction;
        sqlx::raw_sql("ROLLBACK").execute(&mut connection).await?;
        *place = Some(connection);
        Ok(())
    }

    pub async fn close(&self) {
        let opened = self.current.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(opened) = opened
            && let Err(error) = self.retire(&opened).await
        {
            tracing::warn!(%error, "the database's log stays as it is");
        }
    }

    /// The connections to what the path names now.
    async fn opened(&self) -> Result<Arc<OpenDatabase>> {
        let current = self.current();
        match current {
            Some(opened) if self.is_current(&opened)? => Ok(opened),
            _ => self.reopen().await,
        }
    }

    fn is_current(&self, opened: &OpenDatabase) -> Result<bool> {
        Ok(!opened.retired.load(Ordering::Acquire) && self.files()? == Some(opened.files))
    }

    fn current(&self) -> Option<Arc<OpenDatabase>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn reopen(&self) -> Result<Arc<OpenDatabase>> {
        let mut last = self.reopening.lock().await;
        if let Some(opened) = self.current() {
            if self.is_current(&opened)? {
                return Ok(opened);
            }
            if self.files()?.is_none() {
                // Whoever has moved the file shall have all of it.
                if let Err(error) = opened.complete().await {
                    tracing::warn!(%error, "the database's log is not in its file");
                }
                return Err(self.gone());
            }
            if !opened.retired.load(Ordering::Acquire) {
                tracing::warn!(path = %self.path.display(), "the files of the database are others than before");
            }
            self.retire(&opened).await?;
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = None;
        }
        let found = self.files()?.ok_or_else(|| self.gone())?;
        let opened = self.connect_all(found.main, *last).await?;
        *last = Some(opened.files.main);
        self.number.store(opened.number, Ordering::Release);
        let opened = Arc::new(opened);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&opened));
        Ok(opened)
    }

    async fn connect_all(&self, main: FileId, last: Option<FileId>) -> Result<OpenDatabase> {
        let mut anchor = self.connect("rw").await?;
        self.prepare(&mut anchor).await?;
        let reads = AnyPoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(Duration::from_secs(30))
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(self.options("rw")?);
        let files = self.files()?.filter(|files| files.main == main);
        let files = files.ok_or_else(|| self.gone())?;
        let number = self.number() + u64::from(last != Some(main));
        Ok(OpenDatabase {
            number,
            files,
            reads,
            write: Arc::default(),
            anchor: Mutex::new(Some(anchor)),
            retired: AtomicBool::new(false),
        })
    }

    /// Brings the tables to this version.
    async fn prepare(&self, connection: &mut AnyConnection) -> Result<()> {
        let sql =
            "SELECT COUNT(*), COALESCE(SUM(name = '_sqlx_migrations'), 0) FROM sqlite_master WHERE type = 'table'";
        let row = sqlx::query(sql).fetch_one(&mut *connection).await?;
        let (tables, ours): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        if tables > 0 && ours == 0 {
            return Err(unusable(&self.path, "it holds tables of another program"));
        }
        MIGRATIONS.run_direct(None, connection, false).await?;
        Ok(())
    }

    fn options(&self, mode: &str) -> Result<AnyConnectOptions> {
        sqlx::any::install_default_drivers();
        Ok(AnyConnectOptions::from_str(&format!("sqlite://{}?mode={mode}", self.path.display()))?)
    }

    async fn connect(&self, mode: &str) -> Result<AnyConnection> {
        let mut connection = AnyConnection::connect_with(&self.options(mode)?).await?;
        let synchronous = match self.durability {
            Durability::Full => "FULL",
            Durability::Process => "OFF",
        };
        let pragmas = format!(
            "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; \
             PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16000;"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(pragmas)).execute(&mut connection).await?;
        if let Some(bytes) = self.max_bytes {
            let page: i64 = sqlx::query("PRAGMA page_size").fetch_one(&mut connection).await?.try_get(0)?;
            let pages = bytes.div_ceil(u64::try_from(page).unwrap_or(1).max(1));
            let limit = format!("PRAGMA max_page_count = {pages}");
            sqlx::raw_sql(sqlx::AssertSqlSafe(limit)).execute(&mut connection).await?;
        }
        Ok(connection)
    }

    /// Ends all connections, once what the log has is in the file that it belongs to.
    async fn retire(&self, opened: &OpenDatabase) -> Result<()> {
        opened.retired.store(true, Ordering::Release);
        let write = opened.write.lock().await.take();
        if let Some(connection) = write {
            connection.close().await?;
        }
        opened.reads.close().await;
        opened.complete().await?;
        if let Some(anchor) = opened.anchor.lock().await.take() {
            anchor.close().await?;
        }
        Ok(())
    }

    pub fn disk_free(&self) -> Option<u64> {
        let found = rustix::fs::statvfs(&self.path).ok()?;
        Some(found.f_bavail.saturating_mul(found.f_frsize))
    }

    fn gone(&self) -> StorageError {
        StorageError::Gone(self.path.display().to_string())
    }

    fn files(&self) -> Result<Option<Files>> {
        let beside = |ending: &str| {
            let mut path = self.path.clone().into_os_string();
            path.push(ending);
            PathBuf::from(path)
        };
        let Some(main) = id(&self.path)? else { return Ok(None) };
        Ok(Some(Files { main, log: id(&beside("-wal"))?, index: id(&beside("-shm"))? }))
    }
}

impl OpenDatabase {
    /// Brings everything from the log into the file, and empties the log, wherever both are now.
    async fn complete(&self) -> Result<()> {
        let mut anchor = self.anchor.lock().await;
        let Some(anchor) = anchor.as_mut() else { return Ok(()) };
        let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(anchor).await?;
        match row.try_get::<i64, _>(0)? {
            0 => Ok(()),
            _ => Err(StorageError::Unavailable("the database's log is in use".into())),
        }
    }
}

/// Waits while another process makes or migrates a database in the same folder: SQLite locks neither as a whole. The lock is
/// the folder's, not the file's, for SQLite's own locks on a file end when any handle to it is closed. It ends with what is
/// returned, or with the process. Where there is no such lock, or it is never given back, the start goes on without it.
async fn alone(path: &Path) -> Option<fs::File> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = fs::File::open(parent).ok()?;
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        match rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Some(folder),
            Err(Errno::WOULDBLOCK | Errno::INTR) => sleep(Duration::from_millis(20)).await,
            Err(_) => break,
        }
    }
    None
}

fn id(path: &Path) -> Result<Option<FileId>> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some(FileId { device: found.dev(), inode: found.ino() })),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(disk(path, error)),
    }
}

fn disk(path: &Path, error: std::io::Error) -> StorageError {
    StorageError::Disk { path: path.display().to_string(), error: error.to_string() }
}

fn unusable(path: &Path, reason: &str) -> StorageError {
    StorageError::Url { url: path.display().to_string(), reason: reason.to_owned() }
}
