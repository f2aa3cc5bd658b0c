//! The bytes of records, as docs/PROTOCOL.md has them.

use slate_yrs::protocol::DecodeError;
use slate_yrs::protocol::lib0::{Lib0Reader, buf, var_uint};

/// A number that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

/// A `varUint` and its size; none if it is not whole.
pub fn read_var_uint(bytes: &[u8]) -> Result<Option<(u64, usize)>, TooLong> {
    let mut reader = Lib0Reader::new(bytes);
    match reader.var_uint() {
        Ok(value) => Ok(Some((value, bytes.len() - reader.remaining()))),
        Err(DecodeError::Truncated) => Ok(None),
        Err(_) => Err(TooLong),
    }
}

/// What goes down beside frames: none of it has a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control<'a> {
    /// Nothing follows in this answer: ask for the next.
    End,
    /// The connection has ended.
    Close { code: u16, reason: &'a str },
    /// Nothing: shows at once that answers come in pieces.
    Begin,
}

impl Control<'_> {
    pub fn write(self, out: &mut Vec<u8>) {
        out.push(0);
        match self {
            Self::End => out.push(0),
            Self::Close { code, reason } => {
                out.push(1);
                var_uint(out, code.into());
                buf(out, reason.as_bytes());
            }
            Self::Begin => out.push(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a JavaScript number holds.
    const MAX: u64 = (1 << 53) - 1;

    #[test]
    fn numbers_come_back_as_they_were_and_are_bounded() {
        for value in [0, 1, 127, 128, 300, 65_535, 1 << 32, MAX] {
            let mut bytes = Vec::new();
            var_uint(&mut bytes, value);
            assert_eq!(read_var_uint(&bytes), Ok(Some((value, bytes.len()))));
            assert_eq!(read_var_uint(&bytes[..bytes.len() - 1]), Ok(None));
        }
        assert_eq!(read_var_uint(&[0xff; 8]), Err(TooLong));
        assert_eq!(read_var_uint(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]), Err(TooLong));
    }
}
