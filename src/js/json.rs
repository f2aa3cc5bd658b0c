//! Status and peers as JSON: they change seldom enough, and are read only when someone looks.

use serde::Serialize;
use yrs::Any;

use crate::session::{Connection, Peer, Saved, Status, Storage};
use crate::slate::{Point, Range};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusJson<'a> {
    connection: &'static str,
    synced: bool,
    saved: &'static str,
    pending: u32,
    set_aside: u32,
    storage: &'static str,
    offline_since: Option<u64>,
    retry_at: Option<u64>,
    syncing_offline_changes: bool,
    progress: Option<ProgressJson>,
    read_only: bool,
    conflict: Option<&'static str>,
    error: Option<ErrorJson<'a>>,
}

#[derive(Serialize)]
struct ProgressJson {
    received: u64,
    total: u64,
}

#[derive(Serialize)]
struct ErrorJson<'a> {
    code: &'static str,
    message: &'a str,
}

pub fn status(status: &Status) -> serde_json::Result<String> {
    serde_json::to_string(&StatusJson {
        connection: match status.connection {
            Connection::Offline => "offline",
            Connection::Connecting => "connecting",
            Connection::Online => "online",
            Connection::Unauthorized => "unauthorized",
            Connection::Forbidden => "forbidden",
            Connection::Closed => "closed",
        },
        synced: status.synced,
        saved: match status.saved {
            Saved::Memory => "memory",
            Saved::Local => "local",
            Saved::Server => "server",
        },
        pending: status.pending,
        set_aside: status.set_aside,
        storage: match status.storage {
            Storage::IndexedDb => "indexeddb",
            Storage::Memory => "memory",
            Storage::Full => "full",
            Storage::Blocked => "blocked",
            Storage::Corrupt => "corrupt",
        },
        offline_since: status.offline_since,
        retry_at: status.retry_at,
        syncing_offline_changes: status.syncing_offline_changes,
        progress: status.progress.map(|(received, total)| ProgressJson { received, total }),
        read_only: status.read_only,
        conflict: status.epoch_conflict.then_some("epoch"),
        error: status.error.as_ref().map(|error| ErrorJson { code: error.code.as_str(), message: &error.message }),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PeerJson<'a> {
    client_id: u32,
    presence: &'a Any,
    selection: Option<RangeJson<'a>>,
    typing: bool,
    last_active: u64,
}

#[derive(Serialize)]
struct RangeJson<'a> {
    anchor: PointJson<'a>,
    focus: PointJson<'a>,
}

#[derive(Serialize)]
struct PointJson<'a> {
    path: &'a [u32],
    offset: u32,
}

pub fn peers(peers: &[Peer]) -> serde_json::Result<String> {
    let peers: Vec<PeerJson> = peers
        .iter()
        .map(|peer| PeerJson {
            client_id: peer.client_id,
            presence: &peer.presence,
            selection: peer.selection.as_ref().map(range),
            typing: peer.typing,
            last_active: peer.last_active,
        })
        .collect();
    serde_json::to_string(&peers)
}

fn range(range: &Range) -> RangeJson<'_> {
    RangeJson { anchor: point(&range.anchor), focus: point(&range.focus) }
}

fn point(point: &Point) -> PointJson<'_> {
    PointJson { path: &point.path, offset: point.offset }
}
