//! Flags and environment.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use slate_yrs::format::Format;

use crate::auth::{Auth, AuthError, Expected, KeySetUrl, Refresh, TokenKeys, Webhook, WebhookOptions};
use crate::compact::Retention;
use crate::gate::Layout;
use crate::mcp::McpArgs;
use crate::room::RoomLimits;
use crate::storage;
use crate::webhooks::address::AddressRange;

mod limits;
mod places;

pub use limits::{Create, LimitArgs};

/// The sync server of slate-yrs: stores every change before it acknowledges it.
#[derive(Debug, Parser)]
#[command(name = "slate-yrs-server", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<CliCommand>,
    #[command(flatten)]
    pub serve: ServeArgs,
}

impl Cli {
    /// Reads a command line on which flags stand before the command, or after it.
    pub fn read(line: impl IntoIterator<Item = OsString>) -> Self {
        Self::parse_from(command_first(line.into_iter().collect()))
    }
}

/// Brings the command to the front: its flags are then its own, wherever they stood.
fn command_first(mut line: Vec<OsString>) -> Vec<OsString> {
    let cli = Cli::command();
    let mut at = 1;
    while let Some(word) = line.get(at).and_then(|word| word.to_str()) {
        let Some(flag) = word.strip_prefix("--") else {
            if cli.find_subcommand(word).is_some() {
                let command = line.remove(at);
                line.insert(1, command);
            }
            return line;
        };
        let all = cli.get_subcommands().flat_map(|command| command.get_arguments());
        let known = all.chain(cli.get_arguments()).find(|arg| arg.get_long() == Some(flag));
        // Its value is the next word.
        at += if known.is_some_and(|arg| arg.get_action().takes_values()) { 2 } else { 1 };
    }
    line
}

#[derive(Debug, Subcommand)]
pub enum CliCommand {
    /// Serve documents (the default)
    Serve(Box<ServeArgs>),
    /// Serve agents: the Model Context Protocol over standard input and output
    Mcp(McpArgs),
    /// Merge old edits now
    Compact {
        #[command(flatten)]
        database: DatabaseArgs,
        #[command(flatten)]
        retention: RetentionArgs,
    },
    /// List the documents: id, epoch, newest update, bytes of the log, time of the newest update
    Documents {
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Write a document to a file, as one Yjs update
    Export {
        document: String,
        /// `-`: standard output
        file: PathBuf,
        /// update: the document as it is; slate-yjs: in the layout that slate-yjs 1.x writes, whatever its format
        #[arg(long, value_enum, default_value_t = ExportFormat::Update)]
        format: ExportFormat,
        /// The root that holds the text
        #[arg(long, env = "SLATE_YRS_ROOT", default_value = "content", value_name = "NAME")]
        root: String,
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Add a Yjs update from a file to a document, made if there is none
    Import {
        document: String,
        /// `-`: standard input
        file: PathBuf,
        /// The root that has to hold the text: if it is elsewhere, nothing is imported
        #[arg(long, env = "SLATE_YRS_ROOT", value_name = "NAME")]
        root: Option<String>,
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Take over the updates that another backend kept in a table: one row each, in the order of their time
    ImportTable {
        #[command(flatten)]
        source: SourceArgs,
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Copy the database into a new file while servers use it
    Backup {
        file: PathBuf,
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Put a backup where the database is to be, which must not be there; all of it is read before
    Restore {
        file: PathBuf,
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Delete a document with its history
    Delete {
        document: String,
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Replay every document, or one, and compare with its snapshot; fails if anything differs or cannot be read
    Verify {
        document: Option<String>,
        #[command(flatten)]
        database: DatabaseArgs,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    Update,
    SlateYjs,
}

/// How large what goes over the wire may be: its frames say it in 32 bits, and something, or nothing goes.
fn message_bytes() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=u64::from(u32::MAX))
}

#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Where to listen
    #[arg(long, env = "SLATE_YRS_LISTEN", default_value = "127.0.0.1:8787", value_name = "ADDRESS")]
    pub listen: SocketAddr,

    #[command(flatten)]
    pub database: DatabaseArgs,

    /// Serve /metrics, /healthz and /readyz on this address, and /metrics nowhere else
    #[arg(long, env = "SLATE_YRS_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,

    /// Also serve the files of this folder, index.html for unknown paths
    #[arg(long = "static", env = "SLATE_YRS_STATIC", value_name = "FOLDER", value_parser = places::folder)]
    pub static_files: Option<PathBuf>,

    /// Time between signs of life, both ways; silence for two of them ends a connection
    #[arg(long, env = "SLATE_YRS_HEARTBEAT_MS", default_value_t = 15_000, value_name = "MS", value_parser = clap::value_parser!(u32).range(1..))]
    pub heartbeat_ms: u32,

    /// The largest update
    #[arg(long, env = "SLATE_YRS_MAX_UPDATE_BYTES", default_value_t = 1 << 20, value_name = "BYTES", value_parser = message_bytes())]
    pub max_update_bytes: usize,

    /// The largest first sync of a client (sync step 2) or seed
    #[arg(long, env = "SLATE_YRS_MAX_SYNC_BYTES", default_value_t = 32 << 20, value_name = "BYTES", value_parser = message_bytes())]
    pub max_sync_bytes: usize,

    /// The largest frame to and from clients of the durable extension; larger ones travel in pieces
    #[arg(long, env = "SLATE_YRS_MAX_FRAME_BYTES", default_value_t = 2 << 20, value_name = "BYTES", value_parser = message_bytes())]
    pub max_frame_bytes: usize,

    /// Bytes that may wait for a slow reader, beside the largest of its frames, before it is disconnected
    #[arg(long, env = "SLATE_YRS_MAX_QUEUED_BYTES", default_value_t = 8 << 20, value_name = "BYTES")]
    pub max_queued_bytes: usize,

    /// Frames that do not decode, per connection, before it is closed
    #[arg(long, env = "SLATE_YRS_MAX_BAD_FRAMES", default_value_t = 20, value_name = "COUNT")]
    pub max_bad_frames: u32,

    /// The root that holds the text of a document
    #[arg(long, env = "SLATE_YRS_ROOT", default_value = "content", value_name = "NAME", value_parser = places::root)]
    pub root: String,

    /// In which format new documents begin, whatever their clients wish; 0: and none becomes one of format 1. By default
    /// they begin in 1, and in 0 where the client says so
    #[arg(long, env = "SLATE_YRS_FORMAT", value_name = "0|1", value_parser = clap::value_parser!(u32).range(0..=1))]
    pub format: Option<Format>,

    /// How long a room without connections stays in memory
    #[arg(long, env = "SLATE_YRS_ROOM_IDLE_MS", default_value_t = 30_000, value_name = "MS")]
    pub room_idle_ms: u64,

    /// Stored updates of a document after which a new head snapshot is written
    #[arg(long, env = "SLATE_YRS_HEAD_EVERY", default_value_t = 2_000, value_name = "COUNT")]
    pub head_every: u64,

    /// How long a transaction of updates may take before the rooms that wait for it are closed
    #[arg(long, env = "SLATE_YRS_STORE_TIMEOUT_MS", default_value_t = 20_000, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..))]
    pub store_timeout_ms: u64,

    /// How long a shutdown may take
    #[arg(long, env = "SLATE_YRS_SHUTDOWN_MS", default_value_t = 10_000, value_name = "MS")]
    pub shutdown_ms: u64,

    /// Connections beyond which new ones are turned away
    #[arg(long, env = "SLATE_YRS_MAX_CONNECTIONS", default_value_t = 20_000, value_name = "COUNT")]
    pub max_connections: i64,

    /// Frames of one connection that are read in a second; the rest waits in its socket
    #[arg(long, env = "SLATE_YRS_MAX_FRAMES_PER_SECOND", default_value_t = 1_000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_frames_per_second: u32,

    /// Origins whose pages may connect, e.g. https://example.org; all if none is given
    #[arg(long, env = "SLATE_YRS_ALLOW_ORIGIN", value_delimiter = ',', value_name = "ORIGIN", value_parser = places::origin)]
    pub allow_origin: Vec<String>,

    /// Redis that several servers on one PostgreSQL share: they then hear of each other at once, and see each other's
    /// presence
    #[arg(long, env = "SLATE_YRS_REDIS", value_name = "URL", hide_env_values = true)]
    pub redis: Option<String>,

    /// How often to ask the database what other servers stored; ten times as seldom while Redis is there. 0: this
    /// server is alone. By default 500 on PostgreSQL, and 2000 on SQLite, where only commands are others
    #[arg(long, env = "SLATE_YRS_POLL_MS", value_name = "MS")]
    pub poll_ms: Option<u64>,

    /// Addresses inside at which webhooks may be: `10.1.0.0/16`, `127.0.0.1`; may be repeated, or separated by commas.
    /// By default only public addresses
    #[arg(long, env = "SLATE_YRS_WEBHOOK_ALLOW", value_delimiter = ',', value_name = "ADDRESSES")]
    pub webhook_allow: Vec<AddressRange>,

    #[command(flatten)]
    pub limit: LimitArgs,

    #[command(flatten)]
    pub auth: AuthArgs,

    /// When old edits are merged every day, UTC; `off`: never
    #[arg(long, env = "SLATE_YRS_COMPACT_AT", default_value = "03:00", value_name = "HH:MM")]
    pub compact_at: CompactAt,

    #[command(flatten)]
    pub retention: RetentionArgs,

    #[command(flatten)]
    pub log: LogArgs,
}

#[derive(Debug, Clone, Args)]
pub struct AuthArgs {
    /// jwt: a token decides; webhook: the application is asked; none: everybody may do everything, for development. By
    /// default what the other flags are for, and none if there are none and the server listens on this machine only
    #[arg(long, env = "SLATE_YRS_AUTH", value_enum)]
    pub auth: Option<AuthMode>,

    /// Secret of HS256 tokens, at least 32 bytes
    #[arg(long, env = "SLATE_YRS_JWT_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub jwt_secret: Option<String>,

    /// Public keys of RS256 and ES256 tokens (JSON Web Key Set): a file, or an address of http or https
    #[arg(long, env = "SLATE_YRS_JWKS", value_name = "FILE|URL", hide_env_values = true)]
    pub jwks: Option<String>,

    /// For whom a token has to be (`aud`); may be repeated, or separated by commas. Without it that is not looked at
    #[arg(long, env = "SLATE_YRS_JWT_AUDIENCE", value_delimiter = ',', value_name = "NAME")]
    pub jwt_audience: Vec<String>,

    /// Who has to have made a token (`iss`); may be repeated, or separated by commas. Without it that is not looked at
    #[arg(long, env = "SLATE_YRS_JWT_ISSUER", value_delimiter = ',', value_name = "NAME")]
    pub jwt_issuer: Vec<String>,

    /// How old keys from an address may be; sooner if a token names a key that is not among them
    #[arg(long, env = "SLATE_YRS_JWKS_REFRESH_MS", default_value_t = 600_000, value_name = "MS")]
    pub jwks_refresh_ms: u64,

    /// Ask the application by POST what the bearer of a token may do with a document, instead of checking tokens here
    #[arg(long, env = "SLATE_YRS_AUTH_URL", value_name = "URL", hide_env_values = true)]
    pub auth_url: Option<String>,

    /// Tells the application that this server asks: sent as `Authorization: Bearer …`
    #[arg(long, env = "SLATE_YRS_AUTH_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub auth_secret: Option<String>,

    /// How long the application may take
    #[arg(long, env = "SLATE_YRS_AUTH_TIMEOUT_MS", default_value_t = 5_000, value_name = "MS")]
    pub auth_timeout_ms: u64,

    /// How long its yes holds for further connections with the same token and document; a no holds 2 s at most
    #[arg(long, env = "SLATE_YRS_AUTH_CACHE_MS", default_value_t = 10_000, value_name = "MS")]
    pub auth_cache_ms: u64,

    /// Refusals of the application in a minute to one address, beyond which it is not asked about further tokens from
    /// there; 0: no limit
    #[arg(long, env = "SLATE_YRS_AUTH_MAX_REFUSALS", default_value_t = 100, value_name = "COUNT")]
    pub auth_max_refusals: u32,

    /// How often a connection's token is checked again, or the application asked: a role that changed, or a yes that was
    /// taken back, takes effect within this time
    #[arg(long, env = "SLATE_YRS_AUTH_RECHECK_MS", default_value_t = 300_000, value_name = "MS")]
    pub auth_recheck_ms: u64,
}

#[derive(Debug, Clone, Args)]
pub struct SourceArgs {
    /// The other backend's database: sqlite:PATH or postgres://…
    #[arg(long, env = "SLATE_YRS_IMPORT_FROM", value_name = "URL", hide_env_values = true)]
    pub from: String,

    /// Its table: scene_versions, script_versions, or another one
    #[arg(long, default_value = "scene_versions", value_name = "NAME")]
    pub table: String,

    /// The column with the document's id. By default scene_id, or script_id in script_versions
    #[arg(long, value_name = "NAME")]
    pub id_column: Option<String>,

    /// The column with the update. By default yjs_update, or update in script_versions
    #[arg(long, value_name = "NAME")]
    pub update_column: Option<String>,

    /// The column with the time
    #[arg(long, default_value = "created_at", value_name = "NAME")]
    pub time_column: String,

    /// Put before every id
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub prefix: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuthMode {
    Jwt,
    Webhook,
    None,
}

impl AuthArgs {
    /// How requests to a server on this address are checked.
    pub fn build(&self, listen: SocketAddr) -> Result<Auth, AuthError> {
        let keys = self.jwt_secret.is_some() || self.jwks.is_some();
        match (self.auth, &self.auth_url) {
            (Some(AuthMode::None), _) => Ok(Auth::Open),
            (Some(AuthMode::Jwt), _) => self.jwt(),
            (Some(AuthMode::Webhook), None) => Err(AuthError::NoKeys),
            (None, Some(_)) if keys => Err(AuthError::Ambiguous),
            (_, Some(url)) => self.webhook(url),
            (None, None) if !keys && listen.ip().is_loopback() => Ok(Auth::Open),
            (None, None) => self.jwt(),
        }
    }

    fn jwt(&self) -> Result<Auth, AuthError> {
        let is_url = |place: &str| place.starts_with("http://") || place.starts_with("https://");
        let (mut file, mut remote) = (None, None);
        match &self.jwks {
            Some(url) if is_url(url) => {
                let after = Duration::from_millis(self.jwks_refresh_ms);
                let refresh = Refresh { after, at_least: Refresh::default().at_least.min(after) };
                remote = Some(Arc::new(KeySetUrl::new(url, refresh)?));
            }
            Some(path) => file = Some(Path::new(path)),
            None => {}
        }
        let expected = Expected { audiences: self.jwt_audience.clone(), issuers: self.jwt_issuer.clone() };
        Ok(Auth::Jwt(Arc::new(TokenKeys::new(self.jwt_secret.as_deref(), file, remote, expected)?)))
    }

    fn webhook(&self, url: &str) -> Result<Auth, AuthError> {
        let options = WebhookOptions {
            url: url.to_owned(),
            secret: self.auth_secret.clone(),
            timeout: Duration::from_millis(self.auth_timeout_ms),
            keep: Duration::from_millis(self.auth_cache_ms),
            max_refusals: self.auth_max_refusals,
        };
        Ok(Auth::Webhook(Arc::new(Webhook::new(options)?)))
    }
}

#[derive(Debug, Clone, Args)]
pub struct RetentionArgs {
    /// How long edits are kept as they were received; older ones are merged by the hour
    #[arg(long, env = "SLATE_YRS_KEEP_EDITS_HOURS", default_value_t = 24, value_name = "HOURS")]
    pub keep_edits_hours: u32,

    /// How long hours are kept apart; older ones are merged by the day
    #[arg(long, env = "SLATE_YRS_KEEP_HOURS_DAYS", default_value_t = 30, value_name = "DAYS")]
    pub keep_hours_days: u32,
}

impl RetentionArgs {
    pub fn retention(&self) -> Retention {
        const HOUR_MS: i64 = 3_600_000;
        Retention {
            edits_ms: i64::from(self.keep_edits_hours) * HOUR_MS,
            hours_ms: i64::from(self.keep_hours_days) * 24 * HOUR_MS,
            ..Retention::default()
        }
    }
}

/// A time of day, in minutes after midnight UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompactAt {
    Off,
    Minute(u32),
}

impl FromStr for CompactAt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is neither HH:MM nor off");
        if text == "off" {
            return Ok(Self::Off);
        }
        let (hours, minutes) = text.split_once(':').ok_or_else(wrong)?;
        match (hours.parse::<u32>(), minutes.parse::<u32>()) {
            (Ok(hours), Ok(minutes)) if hours < 24 && minutes < 60 => Ok(Self::Minute(hours * 60 + minutes)),
            _ => Err(wrong()),
        }
    }
}

#[derive(Debug, Clone, Args)]
pub struct DatabaseArgs {
    #[arg(
        long,
        help = storage::URLS,
        env = "SLATE_YRS_DATABASE",
        default_value = "sqlite:data/slate-yrs.sqlite",
        value_name = "URL",
        hide_env_values = true
    )]
    pub database: String,
}

#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// What to log, as in RUST_LOG
    #[arg(long, env = "SLATE_YRS_LOG", default_value = "info,sqlx=warn", value_name = "FILTER")]
    pub log: String,

    #[arg(long, env = "SLATE_YRS_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

impl ServeArgs {
    pub fn store_timeout(&self) -> Duration {
        Duration::from_millis(self.store_timeout_ms)
    }

    /// Whether no other server can have the same database.
    pub fn is_alone(&self) -> bool {
        storage::is_alone(&self.database.database)
    }

    pub fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms.unwrap_or(if self.is_alone() { 2_000 } else { 500 }))
    }

    pub fn layout(&self) -> Layout {
        Layout { root: self.root.as_str().into(), new_format: self.format }
    }

    pub fn limits(&self) -> RoomLimits {
        RoomLimits {
            max_update_bytes: self.max_update_bytes,
            max_sync_bytes: self.max_sync_bytes,
            max_frame_bytes: self.max_frame_bytes,
            max_queued_bytes: self.max_queued_bytes,
            heartbeat_ms: self.heartbeat_ms,
            max_bad_frames: self.max_bad_frames,
            max_document_bytes: self.limit.max_document_bytes,
        }
    }
}

#[cfg(test)]
mod tests;
