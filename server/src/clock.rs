//! The time, where it enters the server.

use std::cell::Cell;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::storage::Millis;

thread_local! {
    static STANDING: Cell<Option<Millis>> = const { Cell::new(None) };
}

pub fn now() -> Millis {
    let system = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis);
    STANDING.get().unwrap_or_else(system)
}

/// For simulations: on this thread it is `at` until told otherwise.
pub fn stand_at(at: Millis) {
    STANDING.set(Some(at));
}

/// Ends [`stand_at`].
pub fn go_on() {
    STANDING.set(None);
}
