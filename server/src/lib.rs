//! The sync server of slate-yrs: y-websocket for any client, durable sync for those that ask for it.
//!
//! A connection ([`connection`]) passes frames to the room of its document ([`room`]); the room's core judges them, the
//! writer ([`writer`]) stores them ([`storage`]), and only then anything is acknowledged or sent on. See
//! docs/SERVER.md.

pub mod admin;
pub mod allowance;
pub mod auth;
pub mod authorship;
pub mod clock;
pub mod comments;
pub mod compact;
pub mod config;
pub mod connection;
mod deflate;
pub mod gate;
pub mod health;
pub mod hints;
pub mod history;
pub mod http;
pub mod import;
pub mod limit;
pub mod live;
mod lock;
pub mod mcp;
pub mod metrics;
pub mod neighbours;
pub mod net;
pub mod plain;
pub mod presence;
pub mod replica;
pub mod room;
pub mod schedule;
pub mod server;
pub mod storage;
pub mod stream;
#[cfg(test)]
#[path = "../tests/common/postgres.rs"]
mod testing;
#[cfg(test)]
#[path = "../tests/common/tokens.rs"]
mod tokens;
pub mod validate;
pub mod webhooks;
pub mod wire;
pub mod writer;
