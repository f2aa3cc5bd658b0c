//! Client ids that are too large for where yrs keeps them, and state vectors that claim more clients than they have.

use yrs::StateVector;
use yrs::encoding::read::Error;
use yrs::updates::decoder::Decode as _;

use super::split::{Block, SplitError};
use crate::protocol::DecodeError;
use crate::protocol::lib0::Lib0Reader;

/// Reads a state vector. yrs reserves memory for as many clients as a state vector claims to have, before it reads
/// them.
///
/// # Errors
/// If it cannot be read.
pub fn state_vector(bytes: &[u8]) -> Result<StateVector, Error> {
    let mut reader = Lib0Reader::new(bytes);
    let count = reader.var_uint().map_err(|_| Error::EndOfBuffer(1))?;
    // Each takes a byte for the client and one for the clock, at least.
    if count > reader.remaining() as u64 / 2 {
        return Err(Error::EndOfBuffer(reader.remaining()));
    }
    for _ in 0..2 * count {
        reader.var_uint().map_err(|_| Error::UnexpectedValue)?;
    }
    StateVector::decode_v1(bytes)
}

/// Whether an update has a number above 2^53 - 1, which no Yjs client can write. yrs keeps 53 bits of a client id, so that
/// 2^60 + 8 would be read as 8. Other bytes that are no update have none.
pub fn has_wide_client(update: &[u8]) -> bool {
    matches!(each_number(update), Err(SplitError::Malformed(DecodeError::NumberTooLarge)))
}

fn each_number(update: &[u8]) -> Result<(), SplitError> {
    let mut reader = Lib0Reader::new(update);
    for _ in 0..reader.var_uint()? {
        let count = reader.var_uint()?;
        reader.var_uint()?;
        reader.var_uint()?;
        for _ in 0..count {
            Block::read(&mut reader)?;
        }
    }
    for _ in 0..reader.var_uint()? {
        reader.var_uint()?;
        for _ in 0..reader.var_uint()? {
            reader.var_uint()?;
            reader.var_uint()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::lib0::var_uint;

    /// "x" in the root "r", by this client; right of what is by that one, if there is any.
    fn letter(client: u64, origin: Option<u64>) -> Vec<u8> {
        let mut out = vec![1, 1];
        var_uint(&mut out, client);
        out.push(0);
        match origin {
            None => out.extend([4, 1, 1, b'r']),
            Some(origin) => {
                out.push(0x84);
                var_uint(&mut out, origin);
                out.push(0);
            }
        }
        out.extend([1, b'x', 0]);
        out
    }

    #[test]
    fn ids_of_more_than_53_bits_are_seen_wherever_they_stand() {
        let widest = (1 << 53) - 1;
        assert!(!has_wide_client(&letter(widest, None)));
        assert!(!has_wide_client(&letter(8, Some(widest))));
        for wide in [widest + 1, (1 << 60) + 8, u64::MAX] {
            assert!(has_wide_client(&letter(wide, None)));
            assert!(has_wide_client(&letter(8, Some(wide))));
            let mut deletion = vec![0, 1];
            var_uint(&mut deletion, wide);
            deletion.extend([1, 0, 1]);
            assert!(has_wide_client(&deletion));
            let mut vector = vec![1];
            var_uint(&mut vector, wide);
            vector.push(1);
            assert!(state_vector(&vector).is_err());
        }
        assert!(!has_wide_client(b"no update"));
    }
}
