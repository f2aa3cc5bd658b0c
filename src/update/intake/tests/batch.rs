//! A log whose small updates are put together.

use super::super::batch::Batch;
use super::*;

/// What people typed at once, an update for each key, in the order in which one of them has it; and the text.
fn typed(rng: &mut fastrand::Rng, keys: usize) -> (Vec<Vec<u8>>, String) {
    let people: Vec<Doc> = (1..=3).map(doc).collect();
    let texts: Vec<_> = people.iter().map(|doc| doc.get_or_insert_text("content")).collect();
    let mut intakes: Vec<Intake> = people.iter().map(|_| Intake::default()).collect();
    let mut log: Vec<Vec<u8>> = Vec::new();
    let mut heard = [0; 3];
    let (mut who, mut at) = (0, 0);
    for _ in 0..keys {
        if rng.u8(..6) == 0 {
            who = rng.usize(..3);
            if rng.bool() {
                for update in &log[std::mem::replace(&mut heard[who], log.len())..] {
                    intakes[who].apply(&people[who], update, Limits::NEW, &mut |_| {}).unwrap();
                }
            }
            at = rng.u32(..=texts[who].len(&people[who].transact()));
        }
        let mut txn = people[who].transact_mut();
        at = at.min(texts[who].len(&txn));
        match rng.u8(..8) {
            0 if at > 0 => {
                at -= 1;
                texts[who].remove_range(&mut txn, at, 1);
            }
            1 => texts[who].format(&mut txn, 0, at, [("bold".into(), true.into())].into()),
            _ => {
                let letter = ["a", "é", "ab", "日"][rng.usize(..4)];
                texts[who].insert(&mut txn, at, letter);
                at += letter.encode_utf16().count() as u32;
            }
        }
        log.push(txn.encode_update_v1());
    }
    for update in &log {
        intakes[0].apply(&people[0], update, Limits::NEW, &mut |_| {}).unwrap();
    }
    let text = texts[0].get_string(&people[0].transact());
    (log, text)
}

fn state(doc: &Doc) -> Vec<u8> {
    doc.transact().encode_state_as_update_v1(&StateVector::default())
}

#[test]
fn a_log_is_what_it_is_row_by_row() {
    for seed in 0..60 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (mut log, text) = typed(&mut rng, 200);
        // Some are there twice, one cannot be read, and one may be missing, so that others wait.
        log.insert(rng.usize(..log.len()), vec![1, 1, 9]);
        log.insert(rng.usize(..log.len()), log[rng.usize(..log.len())].clone());
        let lacks = rng.bool().then(|| log.remove(rng.usize(..log.len())));
        let (one, all) = (doc(8), doc(9));
        let (mut by_row, mut at_once) = (Intake::default(), Intake::default());
        let mut take = |update: &Vec<u8>| by_row.apply(&one, update, Limits::STORED, &mut |_| {}).is_ok();
        let read: Vec<bool> = log.iter().map(&mut take).collect();
        let rows = log.iter().map(Vec::as_slice);
        let taken = at_once.apply_all(&all, rows, Limits::STORED, &mut |_| {});
        assert_eq!(taken.iter().map(Result::is_ok).collect::<Vec<_>>(), read, "seed {seed}");
        assert_eq!(state(&all), state(&one), "seed {seed}");
        assert_eq!(at_once.is_waiting(), by_row.is_waiting(), "seed {seed}");
        if let Some(update) = lacks {
            for (intake, doc) in [(&mut by_row, &one), (&mut at_once, &all)] {
                let _ = intake.apply(doc, &update, Limits::STORED, &mut |_| {});
            }
        }
        assert_eq!(state(&all), state(&one), "seed {seed}");
        assert_eq!(all.get_or_insert_text("content").get_string(&all.transact()), text, "seed {seed}");
    }
}

#[test]
fn letters_one_behind_the_other_are_one_text() {
    let doc = doc(1);
    let text = doc.get_or_insert_text("content");
    let mut log = Vec::new();
    for at in 0..100 {
        let mut txn = doc.transact_mut();
        text.insert(&mut txn, at, "x");
        log.push(txn.encode_update_v1());
    }
    let mut batch = Batch::default();
    assert!(log.iter().all(|update| batch.add(update)));
    let (members, update) = batch.finish();
    assert_eq!(members.len(), 100);
    assert!(update.len() < 130, "{} bytes", update.len());
    assert!(batch.finish().0.is_empty());
    assert!(!batch.add(&[1, 1, 9]) && batch.add(&log[0]) && !batch.add(&log[2]), "what does not follow is left");
    assert_eq!(batch.finish(), (vec![&*log[0]], log[0].clone()));
}
