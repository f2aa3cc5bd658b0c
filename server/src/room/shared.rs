//! What every room is given.

use std::sync::Arc;
use std::time::Duration;

use super::core::RoomLimits;
use crate::allowance::Allowances;
use crate::gate::Layout;
use crate::hints::Hints;
use crate::metrics::Metrics;
use crate::storage::Storage;
use crate::webhooks::ChangedDocuments;
use crate::writer::LogWriter;

/// What every room needs.
pub struct Shared {
    pub storage: Arc<dyn Storage>,
    pub writer: LogWriter,
    pub limits: RoomLimits,
    pub layout: Layout,
    pub metrics: Arc<Metrics>,
    /// To other servers on the same database.
    pub hints: Hints,
    /// Documents of which webhooks are to be told.
    pub changed: Arc<ChangedDocuments>,
    /// How much addresses and users may hold and store.
    pub allowances: Arc<Allowances>,
    /// How long an empty room is kept.
    pub idle: Duration,
    /// Rows after which a new head snapshot is written.
    pub head_every: u64,
}

impl Shared {
    /// How this server hears of what others store, as `/readyz` says it.
    pub fn neighbours(&self) -> &'static str {
        match (self.hints.are_used(), self.metrics.redis_up.get() == 1) {
            (false, _) => "redis: not used",
            (true, true) => "redis: connected",
            (true, false) => "redis: away, servers converge through the database",
        }
    }
}
