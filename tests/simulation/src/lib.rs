//! The simulator: real sessions and real rooms over a model database, a network, devices and people that fail, virtual
//! time, one seed.
//!
//! A run is a [`plan::Plan`] and a list of steps. Everything a step does follows from its own number and from what is
//! there, so that a list can be shortened and what is left of it does the same.

#![allow(clippy::expect_used, clippy::missing_panics_doc, reason = "a test")]

mod acts;
mod checks;
mod content;
mod database;
mod device;
mod editor;
mod faults;
mod plain;
pub mod plan;
pub mod requests;
mod server;
mod structure;
mod tabs;
mod values;
mod world;
