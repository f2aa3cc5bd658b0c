//! Edits that the room itself is asked for, by a request or the tool of an agent, and not over a connection.

use serde_json::{Value, json};
use slate_yrs::update::merge;

use super::{Room, at_length};
use crate::allowance::Taker;
use crate::history::HistoryError;
use crate::live::{EditError, Taking};
use crate::replica::ApplyError;
use crate::room::core::Health;
use crate::room::edit::{Edit, EditWork, Edited, fresh_client_id};
use crate::room::end::RoomEnd;
use crate::storage::{KnownSession, OnceName};

impl Room {
    /// Does an edit, and answers once it is stored.
    pub(super) async fn edit(&mut self, edit: Edit) -> Result<Health, RoomEnd> {
        let Edit { work, author, taker, key, take, done } = edit;
        // What was asked for before may be waiting in this very batch.
        self.commit().await?;
        let answer = match self.before_edit(key, take.as_ref()).await {
            Ok(BeforeEdit::ToDo(once)) => self.work(work, author, taker.as_ref(), once, take),
            Ok(BeforeEdit::Done(edited)) => Ok(edited),
            Err(error) => Err(error),
        };
        let health = match &answer {
            Err(EditError::Apply(ApplyError::Spoiled)) => Health::Spoiled,
            _ => Health::Sound,
        };
        if answer.is_ok() {
            self.commit().await?;
        }
        let tip = self.core.document().tip;
        let _ = done.send(answer.map(|edited| Edited { tip, ..edited }));
        Ok(health)
    }

    /// Whether the edit is still to be done. Everything that was accepted is stored.
    async fn before_edit(&self, key: Option<OnceName>, take: Option<&Taking>) -> Result<BeforeEdit, EditError> {
        let mut once = Vec::new();
        if let Some(key) = key {
            let known = self.known(&key.name).await?;
            if known.progress.last > 0 {
                return if known.owner.as_deref() == Some(&key.request) {
                    let document = self.core.document();
                    let (epoch, tip) = (document.epoch.clone(), document.tip);
                    Ok(BeforeEdit::Done(Edited { epoch, tip, report: Value::Null, replayed: true }))
                } else {
                    Err(EditError::KeyReused)
                };
            }
            once.push(key);
        }
        if let Some(take) = take {
            let value = self.core.replica().values(&take.map).get(&take.key).map(|value| json!(value));
            let taken = take.once(&value.ok_or(EditError::Taken)?);
            // Another server may have taken it, and this one has not heard of that yet.
            if self.known(&taken.name).await?.progress.last > 0 {
                return Err(EditError::Taken);
            }
            once.push(taken);
        }
        Ok(BeforeEdit::ToDo(once))
    }

    /// What the database has under a name.
    async fn known(&self, name: &str) -> Result<KnownSession, EditError> {
        let known = self.shared.storage.session(&self.core.document().id, name).await;
        Ok(known.map_err(HistoryError::Storage)?)
    }

    fn work(
        &mut self,
        work: EditWork,
        author: Option<String>,
        taker: Option<&Taker>,
        once: Vec<OnceName>,
        take: Option<Taking>,
    ) -> Result<Edited, EditError> {
        let core = &mut self.core;
        let made = at_length(true, || work(&core.replica().encode(), fresh_client_id()))?;
        let removal = take.map(|take| core.replica().with_values(fresh_client_id(), &[take.removal()])).transpose()?;
        let update = match (made.update, removal) {
            (Some(update), Some(removal)) => {
                let both = merge([&update[..], &removal]);
                Some(both.map_err(|error| HistoryError::Unreadable(error.to_string()))?)
            }
            (update, removal) => update.or(removal),
        };
        if let Some(update) = update {
            core.takes(taker, update.len())?;
            core.server_update(update, author)?;
        }
        core.do_once(once);
        let document = core.document();
        Ok(Edited { epoch: document.epoch.clone(), tip: document.tip, report: made.report, replayed: false })
    }
}

/// What there is to do about an edit.
enum BeforeEdit {
    /// It was done before.
    Done(Edited),
    /// It is to be done, and stored with these names.
    ToDo(Vec<OnceName>),
}
