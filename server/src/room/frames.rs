//! The frames that go out to one connection: counted while a batch is judged, joined when they are sent.

use std::collections::HashMap;

use axum::body::Bytes;
use slate_yrs::protocol::{self, close};

/// Frames to one connection are joined up to this size.
const JOIN_BYTES: usize = 32 * 1024;
/// What a queued frame costs beside its bytes.
const OVERHEAD: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    Frame(Bytes),
    /// A frame that goes in pieces. It is cut only when it is sent: until then all connections that get it share its
    /// bytes.
    Large {
        id: u64,
        frame: Bytes,
    },
    Text(&'static str),
    Close {
        code: u16,
        reason: &'static str,
    },
}

impl Outgoing {
    /// Memory it holds while it waits.
    pub fn cost(&self) -> usize {
        match self {
            Self::Frame(frame) | Self::Large { frame, .. } => frame.len() + OVERHEAD,
            Self::Text(_) | Self::Close { .. } => OVERHEAD,
        }
    }
}

/// Bytes that wait for a connection.
///
/// The largest frame does not count: otherwise nobody could join a document that is larger than the limit while others
/// type.
#[derive(Debug, Default)]
pub struct QueuedBytes {
    bytes: usize,
    largest: usize,
}

impl QueuedBytes {
    pub fn is_over(&self, limit: usize) -> bool {
        self.bytes - self.largest > limit
    }

    pub fn add(&mut self, outgoing: &Outgoing) {
        self.bytes += outgoing.cost();
        self.largest = self.largest.max(outgoing.cost());
    }

    pub fn remove(&mut self, outgoing: &Outgoing) {
        self.bytes -= outgoing.cost();
        self.largest = self.largest.min(self.bytes);
    }
}

/// The frames that a batch has for one connection. Beside one large frame a bounded number of bytes may wait; beyond
/// that the connection is closed.
#[derive(Debug, Default)]
pub struct Queue {
    frames: Vec<Outgoing>,
    held: QueuedBytes,
    ending: Option<(u16, &'static str)>,
    /// The close frame was taken.
    ended: bool,
}

impl Queue {
    pub fn push(&mut self, outgoing: Outgoing, limit: usize) {
        if self.is_closed() {
            return;
        }
        if self.held.is_over(limit) {
            // None of these frames has to arrive: a client that comes again is brought up to date.
            self.frames.clear();
            return self.close(close::SLOW, "more is asked for at once than may wait");
        }
        self.held.add(&outgoing);
        self.frames.push(outgoing);
    }

    /// Queues an acknowledgement, also for a connection that is being closed.
    pub fn acknowledge(&mut self, ack: Outgoing) {
        self.frames.push(ack);
    }

    /// Closes the connection after what is queued.
    pub fn close(&mut self, code: u16, reason: &'static str) {
        self.ending.get_or_insert((code, reason));
    }

    pub fn is_closed(&self) -> bool {
        self.ending.is_some()
    }

    pub fn is_empty(&self) -> bool {
        self.frames.is_empty() && (self.ended || self.ending.is_none())
    }

    pub fn take(&mut self) -> Vec<Outgoing> {
        self.held = QueuedBytes::default();
        let mut frames = std::mem::take(&mut self.frames);
        if !self.ended {
            frames.extend(self.ending.map(|(code, reason)| Outgoing::Close { code, reason }));
            self.ended = self.ending.is_some();
        }
        frames
    }
}

/// Joins small neighbouring frames, for a frame may hold several messages. Frames that are the same for several
/// connections are joined once.
#[derive(Default)]
pub struct Joiner {
    joined: HashMap<Vec<(usize, usize)>, Bytes>,
}

impl Joiner {
    /// Hello stays alone, it is the first frame.
    pub fn join(&mut self, frames: Vec<Outgoing>) -> Vec<Outgoing> {
        const HELLO: u8 = 120;
        if frames.len() < 2 {
            return frames;
        }
        let mut out: Vec<Outgoing> = Vec::with_capacity(frames.len().min(4));
        let mut run: Vec<Bytes> = Vec::new();
        let mut run_bytes = 0;
        for outgoing in frames {
            match outgoing {
                Outgoing::Frame(frame) if frame.first() != Some(&HELLO) => {
                    if run_bytes + frame.len() > JOIN_BYTES {
                        self.flush(&mut run, &mut out);
                        run_bytes = 0;
                    }
                    run_bytes += frame.len();
                    run.push(frame);
                }
                alone => {
                    self.flush(&mut run, &mut out);
                    run_bytes = 0;
                    out.push(alone);
                }
            }
        }
        self.flush(&mut run, &mut out);
        out
    }

    fn flush(&mut self, run: &mut Vec<Bytes>, out: &mut Vec<Outgoing>) {
        match run.len() {
            0 => {}
            1 => out.extend(run.pop().map(Outgoing::Frame)),
            _ => {
                // Equal frames share their bytes, and are kept until all are joined: so their addresses tell them
                // apart.
                let places = run.iter().map(|frame| (frame.as_ptr() as usize, frame.len())).collect();
                let joined = self.joined.entry(places).or_insert_with(|| Bytes::from(run.concat()));
                out.push(Outgoing::Frame(joined.clone()));
            }
        }
        run.clear();
    }
}

/// A frame for a client of the durable extension. A large one goes in pieces, so that neither side has to hold it
/// twice.
pub fn for_durable(id: u64, frame: Bytes) -> Outgoing {
    match frame.len() > protocol::FRAGMENT_BYTES {
        true => Outgoing::Large { id, frame },
        false => Outgoing::Frame(frame),
    }
}
