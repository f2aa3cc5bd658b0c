//! Who inserted and who deleted what, out of the rows of a document's log.
//!
//! Every row has its authors, and the ids of what it inserts and deletes. Of a row with several authors (compaction
//! merged it) the authorship says who did what in it, if it was kept then.

use std::sync::Arc;

use slate_yrs::slate::{Assoc, Point, SlateDoc};
use yrs::Update;
use yrs::updates::decoder::Decode;

use super::compare::Change;
use crate::authorship::{Author, IdSpans, Part, only_author};
use crate::storage::UpdateRow;

/// The rows between two states.
#[derive(Default)]
pub struct AuthorSpans {
    /// Numbers in `authors`. What came first holds: a row may repeat what others had sent.
    inserted: IdSpans<usize>,
    deleted: IdSpans<usize>,
    authors: Vec<Author>,
    names: std::collections::BTreeSet<String>,
    /// Some of it nobody is known to have made.
    anonymous: bool,
}

impl AuthorSpans {
    pub fn add(&mut self, row: &UpdateRow) {
        self.names.extend(row.authors.0.iter().cloned());
        self.anonymous |= row.authors.0.is_empty();
        let Ok(update) = Update::decode_v1(&row.bytes) else { return };
        let author = self.number(only_author(row));
        self.inserted.take(&update.insertions(true), author);
        self.deleted.take(update.delete_set(), author);
    }

    fn number(&mut self, author: Author) -> usize {
        self.authors.iter().position(|known| *known == author).unwrap_or_else(|| {
            self.authors.push(author);
            self.authors.len() - 1
        })
    }

    /// The same of a row that was merged, of which it is kept who did what.
    pub fn add_kept(&mut self, row: &UpdateRow, parts: impl Iterator<Item = Part>) {
        self.names.extend(row.authors.0.iter().cloned());
        for part in parts.filter(|part| (row.first_seq..=row.seq).contains(&part.first_seq)) {
            self.anonymous |= part.author.is_none();
            let author = self.number(part.author);
            self.inserted.take(&part.inserted, author);
            self.deleted.take(&part.deleted, author);
        }
    }

    /// Who removed the text at `at` from `old`, or added it to `new`: of its characters, the first of which it is known.
    pub fn of(&self, docs: (&SlateDoc, &SlateDoc), change: Change, at: &Point, len: u32) -> Author {
        if self.names.len() == 1 && !self.anonymous {
            return self.names.first().map(|name| Arc::from(name.as_str()));
        }
        let (doc, spans) = match change {
            Change::Removed => (docs.0, &self.deleted),
            Change::Added => (docs.1, &self.inserted),
        };
        (0..len).find_map(|n| {
            let point = Point { path: at.path.clone(), offset: at.offset + n };
            let id = doc.sticky(&point, Assoc::After)?.item()?;
            self.authors.get(spans.get(id.client, id.clock).0?)?.clone()
        })
    }
}
