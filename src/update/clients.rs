//! Client ids that do not fit where they are kept, and more of them than there can be.

use yrs::StateVector;
use yrs::encoding::read::Error;
use yrs::updates::decoder::Decode as _;

use super::split::{Block, Parent, SplitError};
use crate::protocol::lib0::Lib0Reader;

/// Reads a state vector. yrs makes room for as many clients as it says to have, before it looks how many there are.
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
    StateVector::decode_v1(bytes)
}

/// Whether an update names a client id above 2^32 - 1. No Yjs client has one; yrs keeps 32 bits of it, so that 2^33 + 8
/// would be read as 8. Bytes that are no update name none.
pub fn has_wide_client(update: &[u8]) -> bool {
    let mut is_wide = false;
    // What comes before bytes that cannot be read counts all the same.
    let _ = each_client(update, |client| is_wide |= client > u64::from(u32::MAX));
    is_wide
}

fn each_client(update: &[u8], mut see: impl FnMut(u64)) -> Result<(), SplitError> {
    let mut reader = Lib0Reader::new(update);
    for _ in 0..reader.var_uint()? {
        let count = reader.var_uint()?;
        see(reader.var_uint()?);
        reader.var_uint()?;
        for _ in 0..count {
            let block = Block::read(&mut reader)?;
            let parent = match block.parent {
                Some(Parent::Item(id)) => Some(id),
                _ => None,
            };
            [block.origin, block.right_origin, parent].into_iter().flatten().for_each(|(client, _)| see(client));
        }
    }
    for _ in 0..reader.var_uint()? {
        see(reader.var_uint()?);
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
    fn ids_of_more_than_32_bits_are_seen_wherever_they_stand() {
        let widest = u64::from(u32::MAX);
        assert!(!has_wide_client(&letter(widest, None)));
        assert!(!has_wide_client(&letter(8, Some(widest))));
        for wide in [widest + 1, (1 << 33) + 8, 1 << 52] {
            assert!(has_wide_client(&letter(wide, None)));
            assert!(has_wide_client(&letter(8, Some(wide))));
            let mut deletion = vec![0, 1];
            var_uint(&mut deletion, wide);
            deletion.extend([1, 0, 1]);
            assert!(has_wide_client(&deletion));
        }
        assert!(!has_wide_client(b"no update"));
    }
}
