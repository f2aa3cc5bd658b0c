//! Messages of protocols that this server does not speak.

use slate_yrs::protocol::lib0::Lib0Reader;

/// Whether this is a message of Hocuspocus' protocol: the document's name, then what y-websocket sends without it, or a token.
pub fn is_hocuspocus(frame: &[u8]) -> bool {
    const TYPES: u64 = 10;
    let mut reader = Lib0Reader::new(frame);
    let name = reader.str().ok().filter(|name| !name.is_empty() && !name.chars().any(char::is_control));
    name.is_some() && reader.var_uint().is_ok_and(|kind| kind < TYPES)
}
