//! The layouts that a document may have, and which of them a program knows.
//!
//! A document says its format itself: `format` in the root map `slate-yrs:doc`; without it the format is 0, the layout of
//! `@slate-yjs/core` 1.x. Who does not know a document's format must not write into it.

use std::fmt;

use yrs::{Any, Map as _, Out, ReadTxn, TransactionMut, WriteTxn};

/// Names a layout.
pub type Format = u32;

/// What the engine of this build reads and writes.
pub const FORMATS: KnownFormats = KnownFormats::of(&[0, 1]);

/// What a new document begins in where nobody says otherwise, and nobody is there who would damage it.
pub const DEFAULT_FORMAT: Format = 1;

/// The root of the text, unless it is named otherwise.
pub const DEFAULT_ROOT: &str = "content";

/// Roots of ours, beside that of the text, have names that begin so.
pub const OWN_ROOTS: &str = "slate-yrs:";

/// The root map that says what the document is.
pub const DOC_ROOT: &str = "slate-yrs:doc";

/// The root map that holds comments.
pub const COMMENTS_ROOT: &str = "slate-yrs:comments";

/// The entry of [`DOC_ROOT`] that holds the format.
pub const FORMAT_KEY: &str = "format";

/// What the names of entries in [`DOC_ROOT`] begin with that say what was translated: a client id follows, the value is a clock.
/// Edits of this client below that clock were made for format 0, and what they did was written again as in format 1.
const TRANSLATED: &str = "translated:";

/// The format of a document whose flag is no format: nobody knows it.
pub const UNREADABLE: Format = Format::MAX;

/// A set of formats below 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownFormats(u64);

impl KnownFormats {
    /// Formats from 64 on are left out.
    pub const fn of(formats: &[Format]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < formats.len() {
            if formats[at] < u64::BITS {
                bits |= 1 << formats[at];
            }
            at += 1;
        }
        Self(bits)
    }

    pub const fn knows(self, format: Format) -> bool {
        format < u64::BITS && self.0 & (1 << format) != 0
    }

    /// From small to large.
    pub fn iter(self) -> impl Iterator<Item = Format> {
        (0..u64::BITS).filter(move |format| self.knows(*format))
    }

    /// Numbers with commas between them, as in a query. None if it is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let formats: Result<Vec<Format>, _> = text.split(',').map(str::parse).collect();
        formats.ok().map(|formats| Self::of(&formats))
    }
}

/// As [`KnownFormats::parse`] takes it.
impl fmt::Display for KnownFormats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.iter().map(|format| format.to_string()).collect();
        f.write_str(&numbers.join(","))
    }
}

/// The format of a document.
pub fn format_of<T: ReadTxn>(txn: &T) -> Format {
    match txn.get_map(DOC_ROOT).and_then(|doc| doc.get(txn, FORMAT_KEY)) {
        None => 0,
        Some(Out::Any(Any::Number(number))) => match number.as_f64() {
            Some(number) if number >= 0.0 && number.fract() == 0.0 && number < f64::from(UNREADABLE) => {
                number as Format
            }
            _ => UNREADABLE,
        },
        Some(_) => UNREADABLE,
    }
}

/// Sets the flag.
pub fn set_format(txn: &mut TransactionMut, format: Format) {
    let doc = txn.get_or_insert_map(DOC_ROOT);
    doc.insert(txn, FORMAT_KEY, Any::from(format));
}

/// Notes that the edits of `client` below `clock` were translated.
pub fn note_translated(txn: &mut TransactionMut, client: u64, clock: u32) {
    let doc = txn.get_or_insert_map(DOC_ROOT);
    doc.insert(txn, format!("{TRANSLATED}{client}"), Any::from(clock));
}

/// Below which clock the edits of `client` were translated: they are in the document in another shape.
pub fn translated_of<T: ReadTxn>(txn: &T, client: u64) -> u32 {
    match txn.get_map(DOC_ROOT).and_then(|doc| doc.get(txn, &format!("{TRANSLATED}{client}"))) {
        Some(Out::Any(Any::Number(clock))) => clock.as_f64().map_or(0, |clock| clock as u32),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use yrs::{Doc, Transact};

    use super::*;

    #[test]
    fn formats_are_read_as_they_are_written() {
        let formats = KnownFormats::of(&[0, 1, 63, 64]);
        assert_eq!(formats.to_string(), "0,1,63");
        assert_eq!(KnownFormats::parse("0,1,63"), Some(formats));
        assert!(formats.knows(1) && !formats.knows(2) && !formats.knows(64) && !formats.knows(UNREADABLE));
        assert_eq!(["", "x", "1,", "-1", "1 ,2"].map(KnownFormats::parse), [None; 5]);
    }

    #[test]
    fn a_document_says_its_format() {
        let doc = Doc::with_client_id(1);
        assert_eq!(format_of(&doc.transact()), 0);
        set_format(&mut doc.transact_mut(), 1);
        assert_eq!(format_of(&doc.transact()), 1);
        let map = doc.get_or_insert_map(DOC_ROOT);
        for (odd, read) in [(Any::from(2.0), 2), (Any::from("1"), UNREADABLE), (Any::from(0.5), UNREADABLE)] {
            map.insert(&mut doc.transact_mut(), FORMAT_KEY, odd);
            assert_eq!(format_of(&doc.transact()), read);
        }
        map.remove(&mut doc.transact_mut(), FORMAT_KEY);
        assert_eq!(format_of(&doc.transact()), 0);
    }
}
