//! What JavaScript opens a document with.

use yrs::Any;

use crate::browser::DeviceStore;
use crate::browser::store::{DEFAULT_DATABASE, Durability};
use crate::format::FORMATS;
use crate::json::Fields;
use crate::session::{self, Remote};
use crate::slate::{Node, Schema};

/// `EngineConfig` of `js/engine.ts`.
pub struct Config {
    session: session::Config,
    store: Option<DeviceStore>,
}

impl Config {
    /// None if a field is missing or not what it must be.
    pub fn parse(json: &str, initial_value: Option<Vec<Node>>) -> Option<Self> {
        let fields = Fields::parse(json)?;
        let text = |name: &str| fields.str(name).map(str::to_owned);
        let store = fields.object("store").map(|store| {
            let strict = store.bool("strict") == Some(true);
            let durability = if strict { Durability::Strict } else { Durability::WhereItMatters };
            DeviceStore::new(store.str("database").unwrap_or(DEFAULT_DATABASE), durability)
        });
        let session = session::Config {
            document: text("document")?,
            session: text("session")?,
            // Zero is no client id.
            client_id: fields.u32("clientId")?.max(1),
            seed: fields.uint("seed")?,
            root: text("root")?,
            block_id: text("blockId"),
            capture_timeout: fields.uint("captureTimeout")?,
            remote: match fields.str("remote")? {
                "none" => Remote::None,
                "connect" => Remote::Connect,
                "wait" => Remote::Wait,
                _ => return None,
            },
            store: store.is_some(),
            presence: fields.any("presence").filter(|presence| matches!(presence, Any::Map(_))).cloned(),
            initial_value,
            schema: Schema::default(),
            formats: FORMATS,
            format: fields.u32("format"),
        };
        Some(Self { session, store })
    }

    pub fn into_parts(self) -> (session::Config, Option<DeviceStore>) {
        (self.session, self.store)
    }
}
