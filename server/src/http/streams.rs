//! Connections over HTTP: opened, written to and read from at one address, `/http/scenes/{id}`.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use super::access::{App, Failure, InPath, InQuery, bearer};
use super::socket::{FRAME_OVERHEAD, NotLetIn, SocketQuery, has_place, let_in};
use crate::auth::Denied;
use crate::connection;
use crate::limit::Limit;
use crate::net::PeerTraffic;
use crate::stream::up::UpError;
use crate::stream::wire::read_var_uint;
use crate::stream::{AnswerMode, BodyRefused, HttpStream, NotOpened, StreamOpening};

/// A body that comes up; frames may be larger, in several.
const MAX_BODY: usize = 1 << 20;
/// A body of which nothing comes for so long is given up.
const BODY_PATIENCE: Duration = Duration::from_secs(20);

#[derive(Deserialize)]
pub(super) struct StreamQuery {
    stream: Option<String>,
    /// The client ends the connection, with this code.
    close: Option<String>,
    #[serde(flatten)]
    socket: SocketQuery,
}

#[derive(Deserialize)]
pub(super) struct AnswerQuery {
    stream: Option<String>,
    /// The number of the first frame that is asked for.
    #[serde(default)]
    from: u64,
    /// `1`: answers are read when they are whole.
    whole: Option<String>,
}

/// `GET`: what goes down; without a stream, whether there could be one.
pub(super) async fn answer(
    State(app): State<App>,
    InPath(document): InPath<String>,
    InQuery(query): InQuery<AnswerQuery>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    if !app.allows_origin(&headers) {
        return Err(Failure::origin());
    }
    let Some(id) = query.stream else {
        has_place(&app)?;
        return Ok((NO_STORE, Json(json!({ "version": 1 }))).into_response());
    };
    let stream = app.streams.find(&id, &document).ok_or_else(unknown)?;
    stream.traffic.touched();
    let mode = if query.whole.as_deref() == Some("1") { AnswerMode::Whole } else { AnswerMode::Streamed };
    let body = stream.answer(query.from, mode);
    let body = body.map_err(|lost| Failure::new(StatusCode::CONFLICT, "invalid", lost.to_string()))?;
    Ok((NO_STORE, UNBUFFERED, body).into_response())
}

/// Nothing between may keep it, pack it or gather it.
const NO_STORE: [(HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store, no-transform")];
const UNBUFFERED: [(HeaderName, &str); 2] =
    [(header::CONTENT_TYPE, "application/octet-stream"), (HeaderName::from_static("x-accel-buffering"), "no")];

/// `POST`: what comes up; without a stream, opens one.
pub(super) async fn receive(
    State(app): State<App>,
    InPath(document): InPath<String>,
    InQuery(query): InQuery<StreamQuery>,
    ConnectInfo(PeerTraffic(peer)): ConnectInfo<PeerTraffic>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let Some(id) = query.stream else {
        let mut asked = query.socket;
        asked.token = bearer(&headers).or(asked.token);
        return open(app, document, asked, &headers, &peer).await;
    };
    if !app.allows_origin(&headers) {
        return Err(Failure::origin());
    }
    let stream = app.streams.find(&id, &document).ok_or_else(unknown)?;
    stream.traffic.touched();
    if query.close.is_some() {
        stream.close().await;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let busy = || Failure::limit(StatusCode::TOO_MANY_REQUESTS, "too many bodies of this stream at once");
    let _place = stream.place().ok_or_else(busy)?;
    let body = read(&app, &stream, body).await?;
    let malformed = || Failure::new(StatusCode::BAD_REQUEST, "invalid", "the body does not begin with its number");
    let (number, head) = read_var_uint(&body).ok().flatten().ok_or_else(malformed)?;
    stream.take(number, &body[head..]).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn open(
    app: App,
    document: String,
    query: SocketQuery,
    headers: &HeaderMap,
    peer: &crate::net::Traffic,
) -> Result<Response, Failure> {
    if query.durable.as_deref() != Some("1") {
        let message = "over HTTP there is the extension only: slate-yrs=1";
        return Err(Failure::new(StatusCode::BAD_REQUEST, "invalid", message));
    }
    let (mut opening, recheck) = match let_in(&app, document, query, headers, peer.peer).await {
        Ok(entry) => entry,
        Err(NotLetIn::Failed(failure)) => return Err(failure),
        Err(NotLetIn::Denied(denied)) => return Err(closed(denied)),
    };
    // Proxies compress what goes over HTTP.
    opening.deflate = false;
    let allowances = Arc::clone(&app.rooms.shared().allowances);
    let wanted = StreamOpening {
        document: opening.document.clone(),
        address: opening.address,
        owner: opening.who.owner.clone(),
        max_frame: app.args.max_frame_bytes + FRAME_OVERHEAD,
        allowances,
    };
    let opened = app.streams.open(wanted, app.args.limit.max_streams_per_address).map_err(|not| match not {
        NotOpened::Address => {
            app.rooms.shared().metrics.limit_hit(Limit::StreamsAddress);
            Failure::new(StatusCode::SERVICE_UNAVAILABLE, "full", "too many connections over HTTP from this address")
        }
        NotOpened::NoSecret => Failure::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "no stream can be named"),
    })?;
    let answer = Json(json!({ "stream": opened.id }));
    let (rooms, settings) = (app.rooms, app.settings);
    tokio::spawn(app.streams.serve(opened, move |outgoing, incoming, traffic| {
        connection::serve((outgoing, incoming), rooms, settings, opening, recheck, traffic)
    }));
    Ok((NO_STORE, answer).into_response())
}

/// The whole of a body, within what may be held.
async fn read(app: &App, stream: &HttpStream, body: Body) -> Result<Vec<u8>, Failure> {
    let mut share = stream.share();
    let mut whole = Vec::new();
    let mut chunks = body.into_data_stream();
    loop {
        let late = |_| Failure::new(StatusCode::REQUEST_TIMEOUT, "failed", "the body did not come");
        let Some(chunk) = timeout(BODY_PATIENCE, chunks.next()).await.map_err(late)? else { return Ok(whole) };
        let broken = |_| Failure::new(StatusCode::BAD_REQUEST, "invalid", "the body broke off");
        let chunk = chunk.map_err(broken)?;
        stream.traffic.touched();
        if whole.len() + chunk.len() > MAX_BODY {
            let message = format!("a body exceeds {MAX_BODY} bytes");
            return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", message));
        }
        if let Err(limit) = share.received(chunk.len()) {
            app.rooms.shared().metrics.limit_hit(limit);
            stream.exceeded(limit).await;
            return Err(Failure::limit(StatusCode::TOO_MANY_REQUESTS, "too many large frames are on their way"));
        }
        whole.extend_from_slice(&chunk);
    }
}

fn unknown() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "not-found", "there is no such stream")
}

/// What a socket would be closed with.
fn closed(denied: Denied) -> Failure {
    let close = json!({ "close": { "code": denied.close_code(), "reason": denied.reason() } });
    Failure::from(denied).with(close)
}

fn refused(refused: BodyRefused) -> Failure {
    match refused {
        BodyRefused::Ended(how) => {
            let failure = Failure::new(StatusCode::GONE, "not-found", "the connection has ended");
            match how {
                Some((code, reason)) => failure.with(json!({ "close": { "code": code, "reason": reason } })),
                None => failure,
            }
        }
        BodyRefused::Up(error) => {
            let (status, code) = match error {
                UpError::Gap { .. } => (StatusCode::CONFLICT, "invalid"),
                UpError::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
                UpError::Malformed => (StatusCode::BAD_REQUEST, "invalid"),
            };
            Failure::new(status, code, error.to_string())
        }
    }
}
