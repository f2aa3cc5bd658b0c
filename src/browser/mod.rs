//! IO in the browser, and in Node as far as it has the same interfaces.
//!
//! [`Driver`] is the one loop: it feeds a [`Session`](crate::session::Session) and does what it orders. Sockets,
//! IndexedDB and timers live here and decide nothing.

mod device_store;
mod driver;
mod listener;
mod socket;
pub mod store;

pub use device_store::DeviceStore;
pub use driver::{Driver, is_running};
pub use listener::Listener;
pub use socket::{Socket, SocketEvent};

/// The wall clock, in ms since the epoch.
pub fn now() -> u64 {
    js_sys::Date::now() as u64
}

/// What a thrown value says.
pub fn describe(error: &wasm_bindgen::JsValue) -> String {
    js_sys::Reflect::get(error, &"message".into())
        .ok()
        .and_then(|message| message.as_string())
        .or_else(|| error.as_string())
        .unwrap_or_else(|| "unknown error".to_owned())
}
