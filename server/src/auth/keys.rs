//! Public keys from a URL: asked for once, kept, and asked for again when they are old or a token names a new one.
//!
//! Tokens are checked with the keys at hand, without waiting, unless one names a key that is not among them: then the
//! set is fetched again, at most once per [`Refresh::at_least`], so that made-up names cannot turn this server against
//! the issuer. A fetch that fails changes nothing: the old keys stay. Secrets (`oct`) are not taken from a URL.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::{Client, Url};

use super::grant::AuthError;
use super::outbound;
use super::token_key::{Jwk, JwkSet, TokenKey};
use crate::lock::lock;

const TIMEOUT: Duration = Duration::from_secs(5);
const MAX_BYTES: usize = 1 << 20;

/// When the keys are fetched again.
#[derive(Debug, Clone, Copy)]
pub struct Refresh {
    /// In any case after so long.
    pub after: Duration,
    /// Never more often than this.
    pub at_least: Duration,
}

impl Default for Refresh {
    fn default() -> Self {
        Self { after: Duration::from_secs(600), at_least: Duration::from_secs(10) }
    }
}

/// A key set at a URL.
pub struct KeySetUrl {
    client: Client,
    url: Url,
    refresh: Refresh,
    known: Mutex<FetchedKeys>,
    /// One fetch at a time; the others wait for its result.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct FetchedKeys {
    /// None: never fetched.
    keys: Option<Arc<Vec<TokenKey>>>,
    fetched: Option<Instant>,
    tried: Option<Instant>,
    /// How the last try ended.
    failed: bool,
}

/// The issuer did not answer when it was last asked.
#[derive(Debug)]
pub struct Unreachable;

impl FetchedKeys {
    fn latest(&self) -> Result<Arc<Vec<TokenKey>>, Unreachable> {
        self.keys.clone().filter(|_| !self.failed).ok_or(Unreachable)
    }
}

impl KeySetUrl {
    pub fn new(url: &str, refresh: Refresh) -> Result<Self, AuthError> {
        let (client, url) = outbound::client(url, TIMEOUT)?;
        Ok(Self { client, url, refresh, known: Mutex::default(), fetching: tokio::sync::Mutex::default() })
    }

    /// The keys at hand, fetched if there never were any. Old ones are fetched anew behind the caller's back.
    pub async fn keys(self: &Arc<Self>) -> Result<Arc<Vec<TokenKey>>, Unreachable> {
        let (keys, old) = {
            let known = self.known();
            let old = known.fetched.is_some_and(|at| at.elapsed() >= self.refresh.after) && self.may_try(&known);
            (known.keys.clone(), old)
        };
        match keys {
            Some(keys) => {
                if old && self.fetching.try_lock().is_ok() {
                    let this = Arc::clone(self);
                    tokio::spawn(async move { this.again().await.is_ok() });
                }
                Ok(keys)
            }
            None => self.again().await,
        }
    }

    /// Fetches the keys, unless that was tried a moment ago: then what that try brought.
    pub async fn again(&self) -> Result<Arc<Vec<TokenKey>>, Unreachable> {
        let _one = self.fetching.lock().await;
        if !self.may_try(&self.known()) {
            return self.known().latest();
        }
        self.known().tried = Some(Instant::now());
        let url = outbound::shown(self.url.as_str());
        match self.fetch().await {
            Ok(keys) => {
                tracing::info!(url, keys = keys.len(), "token keys fetched");
                let mut known = self.known();
                known.fetched = Some(Instant::now());
                known.failed = false;
                known.keys = Some(Arc::new(keys));
            }
            Err(error) => {
                tracing::warn!(url, error, "token keys cannot be fetched; the known ones stay");
                self.known().failed = true;
            }
        }
        self.known().latest()
    }

    fn may_try(&self, known: &FetchedKeys) -> bool {
        known.tried.is_none_or(|at| at.elapsed() >= self.refresh.at_least)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, FetchedKeys> {
        lock(&self.known)
    }

    async fn fetch(&self) -> Result<Vec<TokenKey>, String> {
        let request = self.client.get(self.url.clone()).header("accept", "application/json");
        let response = request.send().await.map_err(outbound::cause)?;
        if !response.status().is_success() {
            return Err(format!("status {}", response.status().as_u16()));
        }
        let body = outbound::body(response, MAX_BYTES).await?;
        let keys = usable(&body)?;
        if keys.is_empty() { Err("no key in it can check a signature".into()) } else { Ok(keys) }
    }
}

/// The keys of a set that can check signatures here. One that cannot be read does not take the others along.
fn usable(body: &[u8]) -> Result<Vec<TokenKey>, String> {
    let JwkSet { keys } = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let read = keys.into_iter().filter_map(|entry| serde_json::from_value::<Jwk>(entry).ok());
    Ok(read.filter(|jwk| jwk.verifies() && !jwk.is_secret()).filter_map(|jwk| jwk.key().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_check_signatures_is_left_out() {
        let set: serde_json::Value = serde_json::from_str(include_str!("../../tests/keys/jwks.json")).unwrap();
        let good = set["keys"].as_array().unwrap().len();
        let mut with = set.clone();
        let mut encrypting = set["keys"][0].clone();
        encrypting["use"] = "enc".into();
        let secret = serde_json::json!({"kty": "oct", "k": "c2VjcmV0"});
        let unknown = serde_json::json!({"kty": "future"});
        with["keys"].as_array_mut().unwrap().extend([encrypting, secret, unknown]);
        assert_eq!(usable(with.to_string().as_bytes()).unwrap().len(), good);
        assert!(usable(b"{}").is_err() && usable(b"<html>").is_err());
    }
}
