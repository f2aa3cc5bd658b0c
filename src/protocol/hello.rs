//! The server's greeting, and its JSON form.

use yrs::Any;

use crate::format::{Format, KnownFormats};
use crate::json::{Fields, quoted};

/// What a slate-yrs server tells a client on connecting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    pub version: u32,
    /// The lifetime of the document: changes when it was deleted and made again.
    pub epoch: String,
    pub role: Role,
    /// The largest update the server takes, bytes.
    pub max_update_bytes: u32,
    /// The largest frame the server takes; larger ones go as [`super::Message::Fragment`]s.
    pub max_frame_bytes: u32,
    /// The highest seq of this client session that is in the database.
    pub acked_seq: u64,
    pub heartbeat_ms: u32,
    /// What the server knows; none: it is of a time when there was but one format.
    pub formats: Option<KnownFormats>,
    /// The document's.
    pub format: Option<Format>,
    /// In which new documents begin, whatever clients wish; none: as they wish.
    pub new_format: Option<Format>,
    /// The root that the server takes for the text's, and keeps those from who do not know the format; none: the usual one.
    pub root: Option<String>,
    /// Who the server takes this user for: what its comments are signed with.
    pub user: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    ReadWrite,
    ReadOnly,
    /// May read, and write comments.
    Comment,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadWrite => "read-write",
            Self::ReadOnly => "read-only",
            Self::Comment => "comment",
        }
    }

    /// To clients that know nothing of comments their user is a reader.
    fn told(self) -> &'static str {
        if self == Self::Comment { Self::ReadOnly.as_str() } else { self.as_str() }
    }

    fn parse(role: &str, comments: bool) -> Option<Self> {
        match role {
            "read-write" => Some(Self::ReadWrite),
            "read-only" if comments => Some(Self::Comment),
            "read-only" => Some(Self::ReadOnly),
            _ => None,
        }
    }
}

impl Hello {
    pub(super) fn to_json(&self) -> String {
        let list = |formats: KnownFormats| format!(r#","formats":[{formats}]"#);
        let number = |name: &str, format: Option<Format>| format.map(|format| format!(r#","{name}":{format}"#));
        let text =
            |name: &str, text: &Option<String>| text.as_ref().map(|text| format!(r#","{name}":{}"#, quoted(text)));
        format!(
            concat!(
                r#"{{"version":{},"epoch":{},"role":"{}","maxUpdateBytes":{},"#,
                r#""maxFrameBytes":{},"ackedSeq":{},"heartbeatMs":{}{}{}{}{}{}{}}}"#
            ),
            self.version,
            quoted(&self.epoch),
            self.role.told(),
            self.max_update_bytes,
            self.max_frame_bytes,
            self.acked_seq,
            self.heartbeat_ms,
            self.formats.map(list).unwrap_or_default(),
            number("format", self.format).unwrap_or_default(),
            number("newFormat", self.new_format).unwrap_or_default(),
            text("root", &self.root).unwrap_or_default(),
            text("user", &self.user).unwrap_or_default(),
            if self.role == Role::Comment { r#","comments":true"# } else { "" },
        )
    }

    /// None if a field is missing or not what it must be; unknown ones are those of a later server.
    pub(super) fn from_json(json: &str) -> Option<Self> {
        let fields = Fields::parse(json)?;
        Some(Self {
            version: fields.u32("version")?,
            epoch: fields.str("epoch")?.to_owned(),
            role: Role::parse(fields.str("role")?, matches!(fields.any("comments"), Some(Any::Bool(true))))?,
            max_update_bytes: fields.u32("maxUpdateBytes")?,
            max_frame_bytes: fields.u32("maxFrameBytes")?,
            acked_seq: fields.uint("ackedSeq")?,
            heartbeat_ms: fields.u32("heartbeatMs")?,
            formats: fields.any("formats").and_then(list),
            format: fields.u32("format"),
            new_format: fields.u32("newFormat"),
            root: fields.str("root").map(str::to_owned),
            user: fields.str("user").map(str::to_owned),
        })
    }
}

/// What is no format, a later server may mean something by.
fn list(any: &Any) -> Option<KnownFormats> {
    let Any::Array(items) = any else { return None };
    let number = |item: &Any| match item {
        Any::Number(number) => number.as_f64().filter(|it| it.fract() == 0.0 && (0.0..64.0).contains(it)),
        _ => None,
    };
    let formats: Vec<Format> = items.iter().filter_map(number).map(|it| it as Format).collect();
    Some(KnownFormats::of(&formats))
}
