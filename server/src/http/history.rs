//! The history API: versions of a document over HTTP.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::json;
use slate_yrs::format::OWN_ROOTS;
use slate_yrs::protocol::Role;

use super::access::{Access, App, Failure, InBody, InPath, InQuery};
use super::compares::Turn;
use super::content::Content;
use super::editing;
use crate::allowance::Taker;
use crate::clock::now;
use crate::history::{self, HistoryError, Version, VersionId};
use crate::limit::Limit;
use crate::live::Made;
use crate::plain::plain;
use crate::storage::{NamedVersion, Seq, Storage, random_id};

const MAX_VERSIONS: usize = 500;
const MAX_UPDATES: usize = 1_000;
const MAX_UPDATES_BYTES: usize = 8 << 20;
const MAX_LABEL_BYTES: usize = 500;

impl From<HistoryError> for Failure {
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::Storage(error) => error.into(),
            HistoryError::NoDocument | HistoryError::NoVersion => {
                Self::new(StatusCode::NOT_FOUND, "not-found", error.to_string())
            }
            HistoryError::Format(_) | HistoryError::NotByReference => {
                Self::new(StatusCode::CONFLICT, "format", error.to_string())
            }
            HistoryError::Unreadable(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unreadable", error.to_string()),
        }
    }
}

#[derive(Deserialize)]
pub struct Params {
    before: Option<String>,
    limit: Option<usize>,
    since: Option<String>,
    root: Option<String>,
    format: Option<String>,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
}

impl Params {
    /// What is asked for: one of these, of which the first is meant where nothing is said.
    pub(super) fn format(&self, known: &[&'static str]) -> Result<&'static str, Failure> {
        let Some(asked) = self.format.as_deref() else { return Ok(known.first().copied().unwrap_or_default()) };
        known.iter().copied().find(|one| *one == asked).ok_or_else(|| {
            let message = format!("format is one of {}", known.join(", "));
            Failure::new(StatusCode::BAD_REQUEST, "invalid", message)
        })
    }

    /// The name of the root, also where the request gives none.
    pub(super) fn root<'a>(&'a self, app: &'a App) -> Result<&'a str, Failure> {
        let root = self.root.as_deref().unwrap_or(&app.args.root);
        if root.is_empty() || root.starts_with(OWN_ROOTS) {
            return Err(Failure::new(StatusCode::BAD_REQUEST, "invalid", "this is no root of a text"));
        }
        Ok(root)
    }
}

#[derive(Deserialize)]
pub struct InDocument {
    pub(super) version: String,
}

impl Access {
    pub(super) fn writing(self) -> Result<Self, Failure> {
        match self.grant.role {
            Role::ReadWrite => Ok(self),
            Role::ReadOnly | Role::Comment => {
                Err(Failure::new(StatusCode::FORBIDDEN, "read-only", "this token may only read"))
            }
        }
    }
}

pub(super) fn version_id(id: &str) -> Result<VersionId, Failure> {
    VersionId::parse(id).ok_or_else(|| HistoryError::NoVersion.into())
}

/// `GET …/versions?before=&limit=`
pub async fn list(
    State(app): State<App>,
    Access { document, taker, .. }: Access,
    InQuery(params): InQuery<Params>,
) -> Result<Response, Failure> {
    let limit = params.limit.unwrap_or(100).min(MAX_VERSIONS);
    let storage = &app.rooms.shared().storage;
    let storage = storage.clone();
    let work = async move {
        let versions = history::list(&storage, &document, params.before.as_deref(), limit).await?;
        Ok(Content::json(json!({ "versions": versions }).to_string()))
    };
    app.answer(&taker, history::PAGE_BYTES as u64, work).await
}

/// `GET …/versions/{version}?format=slate|update`
pub async fn read(
    State(app): State<App>,
    Access { document, taker, .. }: Access,
    InPath(InDocument { version }): InPath<InDocument>,
    InQuery(params): InQuery<Params>,
) -> Result<Response, Failure> {
    let version = version_id(&version)?;
    let format = params.format(&["slate", "update"])?;
    let cost = app.cost(&document, &[&version]).await?;
    let (storage, root) = (app.rooms.shared().storage.clone(), params.root(&app)?.to_owned());
    let work = async move {
        let (_, state) = history::state(&storage, &document, &version).await?;
        if format == "update" {
            return Ok(Content::binary(state));
        }
        let work = move || Ok::<_, HistoryError>(history::nodes_to_json(&history::value(&root, &state)?).to_string());
        Ok(Content::json(tokio::task::spawn_blocking(work).await.map_err(failed)??))
    };
    app.answer(&taker, cost, work).await
}

/// `GET …/updates?since=SEQ|TIME&limit=`: what is in the log after that.
pub async fn updates(
    State(app): State<App>,
    Access { document, taker, .. }: Access,
    InQuery(params): InQuery<Params>,
) -> Result<Response, Failure> {
    let storage = &app.rooms.shared().storage;
    let since = params.since.as_deref().unwrap_or("0");
    let wrong = || Failure::new(StatusCode::BAD_REQUEST, "invalid", "since is neither a sequence number nor a time");
    let after = match since.parse::<Seq>() {
        Ok(seq) => seq,
        Err(_) => {
            let at = history::parse_time(since).ok_or_else(wrong)?;
            storage.seq_before(&document, at).await?
        }
    };
    let limit = params.limit.unwrap_or(MAX_UPDATES).clamp(1, MAX_UPDATES);
    let storage = storage.clone();
    // As rows, as base64, and as the answer.
    app.answer(&taker, 3 * MAX_UPDATES_BYTES as u64, rows_after(storage, document, after, limit)).await
}

async fn rows_after(storage: Arc<dyn Storage>, document: String, after: Seq, limit: usize) -> Result<Content, Failure> {
    let row = storage.document(&document).await?.ok_or(HistoryError::NoDocument)?;
    // So many bytes at once, and one row in any case: the next request goes on after it. What is not sent is not read: a
    // log may be larger than what this process may have.
    let fits = storage.rows_within(&document, after, limit as u32, MAX_UPDATES_BYTES).await?;
    let rows = storage.get_updates_since(&document, after, fits.max(1)).await?;
    let next = rows.last().map_or(after, |row| row.seq);
    let updates: Vec<_> = rows
        .iter()
        .map(|row| {
            json!({
                "seq": row.seq,
                "firstSeq": row.first_seq,
                "at": history::rfc3339(row.at),
                "authors": row.authors.0,
                "update": BASE64.encode(&row.bytes),
                "quarantined": row.quarantined,
            })
        })
        .collect();
    let answer = json!({ "epoch": row.epoch, "tip": row.tip, "next": next, "updates": updates });
    Ok(Content::json(answer.to_string()))
}

/// `GET …/export?format=update|slate-yjs`: the document as one Yjs update.
pub async fn export(
    State(app): State<App>,
    Access { document, taker, .. }: Access,
    InQuery(params): InQuery<Params>,
) -> Result<Response, Failure> {
    let format = params.format(&["update", "slate-yjs"])?;
    let cost = app.cost(&document, &[&VersionId::Now]).await?;
    let (storage, root) = (app.rooms.shared().storage.clone(), params.root(&app)?.to_owned());
    let work = async move {
        let (_, state) = history::state(&storage, &document, &VersionId::Now).await?;
        if format != "slate-yjs" {
            return Ok(Content::binary(state));
        }
        let work = move || plain(&root, &state);
        let plain = tokio::task::spawn_blocking(work).await.map_err(failed)?;
        Ok(Content::binary(plain.map_err(|error| HistoryError::Unreadable(error.to_string()))?.update))
    };
    app.answer(&taker, cost, work).await
}

/// `GET …/compare?from=&to=`
pub async fn compare(
    State(app): State<App>,
    access: Access,
    InQuery(params): InQuery<Params>,
) -> Result<Response, Failure> {
    let Access { document, taker, .. } = access;
    let storage = &app.rooms.shared().storage;
    let (from, to) = (params.from.as_deref().unwrap_or_default(), params.to.as_deref().unwrap_or("now"));
    let (from, to) = (version_id(from)?, version_id(to)?);
    let row = storage.document(&document).await?.ok_or(HistoryError::NoDocument)?;
    let name = |version: &VersionId| match version {
        VersionId::Now => format!("{}", row.tip),
        VersionId::Seq(seq) => format!("{seq}"),
        VersionId::Named(id) => format!("n-{id}"),
    };
    let root = params.root(&app)?.to_owned();
    let compared = [document.clone(), row.epoch.clone(), root.clone(), name(&from), name(&to)];
    if let Some(made) = app.compares.made(&compared) {
        return Ok(Content::json(made).into_response());
    }
    let turn = turn(&app, taker.clone()).await?;
    if let Some(made) = app.compares.made(&compared) {
        return Ok(Content::json(made).into_response());
    }
    let cost = app.cost(&document, &[&from, &to]).await?;
    let (storage, compares) = (storage.clone(), app.compares.clone());
    let work = async move {
        // Until it is made, whoever waits for it.
        let _turn = turn;
        let (from_seq, from_state) = history::state(&storage, &document, &from).await?;
        let (to_seq, to_state) = history::state(&storage, &document, &to).await?;
        let (older, newer) = (from_seq.min(to_seq), from_seq.max(to_seq));
        let authors = history::authors(&storage, &document, older, newer).await?;
        let work = move || {
            let value = history::compared(&root, &from_state, &to_state, &authors)?;
            Ok::<_, HistoryError>(Bytes::from(history::nodes_to_json(&value).to_string()))
        };
        let answer = tokio::task::spawn_blocking(work).await.map_err(failed)??;
        // What was typed meanwhile is in "now", and not in its name.
        if storage.document(&document).await?.is_some_and(|after| after.tip == row.tip && after.epoch == row.epoch) {
            compares.keep(compared, answer.clone());
        }
        Ok(Content::json(answer))
    };
    app.answer(&taker, cost, work).await
}

/// Nobody has many comparisons made at once.
pub(super) async fn turn(app: &App, taker: Taker) -> Result<Turn, Failure> {
    app.compares.turn(taker).await.ok_or_else(|| {
        app.rooms.shared().metrics.limit_hit(Limit::Compares);
        Failure::limit(StatusCode::TOO_MANY_REQUESTS, "other comparisons of this user are under way")
    })
}

#[derive(Deserialize)]
pub struct Label {
    label: String,
}

/// `POST …/versions {"label": …}`: names the present state.
pub async fn save(
    State(app): State<App>,
    access: Access,
    InBody(Label { label }): InBody<Label>,
) -> Result<(StatusCode, Json<Version>), Failure> {
    let Access { document, grant, taker, .. } = access.writing()?;
    if label.trim().is_empty() || label.len() > MAX_LABEL_BYTES {
        return Err(Failure::new(StatusCode::BAD_REQUEST, "invalid", "a label has 1 to 500 bytes"));
    }
    let author = grant.user;
    let storage = &app.rooms.shared().storage;
    if storage.document(&document).await?.is_none() {
        return Err(HistoryError::NoDocument.into());
    }
    let cost = app.cost(&document, &[&VersionId::Now]).await?;
    let (storage, most) = (storage.clone(), app.args.limit.max_named_versions);
    let work = async move {
        let (seq, state) = history::state(&storage, &document, &VersionId::Now).await?;
        let bytes = state.len() as u64;
        let version = NamedVersion { id: random_id(), document, seq, label, author, at: now(), bytes };
        Ok((storage.put_named(&version, &state, most).await?, version))
    };
    let ((has_room, version), _) = app.reading(&taker, cost, work).await?;
    if !has_room {
        app.rooms.shared().metrics.limit_hit(Limit::NamedVersions);
        let message = format!("a document has {most} named versions at most: delete one");
        return Err(Failure::limit(StatusCode::CONFLICT, message));
    }
    Ok((StatusCode::CREATED, Json(history::named_version(&version))))
}

/// `DELETE …/versions/{version}`: takes a name back. The edits stay in the log.
pub async fn delete(
    State(app): State<App>,
    access: Access,
    InPath(InDocument { version }): InPath<InDocument>,
) -> Result<StatusCode, Failure> {
    let Access { document, .. } = access.writing()?;
    let VersionId::Named(id) = version_id(&version)? else {
        let message = "only a named version can be deleted";
        return Err(Failure::new(StatusCode::BAD_REQUEST, "invalid", message));
    };
    match app.rooms.shared().storage.delete_named(&document, &id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(HistoryError::NoVersion.into()),
    }
}

/// `POST …/versions/{version}/restore`: a forward edit through the room, seen by everyone.
pub async fn restore(
    State(app): State<App>,
    access: Access,
    InPath(InDocument { version }): InPath<InDocument>,
    InQuery(params): InQuery<Params>,
) -> Result<StatusCode, Failure> {
    let Access { document, grant, address, taker } = access.writing()?;
    let version = version_id(&version)?;
    if version == VersionId::Now {
        // What is typed between two reads of it is not to be taken back.
        app.rooms.shared().storage.document(&document).await?.ok_or(HistoryError::NoDocument)?;
        return Ok(StatusCode::NO_CONTENT);
    }
    // The version, and what is there now.
    let cost = app.cost(&document, &[&version, &VersionId::Now]).await?;
    let (to, root) = (app.clone(), params.root(&app)?.to_owned());
    let work = async move {
        let (_, version) = history::state(&to.rooms.shared().storage, &document, &version).await?;
        let work = move |current: &[u8], client: u32| {
            let update = history::restore(&root, client, current, &version)?;
            Ok(Made { update, ..Made::default() })
        };
        editing::edit(&to, &document, grant, address, editing::Once::default(), Box::new(work)).await
    };
    app.reading(&taker, cost, work).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn failed(error: tokio::task::JoinError) -> Failure {
    HistoryError::Unreadable(error.to_string()).into()
}
