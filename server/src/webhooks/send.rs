//! One request to one receiver: signed as standardwebhooks.com describes, to an address that may be reached, and no further.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};
use ring::hmac;
use thiserror::Error;

use super::address::{GuardedNames, Inside, Lookup, Reach};
use crate::auth::cause;
use crate::storage::Millis;

/// For all of a request.
const TIMEOUT: Duration = Duration::from_secs(10);
const SECRET_PREFIX: &str = "whsec_";
const MIN_SECRET_BYTES: usize = 24;

/// Why nobody can be told at an address.
#[derive(Debug, Error)]
pub enum WebhookError {
    #[error("the address is none: {0}")]
    Url(String),
    #[error("a secret is whsec_ and at least {MIN_SECRET_BYTES} bytes in base64")]
    Secret,
    #[error(transparent)]
    Inside(#[from] Inside),
}

/// A receiver has not taken an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotTaken {
    pub error: String,
    /// It said that it does not want it, and not that it cannot take it now.
    pub is_refusal: bool,
}

/// Sends events.
pub struct EventSender {
    client: Client,
    reach: Arc<Reach>,
}

impl EventSender {
    /// # Errors
    /// Where there can be no client.
    pub fn new(reach: Reach, lookup: Lookup) -> Result<Self, reqwest::Error> {
        let reach = Arc::new(reach);
        let names = Arc::new(GuardedNames { reach: Arc::clone(&reach), lookup });
        // A proxy would connect in place of this client, and a redirect leads anywhere.
        let client = Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(TIMEOUT)
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(names)
            .build()?;
        Ok(Self { client, reach })
    }

    /// An address at which somebody may be told. Names are looked up when something is sent.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, url: &str) -> Result<Url, WebhookError> {
        let url = Url::parse(url).map_err(|error| WebhookError::Url(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(WebhookError::Url("it is neither http nor https".into()));
        }
        // An address instead of a name is looked up by nobody.
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        match host.parse::<IpAddr>() {
            Ok(address) if !self.reach.permits(address) => Err(Inside.into()),
            _ => Ok(url),
        }
    }

    /// Sends what has this id and this body; `now` is when.
    ///
    /// # Errors
    /// If it is not taken.
    pub async fn send(&self, url: &str, secret: &str, id: &str, body: String, now: Millis) -> Result<(), NotTaken> {
        let failed = |error: String| NotTaken { error, is_refusal: false };
        let url = self.check(url).map_err(|error| failed(error.to_string()))?;
        let key = key(secret).map_err(|error| failed(error.to_string()))?;
        let at = now / 1_000;
        let signature = hmac::sign(&key, format!("{id}.{at}.{body}").as_bytes());
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", at.to_string())
            .header("webhook-signature", format!("v1,{}", BASE64.encode(signature)))
            .body(body);
        let status = request.send().await.map_err(|error| failed(cause(error)))?.status();
        if status.is_success() {
            return Ok(());
        }
        let is_later = matches!(status.as_u16(), 408 | 409 | 425 | 429);
        Err(NotTaken { error: said(status), is_refusal: status.is_client_error() && !is_later })
    }
}

fn said(status: StatusCode) -> String {
    match status.is_redirection() {
        true => format!("it answered {}, and redirects are not followed", status.as_u16()),
        false => format!("it answered {}", status.as_u16()),
    }
}

fn key(secret: &str) -> Result<hmac::Key, WebhookError> {
    let encoded = secret.strip_prefix(SECRET_PREFIX).ok_or(WebhookError::Secret)?;
    let bytes = BASE64.decode(encoded).ok().filter(|bytes| bytes.len() >= MIN_SECRET_BYTES);
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes.ok_or(WebhookError::Secret)?))
}

/// Whether something can be signed with it.
///
/// # Errors
/// If not.
pub fn check_secret(secret: &str) -> Result<(), WebhookError> {
    key(secret).map(|_| ())
}

/// A new secret.
pub fn new_secret() -> Option<String> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).ok()?;
    Some(format!("{SECRET_PREFIX}{}", BASE64.encode(bytes)))
}
