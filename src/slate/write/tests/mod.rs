//! Tests of the writer.

mod acts;
mod peer;
mod random;
mod transforms;
