//! Records as JavaScript objects, their checksums, the ranges of their keys, and what errors mean.

use idb::KeyRange;
use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use crate::store::{PendingKey, StoreError};

/// A record of log, outbox or what is set aside: `update` with the checksum over it and where it belongs.
pub fn update_record(document: &str, key: Option<&PendingKey>, epoch: Option<&str>, update: &[u8]) -> Object {
    let record = Object::new();
    set(&record, "document", &document.into());
    if let Some(key) = key {
        set(&record, "session", &key.session.as_str().into());
        set(&record, "seq", &(key.seq as f64).into());
    }
    if let Some(epoch) = epoch {
        set(&record, "epoch", &epoch.into());
    }
    set(&record, "update", &Uint8Array::from(update));
    set(&record, "sum", &checksum_of(document, key, epoch, update).into());
    record
}

/// The update of such a record; none if it is damaged.
pub fn read_update(record: &JsValue, document: &str, key: Option<&PendingKey>) -> Option<Vec<u8>> {
    let update = get(record, "update").dyn_into::<Uint8Array>().ok()?.to_vec();
    let sum = get(record, "sum").as_f64()?;
    (sum == f64::from(checksum_of(document, key, read_epoch(record).as_deref(), &update))).then_some(update)
}

/// The epoch it was written in.
pub fn read_epoch(record: &JsValue) -> Option<String> {
    get(record, "epoch").as_string()
}

/// The key of a record of the outbox or of what is set aside.
pub fn read_key(record: &JsValue) -> Option<PendingKey> {
    Some(PendingKey { session: get(record, "session").as_string()?, seq: get(record, "seq").as_f64()? as u64 })
}

fn checksum_of(document: &str, key: Option<&PendingKey>, epoch: Option<&str>, update: &[u8]) -> u32 {
    let (session, seq) = key.map_or(("", 0), |key| (key.session.as_str(), key.seq));
    let seq = seq.to_le_bytes();
    let parts = [document.as_bytes(), session.as_bytes(), &seq, update, epoch.unwrap_or_default().as_bytes()];
    // Without an epoch as it was before records had any.
    checksum(if epoch.is_some() { &parts } else { &parts[..4] })
}

/// Notices damage, not malice. Each step is a bijection of state and word, so that a single changed word always shows.
pub fn checksum(parts: &[&[u8]]) -> u32 {
    let mut state = 0x9E37_79B9_u32;
    let mut mix = |word: u32| {
        state = (state ^ word).wrapping_mul(0x85EB_CA6B);
        state ^= state >> 15;
    };
    for part in parts {
        mix(part.len() as u32);
        let (words, rest) = part.as_chunks::<4>();
        for word in words {
            mix(u32::from_le_bytes(*word));
        }
        for byte in rest {
            mix(u32::from(*byte));
        }
    }
    state
}

pub fn set(record: &Object, name: &str, value: &JsValue) {
    // A plain object refuses nothing.
    let _ = Reflect::set(record, &name.into(), value);
}

pub fn get(record: &JsValue, name: &str) -> JsValue {
    Reflect::get(record, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

/// The key of an outbox record.
pub fn pending_key(document: &str, key: &PendingKey) -> JsValue {
    Array::of3(&document.into(), &key.session.as_str().into(), &(key.seq as f64).into()).into()
}

/// All keys that begin with `document`: an array sorts after every other kind of key.
pub fn of_document(document: &str) -> Result<KeyRange, idb::Error> {
    let first = Array::of1(&document.into());
    let last = Array::of2(&document.into(), &Array::new());
    KeyRange::bound(&first, &last, None, None)
}

/// The pending updates of one session up to `seq`.
pub fn of_session(document: &str, session: &str, seq: u64) -> Result<KeyRange, idb::Error> {
    let first = Array::of3(&document.into(), &session.into(), &0.into());
    let last = Array::of3(&document.into(), &session.into(), &(seq as f64).into());
    KeyRange::bound(&first, &last, None, None)
}

/// What an exception of IndexedDB means.
pub fn from_js(error: &JsValue) -> StoreError {
    let text = |name| get(error, name).as_string().unwrap_or_default();
    let (name, message) = (text("name"), text("message"));
    let said = if message.is_empty() { name.clone() } else { message };
    match name.as_str() {
        "QuotaExceededError" => StoreError::Full,
        "InvalidStateError" | "AbortError" => StoreError::Closed(said),
        "VersionError" | "SecurityError" => StoreError::Blocked(said),
        // The store is not there; the files cannot be read.
        "NotFoundError" | "UnknownError" => StoreError::Corrupt(said),
        _ => StoreError::Failed(said),
    }
}

pub fn from_idb(error: &idb::Error) -> StoreError {
    use idb::Error;
    match error {
        Error::DomException(exception) => from_js(exception),
        Error::IndexedDbNotFound(_) => StoreError::Blocked("this browser has no IndexedDB here".into()),
        Error::AddFailed(error)
        | Error::DeleteFailed(error)
        | Error::GetAllFailed(error)
        | Error::GetAllKeysFailed(error)
        | Error::GetFailed(error)
        | Error::IndexNotFound(error)
        | Error::IndexedDbOpenFailed(error)
        | Error::ObjectStoreNotFound(error)
        | Error::OpenCursorFailed(error)
        | Error::OpenKeyCursorFailed(error)
        | Error::RequestResultNotFound(error)
        | Error::TransactionOpenFailed(error)
        | Error::UpdateFailed(error) => from_js(error),
        other => StoreError::Failed(other.to_string()),
    }
}

pub fn from_rexie(error: &rexie::Error) -> StoreError {
    match error {
        rexie::Error::IdbError(error) => from_idb(error),
        other => StoreError::Failed(other.to_string()),
    }
}
