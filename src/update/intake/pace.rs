//! How much yrs is given at once.
//!
//! Within one update it calls itself as often as clients need each other, and before a commit it has an item for each
//! struct; what a commit joins it copies as often as there are structs to join.

use smallvec::SmallVec;

use crate::update::split::Block;

/// Clients in a piece: how often yrs may call itself.
const CLIENTS: usize = 64;
/// Structs between two commits.
const STRUCTS: usize = 50_000;
/// Structs between two commits that the commit joins into one, and the bytes that it copies for that.
const JOINED: usize = 500;
const COPIED: usize = 16 << 20;

/// What has to be finished before a struct is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opens {
    Nothing,
    Piece,
    Transaction,
}

#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Of the piece.
    clients: SmallVec<[u64; 8]>,
    /// Of the transaction.
    structs: usize,
    /// Of the structs that were last and will be one: where they end, how many and how large they are.
    last: (u64, u64),
    joined: usize,
    bytes: usize,
}

impl Pace {
    /// What comes is a piece of its own.
    pub(super) fn begin(&mut self) {
        self.clients.clear();
    }

    pub(super) fn next(&mut self, client: u64, clock: u64, block: &Block, bytes: usize) -> Opens {
        let joins = self.last == (client, clock) && block.continues(client, clock);
        (self.joined, self.bytes) = if joins { (self.joined + 1, self.bytes + bytes) } else { (1, bytes) };
        self.last = (client, clock + block.len);
        self.structs += 1;
        let copied = if joins { self.joined.saturating_mul(self.bytes) } else { 0 };
        if self.structs > STRUCTS || self.joined > JOINED || copied > COPIED {
            (self.structs, self.joined, self.bytes) = (1, 1, bytes);
            self.clients.clear();
            self.clients.push(client);
            return Opens::Transaction;
        }
        if self.clients.last() == Some(&client) || self.clients.contains(&client) {
            return Opens::Nothing;
        }
        let full = self.clients.len() == CLIENTS;
        if full {
            self.clients.clear();
        }
        self.clients.push(client);
        if full { Opens::Piece } else { Opens::Nothing }
    }
}
