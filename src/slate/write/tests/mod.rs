//! Tests of the writer.

mod acts;
mod follower;
mod named;
mod peer;
mod random;
mod transforms;
