//! What a server has refused for good, and what depends on it.
//!
//! A replica takes a client's structs only without gaps, and a struct only after those it lies in or beside. So behind a
//! refused struct lies a *hole*: everything of its client from there on, and everything that names one of these, never
//! comes to be for anyone else. Works on the bytes (Yjs v1 encoding).

use litemap::LiteMap;

use super::SplitError;
use super::split::{Block, Pieces};
use crate::protocol::lib0::Lib0Reader;

/// Of each client, the clock from which on everything is missing.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Holes {
    from: LiteMap<u64, u64>,
}

/// An update in two parts; either may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Apart {
    /// What comes to be for everyone, and all deletions.
    pub sound: Option<Vec<u8>>,
    /// What needs something that is missing.
    pub stuck: Option<Vec<u8>>,
}

impl Holes {
    pub fn is_empty(&self) -> bool {
        self.from.is_empty()
    }

    pub fn has_client(&self, client: u64) -> bool {
        self.from.contains_key(&client)
    }

    /// The structs of `update` are missing from now on, but for those that one of `others` has as well.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn add<'a>(&mut self, update: &[u8], others: impl Iterator<Item = &'a Vec<u8>>) -> Result<(), SplitError> {
        let mut missing: LiteMap<u64, (u64, u64)> = LiteMap::new();
        each_block(&mut Lib0Reader::new(update), update, |client, clock, block, _| {
            let end = clock.saturating_add(block.len);
            let range = missing.entry(client).or_insert((clock, end));
            *range = (range.0.min(clock), range.1.max(end));
            Ok(())
        })?;
        for other in others {
            // Nothing comes to be by an update that cannot be read.
            let _ = each_block(&mut Lib0Reader::new(other), other, |client, clock, block, _| {
                let end = clock.saturating_add(block.len);
                if let Some((from, _)) = missing.get_mut(&client)
                    && !block.is_skip()
                    && (clock..end).contains(from)
                {
                    *from = end;
                }
                Ok(())
            });
        }
        missing
            .into_iter()
            .filter(|(_, (from, end))| from < end)
            .for_each(|(client, (from, _))| self.miss(client, from));
        Ok(())
    }

    fn miss(&mut self, client: u64, clock: u64) {
        let from = self.from.entry(client).or_insert(clock);
        *from = clock.min(*from);
    }

    /// Of each of these clients, everything from its clock on is missing.
    pub fn beyond(clocks: impl IntoIterator<Item = (u64, u64)>) -> Self {
        Self { from: clocks.into_iter().collect() }
    }

    /// A replica that takes no refused structs has those below `clock`: they are not missing after all.
    pub fn fill(&mut self, client: u64, clock: u64) {
        if self.from.get(&client).is_some_and(|from| *from < clock) {
            self.from.remove(&client);
        }
    }

    fn has(&self, (client, clock): (u64, u64)) -> bool {
        self.from.get(&client).is_some_and(|from| clock >= *from)
    }

    /// Whether a struct names one that is missing.
    fn tear(&self, block: &Block) -> bool {
        block.needs().any(|id| self.has(id))
    }

    /// Parts an update into what is sound, with all deletions, and what is stuck.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn part(&self, update: &[u8]) -> Result<Apart, SplitError> {
        let (sound, stuck, deletions) = self.parted(update)?;
        Ok(Apart { sound: sound.finish_with(deletions), stuck: stuck.finish_with(&[0]) })
    }

    /// What is neither missing nor needs it, without any deletions.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn sound_structs(&self, update: &[u8]) -> Result<Vec<u8>, SplitError> {
        let (sound, ..) = self.parted(update)?;
        Ok(sound.finish_with(&[0]).unwrap_or_else(|| vec![0, 0]))
    }

    /// What is sound, what is stuck, and the bytes of all deletions.
    fn parted<'a>(&self, update: &'a [u8]) -> Result<(Pieces, Pieces, &'a [u8]), SplitError> {
        let missing = self.within(update)?;
        let (mut sound, mut stuck) = (Pieces::new(usize::MAX), Pieces::new(usize::MAX));
        let mut reader = Lib0Reader::new(update);
        each_block(&mut reader, update, |client, clock, block, bytes| {
            let here = missing.from.get(&client).copied().unwrap_or(u64::MAX);
            if clock.saturating_add(block.len) <= here {
                sound.put(client, (clock, block.len), bytes);
            } else if let Some((left, right)) = straddling(here, client, clock, block, bytes) {
                sound.put(client, (clock, here - clock), &left);
                stuck.put(client, (here, clock.saturating_add(block.len) - here), &right);
            } else {
                stuck.put(client, (clock, block.len), bytes);
            }
            Ok(())
        })?;
        let deletions = update.get(update.len() - reader.remaining()..).unwrap_or_default();
        Ok((sound, stuck, deletions))
    }

    /// Without anything that is missing or needs it, deletions included.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn without(&self, update: &[u8]) -> Result<Vec<u8>, SplitError> {
        Ok(self.divided(update)?.sound.unwrap_or_else(|| vec![0, 0]))
    }

    /// Parts an update and its deletions: what is missing, or needs something missing, is stuck, and so are deletions
    /// of that.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn divided(&self, update: &[u8]) -> Result<Apart, SplitError> {
        let (sound, stuck, deletions) = self.parted(update)?;
        let missing = self.within(update)?;
        let (mut here, mut there) = (Pieces::new(usize::MAX), Pieces::new(usize::MAX));
        let mut reader = Lib0Reader::new(deletions);
        for _ in 0..reader.var_uint()? {
            let client = reader.var_uint()?;
            let until = missing.from.get(&client).copied().unwrap_or(u64::MAX);
            for _ in 0..reader.var_uint()? {
                let (clock, len) = (reader.var_uint()?, reader.var_uint()?);
                let end = clock.saturating_add(len);
                if clock < until {
                    here.deletion(client, (clock, end.min(until) - clock));
                }
                if end > until {
                    there.deletion(client, (clock.max(until), end - clock.max(until)));
                }
            }
        }
        Ok(Apart { sound: finish(sound, here), stuck: finish(stuck, there) })
    }

    /// These holes, and those that follow from them within `update`.
    fn within(&self, update: &[u8]) -> Result<Self, SplitError> {
        let mut missing = self.clone();
        // Clients come in no order: a struct that needs one which comes later in the bytes is found in the next round.
        loop {
            let before = missing.clone();
            each_block(&mut Lib0Reader::new(update), update, |client, clock, block, bytes| {
                let here = missing.from.get(&client).copied().unwrap_or(u64::MAX);
                let reaches = clock < here && clock.saturating_add(block.len) > here;
                let whole = reaches && straddling(here, client, clock, block, bytes).is_none();
                if whole || missing.tear(block) {
                    missing.miss(client, clock);
                }
                Ok(())
            })?;
            if missing == before {
                return Ok(missing);
            }
        }
    }
}

/// One update of these structs and the deletions of `deleted`. None if that is nothing.
fn finish(structs: Pieces, mut deleted: Pieces) -> Option<Vec<u8>> {
    deleted.finish_deletions();
    let deletions = deleted.done.pop();
    // Behind the count of structs, which is none.
    structs.finish_with(deletions.as_ref().and_then(|bytes| bytes.get(1..)).unwrap_or(&[0]))
}

/// The parts of a struct before and after `here`, where something begins to be missing.
fn straddling(here: u64, client: u64, clock: u64, block: &Block, bytes: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let units = here.checked_sub(clock).filter(|units| *units > 0)?;
    block.cut(client, clock, bytes, units)
}

/// Calls `visit` with client, clock, struct and its bytes, for all but gaps. Leaves the reader at the deletions.
fn each_block(
    reader: &mut Lib0Reader,
    update: &[u8],
    mut visit: impl FnMut(u64, u64, &Block, &[u8]) -> Result<(), SplitError>,
) -> Result<(), SplitError> {
    for _ in 0..reader.var_uint()? {
        let count = reader.var_uint()?;
        let client = reader.var_uint()?;
        let mut clock = reader.var_uint()?;
        for _ in 0..count {
            let start = update.len() - reader.remaining();
            let mut ahead = reader.clone();
            let block = Block::read(&mut ahead)?;
            let bytes = update.get(start..update.len() - ahead.remaining()).unwrap_or_default();
            if !block.is_skip() {
                visit(client, clock, &block, bytes)?;
            }
            clock = clock.saturating_add(block.len);
            *reader = ahead;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use yrs::updates::decoder::Decode;
    use yrs::{Doc, GetString, ReadTxn, StateVector, Text, Transact, Update};

    fn doc(client: u64) -> Doc {
        let options = yrs::Options::with_guid_and_client_id("".into(), yrs::ClientID::new(client));
        Doc::with_options(yrs::Options { offset_kind: yrs::OffsetKind::Utf16, ..options })
    }

    fn edit(doc: &Doc, at: u32, text: &str) -> Vec<u8> {
        let before = doc.transact().state_vector();
        doc.get_or_insert_text("content").insert(&mut doc.transact_mut(), at, text);
        doc.transact().encode_state_as_update_v1(&before)
    }

    fn read(updates: &[Vec<u8>]) -> (String, bool) {
        let reader = doc(99);
        let text = reader.get_or_insert_text("content");
        for update in updates {
            reader.transact_mut().apply_update(Update::decode_v1(update).unwrap()).unwrap();
        }
        let txn = reader.transact();
        (text.get_string(&txn), txn.store().pending_update().is_some() || txn.store().pending_ds().is_some())
    }

    #[test]
    fn what_needs_what_is_missing_is_parted_from_the_rest() {
        let (one, two) = (doc(1), doc(2));
        let first = edit(&one, 0, "first ");
        let refused = edit(&one, 6, "refused ");
        let behind = edit(&one, 0, "behind ");
        two.transact_mut().apply_update(Update::decode_v1(&first).unwrap()).unwrap();
        let free = edit(&two, 0, "free ");
        for update in [&refused, &behind] {
            two.transact_mut().apply_update(Update::decode_v1(update).unwrap()).unwrap();
        }
        let end = two.get_or_insert_text("content").len(&two.transact());
        let beside = edit(&two, end, "beside");
        let mut holes = Holes::default();
        holes.add(&refused, [].iter()).unwrap();
        assert_eq!(holes.part(&free).unwrap(), Apart { sound: Some(free.clone()), stuck: None });
        assert_eq!(holes.part(&first).unwrap().stuck, None);
        for stuck in [&refused, &behind, &beside] {
            assert_eq!(holes.part(stuck).unwrap().sound, None);
            assert_eq!(holes.part(stuck).unwrap().stuck.as_ref(), Some(stuck));
        }
        let whole = two.transact().encode_state_as_update_v1(&StateVector::default());
        let parts = holes.part(&whole).unwrap();
        // Other replicas have what they can have, and nothing waits.
        assert_eq!(read(&[parts.sound.clone().unwrap()]), ("free first ".into(), false));
        assert_eq!(
            read(&[parts.sound.unwrap(), parts.stuck.unwrap()]),
            (two.get_or_insert_text("content").get_string(&two.transact()), false)
        );
    }

    #[test]
    fn deletions_of_what_is_missing_go_with_it() {
        let one = doc(1);
        edit(&one, 0, "kept");
        let refused = edit(&one, 4, "refused");
        one.get_or_insert_text("content").remove_range(&mut one.transact_mut(), 2, 5);
        let whole = one.transact().encode_state_as_update_v1(&StateVector::default());
        let mut holes = Holes::default();
        holes.add(&refused, [].iter()).unwrap();
        assert_eq!(read(&[holes.without(&whole).unwrap()]), ("ke".into(), false));
        assert_eq!(read(&[Holes::default().without(&whole).unwrap()]), ("keused".into(), false));
    }

    #[test]
    fn what_a_replica_has_is_not_missing() {
        let one = doc(1);
        let refused = edit(&one, 0, "here after all");
        let mut holes = Holes::default();
        holes.add(&refused, [].iter()).unwrap();
        holes.fill(1, 0);
        assert!(holes.has_client(1));
        holes.fill(1, 3);
        assert!(holes.is_empty());
    }

    #[test]
    fn what_comes_behind_a_gap_keeps_its_clocks() {
        let one = doc(1);
        let typed: Vec<Vec<u8>> = ["a", "b", "c", "d"].iter().map(|text| edit(&one, 0, text)).collect();
        // Without the second.
        let gappy = crate::update::merge([&typed[0], &typed[2], &typed[3]]).unwrap();
        assert_eq!(read(&[gappy.clone(), typed[1].clone()]), ("dcba".into(), false));
        let whole = Holes::default().divided(&gappy).unwrap().sound.unwrap();
        assert_eq!(read(&[whole, typed[1].clone()]), ("dcba".into(), false));
        // And where what lies on both sides of the gap is stuck.
        let mut holes = Holes::default();
        holes.add(&typed[0], [].iter()).unwrap();
        let stuck = holes.part(&gappy).unwrap().stuck.unwrap();
        assert_eq!(read(&[typed[1].clone(), stuck]), ("dcba".into(), false));
    }

    /// F23.
    #[test]
    fn bad_bytes_are_an_error() {
        let one = doc(1);
        edit(&one, 0, "hello world");
        one.get_or_insert_text("content").remove_range(&mut one.transact_mut(), 2, 3);
        let good = one.transact().encode_state_as_update_v1(&StateVector::default());
        let mut holes = Holes::default();
        holes.add(&good, [].iter()).unwrap();
        let mut random = fastrand::Rng::with_seed(6);
        let mut refused = 0;
        for _ in 0..20_000 {
            let mut bad = good.clone();
            let at = random.usize(..bad.len());
            bad[at] = random.u8(..);
            let (parted, rest) = (holes.part(&bad), holes.without(&bad));
            let added = Holes::default().add(&bad, [].iter());
            refused += usize::from(parted.is_err() && rest.is_err() && added.is_err());
        }
        assert!((1..20_000).contains(&refused), "{refused} were refused");
    }
}
