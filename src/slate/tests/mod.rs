//! Tests of the mapping.

mod by_copy;
mod concurrency;
mod cost;
mod doc;
mod fixtures;
mod fuzz;
pub(crate) mod json;
mod keys;
mod lived;
pub(crate) mod model;
mod net;
mod oracle;
mod oracle_together;
mod parts;
pub(crate) mod random;
mod remote;
mod selfcheck;
mod slate_yjs;
mod typed;
mod yjs14;
