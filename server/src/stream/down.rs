//! What goes down: frames by number, kept until the client has said that it has them.
//!
//! Knows no network and no clock. An answer that broke off is asked for again from the first frame that did not come;
//! so what is in answers is kept, and bounded by how much an answer may hold before it ends and is asked for anew.

use std::collections::VecDeque;

use axum::body::Bytes;
use thiserror::Error;

/// Bytes that wait, or are on their way, before no more is taken.
pub const WINDOW: usize = 512 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("frame {asked} is not here any more, or was never sent")]
pub struct Lost {
    pub asked: u64,
}

#[derive(Debug, Default)]
pub struct Down {
    /// The number of the first frame that is kept.
    first: u64,
    frames: VecDeque<Bytes>,
    bytes: usize,
    ended: Option<(u16, String)>,
}

impl Down {
    pub fn push(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.frames.push_back(frame);
    }

    /// The connection ends after what is here.
    pub fn end(&mut self, code: u16, reason: &str) {
        self.ended.get_or_insert_with(|| (code, reason.to_owned()));
    }

    pub fn ended(&self) -> Option<(u16, &str)> {
        self.ended.as_ref().map(|(code, reason)| (*code, reason.as_str()))
    }

    /// Nothing more is taken before the client has said what it has.
    pub fn is_full(&self) -> bool {
        self.bytes >= WINDOW
    }

    /// The frame with this number, if there is one yet.
    pub fn frame(&self, number: u64) -> Option<&Bytes> {
        let at = number.checked_sub(self.first)?;
        self.frames.get(usize::try_from(at).ok()?)
    }

    /// The client asks for what comes from this number on: it has everything before.
    ///
    /// # Errors
    /// What it asks for cannot be had any more.
    pub fn resume(&mut self, from: u64) -> Result<(), Lost> {
        let next = self.first + self.frames.len() as u64;
        if from < self.first || from > next {
            return Err(Lost { asked: from });
        }
        while self.first < from {
            self.bytes -= self.frames.pop_front().map_or(0, |frame| frame.len());
            self.first += 1;
        }
        self.frames.shrink_to(8);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_received_comes_again_and_nothing_else() {
        let mut down = Down::default();
        for byte in 0..4 {
            down.push(Bytes::from(vec![byte]));
        }
        assert_eq!(down.resume(2), Ok(()));
        assert_eq!(down.frame(1), None);
        assert_eq!(down.frame(2), Some(&Bytes::from_static(&[2])));
        assert_eq!(down.frame(4), None);
        // The same answer is asked for again.
        assert_eq!(down.resume(2), Ok(()));
        assert_eq!(down.resume(1), Err(Lost { asked: 1 }));
        assert_eq!(down.resume(5), Err(Lost { asked: 5 }));
        assert_eq!(down.resume(4), Ok(()));
        assert_eq!(down.bytes, 0);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut down = Down::default();
        down.push(Bytes::from(vec![0; WINDOW]));
        assert!(down.is_full());
        assert_eq!(down.resume(1), Ok(()));
        assert!(!down.is_full());
    }
}
