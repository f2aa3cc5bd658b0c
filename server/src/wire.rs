//! lib0's variable-length encoding, as far as the server needs it beyond `slate_yrs::protocol`.

/// A cursor over bytes; None where they do not fit.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub fn var_uint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..56).step_by(7) {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    pub fn buf(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.var_uint()?).ok()?;
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    pub fn str(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.buf()?).ok()
    }
}

pub fn var_uint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub fn buf(out: &mut Vec<u8>, bytes: &[u8]) {
    var_uint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Whether this is a message of Hocuspocus' protocol: the document's name, then what y-websocket sends without it, or a token.
pub fn is_hocuspocus(frame: &[u8]) -> bool {
    const TYPES: u64 = 10;
    let mut reader = Reader::new(frame);
    let name = reader.str().filter(|name| !name.is_empty() && !name.chars().any(char::is_control));
    name.is_some() && reader.var_uint().is_some_and(|kind| kind < TYPES)
}
