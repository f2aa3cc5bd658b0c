//! Reaching the server: reasons to try now, and what is known of why there is no connection.

use crate::protocol::close::{self, Meaning};

use super::connection::{HURRIED, Link, Opening, OpeningStep, PeerProtocol};
use super::{ErrorCode, Millis, Session, SessionError};

/// Somebody who is back makes a waiting session try now, if the last try is older than this.
const TRY_AGAIN: Millis = 2_000;
/// The same for somebody who types.
const TRY_TYPING: Millis = 5_000;
/// A socket that was silent this long may be dead since before the page was left.
const QUIET: Millis = 5_000;

impl Session {
    /// A hint, not a fact: online is a reason to try now, offline a reason to ask whether the server is there.
    pub(super) fn network_hint(&mut self, online: bool) {
        match &self.link {
            Link::Waiting { .. } if online => self.open_socket(),
            Link::Open(live) if live.mode != PeerProtocol::Unknown => self.probe_soon(),
            _ => {}
        }
    }

    /// The answer shall come within a moment, whatever the server's own pace is.
    fn probe_soon(&mut self) {
        let Some(live) = self.link.live_mut() else { return };
        live.hurry(HURRIED);
        self.probe();
    }

    /// Somebody is back at the page: what went on while it was frozen or hidden is no measure.
    pub(super) fn awake(&mut self) {
        let now = self.now;
        match &self.link {
            Link::Waiting { .. } if self.retries.tried_before(now, TRY_AGAIN) => self.open_socket(),
            Link::Opening(Opening { step: OpeningStep::Server, since }) if now.saturating_sub(*since) >= QUIET => {
                self.drop_socket(close::NORMAL);
                self.open_socket();
            }
            Link::Open(live) if live.mode != PeerProtocol::Unknown && now.saturating_sub(live.heard_at) >= QUIET => {
                self.probe_soon();
            }
            _ => {}
        }
    }

    /// Somebody types, and would have it on the server.
    pub(super) fn typing(&mut self) {
        if matches!(self.link, Link::Waiting { .. }) && self.retries.tried_before(self.now, TRY_TYPING) {
            self.open_socket();
        }
    }

    pub(super) fn dialing(&mut self) {
        if let Link::Opening(opening) = &mut self.link {
            // The server has its time from here on.
            *opening = Opening { since: self.now, step: OpeningStep::Server };
        }
    }

    pub(super) fn slow_token(&mut self) {
        if let Link::Opening(opening) = &mut self.link {
            opening.step = OpeningStep::SlowToken;
            self.say_unreachable(ErrorCode::Unauthorized, "token() has not answered for 10 s".to_owned());
        }
    }

    /// There is no connection. Browsers do not tell why.
    pub(super) fn not_reached(&mut self, code: u16, what: &str) {
        if close::meaning(code) != Meaning::Retry {
            return;
        }
        let message = format!(
            "no connection to the server ({code}): {what}. It may be down, may have nothing at this address, or the \
             page may not connect to it (Content-Security-Policy)"
        );
        self.say_unreachable(ErrorCode::Protocol, message);
    }

    /// In the status, until there is a connection. Without an event, which would come with every try.
    pub(super) fn say_unreachable(&mut self, code: ErrorCode, message: String) {
        self.unreachable = Some(SessionError { code, message });
    }
}
