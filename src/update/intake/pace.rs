//! How much yrs is given at once.
//!
//! Within one update yrs recurses as deep as clients need each other; before a commit it has an item for each struct;
//! and it copies what a commit joins once for each struct that is joined.

use smallvec::SmallVec;

use crate::update::split::Block;

/// Clients in a piece: how often yrs may call itself.
const CLIENTS: usize = 64;
/// Structs between two commits.
const STRUCTS: usize = 50_000;
/// Structs between two commits that the commit joins into one, and the bytes that it copies for that.
const JOINED: usize = 500;
const COPIED: usize = 16 << 20;

/// What ends before a struct is given: nothing, the piece, or the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opens {
    Nothing,
    Piece,
    Transaction,
}

#[derive(Debug, Default)]
pub(super) struct Pace {
    /// The clients in the piece.
    clients: SmallVec<[u64; 8]>,
    /// How many structs the transaction has.
    structs: usize,
    /// The last structs that a commit will join into one: client and clock at which they end, how many, and how large.
    last: (u64, u64),
    joined: usize,
    bytes: usize,
}

impl Pace {
    /// A piece begins.
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
