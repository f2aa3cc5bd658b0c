//! Locks that hold although somebody panicked.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes a lock. What it guards is whole between any two statements, so that a panic while it was held is no reason to give up.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
