//! UTF-16 offsets in UTF-8 strings.

use super::error::OpError;

pub fn len(text: &str) -> u32 {
    if text.is_ascii() { text.len() as u32 } else { text.chars().map(|c| c.len_utf16() as u32).sum() }
}

/// The byte at a UTF-16 offset in a text of `len` units. Offsets inside a surrogate pair have none.
pub(super) fn byte_at(text: &str, len: u32, offset: u32) -> Result<usize, OpError> {
    if offset > len {
        return Err(OpError::OutOfRange { offset, len });
    }
    // As many units as bytes: ASCII only.
    if len as usize == text.len() {
        return Ok(offset as usize);
    }
    if offset == len {
        return Ok(text.len());
    }
    let mut units = 0;
    for (at, c) in text.char_indices() {
        if units == offset {
            return Ok(at);
        }
        units += c.len_utf16() as u32;
        if units > offset {
            return Err(OpError::InsideSurrogatePair(offset));
        }
    }
    Ok(text.len())
}

/// The largest valid offset not above `offset`.
pub(super) fn floor(text: &str, len: u32, offset: u32) -> u32 {
    let offset = offset.min(len);
    match byte_at(text, len, offset) {
        Err(_) => offset - 1,
        Ok(_) => offset,
    }
}

/// From one offset to another; `None` outside the text or inside a surrogate pair.
pub fn slice(text: &str, from: u32, to: u32) -> Option<&str> {
    let len = len(text);
    text.get(byte_at(text, len, from).ok()?..byte_at(text, len, to).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f11_offsets_count_utf16_units() {
        let text = "a“😀b";
        let n = len(text);
        assert_eq!(n, 5);
        let bytes: Vec<_> = (0..=5).map(|offset| byte_at(text, n, offset).ok()).collect();
        assert_eq!(bytes, [Some(0), Some(1), Some(4), None, Some(8), Some(9)]);
        assert_eq!(byte_at(text, n, 3), Err(OpError::InsideSurrogatePair(3)));
        assert_eq!(byte_at(text, n, 6), Err(OpError::OutOfRange { offset: 6, len: 5 }));
        assert_eq!((floor(text, n, 3), floor(text, n, 4), floor(text, n, 9)), (2, 4, 5));
    }
}
