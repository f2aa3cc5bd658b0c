//! Which storage a URL names.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Durability, Result, SqlStorage, Storage, StorageError};

/// The database that the URL names, made if it is an SQLite file that is missing.
pub async fn open(url: &str) -> Result<Arc<dyn Storage>> {
    Ok(Arc::new(SqlStorage::open(url, Durability::Full).await?))
}

/// The same, where nothing is to be made.
pub async fn open_existing(url: &str) -> Result<Arc<dyn Storage>> {
    if let Some(path) = file_of(url)
        && !path.exists()
    {
        return Err(StorageError::Url { url: path.display().to_string(), reason: "there is no such file".into() });
    }
    open(url).await
}

/// The file, if the URL names one.
pub fn file_of(url: &str) -> Option<PathBuf> {
    SqliteUrl::read(url).map(|one| one.path.to_owned())
}

/// `sqlite:PATH`, or `sqlite:PATH?max_bytes=N`.
pub(super) struct SqliteUrl<'a> {
    pub path: &'a Path,
    /// The database is full when its file has so many bytes.
    pub max_bytes: Option<u64>,
}

impl<'a> SqliteUrl<'a> {
    pub fn read(url: &'a str) -> Option<Self> {
        let path = url.strip_prefix("sqlite:")?.trim_start_matches("//");
        // A file may have any name, such as one with a question mark.
        let limited = path.rsplit_once("?max_bytes=").and_then(|(path, bytes)| Some((path, bytes.parse().ok()?)));
        Some(match limited {
            Some((path, bytes)) => Self { path: Path::new(path), max_bytes: Some(bytes) },
            None => Self { path: Path::new(path), max_bytes: None },
        })
    }
}
