//! Bytes → messages.

use std::str;

use thiserror::Error;

use super::{Hello, Message, RejectCode, tag};

/// Why a frame could not be read. Messages before the bad one were still returned.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    #[error("the frame ends inside a message")]
    Truncated,
    #[error("a number exceeds 53 bits")]
    NumberTooLarge,
    #[error("text is not UTF-8")]
    NotUtf8,
    #[error("unknown message type {0}")]
    UnknownMessage(u64),
    #[error("unknown kind {1} of message type {0}")]
    UnknownKind(u64, u64),
    #[error("hello is not the JSON it must be")]
    Hello,
}

/// The messages of one frame, in order. After an error the iterator is at its end.
pub struct Messages<'a> {
    rest: Reader<'a>,
}

/// Reads the messages of a frame.
pub fn messages(frame: &[u8]) -> Messages<'_> {
    Messages { rest: Reader::new(frame) }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let result = message(&mut self.rest);
        if result.is_err() {
            self.rest = Reader::new(&[]);
        }
        Some(result)
    }
}

fn message<'a>(reader: &mut Reader<'a>) -> Result<Message<'a>, DecodeError> {
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

/// A cursor over borrowed bytes in lib0's encoding.
#[derive(Clone)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What is left.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// How many bytes are left.
    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn byte(&mut self) -> Result<u8, DecodeError> {
        let (first, rest) = self.bytes.split_first().ok_or(DecodeError::Truncated)?;
        self.bytes = rest;
        Ok(*first)
    }

    /// LEB128, at most 53 bits: what a JavaScript number holds exactly.
    pub(crate) fn var_uint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0u64;
        for shift in (0..56).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return if value < 1 << 53 { Ok(value) } else { Err(DecodeError::NumberTooLarge) };
            }
        }
        Err(DecodeError::NumberTooLarge)
    }

    pub(crate) fn buf(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = usize::try_from(self.var_uint()?).map_err(|_| DecodeError::Truncated)?;
        self.take(length)
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or(DecodeError::Truncated)?;
        self.bytes = rest;
        Ok(taken)
    }

    pub(crate) fn str(&mut self) -> Result<&'a str, DecodeError> {
        str::from_utf8(self.buf()?).map_err(|_| DecodeError::NotUtf8)
    }
}
