//! Runs compaction once a day.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::clock::now;
use crate::compact::{Report, Retention, compact_all};
use crate::config::CompactAt;
use crate::metrics::Metrics;
use crate::storage::{Millis, Storage, StorageError, random_id};

const MINUTE_MS: Millis = 60_000;
const DAY_MS: Millis = 24 * 60 * MINUTE_MS;

/// Starts the daily run; it ends when it is aborted.
pub fn start(at: CompactAt, retention: Retention, storage: Arc<dyn Storage>, metrics: Arc<Metrics>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let CompactAt::Minute(minute) = at else { return };
        loop {
            sleep(until(minute, now())).await;
            match compact(&storage, retention, &metrics).await {
                Ok(None) => tracing::info!("another server compacts"),
                Ok(Some(_)) => {}
                Err(error) => tracing::error!(%error, "compaction failed; it goes on the next time"),
            }
        }
    })
}

/// Merges old edits, and counts what was done. None: another server does so.
pub async fn compact(
    storage: &Arc<dyn Storage>,
    retention: Retention,
    metrics: &Metrics,
) -> Result<Option<Report>, StorageError> {
    let Some(report) = compact_all(storage, retention, &random_id(), now).await? else { return Ok(None) };
    metrics.compactions.inc();
    metrics.quarantined.inc_by(report.quarantined);
    metrics.merges_given_up.inc_by(report.given_up);
    metrics.rows_compacted.inc_by(report.rows_merged.saturating_sub(report.rows_made));
    tracing::info!(?report, "compacted");
    Ok(Some(report))
}

/// Until the next time it is so many minutes after midnight UTC; never zero.
fn until(minute: u32, now: Millis) -> Duration {
    let today = now.rem_euclid(DAY_MS);
    let wait = (Millis::from(minute) * MINUTE_MS - today - 1).rem_euclid(DAY_MS) + 1;
    Duration::from_millis(wait as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_in_the_morning() {
        let at = |hours: i64, millis: i64| 20_000 * DAY_MS + hours * 60 * MINUTE_MS + millis;
        for (now, wait) in [(at(2, 0), 3_600_000), (at(3, 0), DAY_MS), (at(3, 1), DAY_MS - 1), (at(2, 3_599_999), 1)] {
            assert_eq!(until(180, now), Duration::from_millis(wait as u64));
        }
    }
}
