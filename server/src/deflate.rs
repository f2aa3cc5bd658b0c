//! What a client asks for when it opens a document, compressed for who says that it can read that.
//!
//! A frame is then the varUint 128 and the frame itself as raw DEFLATE (RFC 1951). Only answers to a state vector and
//! pieces of large frames are worth it: an edit is small, and is sent to many.

use std::io::Write as _;

use axum::body::Bytes;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use slate_yrs::protocol::lib0::var_uint;
use slate_yrs::protocol::tag;
use tokio::sync::Semaphore;

/// Sync step 2.
const ANSWER: [u8; 2] = [tag::SYNC as u8, 1];
/// What is smaller goes in few packets as it is.
const LEAST_BYTES: usize = 4 * 1024;
/// Frames of one connection that are compressed: who opens a document needs a few.
const FRAMES: u8 = 32;
/// Compressing takes the processor. Where so many frames are at it, others go as they are.
static PLACES: Semaphore = Semaphore::const_new(2);

/// How many more frames of a connection may be compressed.
#[derive(Debug)]
pub struct Deflate(u8);

impl Deflate {
    /// `is_read`: whether the client says that it can read them.
    pub fn new(is_read: bool) -> Self {
        Self(if is_read { FRAMES } else { 0 })
    }

    /// The frame as it goes to the client.
    pub async fn frame(&mut self, frame: Bytes) -> Bytes {
        let is_worth_it =
            frame.len() >= LEAST_BYTES && (frame.starts_with(&ANSWER) || u64::from(frame[0]) == tag::FRAGMENT);
        if self.0 == 0 || !is_worth_it {
            return frame;
        }
        let Ok(_place) = PLACES.try_acquire() else { return frame };
        self.0 -= 1;
        let plain = frame.clone();
        match tokio::task::spawn_blocking(move || deflated(&plain)).await {
            Ok(Some(smaller)) => smaller,
            _ => frame,
        }
    }
}

/// `None`: it would not be smaller.
fn deflated(frame: &[u8]) -> Option<Bytes> {
    let mut head = Vec::new();
    var_uint(&mut head, tag::DEFLATED);
    let mut encoder = DeflateEncoder::new(head, Compression::fast());
    encoder.write_all(frame).ok()?;
    let bytes = encoder.finish().ok()?;
    (bytes.len() < frame.len()).then(|| bytes.into())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::DeflateDecoder;

    use super::*;

    /// The varUint 128.
    const DEFLATED: [u8; 2] = [0x80, 0x01];

    fn answer(len: usize) -> Bytes {
        let mut frame = ANSWER.to_vec();
        frame.extend((0..len).map(|at| b"INT. KITCHEN - DAY "[at % 19]));
        frame.into()
    }

    #[tokio::test]
    async fn a_large_answer_is_smaller_and_the_same_again() {
        let frame = answer(100_000);
        let sent = Deflate::new(true).frame(frame.clone()).await;
        assert!(sent.starts_with(&DEFLATED) && sent.len() < 10_000, "{} bytes", sent.len());
        let mut read = Vec::new();
        DeflateDecoder::new(&sent[2..]).read_to_end(&mut read).expect("deflate");
        assert_eq!(read, frame);
    }

    #[tokio::test]
    async fn all_else_goes_as_it_is() {
        let edit = Bytes::from([&[0u8, 2][..], &answer(100_000)].concat());
        let mut random = fastrand::Rng::with_seed(1);
        let noise: Vec<u8> = (0..9_000).map(|_| random.u8(..)).collect();
        let noise = Bytes::from([&ANSWER[..], &noise].concat());
        for (is_read, frame) in [(true, answer(1_000)), (true, edit), (true, noise), (false, answer(100_000))] {
            assert_eq!(Deflate::new(is_read).frame(frame.clone()).await, frame);
        }
    }

    #[tokio::test]
    async fn who_asks_without_end_is_answered_as_it_is() {
        let (mut deflate, frame) = (Deflate::new(true), answer(5_000));
        for _ in 0..FRAMES {
            assert_ne!(deflate.frame(frame.clone()).await, frame);
        }
        assert_eq!(deflate.frame(frame.clone()).await, frame);
    }
}
