//! UTF-16 offsets in UTF-8 strings.

use super::error::OpError;

pub fn len(text: &str) -> u32 {
    let (mut rest, mut units) = (text.as_bytes(), 0);
    loop {
        let plain = ascii(rest);
        units += plain as u32;
        let Some((&byte, more)) = rest[plain..].split_first() else { return units };
        // One for each character, and another for those of four bytes.
        units += u32::from(byte & 0xc0 != 0x80) + u32::from(byte >= 0xf0);
        rest = more;
    }
}

/// How many bytes are ASCII before the first that is not. Eight at a time: documents are ASCII for the most part.
fn ascii(bytes: &[u8]) -> usize {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let (words, _) = bytes.as_chunks();
    let plain = 8 * words.iter().take_while(|word| u64::from_le_bytes(**word) & HIGH == 0).count();
    plain + bytes[plain..].iter().take_while(|byte| byte.is_ascii()).count()
}

/// The byte at a UTF-16 offset in a text of `len` units. Offsets inside a surrogate pair have none.
pub(in crate::slate) fn byte_at(text: &str, len: u32, offset: u32) -> Result<usize, OpError> {
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
    let bytes = text.as_bytes();
    let (mut at, mut left) = (0, offset);
    while at < bytes.len() {
        let plain = ascii(&bytes[at..bytes.len().min(at + left as usize)]);
        at += plain;
        left -= plain as u32;
        let Some(byte) = bytes.get(at).filter(|_| left > 0) else { return Ok(at) };
        let (size, units) = match byte {
            0xf0.. => (4, 2),
            0xe0.. => (3, 1),
            _ => (2, 1),
        };
        left = left.checked_sub(units).ok_or(OpError::InsideSurrogatePair(offset))?;
        at += size;
    }
    Ok(text.len())
}

/// The largest valid offset not above `offset`.
pub(in crate::slate) fn floor(text: &str, len: u32, offset: u32) -> u32 {
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

    #[test]
    fn f11_offsets_are_as_the_standard_library_counts() {
        let mut rng = fastrand::Rng::with_seed(7);
        for _ in 0..500 {
            let text: String =
                (0..rng.usize(..40)).map(|_| rng.choice(['a', 'b', 'c', 'ä', '“', '😀']).unwrap()).collect();
            let n = text.encode_utf16().count() as u32;
            assert_eq!(len(&text), n);
            let mut starts = vec![None; n as usize + 1];
            let mut at = 0;
            for (byte, c) in text.char_indices() {
                starts[at] = Some(byte);
                at += c.len_utf16();
            }
            starts[at] = Some(text.len());
            let found: Vec<_> = (0..=n).map(|offset| byte_at(&text, n, offset).ok()).collect();
            assert_eq!(found, starts, "{text}");
        }
    }
}
