//! What JavaScript opens a document with.

use serde::Deserialize;
use yrs::Any;

use crate::browser::store::{DEFAULT_DATABASE, Durability, IndexedDb};
use crate::session::{self, Remote};
use crate::slate::Node;

/// `EngineConfig` of `js/engine.ts`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Config {
    document: String,
    session: String,
    client_id: u32,
    seed: u64,
    root: String,
    block_id: Option<String>,
    capture_timeout: u64,
    remote: RemoteName,
    store: Option<StoreConfig>,
    presence: Option<Any>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum RemoteName {
    None,
    Connect,
    Wait,
}

#[derive(Deserialize)]
struct StoreConfig {
    database: Option<String>,
    strict: bool,
}

impl Config {
    pub fn store(&self) -> Option<IndexedDb> {
        self.store.as_ref().map(|store| {
            let durability = if store.strict { Durability::Strict } else { Durability::WhereItMatters };
            IndexedDb::new(store.database.as_deref().unwrap_or(DEFAULT_DATABASE), durability)
        })
    }

    pub fn into_session(self, initial_value: Option<Vec<Node>>) -> session::Config {
        session::Config {
            document: self.document,
            session: self.session,
            // Zero is no client id.
            client_id: self.client_id.max(1),
            seed: self.seed,
            root: self.root,
            block_id: self.block_id,
            capture_timeout: self.capture_timeout,
            remote: match self.remote {
                RemoteName::None => Remote::None,
                RemoteName::Connect => Remote::Connect,
                RemoteName::Wait => Remote::Wait,
            },
            store: self.store.is_some(),
            presence: self.presence,
            initial_value,
        }
    }
}
