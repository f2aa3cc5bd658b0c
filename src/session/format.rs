//! The document's format: whether this session may write, what it may send, and who sets the flag.
//!
//! Two things are kept apart. A document that is *barred* is not edited here at all: an edit by an engine that does not
//! know the format would damage it. Edits that are not to be *sent* stay in the outbox, on the device, for a session
//! that knows more. No edit is ever dropped here.

use crate::format::{DEFAULT_FORMAT, DEFAULT_ROOT, Format, KnownFormats};
use crate::slate::SlateDoc;

use super::connection::{Link, PeerProtocol};
use super::device::Device;
use super::network::Network;
use super::stage::Stage;
use super::types::{Config, ErrorCode, Remote};

/// What is known of formats beside the document.
#[derive(Debug, Default)]
pub(super) struct Formatting {
    /// The bar that was told last.
    told: Option<Bar>,
    /// The format of the server's document, as a server has said it, also one that has closed since.
    pub server: Option<Format>,
    novelty: Novelty,
}

/// Whether the document is new: what the first sync of this device has found.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Novelty {
    /// The device has nothing of it that a server has seen: the first sync decides.
    #[default]
    Open,
    New,
    /// There was something before.
    Old,
}

/// Why a document is read only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bar {
    /// This engine does not know its format.
    Unknown(Format),
    /// The server does not know its format: it would also take edits of clients that do not know it.
    Unguarded(Format),
    /// The server has closed the connection because of the format; it is not tried again.
    Outdated,
}

/// What a document's format depends on.
pub(super) struct Circumstances<'a> {
    pub config: &'a Config,
    pub doc: &'a SlateDoc,
    pub network: &'a Network,
    /// The local copy is loaded, or cannot be.
    pub loaded: bool,
    /// It is not decided yet whether the server has the same document, what its first content is, or what is
    /// translated.
    pub undecided: bool,
}

impl Circumstances<'_> {
    pub fn bar(&self) -> Option<Bar> {
        let known = self.doc.format();
        if !self.doc.is_writable() {
            return Some(Bar::Unknown(known));
        }
        if matches!(self.network.link, Link::Outdated) {
            return Some(Bar::Outdated);
        }
        let hello = self.network.hello()?;
        match hello.format {
            Some(format) if !self.config.formats.knows(format) => Some(Bar::Unknown(format)),
            _ if known > 0 && !hello.formats.is_some_and(|formats| formats.knows(known)) => Some(Bar::Unguarded(known)),
            _ => None,
        }
    }

    /// Whether the user may not edit, even if the server allows it: the edit would not fit the document, or never reach
    /// anybody.
    pub fn is_barred(&self) -> bool {
        self.bar().is_some()
    }

    /// Whether an edit made here would damage the document. An edit that would only never be sent from here is taken:
    /// the device keeps it for a version that knows more.
    pub fn refuses_edits(&self) -> bool {
        matches!(self.bar(), Some(Bar::Unknown(_) | Bar::Unguarded(_)))
    }

    /// Whether edits may go to the server: not before the format of its document is known.
    pub fn may_send(&self) -> bool {
        let Some(live) = self.network.link.live() else { return false };
        let told = match &live.mode {
            PeerProtocol::Durable(hello) => hello.format.is_some(),
            PeerProtocol::Unknown | PeerProtocol::Plain { .. } => false,
        };
        (told || live.synced) && self.bar().is_none()
    }

    /// Whether the server keeps clients from writing into the text that do not know this format. A plain server knows
    /// no formats and guards nothing: there the application decides.
    fn server_guards(&self, format: Format) -> bool {
        match self.network.link.live().map(|live| &live.mode) {
            Some(PeerProtocol::Durable(hello)) => {
                let root = hello.root.as_deref().unwrap_or(DEFAULT_ROOT);
                root == self.config.root && hello.formats.is_some_and(|formats| formats.knows(format))
            }
            _ => true,
        }
    }
}

impl Formatting {
    /// The document's format as far as it is known.
    pub fn known(&self, now: &Circumstances<'_>) -> Option<Format> {
        let here = now.doc.format();
        let settled = here > 0 || !now.doc.is_empty() || now.network.link.is_synced();
        let alone = now.loaded && now.config.remote == Remote::None;
        let begins = if now.doc.is_empty() { self.to_set(now).unwrap_or(0) } else { 0 };
        (settled || alone || self.server.is_some()).then(|| here.max(self.server.unwrap_or(0)).max(begins))
    }

    /// The message when the document turns out to be read only, or is so for another reason than before.
    pub fn tell(&mut self, bar: Option<Bar>, known: KnownFormats) -> Option<String> {
        if bar == self.told {
            return None;
        }
        self.told = bar;
        match bar {
            // `Outdated` was reported when the server closed.
            None | Some(Bar::Outdated) => None,
            Some(Bar::Unknown(format)) => {
                Some(format!("the document is of format {format}, this version knows {known}"))
            }
            Some(Bar::Unguarded(format)) => Some(format!(
                "the document is of format {format}, which this server does not know: it may only be read there"
            )),
        }
    }

    /// The server has closed because this session does not know the document's format.
    pub fn refused(&self, config: &Config, reason: &str, stage: &mut Stage) {
        let format = self.server.map(|format| format!(", the document is of format {format}")).unwrap_or_default();
        let message = format!("the server closes ({reason}): this version knows format {}{format}", config.formats);
        stage.report(ErrorCode::Format, message);
    }

    /// What the device has of the document is known. `whole`: nothing could be missing from that.
    pub fn note_copy(&mut self, whole: bool, config: &Config, doc: &SlateDoc, device: &Device) {
        let without_epoch = device.journal.epoch.is_none();
        let nothing = doc.is_empty() && doc.format() == 0 && without_epoch;
        // Nothing has come from a server yet, as far as the device knows.
        let only_pending = without_epoch && !device.journal.has_log();
        if !whole || !(nothing || only_pending) {
            self.novelty = Novelty::Old;
        } else if config.remote == Remote::None {
            self.novelty = if nothing { Novelty::New } else { Novelty::Old };
        }
    }

    /// A server has sent what it has. `content`: whether that was anything.
    pub fn note_found(&mut self, content: bool) {
        if self.novelty == Novelty::Open {
            self.novelty = if content { Novelty::Old } else { Novelty::New };
        }
    }

    /// The format that the document is to be brought to, if this session may do that now.
    pub fn to_set(&self, now: &Circumstances<'_>) -> Option<Format> {
        if now.undecided {
            return None;
        }
        let (online, link) = (now.config.remote != Remote::None, &now.network.link);
        if !now.loaded || online && (link.is_read_only() || !link.is_synced()) || now.is_barred() {
            return None;
        }
        let wanted = self.wanted(now);
        let can = now.config.formats.knows(wanted) && now.server_guards(wanted);
        (can && wanted > now.doc.format()).then_some(wanted)
    }

    /// The server's word on new documents counts more than the application's.
    fn wanted(&self, now: &Circumstances<'_>) -> Format {
        let server = now.network.hello().and_then(|hello| hello.new_format);
        // A plain server keeps nobody from damaging the document: there the application has to ask for a higher format.
        let default = if now.network.is_plain() { 0 } else { DEFAULT_FORMAT };
        match (self.novelty, server) {
            (Novelty::New, Some(format)) => format,
            (Novelty::New, None) => now.config.format.unwrap_or(default),
            (Novelty::Open | Novelty::Old, Some(0)) => 0,
            (Novelty::Open | Novelty::Old, _) => now.config.format.unwrap_or(0),
        }
    }
}

/// The application asks for a format that this engine cannot write.
pub(super) fn check_wanted(config: &Config, stage: &mut Stage) {
    let known = config.formats;
    if let Some(format) = config.format.filter(|format| !known.knows(*format)) {
        stage.report(ErrorCode::Format, format!("format {format} is asked for, this version knows {known}"));
    }
}
