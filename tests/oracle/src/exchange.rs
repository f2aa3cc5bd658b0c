//! In which order who hears what.

use fastrand::Rng;
use slate_yrs::update::merge;
use yrs::updates::decoder::Decode as _;
use yrs::{Doc, Transact as _, Update};

use crate::lives::Delivery;

/// An update, and who made it.
pub type Told = (usize, Vec<u8>);

/// A server that sends on what its own document has changed: what went with an element that was deleted is named as
/// deleted, whoever wrote it.
pub struct Relay(Doc);

impl Relay {
    pub fn new(state: &[u8]) -> Result<Self, String> {
        let it = Self(Doc::new());
        it.retell(state)?;
        Ok(it)
    }

    fn retell(&self, update: &[u8]) -> Result<Vec<u8>, String> {
        let update = Update::decode_v1(update).map_err(|error| error.to_string())?;
        let mut txn = self.0.transact_mut();
        txn.apply_update(update).map_err(|error| error.to_string())?;
        txn.commit();
        Ok(txn.encode_update_v1())
    }

    pub fn pass_on(&self, told: Vec<Told>) -> Result<Vec<Told>, String> {
        told.into_iter().map(|(from, update)| Ok((from, self.retell(&update)?))).collect()
    }
}

/// The updates of several, each one's in their order.
pub fn interleave(rng: &mut Rng, mut out: Vec<(usize, Vec<Vec<u8>>)>) -> Vec<Told> {
    let mut told = Vec::new();
    out.iter_mut().for_each(|(_, updates)| updates.reverse());
    loop {
        out.retain(|(_, updates)| !updates.is_empty());
        if out.is_empty() {
            return told;
        }
        let next = rng.usize(..out.len());
        let (from, updates) = &mut out[next];
        told.extend(updates.pop().map(|update| (*from, update)));
    }
}

/// How these reach somebody.
pub fn deliver(rng: &mut Rng, how: Delivery, updates: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>, String> {
    let mut updates = updates;
    match how {
        Delivery::InTurn => {}
        Delivery::Shuffled => rng.shuffle(&mut updates),
        Delivery::Twice => {
            updates.extend(updates.clone());
            rng.shuffle(&mut updates);
        }
        Delivery::Merged if updates.len() > 1 => {
            updates = vec![merge(&updates).map_err(|error| error.to_string())?];
        }
        Delivery::Gap if !updates.is_empty() => {
            let late = updates.remove(rng.usize(..updates.len()));
            updates.push(late);
        }
        Delivery::Merged | Delivery::Gap => {}
    }
    Ok(updates)
}
