//! One document's sans-IO machine: edits, store, connection and presence in, effects out.
//!
//! [`Session::handle`] takes an [`Input`] and the time; [`Session::poll_output`] is drained completely after each.
//! No clock, no randomness but a seeded one, no sockets, no browser.

mod types;

pub use types::*;
