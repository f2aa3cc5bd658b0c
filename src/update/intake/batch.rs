//! Small updates in a row, made one: a log that was never compacted has one for each key.
//!
//! Each update has costs that do not depend on its length, here and in yrs. Those whose structs follow each other are
//! put together as bytes, and letters that were typed one after the other become one text, as yrs joins them itself
//! when it has them. What is taken then is what would have been taken one by one.

use std::collections::HashMap;

use super::deletions::Deletions;
use super::held::{Ranges, cover, put_deletions};
use super::section::StructId;
use crate::protocol::lib0::{Lib0Reader, buf, var_uint};
use crate::update::limits::Refused;
use crate::update::split::Block;

/// Larger updates are taken alone, and so much is put together.
const SMALL: usize = 4 << 10;
const BYTES: usize = 64 << 10;
/// Clients that are looked for one by one.
const CLIENTS: usize = 16;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Batch<'b> {
    /// What it was made of.
    members: Vec<&'b [u8]>,
    groups: Vec<BatchGroup>,
    deletions: Deletions,
    bytes: usize,
    /// The structs of the update that is looked at, with their bytes.
    new: Vec<(Block<'b>, &'b [u8])>,
}

type RightOrigin = Option<StructId>;

/// Structs of one client that follow each other.
#[derive(Debug)]
struct BatchGroup {
    client: u64,
    clock: u64,
    end: u64,
    count: u64,
    bytes: Vec<u8>,
    /// The text at the end, which is not among the bytes yet, and what it lies left of.
    text: Option<(RightOrigin, Vec<u8>)>,
}

impl<'b> Batch<'b> {
    /// Puts an update in. Returns false, and leaves all as it was, if it has to be taken by itself, or first in a batch.
    pub(super) fn add(&mut self, update: &'b [u8]) -> bool {
        if update.len() > SMALL || self.bytes + update.len() > BYTES {
            return false;
        }
        let ranges = self.deletions.0.len();
        let is_added = self.read(update).unwrap_or(false);
        match is_added {
            true => {
                self.bytes += update.len();
                self.members.push(update);
            }
            false => self.deletions.0.truncate(ranges),
        }
        is_added
    }

    fn read(&mut self, update: &'b [u8]) -> Result<bool, Refused> {
        let mut reader = Lib0Reader::new(update);
        let sections = reader.var_uint()?;
        let (mut client, mut clock) = (0, 0);
        self.new.clear();
        if sections == 1 {
            let count = reader.var_uint()?;
            (client, clock) = (reader.var_uint()?, reader.var_uint()?);
            for _ in 0..count {
                let before = reader.rest();
                let block = Block::read(&mut reader)?;
                let bytes = &before[..before.len() - reader.remaining()];
                if !block.is_item() || block.is_doc() || block.len == 0 {
                    return Ok(false);
                }
                self.new.push((block, bytes));
            }
        }
        self.deletions.read_more(&mut reader)?;
        let is_whole = sections as usize == usize::from(!self.new.is_empty()) && reader.is_empty();
        Ok(is_whole && self.take_new(client, clock))
    }

    /// Puts the structs behind those of the same client, if they follow these.
    fn take_new(&mut self, client: u64, clock: u64) -> bool {
        if self.new.is_empty() {
            return true;
        }
        let at = match self.groups.iter().position(|group| group.client == client) {
            Some(at) if self.groups[at].end == clock => at,
            None if self.groups.len() < CLIENTS => {
                self.groups.push(BatchGroup { client, clock, end: clock, count: 0, bytes: Vec::new(), text: None });
                self.groups.len() - 1
            }
            _ => return false,
        };
        self.new.drain(..).for_each(|(block, bytes)| self.groups[at].push(&block, bytes));
        true
    }

    /// What it was made of, and all of that as one update. The batch is empty then.
    pub(super) fn finish(&mut self) -> (Vec<&'b [u8]>, Vec<u8>) {
        let mut update = Vec::with_capacity(self.bytes);
        var_uint(&mut update, self.groups.len() as u64);
        for mut group in self.groups.drain(..) {
            group.close();
            [group.count, group.client, group.clock].into_iter().for_each(|number| var_uint(&mut update, number));
            update.extend(group.bytes);
        }
        let mut deletions: HashMap<u64, Ranges> = HashMap::new();
        for (client, start, end) in std::mem::take(&mut self.deletions.0) {
            if start < end {
                cover(deletions.entry(client).or_default(), start, end);
            }
        }
        put_deletions(&mut update, &deletions);
        self.bytes = 0;
        (std::mem::take(&mut self.members), update)
    }
}

impl BatchGroup {
    fn push(&mut self, block: &Block<'_>, bytes: &[u8]) {
        let follows = block.continues(self.client, self.end);
        self.end = self.end.saturating_add(block.len);
        let Some(typed) = block.typed() else {
            self.close();
            self.count += 1;
            return self.bytes.extend_from_slice(bytes);
        };
        match &mut self.text {
            Some((right, text)) if follows && *right == block.right_origin => text.extend_from_slice(typed.as_bytes()),
            _ => {
                self.close();
                self.count += 1;
                self.bytes.extend_from_slice(block.head_of(bytes));
                self.text = Some((block.right_origin, typed.as_bytes().to_vec()));
            }
        }
    }

    /// What follows does not go on with the text.
    fn close(&mut self) {
        if let Some((_, text)) = self.text.take() {
            buf(&mut self.bytes, &text);
        }
    }
}
