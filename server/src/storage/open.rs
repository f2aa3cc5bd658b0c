//! Which storage a URL names.

use std::path::PathBuf;
use std::sync::Arc;

use super::sqlite_url::SqliteUrl;
use super::{Durability, Result, SqlStorage, Storage, StorageError};

/// What URLs there are, for the help of the command line.
pub const URLS: &str = "sqlite:PATH or postgres://…";

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

/// Whether no other server can have the database that the URL names.
pub fn is_alone(url: &str) -> bool {
    file_of(url).is_some()
}
