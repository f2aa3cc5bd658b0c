//! What concerns the server as a whole: for tokens with the claim `admin`.

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::access::{App, Asking, Failure};
use crate::auth::Grant;
use crate::hints::Hint;
use crate::schedule;

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
pub struct Kicked {
    user: String,
}

/// `POST /api/admin/kick {"user": …}`: the user's connections end, here and on servers that Redis connects.
pub async fn kick(
    State(app): State<App>,
    Admin { grant, .. }: Admin,
    Json(Kicked { user }): Json<Kicked>,
) -> Result<Response, Failure> {
    tracing::info!(user, by = grant.user, "kicked");
    let shared = app.rooms.shared();
    app.auth.kick(&user);
    shared.hints.send("", Hint::Kick(user.clone()));
    let rooms = app.rooms.kick(&user).await;
    Ok(Json(json!({ "rooms": rooms, "servers": if shared.hints.are_used() { "all" } else { "this one" } }))
        .into_response())
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
