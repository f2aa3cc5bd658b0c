//! What is answered out of documents: read where there is room, sent while it is held.

use std::future::Future;

use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::access::{App, Failure};
use super::readings::ReadRoom;
use crate::allowance::Taker;
use crate::history::{HistoryError, VersionId};
use crate::limit::Limit;
use crate::storage::StorageError;

/// An answer that holds its room until it is sent.
struct HeldBytes {
    bytes: Bytes,
    _room: ReadRoom,
}

impl AsRef<[u8]> for HeldBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// What came of a reading, to be sent.
pub struct Content {
    content_type: &'static str,
    bytes: Bytes,
    tag: Option<String>,
}

/// With an ETag.
pub fn tagged(tag: &str, mut response: Response) -> Response {
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

impl Content {
    fn of(content_type: &'static str, bytes: Bytes) -> Self {
        Self { content_type, bytes, tag: None }
    }

    pub fn json(text: impl Into<Bytes>) -> Self {
        Self::of("application/json", text.into())
    }

    pub fn text(text: impl Into<Bytes>) -> Self {
        Self::of("text/plain; charset=utf-8", text.into())
    }

    pub fn binary(bytes: impl Into<Bytes>) -> Self {
        Self::of("application/octet-stream", bytes.into())
    }

    /// With an ETag.
    pub fn tagged(self, tag: &str) -> Self {
        Self { tag: Some(tag.to_owned()), ..self }
    }
}

impl IntoResponse for Content {
    fn into_response(self) -> Response {
        let response = ([(header::CONTENT_TYPE, self.content_type)], self.bytes).into_response();
        match &self.tag {
            Some(tag) => tagged(tag, response),
            None => response,
        }
    }
}

impl App {
    /// What reading these states of a document takes.
    pub(super) async fn cost(&self, document: &str, versions: &[&VersionId]) -> Result<u64, StorageError> {
        let storage = &self.rooms.shared().storage;
        let log = storage.log_bytes(document).await?;
        let mut cost = log.saturating_mul(versions.len() as u64);
        if versions.iter().any(|version| matches!(version, VersionId::Named(_))) {
            for named in storage.named(document).await? {
                let is_meant = |version: &&&VersionId| matches!(version, VersionId::Named(id) if *id == named.id);
                cost = cost.saturating_add(named.bytes * versions.iter().filter(is_meant).count() as u64);
            }
        }
        Ok(cost)
    }

    /// Does what reads so many bytes of documents, once there is room. It goes on to its end, though nobody waits for it
    /// any more.
    pub(super) async fn reading<T: Send + 'static>(
        &self,
        taker: &Taker,
        bytes: u64,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<(T, ReadRoom), Failure> {
        let Some(room) = self.readings.begin(taker, bytes).await else {
            self.rooms.shared().metrics.limit_hit(Limit::Readings);
            return Err(Failure::limit(StatusCode::SERVICE_UNAVAILABLE, "too many documents are being read"));
        };
        let run = tokio::spawn(async move { work.await.map(|done| (done, room)) });
        run.await.map_err(|error| HistoryError::Unreadable(error.to_string()))?
    }

    /// The same, where what comes of it is sent.
    pub(super) async fn answer(
        &self,
        taker: &Taker,
        bytes: u64,
        work: impl Future<Output = Result<Content, Failure>> + Send + 'static,
    ) -> Result<Response, Failure> {
        let (content, mut room) = self.reading(taker, bytes, work).await?;
        room.is_answer_of(content.bytes.len());
        let bytes = Bytes::from_owner(HeldBytes { bytes: content.bytes, _room: room });
        Ok(Content { bytes, ..content }.into_response())
    }
}
