//! Walks an update's bytes before the CRDT library sees them.
//!
//! The library's decoder recurses into nested values and reserves memory for lengths it reads; either could end the
//! whole process (a stack overflow and an exhausted machine are not panics). This walk allocates nothing, recurses to
//! a fixed depth, and refuses what no Yjs client writes: client ids over 53 bits, clocks that overflow, kinds of
//! content that other peers could not read. It looks at form only; whether an update fits a document is the CRDT's
//! business.

use thiserror::Error;

/// Nesting of JSON-like values in one update. Slate properties need two or three.
const MAX_DEPTH: u32 = 64;

/// Clocks above this leave no room to go on.
const MAX_CLOCK: u64 = 1 << 31;

/// What a JavaScript number holds exactly, and yrs keeps.
const MAX_CLIENT: u64 = (1 << 53) - 1;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Malformed {
    #[error("the update ends early")]
    Truncated,
    #[error("a number is out of range")]
    NumberTooLarge,
    #[error("a client id has more than 53 bits")]
    Client,
    #[error("a count exceeds the bytes that are left")]
    CountTooLarge,
    #[error("a clock is out of range")]
    Clock,
    #[error("values are nested too deeply")]
    TooDeep,
    #[error("text is not UTF-8")]
    NotUtf8,
    #[error("unknown kind of content: {0}")]
    UnknownContent(u8),
    #[error("unknown shared type: {0}")]
    UnknownType(u8),
    #[error("unknown kind of value: {0}")]
    UnknownValue(u8),
}

/// Checks the form of an update in Yjs' v1 encoding.
pub fn update(bytes: &[u8]) -> Result<(), Malformed> {
    ends(bytes).map(|_| ())
}

/// Of each client in an update, the clock after its last struct. Checks the form as well.
pub fn ends(bytes: &[u8]) -> Result<Vec<(u64, u64)>, Malformed> {
    let mut walk = UpdateWalk { rest: bytes };
    let clients = walk.count(3)?;
    let mut ends = Vec::new();
    for _ in 0..clients {
        let structs = walk.count(1)?;
        let client = walk.client()?;
        let mut clock = walk.clock()?;
        for _ in 0..structs {
            clock += walk.block()?;
            if clock > MAX_CLOCK {
                return Err(Malformed::Clock);
            }
        }
        ends.push((client, clock));
    }
    let clients = walk.count(2)?;
    for _ in 0..clients {
        walk.client()?;
        for _ in 0..walk.count(2)? {
            if walk.clock()? + walk.clock()? > MAX_CLOCK {
                return Err(Malformed::Clock);
            }
        }
    }
    Ok(ends)
}

/// Checks the form of a state vector in Yjs' v1 encoding.
pub fn state_vector(bytes: &[u8]) -> Result<(), Malformed> {
    let mut walk = UpdateWalk { rest: bytes };
    for _ in 0..walk.count(2)? {
        walk.client()?;
        walk.number()?;
    }
    Ok(())
}

struct UpdateWalk<'a> {
    rest: &'a [u8],
}

impl UpdateWalk<'_> {
    fn byte(&mut self) -> Result<u8, Malformed> {
        let (first, rest) = self.rest.split_first().ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(*first)
    }

    fn take(&mut self, length: usize) -> Result<&[u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    /// An unsigned number of at most 32 bits.
    fn number(&mut self) -> Result<u32, Malformed> {
        let mut value = 0u64;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return u32::try_from(value).map_err(|_| Malformed::NumberTooLarge);
            }
        }
        Err(Malformed::NumberTooLarge)
    }

    /// How many of something that takes at least `least` bytes each.
    fn count(&mut self, least: usize) -> Result<usize, Malformed> {
        let count = self.number()? as usize;
        if count > self.rest.len() / least { Err(Malformed::CountTooLarge) } else { Ok(count) }
    }

    fn client(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for shift in (0..56).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return if value <= MAX_CLIENT { Ok(value) } else { Err(Malformed::Client) };
            }
        }
        Err(Malformed::Client)
    }

    fn clock(&mut self) -> Result<u64, Malformed> {
        let clock = u64::from(self.number()?);
        if clock > MAX_CLOCK { Err(Malformed::Clock) } else { Ok(clock) }
    }

    fn id(&mut self) -> Result<(), Malformed> {
        self.client()?;
        self.clock().map(drop)
    }

    fn string(&mut self) -> Result<u64, Malformed> {
        let length = self.number()? as usize;
        let text = std::str::from_utf8(self.take(length)?).map_err(|_| Malformed::NotUtf8)?;
        // UTF-16 units: at most one per byte, so this needs no counting where the exact number is not needed.
        Ok(text.len() as u64)
    }

    /// Returns how far the block advances the clock, at most.
    fn block(&mut self) -> Result<u64, Malformed> {
        const GC: u8 = 0;
        const SKIP: u8 = 10;
        let info = self.byte()?;
        if info == GC || info == SKIP {
            let length = self.clock()?;
            return if length == 0 { Err(Malformed::Clock) } else { Ok(length) };
        }
        let has_origin = info & 0x80 != 0;
        let has_right_origin = info & 0x40 != 0;
        if has_origin {
            self.id()?;
        }
        if has_right_origin {
            self.id()?;
        }
        if !has_origin && !has_right_origin {
            if self.number()? == 1 {
                self.string().map(drop)?
            } else {
                self.id()?
            }
            if info & 0x20 != 0 {
                self.string()?;
            }
        }
        self.content(info & 0x0f)
    }

    fn content(&mut self, kind: u8) -> Result<u64, Malformed> {
        match kind {
            // deleted
            1 => self.clock(),
            // binary
            3 => {
                let length = self.number()? as usize;
                self.take(length).map(|_| 1)
            }
            // text
            4 => self.string(),
            // embed, format: JSON as text, parsed later with a depth limit of its own
            5 => self.string().map(|_| 1),
            6 => {
                self.string()?;
                self.string().map(|_| 1)
            }
            // shared type
            7 => match self.byte()? {
                // array, map, text, fragment, xml text, subdocument, undefined
                0 | 1 | 2 | 4 | 6 | 9 | 15 => Ok(1),
                // xml element: its name
                3 => self.string().map(|_| 1),
                unknown => Err(Malformed::UnknownType(unknown)),
            },
            // JSON-like values
            8 => {
                let count = self.count(1)?;
                for _ in 0..count {
                    self.value(0)?;
                }
                Ok(count as u64)
            }
            // subdocument
            9 => {
                self.string()?;
                self.value(0).map(|()| 1)
            }
            unknown => Err(Malformed::UnknownContent(unknown)),
        }
    }

    fn value(&mut self, depth: u32) -> Result<(), Malformed> {
        if depth >= MAX_DEPTH {
            return Err(Malformed::TooDeep);
        }
        match self.byte()? {
            // undefined, null, false, true
            127 | 126 | 121 | 120 => Ok(()),
            // integer: variable length, at most ten bytes
            125 => {
                for _ in 0..10 {
                    if self.byte()? < 0x80 {
                        return Ok(());
                    }
                }
                Err(Malformed::NumberTooLarge)
            }
            124 => self.take(4).map(drop),
            123 | 122 => self.take(8).map(drop),
            119 => self.string().map(drop),
            118 => {
                for _ in 0..self.count(2)? {
                    self.string()?;
                    self.value(depth + 1)?;
                }
                Ok(())
            }
            117 => {
                for _ in 0..self.count(1)? {
                    self.value(depth + 1)?;
                }
                Ok(())
            }
            116 => {
                let length = self.number()? as usize;
                self.take(length).map(drop)
            }
            unknown => Err(Malformed::UnknownValue(unknown)),
        }
    }
}

#[cfg(test)]
mod tests {
    use yrs::{Any, Array, Doc, Map, ReadTxn, StateVector, Text, Transact, XmlFragment, XmlTextPrelim};

    use super::*;

    fn sample() -> Vec<u8> {
        let doc = Doc::with_client_id(7);
        let text = doc.get_or_insert_text("content");
        let map = doc.get_or_insert_map("map");
        let array = doc.get_or_insert_array("array");
        let xml = doc.get_or_insert_xml_fragment("xml");
        let mut txn = doc.transact_mut();
        text.insert(&mut txn, 0, "Cut to” — 🎬");
        text.format(&mut txn, 0, 3, [("bold".into(), Any::Bool(true))].into());
        text.insert_embed(&mut txn, 2, XmlTextPrelim::new("inner"));
        text.remove_range(&mut txn, 0, 1);
        map.insert(&mut txn, "a", Any::from_json(r#"{"x":[1,2.5,{"y":null}],"z":"s"}"#).unwrap());
        array.push_back(&mut txn, vec![1u8, 2, 3]);
        xml.push_back(&mut txn, yrs::XmlElementPrelim::empty("p"));
        drop(txn);
        doc.transact().encode_diff_v1(&StateVector::default())
    }

    #[test]
    fn what_clients_write_passes() {
        assert_eq!(update(&sample()), Ok(()));
        assert_eq!(update(&[0, 0]), Ok(()));
        assert_eq!(state_vector(&[0]), Ok(()));
    }

    #[test]
    fn cut_short_at_any_place_is_refused() {
        let bytes = sample();
        for end in 0..bytes.len() {
            assert!(update(&bytes[..end]).is_err(), "{end} of {}", bytes.len());
        }
    }

    /// F23: lengths that are not there, nesting without end, clocks past the end.
    #[test]
    fn f23_bombs_are_refused() {
        assert_eq!(update(&[0xff, 0xff, 0xff, 0xff, 0x0f]), Err(Malformed::CountTooLarge));
        assert_eq!(state_vector(&[0xff, 0xff, 0xff, 0x7f]), Err(Malformed::CountTooLarge));
        let mut nested = vec![1, 1, 7, 0, 8, 1, 1, b'r', 1];
        nested.extend([117, 1].repeat(400_000));
        assert_eq!(update(&nested), Err(Malformed::TooDeep));
        // A block of 2^31 units at clock 1.
        assert_eq!(update(&[1, 1, 7, 1, 0, 0x80, 0x80, 0x80, 0x80, 0x08, 0]), Err(Malformed::Clock));
    }

    /// yrs would keep 53 bits of such an id: somebody else's.
    #[test]
    fn client_ids_of_more_than_53_bits_are_refused() {
        // 8 + 2^55, and 8.
        let wide: &[u8] = &[0x88, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40];
        let narrow: &[u8] = &[0x88, 0x80, 0x80, 0x80, 0x00];
        let widest: &[u8] = &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
        let letter = |client: &[u8]| [&[1, 1][..], client, &[0, 4, 1, 1, b'r', 1, b'x', 0]].concat();
        let behind = |client: &[u8]| [&[1, 1, 8, 1, 0x84][..], client, &[0, 1, b'x', 0]].concat();
        let deletion = |client: &[u8]| [&[0, 1][..], client, &[1, 0, 1]].concat();
        for made in [letter as fn(&[u8]) -> Vec<u8>, behind, deletion] {
            assert_eq!(update(&made(wide)), Err(Malformed::Client));
            assert_eq!(update(&made(narrow)), Ok(()));
            assert_eq!(update(&made(widest)), Ok(()));
        }
        assert_eq!(state_vector(&[&[1][..], wide, &[1]].concat()), Err(Malformed::Client));
    }

    #[test]
    fn f23_random_bytes_never_panic() {
        let mut rng = fastrand::Rng::with_seed(1);
        let bytes = sample();
        let mut taken = 0;
        for _ in 0..20_000 {
            let mut broken = bytes.clone();
            for _ in 0..rng.usize(1..5) {
                let at = rng.usize(0..broken.len());
                broken[at] = rng.u8(..);
            }
            taken += usize::from(update(&broken).is_ok());
            let _ = state_vector(&broken);
        }
        // Bytes of the text may be any.
        assert!((100..19_900).contains(&taken), "{taken} of 20000 were taken");
    }
}
