//! What is on its way to one connection, bounded in bytes.
//!
//! A client that reads too slowly is closed rather than waited for: otherwise it would hold up its room, or take memory
//! without bound.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use slate_yrs::protocol::close;
use tokio::sync::Notify;

use super::frames::{Outgoing, QueuedBytes};
use crate::lock::lock;

/// Why a connection is ended from this side: the code, and the reason.
type Farewell = (u16, &'static str);

/// Frames that an emptied channel keeps room for.
const SPARE: usize = 32;

/// A channel that takes few bytes while it is empty. Most connections are idle most of the time, and a channel that
/// allocates its places in blocks would take two kilobytes for each of them.
#[derive(Default)]
struct Channel {
    waiting: Mutex<Waiting>,
    came: Notify,
    /// Nobody can send any more.
    closed: AtomicBool,
    ending: OnceLock<Farewell>,
    ended: Notify,
}

#[derive(Default)]
struct Waiting {
    frames: VecDeque<Outgoing>,
    held: QueuedBytes,
}

impl Channel {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing panics while it is held.
        lock(&self.waiting)
    }

    /// The first reason counts.
    fn end(&self, code: u16, reason: &'static str) {
        if self.ending.set((code, reason)).is_ok() {
            self.ended.notify_waiters();
        }
    }

    async fn ending(&self) -> Farewell {
        loop {
            let mut told = std::pin::pin!(self.ended.notified());
            // From here on this is notified of an end; one from before is in `ending`.
            told.as_mut().enable();
            if let Some(ending) = self.ending.get() {
                return *ending;
            }
            told.await;
        }
    }
}

/// What all clones of a [`SendQueue`] share.
struct Sending {
    channel: Arc<Channel>,
    limit: usize,
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.channel.closed.store(true, Ordering::Release);
        self.channel.came.notify_one();
    }
}

#[derive(Clone)]
pub struct SendQueue(Arc<Sending>);

/// The connection's end.
pub struct SendQueueEnd {
    channel: Arc<Channel>,
}

/// `limit`: bytes that may wait, beside one frame of any size, before one more frame is taken.
pub fn send_queue(limit: usize) -> (SendQueue, SendQueueEnd) {
    let channel = Arc::new(Channel::default());
    (SendQueue(Arc::new(Sending { channel: Arc::clone(&channel), limit })), SendQueueEnd { channel })
}

/// Hears of the end, beside whoever reads.
#[derive(Clone)]
pub struct Ending(Arc<Channel>);

impl Ending {
    /// Resolves when [`SendQueue::end`] was called, or nobody reads the queue any more.
    pub async fn told(&self) -> Farewell {
        self.0.ending().await
    }

    pub fn get(&self) -> Option<Farewell> {
        self.0.ending.get().copied()
    }
}

impl Drop for SendQueueEnd {
    /// Tells the room's side that nobody reads any more.
    fn drop(&mut self) {
        self.channel.end(close::NORMAL, "");
    }
}

impl SendQueue {
    /// Queues a frame, or ends the connection if too much is queued already.
    pub fn push(&self, outgoing: Outgoing) {
        let mut waiting = self.0.channel.waiting();
        if waiting.held.is_over(self.0.limit) {
            drop(waiting);
            return self.end(close::SLOW, "the peer reads too slowly");
        }
        waiting.held.add(&outgoing);
        waiting.frames.push_back(outgoing);
        drop(waiting);
        self.0.channel.came.notify_one();
    }

    pub fn ending(&self) -> Ending {
        Ending(Arc::clone(&self.0.channel))
    }

    /// Ends the connection at once, ahead of what is queued.
    pub fn end(&self, code: u16, reason: &'static str) {
        self.0.channel.end(code, reason);
    }
}

impl SendQueueEnd {
    pub fn ending(&self) -> Ending {
        Ending(Arc::clone(&self.channel))
    }

    /// None: nobody can send any more.
    pub async fn next(&mut self) -> Option<Outgoing> {
        loop {
            let closed = self.channel.closed.load(Ordering::Acquire);
            if let Some(outgoing) = self.try_next() {
                return Some(outgoing);
            }
            if closed {
                return None;
            }
            self.channel.came.notified().await;
        }
    }

    pub fn try_next(&mut self) -> Option<Outgoing> {
        let mut waiting = self.channel.waiting();
        let outgoing = waiting.frames.pop_front()?;
        waiting.held.remove(&outgoing);
        if waiting.frames.is_empty() {
            waiting.frames.shrink_to(SPARE);
        }
        Some(outgoing)
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::*;

    #[test]
    fn a_slow_peer_is_ended_and_memory_is_bounded() {
        let (queue, mut end) = send_queue(1_000);
        let frame = || Outgoing::Frame(Bytes::from(vec![0; 600]));
        for _ in 0..3 {
            queue.push(frame());
        }
        assert_eq!(end.ending().get(), None);
        queue.push(frame());
        assert_eq!(end.ending().get().map(|(code, _)| code), Some(close::SLOW));
        assert_eq!(std::iter::from_fn(|| end.try_next()).count(), 3);
    }

    #[test]
    fn who_joins_a_large_document_is_not_slow_because_others_type() {
        let (queue, mut end) = send_queue(1_000);
        let frame = |bytes| Outgoing::Frame(Bytes::from(vec![0; bytes]));
        queue.push(frame(50_000));
        queue.push(frame(100));
        queue.push(frame(100));
        assert_eq!(end.ending().get(), None);
        assert!(end.try_next().is_some());
        // What is left is what it was before the large one came.
        for _ in 0..3 {
            queue.push(frame(600));
        }
        assert_eq!(end.ending().get(), None);
        queue.push(frame(100));
        assert_eq!(end.ending().get().map(|(code, _)| code), Some(close::SLOW));
    }

    #[tokio::test]
    async fn either_side_hears_that_the_other_is_gone() {
        let (queue, mut end) = send_queue(1_000);
        queue.clone().push(Outgoing::Text("one"));
        let reader = tokio::spawn(async move {
            let first = end.next().await;
            (first.is_some(), end.next().await.is_none())
        });
        tokio::task::yield_now().await;
        drop(queue);
        assert_eq!(reader.await.unwrap(), (true, true));

        let (queue, end) = super::send_queue(1_000);
        let ending = queue.ending();
        let told = tokio::spawn(async move { ending.told().await });
        tokio::task::yield_now().await;
        drop(end);
        assert_eq!(told.await.unwrap(), (close::NORMAL, ""));
        assert_eq!(queue.ending().told().await, (close::NORMAL, ""));
    }
}
