//! The local store over IndexedDB.
//!
//! rexie makes the schema and reads. Writing goes through `idb` on a connection of its own, because rexie has neither
//! durability nor close events, and because a write has to make its requests in the turn of the edit: an edit whose
//! tab is closed right after is then in the hands of the browser. A write counts once its transaction has *committed*.
//!
//! A connection may be closed under us (site data cleared, another version in another tab), and what was stored may be
//! gone: who stored it is told at once. The next call opens it again, with growing pauses between failures; meanwhile
//! calls fail, and the document goes on in memory.

mod names;
mod open;
mod read;
mod record;
mod write;

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_futures::spawn_local;

use super::now;
use crate::store::{Loaded, Pending, Row, Store, StoreError, Write};
use open::DatabaseHandles;
pub use write::WriteDurability;

/// The name of the database unless the application gives one.
pub const DEFAULT_DATABASE: &str = "slate-yrs";
/// An opening that takes longer than this is reported as blocked; it goes on all the same.
const BLOCKED_AFTER_MS: u32 = 4_000;
const RETRY_FIRST_MS: u64 = 250;
const RETRY_MAX_MS: u64 = 30_000;

/// See the module. Clones share the connection.
#[derive(Clone)]
pub struct IndexedDb {
    inner: Rc<Inner>,
}

struct Inner {
    name: String,
    durability: WriteDurability,
    state: RefCell<Availability>,
    /// What waits for the connection, in order.
    waiting: RefCell<Vec<Waiter>>,
    failures: Cell<u32>,
    lost: RefCell<Option<Rc<dyn Fn()>>>,
}

enum Availability {
    Closed,
    /// `blocked`: it takes so long that callers are told.
    Opening {
        blocked: bool,
    },
    Open(Rc<DatabaseHandles>),
    /// Not tried again before `until`.
    Failed {
        error: StoreError,
        until: u64,
    },
}

/// Runs with the connection, or with the reason why there is none.
type Waiter = Box<dyn FnOnce(Result<Rc<DatabaseHandles>, StoreError>)>;

impl IndexedDb {
    /// Opens nothing yet: the first call does.
    pub fn new(name: &str, durability: WriteDurability) -> Self {
        Self {
            inner: Rc::new(Inner {
                name: name.to_owned(),
                durability,
                state: RefCell::new(Availability::Closed),
                waiting: RefCell::default(),
                failures: Cell::new(0),
                lost: RefCell::default(),
            }),
        }
    }

    /// Calls `lost` whenever the browser closes the database: what was stored may be gone.
    pub fn on_lost(&self, lost: impl Fn() + 'static) {
        *self.inner.lost.borrow_mut() = Some(Rc::new(lost));
    }

    /// [`Store::write`], with its requests made before this returns if the database is open. Writes are carried out in
    /// the order of their calls.
    pub fn begin(
        &self,
        document: &str,
        writes: Vec<Write>,
    ) -> impl Future<Output = Result<Vec<Row>, StoreError>> + 'static {
        let document = document.to_owned();
        let durability = self.inner.durability;
        let inner = self.inner.clone();
        let (answer, answered) = oneshot::channel();
        self.inner.with_connection(Box::new(move |connection| {
            let connection = match connection {
                Ok(connection) => connection,
                Err(error) => return drop(answer.send(Err(error))),
            };
            match write::Transaction::begin(&connection, &document, writes, durability) {
                Ok(transaction) => spawn_local(async move {
                    let result = transaction.committed().await;
                    inner.observe(&result);
                    let _ = answer.send(result);
                }),
                Err(error) => {
                    let result = Err(error);
                    inner.observe(&result);
                    let _ = answer.send(result);
                }
            }
        }));
        async move { answered.await.unwrap_or_else(|_| Err(StoreError::Closed("the store is gone".into()))) }
    }

    /// What a session of this document has in the outbox.
    pub async fn pending(&self, document: &str, session: &str) -> Result<Vec<Pending>, StoreError> {
        let connection = self.connection().await?;
        let pending = read::pending_of(&connection, document, session).await;
        self.inner.observe(&pending);
        pending
    }

    /// The documents of which there is anything, with how many updates of each are pending or set aside.
    pub async fn pending_of_all(&self) -> Result<Vec<(String, u32)>, StoreError> {
        let connection = self.connection().await?;
        let found = read::pending_of_all(&connection).await;
        self.inner.observe(&found);
        found
    }

    /// Closes the connection once what is under way has finished. The next call opens it again.
    pub fn close(&self) {
        let state = self.inner.state.replace(Availability::Closed);
        if let Availability::Open(connection) = state {
            connection.close();
        }
    }

    async fn connection(&self) -> Result<Rc<DatabaseHandles>, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.inner.with_connection(Box::new(move |connection| drop(answer.send(connection))));
        answered.await.unwrap_or_else(|_| Err(StoreError::Closed("the store is gone".into())))
    }
}

impl Inner {
    fn with_connection(self: &Rc<Self>, job: Waiter) {
        let answer = match &*self.state.borrow() {
            Availability::Open(connection) if connection.is_open() => Some(Ok(connection.clone())),
            Availability::Opening { blocked: true } => Some(Err(blocked())),
            Availability::Failed { error, until } if now() < *until => Some(Err(error.clone())),
            _ => None,
        };
        match answer {
            Some(answer) => job(answer),
            None => {
                self.waiting.borrow_mut().push(job);
                if !matches!(*self.state.borrow(), Availability::Opening { .. }) {
                    self.open();
                }
            }
        }
    }

    fn open(self: &Rc<Self>) {
        *self.state.borrow_mut() = Availability::Opening { blocked: false };
        let inner = self.clone();
        spawn_local(async move {
            let weak = Rc::downgrade(&inner);
            let lost = move || {
                if let Some(inner) = weak.upgrade() {
                    inner.lost();
                }
            };
            let opening = Box::pin(DatabaseHandles::open(&inner.name, lost));
            let opened = match select(opening, TimeoutFuture::new(BLOCKED_AFTER_MS)).await {
                Either::Left((opened, _)) => opened,
                Either::Right(((), opening)) => {
                    *inner.state.borrow_mut() = Availability::Opening { blocked: true };
                    inner.answer(&Err(blocked()));
                    opening.await
                }
            };
            match &opened {
                Ok(connection) => {
                    inner.failures.set(0);
                    *inner.state.borrow_mut() = Availability::Open(connection.clone());
                }
                Err(error) => {
                    let failures = inner.failures.get();
                    inner.failures.set(failures + 1);
                    let pause = (RETRY_FIRST_MS << failures.min(16)).min(RETRY_MAX_MS);
                    *inner.state.borrow_mut() = Availability::Failed { error: error.clone(), until: now() + pause };
                }
            }
            inner.answer(&opened);
        });
    }

    fn answer(&self, connection: &Result<Rc<DatabaseHandles>, StoreError>) {
        for job in self.waiting.take() {
            job(connection.clone());
        }
    }

    fn lost(&self) {
        let open = matches!(*self.state.borrow(), Availability::Open(_));
        if open {
            *self.state.borrow_mut() = Availability::Closed;
        }
        let lost = self.lost.borrow().clone();
        if let Some(lost) = lost {
            lost();
        }
    }

    /// A connection that says it is closed is not used again.
    fn observe<T>(&self, result: &Result<T, StoreError>) {
        if matches!(result, Err(StoreError::Closed(_) | StoreError::Corrupt(_))) {
            let mut state = self.state.borrow_mut();
            if let Availability::Open(connection) = &*state {
                connection.close();
                *state = Availability::Closed;
            }
        }
    }
}

fn blocked() -> StoreError {
    StoreError::Blocked(format!(
        "indexedDB.open() has not answered for {} s: the browser is busy or stuck, or another tab keeps the database",
        BLOCKED_AFTER_MS / 1000
    ))
}

impl Store for IndexedDb {
    async fn load(&self, document: &str) -> Result<Loaded, StoreError> {
        let connection = self.connection().await?;
        let loaded = read::load(&connection, document).await;
        self.inner.observe(&loaded);
        loaded
    }

    async fn write(&self, document: &str, writes: &[Write]) -> Result<Vec<Row>, StoreError> {
        self.begin(document, writes.to_vec()).await
    }

    async fn documents(&self) -> Result<Vec<String>, StoreError> {
        let connection = self.connection().await?;
        let documents = read::documents(&connection).await;
        self.inner.observe(&documents);
        documents
    }
}
