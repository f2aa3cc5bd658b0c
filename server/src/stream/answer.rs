//! The body of an answer: what goes down, as it comes.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream;
use slate_yrs::protocol::lib0::buf;
use tokio::time::{Instant, sleep_until};

use super::HttpStream;
use super::down::Lost;
use super::wire::Control;
use crate::lock::lock;

/// An answer is asked for anew after so long: what stands between may end one that takes longer.
const LONGEST: Duration = Duration::from_secs(25);
/// Frames are put together up to so many bytes.
const CHUNK: usize = 64 * 1024;

/// How the client reads answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerMode {
    /// As they come.
    Streamed,
    /// When they are whole: one ends as soon as there is something in it.
    Whole,
}

struct AnswerBody {
    stream: Arc<HttpStream>,
    number: u64,
    /// The frame that is next.
    at: u64,
    mode: AnswerMode,
    until: Instant,
    begun: bool,
    ended: bool,
}

impl HttpStream {
    /// The answer to who has everything before `from`.
    pub fn answer(self: Arc<Self>, from: u64, mode: AnswerMode) -> Result<Body, Lost> {
        let number = self.resume(from)?;
        let until = Instant::now() + LONGEST;
        let answer = AnswerBody { stream: self, number, at: from, mode, until, begun: false, ended: false };
        Ok(Body::from_stream(stream::unfold(answer, |answer| answer.next())))
    }
}

impl AnswerBody {
    async fn next(mut self) -> Option<(Result<Bytes, std::convert::Infallible>, Self)> {
        let mut out = Vec::new();
        if self.ended {
            return None;
        }
        if !std::mem::replace(&mut self.begun, true) && self.mode == AnswerMode::Streamed {
            Control::Begin.write(&mut out);
        }
        loop {
            let stream = Arc::clone(&self.stream);
            let came = stream.came.notified();
            tokio::pin!(came);
            // Before looking: what comes from now on wakes it.
            came.as_mut().enable();
            if !self.take(&mut out) {
                return None;
            }
            if !out.is_empty() {
                self.stream.traffic.wrote(out.len());
                return Some((Ok(Bytes::from(out)), self));
            }
            tokio::select! {
                () = came => {}
                () = sleep_until(self.until) => {}
            }
        }
    }

    /// What there is to say now. False: another answer has taken this one's place.
    fn take(&mut self, out: &mut Vec<u8>) -> bool {
        let state = lock(&self.stream.state);
        if state.answer != self.number {
            return false;
        }
        let has_more = loop {
            let Some(frame) = state.down.frame(self.at) else { break false };
            if out.len() >= CHUNK {
                break true;
            }
            buf(out, frame);
            self.at += 1;
        };
        if has_more {
            return true;
        }
        if let Some((code, reason)) = state.down.ended() {
            Control::Close { code, reason }.write(out);
            self.ended = true;
        } else if state.down.is_full()
            || Instant::now() >= self.until
            || (self.mode == AnswerMode::Whole && !out.is_empty())
        {
            Control::End.write(out);
            self.ended = true;
        }
        let over = state.down.ended().is_some();
        drop(state);
        if over {
            self.stream.told();
        }
        true
    }
}
