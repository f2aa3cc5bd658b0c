//! Puts the parts together, and takes them apart in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::allowance::Allowances;
use crate::auth::{Auth, AuthError};
use crate::config::ServeArgs;
use crate::connection::Settings;
use crate::health::DatabaseProbe;
use crate::http::{App, Compares, FRAME_OVERHEAD, Readings, operators, router};
use crate::metrics::Metrics;
use crate::neighbours::Neighbours;
use crate::net::{CountingListener, PeerTraffic};
use crate::room::{Rooms, Shared};
use crate::schedule;
use crate::storage::{Storage, StorageError};
use crate::webhooks::address::{Reach, system_names};
use crate::webhooks::send::EventSender;
use crate::webhooks::{ChangedDocuments, Webhooks};
use crate::writer::LogWriter;

#[derive(Debug, Error)]
pub enum ServerError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Auth(#[from] AuthError),
    #[error("cannot listen on {address}: {error}")]
    Listen { address: SocketAddr, error: std::io::Error },
    #[error("the address of Redis cannot be used: {0}")]
    Redis(#[from] redis::RedisError),
    #[error("webhooks cannot be told: {0}")]
    Webhooks(reqwest::Error),
    #[error("the server failed: {0}")]
    Io(#[from] std::io::Error),
}

/// A server that runs until [`Server::shutdown`].
pub struct Server {
    pub address: SocketAddr,
    /// Of the metrics, if they have one of their own.
    pub metrics_address: Option<SocketAddr>,
    pub rooms: Arc<Rooms>,
    pub metrics: Arc<Metrics>,
    storage: Arc<dyn Storage>,
    webhooks: Arc<Webhooks>,
    stop: watch::Sender<bool>,
    shutdown: Duration,
    accepting: tokio::task::JoinHandle<std::io::Result<()>>,
    background: Vec<JoinHandle<()>>,
}

impl Server {
    /// Begins to listen.
    pub async fn start(args: ServeArgs, storage: Arc<dyn Storage>) -> Result<Self, ServerError> {
        let auth = args.auth.build(args.listen)?;
        if matches!(auth, Auth::Open) {
            tracing::warn!("no authentication: everybody who can reach this server may read and write every document");
        }
        if let Auth::Jwt(keys) = &auth {
            keys.prepare().await;
        }
        let listener = TcpListener::bind(args.listen)
            .await
            .map_err(|error| ServerError::Listen { address: args.listen, error })?;
        let address = listener.local_addr()?;
        let mut metrics_address = None;
        let mut operators_listener = None;
        if let Some(place) = args.metrics_listen {
            let failed = |error| ServerError::Listen { address: place, error };
            let listener = TcpListener::bind(place).await.map_err(failed)?;
            metrics_address = Some(listener.local_addr()?);
            operators_listener = Some(listener);
        }
        let metrics = Arc::new(Metrics::default());
        let changed = Arc::<ChangedDocuments>::default();
        let reach = Reach { allowed: args.webhook_allow.clone() };
        let sender = EventSender::new(reach, system_names()).map_err(ServerError::Webhooks)?;
        let webhooks =
            Webhooks::new(Arc::clone(&storage), Arc::clone(&changed), sender, Arc::clone(&metrics), args.is_alone());
        let neighbours = Neighbours::new(args.redis.as_deref())?;
        let shared = Shared {
            storage: Arc::clone(&storage),
            writer: LogWriter::start(Arc::clone(&storage), Arc::clone(&metrics), args.store_timeout()),
            limits: args.limits(),
            layout: args.layout(),
            metrics: Arc::clone(&metrics),
            hints: neighbours.hints.clone(),
            changed: Arc::clone(&changed),
            allowances: Allowances::new(args.limit.allowances(args.max_sync_bytes + FRAME_OVERHEAD)),
            idle: Duration::from_millis(args.room_idle_ms),
            head_every: args.head_every.max(1),
        };
        let rooms = Arc::new(Rooms::new(shared));
        let settings = Settings {
            heartbeat: Duration::from_millis(u64::from(args.heartbeat_ms)),
            max_queued_bytes: args.max_queued_bytes,
            max_sync_bytes: args.max_sync_bytes,
            max_frames_per_second: args.max_frames_per_second,
        };
        let health = DatabaseProbe::new(Arc::clone(&storage), Arc::clone(&metrics));
        // Whoever may only read is served meanwhile.
        let _ = health.ask().await;
        let mut background = neighbours.start(&rooms, &auth, &metrics, args.poll()).await;
        let retention = args.retention.retention();
        background.push(schedule::start(args.compact_at, retention, Arc::clone(&storage), Arc::clone(&metrics)));
        background.extend(webhooks.start());
        background.push(health.watch());
        background.push(health.measure());
        let shutdown = Duration::from_millis(args.shutdown_ms);
        let max_sockets = usize::try_from(args.max_connections).unwrap_or(usize::MAX / 2);
        let compares = Arc::new(Compares::new(args.limit.max_compares, args.limit.compare_cache_bytes));
        let readings = Arc::new(Readings::new(args.limit.max_read_bytes));
        let (args, streams) = (Arc::new(args), Arc::default());
        let told = Arc::clone(&webhooks);
        let app =
            App { rooms: Arc::clone(&rooms), args, settings, auth, health, compares, readings, streams, webhooks };
        if let Some(listener) = operators_listener {
            let service = operators(app.clone()).into_make_service();
            background.push(tokio::spawn(async move {
                if let Err(error) = axum::serve(listener, service).await {
                    tracing::error!(%error, "metrics");
                }
            }));
        }
        let service = router(app).into_make_service_with_connect_info::<PeerTraffic>();
        let stop = watch::Sender::new(false);
        let mut stopping = stop.subscribe();
        let serving =
            axum::serve(CountingListener::new(listener, max_sockets), service).with_graceful_shutdown(async move {
                let _ = stopping.wait_for(|stop| *stop).await;
            });
        let accepting = tokio::spawn(serving.into_future());
        Ok(Self {
            address,
            metrics_address,
            rooms,
            metrics,
            storage,
            webhooks: told,
            stop,
            shutdown,
            accepting,
            background,
        })
    }

    /// Stops accepting, stores and acknowledges what was received, tells the peers to come again.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        // A compaction ends between two transactions, or in one that is then rolled back, and goes on the next time.
        self.background.iter().for_each(JoinHandle::abort);
        let orderly = async {
            self.rooms.close().await;
            if let Err(error) = self.webhooks.note_if_any().await {
                tracing::warn!(%error, "webhooks: what the last second brought becomes no event now");
            }
            while self.metrics.connections.get() > 0 {
                sleep(Duration::from_millis(5)).await;
            }
        };
        if timeout(self.shutdown, orderly).await.is_err() {
            tracing::warn!("shut down with connections open");
        }
        self.accepting.abort();
        self.storage.close().await;
    }
}
