//! Who wrote what, and taking back what somebody did, over HTTP.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::{Access, App, Failure, InBody, InQuery};
use super::content::{Content, tagged};
use super::editing::{Once, edit};
use super::history::{Params, failed};
use super::live::{REPLAYED, key_of, unless_known};
use crate::clock::now;
use crate::history::rollback::{self, Whose};
use crate::history::{self, HistoryError, VersionId, blame};
use crate::live::etag;
use crate::storage::Millis;

/// `GET …/blame`: who wrote each word of the document as it is now.
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
    // What is there now, and the log.
    let cost = app.cost(&document, &[&VersionId::Now; 2]).await?;
    let (storage, root) = (app.rooms.shared().storage.clone(), params.root(&app)?.to_owned());
    let work = async move {
        // First what is shown: of all that is in it the log then says whose it is.
        let (seq, state) = history::state(&storage, &document, &VersionId::Now).await?;
        let known = blame::known(&storage, &document).await?;
        let tag = etag(&row.epoch, seq);
        let work = move || {
            let runs = blame::blame(&root, &state, &known)?;
            Ok::<_, HistoryError>(json!({ "etag": etag(&row.epoch, seq), "runs": runs }).to_string())
        };
        Ok(Content::json(tokio::task::spawn_blocking(work).await.map_err(failed)??).tagged(&tag))
    };
    app.answer(&taker, cost, work).await
}

/// A time: RFC 3339, or milliseconds since the epoch.
#[derive(Deserialize)]
#[serde(untagged)]
enum Time {
    Millis(Millis),
    Text(String),
}

impl Time {
    fn read(&self) -> Option<Millis> {
        match self {
            Self::Millis(at) => Some(*at),
            Self::Text(text) => history::parse_time(text),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RollbackRequest {
    author: String,
    from: Time,
    to: Option<Time>,
}

/// `POST …/rollback {author, from, to?}`: takes back what that person did in that time.
pub async fn roll_back(
    State(app): State<App>,
    access: Access,
    InQuery(params): InQuery<Params>,
    headers: HeaderMap,
    InBody(body): InBody<Value>,
) -> Result<Response, Failure> {
    let Access { document, grant, address, taker } = access.writing()?;
    let invalid = |message: String| Failure::new(StatusCode::BAD_REQUEST, "invalid", message);
    let request = format!("rollback {body}");
    let RollbackRequest { author, from, to } =
        serde_json::from_value(body).map_err(|error| invalid(error.to_string()))?;
    let (from, to) = (from.read(), to.map_or(Some(now()), |to| to.read()));
    let (Some(from), Some(to)) = (from, to) else { return Err(invalid("from and to are times".into())) };
    if from > to {
        return Err(invalid("from is later than to".into()));
    }
    let key = key_of(&headers, grant.user.as_deref(), &request)?;
    let storage = app.rooms.shared().storage.clone();
    storage.document(&document).await?.ok_or(HistoryError::NoDocument)?;
    let cost = app.cost(&document, &[&VersionId::Now; 2]).await?;
    let (to_room, root, whose) = (app.clone(), params.root(&app)?.to_owned(), Whose { author, from, to });
    let work = async move {
        let log = rollback::log(&storage, &document).await?;
        let work = move |current: &[u8], client: u32| Ok(rollback::roll_back(&root, client, current, &log, &whose)?);
        let once = Once { key, take: None };
        edit(&to_room, &document, grant, address, once, Box::new(work)).await
    };
    let (edited, _) = app.reading(&taker, cost, work).await?;
    let tag = etag(&edited.epoch, edited.tip);
    let answer = Json(json!({ "etag": tag, "report": edited.report })).into_response();
    let mut answer = tagged(&tag, answer);
    if edited.replayed {
        answer.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(answer)
}
