//! A connection over HTTP, for clients that get no WebSocket: what stands in the place of its socket.
//!
//! Frames come up in numbered bodies of requests ([`up`]) and go down in answers that are asked for one after the other
//! ([`down`]). To [`crate::connection`], and so to the room, it is a pair of a sink and a stream of frames like any
//! socket's: heartbeats, limits, tokens and close codes are those. The stream's id is a secret: whoever has it speaks for
//! who opened it.

mod answer;
pub mod down;
pub mod up;
pub mod wire;

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::extract::ws::Message as Frame;
use futures_util::{Sink, Stream, StreamExt, stream};
use slate_yrs::protocol::close;
use tokio::sync::{Notify, Semaphore, SemaphorePermit, mpsc};
use tokio_tungstenite::tungstenite;

pub use answer::AnswerMode;

use crate::allowance::{Allowances, Share, Taker};
use crate::limit::Limit;
use crate::lock::lock;
use crate::net::Traffic;
use crate::storage::secret_id;
use down::{Down, Lost};
use up::{Record, Up, UpError};

/// Bodies of one stream that are received at once: the client sends one after the other, and may repeat one whose answer
/// it gave up.
const BODIES: usize = 4;
/// How long a stream that has ended still says so.
const LINGER: Duration = Duration::from_secs(10);

type Received = Result<Frame, axum::Error>;

/// Why a body was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyRefused {
    /// The connection has ended: how, if the client may know.
    Ended(Option<(u16, String)>),
    Up(UpError),
}

/// What is known of a stream when it begins.
pub struct StreamOpening {
    pub document: String,
    pub address: Option<IpAddr>,
    pub owner: Option<String>,
    /// The largest frame that comes up, in bytes.
    pub max_frame: usize,
    pub allowances: Arc<Allowances>,
}

/// One connection over HTTP.
pub struct HttpStream {
    pub document: String,
    pub traffic: Arc<Traffic>,
    allowances: Arc<Allowances>,
    address: Option<IpAddr>,
    owner: Option<String>,
    /// With what it holds of a frame that is not whole.
    up: Mutex<(Up, Share)>,
    /// To the reader; none when nothing more is taken.
    frames: Mutex<Option<mpsc::Sender<Vec<Received>>>>,
    bodies: Semaphore,
    state: Mutex<StreamState>,
    /// There is more in the state, or another answer is under way.
    came: Notify,
}

#[derive(Default)]
struct StreamState {
    down: Down,
    /// Of the answer under way: an earlier one ends.
    answer: u64,
    /// Waits for room.
    writer: Option<Waker>,
}

impl HttpStream {
    /// What the connection reads from comes with it.
    fn new(opening: StreamOpening) -> (Self, mpsc::Receiver<Vec<Received>>) {
        // One is read while another waits.
        let (sender, receiver) = mpsc::channel(1);
        let StreamOpening { document, address, owner, max_frame, allowances } = opening;
        let share = Share::new(Arc::clone(&allowances), address, owner.as_deref());
        let stream = Self {
            document,
            traffic: Arc::new(Traffic::of_requests()),
            allowances,
            address,
            owner,
            up: Mutex::new((Up::new(max_frame), share)),
            frames: Mutex::new(Some(sender)),
            bodies: Semaphore::new(BODIES),
            state: Mutex::default(),
            came: Notify::new(),
        };
        (stream, receiver)
    }

    /// A place for a body that is received; none while there are too many.
    pub fn place(&self) -> Option<SemaphorePermit<'_>> {
        self.bodies.try_acquire().ok()
    }

    /// What a body that is received may hold.
    pub fn share(&self) -> Share {
        Share::new(Arc::clone(&self.allowances), self.address, self.owner.as_deref())
    }

    /// Takes a body; waits while the room has too much to do. A body that was taken before is answered alike.
    ///
    /// # Errors
    /// The connection is over, or will be; but for a gap, which changes nothing.
    pub async fn take(&self, number: u64, body: &[u8]) -> Result<(), BodyRefused> {
        let ended = || BodyRefused::Ended(self.ended());
        let sender = lock(&self.frames).clone().ok_or_else(ended)?;
        // From here to the end nothing is waited for: a request that is given up has taken all of its body or nothing.
        let place = sender.reserve().await.map_err(|_| ended())?;
        let mut up = lock(&self.up);
        let (up, share) = &mut *up;
        match up.take(number, body) {
            Ok(None) => Ok(()),
            Ok(Some(records)) => {
                let mut frames: Vec<Received> = records.into_iter().map(|record| Ok(received(record))).collect();
                if let Err(limit) = share.holds(up.held()) {
                    self.traffic.exceeded(limit);
                    frames.push(Err(broken()));
                }
                place.send(frames);
                Ok(())
            }
            Err(error) => {
                match error {
                    UpError::Gap { .. } => {}
                    UpError::TooLarge { .. } => place.send(vec![Err(too_large())]),
                    UpError::Malformed => place.send(vec![Err(broken())]),
                }
                Err(BodyRefused::Up(error))
            }
        }
    }

    /// The client ends the connection; what it was before that is taken.
    pub async fn close(&self) {
        let sender = lock(&self.frames).clone();
        if let Some(sender) = sender {
            let _ = sender.send(vec![Ok(Frame::Close(None))]).await;
        }
    }

    /// What is on its way may hold no more: the connection ends, and says so.
    pub async fn exceeded(&self, limit: Limit) {
        self.traffic.exceeded(limit);
        let sender = lock(&self.frames).clone();
        if let Some(sender) = sender {
            let _ = sender.send(vec![Err(broken())]).await;
        }
    }

    /// How the connection has ended, if it has.
    pub fn ended(&self) -> Option<(u16, String)> {
        lock(&self.state).down.ended().map(|(code, reason)| (code, reason.to_owned()))
    }

    /// The client asks for frames from this number on, and has all before. The answer that was under way ends.
    fn resume(&self, from: u64) -> Result<u64, Lost> {
        let mut state = lock(&self.state);
        state.down.resume(from)?;
        state.answer += 1;
        let writer = if state.down.is_full() { None } else { state.writer.take() };
        let answer = state.answer;
        drop(state);
        if let Some(writer) = writer {
            writer.wake();
        }
        self.came.notify_waiters();
        Ok(answer)
    }

    /// Nobody speaks for the connection any more. What was said last is what the client is told.
    fn end(&self, code: u16, reason: &str) {
        lock(&self.state).down.end(code, reason);
        self.came.notify_waiters();
    }

    /// The client knows that it has ended: nothing more is waited for.
    fn told(&self) {
        lock(&self.frames).take();
        let mut up = lock(&self.up);
        up.0.forget();
        // It holds nothing any more.
        let _ = up.1.holds(0);
    }
}

fn received(record: Record) -> Frame {
    match record {
        Record::Frame(bytes) => Frame::Binary(bytes),
        Record::Close(_) => Frame::Close(None),
    }
}

/// Nothing more can be read.
fn broken() -> axum::Error {
    axum::Error::new(tungstenite::Error::ConnectionClosed)
}

/// As a socket says it.
fn too_large() -> axum::Error {
    let error = tungstenite::error::CapacityError::MessageTooLong { size: 0, max_size: 0 };
    axum::Error::new(tungstenite::Error::Capacity(error))
}

/// Where the connection puts its frames.
pub struct StreamSink(Arc<HttpStream>);

impl Sink<Frame> for StreamSink {
    type Error = axum::Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        let mut state = lock(&self.0.state);
        if state.down.is_full() {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, frame: Frame) -> Result<(), axum::Error> {
        match frame {
            Frame::Binary(bytes) => lock(&self.0.state).down.push(bytes),
            Frame::Close(said) => {
                let (code, reason) =
                    said.map_or((close::NORMAL, String::new()), |said| (said.code, said.reason.to_string()));
                lock(&self.0.state).down.end(code, &reason);
            }
            // Only sockets have these.
            Frame::Text(_) | Frame::Ping(_) | Frame::Pong(_) => return Ok(()),
        }
        self.0.came.notify_waiters();
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        Poll::Ready(Ok(()))
    }
}

/// Where it reads from.
pub type Incoming = Pin<Box<dyn Stream<Item = Received> + Send>>;

fn incoming(frames: mpsc::Receiver<Vec<Received>>) -> Incoming {
    let bodies = stream::unfold(frames, |mut frames| async move { frames.recv().await.map(|body| (body, frames)) });
    Box::pin(bodies.flat_map(stream::iter))
}

/// Of one server.
#[derive(Default)]
pub struct Streams {
    open: Mutex<OpenStreams>,
}

#[derive(Default)]
struct OpenStreams {
    streams: HashMap<String, Arc<HttpStream>>,
    by_address: HashMap<Taker, usize>,
}

/// A stream that was opened, to be served.
pub struct OpenedStream {
    pub id: String,
    stream: Arc<HttpStream>,
    incoming: Incoming,
    address: Option<Taker>,
}

/// Why no stream is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotOpened {
    /// This address has too many.
    Address,
    /// Nothing that nobody can guess is to be had.
    NoSecret,
}

impl Streams {
    /// `most`: of one address; 0: no limit.
    pub fn open(&self, opening: StreamOpening, most: usize) -> Result<OpenedStream, NotOpened> {
        let id = secret_id().map_err(|_| NotOpened::NoSecret)?;
        let taker = opening.address.map(Taker::of_address);
        let mut open = lock(&self.open);
        if let Some(taker) = &taker {
            let count = open.by_address.entry(taker.clone()).or_default();
            if most != 0 && *count >= most {
                return Err(NotOpened::Address);
            }
            *count += 1;
        }
        let (stream, frames) = HttpStream::new(opening);
        let stream = Arc::new(stream);
        open.streams.insert(id.clone(), Arc::clone(&stream));
        drop(open);
        Ok(OpenedStream { id, stream, incoming: incoming(frames), address: taker })
    }

    /// The stream with this id, if it is one of this document.
    pub fn find(&self, id: &str, document: &str) -> Option<Arc<HttpStream>> {
        let found = lock(&self.open).streams.get(id).map(Arc::clone);
        found.filter(|stream| stream.document == document)
    }

    /// It has been served. For a moment it still says how it has ended.
    async fn ended(&self, id: &str, stream: &HttpStream, address: Option<Taker>) {
        stream.end(close::GOING_AWAY, "");
        stream.told();
        if let Some(address) = address {
            let mut open = lock(&self.open);
            if let Some(count) = open.by_address.get_mut(&address) {
                *count -= 1;
                if *count == 0 {
                    open.by_address.remove(&address);
                }
            }
        }
        tokio::time::sleep(LINGER).await;
        lock(&self.open).streams.remove(id);
    }

    /// Serves one until it ends: `serve` is given its two ends.
    pub async fn serve<S: Future<Output = ()>>(
        self: Arc<Self>,
        opened: OpenedStream,
        serve: impl FnOnce(StreamSink, Incoming, Arc<Traffic>) -> S,
    ) {
        let OpenedStream { id, stream, incoming, address } = opened;
        serve(StreamSink(Arc::clone(&stream)), incoming, Arc::clone(&stream.traffic)).await;
        self.ended(&id, &stream, address).await;
    }
}
