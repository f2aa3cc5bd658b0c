//! The connection: one state, when to try again, when a silent socket is dead.
//!
//! Owns no socket and sends nothing: [`Link`] says what there is, the session acts on it. The browser's events are
//! hints to it. Backoff is reset by an acknowledgement, or by a sync that held for a while, and by nothing else.

use std::collections::VecDeque;

use crate::protocol::{Hello, Reassembly, Role};

use super::types::{Connection, Millis};

/// How long the token callback may take, and then opening the socket.
const OPEN_TIMEOUT: Millis = 30_000;
/// A token that takes longer is reported in the status.
const SLOW_TOKEN: Millis = 10_000;
/// How long a server may take to answer after the browser has said that the network is gone.
pub(super) const HURRIED: Millis = 2_000;
/// A plain server is probed after this much silence, plus up to [`PROBE_JITTER`].
const PLAIN_SILENCE: Millis = 15_000;
const PROBE_JITTER: Millis = 10_000;
/// How long a probe of a plain server may stay unanswered.
const PLAIN_PATIENCE: Millis = 15_000;
/// How long the first frame may take.
const HANDSHAKE_PATIENCE: Millis = 30_000;
/// Bytes of unfinished fragments held at most.
const REASSEMBLY_BYTES: usize = 128 << 20;
/// Unfinished fragments are forgotten after this much silence.
pub(super) const FRAGMENT_AGE: Millis = 60_000;

/// The connection of a session.
#[derive(Debug)]
pub(super) enum Link {
    Offline(Why),
    Waiting {
        retry_at: Millis,
    },
    Opening(Opening),
    Open(Box<Live>),
    Unauthorized,
    Forbidden,
    /// The server's document is of a format that this engine does not know.
    Outdated,
    Closed,
}

/// Why there is no connection, and none is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// The local copy is not loaded yet.
    Loading,
    NoServer,
    ByUser,
    /// The server's document is another one.
    Conflict,
}

/// A socket that is to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Opening {
    pub since: Millis,
    pub step: OpeningStep,
}

/// What opening it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OpeningStep {
    Token,
    /// The same, and the status says that it takes long.
    SlowToken,
    Server,
}

/// An open socket.
#[derive(Debug)]
pub(super) struct Live {
    pub mode: PeerProtocol,
    pub synced: bool,
    /// When the last frame came.
    pub heard_at: Millis,
    /// When something was sent that has to be answered.
    pub probed_at: Option<Millis>,
    silence: Millis,
    pub reassembly: Reassembly,
    pub last_fragment_id: u64,
    /// Our sync step 1s that are not answered. Each has the seq up to which everything was sent before it.
    pub asked: VecDeque<u64>,
    /// Seq up to which everything was sent on this connection.
    pub sent_through: u64,
    /// The last seq that was pending when the connection came up.
    pub offline_through: u64,
    pub largest_sent: usize,
    /// The server's step 1. It is not answered before it is known whether this engine may write into the server's
    /// document.
    pub step_1: Option<Vec<u8>>,
    /// The largest frame since everything was answered, and when it was sent.
    pub unanswered: Option<(usize, Millis)>,
    /// The probe has to be answered within this time, instead of the usual one.
    hurried: Option<Millis>,
}

/// Who is at the other end.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum PeerProtocol {
    /// No frame has come yet.
    Unknown,
    /// A server that acknowledges: it said hello.
    Durable(Hello),
    /// Any other y-websocket server. `covered`: on this connection it was sent all that the outbox has. `ask_at`: when
    /// to ask whether that has arrived.
    Plain { covered: bool, ask_at: Option<Millis> },
}

/// What a deadline asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Retry,
    /// The socket does not open, or is dead.
    Dead,
    /// The token is slow to come.
    Slow,
    /// Send something that has to be answered.
    Probe,
    /// Ask a plain server whether it has what it was sent.
    Ask,
}

impl Live {
    pub fn new(now: Millis, jitter: f64) -> Self {
        Self {
            mode: PeerProtocol::Unknown,
            synced: false,
            heard_at: now,
            probed_at: Some(now),
            silence: PLAIN_SILENCE + (jitter * PROBE_JITTER as f64) as Millis,
            reassembly: Reassembly::new(REASSEMBLY_BYTES),
            last_fragment_id: 0,
            asked: VecDeque::new(),
            sent_through: 0,
            offline_through: 0,
            largest_sent: 0,
            step_1: None,
            unanswered: None,
            hurried: None,
        }
    }

    /// A frame of this size is sent.
    pub fn sending(&mut self, now: Millis, size: usize) {
        self.largest_sent = self.largest_sent.max(size);
        if self.unanswered.is_none_or(|(largest, _)| size >= largest) {
            self.unanswered = Some((size, now));
        }
    }

    /// The next probe, or the one that is under way, has to be answered within this time.
    pub fn hurry(&mut self, within: Millis) {
        self.hurried = Some(within);
    }

    /// Any received byte is a sign of life.
    pub fn heard(&mut self, now: Millis) {
        self.heard_at = now;
        self.probed_at = None;
        self.hurried = None;
    }

    pub fn hello(&self) -> Option<&Hello> {
        match &self.mode {
            PeerProtocol::Durable(hello) => Some(hello),
            PeerProtocol::Unknown | PeerProtocol::Plain { .. } => None,
        }
    }

    /// How long the server may be silent before it is probed, and how long a probe may stay unanswered.
    fn limits(&self) -> (Millis, Millis) {
        match &self.mode {
            PeerProtocol::Unknown => (HANDSHAKE_PATIENCE, HANDSHAKE_PATIENCE),
            PeerProtocol::Durable(hello) => {
                let heartbeat = Millis::from(hello.heartbeat_ms.clamp(1_000, 120_000));
                (heartbeat, heartbeat)
            }
            PeerProtocol::Plain { .. } => (self.silence, PLAIN_PATIENCE),
        }
    }

    fn deadline(&self, patience_factor: Millis) -> (Millis, Due) {
        let (silence, patience) = self.limits();
        let life = match self.probed_at {
            Some(at) => (at + self.hurried.unwrap_or(patience * patience_factor), Due::Dead),
            None => (self.heard_at + silence, Due::Probe),
        };
        match self.mode {
            PeerProtocol::Plain { ask_at: Some(at), .. } if at < life.0 => (at, Due::Ask),
            _ => life,
        }
    }
}

impl Link {
    pub fn live(&self) -> Option<&Live> {
        match self {
            Self::Open(live) => Some(live),
            _ => None,
        }
    }

    pub fn live_mut(&mut self) -> Option<&mut Live> {
        match self {
            Self::Open(live) => Some(live),
            _ => None,
        }
    }

    /// Whether the driver has a socket, or is opening one.
    pub fn has_socket(&self) -> bool {
        matches!(self, Self::Opening(_) | Self::Open(_))
    }

    /// A server has shown what it is.
    pub fn is_online(&self) -> bool {
        self.live().is_some_and(|live| live.mode != PeerProtocol::Unknown)
    }

    pub fn is_read_only(&self) -> bool {
        self.live().and_then(Live::hello).is_some_and(|hello| hello.role != Role::ReadWrite)
    }

    pub fn is_synced(&self) -> bool {
        self.live().is_some_and(|live| live.synced)
    }

    pub fn shown(&self) -> Connection {
        match self {
            Self::Offline(Why::Loading) | Self::Opening(_) => Connection::Connecting,
            Self::Offline(_) | Self::Waiting { .. } => Connection::Offline,
            Self::Open(live) if live.mode == PeerProtocol::Unknown => Connection::Connecting,
            Self::Open(_) => Connection::Online,
            Self::Unauthorized => Connection::Unauthorized,
            Self::Forbidden | Self::Outdated => Connection::Forbidden,
            Self::Closed => Connection::Closed,
        }
    }

    /// The next deadline.
    pub fn deadline(&self, retries: &Retries) -> Option<(Millis, Due)> {
        match self {
            Self::Waiting { retry_at } => Some((*retry_at, Due::Retry)),
            Self::Opening(Opening { since, step: OpeningStep::Token }) => Some((since + SLOW_TOKEN, Due::Slow)),
            Self::Opening(Opening { since, .. }) => Some((since + OPEN_TIMEOUT, Due::Dead)),
            Self::Open(live) => Some(live.deadline(retries.patience_factor())),
            Self::Offline(_) | Self::Unauthorized | Self::Forbidden | Self::Outdated | Self::Closed => None,
        }
    }
}

/// What is remembered from one try to the next.
#[derive(Debug, Default)]
pub(super) struct Retries {
    /// Tries since something was acknowledged, or a sync held.
    attempt: u32,
    /// Connections that fell silent since the last sync. A large sync over a slow line looks like silence, so each
    /// connection is given more time than the one before.
    silent: u32,
    /// The token was refused, and none was accepted since.
    refused: bool,
    /// Of the connection there is, or was.
    synced_at: Option<Millis>,
    /// When the last try was begun.
    tried_at: Millis,
}

/// A sync that holds this long is a success.
const HELD: Millis = 10_000;

/// What to do about a token that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenRefusal {
    AskAgain,
    /// It was accepted a moment ago: another one may be accepted, too, and for as short a time.
    AskLater,
    Stop,
}

impl Retries {
    const FIRST: Millis = 100;
    const LONGEST: Millis = 30_000;

    /// Exponential with full jitter, 0.1 s to 30 s; `random` in 0..1.
    pub fn next_delay(&mut self, random: f64) -> Millis {
        let ceiling = Self::FIRST.checked_shl(self.attempt.min(16)).unwrap_or(Self::LONGEST).min(Self::LONGEST);
        self.attempt = self.attempt.saturating_add(1);
        (random * ceiling as f64) as Millis
    }

    pub fn tries(&mut self, now: Millis) {
        self.tried_at = now;
    }

    /// Whether the last try was begun at least this long ago.
    pub fn tried_before(&self, now: Millis, ago: Millis) -> bool {
        now.saturating_sub(self.tried_at) >= ago
    }

    pub fn synced(&mut self, now: Millis) {
        self.silent = 0;
        self.refused = false;
        self.synced_at = Some(now);
    }

    /// The server has acknowledged something.
    pub fn acknowledged(&mut self) {
        self.attempt = 0;
    }

    /// The connection has ended. Returns whether it had held for a while.
    pub fn ended(&mut self, now: Millis) -> bool {
        let held = self.synced_at.take().is_some_and(|at| now.saturating_sub(at) >= HELD);
        if held {
            self.attempt = 0;
        }
        held
    }

    pub fn fell_silent(&mut self) {
        self.silent = self.silent.saturating_add(1);
    }

    fn patience_factor(&self) -> Millis {
        1 << self.silent.min(4)
    }

    /// The server refuses the token. Another one is asked for once, unless the last one was accepted.
    pub fn refused(&mut self, now: Millis) -> TokenRefusal {
        let accepted = self.synced_at.is_some();
        match (self.ended(now), accepted) {
            (true, _) => TokenRefusal::AskAgain,
            (false, true) => TokenRefusal::AskLater,
            (false, false) if self.refused => TokenRefusal::Stop,
            (false, false) => {
                self.refused = true;
                TokenRefusal::AskAgain
            }
        }
    }

    /// The application asks to connect: everything remembered is forgotten. Returns whether the last token was refused.
    pub fn restart(&mut self) -> bool {
        std::mem::take(self).refused
    }
}
