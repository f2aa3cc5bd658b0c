//! Which storage a URL names: each kind of database is known here by its scheme, and passes `conformance.rs`.

use std::sync::Arc;

use super::{Durability, Result, SqlStorage, Storage};

pub async fn open(url: &str) -> Result<Arc<dyn Storage>> {
    Ok(Arc::new(SqlStorage::open(url, Durability::Full).await?))
}
