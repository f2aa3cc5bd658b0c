//! The wire: y-websocket messages and the durable-sync extension, as in `docs/PROTOCOL.md`.
//!
//! Owns bytes ⇄ [`Message`]. Decoders are total: any bytes give messages or a [`DecodeError`], never a panic, and no
//! length taken from the wire is trusted before the bytes are there. What an update contains is not looked at here.

mod fragment;
mod hello;
pub mod lib0;
mod message;

pub use fragment::{FRAGMENT_BYTES, FragmentError, Reassembly, fragments, fragments_of};
pub use hello::{Hello, Role};
pub use lib0::DecodeError;
pub use message::{Message, Messages, RejectCode, messages, tag};

/// The version of the durable-sync extension spoken here; the `version` of [`Hello`]. A new message is a new version.
pub const VERSION: u32 = 1;

/// The oldest version that a server may speak. A message that came later is sent to no server of before it.
pub const OLDEST_VERSION: u32 = 1;

/// An update without content. Submitted, it says that nothing else is under its seq or one before it that was not answered.
pub const NOTHING: [u8; 2] = [0, 0];

/// WebSocket close codes, what they mean to a client, and which of them are final.
pub mod close {
    /// A page leaves, a session is closed.
    pub const NORMAL: u16 = 1000;
    pub const GOING_AWAY: u16 = 1001;
    pub const TOO_LARGE: u16 = 1009;
    pub const INTERNAL: u16 = 1011;
    /// Restarting: come again.
    pub const RESTART: u16 = 1012;
    /// The token is missing, wrong or expired: ask for another one.
    pub const UNAUTHORIZED: u16 = 4401;
    pub const FORBIDDEN: u16 = 4403;
    /// The document had another epoch when it was opened here.
    pub const EPOCH: u16 = 4409;
    /// The client speaks another protocol.
    pub const OTHER_PROTOCOL: u16 = 4400;
    /// There is no such document, and the token may make none.
    pub const NO_DOCUMENT: u16 = 4404;
    /// The client does not know the document's format.
    pub const FORMAT: u16 = 4426;
    /// The peer reads too slowly to keep up.
    pub const SLOW: u16 = 4508;

    /// Of a client: nothing came for too long.
    pub const SILENT: u16 = 4509;

    /// What a client does about a close.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Meaning {
        Retry,
        /// Ask for a new token once, then stop.
        Unauthorized,
        /// Final.
        Forbidden,
        /// Final for this client: a newer one is needed.
        Format,
        /// The last frame was too large for the server.
        TooLarge,
    }

    /// 4001 and 4003 are what older backends send for 4401 and 4403.
    pub fn meaning(code: u16) -> Meaning {
        match code {
            UNAUTHORIZED | 4001 => Meaning::Unauthorized,
            FORMAT => Meaning::Format,
            4003 | 4400..=4499 => Meaning::Forbidden,
            TOO_LARGE => Meaning::TooLarge,
            _ => Meaning::Retry,
        }
    }
}

#[cfg(test)]
mod tests;
