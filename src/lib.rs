//! The collaboration engine that runs under a Slate editor.
//!
//! It owns the Y.Doc, maps Slate operations into it and remote changes back into Slate operations, keeps every
//! unacknowledged edit, and speaks the sync protocol. Everything but [`browser`] and [`js`] is pure: no clock, no
//! randomness of its own, no browser. Those two exist on `wasm32` only.
//!
//! Dependencies point one way: `js → browser → session → {slate, protocol, awareness, undo, store, update, format}`.

pub mod awareness;
mod border;
pub mod codec;
pub mod format;
mod json;
pub mod protocol;
mod quick;
pub mod session;
pub mod slate;
mod sorted;
pub mod store;
pub mod undo;
pub mod update;

#[cfg(target_arch = "wasm32")]
pub mod browser;
#[cfg(target_arch = "wasm32")]
pub mod js;
