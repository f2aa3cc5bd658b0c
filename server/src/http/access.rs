//! Whose request it is, what it may do, and how it is told that it may not.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Path, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use slate_yrs::protocol::Role;

use crate::allowance::Taker;
use crate::auth::{Auth, Denied, Grant, Recheck, Request};
use crate::config::ServeArgs;
use crate::connection::Settings;
use crate::health::DatabaseProbe;
use crate::limit::Limit;
use crate::net::PeerTraffic;
use crate::room::Rooms;
use crate::stream::Streams;
use crate::webhooks::Webhooks;

use super::compares::Compares;
use super::readings::Readings;

/// Bytes a document id or a session id may have.
const MAX_ID_BYTES: usize = 256;

#[derive(Clone)]
pub struct App {
    pub rooms: Arc<Rooms>,
    pub args: Arc<ServeArgs>,
    pub settings: Settings,
    pub auth: Auth,
    pub health: Arc<DatabaseProbe>,
    pub compares: Arc<Compares>,
    pub readings: Arc<Readings>,
    pub webhooks: Arc<Webhooks>,
    pub streams: Arc<Streams>,
}

/// An answer that is not the one asked for.
#[derive(Debug)]
pub struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// More about it.
    details: Value,
}

impl Failure {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: Value::Null }
    }

    /// With more about it: an object.
    pub(super) fn with(self, details: Value) -> Self {
        Self { details, ..self }
    }
}

impl Failure {
    pub(super) fn origin() -> Self {
        Self::new(StatusCode::FORBIDDEN, "origin", "pages of this origin may not ask")
    }

    /// A limit was reached.
    pub(super) fn limit(status: StatusCode, message: impl Into<String>) -> Self {
        Self::new(status, "limit", message)
    }
}

/// What a request says, read as axum reads it, or a failure like any other.
macro_rules! said {
    ($name:ident, $extractor:ident, $trait:ident, $read:ident($from:ty)) => {
        pub(super) struct $name<T>(pub T);

        impl<T: DeserializeOwned + Send> $trait<App> for $name<T> {
            type Rejection = Failure;

            async fn $read(from: $from, app: &App) -> Result<Self, Failure> {
                match $extractor::<T>::$read(from, app).await {
                    Ok($extractor(said)) => Ok(Self(said)),
                    Err(wrong) if wrong.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                        Err(Failure::new(wrong.status(), "too-large", wrong.body_text()))
                    }
                    Err(wrong) => Err(Failure::new(wrong.status(), "invalid", wrong.body_text())),
                }
            }
        }
    };
}

said!(InPath, Path, FromRequestParts, from_request_parts(&mut Parts));
said!(InQuery, Query, FromRequestParts, from_request_parts(&mut Parts));
said!(InBody, Json, FromRequest, from_request(axum::extract::Request));

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let (Value::Object(error), Value::Object(details)) = (&mut error, self.details) {
            error.extend(details);
        }
        let said = Json(json!({ "error": error }));
        // In seconds: what is refused for now may be asked again.
        let again = matches!(self.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS);
        (self.status, again.then_some([(header::RETRY_AFTER, "1")]), said).into_response()
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
    pub address: Option<IpAddr>,
    /// Whose share of what all have it takes.
    pub taker: Taker,
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
        let asking = Asking::read(parts, app).await?;
        let origin = header_text(&parts.headers, header::ORIGIN);
        let request = Request { document: &document, token: asking.token.as_deref(), origin, address: asking.address };
        let mut grant = app.ask(request).await?;
        grant.user = grant.user.or_else(|| app.claimed(asking.user));
        let nobody = || Taker::of_address(asking.address.unwrap_or(IpAddr::from([0, 0, 0, 0])));
        let taker = grant.user.as_deref().map_or_else(nobody, |user| Taker::User(user.into()));
        Ok(Self { document, grant, address: asking.address, taker })
    }
}

/// Who asks, as the request says: nothing of it is checked, but that pages of its origin may.
pub(super) struct Asking {
    pub token: Option<String>,
    pub address: Option<IpAddr>,
    user: Option<String>,
}

impl Asking {
    pub async fn read(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        if !app.allows_origin(&parts.headers) {
            return Err(Failure::origin());
        }
        let query = Query::<Token>::from_request_parts(parts, app).await;
        let wrong = |_| Failure::new(StatusCode::BAD_REQUEST, "invalid", "the query is not acceptable");
        let Token { token, user } = query.map_err(wrong)?.0;
        let token = bearer(&parts.headers).or(token);
        let peer = parts
            .extensions
            .get::<ConnectInfo<PeerTraffic>>()
            .and_then(|ConnectInfo(PeerTraffic(traffic))| traffic.peer);
        Ok(Self { token, address: app.address(&parts.headers, peer), user })
    }
}

/// The token in the header.
pub(super) fn bearer(headers: &HeaderMap) -> Option<String> {
    header_text(headers, header::AUTHORIZATION)?.strip_prefix("Bearer ").map(str::to_owned)
}

pub(super) fn header_text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

impl App {
    /// Where a request comes from: the socket's other end, or whom a proxy names there.
    pub(super) fn address(&self, headers: &HeaderMap, peer: Option<SocketAddr>) -> Option<IpAddr> {
        let named = self.args.limit.address_header.as_ref().and_then(|name| headers.get_all(name).iter().next_back());
        // What comes before the last one, the client may have written itself.
        let last = named.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
        last.or(peer.map(|peer| peer.ip()))
    }

    /// What the bearer of the token may do with the document; counted.
    pub(super) async fn ask(&self, request: Request<'_>) -> Result<Grant, Denied> {
        let metrics = &self.rooms.shared().metrics;
        let started = std::time::Instant::now();
        let answer = self.auth.check(request).await;
        metrics.auth_seconds.observe(started.elapsed().as_secs_f64());
        match &answer {
            Ok(_) => metrics.let_in(),
            Err(denied) => self.count_denied(denied),
        }
        answer
    }

    /// Somebody was refused.
    pub(super) fn count_denied(&self, denied: &Denied) {
        let metrics = &self.rooms.shared().metrics;
        metrics.denied(denied);
        if denied.is_for_asking_too_much() {
            metrics.limit_hit(Limit::AuthQuestions);
        }
    }

    /// Where nobody is asked who they are, the author of an edit is who the page says it is.
    pub(super) fn claimed(&self, user: Option<String>) -> Option<String> {
        user.filter(|user| matches!(self.auth, Auth::Open) && is_id(user))
    }

    /// Asks the application again about a connection to a document; nobody is asked where everybody may do everything.
    pub(super) fn recheck(
        &self,
        document: &str,
        token: Option<String>,
        headers: &HeaderMap,
        role: Role,
    ) -> Option<Recheck> {
        (!matches!(self.auth, Auth::Open)).then(|| Recheck {
            auth: self.auth.clone(),
            document: document.to_owned(),
            token,
            origin: header_text(headers, header::ORIGIN).map(str::to_owned),
            role,
            every: Duration::from_millis(self.args.auth.auth_recheck_ms.max(1)),
        })
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

impl FromRequestParts<App> for Asking {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        Self::read(parts, app).await
    }
}
