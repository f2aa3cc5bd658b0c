//! The listening socket: TCP without delay, what moves over each connection, and an end for those that ask nothing.
//!
//! A socket that has not become a WebSocket and was not answered anything for [`PATIENCE`] is closed, so that nobody
//! holds file descriptors by opening connections, or by sending requests letter by letter. Sockets beyond the limit
//! wait in the kernel until others have ended.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};

use crate::allowance::Share;
use crate::limit::Limit;
use crate::lock::lock;

/// How long a connection may be without an answer, as long as it is no WebSocket.
const PATIENCE: Duration = Duration::from_secs(120);
/// Sockets beside the WebSockets: for requests, and for those to be told that there are too many.
pub const SPARE_SOCKETS: usize = 256;

/// What moved over a connection: signs of life below the level of messages.
#[derive(Debug)]
pub struct Traffic {
    opened: Instant,
    last_read_ms: AtomicU64,
    written: AtomicU64,
    is_socket: AtomicBool,
    /// Of a WebSocket: what its unfinished frames hold.
    share: Mutex<Option<Share>>,
    /// It was read no further, for a limit.
    over: Mutex<Option<Limit>>,
    pub peer: Option<SocketAddr>,
}

impl Traffic {
    fn new(peer: Option<SocketAddr>) -> Self {
        Self {
            opened: Instant::now(),
            last_read_ms: AtomicU64::new(0),
            written: AtomicU64::new(0),
            is_socket: false.into(),
            share: Mutex::default(),
            over: Mutex::default(),
            peer,
        }
    }

    /// Of a connection that has no socket of its own: it lives by requests.
    pub fn of_requests() -> Self {
        Self::new(None)
    }

    /// Something of it came: a sign of life.
    pub fn touched(&self) {
        self.last_read_ms.store(self.opened.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// So many bytes are on their way out.
    pub fn wrote(&self, count: usize) {
        self.written.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// It is read no further, for a limit.
    pub fn exceeded(&self, limit: Limit) {
        *lock(&self.over) = Some(limit);
    }

    /// Since anything was received.
    pub fn since_read(&self) -> Duration {
        self.opened.elapsed().saturating_sub(Duration::from_millis(self.last_read_ms.load(Ordering::Relaxed)))
    }

    /// It is a WebSocket from now on, with heartbeats that end it. What its unfinished frames hold is counted in `share`.
    pub fn upgraded(&self, share: Share) {
        *lock(&self.share) = Some(share);
        self.is_socket.store(true, Ordering::Relaxed);
    }

    /// It is over: what it held is given back, whoever still knows of it.
    pub fn ended(&self) {
        lock(&self.share).take();
    }

    /// A message arrived whole.
    pub fn whole(&self) {
        if let Some(share) = lock(&self.share).as_mut() {
            share.whole();
        }
    }

    /// A frame in pieces holds so much by now.
    pub fn pieces(&self, bytes: usize) -> Result<(), Limit> {
        lock(&self.share).as_mut().map_or(Ok(()), |share| share.pieces(bytes))
    }

    /// The limit for which it is read no further.
    pub fn over(&self) -> Option<Limit> {
        *lock(&self.over)
    }

    fn received(&self, bytes: usize) -> Result<(), Limit> {
        let received = lock(&self.share).as_mut().map_or(Ok(()), |share| share.received(bytes));
        if let Err(limit) = received {
            self.exceeded(limit);
        }
        received
    }

    /// Bytes sent so far.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }
}

/// A [`Traffic`], as what is known of a connection.
#[derive(Debug, Clone)]
pub struct PeerTraffic(pub Arc<Traffic>);

impl Connected<IncomingStream<'_, CountingListener>> for PeerTraffic {
    fn connect_info(stream: IncomingStream<'_, CountingListener>) -> Self {
        Self(Arc::clone(&stream.io().traffic))
    }
}

pub struct CountingListener {
    listener: TcpListener,
    places: Arc<Semaphore>,
}

impl CountingListener {
    /// `max`: WebSockets; sockets for requests come on top.
    pub fn new(listener: TcpListener, max: usize) -> Self {
        let places = (max + SPARE_SOCKETS).min(Semaphore::MAX_PERMITS);
        Self { listener, places: Arc::new(Semaphore::new(places)) }
    }
}

impl Listener for CountingListener {
    type Io = CountingStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        // It is never closed, so this cannot fail.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // Small messages are what this server is for.
        let _ = stream.set_nodelay(true);
        let traffic = Arc::new(Traffic::new(Some(address)));
        let silence = Some(Box::pin(sleep(PATIENCE)));
        (CountingStream { stream, traffic, silence, answered: 0, _place: place }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

pub struct CountingStream {
    stream: TcpStream,
    traffic: Arc<Traffic>,
    /// When to look whether it was answered anything. None for a WebSocket: until it is over, it would keep the whole task
    /// that took the request, to wake it.
    silence: Option<Pin<Box<Sleep>>>,
    answered: u64,
    _place: Option<OwnedSemaphorePermit>,
}

impl CountingStream {
    /// Whether this one holds a socket for nothing. Wakes the reader when it is time to look again.
    fn is_idle(&mut self, cx: &mut Context<'_>) -> bool {
        if self.traffic.is_socket.load(Ordering::Relaxed) {
            self.silence = None;
        }
        let Some(silence) = &mut self.silence else { return false };
        while silence.as_mut().poll(cx).is_ready() {
            let written = self.traffic.written();
            if written == self.answered {
                return true;
            }
            self.answered = written;
            silence.as_mut().reset(tokio::time::Instant::now() + PATIENCE);
        }
        false
    }

    fn wrote(&self, result: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(count)) = result {
            self.traffic.wrote(*count);
        }
    }
}

impl AsyncRead for CountingStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buf);
        if result.is_pending() && self.is_idle(cx) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let came = buf.filled().len() - before;
        if came > 0 {
            if self.traffic.received(came).is_err() {
                return Poll::Ready(Err(io::ErrorKind::QuotaExceeded.into()));
            }
            self.traffic.touched();
        }
        result
    }
}

impl AsyncWrite for CountingStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(&result);
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
