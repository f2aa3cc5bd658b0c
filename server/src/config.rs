//! Flags and environment.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::room::Limits;

/// The sync server of slate-yrs: stores every change before it acknowledges it.
#[derive(Debug, Parser)]
#[command(name = "slate-yrs-server", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve documents (the default)
    Serve(ServeArgs),
}

#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Where to listen
    #[arg(long, env = "SLATE_YRS_LISTEN", default_value = "127.0.0.1:8787", value_name = "ADDRESS")]
    pub listen: SocketAddr,

    #[command(flatten)]
    pub database: DatabaseArgs,

    /// Also serve the files of this folder, index.html for unknown paths
    #[arg(long = "static", env = "SLATE_YRS_STATIC", value_name = "FOLDER")]
    pub static_files: Option<PathBuf>,

    /// Time between signs of life, both ways; silence for two of them ends a connection
    #[arg(long, env = "SLATE_YRS_HEARTBEAT_MS", default_value_t = 15_000, value_name = "MS")]
    pub heartbeat_ms: u32,

    /// The largest update
    #[arg(long, env = "SLATE_YRS_MAX_UPDATE_BYTES", default_value_t = 1 << 20, value_name = "BYTES")]
    pub max_update_bytes: usize,

    /// The largest first sync of a client (sync step 2) or seed
    #[arg(long, env = "SLATE_YRS_MAX_SYNC_BYTES", default_value_t = 32 << 20, value_name = "BYTES")]
    pub max_sync_bytes: usize,

    /// The largest frame to and from clients of the durable extension; larger ones travel in pieces
    #[arg(long, env = "SLATE_YRS_MAX_FRAME_BYTES", default_value_t = 2 << 20, value_name = "BYTES")]
    pub max_frame_bytes: usize,

    /// Bytes that may wait for a slow reader before it is disconnected
    #[arg(long, env = "SLATE_YRS_MAX_QUEUED_BYTES", default_value_t = 8 << 20, value_name = "BYTES")]
    pub max_queued_bytes: usize,

    /// Frames that do not decode, per connection, before it is closed
    #[arg(long, env = "SLATE_YRS_MAX_BAD_FRAMES", default_value_t = 20, value_name = "COUNT")]
    pub max_bad_frames: u32,

    /// How long a room without connections stays in memory
    #[arg(long, env = "SLATE_YRS_ROOM_IDLE_MS", default_value_t = 30_000, value_name = "MS")]
    pub room_idle_ms: u64,

    /// Stored updates of a document after which a new head snapshot is written
    #[arg(long, env = "SLATE_YRS_HEAD_EVERY", default_value_t = 2_000, value_name = "COUNT")]
    pub head_every: u64,

    /// How long a shutdown may take
    #[arg(long, env = "SLATE_YRS_SHUTDOWN_MS", default_value_t = 10_000, value_name = "MS")]
    pub shutdown_ms: u64,

    #[command(flatten)]
    pub log: LogArgs,
}

#[derive(Debug, Clone, Args)]
pub struct DatabaseArgs {
    /// sqlite:PATH or postgres://…
    #[arg(
        long,
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
    pub fn limits(&self) -> Limits {
        Limits {
            max_update_bytes: self.max_update_bytes,
            max_sync_bytes: self.max_sync_bytes,
            max_frame_bytes: self.max_frame_bytes,
            heartbeat_ms: self.heartbeat_ms,
            max_bad_frames: self.max_bad_frames,
        }
    }
}
