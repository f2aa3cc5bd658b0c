//! Loading a document, and listing documents.

use futures_util::future::join;
use futures_util::try_join;
use idb::ManagedKeyCursor;
use js_sys::Array;
use rexie::KeyRange;
use wasm_bindgen::{JsCast, JsValue};

use super::names;
use super::open::DatabaseHandles;
use super::record::{
    from_idb, from_js, from_rexie, get, of_document, of_session, read_epoch, read_key, read_row, read_update,
};
use crate::store::{CopyName, Loaded, Pending, SetAside, StoreError, same_epoch};

/// The largest whole number that JavaScript counts to.
const MAX_SEQ: u64 = (1 << 53) - 1;

/// Everything of a document, as of one moment.
pub async fn load(connection: &DatabaseHandles, document: &str) -> Result<Loaded, StoreError> {
    let range = of_document(document).map_err(|error| from_idb(&error))?;
    let (meta, log, outbox, set_aside) = records(connection, document, &range).await.map_err(|e| from_rexie(&e))?;
    let mut loaded = Loaded { epoch: meta.and_then(|meta| get(&meta, "epoch").as_string()), ..Loaded::default() };
    for record in log {
        let own = same_epoch(loaded.epoch.as_deref(), read_epoch(&record).as_deref());
        match (read_row(&record), read_update(&record, document, None)) {
            (Some(row), Some(_)) if !own => loaded.obsolete.push(row),
            (Some(row), Some(update)) => loaded.log.push((row, update)),
            _ => loaded.damaged += 1,
        }
    }
    for record in outbox {
        match pending(&record, document) {
            Some(pending) => loaded.outbox.push(pending),
            None => loaded.damaged += 1,
        }
    }
    for record in set_aside {
        let text = |name| get(&record, name).as_string().unwrap_or_default();
        match pending(&record, document) {
            Some(Pending { key, epoch, update }) => {
                let (code, message) = (text("code"), text("message"));
                loaded.set_aside.push(SetAside { key, epoch, code, message, update });
            }
            None => loaded.damaged += 1,
        }
    }
    // IndexedDB orders strings by UTF-16 units, Rust by bytes.
    loaded.outbox.sort_by(|a, b| a.key.cmp(&b.key));
    loaded.set_aside.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(loaded)
}

type FetchedRecords = (Option<JsValue>, Vec<JsValue>, Vec<JsValue>, Vec<JsValue>);

async fn records(connection: &DatabaseHandles, document: &str, range: &KeyRange) -> rexie::Result<FetchedRecords> {
    let transaction = connection.read()?;
    let documents = transaction.store(names::DOCUMENTS)?;
    let log = transaction.store(names::LOG)?.index(names::BY_DOCUMENT)?;
    let outbox = transaction.store(names::OUTBOX)?;
    let set_aside = transaction.store(names::SET_ASIDE)?;
    let reads = async {
        try_join!(
            documents.get(document.into()),
            log.get_all(Some(range.clone()), None),
            outbox.get_all(Some(range.clone()), None),
            set_aside.get_all(Some(range.clone()), None),
        )
    };
    // The end of the transaction has to be waited for from its beginning: asked for later, it never comes.
    let (records, done) = join(reads, transaction.done()).await;
    let records = records?;
    done?;
    Ok(records)
}

/// What one session has in the outbox. Damaged records stay where they are.
pub async fn pending_of(
    connection: &DatabaseHandles,
    document: &str,
    session: &str,
) -> Result<Vec<Pending>, StoreError> {
    let range = of_session(document, session, MAX_SEQ).map_err(|error| from_idb(&error))?;
    let transaction = connection.read().map_err(|error| from_rexie(&error))?;
    let outbox = transaction.store(names::OUTBOX).map_err(|error| from_rexie(&error))?;
    let (records, done) = join(outbox.get_all(Some(range), None), transaction.done()).await;
    let records = records.map_err(|error| from_rexie(&error))?;
    done.map_err(|error| from_rexie(&error))?;
    Ok(records.iter().filter_map(|record| pending(record, document)).collect())
}

pub fn pending(record: &JsValue, document: &str) -> Option<Pending> {
    let key = read_key(record)?;
    let update = read_update(record, document, Some(&key))?;
    Some(Pending { key, epoch: read_epoch(record), update })
}

/// The documents of which there is anything, by looking at one key of each.
pub async fn documents(connection: &DatabaseHandles) -> Result<Vec<String>, StoreError> {
    let transaction = connection.keys()?;
    let mut found = Vec::new();
    for name in names::ALL {
        let store = transaction.object_store(name).map_err(|error| from_idb(&error))?;
        let opening = if name == names::LOG {
            store.index(names::BY_DOCUMENT).and_then(|index| index.open_key_cursor(None, None))
        } else {
            store.open_key_cursor(None, None)
        };
        let cursor = async { opening?.await }.await.map_err(|error| from_idb(&error))?;
        if let Some(cursor) = cursor {
            distinct(cursor.into_managed(), &mut found).await?;
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// [`documents`], wherever their copies stand, each with how many updates are pending or set aside.
pub async fn pending_of_all(connection: &DatabaseHandles) -> Result<Vec<(String, u32)>, StoreError> {
    let mut all: Vec<(String, u32)> = Vec::new();
    for document in documents(connection).await? {
        let range = of_document(&document).map_err(|error| from_idb(&error))?;
        let transaction = connection.keys()?;
        let mut pending = 0;
        for name in [names::OUTBOX, names::SET_ASIDE] {
            let count = transaction.object_store(name).and_then(|store| store.count(Some(range.clone().into())));
            pending += async { count?.await }.await.map_err(|error| from_idb(&error))?;
        }
        let document = CopyName::document_of(&document);
        match all.iter_mut().find(|(known, _)| known == document) {
            Some((_, count)) => *count += pending,
            None => all.push((document.to_owned(), pending)),
        }
    }
    all.sort();
    Ok(all)
}

/// The first parts of the keys, each once: from one the cursor jumps over all of its kind.
async fn distinct(mut cursor: ManagedKeyCursor, found: &mut Vec<String>) -> Result<(), StoreError> {
    while let Some(key) = cursor.key().map_err(|error| from_idb(&error))? {
        let (document, next) = match key.dyn_ref::<Array>() {
            Some(parts) => (parts.get(0), Some(Array::of2(&parts.get(0), &Array::new()))),
            None => (key.clone(), None),
        };
        let document = document.as_string().ok_or_else(|| from_js(&JsValue::NULL))?;
        found.push(document);
        cursor.next(next.as_ref().map(AsRef::as_ref)).await.map_err(|error| from_idb(&error))?;
    }
    Ok(())
}
