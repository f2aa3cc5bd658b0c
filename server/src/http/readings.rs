//! Documents that requests read: room for so many bytes at once.
//!
//! Whoever reads a state takes memory by the length of the document's log, and of the answer until it is sent. What has no
//! room waits, and of those who wait there are few. It is counted as long as it is there: also where nobody waits for
//! the answer any more, and as long as somebody is slow to take it. Nobody takes more than a share, of the room and of
//! the places to wait: who reads much, or is slow to take it, keeps only themselves waiting.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::allowance::Taker;
use crate::lock::lock;

/// Room is given in pieces of this size.
const UNIT: u64 = 64 << 10;
/// Requests that wait for room.
const MAX_WAITING: usize = 64;
/// Those of one user, or of one address where nobody says who it is.
const MAX_WAITING_OF_ONE: usize = 16;
/// One of so many parts of the room is for one of them.
const SHARES: u32 = 2;

/// The readings of a server.
pub struct Readings {
    room: Arc<Semaphore>,
    units: u32,
    waiting: AtomicUsize,
    /// Those who read, or wait.
    takers: Mutex<HashMap<Taker, ReadShare>>,
}

struct ReadShare {
    room: Arc<Semaphore>,
    /// Requests of this one, and how many of them wait.
    requests: usize,
    waiting: usize,
}

/// Room for a reading, until this is dropped.
pub struct ReadRoom {
    room: OwnedSemaphorePermit,
    share: OwnedSemaphorePermit,
    _request: ReadRequest,
}

/// One request of a taker.
struct ReadRequest {
    readings: Arc<Readings>,
    taker: Taker,
}

impl Drop for ReadRequest {
    fn drop(&mut self) {
        let mut takers = self.readings.takers();
        let Some(share) = takers.get_mut(&self.taker) else { return };
        share.requests -= 1;
        if share.requests == 0 {
            takers.remove(&self.taker);
        }
    }
}

/// Counts one who waits, also if the request ends meanwhile.
struct InLine<'a>(&'a ReadRequest);

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.0.readings.waiting.fetch_sub(1, Ordering::Relaxed);
        if let Some(share) = self.0.readings.takers().get_mut(&self.0.taker) {
            share.waiting -= 1;
        }
    }
}

impl Readings {
    /// Room for so many bytes.
    pub fn new(bytes: u64) -> Self {
        let most = u64::try_from(Semaphore::MAX_PERMITS).unwrap_or(u64::MAX).min(u64::from(u32::MAX));
        let units = u32::try_from((bytes / UNIT).clamp(1, most)).unwrap_or(u32::MAX);
        let room = Arc::new(Semaphore::new(units as usize));
        Self { room, units, waiting: AtomicUsize::new(0), takers: Mutex::default() }
    }

    /// Waits for room for so many bytes; what is larger than all of it waits until nothing else is read, what is larger
    /// than a share until nothing else is read by this one. None: too many wait already.
    pub async fn begin(self: &Arc<Self>, taker: &Taker, bytes: u64) -> Option<ReadRoom> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).clamp(1, self.units);
        let (request, own) = self.request(taker);
        let owned = units.min(self.share());
        if let Ok(share) = Arc::clone(&own).try_acquire_many_owned(owned)
            && let Ok(room) = Arc::clone(&self.room).try_acquire_many_owned(units)
        {
            return Some(ReadRoom { room, share, _request: request });
        }
        let waiting = self.line_up(&request)?;
        let share = own.acquire_many_owned(owned).await.ok()?;
        let room = Arc::clone(&self.room).acquire_many_owned(units).await.ok()?;
        drop(waiting);
        Some(ReadRoom { room, share, _request: request })
    }

    /// What one may have of the room.
    fn share(&self) -> u32 {
        (self.units / SHARES).max(1)
    }

    fn request(self: &Arc<Self>, taker: &Taker) -> (ReadRequest, Arc<Semaphore>) {
        let mut takers = self.takers();
        let share = takers.entry(taker.clone()).or_insert_with(|| {
            let room = Arc::new(Semaphore::new(self.share() as usize));
            ReadShare { room, requests: 0, waiting: 0 }
        });
        share.requests += 1;
        (ReadRequest { readings: Arc::clone(self), taker: taker.clone() }, Arc::clone(&share.room))
    }

    fn line_up<'a>(&self, request: &'a ReadRequest) -> Option<InLine<'a>> {
        let mut takers = self.takers();
        let share = takers.get_mut(&request.taker)?;
        if share.waiting >= MAX_WAITING_OF_ONE || self.waiting.load(Ordering::Relaxed) >= MAX_WAITING {
            return None;
        }
        // Both are counted with the lock held.
        share.waiting += 1;
        self.waiting.fetch_add(1, Ordering::Relaxed);
        drop(takers);
        Some(InLine(request))
    }

    fn takers(&self) -> MutexGuard<'_, HashMap<Taker, ReadShare>> {
        // Nothing panics while it is held.
        lock(&self.takers)
    }
}

impl ReadRoom {
    /// What was read is an answer by now, of so many bytes: the rest of the room is given back.
    pub fn is_answer_of(&mut self, bytes: usize) {
        let units = usize::try_from((bytes as u64).div_ceil(UNIT)).unwrap_or(usize::MAX).max(1);
        for permit in [&mut self.room, &mut self.share] {
            drop(permit.split(permit.num_permits().saturating_sub(units)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: impl ToString) -> Taker {
        Taker::User(name.to_string().into())
    }

    /// Begins in a task of its own, and waits until it is in line.
    async fn waits(readings: &Arc<Readings>, taker: Taker, bytes: u64) -> tokio::task::JoinHandle<bool> {
        let before = readings.waiting.load(Ordering::Relaxed);
        let one = Arc::clone(readings);
        let waiting = tokio::spawn(async move { one.begin(&taker, bytes).await.is_some() });
        while readings.waiting.load(Ordering::Relaxed) == before {
            tokio::task::yield_now().await;
        }
        waiting
    }

    #[tokio::test]
    async fn f56_so_many_bytes_are_read_at_once() {
        let readings = Arc::new(Readings::new(12 * UNIT));
        let mut first = readings.begin(&user("ada"), 6 * UNIT).await.unwrap();
        let second = readings.begin(&user("bob"), 1).await.unwrap();
        let mut waiting = Vec::new();
        // What is larger than all of it is read when nothing else is.
        for n in 0..MAX_WAITING {
            waiting.push(waits(&readings, user(n), if n == 0 { u64::MAX } else { UNIT }).await);
        }
        assert!(readings.begin(&user("eve"), 1).await.is_none(), "more than may wait");
        first.is_answer_of(0);
        assert_eq!((first.room.num_permits(), first.share.num_permits()), (1, 1));
        assert!(waiting.iter().all(|one| !one.is_finished()), "the large one is first, and has no room yet");
        drop((first, second));
        for one in waiting {
            assert!(one.await.unwrap());
        }
        assert_eq!((readings.waiting.load(Ordering::Relaxed), readings.room.available_permits()), (0, 12));
        // A request that ends while it waits gives its place back.
        let all = readings.begin(&user("ada"), u64::MAX).await.unwrap();
        let ends = waits(&readings, user("bob"), 1).await;
        ends.abort();
        assert!(ends.await.is_err());
        assert_eq!(readings.waiting.load(Ordering::Relaxed), 0);
        drop(all);
        assert_eq!(readings.room.available_permits(), 12);
        assert!(readings.takers().is_empty());
    }

    #[tokio::test]
    async fn f56_one_user_has_a_share_of_what_is_read_and_of_the_line() {
        let readings = Arc::new(Readings::new(12 * UNIT));
        let ada: Vec<ReadRoom> = vec![
            readings.begin(&user("ada"), 4 * UNIT).await.unwrap(),
            readings.begin(&user("ada"), 2 * UNIT).await.unwrap(),
        ];
        let mut waiting = Vec::new();
        for _ in 0..MAX_WAITING_OF_ONE {
            waiting.push(waits(&readings, user("ada"), UNIT).await);
        }
        assert!(readings.begin(&user("ada"), UNIT).await.is_none(), "more than one of them may have waiting");
        // The others have the rest, at once.
        let bob = readings.begin(&user("bob"), 6 * UNIT).await.unwrap();
        assert!(waiting.iter().all(|one| !one.is_finished()));
        drop(ada);
        for one in waiting {
            assert!(one.await.unwrap());
        }
        // What is larger than a share is read while nothing else of the same user is.
        let large = waits(&readings, user("ada"), 7 * UNIT).await;
        drop(bob);
        assert!(large.await.unwrap());
    }
}
