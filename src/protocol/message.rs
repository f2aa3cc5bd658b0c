//! [`Message`]: what there is, and its bytes both ways. A new one is added here, and to whoever sends or hears it.

use super::Hello;
use super::lib0::{DecodeError, Lib0Reader, buf, var_uint};

/// What a frame begins with, as a varUint.
pub mod tag {
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
    /// Around another frame; browsers take it off before the engine sees it (`js/inflate.ts`).
    pub const DEFLATED: u64 = 128;
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

    pub(super) fn parse(code: &str) -> Self {
        match code {
            "invalid" => Self::Invalid,
            "too-large" => Self::TooLarge,
            "read-only" => Self::ReadOnly,
            "rate-limited" => Self::RateLimited,
            _ => Self::Other,
        }
    }
}

impl Message<'_> {
    /// Appends the message to `out`. A frame may hold several.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Message::SyncStep1(state_vector) => sync(out, 0, state_vector),
            Message::SyncStep2(update) => sync(out, 1, update),
            Message::Update(update) => sync(out, 2, update),
            Message::Awareness(update) => {
                var_uint(out, tag::AWARENESS);
                buf(out, update);
            }
            Message::AuthDenied(reason) => {
                var_uint(out, tag::AUTH);
                var_uint(out, 0);
                buf(out, reason.as_bytes());
            }
            Message::QueryAwareness => var_uint(out, tag::QUERY_AWARENESS),
            Message::Hello(hello) => {
                var_uint(out, tag::HELLO);
                buf(out, hello.to_json().as_bytes());
            }
            Message::Submit { seq, update } => {
                var_uint(out, tag::SUBMIT);
                var_uint(out, *seq);
                buf(out, update);
            }
            Message::Ack { seq } => {
                var_uint(out, tag::ACK);
                var_uint(out, *seq);
            }
            Message::Reject { seq, code, message } => {
                var_uint(out, tag::REJECT);
                var_uint(out, *seq);
                buf(out, code.as_str().as_bytes());
                buf(out, message.as_bytes());
            }
            Message::Seed(update) => {
                var_uint(out, tag::SEED);
                buf(out, update);
            }
            Message::Fragment { id, index, count, bytes } => {
                var_uint(out, tag::FRAGMENT);
                var_uint(out, *id);
                var_uint(out, *index);
                var_uint(out, *count);
                buf(out, bytes);
            }
            Message::Ping => var_uint(out, tag::PING),
            Message::Pong => var_uint(out, tag::PONG),
        }
    }

    /// The message as a frame of its own.
    pub fn to_frame(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out);
        out
    }
}

fn sync(out: &mut Vec<u8>, kind: u64, bytes: &[u8]) {
    var_uint(out, tag::SYNC);
    var_uint(out, kind);
    buf(out, bytes);
}

/// The messages of one frame, in order. After an error the iterator is at its end.
pub struct Messages<'a> {
    rest: Lib0Reader<'a>,
}

/// Reads the messages of a frame.
pub fn messages(frame: &[u8]) -> Messages<'_> {
    Messages { rest: Lib0Reader::new(frame) }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let result = message(&mut self.rest);
        if result.is_err() {
            self.rest = Lib0Reader::new(&[]);
        }
        Some(result)
    }
}

fn message<'a>(reader: &mut Lib0Reader<'a>) -> Result<Message<'a>, DecodeError> {
    Ok(match reader.var_uint()? {
        tag::SYNC => match reader.var_uint()? {
            0 => Message::SyncStep1(reader.buf()?),
            1 => Message::SyncStep2(reader.buf()?),
            2 => Message::Update(reader.buf()?),
            kind => return Err(DecodeError::UnknownKind(tag::SYNC, kind)),
        },
        tag::AWARENESS => Message::Awareness(reader.buf()?),
        tag::AUTH => match reader.var_uint()? {
            0 => Message::AuthDenied(reader.str()?),
            kind => return Err(DecodeError::UnknownKind(tag::AUTH, kind)),
        },
        tag::QUERY_AWARENESS => Message::QueryAwareness,
        tag::HELLO => Message::Hello(Hello::from_json(reader.str()?).ok_or(DecodeError::Hello)?),
        tag::SUBMIT => Message::Submit { seq: reader.var_uint()?, update: reader.buf()? },
        tag::ACK => Message::Ack { seq: reader.var_uint()? },
        tag::REJECT => {
            Message::Reject { seq: reader.var_uint()?, code: RejectCode::parse(reader.str()?), message: reader.str()? }
        }
        tag::SEED => Message::Seed(reader.buf()?),
        tag::FRAGMENT => Message::Fragment {
            id: reader.var_uint()?,
            index: reader.var_uint()?,
            count: reader.var_uint()?,
            bytes: reader.buf()?,
        },
        tag::PING => Message::Ping,
        tag::PONG => Message::Pong,
        unknown => return Err(DecodeError::UnknownMessage(unknown)),
    })
}
