//! What concerns the server as a whole: for tokens with the claim `admin`.

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::access::{Access, App, Asking, Failure, InBody, is_id};
use crate::auth::Grant;
use crate::clock::now;
use crate::hints::Hint;
use crate::storage::Kicked;
use crate::{neighbours, schedule};

/// What the bearer of a request's token may do with the server.
pub struct Admin {
    pub grant: Grant,
}

impl FromRequestParts<App> for Admin {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let asking = Asking::read(parts, app).await?;
        let answer = app.auth.check_admin(asking.token.as_deref(), asking.address).await;
        let grant = answer.inspect_err(|denied| app.count_denied(denied))?;
        Ok(Self { grant })
    }
}

#[derive(Deserialize)]
pub struct KickRequest {
    user: String,
}

/// `POST /api/admin/kick {"user": …}`: the user's connections end, here at once, elsewhere when Redis or the database says so.
pub async fn kick(
    State(app): State<App>,
    Admin { grant, .. }: Admin,
    InBody(KickRequest { user }): InBody<KickRequest>,
) -> Result<Response, Failure> {
    kick_from(&app, &grant, Kicked { user, document: None }).await
}

/// `POST /api/scenes/{id}/kick {"user": …}`: the same, of one document.
pub async fn kick_from_document(
    State(app): State<App>,
    Admin { grant, .. }: Admin,
    Access { document, .. }: Access,
    InBody(KickRequest { user }): InBody<KickRequest>,
) -> Result<Response, Failure> {
    kick_from(&app, &grant, Kicked { user, document: Some(document) }).await
}

async fn kick_from(app: &App, by: &Grant, whom: Kicked) -> Result<Response, Failure> {
    let Kicked { user, document } = &whom;
    if !is_id(user) {
        return Err(Failure::new(StatusCode::BAD_REQUEST, "invalid", "the user is not acceptable"));
    }
    tracing::info!(user, document, by = by.user, "kicked");
    let shared = app.rooms.shared();
    let at = now();
    let rooms = neighbours::kick(&app.rooms, &app.auth, &whom, at).await;
    shared.hints.send(document.as_deref().unwrap_or_default(), Hint::Kick { user: user.clone(), at });
    shared.storage.kick(&whom, at).await?;
    Ok(Json(json!({ "rooms": rooms })).into_response())
}

/// `POST /api/admin/compact`: merges old edits now.
pub async fn compact(State(app): State<App>, Admin { grant, .. }: Admin) -> Result<Response, Failure> {
    tracing::info!(by = grant.user, "compaction was asked for");
    let shared = app.rooms.shared();
    let retention = app.args.retention.retention();
    // It goes on though nobody waits for it any more.
    let (storage, metrics) = (shared.storage.clone(), shared.metrics.clone());
    let run = tokio::spawn(async move { schedule::compact(&storage, retention, &metrics).await });
    let gone = || Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", "the compaction ended before its time");
    match run.await.map_err(|_| gone())?? {
        Some(report) => Ok(Json(report).into_response()),
        None => Err(Failure::new(StatusCode::CONFLICT, "busy", "another server is compacting")),
    }
}
