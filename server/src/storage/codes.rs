//! What the errors of a SQL database mean, by their codes.

use super::error::StorageError;
use super::fault::Fault;

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        let fault = match &error {
            sqlx::Error::Database(error) => error.code().map_or(Fault::Other, |code| of_code(&code)),
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => Fault::Away,
            _ => Fault::Other,
        };
        Self::Database { fault, reason: error.to_string() }
    }
}

impl From<sqlx::migrate::MigrateError> for StorageError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self::Migration(error.to_string())
    }
}

/// SQLite's result codes are numbers; PostgreSQL's have five characters.
fn of_code(code: &str) -> Fault {
    if code.len() == 5 {
        return match code {
            "53100" => Fault::Full,
            "25006" => Fault::ReadOnly,
            "55P03" => Fault::Locked,
            "58030" => Fault::Io,
            "XX001" | "XX002" => Fault::Damaged,
            _ => Fault::Other,
        };
    }
    // The lowest byte is the kind, what is above it the details.
    match code.parse::<u32>().unwrap_or_default() & 0xff {
        5 | 6 => Fault::Locked,
        8 => Fault::ReadOnly,
        10 | 14 => Fault::Io,
        11 | 26 => Fault::Damaged,
        13 => Fault::Full,
        _ => Fault::Other,
    }
}
