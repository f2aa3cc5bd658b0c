//! Status and peers as flat numbers: they are read at every keystroke where somebody shows them.
//!
//! `js/status.ts` and `js/flat.ts` read them by the names that are listed here.

use crate::border::row;
use crate::session::{Peer, Status};
use crate::slate::{Point, Range};

row! {
    FLAGS as StatusFlags = fn flags(status: &Status) {
        "synced": bit(status.synced),
        "syncingOfflineChanges": bit(status.syncing_offline_changes),
        "readOnly": bit(status.read_only),
        "epochConflict": bit(status.epoch_conflict),
        "hasOfflineSince": bit(status.offline_since.is_some()),
        "hasRetryAt": bit(status.retry_at.is_some()),
        "hasProgress": bit(status.progress.is_some()),
        "hasError": bit(status.error.is_some()),
        "canComment": bit(status.can_comment),
    }
}

row! {
    STATUS as StatusNumbers = fn numbers(status: &Status) {
        "connection": status.connection.number().into(),
        "saved": status.saved.number().into(),
        "storage": status.storage.number().into(),
        "flags": word(&flags(status)),
        "pending": status.pending.into(),
        "setAside": status.set_aside.into(),
        "offlineSince": time(status.offline_since),
        "retryAt": time(status.retry_at),
        "received": time(status.progress.map(|(received, _)| received)),
        "total": time(status.progress.map(|(_, total)| total)),
        "divergences": status.divergences.into(),
        "format": status.format.map_or(-1.0, f64::from),
    }
}

row! {
    PEER as PeerNumbers = fn head(peer: &Peer, words: f64) {
        "clientId": peer.client_id as f64,
        "version": peer.version.into(),
        "typing": bit(peer.typing),
        "lastActive": peer.last_active as f64,
        "selectionWords": words,
    }
}

/// The numbers of [`STATUS`]: names by their numbers, [`FLAGS`] as bits of a word, times in ms since the epoch.
pub fn status(status: &Status) -> Vec<f64> {
    numbers(status).into()
}

fn bit(set: bool) -> f64 {
    f64::from(u8::from(set))
}

fn word(bits: &[f64]) -> f64 {
    bits.iter().rev().fold(0.0, |word, bit| 2.0 * word + bit)
}

fn time(at: Option<u64>) -> f64 {
    at.unwrap_or_default() as f64
}

/// For each peer the numbers of [`PEER`], and its selection as `encode_range` has it: so many words, none without one.
pub fn peers(peers: &[Peer]) -> Vec<f64> {
    let mut out = Vec::with_capacity(peers.len() * 12);
    let mut words = Vec::new();
    for peer in peers {
        words.clear();
        if let Some(Range { anchor, focus }) = &peer.selection {
            point(&mut words, anchor);
            point(&mut words, focus);
        }
        out.extend(head(peer, words.len() as f64));
        out.append(&mut words);
    }
    out
}

fn point(out: &mut Vec<f64>, point: &Point) {
    out.push(point.path.len() as f64);
    out.extend(point.path.iter().map(|index| f64::from(*index)));
    out.push(f64::from(point.offset));
}
