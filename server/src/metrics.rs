//! What the server counts, for Prometheus.

use std::sync::{Mutex, MutexGuard, PoisonError};

use prometheus::{Encoder, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

use crate::storage::{Fault, StorageError};

/// One set per server.
pub struct Metrics {
    registry: Registry,
    pub connections: IntGauge,
    pub rooms: IntGauge,
    pub updates_stored: IntCounter,
    pub commits: IntCounter,
    pub commit_failures: IntCounter,
    /// 1: the database takes what is written; and why not.
    database_writable: IntGauge,
    fault: Mutex<Option<Fault>>,
    /// By [`Fault`].
    database_failures: IntCounterVec,
    /// From a room handing updates over to their commit.
    pub commit_seconds: Histogram,
    /// From a submission being received to its acknowledgement being on its way.
    pub ack_seconds: Histogram,
    pub bytes_received: IntCounter,
    pub bytes_sent: IntCounter,
    pub bad_frames: IntCounter,
    pub rejected: IntCounter,
    pub denied: IntCounter,
    pub slow_peers: IntCounter,
    pub panics: IntCounter,
    pub quarantined: IntCounter,
    pub compactions: IntCounter,
    pub rows_compacted: IntCounter,
    pub merges_given_up: IntCounter,
    /// 1: hints pass between servers; 0: they do not, or there is no Redis.
    pub redis_up: IntGauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let registry = Registry::new();
        let counter = |name: &str, help: &str| {
            register(&registry, IntCounter::with_opts(Opts::new(format!("slate_yrs_{name}"), help)))
        };
        let gauge = |name: &str, help: &str| {
            register(&registry, IntGauge::with_opts(Opts::new(format!("slate_yrs_{name}"), help)))
        };
        let buckets = vec![0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];
        let seconds = |name: &str, help: &str| {
            let options = HistogramOpts::new(format!("slate_yrs_{name}"), help).buckets(buckets.clone());
            register(&registry, Histogram::with_opts(options))
        };
        let failures = Opts::new("slate_yrs_database_failures_total", "Transactions and reads that failed, by why");
        let database_failures = register(&registry, IntCounterVec::new(failures, &["fault"]));
        for fault in Fault::ALL {
            database_failures.with_label_values(&[fault.label()]);
        }
        let database_writable = gauge("database_writable", "Whether the database takes what is written");
        database_writable.set(1);
        Self {
            database_writable,
            fault: Mutex::new(None),
            database_failures,
            connections: gauge("connections", "Open WebSockets"),
            rooms: gauge("rooms", "Documents in memory"),
            updates_stored: counter("updates_stored_total", "Updates committed to the database"),
            commits: counter("commits_total", "Transactions committed"),
            commit_failures: counter("commit_failures_total", "Transactions that failed"),
            commit_seconds: seconds("commit_seconds", "Time from accepting updates to their commit"),
            ack_seconds: seconds("ack_seconds", "Time from receiving a submission to its acknowledgement"),
            bytes_received: counter("received_bytes_total", "Bytes of frames received"),
            bytes_sent: counter("sent_bytes_total", "Bytes of frames sent"),
            bad_frames: counter("bad_frames_total", "Frames or messages that did not decode"),
            rejected: counter("rejected_total", "Updates refused"),
            denied: counter("denied_total", "Connections and requests refused for lack of permission"),
            slow_peers: counter("slow_peers_total", "Connections closed for reading too slowly"),
            panics: counter("panics_total", "Updates that made the CRDT library panic"),
            quarantined: counter("quarantined_total", "Rows found that cannot be read"),
            compactions: counter("compactions_total", "Compaction runs"),
            rows_compacted: counter("compacted_rows_total", "Rows merged away"),
            merges_given_up: counter("merges_given_up_total", "Merges of old rows that were given up"),
            redis_up: gauge("redis_up", "Whether hints pass between servers"),
            registry,
        }
    }
}

impl Metrics {
    /// Why the database takes nothing, if so.
    pub fn database_fault(&self) -> Option<Fault> {
        *self.fault()
    }

    fn fault(&self) -> MutexGuard<'_, Option<Fault>> {
        // Nothing panics while it is held.
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something could not be stored or read. Unless the error says that the database is to blame it may be this one thing.
    pub fn database_erred(&self, error: &StorageError) {
        match error.fault().is_outage() {
            true => self.database_failed(error),
            false => self.database_failures.with_label_values(&[error.fault().label()]).inc(),
        }
    }

    /// The database takes nothing.
    pub fn database_failed(&self, error: &StorageError) {
        let fault = error.fault();
        self.database_failures.with_label_values(&[fault.label()]).inc();
        self.database_writable.set(0);
        if self.fault().replace(fault) != Some(fault) {
            tracing::error!(%error, "the database cannot be written: {}", fault.reason());
        }
    }

    /// Something was written.
    pub fn database_works(&self) {
        if self.fault().take().is_some() {
            self.database_writable.set(1);
            tracing::info!("the database takes what is written again");
        }
    }

    /// In Prometheus' text format.
    pub fn render(&self) -> String {
        let mut out = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut out) {
            tracing::warn!(%error, "metrics");
        }
        String::from_utf8(out).unwrap_or_default()
    }
}

#[allow(clippy::expect_used, reason = "names are fixed above; a wrong one shows in the first test")]
fn register<M: prometheus::core::Collector + Clone + 'static>(registry: &Registry, metric: prometheus::Result<M>) -> M {
    let metric = metric.expect("the metric's name is valid");
    registry.register(Box::new(metric.clone())).expect("the metric's name is its own");
    metric
}
