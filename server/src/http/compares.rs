//! Comparisons of versions: a few at once, one of each user, and those that were made before from memory.
//!
//! A comparison replays a document's log twice and compares two values: what costs a request nothing costs the server
//! seconds. Whoever asks for several gets them one after the other; few of them may wait.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::allowance::Taker;
use crate::lock::lock;

/// Of one user, one under way among them.
const MAX_WAITING: usize = 8;

/// What is compared: each part of the name of a comparison.
pub type Compared = [String; 5];

/// The comparisons of a server.
pub struct Compares {
    turns: Arc<Semaphore>,
    most: usize,
    state: Mutex<Remembered>,
}

#[derive(Default)]
struct Remembered {
    waiting: HashMap<Taker, Line>,
    made: HashMap<Compared, Bytes>,
    /// Oldest first.
    order: VecDeque<Compared>,
    bytes: usize,
}

struct Line {
    turn: Arc<Semaphore>,
    length: usize,
}

/// It is this one's turn, until this is dropped.
pub struct Turn {
    compares: Arc<Compares>,
    taker: Taker,
    _own: Option<OwnedSemaphorePermit>,
    _of_all: Option<OwnedSemaphorePermit>,
}

impl Compares {
    /// So many at once; what was made takes no more than `most` bytes.
    pub fn new(at_once: usize, most: usize) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(at_once.clamp(1, Semaphore::MAX_PERMITS))),
            most,
            state: Mutex::default(),
        }
    }

    /// What a comparison came to before.
    pub fn made(&self, compared: &Compared) -> Option<Bytes> {
        self.state().made.get(compared).cloned()
    }

    /// Remembers it; the oldest are forgotten.
    pub fn keep(&self, compared: Compared, answer: Bytes) {
        if answer.len() > self.most / 2 {
            return;
        }
        let mut state = self.state();
        state.bytes += answer.len();
        if let Some(before) = state.made.insert(compared.clone(), answer) {
            state.bytes -= before.len();
        } else {
            state.order.push_back(compared);
        }
        while state.bytes > self.most {
            let Some(oldest) = state.order.pop_front() else { return };
            let bytes = state.made.remove(&oldest).map_or(0, |answer| answer.len());
            state.bytes -= bytes;
        }
    }

    /// Waits for this one's turn. None: too many of its comparisons wait already.
    pub async fn turn(self: &Arc<Self>, taker: Taker) -> Option<Turn> {
        let own = {
            let mut state = self.state();
            let none = || Line { turn: Arc::new(Semaphore::new(1)), length: 0 };
            let queue = state.waiting.entry(taker.clone()).or_insert_with(none);
            if queue.length >= MAX_WAITING {
                return None;
            }
            queue.length += 1;
            Arc::clone(&queue.turn)
        };
        // From here on its place is given back, also if the request ends while it waits.
        let mut turn = Turn { compares: Arc::clone(self), taker, _own: None, _of_all: None };
        turn._own = own.acquire_owned().await.ok();
        turn._of_all = Arc::clone(&self.turns).acquire_owned().await.ok();
        Some(turn)
    }

    fn state(&self) -> MutexGuard<'_, Remembered> {
        // Nothing panics while it is held.
        lock(&self.state)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.compares.state();
        let Some(queue) = state.waiting.get_mut(&self.taker) else { return };
        queue.length -= 1;
        if queue.length == 0 {
            state.waiting.remove(&self.taker);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn user(name: &str) -> Taker {
        Taker::User(name.into())
    }

    #[tokio::test]
    async fn f56_a_user_has_one_comparison_at_a_time_and_few_wait() {
        let compares = Arc::new(Compares::new(2, 1_000));
        let first = compares.turn(user("ada")).await.unwrap();
        let mut waiting = Vec::new();
        for _ in 1..MAX_WAITING {
            let compares = Arc::clone(&compares);
            waiting.push(tokio::spawn(async move { compares.turn(user("ada")).await.is_some() }));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let one_more = tokio::time::timeout(Duration::from_secs(5), compares.turn(user("ada"))).await;
        assert!(one_more.is_ok_and(|turn| turn.is_none()), "it is refused, and does not wait");
        assert!(waiting.iter().all(|one| !one.is_finished()));
        // Others have theirs.
        let other = compares.turn(user("bob")).await.unwrap();
        let third = compares.turn(user("eve"));
        assert!(tokio::time::timeout(Duration::from_millis(50), third).await.is_err(), "two at once");
        drop((first, other));
        for one in waiting {
            assert!(one.await.unwrap());
        }
        assert!(compares.state().waiting.is_empty());
    }

    #[test]
    fn what_was_compared_is_remembered_within_bounds() {
        let compares = Compares::new(1, 1_000);
        let name = |n: usize| [n.to_string(), String::new(), String::new(), String::new(), String::new()];
        for n in 0..50 {
            compares.keep(name(n), Bytes::from(vec![0; 100]));
            compares.keep(name(n), Bytes::from(vec![0; 100]));
        }
        compares.keep(name(99), Bytes::from(vec![0; 600]));
        assert!(compares.made(&name(49)).is_some() && compares.made(&name(40)).is_some());
        assert!(compares.made(&name(39)).is_none() && compares.made(&name(99)).is_none());
        let state = compares.state();
        assert_eq!((state.bytes, state.order.len()), (1_000, 10));
    }
}
