//! JSON Web Tokens: which key may have signed one, and what its claims allow.
//!
//! A token names its user, the documents it is for, and the role; without documents it opens none. Each key is bound to
//! its own algorithm, so that a token cannot choose how it is checked. A claim that is there and cannot be read refuses the
//! token, with the reason: it is never taken for one that is not there.

use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use slate_yrs::protocol::Role;

use super::grant::{AuthError, Denied, Grant};
use super::keys::{KeySetUrl, Unreachable};
use super::kicks::Kicks;
use super::token_key::{Jwk, JwkSet, TokenKey};
use crate::storage::{Kicked, Millis};

const MALFORMED: Denied = Denied::Unauthorized("the token is malformed");
const WRONG: Denied = Denied::Unauthorized("the token's signature is wrong");
/// Clocks differ.
const LEEWAY_MS: f64 = 5_000.0;

/// For whom tokens have to be, and from whom; empty: that is not looked at.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    pub audiences: Vec<String>,
    pub issuers: Vec<String>,
}

/// What tokens are checked with.
pub struct TokenKeys {
    fixed: Vec<TokenKey>,
    remote: Option<Arc<KeySetUrl>>,
    expected: Expected,
    kicks: Kicks,
}

struct Header {
    alg: String,
    kid: Option<String>,
    /// Something is named that must be understood: nothing is.
    is_critical: bool,
}

impl Header {
    /// Read whole, also what nobody looks at: a header that is not JSON was made by nobody who signs tokens.
    fn read(json: &[u8]) -> Option<Self> {
        let fields: Map<String, Value> = serde_json::from_slice(json).ok()?;
        let alg = text(&fields, "alg").ok()??;
        Some(Self { alg, kid: text(&fields, "kid").ok()?, is_critical: fields.contains_key("crit") })
    }
}

/// A token, taken apart.
struct TokenParts<'a> {
    header: Header,
    message: &'a [u8],
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> TokenParts<'a> {
    fn read(token: &'a str) -> Option<Self> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let header = Header::read(&decode(header)?)?;
        Some(Self { header, message: message.as_bytes(), payload: decode(payload)?, signature: decode(signature)? })
    }

    /// None if no key can have signed this token.
    fn is_signed(&self, keys: &[TokenKey]) -> Option<bool> {
        let mut result = None;
        for key in keys {
            let other_key = self.header.kid.is_some() && key.id.is_some() && self.header.kid != key.id;
            if !other_key && self.header.alg == key.algorithm() {
                let signed = key.verifies(self.message, &self.signature);
                result = Some(signed || result.unwrap_or(false));
            }
        }
        result
    }
}

/// What a token says.
#[derive(Debug, PartialEq)]
struct TokenClaims {
    user: Option<String>,
    name: Option<String>,
    expires: Millis,
    issued: Option<Millis>,
    role: Role,
    documents: Vec<String>,
    patterns: Vec<String>,
    create: bool,
    admin: bool,
}

impl TokenKeys {
    /// Keys from a shared secret (HS256), a file of public keys (RS256, ES256; `oct` keys for HS256), and a URL.
    pub fn new(
        secret: Option<&str>,
        key_set: Option<&Path>,
        remote: Option<Arc<KeySetUrl>>,
        expected: Expected,
    ) -> Result<Self, AuthError> {
        let mut fixed = Vec::new();
        if let Some(secret) = secret {
            if secret.len() < 32 {
                return Err(AuthError::ShortSecret);
            }
            fixed.push(TokenKey::of_secret(secret.as_bytes()));
        }
        if let Some(path) = key_set {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(path).map_err(|error| AuthError::Read { path: name.clone(), error })?;
            let set: JwkSet =
                serde_json::from_str(&text).map_err(|error| AuthError::KeySet { path: name.clone(), error })?;
            for entry in set.keys {
                let jwk: Jwk =
                    serde_json::from_value(entry).map_err(|error| AuthError::KeySet { path: name.clone(), error })?;
                fixed.push(jwk.key().map_err(|reason| AuthError::Key { path: name.clone(), reason })?);
            }
        }
        if fixed.is_empty() && remote.is_none() {
            Err(AuthError::NoKeys)
        } else {
            Ok(Self { fixed, remote, expected, kicks: Kicks::default() })
        }
    }

    /// Fetches the keys of the URL, if there is one: the first token need not wait for them.
    pub async fn prepare(&self) {
        if let Some(remote) = &self.remote {
            let _ = remote.keys().await;
        }
    }

    /// What `token` allows on `document`.
    pub async fn check(&self, token: Option<&str>, document: &str) -> Result<Grant, Denied> {
        let claims = self.claims(token, Some(document)).await?;
        if claims.opens(document) { Ok(claims.grant()) } else { Err(Denied::Forbidden) }
    }

    /// What `token` allows on the server as a whole.
    pub async fn check_admin(&self, token: Option<&str>) -> Result<Grant, Denied> {
        let claims = self.claims(token, None).await?;
        if claims.admin { Ok(claims.grant()) } else { Err(Denied::Forbidden) }
    }

    async fn claims(&self, token: Option<&str>, document: Option<&str>) -> Result<TokenClaims, Denied> {
        let token = token.ok_or(Denied::Unauthorized("a token is needed"))?;
        let parts = TokenParts::read(token).ok_or(MALFORMED)?;
        if parts.header.is_critical {
            return Err(Denied::Unauthorized("the token asks for what this server does not know (crit)"));
        }
        if !self.is_signed(&parts).await? {
            return Err(WRONG);
        }
        let claims = serde_json::from_slice(&parts.payload).map_err(|_| MALFORMED)?;
        let claims = read(&claims, &self.expected)?;
        if claims.user.as_ref().is_some_and(|user| self.kicks.take_back(user, document, claims.issued)) {
            return Err(Denied::Unauthorized("the token was taken back"));
        }
        Ok(claims)
    }

    /// Takes back the tokens of a user that were made before the second of this time, or do not say when. Whether that is
    /// news.
    pub fn kick(&self, whom: &Kicked, at: Millis) -> bool {
        self.kicks.note(whom, at)
    }

    async fn is_signed(&self, parts: &TokenParts<'_>) -> Result<bool, Denied> {
        if parts.is_signed(&self.fixed) == Some(true) {
            return Ok(true);
        }
        let Some(remote) = &self.remote else { return Ok(false) };
        if let Some(signed) = remote.keys().await.ok().and_then(|keys| parts.is_signed(&keys)) {
            return Ok(signed);
        }
        // It names a key that is not known here: perhaps a new one.
        match remote.again().await {
            Ok(keys) => Ok(parts.is_signed(&keys).unwrap_or(false)),
            Err(Unreachable) => Err(Denied::Unavailable("the keys of tokens cannot be fetched at the moment")),
        }
    }
}

impl TokenClaims {
    fn opens(&self, document: &str) -> bool {
        self.documents.iter().any(|allowed| allowed == document)
            || self.patterns.iter().any(|pattern| matches(pattern, document))
    }

    fn grant(self) -> Grant {
        Grant {
            user: self.user,
            name: self.name,
            role: self.role,
            expires: Some(self.expires),
            issued: self.issued,
            create: self.create,
            admin: self.admin,
        }
    }
}

/// The claims of a token that is signed, if it holds now.
fn read(claims: &Map<String, Value>, expected: &Expected) -> Result<TokenClaims, Denied> {
    let no = Denied::Unauthorized;
    let now = crate::clock::now() as f64;
    let expires = time(claims, "exp").map_err(|()| no("the token's exp is not a time"))?;
    let expires = expires.ok_or(no("the token has no exp: it would never end"))?;
    if expires + LEEWAY_MS <= now {
        return Err(no("the token has expired"));
    }
    if time(claims, "nbf").map_err(|()| no("the token's nbf is not a time"))?.is_some_and(|from| from > now + LEEWAY_MS)
    {
        return Err(no("the token is not valid yet"));
    }
    let issued = time(claims, "iat").map_err(|()| no("the token's iat is not a time"))?;
    let issuer = text(claims, "iss").map_err(|()| no("the token's iss is not a text"))?;
    if !expected.issuers.is_empty() && !issuer.is_some_and(|issuer| expected.issuers.contains(&issuer)) {
        return Err(no("the token is from another issuer"));
    }
    let audiences = list(claims, "aud").map_err(|()| no("the token's aud is neither a text nor a list of texts"))?;
    if !expected.audiences.is_empty() && !audiences.iter().any(|one| expected.audiences.contains(one)) {
        return Err(no("the token is for another service (aud)"));
    }
    let user = match text(claims, "sub").map_err(|()| no("the token's sub is not a text"))? {
        Some(user) => Some(user),
        None => text(claims, "user").map_err(|()| no("the token's user is not a text"))?,
    };
    let role = match text(claims, "role").map_err(|()| no("the token's role is not a text"))?.as_deref() {
        None | Some("read-write") => Role::ReadWrite,
        Some("read-only") => Role::ReadOnly,
        Some("comment") => Role::Comment,
        Some(_) => return Err(no("the token's role is neither read-write nor read-only nor comment")),
    };
    let mut documents = list(claims, "documents").map_err(|()| no("the token's documents are not texts"))?;
    documents.extend(text(claims, "document").map_err(|()| no("the token's document is not a text"))?);
    Ok(TokenClaims {
        user,
        name: text(claims, "name").map_err(|()| no("the token's name is not a text"))?,
        expires: expires as Millis,
        issued: issued.map(|at| at as Millis),
        role,
        documents,
        patterns: list(claims, "patterns").map_err(|()| no("the token's patterns are not texts"))?,
        create: flag(claims, "create").map_err(|()| no("the token's create is neither true nor false"))?,
        admin: flag(claims, "admin").map_err(|()| no("the token's admin is neither true nor false"))?,
    })
}

fn claim<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    claims.get(name).filter(|value| !value.is_null())
}

/// Seconds since the epoch, whole or not; in milliseconds.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<f64>, ()> {
    claim(claims, name).map(|value| value.as_f64().map(|seconds| seconds * 1_000.0).ok_or(())).transpose()
}

fn text(claims: &Map<String, Value>, name: &str) -> Result<Option<String>, ()> {
    claim(claims, name).map(|value| value.as_str().map(str::to_owned).ok_or(())).transpose()
}

fn flag(claims: &Map<String, Value>, name: &str) -> Result<bool, ()> {
    claim(claims, name).map_or(Ok(false), |value| value.as_bool().ok_or(()))
}

/// A text alone is a list of one.
fn list(claims: &Map<String, Value>, name: &str) -> Result<Vec<String>, ()> {
    let one = |value: &Value| value.as_str().map(str::to_owned).ok_or(());
    match claim(claims, name) {
        None => Ok(Vec::new()),
        Some(Value::Array(values)) => values.iter().map(one).collect(),
        Some(value) => Ok(vec![one(value)?]),
    }
}

/// `*` at the end stands for anything; otherwise the ids must be equal.
fn matches(allowed: &str, document: &str) -> bool {
    match allowed.strip_suffix('*') {
        Some(prefix) => document.starts_with(prefix),
        None => allowed == document,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tokens::{SigningKey, sign};

    const SECRET: &str = "a secret that is long enough for tests";

    fn now() -> i64 {
        crate::clock::now() / 1_000
    }

    fn token(algorithm: &str, secret: &str, claims: serde_json::Value) -> String {
        sign(&json!({ "alg": algorithm }), &claims, &SigningKey::Secret(secret.as_bytes()))
    }

    fn auth() -> TokenKeys {
        TokenKeys::new(Some(SECRET), None, None, Expected::default()).unwrap()
    }

    async fn why(auth: &TokenKeys, claims: serde_json::Value, document: &str) -> String {
        match auth.check(Some(&token("HS256", SECRET, claims)), document).await {
            Ok(_) => "let in".into(),
            Err(denied) => denied.to_string(),
        }
    }

    #[tokio::test]
    async fn a_token_opens_its_documents_and_no_others() {
        let claims = json!({"sub": "ada", "exp": now() + 60, "documents": ["scene-1"], "patterns": ["draft/*"], "role": "read-only"});
        let token = token("HS256", SECRET, claims);
        let grant = auth().check(Some(&token), "scene-1").await.unwrap();
        assert_eq!((grant.user.as_deref(), grant.role), (Some("ada"), Role::ReadOnly));
        assert_eq!(grant.expires, Some((now() + 60) * 1_000));
        assert!(auth().check(Some(&token), "draft/7").await.is_ok());
        for other in ["scene-10", "scene-", "drafts", ""] {
            assert_eq!(auth().check(Some(&token), other).await, Err(Denied::Forbidden), "{other}");
        }
    }

    #[tokio::test]
    async fn f24_what_is_no_good_says_why() {
        let good = json!({"sub": "ada", "exp": now() + 60, "patterns": ["*"]});
        let cases = [
            (None, "a token is needed"),
            (Some("nonsense".into()), "the token is malformed"),
            (
                Some(token("HS256", "another secret, long enough as well", good.clone())),
                "the token's signature is wrong",
            ),
            // The token does not choose the algorithm.
            (Some(token("HS512", SECRET, good.clone())), "the token's signature is wrong"),
            (Some(token("HS256", SECRET, json!({"exp": now() - 60, "patterns": ["*"]}))), "the token has expired"),
            (
                Some(token("HS256", SECRET, json!({"exp": now() + 60, "nbf": now() + 50, "patterns": ["*"]}))),
                "the token is not valid yet",
            ),
            // Without an end it would be valid for ever.
            (Some(token("HS256", SECRET, json!({"patterns": ["*"]}))), "the token has no exp: it would never end"),
        ];
        for (token, reason) in cases {
            assert_eq!(auth().check(token.as_deref(), "scene").await, Err(Denied::Unauthorized(reason)));
        }
        // An unsigned token: {"alg":"none"}.
        let none = "eyJhbGciOiJub25lIn0.eyJkb2N1bWVudHMiOlsiKiJdLCJleHAiOjQxMDI0NDQ4MDB9.";
        assert!(matches!(auth().check(Some(none), "scene").await, Err(Denied::Unauthorized(_))));
        let none_allowed = token("HS256", SECRET, json!({"exp": now() + 60}));
        assert_eq!(auth().check(Some(&none_allowed), "scene").await, Err(Denied::Forbidden));
        assert!(matches!(TokenKeys::new(Some("short"), None, None, Expected::default()), Err(AuthError::ShortSecret)));
        assert!(matches!(TokenKeys::new(None, None, None, Expected::default()), Err(AuthError::NoKeys)));
    }

    /// Keys and tokens made by openssl, if it is there; RS256 and ES256 through a key set.
    #[tokio::test]
    async fn public_keys_from_a_key_set() {
        let folder = tempfile::tempdir().unwrap();
        let set = include_str!("../../tests/keys/jwks.json");
        let path = folder.path().join("jwks.json");
        std::fs::write(&path, set).unwrap();
        let auth = TokenKeys::new(None, Some(&path), None, Expected::default()).unwrap();
        let claims = json!({"sub": "ada", "exp": now() + 60, "documents": ["scene"]});
        let rsa = SigningKey::rsa(include_str!("../../tests/keys/rsa.pem"));
        let ec = SigningKey::ec(include_str!("../../tests/keys/ec.pem"));
        for (algorithm, id, key) in [("RS256", "rsa", &rsa), ("ES256", "ec", &ec)] {
            let token = sign(&json!({ "alg": algorithm, "kid": id }), &claims, key);
            assert_eq!(auth.check(Some(&token), "scene").await.unwrap().user.as_deref(), Some("ada"));
            let mut forged = token.clone().into_bytes();
            let at = forged.len() - 20;
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(
                auth.check(Some(&forged), "scene").await,
                Err(Denied::Unauthorized("the token's signature is wrong"))
            );
        }
        // The public key as a shared secret: the classic confusion.
        let confused = token("HS256", include_str!("../../tests/keys/rsa.pem"), claims);
        assert!(auth.check(Some(&confused), "scene").await.is_err());
    }

    #[tokio::test]
    async fn f59_a_token_of_another_service_is_refused() {
        let expected = Expected { audiences: vec!["slate".into(), "also".into()], issuers: vec!["https://app".into()] };
        let auth = TokenKeys::new(Some(SECRET), None, None, expected).unwrap();
        let claims = |aud: Value, iss: Value| json!({"exp": now() + 60, "documents": ["a"], "aud": aud, "iss": iss});
        assert_eq!(why(&auth, claims(json!("slate"), json!("https://app")), "a").await, "let in");
        assert_eq!(why(&auth, claims(json!(["x", "also"]), json!("https://app")), "a").await, "let in");
        let other = "the token is for another service (aud)";
        assert_eq!(why(&auth, claims(json!("billing"), json!("https://app")), "a").await, other);
        assert_eq!(why(&auth, claims(json!(null), json!("https://app")), "a").await, other);
        assert_eq!(why(&auth, claims(json!([]), json!("https://app")), "a").await, other);
        assert_eq!(
            why(&auth, claims(json!("slate"), json!("https://evil")), "a").await,
            "the token is from another issuer"
        );
        assert_eq!(why(&auth, claims(json!("slate"), json!(null)), "a").await, "the token is from another issuer");
        assert!(why(&auth, claims(json!({"a": 1}), json!("https://app")), "a").await.contains("aud is neither"));
    }

    #[tokio::test]
    async fn f59_what_a_header_calls_critical_is_not_known_here() {
        let claims = json!({"exp": now() + 60, "documents": ["a"]});
        for crit in [json!(["b64"]), json!([]), json!("x")] {
            let header = json!({"alg": "HS256", "crit": crit, "b64": true});
            let token = sign(&header, &claims, &SigningKey::Secret(SECRET.as_bytes()));
            let reason = "the token asks for what this server does not know (crit)";
            assert_eq!(auth().check(Some(&token), "a").await, Err(Denied::Unauthorized(reason)));
        }
    }

    #[tokio::test]
    async fn f59_an_id_cannot_smuggle_a_pattern() {
        // An application puts the id that somebody chose into the token.
        for claims in [json!({"documents": ["*"]}), json!({"document": "*"}), json!({"documents": "*"})] {
            let mut claims = claims;
            claims["exp"] = json!(now() + 60);
            assert_eq!(why(&auth(), claims.clone(), "secret").await, "the token is not for this document");
            assert_eq!(why(&auth(), claims, "*").await, "let in", "the document of that name");
        }
    }

    #[tokio::test]
    async fn f59_claims_are_read_or_refused_with_the_reason() {
        let soon = now() as f64 + 60.5;
        assert_eq!(why(&auth(), json!({"exp": soon, "documents": "a"}), "a").await, "let in");
        let grant = auth().check(Some(&token("HS256", SECRET, json!({"exp": soon, "documents": "a"}))), "a").await;
        assert_eq!(grant.unwrap().expires, Some((soon * 1_000.0) as Millis));
        for (claims, reason) in [
            (json!({"exp": "2100-01-01"}), "exp is not a time"),
            (json!({"exp": now() as f64 - 6.5}), "has expired"),
            // Of another type it is not as if it were not there.
            (json!({"exp": soon, "nbf": "never"}), "nbf is not a time"),
            (json!({"exp": soon, "documents": {"a": true}}), "documents are not texts"),
            (json!({"exp": soon, "documents": ["a", 1]}), "documents are not texts"),
            (json!({"exp": soon, "sub": 7, "documents": "a"}), "sub is not a text"),
            (json!({"exp": soon, "role": "owner", "documents": "a"}), "role is neither"),
            (json!({"exp": soon, "admin": "yes", "documents": "a"}), "admin is neither"),
        ] {
            let said = why(&auth(), claims.clone(), "a").await;
            assert!(said.contains(reason), "{claims}: {said}");
        }
    }
}
