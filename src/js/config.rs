//! What JavaScript opens a document with.
//!
//! It comes as JSON, for which the module has a parser anyway. Reading the same fields out of a JavaScript object by
//! serde-wasm-bindgen (0.6.5) was measured in a module of its own, after wasm-opt: 43 kB more, 19 kB of them left by brotli.
//! The whole module is about 383 kB of brotli.

use yrs::Any;

use crate::border::keys;
use crate::browser::DeviceStore;
use crate::browser::store::{DEFAULT_DATABASE, WriteDurability};
use crate::format::FORMATS;
use crate::json::Fields;
use crate::session::{self, Remote};
use crate::slate::{Node, Schema};

keys! {
    KEYS as ConfigKeys {
        DOCUMENT = "document",
        SESSION = "session",
        CLIENT_ID = "clientId",
        SEED = "seed",
        ROOT = "root",
        BLOCK_ID = "blockId",
        CAPTURE_TIMEOUT = "captureTimeout",
        REMOTE = "remote",
        STORE = "store",
        PRESENCE = "presence",
        FORMAT = "format",
    }
}

keys! {
    STORE_KEYS as ConfigStoreKeys {
        DATABASE = "database",
        STRICT = "strict",
    }
}

/// `EngineConfig` of `js/engine.ts`.
pub struct OpeningConfig {
    session: session::Config,
    store: Option<DeviceStore>,
}

impl OpeningConfig {
    /// None if a field is missing or not what it must be.
    pub fn parse(json: &str, initial_value: Option<Vec<Node>>) -> Option<Self> {
        let fields = Fields::parse(json)?;
        let text = |name: &str| fields.str(name).map(str::to_owned);
        let store = fields.object(STORE).map(|store| {
            let strict = store.bool(STRICT) == Some(true);
            let durability = if strict { WriteDurability::Strict } else { WriteDurability::WhereItMatters };
            DeviceStore::new(store.str(DATABASE).unwrap_or(DEFAULT_DATABASE), durability)
        });
        let session = session::Config {
            document: text(DOCUMENT)?,
            session: text(SESSION)?,
            // Zero is no client id.
            client_id: fields.u32(CLIENT_ID)?.max(1),
            seed: fields.uint(SEED)?,
            root: text(ROOT)?,
            block_id: text(BLOCK_ID),
            capture_timeout: fields.uint(CAPTURE_TIMEOUT)?,
            remote: Remote::of(fields.str(REMOTE)?)?,
            store: store.is_some(),
            presence: fields.any(PRESENCE).filter(|presence| matches!(presence, Any::Map(_))).cloned(),
            initial_value,
            schema: Schema::default(),
            formats: FORMATS,
            format: fields.u32(FORMAT),
        };
        Some(Self { session, store })
    }

    pub fn into_parts(self) -> (session::Config, Option<DeviceStore>) {
        (self.session, self.store)
    }
}
