//! What an update deletes.

use std::collections::HashMap;

use super::plan::Outline;
use crate::protocol::lib0::{Lib0Reader, var_uint};
use crate::update::limits::Refused;

/// Client, begin and end of what is deleted.
#[derive(Debug, Default)]
pub(super) struct Deletions(pub Vec<(u64, u64, u64)>);

impl Deletions {
    pub(super) fn read(update: &[u8], outline: &Outline<'_>) -> Result<Self, Refused> {
        let mut reader = Lib0Reader::new(update.get(outline.deletions..).unwrap_or_default());
        let mut deletions = Self::default();
        deletions.read_more(&mut reader)?;
        Ok(deletions)
    }

    pub(super) fn read_more(&mut self, reader: &mut Lib0Reader<'_>) -> Result<(), Refused> {
        for _ in 0..reader.var_uint()? {
            let client = reader.var_uint()?;
            for _ in 0..reader.var_uint()? {
                let (start, len) = (reader.var_uint()?, reader.var_uint()?);
                let end = start.saturating_add(len);
                if end > u64::from(u32::MAX) {
                    return Err(Refused::TooLarge);
                }
                self.0.push((client, start, end));
            }
        }
        Ok(())
    }

    /// The deletions of what the document has, and the others.
    pub(super) fn part(self, clock_of: &impl Fn(u64) -> u64) -> (Self, Self) {
        let (mut due, mut later) = (Self::default(), Self::default());
        for (client, start, end) in self.0 {
            let clock = clock_of(client);
            if start < clock.min(end) {
                due.0.push((client, start, end.min(clock)));
            }
            if end > clock.max(start) {
                later.0.push((client, start.max(clock), end));
            }
        }
        (due, later)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut by_client: HashMap<u64, Vec<(u64, u64)>> = HashMap::new();
        for (client, start, end) in &self.0 {
            by_client.entry(*client).or_default().push((*start, end - start));
        }
        let mut out = Vec::new();
        var_uint(&mut out, by_client.len() as u64);
        for (client, ranges) in by_client {
            var_uint(&mut out, client);
            var_uint(&mut out, ranges.len() as u64);
            for (clock, len) in ranges {
                var_uint(&mut out, clock);
                var_uint(&mut out, len);
            }
        }
        out
    }
}
