//! What a stranger may ask for: see the table in docs/SERVER.md, which has every flag.

use axum::http::HeaderName;
use clap::{Args, ValueEnum};

use crate::allowance::AllowanceLimits;

/// Who may make documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Create {
    /// Whoever may write one makes it by opening it
    Open,
    /// Whose token says `create: true`, or of whom the application answers so
    Claim,
}

#[derive(Debug, Clone, Args)]
pub struct LimitArgs {
    /// open: a document comes into being when it is first opened; claim: only by who is said to be allowed to. Others
    /// are closed with 4404
    #[arg(long, env = "SLATE_YRS_CREATE", value_enum, default_value_t = Create::Open)]
    pub create: Create,

    /// The header in which a proxy says whose request it passes on, e.g. X-Forwarded-For: its last address counts. Without
    /// it everybody behind a proxy has one address
    #[arg(long, env = "SLATE_YRS_ADDRESS_HEADER", value_name = "NAME")]
    pub address_header: Option<HeaderName>,

    /// Connections over HTTP from one address; 0: no limit
    #[arg(long, env = "SLATE_YRS_MAX_STREAMS_PER_ADDRESS", default_value_t = 1_000, value_name = "COUNT")]
    pub max_streams_per_address: usize,

    /// What frames that have not arrived whole may hold, of all connections together
    #[arg(long, env = "SLATE_YRS_MAX_UNFINISHED_BYTES", default_value_t = 256 << 20, value_name = "BYTES")]
    pub max_unfinished_bytes: usize,

    /// … of all connections from one address
    #[arg(long, env = "SLATE_YRS_MAX_UNFINISHED_BYTES_PER_ADDRESS", default_value_t = 128 << 20, value_name = "BYTES")]
    pub max_unfinished_bytes_per_address: usize,

    /// … of all connections of one user
    #[arg(long, env = "SLATE_YRS_MAX_UNFINISHED_BYTES_PER_USER", default_value_t = 64 << 20, value_name = "BYTES")]
    pub max_unfinished_bytes_per_user: usize,

    /// Bytes of a document's log beyond which it takes no further edits; 0: no limit
    #[arg(long, env = "SLATE_YRS_MAX_DOCUMENT_BYTES", default_value_t = 1 << 30, value_name = "BYTES")]
    pub max_document_bytes: u64,

    /// Bytes of edits that one user may store in a day (UTC), or, where no token says who it is, one address; counted by
    /// each server since its start. 0: no limit
    #[arg(long, env = "SLATE_YRS_MAX_USER_BYTES_PER_DAY", default_value_t = 1 << 30, value_name = "BYTES")]
    pub max_user_bytes_per_day: u64,

    /// Named versions of one document
    #[arg(long, env = "SLATE_YRS_MAX_NAMED_VERSIONS", default_value_t = 200, value_name = "COUNT")]
    pub max_named_versions: u32,

    /// Streams of events open at once, of all documents
    #[arg(long, env = "SLATE_YRS_MAX_LISTENERS", default_value_t = 5_000, value_name = "COUNT")]
    pub max_listeners: i64,

    /// Webhooks of the server
    #[arg(long, env = "SLATE_YRS_MAX_WEBHOOKS", default_value_t = 20, value_name = "COUNT")]
    pub max_webhooks: u32,

    /// Comparisons of versions under way at once; of one user there is one, and a few wait
    #[arg(long, env = "SLATE_YRS_MAX_COMPARES", default_value_t = 2, value_name = "COUNT")]
    pub max_compares: usize,

    /// Bytes of documents that requests over HTTP read at once, by their logs: the rest waits, the largest are read alone
    #[arg(long, env = "SLATE_YRS_MAX_READ_BYTES", default_value_t = 256 << 20, value_name = "BYTES")]
    pub max_read_bytes: u64,

    /// What comparisons that were made before may take of memory
    #[arg(long, env = "SLATE_YRS_COMPARE_CACHE_BYTES", default_value_t = 16 << 20, value_name = "BYTES")]
    pub compare_cache_bytes: usize,
}

impl LimitArgs {
    /// `one`: what a single frame may hold, for which there has to be room.
    pub fn allowances(&self, one: usize) -> AllowanceLimits {
        AllowanceLimits {
            all: self.max_unfinished_bytes.max(one),
            address: self.max_unfinished_bytes_per_address.max(one),
            user: self.max_unfinished_bytes_per_user.max(one),
            user_day: self.max_user_bytes_per_day,
        }
    }
}
