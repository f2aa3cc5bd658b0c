//! Tests of the mapping.

mod model;
mod random;
