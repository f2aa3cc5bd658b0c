//! Opening the database: rexie brings the schema up to date, then both connections stay open together.

use std::cell::Cell;
use std::rc::Rc;

use idb::{Database, Factory};
use rexie::{Index, ObjectStore, Rexie, TransactionMode};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::{IdbDatabase, IdbTransaction};

use super::names;
use super::record::{from_idb, from_js, from_rexie};
use crate::store::StoreError;

/// A version has its list of stores here; rexie deletes what is not listed, so lists only grow.
const VERSION: u32 = 1;

#[wasm_bindgen]
extern "C" {
    /// `IDBDatabase`, with the option that neither rexie nor web-sys knows.
    type DurableDatabase;

    #[wasm_bindgen(method, catch)]
    fn transaction(
        this: &DurableDatabase,
        stores: &JsValue,
        mode: &JsValue,
        options: &JsValue,
    ) -> Result<IdbTransaction, JsValue>;
}

/// Both ways to one database.
pub struct DatabaseHandles {
    /// For reading. Closes itself when another tab wants to change the version. Taken only by the drop.
    reader: Option<Rexie>,
    /// For writing.
    writer: IdbDatabase,
    /// Keeps the listeners of `writer` alive.
    _listeners: Database,
    open: Rc<Cell<bool>>,
    all: JsValue,
    outbox: JsValue,
    readwrite: JsValue,
    strict: JsValue,
}

/// The stores a transaction is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Outbox,
    All,
}

impl DatabaseHandles {
    /// Waits as long as another tab blocks. `lost` is called should the browser close the connection: what was stored
    /// may be gone with it.
    pub async fn open(name: &str, lost: impl Fn() + 'static) -> Result<Rc<Self>, StoreError> {
        let reader = Rexie::builder(name)
            .version(VERSION)
            .add_object_store(ObjectStore::new(names::DOCUMENTS).key_path("document"))
            .add_object_store(
                ObjectStore::new(names::LOG)
                    .key_path("row")
                    .auto_increment(true)
                    .add_index(Index::new_array(names::BY_DOCUMENT, ["document", "row"])),
            )
            .add_object_store(ObjectStore::new(names::OUTBOX).key_path_array(["document", "session", "seq"]))
            .add_object_store(ObjectStore::new(names::SET_ASIDE).key_path_array(["document", "session", "seq"]))
            .build()
            .await
            .map_err(|error| from_rexie(&error))?;
        let opening = Factory::new().and_then(|factory| factory.open(name, None)).map_err(|error| from_idb(&error))?;
        let writer: IdbDatabase = opening.await.map_err(|error| from_idb(&error))?.into();
        let open = Rc::new(Cell::new(true));
        let mut listeners = Database::from(writer.clone());
        let lost = Rc::new(lost);
        let (closed, tell) = (open.clone(), lost.clone());
        listeners.on_close(move |_| {
            closed.set(false);
            tell();
        });
        let (closed, giving_way) = (open.clone(), writer.clone());
        listeners.on_version_change(move |_| {
            closed.set(false);
            giving_way.close();
            lost();
        });
        let stores: js_sys::Array = names::ALL.iter().map(|name| JsValue::from_str(name)).collect();
        let strict = js_sys::Object::new();
        js_sys::Reflect::set(&strict, &"durability".into(), &"strict".into()).map_err(|error| from_js(&error))?;
        Ok(Rc::new(Self {
            reader: Some(reader),
            writer,
            _listeners: listeners,
            open,
            all: stores.into(),
            outbox: names::OUTBOX.into(),
            readwrite: "readwrite".into(),
            strict: strict.into(),
        }))
    }

    /// False once the browser has closed it. It may be about to: a transaction can still fail.
    pub fn is_open(&self) -> bool {
        self.open.get()
    }

    /// A transaction for writing. All are over the outbox: they commit in the order in which they were begun.
    pub fn transaction(&self, scope: Scope, strict: bool) -> Result<IdbTransaction, StoreError> {
        let database: &DurableDatabase = self.writer.unchecked_ref();
        let stores = if scope == Scope::Outbox { &self.outbox } else { &self.all };
        let options = if strict { &self.strict } else { &JsValue::UNDEFINED };
        database.transaction(stores, &self.readwrite, options).map_err(|error| from_js(&error))
    }

    /// A transaction for reading over all stores.
    pub fn read(&self) -> rexie::Result<rexie::Transaction> {
        let reader = self.reader.as_ref().ok_or(rexie::Error::TransactionAbortFailed)?;
        reader.transaction(&names::ALL, TransactionMode::ReadOnly)
    }

    /// For looking at keys, which rexie cannot without reading all records.
    pub fn keys(&self) -> Result<idb::Transaction, StoreError> {
        let database: &DurableDatabase = self.writer.unchecked_ref();
        let transaction = database.transaction(&self.all, &"readonly".into(), &JsValue::UNDEFINED);
        transaction.map(Into::into).map_err(|error| from_js(&error))
    }

    pub fn close(&self) {
        self.open.set(false);
        self.writer.close();
    }
}

impl Drop for DatabaseHandles {
    fn drop(&mut self) {
        self.writer.close();
        if let Some(reader) = self.reader.take() {
            reader.close();
        }
    }
}
