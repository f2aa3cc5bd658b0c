//! Who takes part in a room.

use slate_yrs::format::KnownFormats;
use slate_yrs::protocol::Role;

/// Who is at the other end of a connection, as far as its address and its token have said; the same from the opening of
/// the connection to its end.
#[derive(Debug, Clone)]
pub struct Participant {
    /// Speaks the durable extension.
    pub durable: bool,
    /// Names the submissions, where there are any.
    pub session: Option<String>,
    /// Which formats the client says that it knows; a y-websocket client says nothing.
    pub formats: KnownFormats,
    /// What the token allows.
    pub role: Role,
    /// The name under which the edits are stored.
    pub author: Option<String>,
    /// The user to whom the session belongs, as the token says. None where nobody is asked who they are.
    pub owner: Option<String>,
    /// The owner's name, as the token gives it.
    pub name: Option<String>,
    /// May change the comments of others.
    pub admin: bool,
}
