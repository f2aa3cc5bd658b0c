//! Tests of the writer.

mod acts;
mod follower;
mod moved;
mod named;
mod peer;
mod pieces;
mod random;
mod transforms;
mod tree;
