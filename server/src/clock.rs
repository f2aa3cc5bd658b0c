//! The time, where it enters the server.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::storage::Millis;

pub fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis)
}
