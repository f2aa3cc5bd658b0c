//! Records as JavaScript objects, their checksums, the ranges of their keys, and what errors mean.

use std::cell::RefCell;
use std::collections::VecDeque;

use idb::KeyRange;
use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::store::{PendingKey, Row, StoreError};

/// A document, its epoch and its session, of some documents.
const TEXTS_KEPT: usize = 12;

#[wasm_bindgen]
extern "C" {
    /// A record's properties: by name they would cost as much as reading what they hold.
    type Record;

    #[wasm_bindgen(method, getter, structural)]
    fn row(this: &Record) -> JsValue;
    #[wasm_bindgen(method, getter, structural)]
    fn session(this: &Record) -> JsValue;
    #[wasm_bindgen(method, getter, structural)]
    fn seq(this: &Record) -> JsValue;
    #[wasm_bindgen(method, getter, structural)]
    fn epoch(this: &Record) -> JsValue;
    #[wasm_bindgen(method, getter, structural)]
    fn update(this: &Record) -> JsValue;
    #[wasm_bindgen(method, getter, structural)]
    fn sum(this: &Record) -> JsValue;

    #[wasm_bindgen(method, setter, structural)]
    fn set_document(this: &Record, document: &JsValue);
    #[wasm_bindgen(method, setter, structural)]
    fn set_session(this: &Record, session: &JsValue);
    #[wasm_bindgen(method, setter, structural)]
    fn set_seq(this: &Record, seq: f64);
    #[wasm_bindgen(method, setter, structural)]
    fn set_epoch(this: &Record, epoch: &JsValue);
    #[wasm_bindgen(method, setter, structural)]
    fn set_update(this: &Record, update: &Uint8Array);
    #[wasm_bindgen(method, setter, structural)]
    fn set_sum(this: &Record, sum: u32);
}

thread_local! {
    static TEXTS: RefCell<VecDeque<(String, JsValue)>> = const { RefCell::new(VecDeque::new()) };
}

/// As JavaScript has it. The same few names are in every record, and each took longer to decode than the update.
fn text(text: &str) -> JsValue {
    TEXTS.with_borrow_mut(|texts| {
        if let Some((_, found)) = texts.iter().find(|(known, _)| known == text) {
            return found.clone();
        }
        if texts.len() >= TEXTS_KEPT {
            texts.pop_front();
        }
        let made = JsValue::from_str(text);
        texts.push_back((text.to_owned(), made.clone()));
        made
    })
}

/// A record of log, outbox or what is set aside: `update` with the checksum over it and where it belongs.
pub fn update_record(document: &str, key: Option<&PendingKey>, epoch: Option<&str>, update: &[u8]) -> Object {
    let object = Object::new();
    let record: &Record = object.unchecked_ref();
    record.set_document(&text(document));
    if let Some(key) = key {
        record.set_session(&text(&key.session));
        record.set_seq(key.seq as f64);
    }
    if let Some(epoch) = epoch {
        record.set_epoch(&text(epoch));
    }
    record.set_update(&Uint8Array::from(update));
    record.set_sum(checksum_of(document, key, epoch, update));
    object
}

/// The update of such a record; none if it is damaged.
pub fn read_update(record: &JsValue, document: &str, key: Option<&PendingKey>) -> Option<Vec<u8>> {
    let record: &Record = record.dyn_ref::<Object>()?.unchecked_ref();
    let update = record.update().dyn_into::<Uint8Array>().ok()?.to_vec();
    let sum = record.sum().as_f64()?;
    let epoch = record.epoch().as_string();
    (sum == f64::from(checksum_of(document, key, epoch.as_deref(), &update))).then_some(update)
}

/// The epoch it was written in.
pub fn read_epoch(record: &JsValue) -> Option<String> {
    record.dyn_ref::<Object>()?.unchecked_ref::<Record>().epoch().as_string()
}

/// The number of a log's record.
pub fn read_row(record: &JsValue) -> Option<Row> {
    record.dyn_ref::<Object>()?.unchecked_ref::<Record>().row().as_f64().map(|row| row as Row)
}

/// The key of a record of the outbox or of what is set aside.
pub fn read_key(record: &JsValue) -> Option<PendingKey> {
    let record: &Record = record.dyn_ref::<Object>()?.unchecked_ref();
    Some(PendingKey { session: record.session().as_string()?, seq: record.seq().as_f64()? as u64 })
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
    of_seqs(document, session, 0, seq)
}

/// The pending updates of one session from one seq to another.
pub fn of_seqs(document: &str, session: &str, first: u64, last: u64) -> Result<KeyRange, idb::Error> {
    let key = |seq: u64| Array::of3(&document.into(), &session.into(), &(seq as f64).into());
    KeyRange::bound(&key(first), &key(last), None, None)
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
