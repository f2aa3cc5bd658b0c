//! What only a browser can show: IndexedDB and WebSocket, in headless Chromium.
//!
//! `cargo test -p slate-yrs --target wasm32-unknown-unknown --profile wasm-dev --test web`, with `xtask` built. The
//! socket tests need the server of `tests/web/server.mjs`; its address comes in `target/web-server.json`.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod socket;
mod store;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);
