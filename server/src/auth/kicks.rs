//! Users who were kicked, and when: their tokens from before that are no good any more.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::lock::lock;
use crate::storage::{Kicked, MAX_KICKED, Millis};

/// As many users as the storage tells; beyond that the oldest are forgotten.
#[derive(Debug, Default)]
pub struct Kicks {
    last: Mutex<HashMap<Kicked, Millis>>,
}

impl Kicks {
    /// Whether that is news: a kick comes by several ways, and the user may be back with another token meanwhile.
    pub fn note(&self, whom: &Kicked, at: Millis) -> bool {
        let mut last = lock(&self.last);
        if last.get(whom).is_some_and(|known| *known >= at) {
            return false;
        }
        if last.len() >= MAX_KICKED
            && let Some(oldest) = last.iter().min_by_key(|(_, at)| **at).map(|(whom, _)| whom.clone())
        {
            last.remove(&oldest);
        }
        last.insert(whom.clone(), at);
        true
    }

    /// Whether a token, for a document where it is asked about one, is from before the second of a kick, or does not say when it
    /// was made.
    pub fn take_back(&self, user: &str, document: Option<&str>, issued: Option<Millis>) -> bool {
        let last = lock(&self.last);
        let from = |document: Option<&str>| Kicked { user: user.to_owned(), document: document.map(str::to_owned) };
        let everywhere = last.get(&from(None));
        let kicks = everywhere.into_iter().chain(document.and_then(|document| last.get(&from(Some(document)))));
        kicks.max().is_some_and(|at| issued.is_none_or(|issued| issued < at / 1_000 * 1_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(user: &str, document: Option<&str>) -> Kicked {
        Kicked { user: user.into(), document: document.map(str::to_owned) }
    }

    #[test]
    fn a_kick_is_news_once_and_takes_back_what_is_older() {
        let (kicks, ada) = (Kicks::default(), from("ada", None));
        assert!(kicks.note(&ada, 5_500) && !kicks.note(&ada, 5_500) && !kicks.note(&ada, 5_000));
        let taken = [Some(4_999), Some(5_000), None].map(|issued| kicks.take_back("ada", None, issued));
        assert_eq!(taken, [true, false, true]);
        assert!(kicks.take_back("ada", Some("pilot"), Some(4_999)), "from everywhere");
        assert!(!kicks.take_back("bob", None, None));
        assert!(kicks.note(&ada, 7_000) && kicks.take_back("ada", None, Some(6_999)));
    }

    #[test]
    fn a_kick_from_a_document_takes_back_what_is_for_it() {
        let kicks = Kicks::default();
        assert!(kicks.note(&from("ada", Some("pilot")), 5_000) && kicks.note(&from("ada", Some("finale")), 5_000));
        assert!(
            kicks.take_back("ada", Some("pilot"), Some(4_999)) && !kicks.take_back("ada", Some("pilot"), Some(5_000))
        );
        assert!(!kicks.take_back("ada", Some("act two"), Some(4_999)) && !kicks.take_back("ada", None, None));
        assert!(!kicks.take_back("bob", Some("pilot"), None));
    }
}
