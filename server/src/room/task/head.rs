//! Head snapshots, with which the next room begins.

use std::sync::Arc;

use super::{Room, at_length};
use crate::clock::now;

impl Room {
    /// Begins to store a head snapshot, unless one is on its way. A replica that lacks a row gets none: loading from it
    /// would pass over that row.
    pub(super) fn begin_head(&mut self) {
        if self.incomplete || self.head.as_ref().is_some_and(|head| !head.is_finished()) {
            return;
        }
        let core = &self.core;
        let document = core.document().clone();
        let bytes = match at_length(true, || core.replica().encode_whole()) {
            Ok(bytes) => bytes,
            Err(error) => return tracing::error!(document = document.id, %error, "no head snapshot"),
        };
        self.rows_since_head = 0;
        let storage = Arc::clone(&self.shared.storage);
        self.head = Some(tokio::spawn(async move {
            let put = storage.put_head(&document.id, &document.epoch, document.tip, now(), &bytes);
            if let Err(error) = put.await {
                // The log has everything; loading takes longer, that is all.
                tracing::warn!(document = document.id, %error, "no head snapshot");
            }
        }));
    }

    /// Waits for the head snapshot that is on its way.
    pub(super) async fn end_head(&mut self) {
        if let Some(head) = self.head.take()
            && let Err(error) = head.await
        {
            tracing::warn!(%error, "no head snapshot");
        }
    }
}
