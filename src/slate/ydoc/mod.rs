//! The Y.Doc of a format 1 document, as strands, markers, registers and keyed formats.
//!
//! All reading and writing of the Y.Doc's content is done here. [`Mirror`] is a copy of the document: each sequence in it is a
//! list of runs of text and of nested types, with their ids and formats. [`Writer`] makes every change in the document and in
//! the mirror. This folder does not know what an editor shows of the document: `view/` works that out.
//!
//! Invariants: a mirror that is read anew equals one that has followed every change. What is damaged in the document (a
//! register of the wrong kind, an id that names nothing) is read as if it were absent; reading never fails.

mod act;
mod attrs;
pub(in crate::slate) mod by_copy;
pub(in crate::slate) mod copies;
mod focus;
mod formats;
mod id;
mod links;
mod mirror;
mod read;
mod sight;
mod spans;
pub(in crate::slate) mod sticky;
mod twice;
mod typed;
pub(in crate::slate) mod values;
mod writer;

pub use crate::quick::{Quick, QuickMap, QuickSet};
pub use act::{Act, Beside, Span};
pub use attrs::{ClaimEntry, Erase, Gone, Kind, Of, Place, Registers, kind_name};
pub use focus::StandIn;
pub use formats::{Around, Formats, KeyName, MarkKey, Resolved, attribute_name, key_name, none, parse_key, resolve};
pub use id::Id;
pub use links::OUTSIDE;
#[cfg(test)]
pub use mirror::take_visited;
pub use mirror::{Item, Mirror, Nid, NodeData, ROOT, Run, Runs};
pub use read::Followed;
pub(super) use read::sequence_of;
pub use spans::{gap, overlaps, stretch_at};
pub use twice::{MAP, MAX_AGAIN, covering, origins, read_again, read_were, up_to_next};
pub use writer::Writer;

#[cfg(test)]
mod tests;
