//! Who may do what: JSON Web Tokens, a question to the application, or nobody asked.
//!
//! Whatever the way, the answer is a [`Grant`] for one document, or why not. Who cannot be asked at the moment is told
//! so: that is no refusal, and a client comes again. Tokens are never logged, stored or shown; one that the application
//! let in without an end is held as long as its connection, to ask again.

mod jwt;
mod keys;
mod outbound;
mod webhook;

use std::sync::Arc;

use serde::Deserialize;
use slate_yrs::protocol::{Role, close};
use thiserror::Error;

pub use jwt::Keys;
pub use keys::{KeySetUrl, Refresh};
pub use webhook::{Webhook, WebhookOptions};

use crate::storage::Millis;

/// A role as tokens and answers name it.
#[derive(Debug, PartialEq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
enum ClaimedRole {
    #[default]
    ReadWrite,
    ReadOnly,
}

impl From<ClaimedRole> for Role {
    fn from(role: ClaimedRole) -> Self {
        match role {
            ClaimedRole::ReadWrite => Self::ReadWrite,
            ClaimedRole::ReadOnly => Self::ReadOnly,
        }
    }
}

/// What a token, or its absence, allows on one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub user: Option<String>,
    /// For people; whose edits these are is `user`.
    pub name: Option<String>,
    pub role: Role,
    /// When it ends.
    pub expires: Option<Millis>,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Denied {
    /// Missing, malformed, wrongly signed, expired: another token may do.
    #[error("{0}")]
    Unauthorized(&'static str),
    #[error("the token is not for this document")]
    Forbidden,
    /// Nobody knows at the moment: come again.
    #[error("{0}")]
    Unavailable(&'static str),
}

impl Denied {
    pub fn close_code(&self) -> u16 {
        match self {
            Self::Unauthorized(_) => close::UNAUTHORIZED,
            Self::Forbidden => close::FORBIDDEN,
            Self::Unavailable(_) => close::INTERNAL,
        }
    }

    /// For a close frame.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unauthorized(reason) | Self::Unavailable(reason) => reason,
            Self::Forbidden => "the token is not for this document",
        }
    }
}

#[derive(Debug, Error)]
pub enum AuthError {
    #[error("cannot read {path}: {error}")]
    Read { path: String, error: std::io::Error },
    #[error("{path} is not a JSON Web Key Set: {error}")]
    KeySet { path: String, error: serde_json::Error },
    #[error("a key of {path} cannot be used: {reason}")]
    Key { path: String, reason: String },
    #[error("no key to check tokens with: give --jwt-secret, --jwks or --auth-url, or --auth none for development")]
    NoKeys,
    #[error("a secret of fewer than 32 bytes can be guessed")]
    ShortSecret,
    #[error("{url} cannot be asked: {reason}")]
    Url { url: String, reason: String },
    #[error(
        "--auth-url asks the application, --jwt-secret and --jwks check tokens here: give one of them, or say --auth"
    )]
    Ambiguous,
}

/// Who asks for what.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub document: &'a str,
    pub token: Option<&'a str>,
    /// Of the page, as its browser says.
    pub origin: Option<&'a str>,
}

/// Asks the application again, for a connection that its yes set no end to.
pub struct Recheck {
    pub auth: Auth,
    pub document: String,
    pub token: Option<String>,
    pub origin: Option<String>,
    pub role: Role,
    pub every: std::time::Duration,
}

impl Recheck {
    /// Resolves when the answer is no, or another role: the client then comes again, and finds out what it may do.
    pub async fn denied(self) -> Denied {
        loop {
            tokio::time::sleep(self.every).await;
            let (token, origin) = (self.token.as_deref(), self.origin.as_deref());
            match self.auth.check(Request { document: &self.document, token, origin }).await {
                Ok(grant) if grant.role == self.role => {}
                Ok(_) => return Denied::Unavailable("what this connection may do has changed"),
                // Nobody knows at the moment: what was said holds.
                Err(Denied::Unavailable(_)) => {}
                Err(denied) => return denied,
            }
        }
    }
}

/// How requests are checked.
#[derive(Clone)]
pub enum Auth {
    /// Everybody may do everything.
    Open,
    Jwt(Arc<Keys>),
    Webhook(Arc<Webhook>),
}

impl Auth {
    /// What the bearer of the token may do with the document.
    pub async fn check(&self, request: Request<'_>) -> Result<Grant, Denied> {
        match self {
            Self::Open => Ok(Grant { user: None, name: None, role: Role::ReadWrite, expires: None }),
            Self::Jwt(keys) => keys.check(request.token, request.document).await,
            Self::Webhook(webhook) => webhook.check(request).await,
        }
    }
}
