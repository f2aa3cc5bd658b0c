//! The way to the server: the connection, what is known of what it takes, and frames on their way out.
//!
//! Knows nothing of the document: who sends says what. What it wants of the driver goes to the stage, as orders.

use crate::protocol::{self, FRAGMENT_BYTES, Hello, Message, Role};

use super::connection::{FRAGMENT_AGE, Link, Live, Opening, OpeningStep, PeerProtocol, Retries, Why};
use super::stage::Stage;
use super::suspicion::Suspicion;
use super::types::{ErrorCode, Millis, Output};

/// Assumed before a server has said what it takes, bytes.
pub(super) const USUAL_UPDATE_LIMIT: usize = 512 * 1024;
/// Bytes of a frame around an update.
pub(super) const FRAMING: usize = 16;
/// A server that refuses frames smaller than this takes nothing.
const SMALLEST_FRAME: usize = 1024;
/// The smallest limit of updates that is believed.
const SMALLEST_UPDATE: usize = 256;
/// How long to wait after the server was asked too much: doubled each time.
const HOLD_FIRST: Millis = 1_000;
const HOLD_LONGEST: Millis = 30_000;

#[derive(Debug)]
pub(super) struct Network {
    pub link: Link,
    pub retries: Retries,
    /// The largest frame a server has shown to take, where one was refused.
    pub frame_limit: Option<usize>,
    /// The same, where connections that ended only suggest it.
    pub suspicion: Suspicion,
    /// What this user may do, as far as the server has said.
    pub role: Role,
    /// Who this user is to the server, as it has said.
    pub user: Option<String>,
    /// The largest update that is sent; a larger one that cannot be cut is set aside.
    pub aside_limit: usize,
    hold: Hold,
    offline_since: Option<Millis>,
}

/// Submitting waits: the server was asked too much.
#[derive(Debug, Default)]
struct Hold {
    until: Option<Millis>,
    /// How often since something was acknowledged.
    times: u32,
}

impl Network {
    pub fn new() -> Self {
        Self {
            link: Link::Offline(Why::Loading),
            retries: Retries::default(),
            frame_limit: None,
            suspicion: Suspicion::default(),
            role: Role::ReadWrite,
            user: None,
            aside_limit: USUAL_UPDATE_LIMIT,
            hold: Hold::default(),
            offline_since: None,
        }
    }

    /// The server lets this user read only.
    pub fn is_reader(&self) -> bool {
        self.role != Role::ReadWrite
    }

    pub fn hello(&self) -> Option<&Hello> {
        self.link.live().and_then(Live::hello)
    }

    pub fn is_plain(&self) -> bool {
        matches!(self.link.live().map(|live| &live.mode), Some(PeerProtocol::Plain { .. }))
    }

    /// Since when there is no connection, while there is none.
    pub fn offline_since(&self) -> Option<Millis> {
        if self.link.is_online() { None } else { self.offline_since }
    }

    // --- frames

    /// Sends a frame, in fragments where the server takes no larger ones.
    pub fn send(&mut self, now: Millis, frame: Vec<u8>, stage: &mut Stage) {
        let bound = self.frame_bound();
        let Some(live) = self.link.live_mut() else { return };
        let limit = live.hello().map(|hello| (hello.max_frame_bytes as usize).min(bound));
        match limit {
            Some(limit) if frame.len() > limit => {
                live.last_fragment_id += 1;
                let size = FRAGMENT_BYTES.min(limit.saturating_sub(64)).max(1);
                for piece in protocol::fragments_of(&frame, live.last_fragment_id, size) {
                    live.sending(now, piece.len());
                    stage.order(Output::Send(piece));
                }
            }
            _ => {
                live.sending(now, frame.len());
                stage.order(Output::Send(frame));
            }
        }
    }

    /// Asks for what this state vector lacks.
    pub fn request(&mut self, now: Millis, state_vector: &[u8], stage: &mut Stage) {
        let Some(live) = self.link.live_mut() else { return };
        let covered = matches!(live.mode, PeerProtocol::Plain { covered: true, .. });
        live.asked.push_back(if covered { live.sent_through } else { 0 });
        self.send(now, Message::SyncStep1(state_vector).to_frame(), stage);
    }

    /// The socket has been silent: sends a message that every server answers. Returns whether that is a sync step 1,
    /// which the caller has to send.
    pub fn probe(&mut self, now: Millis, stage: &mut Stage) -> bool {
        let Some(live) = self.link.live_mut() else { return false };
        live.probed_at = Some(now);
        if live.hello().is_none() {
            return true;
        }
        self.send(now, Message::Ping.to_frame(), stage);
        false
    }

    /// Whether a plain server is to be asked now how much it has of what it was sent.
    pub fn asks(&mut self) -> bool {
        match self.link.live_mut().map(|live| &mut live.mode) {
            Some(PeerProtocol::Plain { ask_at, .. }) => {
                *ask_at = None;
                true
            }
            _ => false,
        }
    }

    /// A piece of a frame has come. Returns the frame if it was the last.
    pub fn fragment(
        &mut self,
        now: Millis,
        (id, index, count): (u64, u64, u64),
        bytes: &[u8],
        stage: &mut Stage,
    ) -> Option<Vec<u8>> {
        match self.link.live_mut()?.reassembly.take(now, id, index, count, bytes) {
            Ok(frame) => frame,
            Err(error) => {
                stage.report(ErrorCode::Protocol, error.to_string());
                None
            }
        }
    }

    pub fn fragments_deadline(&self) -> Option<Millis> {
        let live = self.link.live()?;
        live.reassembly.progress()?;
        Some(live.heard_at + FRAGMENT_AGE + 1)
    }

    pub fn expire_fragments(&mut self, now: Millis, stage: &mut Stage) {
        if let Some(live) = self.link.live_mut()
            && live.reassembly.expire(now, FRAGMENT_AGE) > 0
        {
            stage.report(ErrorCode::Protocol, "a frame in fragments was never finished");
        }
    }

    // --- what the server takes

    /// The largest frame that is sent: what a server has shown to take, or what the way to it is suspected to let
    /// through.
    pub fn frame_bound(&self) -> usize {
        self.frame_limit.unwrap_or(usize::MAX).min(self.suspicion.limit())
    }

    /// The largest update that fits a frame which a plain server takes.
    pub fn plain_limit(&self) -> usize {
        self.frame_limit.unwrap_or(usize::MAX).saturating_sub(FRAMING)
    }

    /// What a hello says. Returns the largest update that is sent from now on.
    pub fn told(&mut self, hello: &Hello) -> usize {
        let (limit, bound) = (self.frame_limit.unwrap_or(usize::MAX), self.frame_bound());
        self.aside_limit = (hello.max_update_bytes as usize).min(limit).max(SMALLEST_UPDATE);
        self.role = hello.role;
        self.user.clone_from(&hello.user);
        self.aside_limit.min(bound).max(SMALLEST_UPDATE)
    }

    /// The server has closed because of a frame that was too large.
    pub fn too_large(&mut self, stage: &mut Stage) {
        let largest = self.link.live().map_or(0, |live| live.largest_sent);
        let limit = self.frame_limit.unwrap_or(usize::MAX).min(largest) / 2;
        self.frame_limit = Some(limit.max(SMALLEST_FRAME));
        stage.report(ErrorCode::TooLarge, format!("the server does not take a frame of {largest} bytes"));
    }

    /// Everything that was sent has been answered.
    pub fn answered(&mut self) {
        if let Some(live) = self.link.live_mut()
            && live.unanswered.take().is_some_and(|(size, _)| size >= Suspicion::LARGE)
        {
            self.suspicion.cleared();
        }
    }

    /// Seq up to which everything was sent on this connection.
    pub fn sent_here(&self) -> u64 {
        self.link.live().map_or(0, |live| live.sent_through)
    }

    /// The connection has ended: perhaps because of the frame that was on its way, unless the server said why.
    pub fn suspect(&mut self, now: Millis, code: u16, reason: &str, stage: &mut Stage) {
        let unanswered = self.link.live().and_then(|live| live.unanswered);
        if let Some(size) = self.suspicion.closed(now, code, reason, unanswered) {
            let message =
                format!("connections end ({code}) with a frame of {size} bytes on its way: it is sent in pieces");
            stage.report(ErrorCode::TooLarge, message);
        }
    }

    // --- too much was asked

    /// Whether nothing is submitted for now.
    pub fn is_held(&self) -> bool {
        self.hold.until.is_some()
    }

    pub fn held_until(&self) -> Option<Millis> {
        self.hold.until
    }

    pub fn hold_shortly(&mut self, now: Millis) {
        self.hold.until = Some(now + HOLD_FIRST);
    }

    /// Longer each time.
    pub fn hold(&mut self, now: Millis) {
        let wait = HOLD_FIRST.checked_shl(self.hold.times).unwrap_or(HOLD_LONGEST).min(HOLD_LONGEST);
        self.hold.times = (self.hold.times + 1).min(10);
        self.hold.until = Some(now + wait);
    }

    /// Something was acknowledged.
    pub fn takes_again(&mut self) {
        self.hold.times = 0;
    }

    /// Whether waiting is over by now.
    pub fn let_go(&mut self, now: Millis) -> bool {
        self.hold.until.take_if(|at| *at <= now).is_some()
    }

    // --- the socket

    pub fn open(&mut self, now: Millis, fresh_token: bool, stage: &mut Stage) {
        self.retries.tries(now);
        self.link = Link::Opening(Opening { since: now, step: OpeningStep::Token });
        stage.order(Output::OpenSocket { fresh_token });
    }

    /// A server has shown what it is.
    pub fn came_online(&mut self, mode: PeerProtocol, stage: &mut Stage) {
        if let Some(live) = self.link.live_mut() {
            live.mode = mode;
        }
        self.offline_since = None;
        self.hold.until = None;
        stage.unreachable = None;
    }

    pub fn drop_socket(&mut self, code: u16, stage: &mut Stage) {
        if self.link.has_socket() {
            stage.order(Output::CloseSocket { code });
        }
    }

    /// No connection: since now, if it was there until now.
    pub fn lost(&mut self, now: Millis) {
        self.offline_since.get_or_insert(now);
    }

    /// The socket is gone, or will be.
    pub fn gone(&mut self, now: Millis) {
        self.lost(now);
        self.hold.until = None;
    }

    /// Another try after a while; `random` in 0..1.
    pub fn wait_for_retry(&mut self, now: Millis, random: f64) {
        self.retries.ended(now);
        let delay = self.retries.next_delay(random);
        self.link = Link::Waiting { retry_at: now + delay };
    }

    /// Everything that the server's document has is here. Returns the server's step 1 if that could not be answered
    /// yet.
    pub fn synced(&mut self) -> Option<Vec<u8>> {
        let live = self.link.live_mut()?;
        live.synced = true;
        live.step_1.take()
    }

    /// What is pending up to this seq was made before this connection came up.
    pub fn note_offline_changes(&mut self, last: u64) {
        if let Some(live) = self.link.live_mut() {
            live.offline_through = last;
        }
    }
}
