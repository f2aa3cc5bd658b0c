//! Connections that end while a large frame is on its way, without a reason given.

use crate::protocol::close;

use super::types::Millis;

/// Something between here and the server may not let large frames through, and not say so. When two connections in a
/// row end with a large frame on its way, frames are sent in pieces of half that size, and so on; after many such ends,
/// what cannot be sent is set aside.
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
    /// A frame that was sent longer ago has nothing to do with the end.
    const RECENT: Millis = 15_000;
    const TWICE: u32 = 2;
    const ENOUGH: u32 = 10;

    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(usize::MAX)
    }

    /// Whether small updates are to be sent before large ones.
    pub fn is_raised(&self) -> bool {
        self.deaths > 0
    }

    /// Whether what is still too large is not tried any more.
    pub fn is_certain(&self) -> bool {
        self.deaths >= Self::ENOUGH && self.limit() <= Self::FLOOR
    }

    /// A large frame has been answered.
    pub fn cleared(&mut self) {
        self.deaths = 0;
    }

    /// A connection has ended with this frame unanswered. Returns its size if smaller ones are sent from now on.
    pub fn closed(
        &mut self,
        now: Millis,
        code: u16,
        reason: &str,
        unanswered: Option<(usize, Millis)>,
    ) -> Option<usize> {
        let (size, at) = unanswered.filter(|_| !is_told(code, reason))?;
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

/// Whether the server itself has closed, for a reason of its own: it cannot store at the moment, restarts, drops a slow
/// reader. Something on the way may use the code for a failure, too, but gives no reason.
fn is_told(code: u16, reason: &str) -> bool {
    match code {
        close::RESTART | close::SLOW => true,
        close::INTERNAL => !reason.is_empty(),
        _ => false,
    }
}
