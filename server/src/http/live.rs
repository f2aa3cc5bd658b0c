//! The live document API: what a document holds, and edits of it by programs, which everybody sees at once.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use slate_yrs::format::{COMMENTS_ROOT, OWN_ROOTS};
use slate_yrs::slate::{ValueChange, Values};

use super::access::{Access, App, Failure, InBody, InPath, InQuery, header_text};
use super::admin::Admin;
use super::content::{Content, tagged};
use super::editing::{Once, edit};
use super::history::{Params, failed};
use crate::allowance::Taker;
use crate::history::{self, HistoryError, VersionId};
use crate::live::{self, Laying, MAX_EDITS, Patch, etag, hex};
use crate::replica::Replica;
use crate::storage::{Document, ONCE, OnceName, Seq};

pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Set where a request was answered that was done before.
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const MAX_KEY_BYTES: usize = 200;
const MAX_MAP_KEY: usize = 1_000;
const MAX_VALUE_BYTES: usize = 256 * 1024;

fn laying(app: &App, params: &Params) -> Result<Laying, Failure> {
    Ok(Laying { root: params.root(app)?.to_owned(), new_format: app.args.layout().new_format })
}

/// The document's row; or the answer, if whoever asks has it as it is.
pub(super) async fn unless_known(
    app: &App,
    document: &str,
    headers: &HeaderMap,
) -> Result<Result<Document, Response>, Failure> {
    let row = app.rooms.shared().storage.document(document).await?.ok_or(HistoryError::NoDocument)?;
    let tag = etag(&row.epoch, row.tip);
    let is_known = header_text(headers, header::IF_NONE_MATCH).is_some_and(|known| known == tag);
    Ok(if is_known { Err(tagged(&tag, StatusCode::NOT_MODIFIED.into_response())) } else { Ok(row) })
}

/// `GET /api/scenes/{id}?format=slate|text|update`: what the document is now.
pub async fn read(
    State(app): State<App>,
    Access { document, taker, .. }: Access,
    InQuery(params): InQuery<Params>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let row = match unless_known(&app, &document, &headers).await? {
        Ok(row) => row,
        Err(unchanged) => return Ok(unchanged),
    };
    let format = params.format(&["slate", "text", "update"])?;
    let cost = app.cost(&document, &[&VersionId::Now]).await?;
    let (storage, root) = (app.rooms.shared().storage.clone(), params.root(&app)?.to_owned());
    let work = async move {
        let (seq, state) = history::state(&storage, &document, &VersionId::Now).await?;
        let work = move || {
            Ok::<_, HistoryError>(match format {
                "update" => Content::binary(state),
                "text" => Content::text(live::text(&history::value(&root, &state)?)),
                _ => Content::json(history::nodes_to_json(&history::value(&root, &state)?).to_string()),
            })
        };
        let content = tokio::task::spawn_blocking(work).await.map_err(failed)??;
        Ok(content.tagged(&etag(&row.epoch, seq)))
    };
    app.answer(&taker, cost, work).await
}

/// `PATCH /api/scenes/{id} {edits, base?}`: all of the edits, or none.
pub async fn patch(
    State(app): State<App>,
    access: Access,
    InQuery(params): InQuery<Params>,
    headers: HeaderMap,
    InBody(body): InBody<Value>,
) -> Result<Response, Failure> {
    let Access { document, grant, address, taker } = access.writing()?;
    let invalid = |message: String| Failure::new(StatusCode::BAD_REQUEST, "invalid", message);
    let request = body.to_string();
    let Patch { edits, base, take } = serde_json::from_value(body).map_err(|error| invalid(error.to_string()))?;
    if edits.is_empty() || edits.len() > MAX_EDITS {
        return Err(invalid(format!("a request has 1 to {MAX_EDITS} edits")));
    }
    if let Some(take) = &take {
        shared_map(&app, &params, &take.map)?;
    }
    let once = Once { key: key_of(&headers, grant.user.as_deref(), &request)?, take };
    let laying = laying(&app, &params)?;
    // What is there now, and the base.
    let versions = if base.is_some() { 2 } else { 1 };
    let cost = app.cost(&document, &[&VersionId::Now; 2][..versions]).await?;
    let to = app.clone();
    let work = async move {
        let base = match base {
            Some(base) => Some(state_at(&to, &document, &base).await?),
            None => None,
        };
        let work =
            move |current: &[u8], client: u32| live::apply(&laying, client, base.as_deref().unwrap_or(current), &edits);
        edit(&to, &document, grant, address, once, Box::new(work)).await
    };
    let (edited, _) = app.reading(&taker, cost, work).await?;
    let tag = etag(&edited.epoch, edited.tip);
    let answer = Json(json!({ "etag": tag, "edits": edited.report })).into_response();
    let mut answer = tagged(&tag, answer);
    if edited.replayed {
        answer.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(answer)
}

/// A key holds for one user and one document.
pub(super) fn key_of(headers: &HeaderMap, user: Option<&str>, request: &str) -> Result<Option<OnceName>, Failure> {
    let Some(key) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    if key.is_empty() || key.len() > MAX_KEY_BYTES {
        let message = format!("an Idempotency-Key has 1 to {MAX_KEY_BYTES} bytes");
        return Err(Failure::new(StatusCode::BAD_REQUEST, "invalid", message));
    }
    let mut named = user.unwrap_or_default().as_bytes().to_vec();
    named.push(0);
    named.extend(key.as_bytes());
    Ok(Some(OnceName {
        name: format!("{}{}", ONCE[0], hex(&named)),
        request: format!("http:{}", hex(request.as_bytes())),
    }))
}

/// The document as it was at an ETag.
async fn state_at(app: &App, document: &str, base: &str) -> Result<Vec<u8>, Failure> {
    let storage = &app.rooms.shared().storage;
    let row = storage.document(document).await?.ok_or(HistoryError::NoDocument)?;
    let gone = || {
        let message = "the server does not have the document as it was at this base any more: read it again";
        Failure::new(StatusCode::CONFLICT, "base", message).with(json!({ "etag": etag(&row.epoch, row.tip) }))
    };
    let (epoch, seq) = base.trim_matches('"').rsplit_once('-').ok_or_else(gone)?;
    let seq: Seq = seq.parse().map_err(|_| gone())?;
    if epoch != row.epoch || seq < 0 || seq > row.tip {
        return Err(gone());
    }
    if seq == 0 {
        return Ok(Replica::new().encode());
    }
    let version = if seq == row.tip { VersionId::Now } else { VersionId::Seq(seq) };
    match history::state(storage, document, &version).await {
        Ok((_, state)) => Ok(state),
        Err(HistoryError::NoVersion) => Err(gone()),
        Err(error) => Err(error.into()),
    }
}

#[derive(Deserialize)]
pub struct InMap {
    map: String,
    key: Option<String>,
}

/// The map of a request: one of the applications'.
fn shared_map<'a>(app: &App, params: &Params, map: &'a str) -> Result<&'a str, Failure> {
    // A request that says that the text is elsewhere does not make a map of where it is.
    if map.is_empty() || map.starts_with(OWN_ROOTS) || map == params.root(app)? || map == app.args.root {
        let message = "this is no map of values";
        return Err(Failure::new(StatusCode::BAD_REQUEST, "invalid", message));
    }
    Ok(map)
}

/// What of a map is answered.
async fn values_of(
    app: &App,
    (document, taker): (String, Taker),
    map: String,
    answer: impl FnOnce(Values) -> Result<Value, Failure> + Send + 'static,
) -> Result<Response, Failure> {
    let storage = app.rooms.shared().storage.clone();
    let row = storage.document(&document).await?.ok_or(HistoryError::NoDocument)?;
    let cost = app.cost(&document, &[&VersionId::Now]).await?;
    let work = async move {
        let (seq, state) = history::state(&storage, &document, &VersionId::Now).await?;
        let work = move || {
            let mut replica = Replica::new();
            replica.load(&state).map_err(|error| HistoryError::Unreadable(error.to_string()))?;
            answer(replica.values(&map))
        };
        let value = tokio::task::spawn_blocking(work).await.map_err(failed)??;
        Ok(Content::json(value.to_string()).tagged(&etag(&row.epoch, seq)))
    };
    app.answer(&taker, cost, work).await
}

/// `GET …/maps/{map}`: all values of a map.
pub async fn map(
    State(app): State<App>,
    Access { document, taker, .. }: Access,
    InPath(InMap { map, .. }): InPath<InMap>,
    InQuery(params): InQuery<Params>,
) -> Result<Response, Failure> {
    // Comments may be read.
    let map = if map == COMMENTS_ROOT { &map } else { shared_map(&app, &params, &map)? };
    values_of(&app, (document, taker), map.to_owned(), |values| Ok(json!(values))).await
}

/// `GET …/maps/{map}/{key}`
pub async fn value(
    State(app): State<App>,
    Access { document, taker, .. }: Access,
    InPath(InMap { map, key }): InPath<InMap>,
    InQuery(params): InQuery<Params>,
) -> Result<Response, Failure> {
    let map = shared_map(&app, &params, &map)?.to_owned();
    let key = key.unwrap_or_default();
    let none = || Failure::new(StatusCode::NOT_FOUND, "not-found", "the map has no such key");
    values_of(&app, (document, taker), map, move |values| values.get(&key).map(|value| json!(value)).ok_or_else(none))
        .await
}

/// `PUT …/maps/{map}/{key}`: the body is the value.
pub async fn set(
    State(app): State<App>,
    access: Access,
    path: InPath<InMap>,
    query: InQuery<Params>,
    InBody(value): InBody<Value>,
) -> Result<Response, Failure> {
    let bytes = value.to_string().len();
    if bytes > MAX_VALUE_BYTES {
        let message = format!("a value has at most {MAX_VALUE_BYTES} bytes as JSON");
        return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", message));
    }
    put(app, access, path, query, Some(value)).await
}

/// `DELETE …/maps/{map}/{key}`
pub async fn unset(
    State(app): State<App>,
    access: Access,
    path: InPath<InMap>,
    query: InQuery<Params>,
) -> Result<Response, Failure> {
    put(app, access, path, query, None).await
}

async fn put(
    app: App,
    access: Access,
    InPath(InMap { map, key }): InPath<InMap>,
    InQuery(params): InQuery<Params>,
    value: Option<Value>,
) -> Result<Response, Failure> {
    let Access { document, grant, address, taker } = access.writing()?;
    let invalid = |message: String| Failure::new(StatusCode::BAD_REQUEST, "invalid", message);
    let map = shared_map(&app, &params, &map)?.to_owned();
    let key = key.filter(|key| key.len() <= MAX_MAP_KEY);
    let key = key.ok_or_else(|| invalid(format!("a key has at most {MAX_MAP_KEY} bytes")))?;
    let after = value.as_ref().map(live::any_of).transpose().map_err(invalid)?;
    let change = ValueChange { map, key, before: None, after };
    let laying = laying(&app, &params)?;
    let cost = app.cost(&document, &[&VersionId::Now]).await?;
    let to = app.clone();
    let work = async move {
        let work = move |current: &[u8], client: u32| live::set_values(&laying, client, current, &[change]);
        edit(&to, &document, grant, address, Once::default(), Box::new(work)).await
    };
    let (edited, _) = app.reading(&taker, cost, work).await?;
    Ok(tagged(&etag(&edited.epoch, edited.tip), StatusCode::NO_CONTENT.into_response()))
}

/// `DELETE /api/scenes/{id}`: for good, with its history. For tokens with the claim `admin`.
pub async fn delete(
    State(app): State<App>,
    Admin { grant, .. }: Admin,
    Access { document, .. }: Access,
) -> Result<StatusCode, Failure> {
    tracing::info!(document, by = grant.user, "deleted");
    match app.rooms.shared().storage.delete_document(&document).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(HistoryError::NoDocument.into()),
    }
}
