//! A value beside the text that goes with an edit, or the edit is not done: what of several who want it only one gets.

use ring::digest::{SHA256, digest};
use serde::Deserialize;
use serde_json::{Value, json};
use slate_yrs::slate::ValueChange;

use crate::storage::{ONCE, OnceName};

/// A value beside the text that somebody takes: whoever comes second finds nothing.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taking {
    pub map: String,
    pub key: String,
}

impl Taking {
    /// Under which it is taken once.
    pub fn once(&self, value: &Value) -> OnceName {
        let what = hex(json!([self.map, self.key, value]).to_string().as_bytes());
        OnceName { name: format!("{}{what}", ONCE[1]), request: what }
    }

    pub fn removal(self) -> ValueChange {
        ValueChange { map: self.map, key: self.key, before: None, after: None }
    }
}

/// What names something that is too long to be a name.
pub fn hex(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
