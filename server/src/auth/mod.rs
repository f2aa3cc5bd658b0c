//! Who may do what: JSON Web Tokens, a question to the application, or nobody asked.
//!
//! Whatever the way, the answer is a [`Grant`] for one document, or why not. Who cannot be asked at the moment is told
//! so: that is no refusal, and a client comes again. Tokens are never logged, stored or shown; one that the application
//! let in without an end is held as long as its connection, to ask again.

mod grant;
mod jwt;
mod keys;
mod outbound;
mod token_key;
mod webhook;

use std::sync::Arc;

use slate_yrs::protocol::Role;

pub use grant::{AuthError, Denied, Grant, Request};
pub use jwt::TokenKeys;
pub use keys::{KeySetUrl, Refresh};
pub use webhook::{Webhook, WebhookOptions};

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
    Jwt(Arc<TokenKeys>),
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
