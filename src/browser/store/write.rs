//! One write transaction.

use litemap::LiteMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_channel::oneshot;
use futures_util::task::noop_waker_ref;
use idb::request::AddStoreRequest;
use idb::{KeyRange, ObjectStore, Request};
use js_sys::Object;
use wasm_bindgen::prelude::*;
use web_sys::IdbTransaction;

use super::names;
use super::open::{DatabaseHandles, Scope};
use super::read::pending;
use super::record::{
    from_idb, from_js, get, of_document, of_seqs, of_session, pending_key, read_epoch, read_row, read_update, set,
    update_record,
};
use crate::store::{
    LEFT_BEHIND, LEFT_BEHIND_WHY, Pending, PendingKey, Row, StoreError, Write, epoch_of, looks, only_edits, same_epoch,
};

/// A transaction whose requests are made.
pub struct Transaction {
    raw: IdbTransaction,
    end: TransactionEnd,
    /// What is left to do: nothing but to look at answers, unless something has to be read first.
    steps: Pin<Box<dyn Future<Output = Result<NumberRequests, StoreError>>>>,
    finished: Option<Result<NumberRequests, StoreError>>,
}

/// Whether a commit waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteDurability {
    /// For what replaces or removes something; the browser decides for the rest.
    WhereItMatters,
    /// For every write.
    Strict,
}

/// The requests that numbered the rows; they know once the transaction has committed.
type NumberRequests = Vec<AddStoreRequest>;

impl Transaction {
    /// Makes the requests, all of them if nothing has to be read first.
    pub fn begin(
        connection: &DatabaseHandles,
        document: &str,
        writes: Vec<Write>,
        durability: WriteDurability,
    ) -> Result<Self, StoreError> {
        let strict = durability == WriteDurability::Strict || writes.iter().any(removes);
        // What a transaction costs grows with the stores it is over.
        let scope = if only_edits(&writes) { Scope::Outbox } else { Scope::All };
        let raw = connection.transaction(scope, strict)?;
        let end = TransactionEnd::of(&raw);
        let stores = Stores(raw.clone().into());
        let (handle, document) = (raw.clone(), document.to_owned());
        let mut steps: Pin<Box<dyn Future<Output = _>>> =
            Box::pin(async move { stores.apply(&handle, &document, &writes).await });
        let finished = match steps.as_mut().poll(&mut Context::from_waker(noop_waker_ref())) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        };
        Ok(Self { raw, end, steps, finished })
    }

    /// Waits for the commit.
    pub async fn committed(self) -> Result<Vec<Row>, StoreError> {
        let Self { raw, end, steps, finished } = self;
        let result = match finished {
            Some(result) => result,
            None => steps.await,
        };
        let requests = match result {
            Ok(requests) => requests,
            Err(error) => {
                // It may have been aborted already, which is why the steps failed; then that reason is the better one.
                let aborted_by_us = raw.abort().is_ok();
                let end = end.await;
                return Err(if aborted_by_us { error } else { end.err().unwrap_or(error) });
            }
        };
        end.await?;
        requests.iter().map(row).collect()
    }
}

fn row(request: &AddStoreRequest) -> Result<Row, StoreError> {
    let key = request.result().map_err(|error| from_idb(&error))?;
    key.as_f64().map(|row| row as Row).ok_or_else(|| StoreError::Corrupt("a row without a number".into()))
}

/// What must not come back once it is reported as done: such a commit waits for the disk. An acknowledged update that
/// comes back is submitted again, which the server knows.
fn removes(write: &Write) -> bool {
    let adds = matches!(write, Write::Append { .. } | Write::Edit { .. } | Write::InEpoch { .. });
    !adds && !matches!(write, Write::Acknowledge { .. })
}

/// Whether something takes the place of what is removed. Such a transaction is left to the browser to commit: in WebKit,
/// where the page goes right after `commit()`, what removes is carried out and what adds is not. Not committed it is
/// undone as a whole, and the copy is what it was.
fn exchanges(writes: &[Write]) -> bool {
    let both = |write: &Write| {
        !matches!(
            write,
            Write::Append { .. }
                | Write::Edit { .. }
                | Write::InEpoch { .. }
                | Write::SetEpoch { .. }
                | Write::Acknowledge { .. }
                | Write::DiscardSetAside
                | Write::Delete
        )
    };
    let adds = |write: &Write| matches!(write, Write::Append { .. } | Write::Edit { .. });
    writes.iter().any(both)
        || (writes.iter().any(|write| matches!(write, Write::Acknowledge { .. })) && writes.iter().any(adds))
}

/// Each is asked for where it is used.
struct Stores(idb::Transaction);

impl Stores {
    fn documents(&self) -> Result<ObjectStore, idb::Error> {
        self.0.object_store(names::DOCUMENTS)
    }

    fn log(&self) -> Result<ObjectStore, idb::Error> {
        self.0.object_store(names::LOG)
    }

    fn outbox(&self) -> Result<ObjectStore, idb::Error> {
        self.0.object_store(names::OUTBOX)
    }

    fn set_aside(&self) -> Result<ObjectStore, idb::Error> {
        self.0.object_store(names::SET_ASIDE)
    }

    /// Requests are carried out in the order in which they are made. Those that only write are not waited for: one
    /// that fails aborts the transaction. Of which epoch the copy is, is waited for only by what would replace
    /// something: an edit is on its way, and committed even if the page is gone before anything is answered.
    async fn apply(
        &self,
        raw: &IdbTransaction,
        document: &str,
        writes: &[Write],
    ) -> Result<NumberRequests, StoreError> {
        let mut rows = Vec::new();
        let epoch = epoch_of(writes);
        let mut looking = None;
        if looks(writes) {
            let documents = self.documents().map_err(|error| from_idb(&error))?;
            let request = documents.get(JsValue::from(document)).map_err(|error| from_idb(&error))?;
            looking = Some(request.into_future());
        }
        if writes.iter().any(Write::replaces)
            && let Some(looking) = looking.take()
        {
            belongs(looking.await, epoch)?;
        }
        for write in writes {
            self.step(document, epoch, write, &mut rows).await.map_err(|error| from_idb(&error))?;
        }
        if !exchanges(writes) {
            // The browser would find out by itself that nothing more comes, a little later: too late for a page that goes.
            #[allow(deprecated, reason = "web-sys follows an older draft; every browser has it")]
            let _ = raw.commit();
        }
        if let Some(looking) = looking {
            belongs(looking.await, epoch)?;
        }
        Ok(rows)
    }

    async fn step(
        &self,
        document: &str,
        epoch: Option<&str>,
        write: &Write,
        rows: &mut NumberRequests,
    ) -> Result<(), idb::Error> {
        match write {
            Write::InEpoch { .. } => {}
            Write::Append { update } => self.append(document, epoch, update, rows)?,
            Write::Edit { key, update } => {
                self.outbox()?.put(&update_record(document, Some(key), epoch, update), None)?;
            }
            Write::Acknowledge { session, seq } => {
                self.outbox()?.delete(of_session(document, session, *seq)?)?;
            }
            Write::Coalesce { from, to, update } => {
                for (session, first, last) in keys_in_runs(from) {
                    self.outbox()?.delete(of_seqs(document, session, first, last)?)?;
                    self.set_aside()?.delete(of_seqs(document, session, first, last)?)?;
                }
                self.outbox()?.put(&update_record(document, Some(to), epoch, update), None)?;
            }
            Write::SetAside { key, code, message } => {
                let key = pending_key(document, key);
                if let Some(record) = self.outbox()?.get(key.clone())?.await? {
                    let record: Object = record.unchecked_into();
                    set(&record, "code", &code.as_str().into());
                    set(&record, "message", &message.as_str().into());
                    self.set_aside()?.put(&record, None)?;
                    self.outbox()?.delete(key)?;
                }
            }
            Write::Compact { rows: merged, snapshot } => {
                for (first, last) in runs(merged.clone()) {
                    let rows = KeyRange::bound(&(first as f64).into(), &(last as f64).into(), None, None)?;
                    self.log()?.delete(rows)?;
                }
                self.append(document, epoch, snapshot, rows)?;
            }
            Write::SetEpoch { epoch } => self.put_epoch(document, epoch)?,
            Write::Reset { epoch, snapshot } => {
                let copy = self.documents()?.get(JsValue::from(document))?.await?;
                if copy.and_then(|copy| get(&copy, "epoch").as_string()).as_ref() != Some(epoch) {
                    self.clear_log(document).await?;
                }
                self.put_epoch(document, epoch)?;
                self.append(document, Some(epoch), snapshot, rows)?;
            }
            Write::Move { from, session } => self.absorb(document, from, session.as_deref()).await?,
            Write::DiscardSetAside => {
                self.set_aside()?.delete(of_document(document)?)?;
            }
            Write::Delete => {
                self.clear_log(document).await?;
                self.outbox()?.delete(of_document(document)?)?;
                self.set_aside()?.delete(of_document(document)?)?;
                self.documents()?.delete(JsValue::from(document))?;
            }
        }
        Ok(())
    }

    /// Records are written anew: which document they are of is part of their checksums, and rows get other numbers.
    async fn absorb(&self, document: &str, from: &str, session: Option<&str>) -> Result<(), idb::Error> {
        let epoch = |copy: Option<JsValue>| copy.and_then(|copy| get(&copy, "epoch").as_string());
        let here = epoch(self.documents()?.get(JsValue::from(document))?.await?);
        if let (None, Some(epoch)) = (here, epoch(self.documents()?.get(JsValue::from(from))?.await?)) {
            self.put_epoch(document, &epoch)?;
        }
        self.documents()?.delete(JsValue::from(from))?;
        let index = self.log()?.index(names::BY_DOCUMENT)?;
        for record in index.get_all(Some(of_document(from)?.into()), None)?.await? {
            if let (Some(row), Some(update)) = (read_row(&record), read_update(&record, from, None)) {
                self.log()?.add(&update_record(document, None, read_epoch(&record).as_deref(), &update), None)?;
                self.log()?.delete(JsValue::from(row as f64))?;
            }
        }
        for record in self.outbox()?.get_all(Some(of_document(from)?.into()), None)?.await? {
            let Some(Pending { key, epoch, update }) = pending(&record, from) else { continue };
            let moved = update_record(document, Some(&key), epoch.as_deref(), &update);
            if session == Some(&key.session) {
                self.outbox()?.put(&moved, None)?;
            } else {
                set(&moved, "code", &LEFT_BEHIND.into());
                set(&moved, "message", &LEFT_BEHIND_WHY.into());
                self.set_aside()?.put(&moved, None)?;
            }
            self.outbox()?.delete(pending_key(from, &key))?;
        }
        for record in self.set_aside()?.get_all(Some(of_document(from)?.into()), None)?.await? {
            let Some(Pending { key, epoch, update }) = pending(&record, from) else { continue };
            let moved = update_record(document, Some(&key), epoch.as_deref(), &update);
            for name in ["code", "message"] {
                set(&moved, name, &get(&record, name));
            }
            self.set_aside()?.put(&moved, None)?;
            self.set_aside()?.delete(pending_key(from, &key))?;
        }
        Ok(())
    }

    fn append(
        &self,
        document: &str,
        epoch: Option<&str>,
        update: &[u8],
        rows: &mut NumberRequests,
    ) -> Result<(), idb::Error> {
        rows.push(self.log()?.add(&update_record(document, None, epoch, update), None)?);
        Ok(())
    }

    fn put_epoch(&self, document: &str, epoch: &str) -> Result<(), idb::Error> {
        let record = Object::new();
        set(&record, "document", &document.into());
        set(&record, "epoch", &epoch.into());
        self.documents()?.put(&record, None)?;
        Ok(())
    }

    /// Rows are numbered over all documents, so they are deleted one by one.
    async fn clear_log(&self, document: &str) -> Result<(), idb::Error> {
        let index = self.log()?.index(names::BY_DOCUMENT)?;
        for row in index.get_all_keys(Some(of_document(document)?.into()), None)?.await? {
            self.log()?.delete(row)?;
        }
        Ok(())
    }
}

/// Numbers as runs without a gap: what is deleted by its run costs one request, and nothing else lies in between.
fn runs(mut numbers: Vec<u64>) -> Vec<(u64, u64)> {
    numbers.sort_unstable();
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if number <= *last + 1 => *last = number,
            _ => runs.push((number, number)),
        }
    }
    runs
}

/// The same for the keys of pending updates, session by session.
fn keys_in_runs(keys: &[PendingKey]) -> Vec<(&str, u64, u64)> {
    let mut sessions: LiteMap<&str, Vec<u64>> = LiteMap::new();
    for key in keys {
        sessions.entry(&key.session).or_default().push(key.seq);
    }
    let in_runs = |(session, seqs)| runs(seqs).into_iter().map(move |(first, last)| (session, first, last));
    sessions.into_iter().flat_map(in_runs).collect()
}

/// Whether the copy's record, as it was found, is of `epoch`.
fn belongs(found: Result<Option<JsValue>, idb::Error>, epoch: Option<&str>) -> Result<(), StoreError> {
    let record = found.map_err(|error| from_idb(&error))?;
    let current = record.and_then(|record| get(&record, "epoch").as_string());
    if same_epoch(current.as_deref(), epoch) { Ok(()) } else { Err(StoreError::Replaced) }
}

/// The end of a transaction: committed, or aborted with a reason.
struct TransactionEnd {
    receiver: oneshot::Receiver<Result<(), StoreError>>,
    /// Alive until it has run.
    _listener: Closure<dyn FnMut(web_sys::Event)>,
}

impl TransactionEnd {
    fn of(raw: &IdbTransaction) -> Self {
        let (sender, receiver) = oneshot::channel();
        let (mut sender, handle) = (Some(sender), raw.clone());
        // One for both: making them is a good part of what a keystroke costs here.
        let listener = Closure::new(move |event: web_sys::Event| {
            if let Some(sender) = sender.take() {
                let _ = sender.send(match (&*event.type_(), handle.error()) {
                    ("complete", _) => Ok(()),
                    (_, Some(error)) => Err(from_js(&error)),
                    (_, None) => Err(StoreError::Closed("the transaction was aborted".into())),
                });
            }
        });
        let function = listener.as_ref().unchecked_ref();
        raw.set_oncomplete(Some(function));
        raw.set_onabort(Some(function));
        Self { receiver, _listener: listener }
    }
}

impl Future for TransactionEnd {
    type Output = Result<(), StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.receiver)
            .poll(context)
            .map(|ended| ended.unwrap_or_else(|_| Err(StoreError::Closed("the transaction is gone".into()))))
    }
}
