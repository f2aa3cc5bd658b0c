//! lib0's encoding of numbers, bytes and texts: what messages are made of, and what travels inside them.

use std::str;

use thiserror::Error;

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

/// So many bytes a number of 53 bits has at most.
const MOST: usize = 8;

/// A cursor over borrowed bytes in lib0's encoding.
#[derive(Clone)]
pub struct Lib0Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Lib0Reader<'a> {
    /// At the beginning of the bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What is left.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.bytes.len()
    }

    /// One byte.
    ///
    /// # Errors
    /// If nothing is left.
    pub fn byte(&mut self) -> Result<u8, DecodeError> {
        let (first, rest) = self.bytes.split_first().ok_or(DecodeError::Truncated)?;
        self.bytes = rest;
        Ok(*first)
    }

    /// LEB128, at most 53 bits: what a JavaScript number holds exactly.
    ///
    /// # Errors
    /// If it is not whole, or larger.
    pub fn var_uint(&mut self) -> Result<u64, DecodeError> {
        // Mostly it is small.
        if let Some((first, rest)) = self.bytes.split_first()
            && *first < 0x80
        {
            self.bytes = rest;
            return Ok(u64::from(*first));
        }
        let mut value = 0u64;
        for (at, byte) in self.bytes.iter().take(MOST).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * at);
            if *byte < 0x80 {
                self.bytes = &self.bytes[at + 1..];
                return if value < 1 << 53 { Ok(value) } else { Err(DecodeError::NumberTooLarge) };
            }
        }
        Err(if self.bytes.len() < MOST { DecodeError::Truncated } else { DecodeError::NumberTooLarge })
    }

    /// Bytes behind their number.
    ///
    /// # Errors
    /// If they are not all there.
    pub fn buf(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = usize::try_from(self.var_uint()?).map_err(|_| DecodeError::Truncated)?;
        self.take(length)
    }

    /// So many bytes.
    ///
    /// # Errors
    /// If they are not all there.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or(DecodeError::Truncated)?;
        self.bytes = rest;
        Ok(taken)
    }

    /// Text behind the number of its bytes.
    ///
    /// # Errors
    /// If it is not all there, or no UTF-8.
    pub fn str(&mut self) -> Result<&'a str, DecodeError> {
        str::from_utf8(self.buf()?).map_err(|_| DecodeError::NotUtf8)
    }
}

/// Appends what [`Lib0Reader::var_uint`] reads.
pub fn var_uint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends what [`Lib0Reader::buf`] reads.
pub fn buf(out: &mut Vec<u8>, bytes: &[u8]) {
    var_uint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}
