//! Sends what is pending: in order, no more than may be unanswered at a time, in frames that the server takes.

use yrs::updates::decoder::Decode;
use yrs::{StateVector, Update};

use crate::protocol::{Message, NOTHING};
use crate::update::split;

use super::connection::PeerProtocol;
use super::network::{FRAMING, Network};
use super::outbox::Outbox;
use super::stage::Stage;
use super::types::Millis;

/// So many updates, and so many bytes, may be submitted and not acknowledged; the rest waits, and may be merged.
const WINDOW: usize = 64;
const WINDOW_BYTES: usize = 4 << 20;
/// A plain server is asked what it has this long after it was sent something.
const ASK_AFTER: Millis = 1_000;

impl Network {
    /// To a server that acknowledges: what was not sent on this connection yet, within the window.
    pub fn submit_pending(&mut self, now: Millis, outbox: &mut Outbox, stage: &mut Stage) {
        let Some(live) = self.link.live_mut() else { return };
        let (first, through) = (outbox.first_pending().unwrap_or(0), live.sent_through);
        let mut answered = live.hello().map_or(0, |hello| hello.acked_seq).max(through);
        let under_way = outbox.updates().take((through + 1).saturating_sub(first) as usize);
        let (mut count, mut bytes) = under_way.fold((0, 0), |(n, size), update| (n + 1, size + update.len()));
        let mut frames = Vec::new();
        for entry in outbox.after(through) {
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
            outbox.mark_sent(sent);
        }
        for frame in frames {
            self.send(now, frame, stage);
        }
    }

    /// The same to a plain server, which is asked a little later how much it has.
    pub fn send_pending(&mut self, now: Millis, outbox: &mut Outbox, stage: &mut Stage) {
        let limit = self.frame_bound().saturating_sub(FRAMING);
        let Some(live) = self.link.live_mut() else { return };
        let mut frames = Vec::new();
        for entry in outbox.after(live.sent_through) {
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
        outbox.mark_sent(sent);
        for frame in frames {
            self.send(now, frame, stage);
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

/// The last seq up to which a replica with this state vector has what was sent, as far as a state vector shows it: it
/// shows what was inserted, not what was deleted.
pub(super) fn shown_in(theirs: &StateVector, outbox: &Outbox) -> Option<u64> {
    let shown = |update: &Vec<u8>| {
        let Ok(update) = Update::decode_v1(update) else { return false };
        let inserted = update.insertions(true);
        let mut all = inserted.iter();
        update.delete_set().is_empty()
            && !inserted.is_empty()
            && all.all(|(client, ranges)| ranges.iter().all(|range| range.end <= theirs.get(client)))
    };
    let sent = outbox.after(0).take_while(|entry| entry.seq <= outbox.highest_sent());
    sent.take_while(|entry| shown(&entry.update)).last().map(|entry| entry.seq)
}

/// The state vector that a replica has once it has received what is pending, too, as far as that follows without a gap.
pub(super) fn with_pending(mut theirs: StateVector, outbox: &Outbox) -> StateVector {
    for update in outbox.updates() {
        let Ok(update) = Update::decode_v1(update) else { continue };
        for (client, ranges) in update.insertions(true).iter() {
            for range in ranges.iter() {
                if range.start <= theirs.get(client) {
                    theirs.set_max(*client, range.end);
                }
            }
        }
    }
    theirs
}
