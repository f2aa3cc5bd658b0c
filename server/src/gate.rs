//! Who may change what, by the document's format.
//!
//! A document of format 1 is written by engines that know it. Plain y-websocket clients may have other roots; what they
//! do to the text, or to the roots that describe it, is not stored. The flag itself is set by sessions that know what it
//! means, if the document is laid out as it says, and never lowered. What an update touches is told by
//! [`Replica::survey`], before it is applied.

use std::sync::Arc;

use axum::body::Bytes;
use slate_yrs::format::{DOC_ROOT, Format, KnownFormats, OWN_ROOTS};
use slate_yrs::update::Survey;
use thiserror::Error;

use crate::replica::{ApplyError, Replica};

/// What this server knows.
pub const FORMATS: KnownFormats = KnownFormats::of(&[0, 1]);

/// How documents are laid out here.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The root that holds the text.
    pub root: Arc<str>,
    /// In which format new documents begin, whatever clients wish.
    pub new_format: Option<Format>,
}

impl Default for Layout {
    fn default() -> Self {
        Self { root: "content".into(), new_format: None }
    }
}

/// Who sends an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// A y-websocket client that knows nothing of formats. `refused`: something of it was not stored.
    Plain { refused: bool },
    /// A session that knows these.
    Session(KnownFormats),
}

/// What is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pass {
    Whole,
    /// Some of the deletions are left out. `told`: the sender is to hear of it.
    Part {
        update: Bytes,
        told: bool,
    },
}

/// An update that is to be judged, and what it would touch: looked at once, by whoever asks first.
pub struct Judged<'a> {
    pub update: &'a Bytes,
    survey: Option<Survey<'a>>,
}

impl<'a> Judged<'a> {
    pub fn new(update: &'a Bytes) -> Self {
        Self { update, survey: None }
    }

    pub fn survey(&mut self, replica: &Replica) -> Result<&Survey<'a>, ApplyError> {
        let survey = match self.survey.take() {
            Some(survey) => survey,
            None => replica.survey(self.update)?,
        };
        Ok(self.survey.insert(survey))
    }
}

/// Why nothing of an update is stored.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EditRefusal {
    #[error("the document may be edited only by clients that know its format")]
    Format,
    #[error("the document's format cannot be changed like this")]
    Flag,
    #[error("the document is not laid out as its new format needs it")]
    Layout,
    #[error("a register has a time that nobody can have seen")]
    Register,
    #[error("this connection may only comment")]
    OnlyComments,
    #[error("a comment is signed by somebody else")]
    Signature,
    #[error("a comment is changed by its author only")]
    NotTheAuthor,
    #[error("this is no comment")]
    NoComment,
    #[error(transparent)]
    Unreadable(#[from] ApplyError),
}

impl Layout {
    fn is_protected(&self, root: &str) -> bool {
        root == &*self.root || root.starts_with(OWN_ROOTS)
    }

    /// What of an update may be stored.
    pub fn judge(&self, replica: &mut Replica, judged: &mut Judged<'_>, sender: Sender) -> Result<Pass, EditRefusal> {
        let (format, update) = (replica.format(), judged.update);
        let refused = sender == Sender::Plain { refused: true };
        // Entries of a map that is there may be written without its name.
        if format == 0 && !refused && !replica.has_root(DOC_ROOT) && !contains(update, DOC_ROOT.as_bytes()) {
            return Ok(Pass::Whole);
        }
        let survey = judged.survey(replica)?;
        match sender {
            Sender::Session(formats) => {
                if format > 0 {
                    self.check_registers(replica, survey)?;
                }
                self.check_flag(replica, survey, update, formats).map(|()| Pass::Whole)
            }
            // What stands upon something that was refused would wait for ever.
            Sender::Plain { .. } if format == 0 => match refused && survey.waits || touches_flag(replica, survey) {
                true => Err(EditRefusal::Flag),
                false => Ok(Pass::Whole),
            },
            Sender::Plain { .. } => self.part(replica, survey),
        }
    }

    fn check_registers(&self, replica: &Replica, survey: &Survey<'_>) -> Result<(), EditRefusal> {
        if !survey.has_registers() {
            return Ok(());
        }
        let limit = replica.clocks() + survey.new_clocks();
        if survey.has_bad_register(&self.root, limit) { Err(EditRefusal::Register) } else { Ok(()) }
    }

    /// The flag is looked at in a copy: whose entry of a map counts is for the CRDT to say.
    fn check_flag(
        &self,
        replica: &mut Replica,
        survey: &Survey<'_>,
        update: &[u8],
        formats: KnownFormats,
    ) -> Result<(), EditRefusal> {
        if !touches_flag(replica, survey) {
            return Ok(());
        }
        let before = replica.format();
        let copy = replica.with(update)?;
        let after = copy.format();
        let known = after == before || FORMATS.knows(after) && formats.knows(after);
        if after < before || !known {
            return Err(EditRefusal::Flag);
        }
        if after > before && !copy.has_layout(&self.root) {
            return Err(EditRefusal::Layout);
        }
        Ok(())
    }

    /// For who knows nothing of formats, in a document that has one.
    fn part(&self, replica: &mut Replica, survey: &Survey<'_>) -> Result<Pass, EditRefusal> {
        let protected = |root: &str| self.is_protected(root);
        // What has to wait could turn out to be anything.
        if survey.waits || survey.inserts_into(protected) {
            return Err(EditRefusal::Format);
        }
        if !replica.has_any(survey.deletions(protected, true)) {
            return Ok(Pass::Whole);
        }
        // Yjs deletes formats that have become superfluous by itself: nobody has done anything.
        let told = replica.has_any(survey.deletions(protected, false));
        Ok(Pass::Part { update: survey.without_deletions(protected).into(), told })
    }
}

fn touches_flag(replica: &mut Replica, survey: &Survey<'_>) -> bool {
    let flag = |root: &str| root == DOC_ROOT;
    survey.inserts_into(flag) || replica.has_any(survey.deletions(flag, true))
}

pub(crate) fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
