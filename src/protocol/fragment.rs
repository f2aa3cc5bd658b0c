//! Frames too large to go in one: cut up, and put together again within limits.

use thiserror::Error;

use super::Message;

/// Payload of one fragment.
pub const FRAGMENT_BYTES: usize = 256 * 1024;

/// Pieces of several frames may arrive interleaved, but only of so many.
const MAX_UNFINISHED: usize = 4;

/// Cuts `frame` into fragments, each a frame of its own. `id` must differ from those of frames still on their way.
pub fn fragments(frame: &[u8], id: u64) -> impl Iterator<Item = Vec<u8>> + '_ {
    fragments_of(frame, id, FRAGMENT_BYTES)
}

/// [`fragments`] with a payload of `size` bytes each, for a peer that takes only smaller frames.
pub fn fragments_of(frame: &[u8], id: u64, size: usize) -> impl Iterator<Item = Vec<u8>> + '_ {
    let size = size.max(1);
    let count = frame.len().div_ceil(size) as u64;
    frame.chunks(size).zip(0..).map(move |(bytes, index)| Message::Fragment { id, index, count, bytes }.to_frame())
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FragmentError {
    #[error("fragment {index} of {count} is out of order")]
    OutOfOrder { index: u64, count: u64 },
    #[error("a frame in fragments exceeds {limit} bytes")]
    TooLarge { limit: usize },
    #[error("more than {MAX_UNFINISHED} frames in fragments at once")]
    TooMany,
}

/// Puts fragments of one connection together. Memory is bounded by `limit` bytes in all; a connection delivers in
/// order, so a piece out of order is an error. The owner drops it, or calls [`Reassembly::expire`], when time runs out.
#[derive(Debug)]
pub struct Reassembly {
    limit: usize,
    unfinished: Vec<Unfinished>,
}

#[derive(Debug)]
struct Unfinished {
    id: u64,
    next: u64,
    count: u64,
    bytes: Vec<u8>,
    /// When the last piece came, ms.
    touched: u64,
}

impl Reassembly {
    pub fn new(limit: usize) -> Self {
        Self { limit, unfinished: Vec::new() }
    }

    /// Takes a piece; returns the whole frame with the last one. An error forgets the frame the piece belongs to.
    pub fn take(
        &mut self,
        now: u64,
        id: u64,
        index: u64,
        count: u64,
        bytes: &[u8],
    ) -> Result<Option<Vec<u8>>, FragmentError> {
        let held = self.held();
        let at = self.unfinished.iter().position(|frame| frame.id == id);
        let fits = held.saturating_add(bytes.len()) <= self.limit;
        let at = match at {
            Some(at) => at,
            None if index != 0 || count == 0 => return Err(FragmentError::OutOfOrder { index, count }),
            None if self.unfinished.len() == MAX_UNFINISHED => return Err(FragmentError::TooMany),
            None => {
                self.unfinished.push(Unfinished { id, next: 0, count, bytes: Vec::new(), touched: now });
                self.unfinished.len() - 1
            }
        };
        let frame = &mut self.unfinished[at];
        if !fits || frame.next != index || frame.count != count {
            self.unfinished.swap_remove(at);
            return Err(if fits {
                FragmentError::OutOfOrder { index, count }
            } else {
                FragmentError::TooLarge { limit: self.limit }
            });
        }
        frame.bytes.extend_from_slice(bytes);
        frame.next += 1;
        frame.touched = now;
        if frame.next < count {
            return Ok(None);
        }
        Ok(Some(self.unfinished.swap_remove(at).bytes))
    }

    /// Bytes of the frames that are not whole yet.
    pub fn held(&self) -> usize {
        self.unfinished.iter().map(|frame| frame.bytes.len()).sum()
    }

    /// Forgets frames of which no piece came for `max_age` ms; returns how many.
    pub fn expire(&mut self, now: u64, max_age: u64) -> usize {
        let before = self.unfinished.len();
        self.unfinished.retain(|frame| now.saturating_sub(frame.touched) <= max_age);
        before - self.unfinished.len()
    }

    /// Bytes held of unfinished frames, and how many were announced for them at most.
    pub fn progress(&self) -> Option<(usize, usize)> {
        let frame = self.unfinished.iter().max_by_key(|frame| frame.count)?;
        let announced = usize::try_from(frame.count).unwrap_or(usize::MAX).saturating_mul(FRAGMENT_BYTES);
        Some((frame.bytes.len(), announced))
    }
}
