//! Parts of a document of format 1: what a change concerns, looked at without the rest.
//!
//! A [`SequenceOutline`](outline::SequenceOutline) says which of the items of a sequence show which of the elements in it, and
//! which are linked. With it a change makes a [`Division`]: *segments*, which are what changed, what stands beside that and
//! what these are linked with, and what is left out between. Segments that have nothing to do with each other are in *groups*
//! of their own, and one group is worked on at a time, while single elements stand for all the rest. What a group shows is
//! what it shows in the whole (`View::apart`): a change costs what it concerns.
//!
//! The sequence is the root's, or, if all that changed is in one list or page, that one's: then of the sequences around it
//! there is only the [`Way`](way::Way) to it. A line that breaks divide is such a sequence too: of its pieces ([`line`]).

mod divide;
mod division;
mod document;
mod edited;
mod fixed;
mod groups;
mod line;
mod outline;
mod rows;
mod segments;
mod way;
mod widen;

pub use divide::{divide_change, divide_edit};
pub use division::Division;
pub use document::{DocumentOutline, ItemBatch};
pub use edited::EditedKids;
