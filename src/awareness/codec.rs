//! Awareness updates ⇄ bytes: `count × (client id, clock, JSON text)`.

use std::sync::Arc;

use thiserror::Error;

use crate::protocol::DecodeError;
use crate::protocol::lib0::{Lib0Reader, buf, var_uint};

/// The largest state taken from the wire, bytes of JSON.
pub const MAX_STATE_BYTES: usize = 64 * 1024;

/// One client's state in an awareness update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientState {
    pub client_id: u64,
    pub clock: u32,
    /// JSON text; none: the client has left.
    pub state: Option<Arc<str>>,
}

/// Why an awareness update could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AwarenessError {
    #[error("the awareness update does not decode: {0}")]
    Malformed(#[from] DecodeError),
    #[error("a clock exceeds 32 bits")]
    NumberTooLarge,
    #[error("a state of {0} bytes")]
    StateTooLarge(usize),
}

/// Writes an awareness update.
pub fn encode(entries: impl IntoIterator<Item = ClientState>) -> Vec<u8> {
    let mut body = Vec::new();
    let mut count = 0;
    for entry in entries {
        var_uint(&mut body, entry.client_id);
        var_uint(&mut body, entry.clock.into());
        buf(&mut body, entry.state.as_deref().unwrap_or("null").as_bytes());
        count += 1;
    }
    let mut out = Vec::with_capacity(body.len() + 2);
    var_uint(&mut out, count);
    out.extend(body);
    out
}

/// Reads an awareness update, all of it or nothing.
pub fn decode(bytes: &[u8]) -> Result<Vec<ClientState>, AwarenessError> {
    let mut reader = Lib0Reader::new(bytes);
    let count = reader.var_uint()?;
    let mut entries = Vec::new();
    for _ in 0..count {
        let client_id = reader.var_uint()?;
        let clock = u32::try_from(reader.var_uint()?).map_err(|_| AwarenessError::NumberTooLarge)?;
        let json = reader.str()?;
        if json.len() > MAX_STATE_BYTES {
            return Err(AwarenessError::StateTooLarge(json.len()));
        }
        entries.push(ClientState { client_id, clock, state: (json != "null").then(|| Arc::from(json)) });
    }
    Ok(entries)
}
