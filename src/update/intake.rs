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
    waiting: Vec<Waiting>,
}

/// A part of an update, and where each client's structs in it begin: before one of them follows what the document has,
/// there is no use in looking at it again.
#[derive(Debug)]
struct Waiting {
    bytes: Vec<u8>,
    begins: Vec<(ClientID, u32)>,
}

impl Waiting {
    fn new(bytes: Vec<u8>) -> Result<Self, yrs::error::Error> {
        let inserts = Update::decode_v1(&bytes)?.insertions(true);
        let begins =
            inserts.iter().filter_map(|(client, ranges)| Some((*client, ranges.iter().next()?.start))).collect();
        Ok(Self { bytes, begins })
    }

    fn is_due(&self, state: &StateVector) -> bool {
        self.begins.is_empty() || self.begins.iter().any(|(client, clock)| *clock <= state.get(client))
    }
}

impl Intake {
    /// Applies what of the update can be, and what waited for it.
    ///
    /// # Errors
    /// If the update does not decode, or yrs refuses it.
    pub fn apply(&mut self, txn: &mut TransactionMut, bytes: &[u8]) -> Result<(), yrs::error::Error> {
        let state = txn.state_vector();
        self.apply_to(txn, &state, bytes)
    }

    /// [`Intake::apply`] for whoever has decoded the bytes already.
    ///
    /// # Errors
    /// If yrs refuses the update.
    pub fn apply_decoded(
        &mut self,
        txn: &mut TransactionMut,
        update: Update,
        bytes: &[u8],
    ) -> Result<(), yrs::error::Error> {
        let state = txn.state_vector();
        self.take(txn, &state, update, bytes)
    }

    /// [`Intake::apply`] for whoever has computed the document's state vector already: that takes as long as the
    /// document has authors.
    ///
    /// # Errors
    /// If the update does not decode, or yrs refuses it.
    pub fn apply_to(
        &mut self,
        txn: &mut TransactionMut,
        state: &StateVector,
        bytes: &[u8],
    ) -> Result<(), yrs::error::Error> {
        self.take(txn, state, Update::decode_v1(bytes)?, bytes)
    }

    fn take(
        &mut self,
        txn: &mut TransactionMut,
        state: &StateVector,
        update: Update,
        bytes: &[u8],
    ) -> Result<(), yrs::error::Error> {
        if leaves_hole(&update, state) {
            self.part(txn, state, bytes)?;
        } else {
            apply(txn, update)?;
        }
        self.retry(txn)
    }

    /// [`Intake::apply`] for one of many updates that may come in any order: one that would leave a hole is not taken,
    /// and the answer is no. `state`, the document's state vector, is kept up to date: looking it up for each update
    /// would take as long as the document has authors.
    ///
    /// # Errors
    /// If the update does not decode, or yrs refuses it.
    pub fn apply_if_it_follows(
        &mut self,
        txn: &mut TransactionMut,
        state: &mut StateVector,
        bytes: &[u8],
    ) -> Result<bool, yrs::error::Error> {
        let update = Update::decode_v1(bytes)?;
        if leaves_hole(&update, state) {
            return Ok(false);
        }
        let inserts = update.insertions(true);
        let applied = apply(txn, update).and_then(|()| self.retry(txn));
        if applied.is_err() || self.is_waiting() || txn.store().pending_update().is_some() {
            *state = txn.state_vector();
        } else {
            for (client, ranges) in inserts.iter() {
                let end = ranges.iter().map(|range| range.end).max().unwrap_or_default();
                state.set_max(*client, end);
            }
        }
        applied.map(|()| true)
    }

    /// Whether something waits here.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// A state with what waits here.
    ///
    /// # Errors
    /// If the two cannot be merged. The state alone is then not everything that was received.
    pub fn include(&self, state: Vec<u8>) -> Result<Vec<u8>, yrs::error::Error> {
        if self.waiting.is_empty() {
            return Ok(state);
        }
        let parts = std::iter::once(&state).chain(self.waiting.iter().map(|waiting| &waiting.bytes));
        Ok(super::merge(parts)?)
    }

    fn part(&mut self, txn: &mut TransactionMut, state: &StateVector, bytes: &[u8]) -> Result<(), yrs::error::Error> {
        let clock_of = |client| u64::from(state.get(&ClientID::new(client)));
        let Ok(Parted { ready, waiting }) = at_holes(bytes, clock_of) else {
            // Not read here, decoded there: yrs is to say what it makes of it.
            apply(txn, Update::decode_v1(bytes)?)?;
            return Ok(());
        };
        if let Some(bytes) = waiting.filter(|bytes| self.waiting.iter().all(|waiting| waiting.bytes != *bytes)) {
            self.waiting.push(Waiting::new(bytes)?);
        }
        if let Some(ready) = ready {
            apply(txn, Update::decode_v1(&ready)?)?;
        }
        Ok(())
    }

    /// Applies what waited and follows now, until nothing does.
    fn retry(&mut self, txn: &mut TransactionMut) -> Result<(), yrs::error::Error> {
        while !self.waiting.is_empty() {
            let state = txn.state_vector();
            let due: Vec<Waiting>;
            (due, self.waiting) = std::mem::take(&mut self.waiting).into_iter().partition(|one| one.is_due(&state));
            if due.is_empty() {
                break;
            }
            for waiting in due {
                let state = txn.state_vector();
                self.part(txn, &state, &waiting.bytes)?;
            }
        }
        Ok(())
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
    if txn.store_mut().pending_update().is_none() {
        return;
    }
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
                        intake.waiting.iter().map(|w| &w.begins).collect::<Vec<_>>(),
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
        let state = intake.include(replica.transact().encode_state_as_update_v1(&StateVector::default())).unwrap();
        let (other, mut other_intake) = (doc(3), Intake::default());
        for update in [&state, &updates[0], &updates[1]] {
            other_intake.apply(&mut other.transact_mut(), update).unwrap();
        }
        let text = other.get_or_insert_text("content");
        assert_eq!(text.get_string(&other.transact()), "xxx");
        assert!(!other_intake.is_waiting());
    }

    #[test]
    fn a_state_that_lacks_what_waits_is_not_passed_off_as_whole() {
        let broken = Waiting { bytes: vec![1, 2, 3], begins: Vec::new() };
        let intake = Intake { waiting: vec![broken] };
        assert!(intake.include(vec![0, 0]).is_err());
    }

    /// One author's hole costs the others nothing: what waits is looked at only when it may follow.
    #[test]
    fn what_waits_is_left_alone_until_it_follows() {
        let mut updates = Vec::new();
        let author = doc(1);
        let text = author.get_or_insert_text("content");
        for _ in 0..3 {
            let before = author.transact().state_vector();
            text.insert(&mut author.transact_mut(), 0, "x");
            updates.push(author.transact().encode_state_as_update_v1(&before));
        }
        let (replica, mut intake) = (doc(2), Intake::default());
        intake.apply(&mut replica.transact_mut(), &updates[2]).unwrap();
        let waiting = intake.waiting[0].bytes.as_ptr();
        let other = doc(3);
        other.get_or_insert_text("content").insert(&mut other.transact_mut(), 0, "y");
        let update = other.transact().encode_state_as_update_v1(&StateVector::default());
        intake.apply(&mut replica.transact_mut(), &update).unwrap();
        // Neither cut anew nor copied.
        assert_eq!(intake.waiting[0].bytes.as_ptr(), waiting);
        intake.apply(&mut replica.transact_mut(), &updates[0]).unwrap();
        intake.apply(&mut replica.transact_mut(), &updates[1]).unwrap();
        assert!(!intake.is_waiting());
    }
}
