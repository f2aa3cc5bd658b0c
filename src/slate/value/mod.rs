//! Slate's value: nodes, operations, paths and points as plain values, and what can be said of them alone.
//!
//! Nothing here knows of a Y.Doc. [`transform`] says where paths and points are after an operation, [`diff`] leads from one
//! value to another where the way is not known, [`utf16`] counts as JavaScript does.

pub mod alignment;
pub mod diff;
pub mod error;
pub mod node;
pub mod op;
pub mod props;
pub mod transform;
pub mod utf16;
