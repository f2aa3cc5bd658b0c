//! Edits that are asked of the room itself, and come over no connection: a request, the tool of an agent.

use serde_json::Value;

use super::{Room, at_length};
use crate::allowance::Taker;
use crate::history::HistoryError;
use crate::live::EditError;
use crate::replica::ApplyError;
use crate::room::core::Health;
use crate::room::edit::{Edit, EditKey, EditWork, Edited, fresh_client_id};
use crate::room::end::RoomEnd;
use crate::storage::Submission;

impl Room {
    /// Does it, and answers once it is stored.
    pub(super) async fn edit(&mut self, edit: Edit) -> Result<Health, RoomEnd> {
        let Edit { work, author, taker, key, done } = edit;
        let answer = match self.before_edit(key.as_ref()).await? {
            Ok(None) => self.work(work, author, taker.as_ref(), key),
            Ok(Some(edited)) => Ok(edited),
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

    /// The answer that there is without doing anything.
    async fn before_edit(&mut self, key: Option<&EditKey>) -> Result<Result<Option<Edited>, EditError>, RoomEnd> {
        let Some(key) = key else { return Ok(Ok(None)) };
        // The first of two may be waiting in this very batch.
        self.commit().await?;
        let document = self.core.document();
        let known = match self.shared.storage.session(&document.id, &key.session).await {
            Ok(known) => known,
            Err(error) => return Ok(Err(HistoryError::Storage(error).into())),
        };
        if known.progress.last == 0 {
            return Ok(Ok(None));
        }
        if known.owner.as_deref() != Some(&key.request) {
            return Ok(Err(EditError::KeyReused));
        }
        let (epoch, tip) = (document.epoch.clone(), document.tip);
        Ok(Ok(Some(Edited { epoch, tip, report: Value::Null, replayed: true })))
    }

    fn work(
        &mut self,
        work: EditWork,
        author: Option<String>,
        taker: Option<&Taker>,
        key: Option<EditKey>,
    ) -> Result<Edited, EditError> {
        let core = &mut self.core;
        let made = at_length(true, || work(&core.replica().encode(), fresh_client_id()))?;
        if let Some(update) = made.update {
            core.takes(taker, update.len())?;
            let submission = key.map(|key| Submission {
                session: key.session,
                seq: 1,
                after_refusal: false,
                owner: Some(key.request),
            });
            core.server_update(update, author, submission)?;
        }
        let document = core.document();
        Ok(Edited { epoch: document.epoch.clone(), tip: document.tip, report: made.report, replayed: false })
    }
}
