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

    /// The state of a document with a block, and without it: what was in the block is garbage then.
    fn before_and_after() -> (Vec<u8>, Vec<u8>) {
        let doc = Doc::with_client_id(1);
        let root = doc.get_or_insert_xml_fragment("content");
        let state = || doc.transact().encode_state_as_update_v1(&StateVector::default());
        root.push_back(&mut doc.transact_mut(), XmlTextPrelim::new("a block"));
        let before = state();
        root.remove_range(&mut doc.transact_mut(), 0, 1);
        (before, state())
    }

    #[test]
    fn a_block_and_its_garbage_in_any_order() {
        let (before, after) = before_and_after();
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..200 {
            let updates: Vec<&Vec<u8>> = (0..60).map(|_| if rng.bool() { &before } else { &after }).collect();
            let merged = merge(&updates).unwrap();
            let doc = Doc::with_client_id(2);
            crate::update::Intake::default().apply(&mut doc.transact_mut(), &merged).unwrap();
            assert_eq!(doc.transact().encode_state_as_update_v1(&StateVector::default()), after);
        }
    }

    #[test]
    fn of_none_and_of_one() {
        assert_eq!(merge(Vec::<Vec<u8>>::new()).unwrap(), [0, 0]);
        assert_eq!(merge([[0, 0]]).unwrap(), [0, 0]);
        assert!(merge([[1, 2]]).is_err());
    }
}
