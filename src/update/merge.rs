//! Merging updates without a document.

use std::borrow::Cow;

use yrs::encoding::read::Error;

use super::SplitError;
use super::split::Block;
use crate::protocol::lib0::{Lib0Reader, var_uint};

/// So many updates are merged at once. yrs sorts what it merges by a comparison that is no order: where one update has
/// as a block what another has as garbage of a deleted parent, each comes before the other. A sort of more than twenty
/// elements then panics; in a shorter one either comes first, and either is right.
const AT_ONCE: usize = 16;

/// [`yrs::merge_updates_v1`], of any number of updates.
///
/// # Errors
/// If one of them does not decode.
pub fn merge<B: AsRef<[u8]>>(updates: impl IntoIterator<Item = B>) -> Result<Vec<u8>, Error> {
    let updates: Vec<B> = updates.into_iter().collect();
    let mut merged = together(&updates)?;
    while merged.len() > 1 {
        merged = together(&merged)?;
    }
    Ok(merged.pop().unwrap_or_else(|| vec![0, 0]))
}

fn together<B: AsRef<[u8]>>(updates: &[B]) -> Result<Vec<Vec<u8>>, Error> {
    let all = |updates: &[B]| {
        let tidied = updates.iter().map(|update| tidied(update.as_ref()));
        yrs::merge_updates_v1(tidied.collect::<Vec<_>>())
    };
    updates.chunks(AT_ONCE).map(all).collect()
}

/// The update with one gap in the place of several in a row, and without clients that have no structs: yrs recurses for
/// each of these.
fn tidied(update: &[u8]) -> Cow<'_, [u8]> {
    match untidy(update) {
        Ok(true) => tidy(update).map_or(Cow::Borrowed(update), Cow::Owned),
        // yrs decides about what cannot be read here.
        _ => Cow::Borrowed(update),
    }
}

fn untidy(update: &[u8]) -> Result<bool, SplitError> {
    let mut reader = Lib0Reader::new(update);
    for _ in 0..reader.var_uint()? {
        let count = reader.var_uint()?;
        reader.var_uint()?;
        reader.var_uint()?;
        let mut gap = false;
        for _ in 0..count {
            let is_skip = Block::read(&mut reader)?.is_skip();
            if is_skip && gap {
                return Ok(true);
            }
            gap = is_skip;
        }
        if count == 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

fn tidy(update: &[u8]) -> Result<Vec<u8>, SplitError> {
    const SKIP: u8 = 10;
    let mut reader = Lib0Reader::new(update);
    let (mut sections, mut kept) = (Vec::new(), 0);
    for _ in 0..reader.var_uint()? {
        let count = reader.var_uint()?;
        let (client, clock) = (reader.var_uint()?, reader.var_uint()?);
        let (mut structs, mut bytes, mut gap) = (0, Vec::new(), 0);
        for at in 0..=count {
            let start = update.len() - reader.remaining();
            let block = if at < count { Some(Block::read(&mut reader)?) } else { None };
            if let Some(block) = block.as_ref().filter(|block| block.is_skip()) {
                gap += block.len;
                continue;
            }
            if gap > 0 {
                bytes.push(SKIP);
                var_uint(&mut bytes, std::mem::take(&mut gap));
                structs += 1;
            }
            if block.is_some() {
                bytes.extend_from_slice(update.get(start..update.len() - reader.remaining()).unwrap_or_default());
                structs += 1;
            }
        }
        if structs > 0 {
            kept += 1;
            [structs, client, clock].into_iter().for_each(|number| var_uint(&mut sections, number));
            sections.extend(bytes);
        }
    }
    let mut out = Vec::new();
    var_uint(&mut out, kept);
    out.extend(sections);
    out.extend_from_slice(update.get(update.len() - reader.remaining()..).unwrap_or_default());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use yrs::{Doc, ReadTxn, StateVector, Transact, XmlFragment, XmlTextPrelim};

    use super::*;

    /// Edits of a document of blocks, and its states in between: what was in a block that is gone is garbage there.
    fn history(rng: &mut fastrand::Rng) -> (Vec<Vec<u8>>, Doc) {
        let doc = Doc::with_client_id(1);
        let root = doc.get_or_insert_xml_fragment("content");
        let mut updates = Vec::new();
        for at in 0..60 {
            let mut txn = doc.transact_mut();
            let blocks = root.len(&txn);
            match rng.u8(..3) {
                0 if blocks > 0 => root.remove_range(&mut txn, rng.u32(..blocks), 1),
                _ => drop(root.insert(&mut txn, rng.u32(..=blocks), XmlTextPrelim::new(format!("block {at}")))),
            }
            updates.push(txn.encode_update_v1());
            if rng.u8(..3) == 0 {
                updates.push(txn.encode_state_as_update_v1(&StateVector::default()));
            }
        }
        (updates, doc)
    }

    #[test]
    fn blocks_and_their_garbage_in_any_order() {
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..100 {
            let (mut updates, doc) = history(&mut rng);
            rng.shuffle(&mut updates);
            let merged = merge(&updates).unwrap();
            let copy = Doc::with_client_id(2);
            let mut intake = crate::update::Intake::default();
            intake.apply(&copy, &merged, crate::update::Limits::NEW, &mut |_| {}).unwrap();
            let state = |doc: &Doc| doc.transact().encode_state_as_update_v1(&StateVector::default());
            assert_eq!(state(&copy), state(&doc));
        }
    }

    /// Gaps behind gaps and clients without structs are what they are as one and none, and yrs does not call itself for each.
    #[test]
    fn many_gaps_in_a_row() {
        let mut gaps = vec![1];
        let count = 200_000;
        [count + 2, 7, 0].into_iter().for_each(|number| var_uint(&mut gaps, number));
        gaps.extend([4, 1, 1, b'r', 1, b'a']);
        gaps.extend([10, 1].repeat(count as usize));
        gaps.extend([4, 1, 1, b'r', 1, b'b', 0]);
        let mut none = Vec::new();
        var_uint(&mut none, count);
        (0..count).for_each(|client| [0, client, 0].into_iter().for_each(|number| var_uint(&mut none, number)));
        none.push(0);
        let merged = merge([&gaps, &none]).unwrap();
        let expected = merge([[1, 1, 7, 0, 4, 1, 1, b'r', 1, b'a', 0]]).unwrap();
        assert_eq!(merge([&expected, &merged]).unwrap(), merged);
        assert!(merged.len() < 40, "{} bytes", merged.len());
    }

    #[test]
    fn of_none_and_of_one() {
        assert_eq!(merge(Vec::<Vec<u8>>::new()).unwrap(), [0, 0]);
        assert_eq!(merge([[0, 0]]).unwrap(), [0, 0]);
        assert!(merge([[1, 2]]).is_err());
    }
}
