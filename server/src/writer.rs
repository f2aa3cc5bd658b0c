//! Group commit: one task writes for every room, and takes along whatever waits when it begins.
//!
//! While a transaction is being committed, the next one gathers; nobody is delayed on purpose, and a busy server
//! commits larger transactions, not more of them. A database that gains from several transactions at a time has as many
//! such tasks; a document always has the same one. A transaction has so much time, and a group that fails has no more
//! for finding out which of its requests is at fault: the rooms that wait are told, and others are served.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::metrics::Metrics;
use crate::storage::{Fault, Refusal, Storage, StorageError, StoreRequest, Stored};

/// Requests in one transaction, and the bytes after which it takes no more.
const MAX_REQUESTS: usize = 256;
const MAX_BYTES: usize = 8 << 20;

#[derive(Debug, Clone, Error)]
pub enum CommitError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("{error}")]
    Failed { fault: Fault, error: String },
}

struct Job {
    request: StoreRequest,
    done: oneshot::Sender<Result<Stored, CommitError>>,
}

#[derive(Clone)]
pub struct LogWriter {
    lanes: Arc<[mpsc::Sender<Job>]>,
}

impl LogWriter {
    /// Starts the tasks. They end when every `LogWriter` is gone. `patience`: how long a transaction may take.
    pub fn start(storage: Arc<dyn Storage>, metrics: Arc<Metrics>, patience: Duration) -> Self {
        let lane = |_| {
            let (jobs, inbox) = mpsc::channel(MAX_REQUESTS * 4);
            let lane = Lane { storage: Arc::clone(&storage), metrics: Arc::clone(&metrics), patience };
            tokio::spawn(lane.run(inbox));
            jobs
        };
        Self { lanes: (0..storage.lanes().max(1)).map(lane).collect() }
    }

    /// Resolves when the updates are committed, or will not be.
    pub async fn commit(&self, request: StoreRequest) -> Result<Stored, CommitError> {
        let (done, result) = oneshot::channel();
        let gone = || CommitError::Failed { fault: Fault::Other, error: "the writer has ended".into() };
        let mut hasher = DefaultHasher::new();
        request.document.hash(&mut hasher);
        let lane = &self.lanes[hasher.finish() as usize % self.lanes.len()];
        lane.send(Job { request, done }).await.map_err(|_| gone())?;
        result.await.map_err(|_| gone())?
    }
}

struct Lane {
    storage: Arc<dyn Storage>,
    metrics: Arc<Metrics>,
    patience: Duration,
}

impl Lane {
    async fn run(self, mut inbox: mpsc::Receiver<Job>) {
        while let Some(first) = inbox.recv().await {
            let mut bytes = size(&first.request);
            let mut jobs = vec![first];
            while jobs.len() < MAX_REQUESTS && bytes < MAX_BYTES {
                let Ok(job) = inbox.try_recv() else { break };
                bytes += size(&job.request);
                jobs.push(job);
            }
            self.commit(jobs, Instant::now() + self.patience).await;
        }
    }

    async fn commit(&self, jobs: Vec<Job>, until: Instant) {
        let (requests, done): (Vec<_>, Vec<_>) = jobs.into_iter().map(|job| (job.request, job.done)).unzip();
        let started = std::time::Instant::now();
        match self.store(&requests, until).await {
            Ok(results) => {
                self.metrics.database_works();
                self.metrics.commits.inc();
                self.metrics.commit_seconds.observe(started.elapsed().as_secs_f64());
                for (result, done) in results.into_iter().zip(done) {
                    let count = result.as_ref().map_or(0, |stored| (stored.last - stored.first + 1) as u64);
                    self.metrics.updates_stored.inc_by(count);
                    let _ = done.send(result.map_err(CommitError::from));
                }
            }
            Err(error) if requests.len() == 1 || error.fault().is_outage() || Instant::now() >= until => {
                self.metrics.commit_failures.inc();
                tracing::error!(%error, requests = requests.len(), "a commit failed");
                self.metrics.database_erred(&error);
                let (fault, error) = (error.fault(), error.to_string());
                for done in done {
                    let _ = done.send(Err(CommitError::Failed { fault, error: error.clone() }));
                }
            }
            // One request may have spoiled it for the others: by halves, until it is alone.
            Err(_) => {
                let mut jobs: Vec<Job> =
                    requests.into_iter().zip(done).map(|(request, done)| Job { request, done }).collect();
                let rest = jobs.split_off(jobs.len() / 2);
                Box::pin(self.commit(jobs, until)).await;
                Box::pin(self.commit(rest, until)).await;
            }
        }
    }

    /// What panics fails, and the next one is tried.
    async fn store(
        &self,
        requests: &[StoreRequest],
        until: Instant,
    ) -> Result<Vec<Result<Stored, Refusal>>, StorageError> {
        let store = AssertUnwindSafe(self.storage.store_updates(requests)).catch_unwind();
        match timeout_at(until, store).await {
            Ok(Ok(stored)) => stored,
            Ok(Err(_)) => Err(StorageError::Unavailable("it panicked".into())),
            Err(_) => Err(StorageError::Slow),
        }
    }
}

fn size(request: &StoreRequest) -> usize {
    request.updates.iter().map(|update| update.bytes.len()).sum()
}
