//! What the server counts.

use std::sync::atomic::{AtomicI64, Ordering};

/// A number that others may read at any time.
#[derive(Debug, Default)]
pub struct Number(AtomicI64);

impl Number {
    pub fn inc(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub fn dec(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    pub fn add(&self, count: u64) {
        self.0.fetch_add(count as i64, Ordering::Relaxed);
    }

    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
pub struct Metrics {
    pub connections: Number,
    pub rooms: Number,
    pub updates_stored: Number,
    pub commits: Number,
    pub commit_failures: Number,
    pub bytes_received: Number,
    pub bad_frames: Number,
    pub rejected: Number,
    pub panics: Number,
    pub quarantined: Number,
}
