//! The status that the application is told: derived from the parts after every input, never kept beside them.
//!
//! A field is added here, to `src/js/flat.rs`, which writes it as a number, and to `js/status.ts`, which reads it.

use super::connection::Link;
use super::format::{Circumstances, Formatting};
use super::local::Local;
use super::phase::Epoch;
use super::types::{Connection, DeviceStorage, Millis, Saved, SessionError};
use crate::format::Format;
use crate::protocol::Role;

/// An immutable snapshot for the application; equal until something changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub connection: Connection,
    /// Sync step 2 was applied on this connection.
    pub synced: bool,
    /// The least safe place in which the newest local edit is.
    pub saved: Saved,
    /// Local updates the server has not acknowledged.
    pub pending: u32,
    /// Updates the server refuses.
    pub set_aside: u32,
    pub storage: DeviceStorage,
    pub offline_since: Option<Millis>,
    pub retry_at: Option<Millis>,
    /// Reconnected, edits made offline are still on their way.
    pub syncing_offline_changes: bool,
    /// Bytes of a large sync: received, and to come at most in all.
    pub progress: Option<(u64, u64)>,
    pub read_only: bool,
    /// Whether this user may comment: who may write, and some who may only read.
    pub can_comment: bool,
    /// Of the document; none until it is known.
    pub format: Option<Format>,
    pub epoch_conflict: bool,
    /// How often what is shown was found to differ from the document, and was mended.
    pub divergences: u32,
    pub error: Option<SessionError>,
}

/// The status before anything has happened.
pub(super) fn initial(store: bool) -> Status {
    Status {
        connection: Connection::Connecting,
        synced: false,
        saved: Saved::Server,
        pending: 0,
        set_aside: 0,
        storage: if store { DeviceStorage::IndexedDb } else { DeviceStorage::Memory },
        offline_since: None,
        retry_at: None,
        syncing_offline_changes: false,
        progress: None,
        read_only: false,
        can_comment: true,
        format: None,
        epoch_conflict: false,
        divergences: 0,
        error: None,
    }
}

/// The status now. `seed_pends`: a seed is not decided yet.
pub(super) fn current(
    local: &Local,
    now: &Circumstances<'_>,
    formatting: &Formatting,
    epoch: &Epoch,
    seed_pends: bool,
) -> Status {
    let Local { editing, device, stage, .. } = local;
    let network = now.network;
    let live = network.link.live();
    let first = device.outbox.first_pending();
    let progress = live.and_then(|live| live.reassembly.progress());
    let wide = |n: usize| n as u64;
    let barred = now.is_barred();
    Status {
        connection: network.link.shown(),
        synced: network.link.is_synced() && !seed_pends,
        saved: saved(local, seed_pends),
        pending: u32::try_from(device.outbox.len() + usize::from(seed_pends)).unwrap_or(u32::MAX),
        set_aside: u32::try_from(device.outbox.aside_for_good()).unwrap_or(u32::MAX),
        storage: device.journal.shown(),
        offline_since: network.offline_since(),
        retry_at: match network.link {
            Link::Waiting { retry_at } => Some(retry_at),
            _ => None,
        },
        syncing_offline_changes: live
            .is_some_and(|live| network.link.is_online() && first.is_some_and(|seq| seq <= live.offline_through)),
        progress: progress.map(|(received, total)| (wide(received), wide(total))),
        read_only: network.is_reader() || barred,
        can_comment: !barred && (!network.is_reader() || network.role == Role::Comment),
        format: formatting.known(now),
        epoch_conflict: !epoch.is_same(),
        divergences: editing.check.divergences,
        error: stage.error_now().cloned(),
    }
}

/// The least safe place in which something is that the server does not have.
fn saved(local: &Local, seed_pends: bool) -> Saved {
    let Local { editing, device, .. } = local;
    let edits = !device.outbox.is_empty() || device.outbox.aside_for_good() > 0 || !editing.is_flushed();
    if !edits && !seed_pends {
        Saved::Server
    } else if editing.is_flushed() && device.outbox.is_stored() {
        Saved::Local
    } else {
        Saved::Memory
    }
}
