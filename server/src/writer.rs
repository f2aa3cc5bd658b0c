//! Group commit: one task writes for every room, and takes along whatever waits when it begins.
//!
//! While a transaction is being committed, the next one gathers; nobody is delayed on purpose, and a busy server
//! commits larger transactions, not more of them.

use std::sync::Arc;

use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

use crate::metrics::Metrics;
use crate::storage::{Refusal, Storage, StoreRequest, Stored};

/// Requests in one transaction, and the bytes after which it takes no more.
const MAX_REQUESTS: usize = 256;
const MAX_BYTES: usize = 8 << 20;

#[derive(Debug, Clone, Error)]
pub enum CommitError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("{0}")]
    Failed(String),
}

struct Job {
    request: StoreRequest,
    done: oneshot::Sender<Result<Stored, CommitError>>,
}

#[derive(Clone)]
pub struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    /// Starts the task. It ends when every `Writer` is gone.
    pub fn start(storage: Arc<dyn Storage>, metrics: Arc<Metrics>) -> Self {
        let (jobs, inbox) = mpsc::channel(MAX_REQUESTS * 4);
        tokio::spawn(run(storage, metrics, inbox));
        Self { jobs }
    }

    /// Resolves when the updates are committed, or will not be.
    pub async fn commit(&self, request: StoreRequest) -> Result<Stored, CommitError> {
        let (done, result) = oneshot::channel();
        let gone = || CommitError::Failed("the writer has ended".into());
        self.jobs.send(Job { request, done }).await.map_err(|_| gone())?;
        result.await.map_err(|_| gone())?
    }
}

async fn run(storage: Arc<dyn Storage>, metrics: Arc<Metrics>, mut inbox: mpsc::Receiver<Job>) {
    while let Some(first) = inbox.recv().await {
        let mut bytes = size(&first.request);
        let mut jobs = vec![first];
        while jobs.len() < MAX_REQUESTS && bytes < MAX_BYTES {
            let Ok(job) = inbox.try_recv() else { break };
            bytes += size(&job.request);
            jobs.push(job);
        }
        commit(&storage, &metrics, jobs).await;
    }
}

async fn commit(storage: &Arc<dyn Storage>, metrics: &Metrics, jobs: Vec<Job>) {
    let (requests, done): (Vec<_>, Vec<_>) = jobs.into_iter().map(|job| (job.request, job.done)).unzip();
    let started = std::time::Instant::now();
    match storage.store_updates(&requests).await {
        Ok(results) => {
            metrics.commits.inc();
            metrics.commit_seconds.observe(started.elapsed().as_secs_f64());
            for (result, done) in results.into_iter().zip(done) {
                metrics
                    .updates_stored
                    .inc_by(result.as_ref().map_or(0, |stored| (stored.last - stored.first + 1) as u64));
                let _ = done.send(result.map_err(CommitError::from));
            }
        }
        Err(error) if requests.len() == 1 => {
            metrics.commit_failures.inc();
            tracing::error!(%error, "a commit failed");
            for done in done {
                let _ = done.send(Err(CommitError::Failed(error.to_string())));
            }
        }
        // One request may have spoiled it for the others: each alone.
        Err(_) => {
            for (request, done) in requests.into_iter().zip(done) {
                Box::pin(commit(storage, metrics, vec![Job { request, done }])).await;
            }
        }
    }
}

fn size(request: &StoreRequest) -> usize {
    request.updates.iter().map(|update| update.bytes.len()).sum()
}
