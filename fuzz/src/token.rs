//! JSON Web Tokens whose signature is right, and texts that are none.

use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use slate_yrs::protocol::Role;
use slate_yrs_server::auth::{Expected, TokenKeys};
use tokio::runtime::{Builder, Runtime};

const SECRET: &str = "a secret that is long enough for tests";
const DOCUMENT: &str = "scene";

/// The first line is the header (empty: that of HS256), the rest are the claims. Whom it lets in, the claims name, and until when.
pub fn token(bytes: &[u8]) {
    static KEYS: OnceLock<(Runtime, TokenKeys)> = OnceLock::new();
    let (runtime, keys) = KEYS.get_or_init(|| {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        (runtime, TokenKeys::new(Some(SECRET), None, None, Expected::default()).expect("keys"))
    });
    let ask = |token: &str| runtime.block_on(keys.check(Some(token), DOCUMENT));
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert!(ask(text).is_err(), "nobody has signed that");
    }
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (header, claims) = (&bytes[..end], bytes.get(end + 1..).unwrap_or_default());
    let header = if header.is_empty() { br#"{"alg":"HS256"}"# } else { header };
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = ring::hmac::sign(&key, message.as_bytes());
    let Ok(grant) = ask(&format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))) else { return };
    let header: Map<String, Value> = serde_json::from_slice(header).expect("a header that was taken is an object");
    assert_eq!(header["alg"], "HS256");
    assert!(!header.contains_key("crit"), "it asks for what nobody knows");
    let claims: Map<String, Value> = serde_json::from_slice(claims).expect("claims that were taken are an object");
    let now = slate_yrs_server::clock::now() as f64 / 1_000.0;
    assert!(claims["exp"].as_f64().expect("a time") > now - 10.0, "it has expired");
    let texts = |name: &str| match claims.get(name) {
        Some(Value::String(text)) => vec![text.as_str()],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let named = ["document", "documents"].iter().any(|name| texts(name).contains(&DOCUMENT));
    let fits = |pattern: &&str| match pattern.strip_suffix('*') {
        Some(start) => DOCUMENT.starts_with(start),
        None => *pattern == DOCUMENT,
    };
    assert!(named || texts("patterns").iter().any(fits), "it does not name the document");
    let reads_only = claims.get("role").is_some_and(|role| role == "read-only");
    assert_eq!(grant.role, if reads_only { Role::ReadOnly } else { Role::ReadWrite });
    assert_eq!(grant.admin, claims.get("admin").is_some_and(|admin| *admin == true));
    assert_eq!(grant.create, claims.get("create").is_some_and(|create| *create == true));
}
