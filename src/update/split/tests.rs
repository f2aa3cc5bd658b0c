use super::*;
use yrs::types::Attrs;
use yrs::updates::decoder::Decode;
use yrs::{Any, Doc, GetString, ReadTxn, StateVector, Text, Transact, Update};

fn apply(updates: &[Vec<u8>]) -> (String, StateVector) {
    let doc = utf16(9);
    let text = doc.get_or_insert_text("content");
    let mut txn = doc.transact_mut();
    for update in updates {
        txn.apply_update(Update::decode_v1(update).unwrap()).unwrap();
    }
    assert!(txn.store().pending_update().is_none());
    (text.get_string(&txn), txn.state_vector())
}

fn utf16(client: u64) -> Doc {
    let id = yrs::ClientID::new(client);
    let options = yrs::Options::with_guid_and_client_id("".into(), id);
    Doc::with_options(yrs::Options { offset_kind: yrs::OffsetKind::Utf16, ..options })
}

/// A piece without content for what is deleted, and an update that still has it: merged they are what both say.
#[test]
fn a_piece_deletes_what_it_holds_no_content_of() {
    let doc = utf16(5);
    let text = doc.get_or_insert_text("content");
    text.insert(&mut doc.transact_mut(), 0, "typed and then erased");
    let full = |doc: &Doc| doc.transact().encode_state_as_update_v1(&StateVector::default());
    let typed = full(&doc);
    text.remove_range(&mut doc.transact_mut(), 5, 16);
    text.insert(&mut doc.transact_mut(), 5, &"!".repeat(200));
    let pieces = split(&full(&doc), 100).unwrap();
    assert!(pieces.len() > 2);
    for piece in &pieces {
        let update = Update::decode_v1(piece).unwrap();
        let dead = update.insertions(true).diff(&update.insertions(false));
        assert!(dead.diff(update.delete_set()).is_empty(), "{update:?}");
    }
    // The piece with the deletions alone tells nothing new to whoever has the others, who need not keep it.
    let others = pieces.into_iter().filter(|piece| piece[0] != 0);
    let kept: Vec<Vec<u8>> = std::iter::once(typed).chain(others).collect();
    let (shown, _) = apply(&[yrs::merge_updates_v1(&kept).unwrap()]);
    assert_eq!(shown, format!("typed{}", "!".repeat(200)));
}

/// F29: the pieces are small enough and together they are the whole, in whatever order they come.
#[test]
fn f29_pieces_are_the_whole() {
    let mut rng = fastrand::Rng::with_seed(29);
    for round in 0..200 {
        let docs: Vec<Doc> = (0..3).map(|_| utf16(rng.u64(1..1 << 32))).collect();
        for _ in 0..40 {
            let doc = &docs[rng.usize(..3)];
            let text = doc.get_or_insert_text("content");
            let map = doc.get_or_insert_map("meta");
            let mut txn = doc.transact_mut();
            let len = text.len(&txn);
            match rng.u8(..6) {
                0 if len > 4 => text.remove_range(&mut txn, rng.u32(..len - 3), rng.u32(1..3)),
                1 if len > 4 => {
                    let attrs = Attrs::from([("bold".into(), Any::from(true))]);
                    text.format(&mut txn, rng.u32(..len - 3), 2, attrs);
                }
                2 => {
                    use yrs::Map;
                    map.insert(&mut txn, "key", Any::from_json(r#"{"a":[1,2.5,null,"x"]}"#).unwrap());
                }
                3 => {
                    text.insert(&mut txn, len, &"long – ünïcode 🎬 ".repeat(rng.usize(1..60)));
                }
                _ => text.insert(&mut txn, 0, "abc"),
            }
            drop(txn);
            let update = doc.transact().encode_state_as_update_v1(&StateVector::default());
            docs[rng.usize(..3)].transact_mut().apply_update(Update::decode_v1(&update).unwrap()).unwrap();
        }
        let whole = docs[0].transact().encode_state_as_update_v1(&StateVector::default());
        let max = rng.usize(200..900);
        let mut pieces = split(&whole, max).unwrap();
        assert!(pieces.iter().all(|piece| piece.len() <= max), "round {round}");
        let expected = apply(std::slice::from_ref(&whole));
        assert!(apply(&pieces) == expected, "round {round}");
        rng.shuffle(&mut pieces);
        // Of pieces that come in no order at all yrs may keep some pending although nothing is missing, until the
        // next update comes.
        pieces.extend_from_within(..);
        assert!(apply(&pieces) == expected, "round {round}, shuffled");
    }
}

#[test]
fn what_cannot_be_cut_is_an_error() {
    let doc = Doc::new();
    use yrs::Map;
    let map = doc.get_or_insert_map("meta");
    map.insert(&mut doc.transact_mut(), "key", "x".repeat(1000));
    let update = doc.transact().encode_state_as_update_v1(&StateVector::default());
    assert!(matches!(split(&update, 500), Err(SplitError::Indivisible(_))));
    assert_eq!(split(&update, 5000).unwrap(), vec![update]);
}

#[test]
fn f23_bad_bytes_are_an_error() {
    let doc = Doc::new();
    let text = doc.get_or_insert_text("content");
    text.insert(&mut doc.transact_mut(), 0, "hello world");
    text.remove_range(&mut doc.transact_mut(), 2, 3);
    let good = doc.transact().encode_state_as_update_v1(&StateVector::default());
    let mut rng = fastrand::Rng::with_seed(1);
    for end in 0..good.len() {
        assert!(split(&good[..end], 100).is_err());
    }
    for _ in 0..20_000 {
        let mut bad = good.clone();
        let at = rng.usize(..bad.len());
        bad[at] = rng.u8(..);
        let _ = split(&bad, 60 + rng.usize(..100));
    }
}

/// What is deleted has no content to cut, and may say in which root it was.
#[test]
fn f29_what_is_deleted_is_no_smaller_than_the_name_of_its_root() {
    let name = [b'n'; 68];
    let update = [&[1, 1, 7, 0, 1, 1, 68][..], &name, &[3, 0]].concat();
    for max in 64..200 {
        match split(&update, max) {
            Ok(pieces) => assert!(pieces.iter().all(|piece| piece.len() <= max), "larger than {max}"),
            Err(error) => assert!(max < 64 + 68, "{error} at {max}"),
        }
    }
}
