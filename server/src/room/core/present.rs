//! Presence: told to the connections of a room at most every [`PRESENCE_INTERVAL_MS`].

use axum::body::Bytes;
use slate_yrs::protocol::Message;

use super::{Frames, PRESENCE_INTERVAL_MS, RoomCore};
use crate::hints::ConnId;
use crate::room::frames::Queue;
use crate::storage::Millis;

impl RoomCore {
    /// Takes the frames of presence alone, which need not wait for anything to be stored.
    pub fn take_presence(&mut self, now: Millis) -> Frames {
        // Queued behind the frames that wait already, presence would have to wait as well.
        let waiting: Vec<(ConnId, Queue)> =
            self.peers.iter_mut().map(|(conn, peer)| (*conn, std::mem::take(&mut peer.out))).collect();
        let presence = self.queue_presence(now);
        let mut out = Vec::new();
        for (conn, queue) in waiting {
            let Some(peer) = self.peers.get_mut(&conn) else { continue };
            let mut first = std::mem::replace(&mut peer.out, queue);
            let first = first.take();
            if !peer.greeted {
                first.into_iter().for_each(|frame| peer.out.push(frame, self.limits.max_queued_bytes));
            } else if !first.is_empty() && !peer.out.is_closed() {
                out.push((conn, first));
            }
        }
        Frames { out, presence, is_presence_new: std::mem::take(&mut self.is_presence_new), received: Vec::new() }
    }

    /// Whether presence is due.
    pub fn has_presence(&self, now: Millis) -> bool {
        self.presence.has_changes() && now - self.presence_sent >= PRESENCE_INTERVAL_MS
    }

    /// Queues presence if it is due. Returns what other servers have to hear.
    pub(super) fn queue_presence(&mut self, now: Millis) -> Option<Vec<u8>> {
        if !self.has_presence(now) {
            return None;
        }
        let changes = self.presence.take_changes()?;
        self.presence_sent = now;
        self.is_presence_new = true;
        let frame = Bytes::from(Message::Awareness(&changes.update).to_frame());
        self.send_all(changes.only_from, &frame);
        changes.local
    }

    /// Presence at another server, which appears as one connection.
    pub fn presence_elsewhere(&mut self, now: Millis, server: ConnId, update: &[u8]) {
        if let Err(error) = self.presence.take_elsewhere(now, server, update) {
            tracing::warn!(%error, "presence from another server");
        }
    }

    /// Who is here, on whatever server: an awareness update.
    pub fn presence_everywhere(&self) -> Option<Vec<u8>> {
        self.presence.everyone()
    }

    /// Who is connected to this server.
    pub fn presence_here(&self) -> Option<Vec<u8>> {
        self.presence.everyone_local()
    }
}
