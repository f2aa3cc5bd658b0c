//! A database in memory for real rooms: what is committed survives their end; transactions take time, fail, and may be
//! cut off before they are carried out or before anyone hears that they were.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use slate_yrs_server::storage::{
    Authors, Authorship, Detail, Document, Kick, KnownSession, Merge, Millis, NamedVersion, Progress, Refusal, Result,
    SceneState, Seq, Storage, StorageError, StoreRequest, Stored, UpdateRow, WebhookStorage,
};
use tokio::sync::oneshot;

use crate::content::Content;

#[derive(Clone)]
pub struct Database(Arc<Mutex<Inner>>);

/// What is to go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing can be written: the disk is full.
    Full,
    /// The next transaction fails.
    Once,
    /// The next transaction is committed, and its answer lost.
    AnswerLost,
    /// Nothing can be read either.
    Away,
}

struct Inner {
    document: Option<Table>,
    epochs: u32,
    fault: Option<Fault>,
    rng: fastrand::Rng,
    /// Who waits, and for how long.
    waiting: Vec<(u64, oneshot::Sender<()>)>,
    too_early: bool,
    late: Vec<StoreRequest>,
    /// Of all documents there ever were under this name.
    ever: Content,
    /// What must not be, seen where a panic would be a task's own.
    broken: Option<String>,
}

struct Table {
    row: Document,
    log: Vec<LogRow>,
    head: Option<(Seq, Vec<u8>)>,
    sessions: BTreeMap<String, Progress>,
}

struct LogRow {
    row: UpdateRow,
    submission: Option<(String, u64)>,
}

impl Database {
    pub fn new(too_early: bool) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            document: None,
            epochs: 0,
            fault: None,
            rng: fastrand::Rng::with_seed(0),
            waiting: Vec::new(),
            too_early,
            late: Vec::new(),
            ever: Content::default(),
            broken: None,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("not poisoned")
    }

    pub fn set_luck(&self, seed: u64) {
        self.lock().rng = fastrand::Rng::with_seed(seed);
    }

    pub fn set_fault(&self, fault: Option<Fault>) {
        self.lock().fault = fault;
    }

    pub fn broken(&self) -> Option<String> {
        self.lock().broken.clone()
    }

    /// Who has begun to wait since the last call.
    pub fn take_waiting(&self) -> Vec<(u64, oneshot::Sender<()>)> {
        std::mem::take(&mut self.lock().waiting)
    }

    pub fn with_ever<T>(&self, read: impl FnOnce(&Content) -> T) -> T {
        read(&self.lock().ever)
    }

    pub fn epoch(&self) -> Option<String> {
        self.lock().document.as_ref().map(|table| table.row.epoch.clone())
    }

    /// The rows a document would be loaded from.
    pub fn rows(&self) -> Vec<Vec<u8>> {
        let inner = self.lock();
        let Some(table) = &inner.document else { return Vec::new() };
        let from = table.head.as_ref().map_or(0, |(seq, _)| *seq);
        let tail = table.log.iter().filter(|row| row.row.seq > from).map(|row| row.row.bytes.clone());
        table.head.iter().map(|(_, bytes)| bytes.clone()).chain(tail).collect()
    }

    /// The document was there before, with these updates.
    pub fn begin(&self, document: &str, now: Millis, updates: &[Vec<u8>]) {
        let mut inner = self.lock();
        inner.epochs += 1;
        let epoch = format!("epoch {}", inner.epochs);
        let mut table = Table::new(document, epoch, now);
        for update in updates {
            table.log(update.clone(), now, None);
            inner.ever.add(&Content::of(update));
        }
        inner.document = Some(table);
    }

    /// Somebody deletes the document, which had this content, behind the server's back.
    pub fn delete(&self, content: &Content) {
        let mut inner = self.lock();
        inner.ever.add(content);
        inner.document = None;
    }

    /// The process is gone: what it had asked for and was not done is not done.
    pub fn cut_off(&self) {
        let mut inner = self.lock();
        inner.waiting.clear();
        inner.late.clear();
    }

    /// Waits, if luck will have it. What is `slow` nearly always.
    async fn pause(&self, slow: bool) {
        let waiting = {
            let mut inner = self.lock();
            let waits = if slow { inner.rng.u8(..8) > 0 } else { inner.rng.u8(..4) == 0 };
            if !waits {
                return;
            }
            let delay = if inner.rng.u8(..30) == 0 { inner.rng.u64(100..4_000) } else { inner.rng.u64(1..12) };
            let (done, waiting) = oneshot::channel();
            inner.waiting.push((delay, done));
            waiting
        };
        // Never woken if the process is killed meanwhile.
        if waiting.await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    fn readable(&self) -> Result<()> {
        match self.lock().fault {
            Some(Fault::Away) => Err(StorageError::Unavailable("the database is away".into())),
            _ => Ok(()),
        }
    }
}

impl Table {
    fn new(document: &str, epoch: String, now: Millis) -> Self {
        let row = Document { id: document.to_owned(), epoch, tip: 0, created_at: now, updated_at: now };
        Self { row, log: Vec::new(), head: None, sessions: BTreeMap::new() }
    }

    fn log(&mut self, bytes: Vec<u8>, at: Millis, submission: Option<(String, u64)>) {
        self.row.tip += 1;
        let row = UpdateRow {
            seq: self.row.tip,
            first_seq: self.row.tip,
            detail: Detail::Edit,
            authors: Authors::default(),
            at,
            bytes,
            quarantined: None,
            submitted: submission.is_some(),
        };
        self.log.push(LogRow { row, submission });
    }
}

impl Inner {
    fn store(&mut self, request: &StoreRequest) -> Result<Stored, Refusal> {
        let table = self.document.as_mut().filter(|table| table.row.epoch == request.epoch).ok_or(Refusal::Epoch)?;
        if request.only_at_tip.is_some_and(|tip| tip != table.row.tip) {
            return Err(Refusal::TipMoved { tip: table.row.tip });
        }
        let first = table.row.tip + 1;
        for update in &request.updates {
            let submission = update.submission.as_ref();
            if let Some(submission) = submission {
                let progress = table.sessions.entry(submission.session.clone()).or_default();
                if submission.seq <= progress.last {
                    let key = Some((submission.session.clone(), submission.seq));
                    if table.log.iter().any(|row| row.submission == key && row.row.bytes[..] == update.bytes[..]) {
                        continue;
                    }
                } else {
                    if !submission.after_refusal && progress.acked == progress.last {
                        progress.acked = submission.seq;
                    }
                    progress.last = submission.seq;
                }
            }
            if table.log.iter().any(|row| row.row.bytes[..] == update.bytes[..]) {
                self.broken.get_or_insert(format!("(d) the log has an update twice: {:?}", update.submission));
            }
            let submission = submission.map(|submission| (submission.session.clone(), submission.seq));
            table.log(update.bytes.to_vec(), request.at, submission);
            self.ever.add(&Content::of(&update.bytes));
        }
        Ok(Stored { first, last: table.row.tip })
    }
}

#[async_trait]
impl Storage for Database {
    async fn open_document(&self, document: &str, now: Millis) -> Result<Document> {
        self.pause(false).await;
        self.readable()?;
        let mut inner = self.lock();
        if inner.document.is_none() {
            inner.epochs += 1;
            let epoch = format!("epoch {}", inner.epochs);
            inner.document = Some(Table::new(document, epoch, now));
        }
        Ok(inner.document.as_ref().map(|table| table.row.clone()).expect("just made"))
    }

    fn webhooks(&self) -> &dyn WebhookStorage {
        unreachable!("nobody is told of this world")
    }

    async fn document(&self, _: &str) -> Result<Option<Document>> {
        self.readable()?;
        Ok(self.lock().document.as_ref().map(|table| table.row.clone()))
    }

    async fn store_updates(&self, requests: &[StoreRequest]) -> Result<Vec<Result<Stored, Refusal>>> {
        self.pause(true).await;
        let results = {
            let mut inner = self.lock();
            let fault = inner.fault;
            if matches!(fault, Some(Fault::Once | Fault::AnswerLost)) {
                inner.fault = None;
            }
            if matches!(fault, Some(Fault::Full | Fault::Once | Fault::Away)) {
                return Err(StorageError::Unavailable("told to fail".into()));
            }
            if inner.too_early {
                let late = std::mem::replace(&mut inner.late, requests.to_vec());
                late.iter().for_each(|request| drop(inner.store(request)));
                let stored = |request: &StoreRequest| Stored { first: 1, last: request.updates.len() as Seq };
                return Ok(requests.iter().map(|request| Ok(stored(request))).collect());
            }
            let results = requests.iter().map(|request| inner.store(request)).collect();
            if fault == Some(Fault::AnswerLost) {
                return Err(StorageError::Unavailable("told to lose the answer".into()));
            }
            results
        };
        self.pause(true).await;
        Ok(results)
    }

    async fn get_scene_state(&self, _: &str) -> Result<Option<SceneState>> {
        self.pause(false).await;
        self.readable()?;
        let inner = self.lock();
        Ok(inner.document.as_ref().map(|table| {
            let from = table.head.as_ref().map_or(0, |(seq, _)| *seq);
            let tail = table.log.iter().filter(|row| row.row.seq > from).map(|row| row.row.clone()).collect();
            SceneState { document: table.row.clone(), snapshot: table.head.clone(), tail, quarantined: 0 }
        }))
    }

    async fn get_updates_since(&self, _: &str, seq: Seq, limit: u32) -> Result<Vec<UpdateRow>> {
        self.pause(false).await;
        self.readable()?;
        let inner = self.lock();
        let rows = inner.document.iter().flat_map(|table| &table.log).filter(|row| row.row.seq > seq);
        Ok(rows.take(limit as usize).map(|row| row.row.clone()).collect())
    }

    async fn session(&self, _: &str, session: &str) -> Result<KnownSession> {
        self.pause(false).await;
        self.readable()?;
        let inner = self.lock();
        let progress = inner.document.as_ref().and_then(|table| table.sessions.get(session)).copied();
        Ok(KnownSession { progress: progress.unwrap_or_default(), owner: None })
    }

    async fn put_head(&self, _: &str, epoch: &str, through: Seq, _: Millis, bytes: &[u8]) -> Result<()> {
        self.pause(true).await;
        self.readable()?;
        let mut inner = self.lock();
        if let Some(table) = inner.document.as_mut().filter(|table| table.row.epoch == epoch)
            && table.head.as_ref().is_none_or(|(seq, _)| *seq < through)
        {
            table.head = Some((through, bytes.to_vec()));
        }
        Ok(())
    }

    async fn quarantine(&self, _: &str, seq: Seq, reason: &str) -> Result<()> {
        self.lock().broken.get_or_insert(format!("row {seq} does not apply: {reason}"));
        Ok(())
    }

    async fn probe(&self, _: Millis) -> Result<()> {
        self.readable()
    }

    async fn close(&self) {}

    // --- what rooms do not ask for

    async fn documents(&self, _: &str, _: u32) -> Result<Vec<Document>> {
        unimplemented!()
    }

    async fn tips(&self, _: &[String]) -> Result<Vec<Document>> {
        unimplemented!()
    }

    async fn delete_document(&self, _: &str) -> Result<bool> {
        unimplemented!()
    }

    async fn compact_updates(&self, _: &str, _: &[Merge]) -> Result<Vec<bool>> {
        unimplemented!()
    }

    async fn authorship(&self, _: &str) -> Result<Vec<Authorship>> {
        unimplemented!()
    }

    async fn fine_rows(&self, _: &str, _: Millis, _: Millis) -> Result<u64> {
        unimplemented!()
    }

    async fn log_bytes(&self, _: &str) -> Result<u64> {
        unimplemented!()
    }

    async fn forget_sessions(&self, _: Millis) -> Result<u64> {
        unimplemented!()
    }

    async fn take_lease(&self, _: &str, _: &str, _: Millis, _: Millis) -> Result<bool> {
        unimplemented!()
    }

    async fn kick(&self, _: &slate_yrs_server::storage::Kicked, _: Millis) -> Result<()> {
        unimplemented!()
    }

    async fn kicks(&self, _: i64) -> Result<Vec<Kick>> {
        unimplemented!()
    }

    async fn put_named(&self, _: &NamedVersion, _: &[u8], _: u32) -> Result<bool> {
        unimplemented!()
    }

    async fn has_damaged_head(&self, _: &str) -> Result<bool> {
        unimplemented!()
    }

    async fn delete_named(&self, _: &str, _: &str) -> Result<bool> {
        unimplemented!()
    }

    async fn named(&self, _: &str) -> Result<Vec<NamedVersion>> {
        unimplemented!()
    }

    async fn named_state(&self, _: &str, _: &str) -> Result<Option<(NamedVersion, Vec<u8>)>> {
        unimplemented!()
    }
}
