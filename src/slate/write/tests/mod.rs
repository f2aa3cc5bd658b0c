//! Tests of the writer.

mod acts;
mod named;
mod peer;
mod random;
mod transforms;
