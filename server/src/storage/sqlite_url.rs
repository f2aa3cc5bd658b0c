//! What the URL of an SQLite database says.

use std::path::Path;

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
