//! Values beside the text in the versions of a document, over HTTP.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::access::{Access, App, Failure, InPath, InQuery};
use super::history::{InDocument, Params, failed, json_text, turn, version_id};
use crate::history::{self, HistoryError};

/// `GET …/versions/{version}/values`: by map and key.
pub async fn read(
    State(app): State<App>,
    Access { document, .. }: Access,
    InPath(InDocument { version }): InPath<InDocument>,
    InQuery(params): InQuery<Params>,
) -> Result<Response, Failure> {
    let (_, state) = history::state(&app.rooms.shared().storage, &document, &version_id(&version)?).await?;
    let root = params.root(&app).to_owned();
    let work = move || history::values::of_state(&root, &state);
    Ok(Json(tokio::task::spawn_blocking(work).await.map_err(failed)??).into_response())
}

/// `GET …/compare/values?from=&to=`: what changed.
pub async fn compare(
    State(app): State<App>,
    Access { document, grant, address }: Access,
    InQuery(params): InQuery<Params>,
) -> Result<Response, Failure> {
    let storage = &app.rooms.shared().storage;
    let (from, to) = (params.from.as_deref().unwrap_or_default(), params.to.as_deref().unwrap_or("now"));
    let (from, to) = (version_id(from)?, version_id(to)?);
    let _turn = turn(&app, grant.user, address).await?;
    let (_, from) = history::state(storage, &document, &from).await?;
    let (_, to) = history::state(storage, &document, &to).await?;
    let root = params.root(&app).to_owned();
    let work = move || Ok::<_, HistoryError>(history::values::changed(&root, &from, &to)?.to_string());
    let changes = tokio::task::spawn_blocking(work).await.map_err(failed)??;
    Ok(json_text(Bytes::from(changes)))
}
