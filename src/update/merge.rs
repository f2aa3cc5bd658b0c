//! Merging updates without a document.

use yrs::encoding::read::Error;

/// yrs sorts what it merges by an order that is none: where one update has as a block what another has as garbage of a
/// deleted parent, each comes before the other. Sorts of more than twenty then panic; of fewer, either comes first, which
/// is as well.
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
    updates.chunks(AT_ONCE).map(yrs::merge_updates_v1).collect()
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
            crate::update::Intake::default().apply(&mut copy.transact_mut(), &merged).unwrap();
            let state = |doc: &Doc| doc.transact().encode_state_as_update_v1(&StateVector::default());
            assert_eq!(state(&copy), state(&doc));
        }
    }

    #[test]
    fn of_none_and_of_one() {
        assert_eq!(merge(Vec::<Vec<u8>>::new()).unwrap(), [0, 0]);
        assert_eq!(merge([[0, 0]]).unwrap(), [0, 0]);
        assert!(merge([[1, 2]]).is_err());
    }
}
