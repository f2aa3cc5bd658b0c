//! Users who were kicked, and when: their tokens from before that are no good any more.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::lock::lock;
use crate::storage::{MAX_KICKED, Millis};

/// As many users as the storage tells; beyond that the oldest are forgotten.
#[derive(Debug, Default)]
pub struct Kicks {
    last: Mutex<HashMap<String, Millis>>,
}

impl Kicks {
    /// Whether that is news: a kick comes by several ways, and the user may be back with another token meanwhile.
    pub fn note(&self, user: &str, at: Millis) -> bool {
        let mut last = lock(&self.last);
        if last.get(user).is_some_and(|known| *known >= at) {
            return false;
        }
        if last.len() >= MAX_KICKED
            && let Some(oldest) = last.iter().min_by_key(|(_, at)| **at).map(|(user, _)| user.clone())
        {
            last.remove(&oldest);
        }
        last.insert(user.to_owned(), at);
        true
    }

    /// Whether a token is from before the second of the kick, or does not say when it was made.
    pub fn take_back(&self, user: &str, issued: Option<Millis>) -> bool {
        let last = lock(&self.last);
        last.get(user).is_some_and(|at| issued.is_none_or(|issued| issued < at / 1_000 * 1_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kick_is_news_once_and_takes_back_what_is_older() {
        let kicks = Kicks::default();
        assert!(kicks.note("ada", 5_500) && !kicks.note("ada", 5_500) && !kicks.note("ada", 5_000));
        let taken = [Some(4_999), Some(5_000), None].map(|issued| kicks.take_back("ada", issued));
        assert_eq!(taken, [true, false, true]);
        assert!(!kicks.take_back("bob", None));
        assert!(kicks.note("ada", 7_000) && kicks.take_back("ada", Some(6_999)));
    }
}
