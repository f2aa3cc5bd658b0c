//! What a module is written in: sections, numbers and names of https://webassembly.github.io/spec/core/binary/.

use anyhow::{Context, Result, ensure};

/// Bytes before the first section.
pub const HEADER: usize = 8;
pub const CUSTOM: u8 = 0;
pub const IMPORTS: u8 = 2;
pub const CODE: u8 = 10;

pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn byte(&mut self) -> Result<u8> {
        let (byte, rest) = self.0.split_first().context("it is cut off")?;
        self.0 = rest;
        Ok(*byte)
    }

    pub fn number(&mut self) -> Result<u32> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.byte()?;
            ensure!(shift < 35, "a number is too long");
            number |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return u32::try_from(number).context("a number is too large");
            }
        }
    }

    pub fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.number()? as usize;
        let (bytes, rest) = self.0.split_at_checked(length).context("it is cut off")?;
        self.0 = rest;
        Ok(bytes)
    }

    pub fn text(&mut self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()?).context("a name is no text")
    }
}

pub fn put_number(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u32);
    out.extend_from_slice(bytes);
}
