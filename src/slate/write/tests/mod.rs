//! Tests of the writer.

mod acts;
mod follower;
mod peer;
mod random;
mod transforms;
