//! What is pending, on its way: in order, as much as may be unanswered, in frames that the server takes.

use crate::protocol::{Message, NOTHING, RejectCode};
use crate::update::split;

use super::connection::PeerProtocol;
use super::sync::{FRAMING, UNCUTTABLE};
use super::{Millis, Session};

/// So much may be submitted and not acknowledged; the rest waits, and may be merged.
const WINDOW: usize = 64;
const WINDOW_BYTES: usize = 4 << 20;
/// A plain server is asked what it has this long after it was sent something.
const ASK_AFTER: Millis = 1_000;

impl Session {
    /// Sends what is pending and was not sent on this connection.
    pub(super) fn pump(&mut self) {
        let held = self.conflict || self.replacement.is_some() || self.hold_until.is_some();
        if held || !self.may_send() || self.waits_for_seed() {
            return;
        }
        match self.link.live().map(|live| &live.mode) {
            Some(PeerProtocol::Durable(_)) => self.pump_submits(),
            Some(PeerProtocol::Plain { covered: true, .. }) => self.pump_updates(),
            _ => {}
        }
    }

    fn pump_submits(&mut self) {
        if self.outbox.oversized(self.update_limit).is_some() {
            self.rearrange();
            self.put_oversized_aside();
        }
        let Some(live) = self.link.live_mut() else { return };
        let (first, through) = (self.outbox.first_pending().unwrap_or(0), live.sent_through);
        let mut answered = live.hello().map_or(0, |hello| hello.acked_seq).max(through);
        let under_way = self.outbox.updates().take((through + 1).saturating_sub(first) as usize);
        let (mut count, mut bytes) = under_way.fold((0, 0), |(n, size), update| (n + 1, size + update.len()));
        let mut frames = Vec::new();
        for entry in self.outbox.after(through) {
            if count > 0 && (count >= WINDOW || bytes + entry.update.len() > WINDOW_BYTES) {
                break;
            }
            count += 1;
            bytes += entry.update.len();
            live.sent_through = entry.seq;
            if entry.seq > answered + 1 {
                // The server takes a gap for something lost on the way; what was under these seqs was answered, or set aside.
                frames.push(Message::Submit { seq: entry.seq - 1, update: &NOTHING }.to_frame());
            }
            answered = entry.seq;
            frames.push(Message::Submit { seq: entry.seq, update: &entry.update }.to_frame());
        }
        let sent = live.sent_through;
        if !frames.is_empty() {
            self.outbox.mark_sent(sent);
        }
        for frame in frames {
            self.send(frame);
        }
    }

    /// What cannot be made small enough is kept from the wire, and the rest flows.
    fn put_oversized_aside(&mut self) {
        let limit = self.aside_limit;
        // One after the other: seqs may be others after each.
        while let Some(seq) = self.outbox.oversized(limit) {
            self.put_aside(seq, RejectCode::TooLarge, UNCUTTABLE);
            self.rearrange();
        }
    }

    fn pump_updates(&mut self) {
        let now = self.now;
        self.put_uncuttable_aside(self.frame_limit.unwrap_or(usize::MAX).saturating_sub(FRAMING));
        self.let_small_ones_overtake();
        let limit = self.frame_bound().saturating_sub(FRAMING);
        let Some(live) = self.link.live_mut() else { return };
        let mut frames = Vec::new();
        for entry in self.outbox.after(live.sent_through) {
            live.sent_through = entry.seq;
            for piece in cut(&entry.update, limit) {
                frames.push(Message::Update(&piece).to_frame());
            }
        }
        let sent = live.sent_through;
        if frames.is_empty() {
            return;
        }
        if let PeerProtocol::Plain { ask_at, .. } = &mut live.mode {
            ask_at.get_or_insert(now + ASK_AFTER);
        }
        self.outbox.mark_sent(sent);
        for frame in frames {
            self.send(frame);
        }
    }
}

/// In pieces of at most `limit` bytes, if it can be cut.
pub(super) fn cut(update: &[u8], limit: usize) -> Vec<Vec<u8>> {
    if update.len() > limit
        && let Ok(pieces) = split(update, limit)
    {
        return pieces;
    }
    vec![update.to_vec()]
}
