//! Status and peers as flat numbers: they are read at every keystroke where somebody shows them.
//!
//! `js/status.ts` and `js/flat.ts` are the other half.

use crate::session::{Connection, Peer, Saved, Status, Storage};
use crate::slate::{Point, Range};

/// `[connection, saved, storage, flags, pending, set aside, offline since, retry at, received, total, divergences,
/// format]`. Names are indices of lists in `js/status.ts`, times are ms since the epoch, no format is -1.
pub fn status(status: &Status) -> Vec<f64> {
    let connection = match status.connection {
        Connection::Offline => 0,
        Connection::Connecting => 1,
        Connection::Online => 2,
        Connection::Unauthorized => 3,
        Connection::Forbidden => 4,
        Connection::Closed => 5,
    };
    let saved = match status.saved {
        Saved::Memory => 0,
        Saved::Local => 1,
        Saved::Server => 2,
    };
    let storage = match status.storage {
        Storage::IndexedDb => 0,
        Storage::Memory => 1,
        Storage::Full => 2,
        Storage::Blocked => 3,
        Storage::Corrupt => 4,
    };
    let flags = [
        status.synced,
        status.syncing_offline_changes,
        status.read_only,
        status.epoch_conflict,
        status.offline_since.is_some(),
        status.retry_at.is_some(),
        status.progress.is_some(),
        status.error.is_some(),
        status.can_comment,
    ];
    let flags = flags.iter().enumerate().fold(0u32, |word, (bit, set)| word | u32::from(*set) << bit);
    let (received, total) = status.progress.unwrap_or_default();
    let time = |at: Option<u64>| at.unwrap_or_default() as f64;
    vec![
        f64::from(connection),
        f64::from(saved),
        f64::from(storage),
        f64::from(flags),
        f64::from(status.pending),
        f64::from(status.set_aside),
        time(status.offline_since),
        time(status.retry_at),
        received as f64,
        total as f64,
        f64::from(status.divergences),
        status.format.map_or(-1.0, f64::from),
    ]
}

/// For each peer: `client id, version, typing, last active, selection`, the last as `encode_range` has it after the
/// number of its words, which is 0 for none.
pub fn peers(peers: &[Peer]) -> Vec<f64> {
    let mut out = Vec::with_capacity(peers.len() * 12);
    for peer in peers {
        out.extend([
            f64::from(peer.client_id),
            f64::from(peer.version),
            f64::from(u8::from(peer.typing)),
            peer.last_active as f64,
        ]);
        let length_at = out.len();
        out.push(0.0);
        if let Some(Range { anchor, focus }) = &peer.selection {
            point(&mut out, anchor);
            point(&mut out, focus);
            out[length_at] = (out.len() - length_at - 1) as f64;
        }
    }
    out
}

fn point(out: &mut Vec<f64>, point: &Point) {
    out.push(point.path.len() as f64);
    out.extend(point.path.iter().map(|index| f64::from(*index)));
    out.push(f64::from(point.offset));
}
