//! The wire: y-websocket messages and the durable-sync extension, as in `docs/PROTOCOL.md`.
//!
//! Owns bytes ⇄ [`Message`]. Decoders are total: any bytes give messages or a [`DecodeError`], never a panic, and no
//! length taken from the wire is trusted before the bytes are there. What an update contains is not looked at here.

mod decode;
mod encode;
mod fragment;
mod hello;

/// lib0's encoding, for what travels inside the messages.
pub(crate) mod lib0 {
    pub(crate) use super::decode::Reader;
    pub(crate) use super::encode::{buf, var_uint};
}

pub use decode::{DecodeError, Messages, messages};
pub use fragment::{FRAGMENT_BYTES, FragmentError, Reassembly, fragments, fragments_of};
pub use hello::{Hello, Role};

/// The version of the durable-sync extension spoken here; the `version` of [`Hello`].
pub const VERSION: u32 = 1;

pub(crate) mod tag {
    pub const SYNC: u64 = 0;
    pub const AWARENESS: u64 = 1;
    pub const AUTH: u64 = 2;
    pub const QUERY_AWARENESS: u64 = 3;
    pub const HELLO: u64 = 120;
    pub const SUBMIT: u64 = 121;
    pub const ACK: u64 = 122;
    pub const REJECT: u64 = 123;
    pub const SEED: u64 = 124;
    pub const FRAGMENT: u64 = 125;
    pub const PING: u64 = 126;
    pub const PONG: u64 = 127;
}

/// One message. Byte fields borrow from the frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Message<'a> {
    /// Sync step 1: the sender's state vector, Yjs v1 encoding.
    SyncStep1(&'a [u8]),
    /// Sync step 2: what the receiver of a step 1 lacks, as one update.
    SyncStep2(&'a [u8]),
    Update(&'a [u8]),
    /// An awareness update: see [`crate::awareness`].
    Awareness(&'a [u8]),
    /// Permission denied, with the server's reason.
    AuthDenied(&'a str),
    QueryAwareness,
    /// The first frame of a slate-yrs server.
    Hello(Hello),
    /// An update that wants a durable acknowledgement. `seq` counts from 1 per epoch and client session, without gaps.
    Submit {
        seq: u64,
        update: &'a [u8],
    },
    /// Everything up to `seq` is committed to the server's database.
    Ack {
        seq: u64,
    },
    Reject {
        seq: u64,
        code: RejectCode,
        message: &'a str,
    },
    /// Apply only if the document has no content; answered by `Ack { seq: 0 }`.
    Seed(&'a [u8]),
    /// Piece `index` of `count` of a frame too large to go in one.
    Fragment {
        id: u64,
        index: u64,
        count: u64,
        bytes: &'a [u8],
    },
    Ping,
    Pong,
}

/// Why the server will not store an update. The client sets it aside; it never drops it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectCode {
    Invalid,
    TooLarge,
    ReadOnly,
    RateLimited,
    /// A code of a later server.
    Other,
}

impl RejectCode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::TooLarge => "too-large",
            Self::ReadOnly => "read-only",
            Self::RateLimited => "rate-limited",
            Self::Other => "other",
        }
    }

    fn parse(code: &str) -> Self {
        match code {
            "invalid" => Self::Invalid,
            "too-large" => Self::TooLarge,
            "read-only" => Self::ReadOnly,
            "rate-limited" => Self::RateLimited,
            _ => Self::Other,
        }
    }
}

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
