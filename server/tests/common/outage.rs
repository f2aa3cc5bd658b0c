//! Ways to take a program's disk away.

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection, query, raw_sql};

/// A small file system. None, after a loud line, where none may be mounted.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `size`: as tmpfs takes it.
    pub fn mount(at: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir(&at).unwrap();
        let mut mount = Command::new("mount");
        let status = mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(&at).status();
        if status.is_ok_and(|status| status.success()) {
            return Some(Self(at));
        }
        assert!(std::env::var_os("CI").is_none(), "no file system can be mounted, and CI skips nothing");
        eprintln!("SKIPPED: a small file system cannot be mounted here; only the limit of a file's size is tested");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// What a process writes beyond so many bytes of a file fails.
pub fn limit_files(process: u32, bytes: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(process).unwrap());
    prlimit(pid, Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
}

/// Takes all the pages that a database may have, from another process' side.
pub async fn fill_pages(database: &Path, bytes: u64) {
    let mut other = connect(database).await;
    raw_sql("CREATE TABLE filler (bytes BLOB)").execute(&mut other).await.unwrap();
    loop {
        let size: i64 = query("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
            .fetch_one(&mut other)
            .await
            .unwrap()
            .get(0);
        let free: i64 = query("PRAGMA freelist_count").fetch_one(&mut other).await.unwrap().get(0);
        if size as u64 >= bytes && free == 0 {
            break;
        }
        let piece = if size as u64 + (1 << 20) < bytes { 1 << 20 } else { 4_000 };
        let insert = format!("INSERT INTO filler VALUES (zeroblob({piece}))");
        raw_sql(AssertSqlSafe(insert)).execute(&mut other).await.unwrap();
    }
    other.close().await.unwrap();
}

/// Gives them back: the file stays as long as it is.
pub async fn free_pages(database: &Path) {
    let mut other = connect(database).await;
    raw_sql("DROP TABLE filler").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
}

async fn connect(database: &Path) -> SqliteConnection {
    let mut other = SqliteConnection::connect(&format!("sqlite://{}", database.display())).await.unwrap();
    // Others write as well.
    raw_sql("PRAGMA busy_timeout = 60000").execute(&mut other).await.unwrap();
    other
}
