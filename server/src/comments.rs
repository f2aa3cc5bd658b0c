//! Who may write which comments.
//!
//! Comments are values of the map [`COMMENTS_ROOT`], under keys `thread/part`. A part is a comment, with its `author`; or `thread`, which says
//! what the thread is about, with its `author`; or `resolved`, signed with `by`. What is new is signed by whoever sends it: a signature
//! without an id gets one, and the name that the token gives. What is there is changed by its author only, or by an admin; but anybody
//! who may comment resolves a thread and opens it again. An update is judged by what it would make of the comments, in a copy.

use std::collections::HashMap;

use slate_yrs::format::COMMENTS_ROOT;
use slate_yrs::slate::{ValueChange, differences};
use yrs::Any;

use crate::gate::{EditRefusal, Judged, contains};
use crate::replica::Replica;
use crate::storage::Authors;

/// What is known of who sends an update.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    /// None where nobody is asked who they are.
    pub user: Option<&'a str>,
    /// What the token calls them.
    pub name: Option<&'a str>,
    pub is_admin: bool,
    /// May write nothing else.
    pub only_comments: bool,
}

impl Signer<'_> {
    /// Nobody's connection.
    pub const SERVER: Self = Self { user: None, name: None, is_admin: true, only_comments: false };
}

/// What an update does to comments.
#[derive(Debug, Default)]
pub struct CommentChanges {
    /// To be written besides it, so that all it signs is signed by its sender.
    pub stamps: Vec<ValueChange>,
    /// Of the comments that it changes.
    pub keys: Authors,
}

/// What an update does to comments, if it touches any.
///
/// # Errors
/// Why nothing of the update may be stored.
pub fn judge(
    replica: &mut Replica,
    judged: &mut Judged<'_>,
    signer: Signer<'_>,
) -> Result<Option<CommentChanges>, EditRefusal> {
    let update = judged.update;
    let may_touch = replica.has_root(COMMENTS_ROOT) || contains(update, COMMENTS_ROOT.as_bytes());
    if !may_touch && !signer.only_comments {
        return Ok(None);
    }
    let survey = judged.survey(replica)?;
    let comments = |root: &str| root == COMMENTS_ROOT;
    let others = |root: &str| root != COMMENTS_ROOT;
    // What has to wait could turn out to be anything.
    let touches_others = survey.waits || survey.inserts_into(others) || replica.has_any(survey.deletions(others, true));
    if signer.only_comments && touches_others {
        return Err(EditRefusal::OnlyComments);
    }
    if !survey.waits && !survey.inserts_into(comments) && !replica.has_any(survey.deletions(comments, true)) {
        return Ok(None);
    }
    let before = replica.values(COMMENTS_ROOT);
    let after = replica.with(update)?.values(COMMENTS_ROOT);
    let changes = differences(COMMENTS_ROOT, &before, &after);
    let keys = Authors(changes.iter().map(|change| change.key.clone()).collect());
    let stamps: Result<Vec<_>, _> = changes.into_iter().map(|change| stamp(change, signer)).collect();
    Ok(Some(CommentChanges { stamps: stamps?.into_iter().flatten().collect(), keys }))
}

/// Whether a change is the signer's to make, and what has to be signed otherwise.
fn stamp(change: ValueChange, signer: Signer<'_>) -> Result<Option<ValueChange>, EditRefusal> {
    let (thread, part) = change.key.split_once('/').ok_or(EditRefusal::NoComment)?;
    if thread.is_empty() || part.is_empty() || part.contains('/') {
        return Err(EditRefusal::NoComment);
    }
    let is_resolution = part == "resolved";
    let field = if is_resolution { "by" } else { "author" };
    let before = change.before.as_ref().map(|value| Signature::of(value, field)).transpose();
    // What is there by mistake may go.
    let before = before.unwrap_or_default().filter(|_| !is_resolution);
    let is_own = |before: &Signature| signer.is_admin || before.id.as_deref() == signer.user;
    if before.as_ref().is_some_and(|before| !is_own(before)) {
        return Err(EditRefusal::NotTheAuthor);
    }
    let Some(value) = &change.after else { return Ok(None) };
    let given = Signature::of(value, field)?;
    let wanted = match before {
        // Whoever edits it: it stays its author's.
        Some(before) => before,
        None => Signature {
            id: signer.user.map(str::to_owned),
            name: signer.name.map_or_else(|| given.name.clone(), str::to_owned),
        },
    };
    if given.id.is_some() && given.id != wanted.id {
        return Err(EditRefusal::Signature);
    }
    if given == wanted {
        return Ok(None);
    }
    let after = wanted.sign(value, field);
    Ok(Some(ValueChange { before: change.after.clone(), after, ..change }))
}

/// Who has signed something.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Signature {
    id: Option<String>,
    name: String,
}

impl Signature {
    fn of(value: &Any, field: &str) -> Result<Self, EditRefusal> {
        let Any::Map(fields) = value else { return Err(EditRefusal::NoComment) };
        let Some(Any::Map(signature)) = fields.get(field) else { return Err(EditRefusal::NoComment) };
        let id = match signature.get("id") {
            None | Some(Any::Null) => None,
            Some(Any::String(id)) => Some(id.to_string()),
            Some(_) => return Err(EditRefusal::NoComment),
        };
        let Some(Any::String(name)) = signature.get("name") else { return Err(EditRefusal::NoComment) };
        Ok(Self { id, name: name.to_string() })
    }

    fn sign(self, value: &Any, field: &str) -> Option<Any> {
        let Any::Map(fields) = value else { return None };
        let mut fields: HashMap<String, Any> = (**fields).clone();
        let id = self.id.map_or(Any::Null, Any::from);
        let signature = HashMap::from([("id".to_owned(), id), ("name".to_owned(), Any::from(self.name))]);
        fields.insert(field.to_owned(), Any::Map(signature.into()));
        Some(Any::Map(fields.into()))
    }
}
