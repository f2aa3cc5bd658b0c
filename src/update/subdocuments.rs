//! Subdocuments as they were written. yrs 0.28 knows some of their options and forgets the others, such as `meta`. Here
//! they are put back into what yrs writes, by the ids of the structs that hold the subdocuments.

use std::collections::HashMap;

use super::split::{Block, SplitError};
use crate::protocol::lib0::Lib0Reader;

/// Client and clock of a struct, and its content: a guid and options.
#[derive(Debug, Default)]
pub(super) struct Subdocuments(HashMap<(u64, u64), Box<[u8]>>);

impl Subdocuments {
    /// Notes the subdocuments of an update. The first content of an id counts.
    pub fn note(&mut self, update: &[u8]) {
        // An update that cannot be read was not taken either.
        let _ = walk(update, |id, block, _| {
            if block.is_doc() {
                self.0.entry(id).or_insert_with(|| block.content.into());
            }
        });
    }

    /// The update with subdocuments as they were written.
    pub fn restore(&self, update: Vec<u8>) -> Vec<u8> {
        if self.0.is_empty() {
            return update;
        }
        let mut out = Vec::with_capacity(update.len());
        let mut copied = 0;
        let walked = walk(&update, |id, block, end| {
            if let Some(written) = self.0.get(&id).filter(|written| block.is_doc() && ***written != *block.content) {
                out.extend_from_slice(update.get(copied..end - block.content.len()).unwrap_or_default());
                out.extend_from_slice(written);
                copied = end;
            }
        });
        if walked.is_err() || copied == 0 {
            return update;
        }
        out.extend_from_slice(update.get(copied..).unwrap_or_default());
        out
    }
}

/// Each struct of an update with its id, and where it ends.
fn walk(update: &[u8], mut each: impl FnMut((u64, u64), &Block<'_>, usize)) -> Result<(), SplitError> {
    let mut reader = Lib0Reader::new(update);
    for _ in 0..reader.var_uint()? {
        let count = reader.var_uint()?;
        let (client, mut clock) = (reader.var_uint()?, reader.var_uint()?);
        for _ in 0..count {
            let block = Block::read(&mut reader)?;
            each((client, clock), &block, update.len() - reader.remaining());
            clock = clock.saturating_add(block.len);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use yrs::updates::decoder::Decode;
    use yrs::{ClientID, Doc, Map, Options, ReadTxn, StateVector, Text, Transact, Update};

    use super::super::{Intake, Limits};

    /// As Yjs writes a subdocument with `meta`: a map's entry between two texts.
    fn written() -> Vec<u8> {
        let doc = Doc::with_client_id(7);
        let (text, map) = (doc.get_or_insert_text("text"), doc.get_or_insert_map("map"));
        let inside = Doc::with_options(Options::with_guid_and_client_id("inside".into(), ClientID::new(9)));
        text.insert(&mut doc.transact_mut(), 0, "before");
        map.insert(&mut doc.transact_mut(), "inside", inside);
        text.insert(&mut doc.transact_mut(), 6, " and after");
        let plain = doc.transact().encode_state_as_update_v1(&StateVector::default());
        let at = plain.windows(7).position(|bytes| bytes == b"\x06inside").map(|at| at + 7).expect("a guid");
        let at = plain[at..].windows(7).position(|bytes| bytes == b"\x06inside").map_or(at, |next| at + next + 7);
        let mut reader = crate::protocol::lib0::Lib0Reader::new(&plain[at..]);
        super::super::split::any(&mut reader, 8).expect("options");
        let end = plain.len() - reader.remaining();
        let options = [&[118, 2][..], b"\x04meta", &[118, 1, 1, b'a', 125, 1], b"\x08autoLoad", &[120]].concat();
        [&plain[..at], &options, &plain[end..]].concat()
    }

    #[test]
    fn f55_a_subdocument_keeps_what_the_library_does_not_know() {
        let written = written();
        assert!(Update::decode_v1(&written).is_ok());
        let mut received = written.clone();
        // From copy to copy, as a document goes from server to server.
        for _ in 0..2 {
            let (doc, mut intake) = (Doc::with_client_id(1), Intake::default());
            intake.apply(&doc, &received, Limits::NEW, &mut |_| ()).expect("it is taken");
            let plain = doc.transact().encode_state_as_update_v1(&StateVector::default());
            assert_ne!(plain, written, "the library keeps it: this mends nothing");
            received = intake.include(plain).expect("a state");
            assert_eq!(received, written);
        }
    }
}
