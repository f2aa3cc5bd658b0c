//! Applying updates that may come out of order.
//!
//! yrs 0.28 integrates a client's structs behind a hole, and then, when a struct comes that fills the hole and reaches
//! into what is there already, computes with negative lengths: it panics, or damages the document where overflows
//! are not checked. So nothing that would leave a hole is given to it: that part waits here until the rest has come.

use yrs::updates::decoder::Decode;
use yrs::{ClientID, ReadTxn, StateVector, TransactionMut, Update, WriteTxn};

use super::{Parted, at_holes};

/// What waits for a document.
#[derive(Debug, Default)]
pub struct Intake {
    waiting: Vec<Vec<u8>>,
}

impl Intake {
    /// Applies what of the update can be, and what waited for it.
    ///
    /// # Errors
    /// If the update does not decode, or yrs refuses it.
    pub fn apply(&mut self, txn: &mut TransactionMut, bytes: &[u8]) -> Result<(), yrs::error::Error> {
        let update = Update::decode_v1(bytes)?;
        if leaves_hole(&update, &txn.state_vector()) {
            self.part(txn, bytes)?;
        } else {
            apply(txn, update)?;
        }
        while self.retry(txn)? {}
        Ok(())
    }

    /// Whether something waits here.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// A state with what waits here.
    pub fn include(&self, state: Vec<u8>) -> Vec<u8> {
        if self.waiting.is_empty() {
            return state;
        }
        let parts = std::iter::once(&state).chain(&self.waiting);
        yrs::merge_updates_v1(parts).unwrap_or(state)
    }

    fn part(&mut self, txn: &mut TransactionMut, bytes: &[u8]) -> Result<(), yrs::error::Error> {
        let state = txn.state_vector();
        let clock_of = |client| u64::from(state.get(&ClientID::new(client)));
        let Ok(Parted { ready, waiting }) = at_holes(bytes, clock_of) else {
            // Not read here, decoded there: yrs is to say what it makes of it.
            apply(txn, Update::decode_v1(bytes)?)?;
            return Ok(());
        };
        if let Some(waiting) = waiting.filter(|bytes| !self.waiting.contains(bytes)) {
            self.waiting.push(waiting);
        }
        if let Some(ready) = ready {
            apply(txn, Update::decode_v1(&ready)?)?;
        }
        Ok(())
    }

    /// Returns whether something that waited could be applied.
    fn retry(&mut self, txn: &mut TransactionMut) -> Result<bool, yrs::error::Error> {
        let before = txn.state_vector();
        for bytes in std::mem::take(&mut self.waiting) {
            self.part(txn, &bytes)?;
        }
        Ok(!self.waiting.is_empty() && txn.state_vector() != before)
    }
}

fn apply(txn: &mut TransactionMut, update: Update) -> Result<(), yrs::error::Error> {
    remind(txn);
    txn.apply_update(update)?;
    Ok(())
}

/// Makes yrs look at what it keeps waiting: by itself it looks only when the clock it noted is reached, and with
/// several updates waiting it may have noted a wrong one.
fn remind(txn: &mut TransactionMut) {
    let Some(known) = txn.state_vector().iter().map(|(client, _)| *client).next() else { return };
    if let Some(waiting) = txn.store_mut().pending_update_mut() {
        waiting.missing.set_min(known, 0);
    }
}

fn leaves_hole(update: &Update, state: &StateVector) -> bool {
    update.insertions(true).iter().any(|(client, ranges)| {
        let mut has = state.get(client);
        ranges.iter().any(|range| {
            let hole = range.start > has;
            has = has.max(range.end);
            hole
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use yrs::{Doc, GetString, OffsetKind, Options, Text, Transact};

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
                    intakes[other].apply(&mut authors[other].transact_mut(), &update).unwrap();
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
                    intake.apply(&mut replica.transact_mut(), update).unwrap();
                }
                if intake.is_waiting() {
                    let t = replica.transact();
                    eprintln!(
                        "state {:?} waiting {:?} pending {:?}",
                        t.state_vector(),
                        intake
                            .waiting
                            .iter()
                            .map(|w| Update::decode_v1(w).unwrap().insertions(true))
                            .collect::<Vec<_>>(),
                        t.store().pending_update().map(|p| (p.update.insertions(true), p.missing.clone()))
                    );
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
        intake.apply(&mut replica.transact_mut(), &updates[2]).unwrap();
        intake.apply(&mut replica.transact_mut(), &updates[2]).unwrap();
        assert!(intake.is_waiting());
        let state = intake.include(replica.transact().encode_state_as_update_v1(&StateVector::default()));
        let (other, mut other_intake) = (doc(3), Intake::default());
        for update in [&state, &updates[0], &updates[1]] {
            other_intake.apply(&mut other.transact_mut(), update).unwrap();
        }
        let text = other.get_or_insert_text("content");
        assert_eq!(text.get_string(&other.transact()), "xxx");
        assert!(!other_intake.is_waiting());
    }
}
