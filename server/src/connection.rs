//! One connection: a reader that passes frames to the room, a writer that empties the queue. Most are WebSockets; one over
//! HTTP ([`crate::stream`]) has two ends like a socket's.
//!
//! The reader puts fragments together, answers pings, and notices silence; it waits when the room is busy, which is
//! what slows a fast sender down. The writer sends a sign of life every heartbeat (F22): a ping to a client of the
//! durable extension, an empty awareness update to any other, because y-websocket clients count messages only.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message as Frame};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use serde::Deserialize;
use slate_yrs::protocol::{self, FragmentError, Message, Reassembly};
use tokio::time::{Instant, Sleep, interval_at, sleep, sleep_until, timeout};

use crate::allowance::{Share, Taker};
use crate::auth::{Denied, Recheck};
use crate::clock::now;
use crate::deflate::Deflate;
use crate::limit::Limit;
use crate::metrics::Metrics;
use crate::net::Traffic;
use crate::room::frames::Outgoing;
use crate::room::{
    Command, ConnId, Ending, JoinRequest, Participant, RoomRef, Rooms, SendQueue, SendQueueEnd, send_queue,
};
use crate::storage::Millis;

/// A frame that cannot be handed to the network for so long ends the connection.
const WRITE_STALL: Duration = Duration::from_secs(60);
/// A room that has ended tells those who were about to join in less.
const LAST_WORDS: Duration = Duration::from_millis(200);
const CLOSE_WAIT: Duration = Duration::from_secs(2);
/// Pieces of a frame may be so far apart.
const FRAGMENT_AGE_MS: u64 = 60_000;

/// What is fixed for a connection when it begins.
#[derive(Debug, Clone)]
pub struct ConnectionOpening {
    pub document: String,
    pub who: Participant,
    /// When the token ends.
    pub expires: Option<Millis>,
    /// Where it comes from.
    pub address: Option<IpAddr>,
    /// Whether it may make the document.
    pub create: bool,
    /// Whether it reads compressed frames.
    pub deflate: bool,
}

/// What holds for every connection.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    pub heartbeat: Duration,
    /// Bytes waiting for a peer before it counts as too slow.
    pub max_queued_bytes: usize,
    /// A frame put together from fragments.
    pub max_sync_bytes: usize,
    /// Frames of a connection that are read in a second; more wait.
    pub max_frames_per_second: u32,
}

impl ConnectionOpening {
    fn request(self, conn: ConnId, queue: SendQueue) -> JoinRequest {
        let taker = match (&self.who.owner, self.address) {
            (Some(owner), _) => Some(Taker::User(owner.as_str().into())),
            (None, address) => address.map(Taker::of_address),
        };
        JoinRequest { conn, who: self.who, taker, create: self.create, queue }
    }
}

static NEXT: AtomicU64 = AtomicU64::new(1);

/// The end that frames go to, and the one that they come from.
pub trait Outbound: Sink<Frame, Error = axum::Error> + Send + Unpin + 'static {}
impl<S: Sink<Frame, Error = axum::Error> + Send + Unpin + 'static> Outbound for S {}
pub trait Inbound: Stream<Item = Result<Frame, axum::Error>> + Send + Unpin {}
impl<S: Stream<Item = Result<Frame, axum::Error>> + Send + Unpin> Inbound for S {}

/// Serves the connection until it ends. What it is made of is put together before, and not kept beside what comes of it.
pub fn serve(
    (sink, stream): (impl Outbound, impl Inbound),
    rooms: Arc<Rooms>,
    settings: Settings,
    opening: ConnectionOpening,
    recheck: Option<Recheck>,
    traffic: Arc<Traffic>,
) -> impl Future<Output = ()> + Send {
    let conn = NEXT.fetch_add(1, Ordering::Relaxed);
    let allowances = Arc::clone(&rooms.shared().allowances);
    traffic.upgraded(Share::new(allowances, opening.address, opening.who.owner.as_deref()));
    let (queue, end) = send_queue(settings.max_queued_bytes);
    let durable = opening.who.durable;
    let metrics = Arc::clone(&rooms.shared().metrics);
    let (heartbeat, deflate) = (settings.heartbeat, Deflate::new(opening.deflate));
    let writer = ConnectionWriter { sink, heartbeat, durable, traffic: Arc::clone(&traffic), metrics, deflate };
    let writer = tokio::spawn(writer.run(end));
    rooms.shared().metrics.connections.inc();
    tracing::debug!(conn, document = opening.document, durable, "opened");
    let document = opening.document.clone();
    let denied = recheck.map(|recheck| Box::pin(recheck.denied()));
    let expired = opening.expires.map(|at| Box::pin(sleep_until(deadline(at))));
    let create = opening.create;
    let reading = rooms.hold(&document, create).map(|room| {
        let join = Command::Join(Box::new(opening.request(conn, queue.clone())));
        let mut reader = ConnectionReader {
            conn,
            durable,
            room,
            settings,
            traffic: Arc::clone(&traffic),
            queue: queue.clone(),
            reassembly: Reassembly::new(settings.max_sync_bytes + 1024),
            pace: FrameRate::new(settings.max_frames_per_second),
            rooms: Arc::clone(&rooms),
        };
        Box::pin(async move {
            if Box::pin(reader.room.send(join)).await {
                reader.run(stream, expired, denied).await;
                Box::pin(reader.room.send(Command::Leave { conn })).await;
            } else {
                let (code, reason) = reader.room.farewell(create);
                reader.queue.end(code, reason);
            }
        })
    });
    if reading.is_none() {
        queue.end(protocol::close::RESTART, "the server is restarting");
    }
    drop(queue);
    async move {
        if let Some(reading) = reading {
            reading.await;
        }
        traffic.ended();
        // The reader has let go of the queue, the room will: then the writer ends.
        if let Err(error) = writer.await {
            tracing::warn!(conn, %error, "writer failed");
        }
        rooms.shared().metrics.connections.dec();
        tracing::debug!(conn, document, "closed");
    }
}

struct ConnectionReader {
    conn: ConnId,
    durable: bool,
    room: RoomRef,
    settings: Settings,
    traffic: Arc<Traffic>,
    queue: SendQueue,
    reassembly: Reassembly,
    pace: FrameRate,
    rooms: Arc<Rooms>,
}

/// When a time of the clock is.
pub(crate) fn deadline(at: Millis) -> Instant {
    let left = u64::try_from(at - now()).unwrap_or(0);
    // Further away than anyone stays connected; adding more could overflow.
    Instant::now() + Duration::from_millis(left.min(365 * 24 * 3_600_000))
}

/// Lets so many frames a second pass, and a second's worth at once; who sends more is read from later.
struct FrameRate {
    per_second: f64,
    left: f64,
    at: Instant,
}

impl FrameRate {
    fn new(per_second: u32) -> Self {
        let per_second = f64::from(per_second.max(1));
        Self { per_second, left: per_second, at: Instant::now() }
    }

    /// How long to wait before the next frame.
    fn take(&mut self) -> Option<Duration> {
        let now = Instant::now();
        self.left = (self.left + (now - self.at).as_secs_f64() * self.per_second).min(self.per_second) - 1.0;
        self.at = now;
        (self.left < 0.0).then(|| Duration::from_secs_f64(-self.left / self.per_second))
    }
}

/// Waits for what there may be.
pub(crate) async fn wait_for<F: Future>(future: &mut Option<Pin<Box<F>>>) -> F::Output {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

impl ConnectionReader {
    /// What few connections have, or seldom do, is boxed: all would have a place for it.
    async fn run(
        &mut self,
        mut stream: impl Inbound,
        mut expired: Option<Pin<Box<Sleep>>>,
        mut denied: Option<Pin<Box<impl Future<Output = Denied> + Send>>>,
    ) {
        let limit = self.settings.heartbeat * 2;
        let ending = self.queue.ending();
        let (ended, gone) = (ending.told(), self.room.gone());
        // One for all frames: it looks, when it is over, how long ago something came.
        let silence = sleep(limit);
        tokio::pin!(ended, gone, silence);
        loop {
            let frame = tokio::select! {
                biased;
                _ = &mut ended => return Box::pin(goodbye(&mut stream)).await,
                () = &mut gone => {
                    // After what the room has left to say, its own reason among it; who was about to join hears that last.
                    if Box::pin(timeout(LAST_WORDS, &mut ended)).await.is_err() {
                        let (code, reason) = (protocol::close::INTERNAL, "the room has ended");
                        self.queue.push(Outgoing::Close { code, reason });
                    }
                    return Box::pin(goodbye(&mut stream)).await;
                }
                () = wait_for(&mut expired) => {
                    self.queue.end(protocol::close::UNAUTHORIZED, "the token has expired");
                    return Box::pin(goodbye(&mut stream)).await;
                }
                denied = wait_for(&mut denied) => {
                    self.queue.end(denied.close_code(), denied.reason());
                    return Box::pin(goodbye(&mut stream)).await;
                }
                frame = stream.next() => Some(frame),
                () = &mut silence => None,
            };
            if self.reassembly.expire(now() as u64, FRAGMENT_AGE_MS) > 0 {
                self.count_pieces(0);
            }
            match frame {
                Some(Some(Ok(frame))) => {
                    self.traffic.whole();
                    if !self.frame(frame).await {
                        return;
                    }
                    if let Some(wait) = self.pace.take() {
                        Box::pin(sleep(wait)).await;
                    }
                }
                Some(Some(Err(error))) if is_too_large(&error) => {
                    // What a plain client's provider shows to people: it would come again and again without a word.
                    let limit = self.settings.max_sync_bytes;
                    let reason =
                        format!("what this client sends at once is larger than the server takes ({limit} bytes)");
                    let said = Bytes::from(Message::AuthDenied(&reason).to_frame());
                    if !self.durable {
                        self.queue.push(Outgoing::Frame(said));
                    }
                    let (code, reason) = (protocol::close::TOO_LARGE, "the frame is too large");
                    self.queue.push(Outgoing::Close { code, reason });
                    // The rest of the frame is not read, and a socket closed on it would take the reason along.
                    return Box::pin(sleep(CLOSE_WAIT)).await;
                }
                Some(Some(Err(_)) | None) => {
                    if let Some(limit) = self.traffic.over() {
                        self.over(limit);
                        return Box::pin(sleep(CLOSE_WAIT)).await;
                    }
                    return;
                }
                // A large frame may be on its way slowly: any received byte is a sign of life (F30).
                None => match limit.checked_sub(self.traffic.since_read()) {
                    Some(left) if !left.is_zero() => silence.as_mut().reset(Instant::now() + left),
                    _ => return self.queue.end(protocol::close::GOING_AWAY, "nothing was heard for two heartbeats"),
                },
            }
        }
    }

    /// False: the connection is over.
    async fn frame(&mut self, frame: Frame) -> bool {
        match frame {
            Frame::Binary(bytes) => self.binary(bytes).await,
            Frame::Text(text) => {
                self.text(&text);
                true
            }
            Frame::Ping(_) | Frame::Pong(_) => true,
            Frame::Close(_) => false,
        }
    }

    async fn binary(&mut self, bytes: Bytes) -> bool {
        // Answered here, so that a room waiting for its database does not seem dead.
        if *bytes == *Message::Ping.to_frame() {
            self.queue.push(Outgoing::Frame(Bytes::from(Message::Pong.to_frame())));
            return true;
        }
        let mut whole = None;
        if let Some(Ok(Message::Fragment { id, index, count, bytes: piece })) = protocol::messages(&bytes).next() {
            let now = now() as u64;
            if !self.count_pieces(piece.len()) {
                return false;
            }
            match self.reassembly.take(now, id, index, count, piece) {
                Ok(Some(frame)) => {
                    whole = Some(Bytes::from(frame));
                    self.count_pieces(0);
                }
                Ok(None) => return true,
                Err(error) => {
                    self.rooms.shared().metrics.bad_frames.inc();
                    tracing::debug!(conn = self.conn, %error, "fragment");
                    let (code, reason) = match error {
                        FragmentError::OutOfOrder { .. } => {
                            (protocol::close::INTERNAL, "a piece of a frame is missing")
                        }
                        _ => (protocol::close::TOO_LARGE, "fragments that do not fit together"),
                    };
                    self.queue.end(code, reason);
                    return false;
                }
            }
        }
        self.room.frame(self.conn, whole.unwrap_or(bytes)).await
    }

    /// Counts what the pieces hold, and that much more. False: it is too much, and the connection ends.
    fn count_pieces(&mut self, more: usize) -> bool {
        let counted = self.traffic.pieces(self.reassembly.held() + more);
        counted.inspect_err(|limit| self.over(*limit)).is_ok()
    }

    /// What this connection has on its way is more than it may hold.
    fn over(&self, limit: Limit) {
        self.rooms.shared().metrics.limit_hit(limit);
        tracing::info!(conn = self.conn, limit = limit.label(), "unfinished frames");
        self.queue.end(protocol::close::INTERNAL, "too many large frames are on their way");
    }

    /// Only a ping of an older client means anything.
    fn text(&self, text: &str) {
        #[derive(Deserialize)]
        struct Text<'a> {
            r#type: &'a str,
        }
        match serde_json::from_str::<Text<'_>>(text) {
            Ok(Text { r#type: "ping" }) => self.queue.push(Outgoing::Text(r#"{"type":"pong"}"#)),
            _ => self.rooms.shared().metrics.bad_frames.inc(),
        }
    }
}

struct ConnectionWriter<S> {
    sink: S,
    heartbeat: Duration,
    durable: bool,
    traffic: Arc<Traffic>,
    metrics: Arc<Metrics>,
    deflate: Deflate,
}

impl<S: Outbound> ConnectionWriter<S> {
    async fn run(mut self, mut end: SendQueueEnd) {
        let keepalive = if self.durable { Message::Ping.to_frame() } else { Message::Awareness(&[0]).to_frame() };
        let keepalive = Bytes::from(keepalive);
        let mut beat = interval_at(Instant::now() + self.heartbeat, self.heartbeat);
        let ending = end.ending();
        loop {
            // What sending takes is taken while something is sent: most connections are idle most of the time.
            let sent = tokio::select! {
                biased;
                (code, reason) = ending.told() => Sent::Then(code, reason),
                outgoing = end.next() => match outgoing {
                    // It may have been ended since it was asked.
                    None => ending.get().map_or(Sent::Then(protocol::close::NORMAL, ""), |(code, reason)| Sent::Then(code, reason)),
                    Some(outgoing) => Box::pin(self.send_or_end(outgoing, &mut end, &ending)).await,
                },
                _ = beat.tick() => Box::pin(self.beat(keepalive.clone())).await,
            };
            match sent {
                Sent::Yes => {}
                Sent::No => break,
                Sent::Then(code, reason) => {
                    let frame = Frame::Close(Some(CloseFrame { code, reason: reason.into() }));
                    let _ = Box::pin(timeout(CLOSE_WAIT, self.sink.send(frame))).await;
                    break;
                }
            }
        }
        if matches!(ending.get(), Some((protocol::close::SLOW, _))) {
            self.metrics.slow_peers.inc();
        }
    }

    async fn send_or_end(&mut self, outgoing: Outgoing, end: &mut SendQueueEnd, ending: &Ending) -> Sent {
        tokio::select! {
            biased;
            // A close frame would come after bytes that do not move.
            (code, _) = ending.told() => if code == protocol::close::SLOW { Sent::No } else { Sent::Then(code, "") },
            sent = self.send(outgoing, end) => sent,
        }
    }

    async fn beat(&mut self, keepalive: Bytes) -> Sent {
        let frames = async {
            self.sink.feed(Frame::Binary(keepalive)).await?;
            // Answered by every WebSocket implementation by itself.
            self.sink.feed(Frame::Ping(Bytes::new())).await?;
            self.sink.flush().await
        };
        stalling(frames, &self.traffic).await
    }

    /// Sends this and what else is queued, flushing once.
    async fn send(&mut self, first: Outgoing, end: &mut SendQueueEnd) -> Sent {
        let mut next = Some(first);
        while let Some(outgoing) = next {
            let sent = match outgoing {
                Outgoing::Frame(bytes) => self.feed(bytes).await,
                Outgoing::Large { id, frame } => self.feed_pieces(id, &frame).await,
                Outgoing::Text(text) => stalling(self.sink.feed(Frame::Text(text.into())), &self.traffic).await,
                Outgoing::Close { code, reason } => Sent::Then(code, reason),
            };
            match sent {
                Sent::Yes => {}
                other => return other,
            }
            next = end.try_next();
        }
        stalling(self.sink.flush(), &self.traffic).await
    }
}

impl<S: Outbound> ConnectionWriter<S> {
    async fn feed(&mut self, bytes: Bytes) -> Sent {
        let bytes = self.deflate.frame(bytes).await;
        self.metrics.bytes_sent.inc_by(bytes.len() as u64);
        stalling(self.sink.feed(Frame::Binary(bytes)), &self.traffic).await
    }

    /// One piece at a time: a slow connection holds no second copy of the whole.
    async fn feed_pieces(&mut self, id: u64, frame: &[u8]) -> Sent {
        for piece in protocol::fragments(frame, id) {
            match self.feed(Bytes::from(piece)).await {
                Sent::Yes => {}
                other => return other,
            }
        }
        Sent::Yes
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    use tokio_tungstenite::tungstenite::Error;
    let mut source = Some(error as &dyn std::error::Error);
    while let Some(error) = source {
        if matches!(error.downcast_ref(), Some(Error::Capacity(_))) {
            return true;
        }
        source = error.source();
    }
    false
}

enum Sent {
    Yes,
    No,
    Then(u16, &'static str),
}

/// Waits for a write as long as bytes move.
async fn stalling(write: impl Future<Output = Result<(), axum::Error>>, traffic: &Traffic) -> Sent {
    let mut write = std::pin::pin!(write);
    let mut written = traffic.written();
    loop {
        match timeout(WRITE_STALL, &mut write).await {
            Ok(Ok(())) => return Sent::Yes,
            Ok(Err(_)) => return Sent::No,
            Err(_) if traffic.written() != written => written = traffic.written(),
            Err(_) => return Sent::No,
        }
    }
}

/// Reads on until the peer has answered our close frame: a socket closed with bytes unread may take the frame along.
async fn goodbye(stream: &mut impl Inbound) {
    let drain = async { while let Some(Ok(_)) = stream.next().await {} };
    let _ = timeout(CLOSE_WAIT, drain).await;
}
