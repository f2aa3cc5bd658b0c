//! From a request to a connection.

use std::net::SocketAddr;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde::Deserialize;
use slate_yrs::format::KnownFormats;

use super::access::{App, Failure, InPath, InQuery, header_text, is_id};
use crate::auth::{Denied, Recheck, Request};
use crate::config::Create;
use crate::connection::{self, ConnectionOpening};
use crate::limit::Limit;
use crate::net::PeerTraffic;
use crate::room::Participant;
use crate::storage::ONCE;

/// Around an update in a frame.
pub const FRAME_OVERHEAD: usize = 1024;

/// Held by every connection, idle or not; by default it would be 128 KiB. Larger frames are read in several steps.
const READ_BUFFER: usize = 1024;
/// What is put together before it is written, held while it waits.
const WRITE_BUFFER: usize = 16 * 1024;

#[derive(Deserialize)]
pub(super) struct SocketQuery {
    #[serde(rename = "slate-yrs")]
    pub durable: Option<String>,
    session: Option<String>,
    formats: Option<String>,
    deflate: Option<String>,
    pub token: Option<String>,
    user: Option<String>,
}

pub(super) async fn open(
    State(app): State<App>,
    InPath(document): InPath<String>,
    InQuery(query): InQuery<SocketQuery>,
    ConnectInfo(PeerTraffic(traffic)): ConnectInfo<PeerTraffic>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(wrong) => return Failure::new(wrong.status(), "invalid", wrong.body_text()).into_response(),
    };
    let (opening, recheck) = match let_in(&app, document, query, &headers, traffic.peer).await {
        Ok(entry) => entry,
        Err(NotLetIn::Failed(failure)) => return failure.into_response(),
        // A page learns nothing of a refused upgrade; a close code it can read.
        Err(NotLetIn::Denied(denied)) => return upgrade.on_upgrade(move |socket| refuse(socket, denied)),
    };
    let max_frame =
        if opening.who.durable { app.args.max_frame_bytes } else { app.args.max_sync_bytes } + FRAME_OVERHEAD;
    upgrade
        .max_message_size(max_frame)
        .max_frame_size(max_frame)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .on_upgrade(move |socket| async move {
            let serve = connection::serve(socket.split(), app.rooms, app.settings, opening, recheck, traffic);
            // A task of its own: this one would keep its place for what the upgrade took.
            drop(tokio::spawn(serve));
        })
}

/// Why somebody gets no connection.
pub(super) enum NotLetIn {
    Failed(Failure),
    Denied(Denied),
}

/// Whether there is a place for one more connection.
pub(super) fn has_place(app: &App) -> Result<(), Failure> {
    let metrics = &app.rooms.shared().metrics;
    if metrics.connections.get() >= app.args.max_connections {
        metrics.limit_hit(Limit::Connections);
        return Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "full", "too many connections"));
    }
    Ok(())
}

/// Whoever asks for a connection, whatever it goes over.
pub(super) async fn let_in(
    app: &App,
    document: String,
    query: SocketQuery,
    headers: &HeaderMap,
    peer: Option<SocketAddr>,
) -> Result<(ConnectionOpening, Option<Recheck>), NotLetIn> {
    let is_session = |session: &str| is_id(session) && !ONCE.iter().any(|once| session.starts_with(once));
    if !is_id(&document) || query.session.as_deref().is_some_and(|session| !is_session(session)) {
        let message = "the document id or session is not acceptable";
        return Err(NotLetIn::Failed(Failure::new(StatusCode::BAD_REQUEST, "invalid", message)));
    }
    if !app.allows_origin(headers) {
        return Err(NotLetIn::Failed(Failure::origin()));
    }
    has_place(app).map_err(NotLetIn::Failed)?;
    let origin = header_text(headers, header::ORIGIN);
    let address = app.address(headers, peer);
    let request = Request { document: &document, token: query.token.as_deref(), origin, address };
    let grant = app.ask(request).await.map_err(|denied| {
        tracing::info!(document, reason = denied.reason(), "refused");
        NotLetIn::Denied(denied)
    })?;
    let durable = query.durable.as_deref() == Some("1");
    let deflate = durable && query.deflate.as_deref() == Some("1");
    let recheck = app.recheck(&document, query.token.clone(), headers, grant.role);
    tracing::debug!(document, user = grant.user, name = grant.name, role = ?grant.role, "let in");
    let who = Participant {
        durable,
        session: query.session.filter(|_| durable),
        // Clients of the first version say nothing.
        formats: query.formats.as_deref().and_then(KnownFormats::parse).unwrap_or(KnownFormats::of(&[0])),
        role: grant.role,
        owner: grant.user.clone(),
        name: grant.name,
        admin: grant.admin,
        author: grant.user.or_else(|| app.claimed(query.user)),
    };
    let opening = ConnectionOpening {
        document,
        who,
        expires: grant.expires,
        address,
        create: app.args.limit.create == Create::Open || grant.create,
        deflate,
    };
    Ok((opening, recheck))
}

async fn refuse(mut socket: WebSocket, denied: Denied) {
    let frame = CloseFrame { code: denied.close_code(), reason: denied.reason().into() };
    let farewell = async {
        let _ = socket.send(Message::Close(Some(frame))).await;
        while let Some(Ok(_)) = socket.recv().await {}
    };
    let _ = tokio::time::timeout(std::time::Duration::from_secs(2), farewell).await;
}
