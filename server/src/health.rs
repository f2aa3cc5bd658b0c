//! Whether the database takes what is written. Whoever writes says so; while it does not, and when somebody asks,
//! something is written to find out.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::clock::now;
use crate::metrics::Metrics;
use crate::storage::{Fault, Storage, StorageError};

/// An answer holds so long: however often it is asked, the database is written to once in this time.
const FRESH: Duration = Duration::from_secs(1);
/// All of the log is read to measure it.
const MEASURE: Duration = Duration::from_secs(600);
/// Longer than a database waits for others that write.
const PATIENCE: Duration = Duration::from_secs(8);

pub struct DatabaseProbe {
    storage: Arc<dyn Storage>,
    metrics: Arc<Metrics>,
    /// When it was last found to take something.
    found: Mutex<Option<Instant>>,
}

impl DatabaseProbe {
    pub fn new(storage: Arc<dyn Storage>, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self { storage, metrics, found: Mutex::new(None) })
    }

    /// Writes something, unless that was done just now, or is known not to be taken.
    pub async fn ask(&self) -> Result<(), Fault> {
        let mut found = self.found.lock().await;
        if let Some(fault) = self.metrics.database_fault() {
            return Err(fault);
        }
        if found.is_none_or(|at| at.elapsed() >= FRESH) {
            self.probe().await?;
            *found = Some(Instant::now());
        }
        Ok(())
    }

    async fn probe(&self) -> Result<(), Fault> {
        let probed = match timeout(PATIENCE, self.storage.probe(now())).await {
            Ok(probed) => probed,
            Err(_) => Err(StorageError::Slow),
        };
        match &probed {
            Ok(()) => self.metrics.database_works(),
            Err(error) => self.metrics.database_failed(error),
        }
        probed.map_err(|error| error.fault())
    }

    /// Looks now and then how large everything is.
    pub fn measure(self: &Arc<Self>) -> JoinHandle<()> {
        let health = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                match health.storage.measure().await {
                    Ok(measure) => health.metrics.measured(&measure, now()),
                    Err(error) => tracing::warn!(%error, "cannot measure the database"),
                }
                sleep(MEASURE).await;
            }
        })
    }

    /// Asks as long as the database takes nothing, so that the end of that is noticed though nobody writes.
    pub fn watch(self: &Arc<Self>) -> JoinHandle<()> {
        let health = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                sleep(FRESH).await;
                if health.metrics.database_fault().is_some() {
                    let _ = health.probe().await;
                }
            }
        })
    }
}
