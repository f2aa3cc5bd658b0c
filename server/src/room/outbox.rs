//! What is on its way to one connection, bounded in bytes.
//!
//! A peer that reads too slowly is closed rather than waited for: it would hold up its room, or memory without bound.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use slate_yrs::protocol::close;
use tokio::sync::{mpsc, watch};

use super::frames::Outgoing;

/// Why a connection is ended from this side.
pub type Ending = Option<(u16, &'static str)>;

#[derive(Clone)]
pub struct Outbox {
    queue: mpsc::UnboundedSender<Outgoing>,
    queued: Arc<AtomicUsize>,
    limit: usize,
    ending: Arc<watch::Sender<Ending>>,
}

/// The connection's end.
pub struct OutboxEnd {
    queue: mpsc::UnboundedReceiver<Outgoing>,
    queued: Arc<AtomicUsize>,
    pub ending: watch::Receiver<Ending>,
}

/// `limit`: bytes that may wait before one more frame is taken.
pub fn outbox(limit: usize) -> (Outbox, OutboxEnd) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let queued = Arc::new(AtomicUsize::new(0));
    let (ending, ended) = watch::channel(None);
    let outbox = Outbox { queue: sender, queued: Arc::clone(&queued), limit, ending: Arc::new(ending) };
    (outbox, OutboxEnd { queue: receiver, queued, ending: ended })
}

impl Outbox {
    /// Queues a frame, or ends the connection if too much is queued already: one large frame always fits.
    pub fn push(&self, outgoing: Outgoing) {
        let bytes = outgoing.cost();
        if self.queued.load(Ordering::Relaxed) > self.limit {
            return self.end(close::SLOW, "the peer reads too slowly");
        }
        self.queued.fetch_add(bytes, Ordering::Relaxed);
        // The connection may be gone; its room will hear of it.
        let _ = self.queue.send(outgoing);
    }

    /// Resolves when [`Outbox::end`] was called, or nobody reads the outbox any more.
    pub fn ended(&self) -> impl Future<Output = ()> + use<> {
        let mut ending = self.ending.subscribe();
        let queue = self.queue.clone();
        async move {
            tokio::select! {
                _ = ending.wait_for(Option::is_some) => {}
                () = queue.closed() => {}
            }
        }
    }

    /// Ends the connection at once, ahead of what is queued.
    pub fn end(&self, code: u16, reason: &'static str) {
        self.ending.send_if_modified(|ending| {
            let first = ending.is_none();
            if first {
                *ending = Some((code, reason));
            }
            first
        });
    }
}

impl OutboxEnd {
    /// None: nobody can send any more.
    pub async fn next(&mut self) -> Option<Outgoing> {
        let outgoing = self.queue.recv().await?;
        self.queued.fetch_sub(outgoing.cost(), Ordering::Relaxed);
        Some(outgoing)
    }

    pub fn try_next(&mut self) -> Option<Outgoing> {
        let outgoing = self.queue.try_recv().ok()?;
        self.queued.fetch_sub(outgoing.cost(), Ordering::Relaxed);
        Some(outgoing)
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::*;

    #[test]
    fn a_slow_peer_is_ended_and_memory_is_bounded() {
        let (outbox, mut end) = outbox(1_000);
        let frame = || Outgoing::Frame(Bytes::from(vec![0; 600]));
        outbox.push(frame());
        outbox.push(frame());
        assert_eq!(*end.ending.borrow(), None);
        outbox.push(frame());
        assert_eq!(end.ending.borrow().map(|(code, _)| code), Some(close::SLOW));
        assert!(end.try_next().is_some() && end.try_next().is_some() && end.try_next().is_none());
    }
}
