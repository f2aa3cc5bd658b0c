//! What is asked and what is answered, whoever is asked.

use std::net::IpAddr;

use serde::Deserialize;
use slate_yrs::protocol::{Role, close};
use thiserror::Error;

use crate::storage::Millis;

/// A role as tokens and answers name it.
#[derive(Debug, PartialEq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ClaimedRole {
    #[default]
    ReadWrite,
    ReadOnly,
    Comment,
}

impl From<ClaimedRole> for Role {
    fn from(role: ClaimedRole) -> Self {
        match role {
            ClaimedRole::ReadWrite => Self::ReadWrite,
            ClaimedRole::ReadOnly => Self::ReadOnly,
            ClaimedRole::Comment => Self::Comment,
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
    /// When the token was made, if it says so.
    pub issued: Option<Millis>,
    /// May make documents, where that needs to be said.
    pub create: bool,
    /// May ask for what concerns the whole server.
    pub admin: bool,
}

impl Grant {
    /// Where nobody is asked who they are.
    pub fn everything() -> Self {
        let role = Role::ReadWrite;
        Self { user: None, name: None, role, expires: None, issued: None, create: false, admin: false }
    }
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

/// Nobody is asked any more: come again.
pub(super) const TIRED: Denied = Denied::Unavailable("too many tokens from this address were refused");

impl Denied {
    pub fn close_code(&self) -> u16 {
        match self {
            Self::Unauthorized(_) => close::UNAUTHORIZED,
            Self::Forbidden => close::FORBIDDEN,
            Self::Unavailable(_) => close::INTERNAL,
        }
    }

    /// Nobody was asked, since too many were refused before.
    pub fn is_for_asking_too_much(&self) -> bool {
        *self == TIRED
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
    /// From where.
    pub address: Option<IpAddr>,
}
