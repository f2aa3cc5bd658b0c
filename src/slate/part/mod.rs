//! Parts of a document of format 1: what a change concerns, looked at without the rest.
//!
//! [`Outline`] says which of the root's items show which of the top-level elements, and which are linked. [`Narrow`] is a part,
//! in which single elements stand for what is left out. What a part shows is what it shows in the whole: a change costs what
//! its part costs.

mod narrow;
mod outline;

pub use outline::Outline;
