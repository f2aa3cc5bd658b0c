//! Documents that requests read: room for so many bytes at once.
//!
//! Whoever reads a state takes memory by the length of the document's log, and of the answer until it is sent. What has no
//! room waits, and of those who wait there are few. It is counted as long as it is there: also where nobody waits for
//! the answer any more, and as long as somebody is slow to take it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Room is given in pieces of this size.
const UNIT: u64 = 64 << 10;
/// Requests that wait for room.
const MAX_WAITING: usize = 64;

/// The readings of a server.
pub struct Readings {
    room: Arc<Semaphore>,
    units: u32,
    waiting: AtomicUsize,
}

/// Room for a reading, until this is dropped.
#[derive(Debug)]
pub struct ReadRoom(OwnedSemaphorePermit);

/// Counts one who waits, also if the request ends meanwhile.
struct InLine<'a>(&'a AtomicUsize);

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Readings {
    /// Room for so many bytes.
    pub fn new(bytes: u64) -> Self {
        let most = u64::try_from(Semaphore::MAX_PERMITS).unwrap_or(u64::MAX).min(u64::from(u32::MAX));
        let units = u32::try_from((bytes / UNIT).clamp(1, most)).unwrap_or(u32::MAX);
        Self { room: Arc::new(Semaphore::new(units as usize)), units, waiting: AtomicUsize::new(0) }
    }

    /// Waits for room for so many bytes; what is larger than all of it waits until nothing else is read. None: too many wait
    /// already.
    pub async fn begin(&self, bytes: u64) -> Option<ReadRoom> {
        let units = self.units_of(bytes);
        if let Ok(permit) = Arc::clone(&self.room).try_acquire_many_owned(units) {
            return Some(ReadRoom(permit));
        }
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = InLine(&self.waiting);
        if before >= MAX_WAITING {
            return None;
        }
        Arc::clone(&self.room).acquire_many_owned(units).await.ok().map(ReadRoom)
    }

    fn units_of(&self, bytes: u64) -> u32 {
        u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).clamp(1, self.units)
    }
}

impl ReadRoom {
    /// What was read is an answer by now, of so many bytes: the rest of the room is given back.
    pub fn is_answer_of(&mut self, bytes: usize) {
        let units = usize::try_from((bytes as u64).div_ceil(UNIT)).unwrap_or(usize::MAX).max(1);
        drop(self.0.split(self.0.num_permits().saturating_sub(units)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn f56_so_many_bytes_are_read_at_once() {
        let readings = Arc::new(Readings::new(10 * UNIT));
        let mut first = readings.begin(6 * UNIT).await.unwrap();
        let second = readings.begin(1).await.unwrap();
        let mut waiting = Vec::new();
        // What is larger than all of it is read when nothing else is.
        for bytes in std::iter::once(u64::MAX).chain(std::iter::repeat_n(UNIT, MAX_WAITING - 1)) {
            let readings = Arc::clone(&readings);
            waiting.push(tokio::spawn(async move { readings.begin(bytes).await.is_some() }));
            tokio::task::yield_now().await;
        }
        while readings.waiting.load(Ordering::Relaxed) < MAX_WAITING {
            tokio::task::yield_now().await;
        }
        assert!(readings.begin(u64::MAX).await.is_none(), "more than may wait");
        first.is_answer_of(0);
        assert_eq!(first.0.num_permits(), 1);
        assert!(waiting.iter().all(|one| !one.is_finished()), "the large one is first, and has no room yet");
        drop((first, second));
        for one in waiting {
            assert!(one.await.unwrap());
        }
        assert_eq!((readings.waiting.load(Ordering::Relaxed), readings.room.available_permits()), (0, 10));
        // A request that ends while it waits gives its place back.
        let all = readings.begin(u64::MAX).await.unwrap();
        let ends = tokio::spawn({
            let readings = Arc::clone(&readings);
            async move { readings.begin(1).await.is_some() }
        });
        while readings.waiting.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        ends.abort();
        assert!(ends.await.is_err());
        assert_eq!(readings.waiting.load(Ordering::Relaxed), 0);
        drop(all);
        assert_eq!(readings.room.available_permits(), 10);
    }
}
