//! Tests of the mapping.

mod fixtures;
mod json;
mod model;
mod random;
mod remote;
