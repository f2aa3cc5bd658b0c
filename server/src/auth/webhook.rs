//! The application decides: one POST for every connection and request, answered for a few seconds from memory.
//!
//! What is kept is the SHA-256 of the token and the document, never the token. Only an answer that says yes lets
//! anybody in: 401 and 403 are refusals, everything else (other statuses, silence, an answer that is not understood)
//! means that nobody knows, and the client comes again.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, StatusCode, Url};
use ring::digest::{Context, SHA256};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::allowance::Taker;
use crate::lock::lock;
use crate::storage::{Kicked, Millis};

use super::grant::{AuthError, ClaimedRole, Denied, Grant, Request, TIRED};
use super::kicks::Kicks;
use super::outbound;

const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// Questions under way at once; others wait for theirs.
const AT_ONCE: usize = 64;
/// Answers kept.
const MAX_KEPT: usize = 10_000;
/// A refusal is kept no longer: whoever is given access now wants in now.
const REFUSED_FOR: Duration = Duration::from_secs(2);
/// Longer tokens are not passed on.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// How long refusals are counted.
const REFUSALS_WITHIN: Duration = Duration::from_secs(60);

const AWAY: Denied = Denied::Unavailable("the token cannot be checked at the moment");

#[derive(Debug, Clone)]
pub struct WebhookOptions {
    pub url: String,
    /// Sent as `Authorization: Bearer`, so that the application knows who asks.
    pub secret: Option<String>,
    /// For the whole of a question, waiting for its turn included.
    pub timeout: Duration,
    /// How long a yes is kept.
    pub keep: Duration,
    /// Refusals in a minute to one address, beyond which nothing is asked for it; 0: no limit.
    pub max_refusals: u32,
}

/// A question to the application.
pub struct Webhook {
    client: Client,
    url: Url,
    options: WebhookOptions,
    turns: Semaphore,
    kept: Mutex<HashMap<[u8; 32], Kept>>,
    refused: Mutex<Refusals>,
    kicks: Kicks,
}

/// Of the minute that began then, by address.
struct Refusals {
    since: Instant,
    by: HashMap<Taker, u32>,
}

struct Kept {
    until: Instant,
    answer: Result<Grant, Denied>,
}

/// What the application says to a request it allows.
#[derive(Deserialize)]
struct Answer {
    user: Option<String>,
    name: Option<String>,
    role: ClaimedRole,
    /// Seconds since the epoch, as in a JSON Web Token.
    exp: Option<f64>,
    #[serde(default)]
    create: bool,
    #[serde(default)]
    admin: bool,
}

impl Webhook {
    pub fn new(options: WebhookOptions) -> Result<Self, AuthError> {
        let (client, url) = outbound::client(&options.url, options.timeout)?;
        let refused = Mutex::new(Refusals { since: Instant::now(), by: HashMap::new() });
        Ok(Self {
            client,
            url,
            options,
            turns: Semaphore::new(AT_ONCE),
            kept: Mutex::default(),
            refused,
            kicks: Kicks::default(),
        })
    }

    /// Whether tokens from this address were refused so often that no further ones are asked about.
    fn is_tired_of(&self, address: Option<IpAddr>) -> bool {
        let (limit, Some(address)) = (self.options.max_refusals, address) else { return false };
        let refused = lock(&self.refused);
        let count = refused.by.get(&Taker::of_address(address)).copied().unwrap_or(0);
        limit > 0 && refused.since.elapsed() < REFUSALS_WITHIN && count >= limit
    }

    fn refused(&self, address: Option<IpAddr>) {
        let Some(address) = address else { return };
        let mut refused = lock(&self.refused);
        if refused.since.elapsed() >= REFUSALS_WITHIN || refused.by.len() >= MAX_KEPT {
            *refused = Refusals { since: Instant::now(), by: HashMap::new() };
        }
        *refused.by.entry(Taker::of_address(address)).or_default() += 1;
    }

    pub async fn check(&self, request: Request<'_>) -> Result<Grant, Denied> {
        if request.token.is_some_and(|token| token.len() > MAX_TOKEN_BYTES) {
            return Err(Denied::Unauthorized("the token is too long"));
        }
        let key = key(&request);
        if let Some(answer) = self.kept(&key) {
            return answer;
        }
        self.ask_now(request, key).await
    }

    /// Asks, whatever was answered a moment ago.
    pub async fn check_again(&self, request: Request<'_>) -> Result<Grant, Denied> {
        self.ask_now(request, key(&request)).await
    }

    async fn ask_now(&self, request: Request<'_>, key: [u8; 32]) -> Result<Grant, Denied> {
        if self.is_tired_of(request.address) {
            return Err(TIRED);
        }
        let answer = match tokio::time::timeout(self.options.timeout, self.ask(request)).await {
            Ok(answer) => answer,
            Err(_) => {
                tracing::warn!(url = self.shown(), "the application does not answer who may do what");
                Err(AWAY)
            }
        };
        if matches!(answer, Err(Denied::Unauthorized(_) | Denied::Forbidden)) {
            self.refused(request.address);
        }
        self.keep(key, &answer);
        answer
    }

    async fn ask(&self, request: Request<'_>) -> Result<Grant, Denied> {
        let _turn = self.turns.acquire().await.map_err(|_| AWAY)?;
        let question = json!({
            "document": request.document,
            "token": request.token,
            "origin": request.origin,
        });
        let mut post = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json");
        if let Some(secret) = &self.options.secret {
            post = post.header(AUTHORIZATION, format!("Bearer {secret}"));
        }
        let failed = |error: String| {
            tracing::warn!(url = self.shown(), error, "the application does not say who may do what");
            AWAY
        };
        let response = post.body(question.to_string()).send().await.map_err(|error| failed(outbound::cause(error)))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED => return Err(Denied::Unauthorized("the application refuses the token")),
            StatusCode::FORBIDDEN => return Err(Denied::Forbidden),
            status => return Err(failed(format!("status {}", status.as_u16()))),
        }
        let body = outbound::body(response, MAX_ANSWER_BYTES).await.map_err(failed)?;
        // Not the error of the decoder: it quotes the answer.
        let answer: Answer = serde_json::from_slice(&body)
            .map_err(|_| failed("the answer is not JSON with a role of read-write or read-only".into()))?;
        let expires = answer.exp.map(|seconds| (seconds * 1_000.0) as Millis);
        if expires.is_some_and(|at| at <= crate::clock::now()) {
            return Err(Denied::Unauthorized("the token has expired"));
        }
        let Answer { user, name, create, admin, .. } = answer;
        Ok(Grant { user, name, role: answer.role.into(), expires, issued: None, create, admin })
    }

    /// Forgets what was answered about this user. Whether the kick is news.
    pub fn kick(&self, whom: &Kicked, at: Millis) -> bool {
        let mut kept = lock(&self.kept);
        kept.retain(|_, kept| !matches!(&kept.answer, Ok(grant) if grant.user.as_ref() == Some(&whom.user)));
        drop(kept);
        self.kicks.note(whom, at)
    }

    fn kept(&self, key: &[u8; 32]) -> Option<Result<Grant, Denied>> {
        let kept = lock(&self.kept);
        let answer = &kept.get(key).filter(|kept| kept.until > Instant::now())?.answer;
        let expired = matches!(answer, Ok(Grant { expires: Some(at), .. }) if *at <= crate::clock::now());
        (!expired).then(|| answer.clone())
    }

    fn keep(&self, key: [u8; 32], answer: &Result<Grant, Denied>) {
        let time = match answer {
            Ok(_) => self.options.keep,
            Err(Denied::Unavailable(_)) => return,
            Err(_) => self.options.keep.min(REFUSED_FOR),
        };
        let now = Instant::now();
        let mut kept = lock(&self.kept);
        if kept.len() >= MAX_KEPT {
            kept.retain(|_, kept| kept.until > now);
        }
        if kept.len() < MAX_KEPT {
            kept.insert(key, Kept { until: now + time, answer: answer.clone() });
        }
    }

    fn shown(&self) -> String {
        outbound::shown(self.url.as_str())
    }
}

/// The origin counts too: the application may decide by it.
fn key(request: &Request<'_>) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in [Some(request.document), request.token, request.origin] {
        let length = part.map_or(u64::MAX, |part| part.len() as u64);
        context.update(&length.to_le_bytes());
        context.update(part.unwrap_or_default().as_bytes());
    }
    let mut key = [0; 32];
    key.copy_from_slice(context.finish().as_ref());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_wherever_the_question_does() {
        let ask = |document, token, origin| key(&Request { document, token, origin, address: None });
        let keys = [
            ask("a", Some("bc"), None),
            ask("ab", Some("c"), None),
            ask("a", Some("bc"), Some("o")),
            ask("a", None, None),
            ask("a", Some(""), None),
        ];
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[..at].contains(key));
        }
        assert_eq!(keys[0], ask("a", Some("bc"), None));
    }
}
