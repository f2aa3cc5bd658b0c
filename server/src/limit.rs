//! The limits on what a client may ask for. Metrics and docs/SERVER.md call them by the same names.

/// Which limit a client has met; [`Limit::label`] is its name in metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    Connections,
    StreamsAddress,
    Create,
    Unfinished,
    UnfinishedAddress,
    UnfinishedUser,
    DocumentBytes,
    UserBytes,
    NamedVersions,
    Compares,
    Readings,
    AuthQuestions,
    Listeners,
    Webhooks,
}

impl Limit {
    pub const ALL: [Self; 14] = [
        Self::Connections,
        Self::StreamsAddress,
        Self::Create,
        Self::Unfinished,
        Self::UnfinishedAddress,
        Self::UnfinishedUser,
        Self::DocumentBytes,
        Self::UserBytes,
        Self::NamedVersions,
        Self::Compares,
        Self::Readings,
        Self::AuthQuestions,
        Self::Listeners,
        Self::Webhooks,
    ];

    pub fn label(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::StreamsAddress => "streams-address",
            Self::Create => "create",
            Self::Unfinished => "unfinished",
            Self::UnfinishedAddress => "unfinished-address",
            Self::UnfinishedUser => "unfinished-user",
            Self::DocumentBytes => "document-bytes",
            Self::UserBytes => "user-bytes",
            Self::NamedVersions => "named-versions",
            Self::Compares => "compares",
            Self::Readings => "readings",
            Self::AuthQuestions => "auth-questions",
            Self::Listeners => "listeners",
            Self::Webhooks => "webhooks",
        }
    }
}
