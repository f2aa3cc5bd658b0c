//! The intake, against updates in any order, and against updates that are made to cost.

use super::*;
use yrs::{ClientID, GetString, OffsetKind, Options, StateVector, Text, Transact};

fn take(intake: &mut Intake, doc: &Doc, update: &[u8]) -> bool {
    intake.apply(doc, update, Limits::NEW, &mut |_| {}).unwrap()
}

fn doc(client: u64) -> Doc {
    let options = Options::with_guid_and_client_id("".into(), ClientID::new(client));
    Doc::with_options(Options { offset_kind: OffsetKind::Utf16, ..options })
}

/// F21: in whatever order updates come, alone or merged, cut and overlapping, the document is the same in the end.
#[test]
fn f21_any_order_gives_the_same() {
    for seed in 0..60 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let authors: Vec<Doc> = (10..13).map(doc).collect();
        let mut intakes: Vec<Intake> = (0..3).map(|_| Intake::default()).collect();
        let mut updates = Vec::new();
        let mut by_author = vec![Vec::new(); 3];
        for _ in 0..30 {
            let n = rng.usize(..3);
            let author = &authors[n];
            let text = author.get_or_insert_text("content");
            let before = author.transact().state_vector();
            {
                let mut txn = author.transact_mut();
                let len = text.len(&txn);
                if len > 4 && rng.u8(..4) == 0 {
                    text.remove_range(&mut txn, rng.u32(..len - 2), 2);
                } else {
                    text.insert(&mut txn, rng.u32(..=len), &"abcdef"[..rng.usize(1..6)]);
                }
            }
            let update = author.transact().encode_state_as_update_v1(&before);
            by_author[n].push(update.clone());
            updates.push(update.clone());
            if rng.bool() {
                let other = rng.usize(..3);
                take(&mut intakes[other], &authors[other], &update);
            }
        }
        // Overlapping pieces: what an outbox merges.
        for own in by_author.iter().filter(|own| own.len() > 4) {
            let from = rng.usize(..own.len() - 3);
            updates.push(yrs::merge_updates_v1(&own[from..from + rng.usize(2..4)]).unwrap());
        }
        let mut expected = None;
        for _ in 0..4 {
            rng.shuffle(&mut updates);
            let (replica, mut intake) = (doc(99), Intake::default());
            let text = replica.get_or_insert_text("content");
            for update in updates.iter().chain(&updates) {
                take(&mut intake, &replica, update);
            }
            assert!(!intake.is_waiting(), "seed {seed}");
            let txn = replica.transact();
            let got = (text.get_string(&txn), txn.state_vector());
            assert_eq!(*expected.get_or_insert_with(|| got.clone()), got, "seed {seed}");
        }
    }
}

#[test]
fn what_waits_is_in_the_state() {
    let author = doc(1);
    let text = author.get_or_insert_text("content");
    let mut updates = Vec::new();
    for _ in 0..3 {
        let before = author.transact().state_vector();
        text.insert(&mut author.transact_mut(), 0, "x");
        updates.push(author.transact().encode_state_as_update_v1(&before));
    }
    let (replica, mut intake) = (doc(2), Intake::default());
    take(&mut intake, &replica, &updates[2]);
    take(&mut intake, &replica, &updates[2]);
    assert!(intake.is_waiting());
    let state = intake.include(replica.transact().encode_state_as_update_v1(&StateVector::default())).unwrap();
    let (other, mut other_intake) = (doc(3), Intake::default());
    for update in [&state, &updates[0], &updates[1]] {
        take(&mut other_intake, &other, update);
    }
    let text = other.get_or_insert_text("content");
    assert_eq!(text.get_string(&other.transact()), "xxx");
    assert!(!other_intake.is_waiting());
}

/// A deletion of no clocks, and a client without structs, say nothing: nobody waits for them.
#[test]
fn f23_what_says_nothing_is_not_waited_for() {
    let nothing: [&[u8]; 3] = [
        // Client 900 from clock 99 on, none; client 104 without structs; both.
        &[0, 1, 0x84, 7, 1, 99, 0],
        &[1, 0, 104, 1, 0],
        &[1, 0, 104, 1, 1, 0x84, 7, 2, 99, 0, 3, 0],
    ];
    for update in nothing {
        let (replica, mut intake) = (doc(9), Intake::default());
        assert!(!take(&mut intake, &replica, update));
        assert!(!intake.is_waiting() && !replica.transact().has_missing_updates(), "{update:?}");
    }
}

/// What waits is written again with the state. What yrs could not read then is refused when it comes, whatever it is.
#[test]
fn f23_what_cannot_be_written_again_is_not_held() {
    let waits = |structs: &[u8]| [&[1, 1, 7, 5], structs, &[0]].concat();
    let refused: [&[u8]; 4] = [
        // JSON as Yjs 13 does not write it: yrs reads one value too many.
        &[2, 1, 1, b'r', 1, 1, b'1'],
        &[2, 1, 1, b'r', 0, 0],
        // A type whose number takes two bytes, and an origin with a clock beyond what yrs counts in.
        &[7, 1, 1, b'r', 0x86, 0],
        &[0x84, 1, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, b'a'],
    ];
    for structs in refused {
        let (replica, mut intake) = (doc(9), Intake::default());
        let taken = intake.apply(&replica, &waits(structs), Limits::RECEIVED, &mut |_| {});
        assert!(taken.is_err() && !intake.is_waiting(), "{structs:?}");
    }
    let found = include_bytes!("../../../fuzz/corpus/engine/waits-and-is-not-written");
    let (replica, mut intake) = (doc(9), Intake::default());
    assert!(intake.apply(&replica, &found[3..], Limits::RECEIVED, &mut |_| {}).is_err());
}
mod batch;
mod hostile;

/// What says to lie in a letter lies in nothing: garbage, as in Yjs. That holds whoever comes first, and it takes nothing
/// along: not what comes with it, and not the letter that it waits for.
#[test]
fn f23_what_lies_in_a_letter_is_garbage() {
    // Client 7 in the letter (1, 1), with a text in that and a letter beside it; then a letter of its own in the root.
    let inside: &[u8] = &[7, 0, 1, 1, 6];
    let children: [&[u8]; 3] = [&[4, 0, 7, 0, 1, b'i'], &[0x84, 7, 0, 1, b'j'], &[4, 1, 1, b'r', 1, b'z']];
    let lies = [&[1, 4, 7, 0], inside, children[0], children[1], children[2], &[0]].concat();
    let typed: &[u8] = &[1, 1, 1, 0, 4, 1, 1, b'r', 3, b'a', b'b', b'c', 0];
    let both = [&[2, 4, 7, 0], inside, children[0], children[1], children[2], &typed[1..]].concat();
    let state = |updates: &[&[u8]], at_once: bool| {
        let (replica, mut intake) = (doc(9), Intake::default());
        let taken: Vec<bool> = match at_once {
            true => intake
                .apply_all(&replica, updates.iter().copied(), Limits::NEW, &mut |_| {})
                .into_iter()
                .map(|taken| taken.is_ok())
                .collect(),
            false => {
                updates.iter().map(|update| intake.apply(&replica, update, Limits::NEW, &mut |_| {}).is_ok()).collect()
            }
        };
        assert!(taken.iter().all(|taken| *taken) && !intake.is_waiting(), "{updates:?}");
        let text = replica.get_or_insert_text("r").get_string(&replica.transact());
        (text, replica.transact().encode_state_as_update_v1(&StateVector::default()))
    };
    let expected = state(&[typed, &lies], false);
    assert_eq!(expected.0.len(), 4, "{}", expected.0);
    for at_once in [false, true] {
        for updates in [&[typed, &lies][..], &[&lies, typed], &[&both], &[&lies, &both], &[&expected.1, &lies]] {
            assert_eq!(state(updates, at_once), expected);
        }
    }
}
