//! Edits that come over HTTP, handed to the document's room.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::json;
use tokio::sync::oneshot;

use super::access::{App, Failure};
use crate::allowance::Taker;
use crate::auth::Grant;
use crate::config::Create;
use crate::history::HistoryError;
use crate::live::{EditError, Taking};
use crate::room::{Command, Edit, EditWork, Edited};
use crate::storage::OnceName;

impl From<EditError> for Failure {
    fn from(error: EditError) -> Self {
        let message = error.to_string();
        match error {
            EditError::History(error) => error.into(),
            EditError::Apply(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unreadable", message),
            EditError::Found { code, edit, found, .. } => {
                Self::new(StatusCode::CONFLICT, code, message).with(json!({ "edit": edit, "found": found }))
            }
            EditError::Invalid { edit, .. } => {
                Self::new(StatusCode::BAD_REQUEST, "invalid", message).with(json!({ "edit": edit }))
            }
            EditError::TooLarge(_) => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", message),
            EditError::Full(_) => Self::limit(StatusCode::TOO_MANY_REQUESTS, message),
            EditError::Taken => Self::new(StatusCode::CONFLICT, "taken", message),
            EditError::KeyReused => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "key-reused", message),
        }
    }
}

/// By what an edit is done once.
#[derive(Default)]
pub(super) struct Once {
    pub key: Option<OnceName>,
    pub take: Option<Taking>,
}

/// Hands an edit to the document's room; answered when it is stored.
pub(super) async fn edit(
    app: &App,
    document: &str,
    grant: Grant,
    address: Option<IpAddr>,
    once: Once,
    work: EditWork,
) -> Result<Edited, Failure> {
    let busy = || Failure::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "the document cannot be changed now");
    let create = app.args.limit.create == Create::Open || grant.create;
    if !create && app.rooms.shared().storage.document(document).await?.is_none() {
        return Err(HistoryError::NoDocument.into());
    }
    let room = app.rooms.hold(document, create).ok_or_else(busy)?;
    let taker = match &grant.user {
        Some(user) => Some(Taker::User(Arc::from(user.as_str()))),
        None => address.map(Taker::of_address),
    };
    let (done, result) = oneshot::channel();
    let Once { key, take } = once;
    if !room.send(Command::Edit(Box::new(Edit { work, author: grant.user, taker, key, take, done }))).await {
        return Err(busy());
    }
    Ok(result.await.map_err(|_| busy())??)
}
