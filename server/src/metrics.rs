//! What the server counts, for Prometheus.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use prometheus::{
    Encoder, Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};

use crate::auth::Denied;
use crate::limit::Limit;
use crate::lock::lock;
use crate::storage::{Fault, Measure, Millis, StorageError};

const AUTH_ANSWERS: [&str; 4] = ["let-in", "unauthorized", "forbidden", "unavailable"];

const DELIVERIES: [&str; 3] = ["delivered", "failed", "dead"];

/// One set per server.
pub struct Metrics {
    registry: Registry,
    pub connections: IntGauge,
    pub rooms: IntGauge,
    /// Streams of events.
    pub listeners: IntGauge,
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
    /// By what came of it; and how many events wait, or were given up.
    webhook_deliveries: IntCounterVec,
    pub webhook_waiting: IntGauge,
    pub webhook_dead: IntGauge,
    /// By [`Limit`].
    limits_hit: IntCounterVec,
    /// By route and status; and how long answers took, those of upgrades included.
    http_requests: IntCounterVec,
    pub http_seconds: Histogram,
    /// By what was answered to who asked to be let in.
    auth: IntCounterVec,
    pub auth_seconds: Histogram,
    /// To load a document from the database.
    pub load_seconds: Histogram,
    /// What is measured now and then, and what the process has.
    pub gauges: Gauges,
}

/// Figures that are looked up, not counted.
pub struct Gauges {
    pub database_bytes: IntGauge,
    pub documents: IntGauge,
    pub log_rows: IntGauge,
    pub log_bytes: IntGauge,
    /// Age of the oldest edit that is kept as it was received; what compaction leaves is about a day old.
    pub oldest_edit_seconds: IntGauge,
    pub disk_free_bytes: IntGauge,
    pub unfinished_bytes: IntGauge,
    memory_bytes: IntGauge,
    open_files: IntGauge,
    max_files: IntGauge,
    cpu_seconds: Gauge,
    started_seconds: IntGauge,
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
        let hit = Opts::new("slate_yrs_limits_hit_total", "What was refused because a limit was reached, by which");
        let limits_hit = register(&registry, IntCounterVec::new(hit, &["limit"]));
        for limit in Limit::ALL {
            limits_hit.with_label_values(&[limit.label()]);
        }
        let labelled = |name: &str, help: &str, labels: &[&str]| {
            register(&registry, IntCounterVec::new(Opts::new(format!("slate_yrs_{name}"), help), labels))
        };
        let http_requests =
            labelled("http_requests_total", "Requests answered, by route and status", &["route", "status"]);
        let auth = labelled("auth_total", "What who asked to be let in was answered", &["answer"]);
        for answer in AUTH_ANSWERS {
            auth.with_label_values(&[answer]);
        }
        let process = |name: &str, help: &str| register(&registry, IntGauge::with_opts(Opts::new(name, help)));
        let gauges = Gauges {
            database_bytes: gauge("database_bytes", "Size of the database"),
            documents: gauge("documents", "Documents in the database"),
            log_rows: gauge("log_rows", "Rows of all logs"),
            log_bytes: gauge("log_bytes", "Bytes of updates in all logs"),
            oldest_edit_seconds: gauge("oldest_uncompacted_seconds", "Age of the oldest edit kept as it was received"),
            disk_free_bytes: gauge("disk_free_bytes", "What is left on the disk of an SQLite database"),
            unfinished_bytes: gauge("unfinished_bytes", "Memory held by frames that have not arrived whole"),
            memory_bytes: process("process_resident_memory_bytes", "Resident memory"),
            open_files: process("process_open_fds", "Open files, sockets among them"),
            max_files: process("process_max_fds", "Files that may be open"),
            cpu_seconds: {
                let opts = Opts::new("process_cpu_seconds_total", "Time of all processors, user and system");
                register(&registry, Gauge::with_opts(opts))
            },
            started_seconds: process("process_start_time_seconds", "When the process began, since 1970"),
        };
        gauges.started_seconds.set(crate::clock::now() / 1_000);
        let database_writable = gauge("database_writable", "Whether the database takes what is written");
        database_writable.set(1);
        Self {
            database_writable,
            fault: Mutex::new(None),
            database_failures,
            connections: gauge("connections", "Open connections: WebSockets, and those over HTTP"),
            rooms: gauge("rooms", "Documents in memory"),
            listeners: gauge("listeners", "Open streams of events"),
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
            webhook_deliveries: {
                let deliveries =
                    labelled("webhook_deliveries_total", "Events sent to webhooks, by what came of it", &["outcome"]);
                for outcome in DELIVERIES {
                    deliveries.with_label_values(&[outcome]);
                }
                deliveries
            },
            webhook_waiting: gauge("webhook_waiting", "Events that webhooks are still to be told"),
            webhook_dead: gauge("webhook_dead", "Events that webhooks were not told, and are not told any more"),
            limits_hit,
            http_requests,
            http_seconds: seconds("http_seconds", "Time from a request to its answer"),
            auth,
            auth_seconds: seconds("auth_seconds", "Time until it was known who may do what"),
            load_seconds: seconds("load_seconds", "Time to load a document from the database"),
            gauges,
            registry,
        }
    }
}

impl Metrics {
    /// A request was answered.
    pub fn answered(&self, route: &str, status: u16, took: Duration) {
        self.http_requests.with_label_values(&[route, &status.to_string()]).inc();
        self.http_seconds.observe(took.as_secs_f64());
    }

    /// A webhook was told something, or not (`failed`), or never will be (`dead`).
    pub fn told_webhook(&self, outcome: &'static str) {
        self.webhook_deliveries.with_label_values(&[outcome]).inc();
    }

    /// Somebody was let in.
    pub fn let_in(&self) {
        self.auth.with_label_values(&["let-in"]).inc();
    }

    /// Somebody was not.
    pub fn denied(&self, denied: &Denied) {
        self.denied.inc();
        let answer = match denied {
            Denied::Unauthorized(_) => "unauthorized",
            Denied::Forbidden => "forbidden",
            Denied::Unavailable(_) => "unavailable",
        };
        self.auth.with_label_values(&[answer]).inc();
    }

    /// How large everything is.
    pub fn measured(&self, measure: &Measure, now: Millis) {
        let gauge = |gauge: &IntGauge, value: u64| gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        gauge(&self.gauges.database_bytes, measure.database_bytes);
        gauge(&self.gauges.documents, measure.documents);
        gauge(&self.gauges.log_rows, measure.log_rows);
        gauge(&self.gauges.log_bytes, measure.log_bytes);
        self.gauges.oldest_edit_seconds.set(measure.oldest_edit.map_or(0, |at| (now - at).max(0) / 1_000));
        if let Some(free) = measure.disk_free {
            gauge(&self.gauges.disk_free_bytes, free);
        }
    }

    /// What the process has, where /proc says so.
    fn look_at_process(&self) {
        let gauges = &self.gauges;
        let page = rustix::param::page_size() as i64;
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        if let Some(pages) = statm.split(' ').nth(1).and_then(|pages| pages.parse::<i64>().ok()) {
            gauges.memory_bytes.set(pages * page);
        }
        if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
            // The folder itself is open while it is read.
            gauges.open_files.set(files.count() as i64 - 1);
        }
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        gauges.max_files.set(limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(i64::MAX));
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        // The second field is a name in brackets, which may hold anything.
        let fields = stat.rsplit_once(") ").map(|(_, rest)| rest).unwrap_or_default();
        let ticks: Vec<f64> = fields.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse().ok()).collect();
        gauges.cpu_seconds.set(ticks.iter().sum::<f64>() / rustix::param::clock_ticks_per_second() as f64);
    }

    /// Something was refused because of a limit.
    pub fn limit_hit(&self, limit: Limit) {
        self.limits_hit.with_label_values(&[limit.label()]).inc();
    }

    /// Why the database takes nothing, if so.
    pub fn database_fault(&self) -> Option<Fault> {
        *self.fault()
    }

    fn fault(&self) -> MutexGuard<'_, Option<Fault>> {
        // Nothing panics while it is held.
        lock(&self.fault)
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
        self.look_at_process();
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
