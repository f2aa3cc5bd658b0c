//! Gives a document what the plan says, transaction by transaction.

use std::mem::ManuallyDrop;

use yrs::updates::decoder::Decode;
use yrs::{Doc, ReadTxn, Transact, TransactionMut, Update};

use super::pace::{Opens, Pace};
use super::plan::StructRun;
use super::section::Source;
use crate::protocol::lib0::var_uint;
use crate::update::limits::{Each, Refused};
use crate::update::split::GC;

pub(super) struct Feed<'d, 'e> {
    doc: &'d Doc,
    /// Not dropped after a panic: that would commit the damaged state, and perhaps panic again.
    txn: Option<ManuallyDrop<TransactionMut<'d>>>,
    pub pace: Pace,
    each: &'e mut Each<'e>,
}

/// Structs of a client that follow each other.
struct FedStructs {
    client: u64,
    clock: u64,
    end: u64,
    count: u64,
    bytes: Vec<u8>,
}

impl<'d, 'e> Feed<'d, 'e> {
    pub(super) fn new(doc: &'d Doc, each: &'e mut Each<'e>) -> Self {
        Self { doc, txn: None, pace: Pace::default(), each }
    }

    pub(super) fn client(&self) -> u64 {
        self.doc.client_id().get()
    }

    pub(super) fn txn(&mut self) -> &mut TransactionMut<'d> {
        self.txn.get_or_insert_with(|| ManuallyDrop::new(self.doc.transact_mut()))
    }

    /// The document as it is, and how much is given at once.
    pub(super) fn parts(&mut self) -> (&TransactionMut<'d>, &mut Pace) {
        let txn = self.txn.get_or_insert_with(|| ManuallyDrop::new(self.doc.transact_mut()));
        (txn, &mut self.pace)
    }

    /// Whether yrs itself holds something that waits: then it has to be asked how far it has each client.
    pub(super) fn has_pending(&mut self) -> bool {
        self.txn().store().pending_update().is_some()
    }

    /// Whether runs need no cut between them.
    pub(super) fn fits(&self, runs: &[StructRun]) -> bool {
        runs.iter().skip(1).all(|run| run.opens == Opens::Nothing)
    }

    pub(super) fn give_whole(&mut self, update: &[u8], runs: &[StructRun]) -> Result<(), Refused> {
        let update = Update::decode_v1(update)?;
        if runs.first().is_some_and(|run| run.opens == Opens::Transaction) {
            self.cut();
        }
        Ok(self.txn().apply_update(update)?)
    }

    /// Gives runs, and deletions in their encoding.
    pub(super) fn give<'b>(
        &mut self,
        runs: &[StructRun],
        bytes_of: impl Fn(Source) -> &'b [u8],
        deletions: &[u8],
    ) -> Result<(), Refused> {
        let mut piece: Vec<FedStructs> = Vec::new();
        for run in runs {
            if run.opens != Opens::Nothing && !piece.is_empty() {
                self.give_piece(piece.drain(..), &[0])?;
            }
            if run.opens == Opens::Transaction {
                self.cut();
            }
            let mut garbage = Vec::new();
            let bytes = match run.is_garbage {
                true => {
                    garbage.push(GC);
                    var_uint(&mut garbage, run.end - run.clock);
                    &garbage
                }
                false => bytes_of(run.source).get(run.range.clone()).unwrap_or_default(),
            };
            match piece.last_mut() {
                Some(group) if group.client == run.client && group.end == run.clock => {
                    group.end = run.end;
                    group.count += run.count;
                    group.bytes.extend_from_slice(bytes);
                }
                _ => {
                    let (client, clock, end, count) = (run.client, run.clock, run.end, run.count);
                    piece.push(FedStructs { client, clock, end, count, bytes: bytes.to_vec() });
                }
            }
        }
        match piece.is_empty() && deletions == [0] {
            true => Ok(()),
            false => self.give_piece(piece.drain(..), deletions),
        }
    }

    fn give_piece(
        &mut self,
        groups: impl ExactSizeIterator<Item = FedStructs>,
        deletions: &[u8],
    ) -> Result<(), Refused> {
        let mut update = Vec::new();
        var_uint(&mut update, groups.len() as u64);
        for group in groups {
            var_uint(&mut update, group.count);
            var_uint(&mut update, group.client);
            var_uint(&mut update, group.clock);
            update.extend(group.bytes);
        }
        update.extend_from_slice(deletions);
        let update = Update::decode_v1(&update)?;
        Ok(self.txn().apply_update(update)?)
    }

    /// Ends the transaction, if one is open.
    fn cut(&mut self) {
        if let Some(mut txn) = self.txn.take() {
            txn.commit();
            if txn.has_changes() {
                (self.each)(&txn);
            }
            drop(ManuallyDrop::into_inner(txn));
        }
    }

    pub(super) fn finish(mut self) {
        self.cut();
    }
}
