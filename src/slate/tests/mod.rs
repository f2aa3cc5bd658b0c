//! Tests of the mapping.

mod concurrency;
mod doc;
mod fixtures;
pub(crate) mod json;
pub(crate) mod model;
mod random;
mod remote;
