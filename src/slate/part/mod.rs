//! Parts of a document of format 1: what a change concerns, looked at without the rest.
//!
//! An [`RootOutline`] says which of the root's items show which of the top-level elements, and which are linked. With it a change
//! makes a [`Division`]: *segments*, which are what changed, what stands beside that and what these are linked with, and what
//! is left out between. Segments that have nothing to do with each other are in *groups* of their own, and one group is worked
//! on at a time, while single elements stand for all the rest. What a group shows is what it shows in the whole
//! (`View::apart`): a change costs what it concerns.

mod division;
mod fixed;
mod groups;
mod outline;
mod segments;
mod widen;

pub use division::Division;
pub use outline::RootOutline;
