//! Webhooks, for tokens with the claim `admin`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::{App, Failure, InBody, InPath};
use super::admin::Admin;
use crate::auth::shown;
use crate::clock::now;
use crate::history::rfc3339;
use crate::limit::Limit;
use crate::storage::{QueuedEvent, WebhookRow, random_id};
use crate::webhooks::send::{WebhookError, check_secret, new_secret};

const MAX_URL_BYTES: usize = 2_000;
const MAX_SHOWN: u32 = 100;

impl From<WebhookError> for Failure {
    fn from(error: WebhookError) -> Self {
        let code = if matches!(error, WebhookError::Inside(_)) { "inside" } else { "invalid" };
        Self::new(StatusCode::BAD_REQUEST, code, error.to_string())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    url: String,
    secret: Option<String>,
}

#[derive(Deserialize)]
pub struct InWebhook {
    webhook: String,
}

fn none() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "not-found", "there is no such webhook")
}

/// `POST /api/admin/webhooks {"url": …, "secret"?: …}`: the only answer that has the secret.
pub async fn create(
    State(app): State<App>,
    Admin { grant, .. }: Admin,
    InBody(NewWebhook { url, secret }): InBody<NewWebhook>,
) -> Result<Response, Failure> {
    if url.len() > MAX_URL_BYTES {
        return Err(WebhookError::Url(format!("it has more than {MAX_URL_BYTES} bytes")).into());
    }
    app.webhooks.sender.check(&url)?;
    let no_luck = || Failure::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "there is no randomness");
    let secret = match secret {
        Some(secret) => secret,
        None => new_secret().ok_or_else(no_luck)?,
    };
    check_secret(&secret)?;
    let row = WebhookRow {
        id: random_id(),
        url,
        secret,
        created_at: now(),
        failures: 0,
        failing_since: None,
        error: None,
        retry_at: 0,
        waiting: 0,
        dead: 0,
    };
    let shared = app.rooms.shared();
    tracing::info!(webhook = row.id, url = shown(&row.url), by = grant.user, "a webhook was set up");
    if !shared.storage.webhooks().put_webhook(&row, app.args.limit.max_webhooks).await? {
        shared.metrics.limit_hit(Limit::Webhooks);
        return Err(Failure::limit(StatusCode::CONFLICT, "there are as many webhooks as there may be"));
    }
    app.webhooks.is_set_up();
    Ok(Json(json!({ "id": row.id, "url": row.url, "secret": row.secret })).into_response())
}

/// `GET /api/admin/webhooks`: who is told, and how that goes.
pub async fn list(State(app): State<App>, _: Admin) -> Result<Json<Value>, Failure> {
    let webhooks = app.rooms.shared().storage.webhooks().webhooks().await?;
    let one = |row: &WebhookRow| {
        json!({
            "id": row.id,
            "url": shown(&row.url),
            "at": rfc3339(row.created_at),
            "waiting": row.waiting,
            "dead": row.dead,
            "failures": row.failures,
            "failingSince": row.failing_since.map(rfc3339),
            "error": row.error,
        })
    };
    Ok(Json(json!({ "webhooks": webhooks.iter().map(one).collect::<Vec<_>>() })))
}

/// `DELETE /api/admin/webhooks/{webhook}`
pub async fn delete(
    State(app): State<App>,
    Admin { grant, .. }: Admin,
    InPath(InWebhook { webhook }): InPath<InWebhook>,
) -> Result<StatusCode, Failure> {
    tracing::info!(webhook, by = grant.user, "a webhook was removed");
    match app.rooms.shared().storage.webhooks().delete_webhook(&webhook).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(none()),
    }
}

async fn known(app: &App, webhook: &str) -> Result<(), Failure> {
    let webhooks = app.rooms.shared().storage.webhooks().webhooks().await?;
    webhooks.iter().find(|row| row.id == webhook).map(|_| ()).ok_or_else(none)
}

/// `GET /api/admin/webhooks/{webhook}/dead`: what it was not told, the newest first.
pub async fn dead(
    State(app): State<App>,
    _: Admin,
    InPath(InWebhook { webhook }): InPath<InWebhook>,
) -> Result<Json<Value>, Failure> {
    known(&app, &webhook).await?;
    let events = app.rooms.shared().storage.webhooks().dead(&webhook, MAX_SHOWN).await?;
    let one = |event: &QueuedEvent| {
        json!({
            "id": event.id,
            "type": format!("document.{}", event.kind.name()),
            "document": event.document,
            "first": event.first_seq,
            "seq": event.seq,
            "at": rfc3339(event.at),
            "tries": event.tries,
            "error": event.error,
        })
    };
    Ok(Json(json!({ "events": events.iter().map(one).collect::<Vec<_>>() })))
}

/// `POST /api/admin/webhooks/{webhook}/dead`: these are sent after all.
pub async fn revive(
    State(app): State<App>,
    Admin { grant, .. }: Admin,
    InPath(InWebhook { webhook }): InPath<InWebhook>,
) -> Result<Json<Value>, Failure> {
    known(&app, &webhook).await?;
    tracing::info!(webhook, by = grant.user, "what was given up is sent again");
    Ok(Json(json!({ "events": app.rooms.shared().storage.webhooks().revive(&webhook).await? })))
}
