//! Reaching the server: reasons to try now, and what is known of why there is no connection.

use crate::protocol::close::{self, Meaning};

use super::connection::{HURRIED, Link, Opening, OpeningStep, PeerProtocol};
use super::network::Network;
use super::stage::Stage;
use super::types::{ErrorCode, Millis};

/// Somebody who is back makes a waiting session try now, if the last try is older than this.
const TRY_AGAIN: Millis = 2_000;
/// The same for somebody who types.
const TRY_TYPING: Millis = 5_000;
/// A socket that was silent this long may be dead since before the page was left.
const QUIET: Millis = 5_000;

impl Network {
    /// A hint, not a fact: `online` is a reason to try now, and either is a reason to ask whether the server is there.
    /// Returns what [`Network::probe`] returns.
    pub fn hint(&mut self, now: Millis, online: bool, stage: &mut Stage) -> bool {
        match &self.link {
            Link::Waiting { .. } if online => self.open(now, false, stage),
            Link::Open(live) if live.mode != PeerProtocol::Unknown => return self.probe_soon(now, stage),
            _ => {}
        }
        false
    }

    /// The answer shall come within a moment, whatever the server's own pace is.
    fn probe_soon(&mut self, now: Millis, stage: &mut Stage) -> bool {
        if let Some(live) = self.link.live_mut() {
            live.hurry(HURRIED);
        }
        self.probe(now, stage)
    }

    /// Somebody is back at the page. A connection from before may have died while the page was frozen or hidden.
    /// Returns what [`Network::probe`] returns.
    pub fn awake(&mut self, now: Millis, stage: &mut Stage) -> bool {
        match &self.link {
            Link::Waiting { .. } if self.retries.tried_before(now, TRY_AGAIN) => self.open(now, false, stage),
            Link::Opening(Opening { step: OpeningStep::Server, since }) if now.saturating_sub(*since) >= QUIET => {
                self.drop_socket(close::NORMAL, stage);
                self.open(now, false, stage);
            }
            Link::Open(live) if live.mode != PeerProtocol::Unknown && now.saturating_sub(live.heard_at) >= QUIET => {
                return self.probe_soon(now, stage);
            }
            _ => {}
        }
        false
    }

    /// Somebody types: a reason to try now.
    pub fn typing(&mut self, now: Millis, stage: &mut Stage) {
        if matches!(self.link, Link::Waiting { .. }) && self.retries.tried_before(now, TRY_TYPING) {
            self.open(now, false, stage);
        }
    }

    pub fn dialing(&mut self, now: Millis) {
        if let Link::Opening(opening) = &mut self.link {
            // The server has its time from here on.
            *opening = Opening { since: now, step: OpeningStep::Server };
        }
    }

    pub fn slow_token(&mut self, stage: &mut Stage) {
        if let Link::Opening(opening) = &mut self.link {
            opening.step = OpeningStep::SlowToken;
            stage.unreachable(ErrorCode::Unauthorized, "token() has not answered for 10 s".to_owned());
        }
    }
}

/// There is no connection. Browsers do not tell why.
pub(super) fn not_reached(code: u16, what: &str, stage: &mut Stage) {
    if close::meaning(code) != Meaning::Retry {
        return;
    }
    let message = format!(
        "no connection to the server ({code}): {what}. It may be down, may have nothing at this address, or the \
         page may not connect to it (Content-Security-Policy)"
    );
    stage.unreachable(ErrorCode::Protocol, message);
}
