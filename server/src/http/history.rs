//! The history API: versions of a document over HTTP.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use slate_yrs::protocol::Role;
use slate_yrs::slate::Node;
use tokio::sync::oneshot;

use super::access::{Access, App, Failure};
use crate::clock::now;
use crate::history::{self, HistoryError, Version, VersionId};
use crate::plain::plain;
use crate::room::{Command, Restore};
use crate::storage::{NamedVersion, random_id};

const MAX_VERSIONS: usize = 500;
const MAX_LABEL_BYTES: usize = 500;

impl From<HistoryError> for Failure {
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::Storage(error) => error.into(),
            HistoryError::NoVersion => Self::new(StatusCode::NOT_FOUND, "not-found", error.to_string()),
            HistoryError::Format(_) => Self::new(StatusCode::CONFLICT, "format", error.to_string()),
            HistoryError::Unreadable(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unreadable", error.to_string()),
        }
    }
}

#[derive(Deserialize)]
pub struct Params {
    before: Option<String>,
    limit: Option<usize>,
    root: Option<String>,
    format: Option<String>,
    from: Option<String>,
    to: Option<String>,
}

impl Params {
    /// The name of the root, also where the request gives none.
    fn root<'a>(&'a self, app: &'a App) -> &'a str {
        self.root.as_deref().unwrap_or(&app.args.root)
    }
}

#[derive(Deserialize)]
pub struct InDocument {
    version: String,
}

impl Access {
    fn writing(self) -> Result<Self, Failure> {
        match self.grant.role {
            Role::ReadWrite => Ok(self),
            Role::ReadOnly => Err(Failure::new(StatusCode::FORBIDDEN, "read-only", "this token may only read")),
        }
    }
}

fn version_id(id: &str) -> Result<VersionId, Failure> {
    VersionId::parse(id).ok_or_else(|| HistoryError::NoVersion.into())
}

/// `GET …/versions?before=&limit=`
pub async fn list(
    State(app): State<App>,
    Access { document, .. }: Access,
    Query(params): Query<Params>,
) -> Result<Response, Failure> {
    let limit = params.limit.unwrap_or(100).min(MAX_VERSIONS);
    let storage = &app.rooms.shared().storage;
    let versions = history::list(storage, &document, params.before.as_deref(), limit).await?;
    Ok(Json(json!({ "versions": versions })).into_response())
}

/// `GET …/versions/{version}?format=slate|update`
pub async fn read(
    State(app): State<App>,
    Access { document, .. }: Access,
    Path(InDocument { version }): Path<InDocument>,
    Query(params): Query<Params>,
) -> Result<Response, Failure> {
    let (_, state) = history::state(&app.rooms.shared().storage, &document, &version_id(&version)?).await?;
    if params.format.as_deref() == Some("update") {
        return Ok(binary(state));
    }
    let nodes = value(params.root(&app).to_owned(), state).await?;
    Ok(Json(history::nodes_to_json(&nodes)).into_response())
}

/// `GET …/export?format=update|slate-yjs`: the document as one Yjs update.
pub async fn export(
    State(app): State<App>,
    Access { document, .. }: Access,
    Query(params): Query<Params>,
) -> Result<Response, Failure> {
    let (_, state) = history::state(&app.rooms.shared().storage, &document, &VersionId::Now).await?;
    if params.format.as_deref() != Some("slate-yjs") {
        return Ok(binary(state));
    }
    let root = params.root(&app).to_owned();
    let work = move || plain(&root, &state);
    let plain = tokio::task::spawn_blocking(work).await.map_err(failed)?;
    Ok(binary(plain.map_err(|error| HistoryError::Unreadable(error.to_string()))?.update))
}

/// `GET …/compare?from=&to=`
pub async fn compare(
    State(app): State<App>,
    Access { document, .. }: Access,
    Query(params): Query<Params>,
) -> Result<Response, Failure> {
    let storage = &app.rooms.shared().storage;
    let from = version_id(params.from.as_deref().unwrap_or_default())?;
    let to = version_id(params.to.as_deref().unwrap_or("now"))?;
    let (from_seq, from_state) = history::state(storage, &document, &from).await?;
    let (to_seq, to_state) = history::state(storage, &document, &to).await?;
    let (older, newer) = (from_seq.min(to_seq), from_seq.max(to_seq));
    let authors = history::authors(storage, &document, older, newer).await?;
    let root = params.root(&app).to_owned();
    let work = move || history::compared(&root, &from_state, &to_state, &authors);
    let compared = tokio::task::spawn_blocking(work).await.map_err(failed)??;
    Ok(Json(history::nodes_to_json(&compared)).into_response())
}

#[derive(Deserialize)]
pub struct Label {
    label: String,
}

/// `POST …/versions {"label": …}`: names the present state.
pub async fn save(
    State(app): State<App>,
    access: Access,
    Json(Label { label }): Json<Label>,
) -> Result<(StatusCode, Json<Version>), Failure> {
    let Access { document, grant } = access.writing()?;
    if label.trim().is_empty() || label.len() > MAX_LABEL_BYTES {
        return Err(Failure::new(StatusCode::BAD_REQUEST, "invalid", "a label has 1 to 500 bytes"));
    }
    let author = grant.user;
    let storage = &app.rooms.shared().storage;
    if storage.document(&document).await?.is_none() {
        return Err(HistoryError::NoVersion.into());
    }
    let (seq, state) = history::state(storage, &document, &VersionId::Now).await?;
    let bytes = state.len() as u64;
    let version = NamedVersion { id: random_id(), document, seq, label, author, at: now(), bytes };
    storage.put_named(&version, &state).await?;
    Ok((StatusCode::CREATED, Json(history::named_version(&version))))
}

/// `POST …/versions/{version}/restore`: a forward edit through the room, seen by everyone.
pub async fn restore(
    State(app): State<App>,
    access: Access,
    Path(InDocument { version }): Path<InDocument>,
    Query(params): Query<Params>,
) -> Result<Response, Failure> {
    let Access { document, grant } = access.writing()?;
    let (_, version) = history::state(&app.rooms.shared().storage, &document, &version_id(&version)?).await?;
    let busy = || Failure::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "the document cannot be changed now");
    let room = app.rooms.hold(&document).ok_or_else(busy)?;
    let (done, result) = oneshot::channel();
    let root = params.root(&app).to_owned();
    let author = grant.user;
    let restore = Restore { root, version, author, done };
    if !room.send(Command::Restore(restore)).await {
        return Err(busy());
    }
    result.await.map_err(|_| busy())??;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn value(root: String, state: Vec<u8>) -> Result<Vec<Node>, Failure> {
    let work = move || history::value(&root, &state);
    Ok(tokio::task::spawn_blocking(work).await.map_err(failed)??)
}

fn binary(bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response()
}

fn failed(error: tokio::task::JoinError) -> Failure {
    HistoryError::Unreadable(error.to_string()).into()
}
