//! The document's format: whether this session may write, what it may send, and who sets the flag.
//!
//! Two things are kept apart. What is *barred* is not edited here at all: an edit by an engine that does not know the
//! format would damage the document. What is not to be *sent* stays in the outbox, on the device, for a session that
//! knows more. Nothing here is ever dropped.

use crate::format::{DEFAULT_FORMAT, DEFAULT_ROOT, Format};
use crate::protocol::close;
use crate::slate::SlateDoc;
use crate::store::Write;

use super::connection::{Link, Live, PeerProtocol};
use super::stage::DocChange;
use super::waiting::Overtaken;
use super::{ErrorCode, Origin, Remote, Session};

/// What is known of formats beside the document.
#[derive(Debug, Default)]
pub(super) struct Formatting {
    /// The last thing that was told of it.
    told: Option<Bar>,
    /// What a server has said of its document, also one that has closed since.
    pub server: Option<Format>,
    novelty: Novelty,
    /// The copy stands where older versions do not find it.
    pub guarded: bool,
    /// The server's document is of a higher format than this one, and on its way.
    pub overtaken: Option<Overtaken>,
    /// The document before the edits that are pending, if that is known.
    pub base: Option<Vec<u8>>,
    /// What was translated is on its way to the store.
    pub storing: bool,
    /// Another tab has edits in this document that the server may not have.
    pub shared: bool,
}

/// Whether the document is new: what the first sync of this device has found.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Novelty {
    /// The device has nothing of it that a server has seen; the first sync will tell.
    #[default]
    Open,
    New,
    /// There was something before.
    Old,
}

/// Why a document is read only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bar {
    /// This engine does not know its format.
    Unknown(Format),
    /// The server does not know its format: it would take the edits of those who do not either.
    Unguarded(Format),
    /// The connection has ended for that, and is not tried again.
    Outdated,
}

impl Session {
    fn bar(&self) -> Option<Bar> {
        let known = self.doc.format();
        if !self.doc.is_writable() {
            return Some(Bar::Unknown(known));
        }
        if matches!(self.link, Link::Outdated) {
            return Some(Bar::Outdated);
        }
        let hello = self.link.live().and_then(Live::hello)?;
        match hello.format {
            Some(format) if !self.config.formats.knows(format) => Some(Bar::Unknown(format)),
            _ if known > 0 && !hello.formats.is_some_and(|formats| formats.knows(known)) => Some(Bar::Unguarded(known)),
            _ => None,
        }
    }

    /// Whether the user may not edit, whatever the server allows: what he does would not fit the document, or never
    /// reach anybody.
    pub(super) fn is_barred(&self) -> bool {
        self.bar().is_some()
    }

    /// Whether an edit made here would damage the document. One that is only never sent from here is taken: it is on
    /// the device for whoever knows more.
    pub(super) fn refuses_edits(&self) -> bool {
        matches!(self.bar(), Some(Bar::Unknown(_) | Bar::Unguarded(_)))
    }

    /// Whether edits may go to the server: not before it is known of which format its document is.
    pub(super) fn may_send(&self) -> bool {
        let Some(live) = self.link.live() else { return false };
        let told = match &live.mode {
            PeerProtocol::Durable(hello) => hello.format.is_some(),
            PeerProtocol::Unknown | PeerProtocol::Plain { .. } => false,
        };
        (told || live.synced) && !self.is_overtaken() && !self.is_storing_translation() && self.bar().is_none()
    }

    /// The document's format as far as it is known.
    pub(super) fn known_format(&self) -> Option<Format> {
        let here = self.doc.format();
        let there = self.formatting.server;
        let settled = here > 0 || !self.doc.is_empty() || self.link.is_synced();
        let alone = self.ready && self.config.remote == Remote::None;
        let begins = if self.doc.is_empty() { self.format_to_set().unwrap_or(0) } else { 0 };
        (settled || alone || there.is_some()).then(|| here.max(there.unwrap_or(0)).max(begins))
    }

    /// Says so when the document turns out to be read only.
    pub(super) fn tell_format(&mut self) {
        let bar = self.bar();
        if bar == self.formatting.told {
            return;
        }
        self.formatting.told = bar;
        let known = self.config.formats;
        let message = match bar {
            // Said where it closed.
            None | Some(Bar::Outdated) => return,
            Some(Bar::Unknown(format)) => format!("the document is of format {format}, this version knows {known}"),
            Some(Bar::Unguarded(format)) => {
                format!(
                    "the document is of format {format}, which this server does not know: it may only be read there"
                )
            }
        };
        self.report(ErrorCode::Format, message);
    }

    /// The server closes because this session does not know the document's format.
    pub(super) fn format_refused(&mut self, reason: &str) {
        self.link = Link::Outdated;
        let known = self.config.formats;
        let format = self.formatting.server.map(|format| format!(", the document is of format {format}"));
        let format = format.unwrap_or_default();
        self.report(
            ErrorCode::Format,
            format!("the server closes ({reason}): this version knows format {known}{format}"),
        );
    }

    /// A document that older versions do not know is kept where they do not look: they would take it for one of theirs. In
    /// one transaction with what makes it so, as soon as there is a store.
    pub(super) fn guard_copy(&mut self) {
        if self.doc.format() == 0 || !self.doc.is_writable() || self.formatting.guarded || !self.journal.is_working() {
            return;
        }
        self.formatting.guarded = true;
        self.move_copy();
    }

    /// What is still where the copy was comes along.
    pub(super) fn move_copy(&mut self) {
        if self.formatting.guarded {
            let (from, session) = (self.config.document.clone(), Some(self.config.session.clone()));
            self.journal.write(Write::Move { from, session });
        }
    }

    /// The edits stay in the outbox, and the device's copy what it was: nothing is sent or taken any more.
    pub(super) fn be_outdated(&mut self) {
        self.drop_socket(close::NORMAL);
        self.connection_gone();
        self.link = Link::Outdated;
    }

    /// What the device has of the document is known. `whole`: and that is all there is.
    pub(super) fn note_copy(&mut self, whole: bool) {
        let nothing = self.doc.is_empty() && self.doc.format() == 0 && self.journal.epoch.is_none();
        if !whole || !(nothing || self.has_only_pending()) {
            self.formatting.novelty = Novelty::Old;
        } else if self.config.remote == Remote::None {
            self.formatting.novelty = if nothing { Novelty::New } else { Novelty::Old };
        }
    }

    /// Nothing has come from a server yet, as far as the device knows.
    fn has_only_pending(&self) -> bool {
        self.journal.epoch.is_none() && !self.journal.has_log()
    }

    /// A server has sent what it has. `content`: whether that was anything.
    pub(super) fn note_found(&mut self, content: bool) {
        if self.formatting.novelty == Novelty::Open {
            self.formatting.novelty = if content { Novelty::Old } else { Novelty::New };
        }
    }

    /// Brings the document to the format it is to have, once its first content is there. An update of its own, so that
    /// seeds of equal content stay equal. Readers never do so, and nobody lowers a format.
    pub(super) fn settle_format(&mut self) {
        if self.doc.is_empty() && self.queue.is_empty() {
            return;
        }
        let Some(wanted) = self.format_to_set() else { return };
        self.flush();
        if wanted <= self.doc.format() {
            return;
        }
        let before = self.doc.value();
        self.raise_format(wanted);
        // The steps of before are of another kind. The leaves may be others: as Slate's normalizer leaves them.
        self.undo.clear();
        let ops = SlateDoc::diff(&before, &self.doc.value());
        if !ops.is_empty() {
            self.stage.changed(DocChange::Anything);
            self.stage.operations(Origin::Remote, ops);
        }
    }

    /// The same before the first edit of a document that has nothing: it is written in that format at once. Opening alone
    /// writes nothing.
    pub(super) fn begin_format(&mut self) {
        if self.doc.is_empty()
            && let Some(wanted) = self.format_to_set()
        {
            self.raise_format(wanted);
        }
    }

    fn raise_format(&mut self, wanted: Format) {
        for update in self.doc.raise_format(wanted) {
            self.submit(update, Origin::Local);
        }
    }

    /// What the document is to be brought to, if this session may do that now.
    fn format_to_set(&self) -> Option<Format> {
        if self.seed_is_pending() || self.conflict || self.replacement.is_some() || self.is_overtaken() {
            return None;
        }
        let online = self.config.remote != Remote::None;
        if !self.ready || online && (self.link.is_read_only() || !self.link.is_synced()) || self.is_barred() {
            return None;
        }
        let wanted = self.wanted_format();
        let can = self.config.formats.knows(wanted) && self.server_guards(wanted);
        (can && wanted > self.doc.format()).then_some(wanted)
    }

    /// The server's word on new documents counts more than the application's.
    fn wanted_format(&self) -> Format {
        let live = self.link.live();
        let server = live.and_then(Live::hello).and_then(|hello| hello.new_format);
        // There nobody keeps others from damaging it: only who has said so takes that upon himself.
        let is_plain = live.is_some_and(|live| matches!(live.mode, PeerProtocol::Plain { .. }));
        let default = if is_plain { 0 } else { DEFAULT_FORMAT };
        match (self.formatting.novelty, server) {
            (Novelty::New, Some(format)) => format,
            (Novelty::New, None) => self.config.format.unwrap_or(default),
            (Novelty::Open | Novelty::Old, Some(0)) => 0,
            (Novelty::Open | Novelty::Old, _) => self.config.format.unwrap_or(0),
        }
    }

    /// Whether the server keeps those from the text who do not know this format. A plain server knows no formats, and takes
    /// whatever is sent.
    fn server_guards(&self, format: Format) -> bool {
        match self.link.live().map(|live| &live.mode) {
            Some(PeerProtocol::Durable(hello)) => {
                let root = hello.root.as_deref().unwrap_or(DEFAULT_ROOT);
                root == self.config.root && hello.formats.is_some_and(|formats| formats.knows(format))
            }
            _ => true,
        }
    }

    /// The application asks for a format that this engine cannot write.
    pub(super) fn check_wanted_format(&mut self) {
        let known = self.config.formats;
        if let Some(format) = self.config.format.filter(|format| !known.knows(*format)) {
            self.report(ErrorCode::Format, format!("format {format} is asked for, this version knows {known}"));
        }
    }
}
