//! IO in the browser, and in Node as far as it has the same interfaces.
//!
//! [`Driver`] is the one loop: it feeds a [`Session`](crate::session::Session) and does what it orders. Sockets,
//! IndexedDB and timers live here and decide nothing.

mod driver;
mod socket;
pub mod store;

pub use driver::{Driver, Listener, describe, is_running};
pub use socket::{Socket, SocketEvent};

/// The wall clock, in ms since the epoch.
pub fn now() -> u64 {
    js_sys::Date::now() as u64
}
