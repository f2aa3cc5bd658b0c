//! Who may do what: JSON Web Tokens, a question to the application, or nobody asked.
//!
//! Whatever the way, the answer is a [`Grant`] for one document, or why not. Who cannot be asked at the moment is told
//! so: that is no refusal, and a client comes again. Tokens are never logged, stored or shown; one that the application
//! let in without an end is held as long as its connection, to ask again.

mod grant;
mod jwt;
mod keys;
mod kicks;
mod outbound;
mod token_key;
mod webhook;

use std::sync::Arc;

use slate_yrs::protocol::Role;

use crate::storage::{Kicked, Millis};

pub use grant::{AuthError, Denied, Grant, Request};
pub use jwt::{Expected, TokenKeys};
pub use keys::{KeySetUrl, Refresh};
pub(crate) use outbound::{cause, shown};
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
            // Without its address: however many tokens were refused there, about this one is asked.
            let (token, origin, address) = (self.token.as_deref(), self.origin.as_deref(), None);
            match self.auth.check_again(Request { document: &self.document, token, origin, address }).await {
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
            Self::Open => Ok(Grant::everything()),
            Self::Jwt(keys) => keys.check(request.token, request.document).await,
            Self::Webhook(webhook) => webhook.check(request).await,
        }
    }

    /// What is known of this user's tokens holds no longer. Whether that is news here; nobody has connections to end where
    /// nobody is asked who they are.
    pub fn kick(&self, whom: &Kicked, at: Millis) -> bool {
        match self {
            Self::Open => false,
            Self::Jwt(keys) => keys.kick(whom, at),
            Self::Webhook(webhook) => webhook.kick(whom, at),
        }
    }

    /// What the bearer of the token may do with the server as a whole. The application is asked about the document `""`.
    pub async fn check_admin(&self, token: Option<&str>, address: Option<std::net::IpAddr>) -> Result<Grant, Denied> {
        let grant = match self {
            // Whoever reaches it may do everything: but that is for who develops, on this machine.
            Self::Open => Grant { admin: true, ..Grant::everything() },
            Self::Jwt(keys) => return keys.check_admin(token).await,
            Self::Webhook(webhook) => {
                webhook.check_again(Request { document: "", token, origin: None, address }).await?
            }
        };
        if grant.admin { Ok(grant) } else { Err(Denied::Forbidden) }
    }

    /// [`Auth::check`], of a connection that was let in a while ago: what was answered then does not count.
    pub async fn check_again(&self, request: Request<'_>) -> Result<Grant, Denied> {
        match self {
            Self::Webhook(webhook) => webhook.check_again(request).await,
            _ => self.check(request).await,
        }
    }
}
