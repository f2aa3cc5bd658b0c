//! Reading JSON that comes from outside: values for a document, and the few objects that are read field by field.

use std::collections::HashMap;
use std::sync::Arc;

use yrs::Any;

/// Arrays and objects in one another in a value of a document: one more, and servers take it for an attack.
const MAX_NESTED: u32 = 63;

/// Why a text is no value for a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoValue {
    #[error("no JSON")]
    Json,
    #[error("nested deeper than {MAX_NESTED}")]
    Depth,
}

/// A value for a document.
pub(crate) fn value(json: &str) -> Result<Any, NoValue> {
    let value = Any::from_json(json).map_err(|_| NoValue::Json)?;
    if is_within(&value, MAX_NESTED) { Ok(value) } else { Err(NoValue::Depth) }
}

/// Whether a value has at most so many arrays and objects in one another.
fn is_within(value: &Any, left: u32) -> bool {
    match value {
        Any::Array(items) => left > 0 && items.iter().all(|item| is_within(item, left - 1)),
        Any::Map(entries) => left > 0 && entries.values().all(|entry| is_within(entry, left - 1)),
        _ => true,
    }
}

/// The fields of a JSON object. A field that is missing, or of another type, is none.
pub(crate) struct Fields(Arc<HashMap<String, Any>>);

impl Fields {
    /// None if `json` is no object.
    pub fn parse(json: &str) -> Option<Self> {
        Any::from_json(json).ok().and_then(Self::of)
    }

    pub fn of(any: Any) -> Option<Self> {
        match any {
            Any::Map(map) => Some(Self(map)),
            _ => None,
        }
    }

    pub fn any(&self, name: &str) -> Option<&Any> {
        self.0.get(name)
    }

    pub fn str(&self, name: &str) -> Option<&str> {
        match self.any(name) {
            Some(Any::String(value)) => Some(value),
            _ => None,
        }
    }

    #[cfg(target_arch = "wasm32")]
    pub fn bool(&self, name: &str) -> Option<bool> {
        match self.any(name) {
            Some(Any::Bool(value)) => Some(*value),
            _ => None,
        }
    }

    /// A whole number that a JavaScript number holds exactly.
    pub fn uint(&self, name: &str) -> Option<u64> {
        let Some(Any::Number(number)) = self.any(name) else { return None };
        let number = number.as_f64()?;
        (number >= 0.0 && number.fract() == 0.0 && number < (1u64 << 53) as f64).then_some(number as u64)
    }

    pub fn u32(&self, name: &str) -> Option<u32> {
        self.uint(name).and_then(|number| u32::try_from(number).ok())
    }

    #[cfg(target_arch = "wasm32")]
    pub fn object(&self, name: &str) -> Option<Self> {
        self.any(name).cloned().and_then(Self::of)
    }
}

/// A string as JSON text.
pub(crate) fn quoted(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    Any::from(text).to_json(&mut json);
    json
}
