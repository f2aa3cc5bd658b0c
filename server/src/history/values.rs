//! Values beside the text in earlier states: what was there, and what changed. Comments are not among them.

use serde_json::{Map, Value, json};

use super::{HistoryError, is_shared, open};

/// The values of a state, by map and key.
pub fn of_state(root: &str, state: &[u8]) -> Result<Value, HistoryError> {
    let doc = open(root, state)?;
    let maps = doc.maps().into_iter().filter(|map| is_shared(map)).map(|map| {
        let values = doc.values(&map).iter().map(|(key, value)| (key.clone(), json!(value))).collect();
        (map, Value::Object(values))
    });
    Ok(Value::Object(maps.collect()))
}

/// What changed between two states: `[{map, key, before, after}]`, without `before` where the key has come, without `after` where
/// it has gone.
pub fn changed(root: &str, from: &[u8], to: &[u8]) -> Result<Value, HistoryError> {
    let changes = open(root, from)?.values_to(&open(root, to)?, is_shared);
    let change = |change: slate_yrs::slate::ValueChange| {
        let mut entry = Map::from_iter([("map".to_owned(), json!(change.map)), ("key".to_owned(), json!(change.key))]);
        entry.extend(change.before.map(|value| ("before".to_owned(), json!(value))));
        entry.extend(change.after.map(|value| ("after".to_owned(), json!(value))));
        Value::Object(entry)
    };
    Ok(Value::Array(changes.into_iter().map(change).collect()))
}
