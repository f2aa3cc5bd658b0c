//! Values beside the text in the versions of a document, over HTTP.

use axum::extract::State;
use axum::response::Response;

use super::access::{Access, App, Failure, InPath, InQuery};
use super::content::Content;
use super::history::{InDocument, Params, failed, turn, version_id};
use crate::history::{self, HistoryError};

/// `GET …/versions/{version}/values`: by map and key.
pub async fn read(
    State(app): State<App>,
    Access { document, taker, .. }: Access,
    InPath(InDocument { version }): InPath<InDocument>,
    InQuery(params): InQuery<Params>,
) -> Result<Response, Failure> {
    let version = version_id(&version)?;
    let cost = app.cost(&document, &[&version]).await?;
    let (storage, root) = (app.rooms.shared().storage.clone(), params.root(&app)?.to_owned());
    let work = async move {
        let (_, state) = history::state(&storage, &document, &version).await?;
        let work = move || Ok::<_, HistoryError>(history::values::of_state(&root, &state)?.to_string());
        Ok(Content::json(tokio::task::spawn_blocking(work).await.map_err(failed)??))
    };
    app.answer(&taker, cost, work).await
}

/// `GET …/compare/values?from=&to=`: what changed.
pub async fn compare(
    State(app): State<App>,
    Access { document, taker, .. }: Access,
    InQuery(params): InQuery<Params>,
) -> Result<Response, Failure> {
    let (from, to) = (params.from.as_deref().unwrap_or_default(), params.to.as_deref().unwrap_or("now"));
    let (from, to) = (version_id(from)?, version_id(to)?);
    let turn = turn(&app, taker.clone()).await?;
    let cost = app.cost(&document, &[&from, &to]).await?;
    let (storage, root) = (app.rooms.shared().storage.clone(), params.root(&app)?.to_owned());
    let work = async move {
        // Until it is made, whoever waits for it.
        let _turn = turn;
        let (_, from) = history::state(&storage, &document, &from).await?;
        let (_, to) = history::state(&storage, &document, &to).await?;
        let work = move || Ok::<_, HistoryError>(history::values::changed(&root, &from, &to)?.to_string());
        Ok(Content::json(tokio::task::spawn_blocking(work).await.map_err(failed)??))
    };
    app.answer(&taker, cost, work).await
}
