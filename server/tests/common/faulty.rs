//! A storage that fails, or waits, when it is told to.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use slate_yrs_server::storage::*;

pub struct Faulty {
    inner: Arc<dyn Storage>,
    pub fail_stores: AtomicBool,
    /// Stores of this document never end.
    pub stalled: Mutex<Option<String>>,
    /// Reading how far a session is: fails, or panics.
    pub fail_progress: AtomicBool,
    pub panic_progress: AtomicBool,
    pub slow_stores_ms: AtomicU32,
    pub slow_heads_ms: AtomicU32,
    pub loads: AtomicU32,
    /// Bytes of rows that were read.
    pub read_bytes: AtomicU64,
    /// Takes the place of what the database has.
    pub webhooks: Option<Arc<dyn WebhookStorage>>,
}

impl Faulty {
    pub fn new(inner: Arc<dyn Storage>) -> Self {
        Self {
            inner,
            fail_stores: false.into(),
            stalled: Mutex::default(),
            fail_progress: false.into(),
            panic_progress: false.into(),
            slow_stores_ms: 0.into(),
            slow_heads_ms: 0.into(),
            loads: 0.into(),
            read_bytes: 0.into(),
            webhooks: None,
        }
    }
}

#[async_trait]
impl Storage for Faulty {
    async fn open_document(&self, document: &str, now: Millis) -> Result<Document> {
        self.inner.open_document(document, now).await
    }

    async fn document(&self, document: &str) -> Result<Option<Document>> {
        self.inner.document(document).await
    }

    async fn documents(&self, after: &str, limit: u32) -> Result<Vec<Document>> {
        self.inner.documents(after, limit).await
    }

    async fn tips(&self, documents: &[String]) -> Result<Vec<Document>> {
        self.inner.tips(documents).await
    }

    async fn delete_document(&self, document: &str) -> Result<bool> {
        self.inner.delete_document(document).await
    }

    async fn store_updates(&self, requests: &[StoreRequest]) -> Result<Vec<Result<Stored, Refusal>>> {
        let slow = self.slow_stores_ms.load(Ordering::SeqCst);
        if slow > 0 {
            tokio::time::sleep(Duration::from_millis(slow.into())).await;
        }
        let stalled = self.stalled.lock().unwrap().clone();
        if requests.iter().any(|request| Some(&request.document) == stalled.as_ref()) {
            std::future::pending::<()>().await;
        }
        if self.fail_stores.load(Ordering::SeqCst) {
            return Err(StorageError::Unavailable("told to fail".into()));
        }
        self.inner.store_updates(requests).await
    }

    async fn get_scene_state(&self, document: &str) -> Result<Option<SceneState>> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        self.inner.get_scene_state(document).await
    }

    async fn get_updates_since(&self, document: &str, seq: Seq, limit: u32) -> Result<Vec<UpdateRow>> {
        let rows = self.inner.get_updates_since(document, seq, limit).await?;
        self.read_bytes.fetch_add(rows.iter().map(|row| row.bytes.len() as u64).sum(), Ordering::SeqCst);
        Ok(rows)
    }

    async fn rows_within(&self, document: &str, seq: Seq, limit: u32, bytes: usize) -> Result<u32> {
        self.inner.rows_within(document, seq, limit, bytes).await
    }

    async fn has_damaged_head(&self, document: &str) -> Result<bool> {
        self.inner.has_damaged_head(document).await
    }

    async fn measure(&self) -> Result<Measure> {
        self.inner.measure().await
    }

    async fn seq_before(&self, document: &str, at: Millis) -> Result<Seq> {
        self.inner.seq_before(document, at).await
    }

    async fn session(&self, document: &str, session: &str) -> Result<KnownSession> {
        assert!(!self.panic_progress.load(Ordering::SeqCst), "told to panic");
        if self.fail_progress.load(Ordering::SeqCst) {
            return Err(StorageError::Unavailable("told to fail".into()));
        }
        self.inner.session(document, session).await
    }

    async fn quarantine(&self, document: &str, seq: Seq, reason: &str) -> Result<()> {
        self.inner.quarantine(document, seq, reason).await
    }

    async fn put_head(&self, document: &str, epoch: &str, through: Seq, at: Millis, bytes: &[u8]) -> Result<()> {
        let slow = self.slow_heads_ms.load(Ordering::SeqCst);
        if slow > 0 {
            tokio::time::sleep(Duration::from_millis(slow.into())).await;
        }
        self.inner.put_head(document, epoch, through, at, bytes).await
    }

    async fn compact_updates(&self, document: &str, merges: &[Merge]) -> Result<Vec<bool>> {
        self.inner.compact_updates(document, merges).await
    }

    async fn authorship(&self, document: &str) -> Result<Vec<Authorship>> {
        self.inner.authorship(document).await
    }

    async fn fine_rows(&self, document: &str, edits_before: Millis, hours_before: Millis) -> Result<u64> {
        self.inner.fine_rows(document, edits_before, hours_before).await
    }

    async fn log_bytes(&self, document: &str) -> Result<u64> {
        self.inner.log_bytes(document).await
    }

    async fn forget_sessions(&self, before: Millis) -> Result<u64> {
        self.inner.forget_sessions(before).await
    }

    async fn take_lease(&self, name: &str, holder: &str, now: Millis, until: Millis) -> Result<bool> {
        self.inner.take_lease(name, holder, now, until).await
    }

    async fn kick(&self, whom: &Kicked, at: Millis) -> Result<()> {
        self.inner.kick(whom, at).await
    }

    async fn kicks(&self, after: i64) -> Result<Vec<Kick>> {
        self.inner.kicks(after).await
    }

    async fn put_named(&self, version: &NamedVersion, bytes: &[u8], most: u32) -> Result<bool> {
        self.inner.put_named(version, bytes, most).await
    }

    async fn delete_named(&self, document: &str, id: &str) -> Result<bool> {
        self.inner.delete_named(document, id).await
    }

    async fn named(&self, document: &str) -> Result<Vec<NamedVersion>> {
        self.inner.named(document).await
    }

    async fn named_state(&self, document: &str, id: &str) -> Result<Option<(NamedVersion, Vec<u8>)>> {
        self.inner.named_state(document, id).await
    }

    async fn probe(&self, now: Millis) -> Result<()> {
        self.inner.probe(now).await
    }

    fn database(&self) -> u64 {
        self.inner.database()
    }

    fn webhooks(&self) -> &dyn WebhookStorage {
        self.webhooks.as_deref().unwrap_or_else(|| self.inner.webhooks())
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
