//! Connections that end without a word, with a large frame on its way.

use crate::protocol::close;

use super::types::Millis;

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

/// Whether it is the server that closes, for a reason of its own: it cannot store at the moment, restarts, drops a slow
/// reader. A hop on the way may use its code for a failure, and gives none.
fn is_told(code: u16, reason: &str) -> bool {
    match code {
        close::RESTART | close::SLOW => true,
        close::INTERNAL => !reason.is_empty(),
        _ => false,
    }
}
