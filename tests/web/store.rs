//! The store over IndexedDB: the suite every store must pass, and what is its own.

use std::cell::Cell;

use idb::{Factory, TransactionMode};
use js_sys::{Reflect, Uint8Array};
use slate_yrs::browser::store::{IndexedDb, WriteDurability};
use slate_yrs::store::{PendingKey, Store, StoreError, Write, conformance};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

const DOC: &str = "scene";

fn open(name: &str) -> IndexedDb {
    IndexedDb::new(name, WriteDurability::WhereItMatters)
}

/// A database that no earlier run has left.
async fn fresh(name: &str) -> IndexedDb {
    Factory::new().unwrap().delete(name).unwrap().await.unwrap();
    open(name)
}

fn append(bytes: &[u8]) -> Write {
    Write::Append { update: bytes.to_vec() }
}

fn edit(bytes: &[u8], seq: u64) -> Write {
    Write::Edit { key: PendingKey { session: "s".into(), seq }, update: bytes.to_vec() }
}

async fn log(store: &IndexedDb) -> Vec<Vec<u8>> {
    store.load(DOC).await.unwrap().log.into_iter().map(|(_, update)| update).collect()
}

async fn outbox(store: &IndexedDb) -> Vec<Vec<u8>> {
    store.load(DOC).await.unwrap().outbox.into_iter().map(|pending| pending.update).collect()
}

/// Reads and writes records behind the store's back.
async fn raw(name: &str) -> idb::Database {
    Factory::new().unwrap().open(name, None).unwrap().await.unwrap()
}

#[wasm_bindgen_test]
async fn conforms() {
    // Databases live as long as the browser's profile, and the suite wants them empty at first.
    let run = js_sys::Date::now();
    conformance::all(async |name: &str| open(&format!("{name} {run}"))).await;
}

#[wasm_bindgen_test]
async fn conforms_with_strict_durability() {
    let run = js_sys::Date::now();
    conformance::all(async |name: &str| IndexedDb::new(&format!("strict {name} {run}"), WriteDurability::Strict)).await;
}

/// F17: what is reported as stored can be read through another connection, without the writer's help.
#[wasm_bindgen_test]
async fn f17_committed_means_committed() {
    let store = fresh("committed").await;
    for seq in 1..=20 {
        store.write(DOC, &[edit(&[seq as u8], seq)]).await.unwrap();
        let database = raw("committed").await;
        let transaction = database.transaction(&["outbox"], TransactionMode::ReadOnly).unwrap();
        let count = transaction.object_store("outbox").unwrap().count(None).unwrap().await.unwrap();
        assert_eq!(u64::from(count), seq);
        database.close();
    }
}

/// F17: the requests are made in the turn of the call, before anything else can happen in the page.
#[wasm_bindgen_test]
async fn f17_a_write_is_on_its_way_in_the_same_turn() {
    let store = fresh("same turn").await;
    store.write(DOC, &[append(&[0])]).await.unwrap();
    drop(store.begin(DOC, vec![edit(&[1], 1)]));
    drop(store.begin(DOC, vec![append(&[2])]));
    // The futures are gone and were never polled; the writes are there all the same.
    assert_eq!((outbox(&store).await, log(&store).await), (vec![vec![1]], vec![vec![0], vec![2]]));
}

/// F17: also when an epoch is known: nothing is read before the edit is written and committed.
#[wasm_bindgen_test]
async fn f17_a_write_in_an_epoch_is_committed_in_the_same_turn() {
    let store = fresh("same turn, epoch").await;
    store.write(DOC, &[Write::SetEpoch { epoch: "one".into() }]).await.unwrap();
    let commits = js_sys::Function::new_no_args(
        "const { commit } = IDBTransaction.prototype; globalThis.commits = 0;
         IDBTransaction.prototype.commit = function () { globalThis.commits += 1; return commit.call(this); };
         return () => { IDBTransaction.prototype.commit = commit; return globalThis.commits; };",
    );
    let stop: js_sys::Function = commits.call0(&JsValue::NULL).unwrap().unchecked_into();
    let in_epoch = |epoch: &str| Write::InEpoch { epoch: epoch.into() };
    drop(store.begin(DOC, vec![in_epoch("one"), edit(&[1], 1)]));
    drop(store.begin(DOC, vec![in_epoch("one"), edit(&[2], 2), append(&[3])]));
    let commits = stop.call0(&JsValue::NULL).unwrap().as_f64();
    assert_eq!(commits, Some(2.0));
    assert_eq!((outbox(&store).await, log(&store).await), (vec![vec![1], vec![2]], vec![vec![3]]));
}

/// Records as the first version wrote them: without an epoch.
#[wasm_bindgen_test]
async fn a_database_of_the_first_version_opens_with_its_rows() {
    Factory::new().unwrap().delete("first").unwrap().await.unwrap();
    let source = include_str!("version-1.js").trim_end().trim_end_matches(';');
    let source = source.split_once('\n').unwrap().1;
    let make = js_sys::Function::new_no_args(&format!("return ({source})()"));
    let made: js_sys::Promise = make.call0(&JsValue::NULL).unwrap().unchecked_into();
    wasm_bindgen_futures::JsFuture::from(made).await.unwrap();
    let store = open("first");
    let loaded = store.load(DOC).await.unwrap();
    assert_eq!((loaded.epoch.as_deref(), loaded.damaged), (Some("one"), 0));
    assert_eq!(loaded.log, [(1, vec![1, 2, 3])]);
    assert_eq!((&loaded.outbox[0].update[..], &loaded.outbox[0].epoch), (&[1u8, 2, 3][..], &None));
    // What is pending was in the log as well.
    store.write(DOC, &[Write::InEpoch { epoch: "one".into() }, edit(&[4], 2), append(&[5])]).await.unwrap();
    assert_eq!(log(&store).await, vec![vec![1, 2, 3], vec![5]]);
    assert_eq!(outbox(&store).await, vec![vec![1, 2, 3], vec![4]]);
    assert_eq!(store.pending_of_all().await.unwrap(), [(DOC.to_owned(), 2)]);
}

#[wasm_bindgen_test]
async fn writes_keep_the_order_of_their_calls() {
    // Not open yet: the first ones wait.
    let store = fresh("order").await;
    let calls: Vec<_> = (0..50u8).map(|byte| store.begin(DOC, vec![append(&[byte])])).collect();
    let rows: Vec<_> = futures_util::future::join_all(calls).await.into_iter().map(|rows| rows.unwrap()[0]).collect();
    assert!(rows.is_sorted_by(|a, b| a < b), "{rows:?}");
    assert_eq!(log(&store).await, (0..50u8).map(|byte| vec![byte]).collect::<Vec<_>>());
}

/// A damaged record is left where it is, counted, and the rest loads.
#[wasm_bindgen_test]
async fn a_damaged_record_is_set_aside() {
    let store = fresh("damaged").await;
    let rows = [append(&[1, 2, 3]), append(&[6]), append(&[7])];
    store.write(DOC, &[edit(&[1, 2, 3, 4, 5], 1), edit(&[6], 2)]).await.unwrap();
    store.write(DOC, &rows).await.unwrap();
    let database = raw("damaged").await;
    let transaction = database.transaction(&["log", "outbox"], TransactionMode::ReadWrite).unwrap();
    for (name, key) in
        [("log", JsValue::from(1)), ("outbox", js_sys::Array::of3(&DOC.into(), &"s".into(), &2.into()).into())]
    {
        let records = transaction.object_store(name).unwrap();
        let record = records.get(key).unwrap().await.unwrap().unwrap();
        let update: Uint8Array = Reflect::get(&record, &"update".into()).unwrap().unchecked_into();
        let last = update.length() - 1;
        update.set_index(last, update.get_index(last) ^ 1);
        records.put(&record, None).unwrap().await.unwrap();
    }
    transaction.await.unwrap();
    database.close();
    let loaded = store.load(DOC).await.unwrap();
    assert_eq!(loaded.damaged, 2);
    assert_eq!(loaded.log.into_iter().map(|(_, update)| update).collect::<Vec<_>>(), vec![vec![6], vec![7]]);
    assert_eq!(loaded.outbox.len(), 1);
    assert_eq!(loaded.outbox[0].update, [1, 2, 3, 4, 5]);
    // Nothing deletes it.
    assert_eq!(store.load(DOC).await.unwrap().damaged, 2);
}

/// An update that came to lie under another document's key does not count as that document's.
#[wasm_bindgen_test]
async fn f5_two_documents_do_not_mix() {
    let store = fresh("mix").await;
    store.write("a", &[append(&[1])]).await.unwrap();
    store.write("b", &[append(&[2])]).await.unwrap();
    let database = raw("mix").await;
    let transaction = database.transaction(&["log"], TransactionMode::ReadWrite).unwrap();
    let records = transaction.object_store("log").unwrap();
    let record = records.get(JsValue::from(1)).unwrap().await.unwrap().unwrap();
    Reflect::set(&record, &"document".into(), &"b".into()).unwrap();
    records.put(&record, None).unwrap().await.unwrap();
    transaction.await.unwrap();
    database.close();
    let b = store.load("b").await.unwrap();
    assert_eq!((b.log.len(), b.damaged), (1, 1));
    assert_eq!(b.log[0].1, [2]);
    assert_eq!(store.load("a").await.unwrap().log, []);
}

/// F18: another version takes the connection away; the next call opens the database again.
#[wasm_bindgen_test]
async fn f18_a_closed_database_is_opened_again() {
    let store = fresh("closed").await;
    store.write(DOC, &[append(&[1])]).await.unwrap();
    let told = std::rc::Rc::new(Cell::new(0));
    let count = told.clone();
    store.on_lost(move || count.set(count.get() + 1));
    // Deleting asks every connection to close, and is done only when they have.
    Factory::new().unwrap().delete("closed").unwrap().await.unwrap();
    assert_eq!(told.get(), 1, "whoever has stored something hears that it may be gone");
    store.write(DOC, &[append(&[2])]).await.unwrap();
    assert_eq!(log(&store).await, vec![vec![2]]);
    store.close();
    store.write(DOC, &[append(&[3])]).await.unwrap();
    assert_eq!(log(&store).await, vec![vec![2], vec![3]]);
}

/// F18: a database of a newer version is refused with a reason, and a failing one is not tried at every keystroke.
#[wasm_bindgen_test]
async fn f18_a_newer_database_is_blocked_not_broken() {
    Factory::new().unwrap().delete("newer").unwrap().await.unwrap();
    let newer = Factory::new().unwrap().open("newer", Some(999)).unwrap().await.unwrap();
    let store = open("newer");
    let refused = store.write(DOC, &[append(&[1])]).await;
    assert!(matches!(refused, Err(StoreError::Blocked(_))), "{refused:?}");
    let again = Cell::new(0);
    for _ in 0..100 {
        assert!(store.write(DOC, &[append(&[1])]).await.is_err());
        again.set(again.get() + 1);
    }
    newer.close();
    Factory::new().unwrap().delete("newer").unwrap().await.unwrap();
    gloo_timers::future::TimeoutFuture::new(600).await;
    store.write(DOC, &[append(&[2])]).await.unwrap();
    assert_eq!(log(&store).await, vec![vec![2]]);
}

/// A transaction that is aborted from outside did not commit, and says so.
#[wasm_bindgen_test]
async fn what_was_not_committed_is_an_error() {
    let store = fresh("aborted").await;
    store.write(DOC, &[Write::SetEpoch { epoch: "one".into() }]).await.unwrap();
    let compact = Write::Compact { rows: vec![1], snapshot: vec![1] };
    let writes = [append(&[1]), compact, Write::InEpoch { epoch: "two".into() }];
    assert_eq!(store.write(DOC, &writes).await, Err(StoreError::Replaced));
    assert_eq!(log(&store).await, Vec::<Vec<u8>>::new());
    // What goes on after an error is not disturbed by it.
    store.write(DOC, &[append(&[2])]).await.unwrap();
    assert_eq!(log(&store).await, vec![vec![2]]);
}
