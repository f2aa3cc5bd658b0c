//! Whose request it is, what it may do, and how it is told that it may not.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use crate::auth::{Auth, Denied, Grant, Request};
use crate::config::ServeArgs;
use crate::connection::Settings;
use crate::health::DatabaseProbe;
use crate::room::Rooms;

/// Bytes a document id or a session id may have.
const MAX_ID_BYTES: usize = 256;

#[derive(Clone)]
pub struct App {
    pub rooms: Arc<Rooms>,
    pub args: Arc<ServeArgs>,
    pub settings: Settings,
    pub auth: Auth,
    pub health: Arc<DatabaseProbe>,
}

/// An answer that is not the one asked for.
#[derive(Debug)]
pub struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Failure {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": { "code": self.code, "message": self.message } }))).into_response()
    }
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Unauthorized(reason) => Self::new(StatusCode::UNAUTHORIZED, "unauthorized", reason),
            Denied::Forbidden => Self::new(StatusCode::FORBIDDEN, "forbidden", denied.reason()),
            Denied::Unavailable(reason) => Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", reason),
        }
    }
}

impl From<crate::storage::StorageError> for Failure {
    fn from(error: crate::storage::StorageError) -> Self {
        tracing::error!(%error, "request failed");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "storage", error.fault().reason())
    }
}

/// What the bearer of a request's token may do with the document its path names.
pub struct Access {
    pub document: String,
    pub grant: Grant,
}

#[derive(Deserialize)]
struct ScenePath {
    scene_id: String,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    user: Option<String>,
}

impl FromRequestParts<App> for Access {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let invalid = |what| Failure::new(StatusCode::BAD_REQUEST, "invalid", what);
        let place = Path::<ScenePath>::from_request_parts(parts, app).await;
        let document = place.map_err(|_| invalid("the document id is not acceptable"))?.0.scene_id;
        if !is_id(&document) {
            return Err(invalid("the document id is not acceptable"));
        }
        let query = Query::<Token>::from_request_parts(parts, app).await;
        let query = query.map_err(|_| invalid("the query is not acceptable"))?.0;
        let bearer = header_text(&parts.headers, header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        let token = bearer.or(query.token.as_deref());
        let origin = header_text(&parts.headers, header::ORIGIN);
        let mut grant = app.auth.check(Request { document: &document, token, origin }).await.inspect_err(|_| {
            app.rooms.shared().metrics.denied.inc();
        })?;
        grant.user = grant.user.or_else(|| app.claimed(query.user));
        Ok(Self { document, grant })
    }
}

pub(super) fn header_text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

impl App {
    /// Where nobody is asked who they are, the author of an edit is who the page says it is.
    pub(super) fn claimed(&self, user: Option<String>) -> Option<String> {
        user.filter(|user| matches!(self.auth, Auth::Open) && is_id(user))
    }

    /// Whether a page of this origin may connect. Programs send none.
    pub(super) fn allows_origin(&self, headers: &HeaderMap) -> bool {
        let origins = &self.args.allow_origin;
        let Some(origin) = headers.get(header::ORIGIN) else { return true };
        origins.is_empty() || origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes())
    }
}

/// Ids are opaque; only what could not be a key or could garble a log is refused.
pub(super) fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_ID_BYTES && !id.chars().any(char::is_control)
}
