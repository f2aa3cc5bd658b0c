//! A room and the database: rows are stored before frames go out, and what other servers stored is read.

use std::sync::Arc;

use super::{LARGE_FRAME, Room, at_length};
use crate::clock::now;
use crate::hints::Hint;
use crate::room::core::{Health, Rows};
use crate::room::end::{RoomEnd, failed, replaced};
use crate::room::load::load;
use crate::storage::{Authors, Fault, Refusal, Seq, StoreRequest};
use crate::writer::CommitError;

/// Rows another server wrote that are read at once.
const CATCH_UP: u32 = 500;

impl Room {
    /// Stores what the core has accepted, then lets its frames go (F14).
    pub(super) async fn commit(&mut self) -> Result<(), RoomEnd> {
        if let Some(rows) = self.core.take_rows() {
            if self.core.has_presence(now()) {
                let presence = self.core.take_presence(now());
                self.send(presence);
            }
            self.store(rows).await?;
        }
        if self.core.replica().is_spoiled() {
            self.reload().await?;
        }
        self.flush();
        self.announcer.comments(&mut self.core);
        self.announcer.up_to(self.core.document().tip);
        self.held.clear();
        self.count();
        if self.rows_since_head >= self.shared.head_every {
            self.begin_head();
        }
        Ok(())
    }

    async fn store(&mut self, rows: Rows) -> Result<(), RoomEnd> {
        let (id, epoch, tip) = {
            let document = self.core.document();
            (document.id.clone(), document.epoch.clone(), document.tip)
        };
        let count = rows.updates.len() as u64;
        let authors = Authors(rows.updates.iter().filter_map(|update| update.author.clone()).collect());
        let at = now();
        let request = StoreRequest {
            document: id,
            epoch: epoch.clone(),
            at,
            updates: rows.updates,
            only_at_tip: rows.only_at_tip,
            once: rows.once,
            database: Some(self.database),
        };
        let stored = self.shared.writer.commit(request).await.map_err(|error| match error {
            CommitError::Refused(Refusal::Epoch) => RoomEnd::Epoch,
            CommitError::Refused(Refusal::Replaced) => replaced(),
            CommitError::Refused(refusal) => RoomEnd::Failed { fault: Fault::Other, error: refusal.to_string() },
            CommitError::Failed { fault, error } => RoomEnd::Failed { fault, error },
        })?;
        tracing::debug!(document = self.core.document().id, stored.first, stored.last, "stored");
        self.rows_since_head += count;
        self.shared.changed.note(&self.core.document().id);
        self.hint(Hint::Stored { epoch, seq: stored.last });
        if stored.first > tip + 1 {
            // Another server wrote in between.
            self.catch_up().await
        } else {
            self.core.committed(stored.last);
            self.announcer.comments(&mut self.core);
            self.announcer.changed(stored.first, stored.last, authors, at);
            Ok(())
        }
    }

    /// Takes what other servers stored. Everything accepted here must be stored before, for the replica may have to be
    /// replaced. A database that does not answer is asked again with the next hint: the tip stays where it was.
    pub(super) async fn catch_up(&mut self) -> Result<(), RoomEnd> {
        loop {
            let document = self.core.document();
            let (id, epoch, tip) = (document.id.clone(), document.epoch.clone(), document.tip);
            let rows = match self.shared.storage.get_updates_of(&id, &epoch, tip, CATCH_UP).await {
                Ok(Some(rows)) => rows,
                Ok(None) => return Err(RoomEnd::Epoch),
                Err(error) => {
                    tracing::warn!(document = id, %error, "cannot read what another server stored");
                    return Ok(());
                }
            };
            if rows.is_empty() {
                return Ok(());
            }
            tracing::debug!(document = id, tip, rows = rows.len(), "another server stored");
            self.rows_since_head += rows.len() as u64;
            let core = &mut self.core;
            let long = rows.iter().map(|row| row.bytes.len()).sum::<usize>() >= LARGE_FRAME;
            let (health, bad) = at_length(long, || core.remote_rows(&rows));
            for (seq, reason) in bad {
                self.quarantine(seq, &reason).await;
            }
            if health == Health::Spoiled {
                self.reload().await?;
            } else if let Some(first) = rows.first() {
                let authors = Authors(rows.iter().flat_map(|row| row.authors.0.clone()).collect());
                let at = rows.iter().map(|row| row.at).max().unwrap_or_default();
                self.announcer.comments(&mut self.core);
                self.announcer.changed(first.first_seq, self.core.document().tip, authors, at);
            }
            self.flush();
        }
    }

    /// Quarantines a row that cannot be used.
    async fn quarantine(&mut self, seq: Seq, reason: &str) {
        let id = self.core.document().id.clone();
        tracing::error!(document = id, seq, reason, "row quarantined");
        self.shared.metrics.quarantined.inc();
        if let Err(error) = self.shared.storage.quarantine(&id, seq, reason).await {
            tracing::error!(document = id, seq, %error, "a row could not be set aside");
            self.incomplete = true;
        }
    }

    /// Goes on with a replica loaded from the database, and passes on what this room had not seen. Everything accepted
    /// must be stored before.
    async fn reload(&mut self) -> Result<(), RoomEnd> {
        let document = self.core.document().clone();
        let loaded = load(&self.shared.storage, &document.id, now()).await.map_err(failed)?;
        if loaded.document.epoch != document.epoch {
            return Err(RoomEnd::Epoch);
        }
        self.shared.metrics.quarantined.inc_by(loaded.set_aside);
        self.core.replace_replica(loaded.replica);
        self.incomplete = false;
        let storage = Arc::clone(&self.shared.storage);
        while self.core.document().tip < loaded.document.tip {
            let tip = self.core.document().tip;
            let rows = storage.get_updates_of(&document.id, &document.epoch, tip, CATCH_UP).await.map_err(failed)?;
            let rows = rows.ok_or(RoomEnd::Epoch)?;
            let Some(last) = rows.last() else { break };
            for row in rows.iter().filter(|row| row.quarantined.is_none()) {
                self.core.broadcast(None, &row.bytes);
            }
            self.core.committed(last.seq);
            self.flush();
        }
        Ok(())
    }
}
