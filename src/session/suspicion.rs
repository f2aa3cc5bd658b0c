//! Connections that end without a word, with a large frame on its way.

use crate::protocol::{Message, RejectCode, close};

use super::sync::FRAMING;
use super::{ErrorCode, Millis, Session};

/// Why an edit was set aside that nothing on the way takes.
const UNSENDABLE: &str = "connections end whenever it is sent, however small the pieces are";

/// Connections that end with a large frame on their way: between here and the server there may be something that takes
/// no such frame, and does not say so. After two in a row frames are sent in pieces of half the size, and so on; after
/// many, what cannot be sent is set aside.
#[derive(Debug, Default)]
pub(super) struct Suspicion {
    deaths: u32,
    /// The largest frame that is sent meanwhile.
    limit: Option<usize>,
}

impl Suspicion {
    /// Frames are not made smaller than this.
    const FLOOR: usize = 8 * 1024;
    /// Smaller frames are above suspicion.
    pub const LARGE: usize = Self::FLOOR / 2;
    /// A frame that is answered so late, or not, has nothing to do with the end.
    const RECENT: Millis = 15_000;
    const TWICE: u32 = 2;
    const ENOUGH: u32 = 10;

    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(usize::MAX)
    }

    /// Whether large ones are to be let wait for small ones.
    pub fn is_raised(&self) -> bool {
        self.deaths > 0
    }

    /// Whether what is still too large shall not be tried any more.
    pub fn is_certain(&self) -> bool {
        self.deaths >= Self::ENOUGH && self.limit() <= Self::FLOOR
    }

    /// What was large has been taken.
    pub fn cleared(&mut self) {
        self.deaths = 0;
    }

    /// A connection has ended with this frame unanswered. Returns its size if smaller ones are sent from now on.
    pub fn ended(&mut self, now: Millis, unanswered: Option<(usize, Millis)>) -> Option<usize> {
        let (size, at) = unanswered?;
        if size < Self::LARGE || now.saturating_sub(at) > Self::RECENT {
            return None;
        }
        self.deaths = self.deaths.saturating_add(1);
        let before = self.limit();
        if self.deaths < Self::TWICE || before <= Self::FLOOR {
            return None;
        }
        self.limit = Some((size.min(before) / 2).max(Self::FLOOR));
        Some(size)
    }
}

/// Whether it is the server that closes, for a reason of its own: it cannot store at the moment, restarts, drops a slow
/// reader. A hop on the way may use its code for a failure, and gives none.
fn is_told(code: u16, reason: &str) -> bool {
    match code {
        close::RESTART | close::SLOW => true,
        close::INTERNAL => !reason.is_empty(),
        _ => false,
    }
}

impl Session {
    /// The largest frame that is sent: what a server has said, or what is suspected of the way to it.
    pub(super) fn frame_bound(&self) -> usize {
        self.frame_limit.unwrap_or(usize::MAX).min(self.suspicion.limit())
    }

    /// Everything that was sent has been answered.
    pub(super) fn answered(&mut self) {
        if let Some(live) = self.link.live_mut()
            && live.unanswered.take().is_some_and(|(size, _)| size >= Suspicion::LARGE)
        {
            self.suspicion.cleared();
        }
    }

    /// Seq up to which everything was sent on this connection.
    pub(super) fn sent_here(&self) -> u64 {
        self.link.live().map_or(0, |live| live.sent_through)
    }

    /// The connection has ended: unless the server said why, perhaps because of what was on its way.
    pub(super) fn suspect(&mut self, code: u16, reason: &str) {
        if is_told(code, reason) {
            return;
        }
        let unanswered = self.link.live().and_then(|live| live.unanswered);
        if let Some(size) = self.suspicion.ended(self.now, unanswered) {
            let message =
                format!("connections end ({code}) with a frame of {size} bytes on its way: it is sent in pieces");
            self.report(ErrorCode::TooLarge, message);
        }
    }

    /// While something large is suspected to end connections, what is small does not wait for it. A server that
    /// acknowledges is given it ahead of its turn as a mere update, and once more under its seq; where nothing is
    /// numbered, the large ones go to the end.
    pub(super) fn let_small_ones_overtake(&mut self) {
        if !self.suspicion.is_raised() || self.waits_for_seed() {
            return;
        }
        let through = self.sent_here();
        let large = |update: &[u8]| update.len() >= Suspicion::LARGE;
        let Some(first) = self.outbox.after(through).find(|entry| large(&entry.update)).map(|entry| entry.seq) else {
            return;
        };
        let numbered = self.link.live().is_some_and(|live| live.hello().is_some());
        if self.suspicion.is_certain() {
            match numbered {
                true => self.put_aside(first, RejectCode::TooLarge, UNSENDABLE),
                false => self.put_uncuttable_aside(self.suspicion.limit().saturating_sub(FRAMING)),
            }
            return self.suspicion.cleared();
        }
        if numbered {
            let behind = self.outbox.after(first).filter(|entry| !large(&entry.update));
            let frames: Vec<_> = behind.map(|entry| Message::Update(&entry.update).to_frame()).collect();
            frames.into_iter().for_each(|frame| self.send(frame));
            return;
        }
        let seqs: Vec<u64> =
            self.outbox.after(through).filter(|entry| large(&entry.update)).map(|entry| entry.seq).collect();
        if self.outbox.after(first).any(|entry| !large(&entry.update)) {
            for seq in seqs {
                self.outbox.postpone(seq);
            }
            self.rearrange();
        }
    }
}
