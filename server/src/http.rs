//! The routes.

use std::sync::Arc;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use slate_yrs::protocol::Role;
use tower_http::services::{ServeDir, ServeFile};

use crate::config::ServeArgs;
use crate::connection::{self, Opening, Settings};
use crate::net::Peer;
use crate::room::Rooms;

/// Bytes a document id or a session id may have.
const MAX_ID_BYTES: usize = 256;
/// Around an update in a frame.
const FRAME_OVERHEAD: usize = 1024;

#[derive(Clone)]
pub struct App {
    pub rooms: Arc<Rooms>,
    pub args: Arc<ServeArgs>,
    pub settings: Settings,
}

pub fn router(app: App) -> Router {
    let mut router = Router::new()
        .route("/ws/scenes/{scene_id}", get(socket))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready));
    if let Some(folder) = &app.args.static_files {
        let index = ServeFile::new(folder.join("index.html"));
        router = router.fallback_service(ServeDir::new(folder).fallback(index));
    }
    router.with_state(app)
}

async fn ready(State(app): State<App>) -> Response {
    match app.rooms.shared().storage.ping().await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
        }
    }
}

#[derive(Deserialize)]
struct SocketQuery {
    #[serde(rename = "slate-yrs")]
    durable: Option<String>,
    session: Option<String>,
}

async fn socket(
    State(app): State<App>,
    Path(document): Path<String>,
    Query(query): Query<SocketQuery>,
    ConnectInfo(Peer(traffic)): ConnectInfo<Peer>,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !is_id(&document) || query.session.as_deref().is_some_and(|session| !is_id(session)) {
        return (StatusCode::BAD_REQUEST, "the document id or session is not acceptable\n").into_response();
    }
    let durable = query.durable.as_deref() == Some("1");
    let opening =
        Opening { document, durable, session: query.session.filter(|_| durable), role: Role::ReadWrite, author: None };
    let max_frame = if durable { app.args.max_frame_bytes } else { app.args.max_sync_bytes } + FRAME_OVERHEAD;
    upgrade
        .max_message_size(max_frame)
        .max_frame_size(max_frame)
        .on_upgrade(move |socket| connection::serve(socket, app.rooms, app.settings, opening, traffic))
}

/// Ids are opaque; only what could not be a key or could garble a log is refused.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_ID_BYTES && !id.chars().any(char::is_control)
}
