//! JSON Web Tokens: which key may have signed one, and what its claims allow.
//!
//! A token names its user, the documents it is for, and the role; without documents it opens none. Each key is bound to
//! its own algorithm, so that a token cannot choose how it is checked.

use std::path::Path;
use std::sync::Arc;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use serde::Deserialize;

use super::grant::{AuthError, ClaimedRole, Denied, Grant};
use super::keys::{KeySetUrl, Unreachable};
use super::token_key::{TokenKey, key};

const MALFORMED: Denied = Denied::Unauthorized("the token is malformed");
const WRONG: Denied = Denied::Unauthorized("the token's signature is wrong");

/// What tokens are checked with.
pub struct TokenKeys {
    fixed: Vec<TokenKey>,
    remote: Option<Arc<KeySetUrl>>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct TokenClaims {
    /// The user; `user` is read where there is no `sub`.
    sub: Option<String>,
    user: Option<String>,
    name: Option<String>,
    exp: i64,
    #[serde(default)]
    role: ClaimedRole,
    #[serde(default)]
    documents: Vec<String>,
    document: Option<String>,
}

impl TokenKeys {
    /// Keys from a shared secret (HS256), a file of public keys (RS256, ES256; `oct` keys for HS256), and a URL.
    pub fn new(
        secret: Option<&str>,
        key_set: Option<&Path>,
        remote: Option<Arc<KeySetUrl>>,
    ) -> Result<Self, AuthError> {
        let mut fixed = Vec::new();
        if let Some(secret) = secret {
            if secret.len() < 32 {
                return Err(AuthError::ShortSecret);
            }
            let key = DecodingKey::from_secret(secret.as_bytes());
            fixed.push(TokenKey { id: None, algorithm: Algorithm::HS256, key });
        }
        if let Some(path) = key_set {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(path).map_err(|error| AuthError::Read { path: name.clone(), error })?;
            let set: JwkSet =
                serde_json::from_str(&text).map_err(|error| AuthError::KeySet { path: name.clone(), error })?;
            for jwk in &set.keys {
                fixed.push(key(jwk).map_err(|reason| AuthError::Key { path: name.clone(), reason })?);
            }
        }
        if fixed.is_empty() && remote.is_none() { Err(AuthError::NoKeys) } else { Ok(Self { fixed, remote }) }
    }

    /// Fetches the keys of the URL, if there is one: the first token need not wait for them.
    pub async fn prepare(&self) {
        if let Some(remote) = &self.remote {
            let _ = remote.keys().await;
        }
    }

    /// What `token` allows on `document`.
    pub async fn check(&self, token: Option<&str>, document: &str) -> Result<Grant, Denied> {
        let token = token.ok_or(Denied::Unauthorized("a token is needed"))?;
        let claims = self.verify(token).await?;
        let allowed = claims.documents.iter().chain(&claims.document).any(|allowed| matches(allowed, document));
        if !allowed {
            return Err(Denied::Forbidden);
        }
        let role = claims.role.into();
        let expires = Some(claims.exp.saturating_mul(1_000));
        Ok(Grant { user: claims.sub.or(claims.user), name: claims.name, role, expires })
    }

    async fn verify(&self, token: &str) -> Result<TokenClaims, Denied> {
        let header = decode_header(token).map_err(|_| MALFORMED)?;
        let here = verify(&self.fixed, &header, token).filter(|result| *result != Err(WRONG));
        if let Some(result) = here {
            return result;
        }
        let Some(remote) = &self.remote else { return Err(WRONG) };
        if let Some(result) = remote.keys().await.ok().and_then(|keys| verify(&keys, &header, token)) {
            return result;
        }
        // It names a key that is not known here: perhaps a new one.
        match remote.again().await {
            Ok(keys) => verify(&keys, &header, token).unwrap_or(Err(WRONG)),
            Err(Unreachable) => Err(Denied::Unavailable("the keys of tokens cannot be fetched at the moment")),
        }
    }
}

/// None if no key can have signed this token.
fn verify(keys: &[TokenKey], header: &Header, token: &str) -> Option<Result<TokenClaims, Denied>> {
    let mut result = None;
    for key in keys {
        let other_key = header.kid.is_some() && key.id.is_some() && header.kid != key.id;
        if other_key || header.alg != key.algorithm {
            continue;
        }
        let mut validation = Validation::new(key.algorithm);
        validation.leeway = 5;
        validation.validate_aud = false;
        validation.validate_nbf = true;
        match decode::<TokenClaims>(token, &key.key, &validation) {
            Ok(token) => return Some(Ok(token.claims)),
            Err(error) => {
                use jsonwebtoken::errors::ErrorKind;
                result = Some(Err(match error.kind() {
                    ErrorKind::ExpiredSignature => Denied::Unauthorized("the token has expired"),
                    ErrorKind::ImmatureSignature => Denied::Unauthorized("the token is not valid yet"),
                    ErrorKind::InvalidSignature => WRONG,
                    _ => MALFORMED,
                }));
            }
        }
    }
    result
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
    use jsonwebtoken::{EncodingKey, Header, encode};
    use serde_json::json;
    use slate_yrs::protocol::Role;

    use super::*;

    const SECRET: &str = "a secret that is long enough for tests";

    fn now() -> i64 {
        crate::clock::now() / 1_000
    }

    fn token(algorithm: Algorithm, secret: &str, claims: serde_json::Value) -> String {
        encode(&Header::new(algorithm), &claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
    }

    fn auth() -> TokenKeys {
        TokenKeys::new(Some(SECRET), None, None).unwrap()
    }

    #[tokio::test]
    async fn a_token_opens_its_documents_and_no_others() {
        let claims = json!({"sub": "ada", "exp": now() + 60, "documents": ["scene-1", "draft/*"], "role": "read-only"});
        let token = token(Algorithm::HS256, SECRET, claims);
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
        let good = json!({"sub": "ada", "exp": now() + 60, "documents": ["*"]});
        let cases = [
            (None, "a token is needed"),
            (Some("nonsense".into()), "the token is malformed"),
            (
                Some(token(Algorithm::HS256, "another secret, long enough as well", good.clone())),
                "the token's signature is wrong",
            ),
            // The token does not choose the algorithm.
            (Some(token(Algorithm::HS512, SECRET, good.clone())), "the token's signature is wrong"),
            (
                Some(token(Algorithm::HS256, SECRET, json!({"exp": now() - 60, "documents": ["*"]}))),
                "the token has expired",
            ),
            (
                Some(token(
                    Algorithm::HS256,
                    SECRET,
                    json!({"exp": now() + 60, "nbf": now() + 50, "documents": ["*"]}),
                )),
                "the token is not valid yet",
            ),
            // Without an end it would be valid for ever.
            (Some(token(Algorithm::HS256, SECRET, json!({"documents": ["*"]}))), "the token is malformed"),
        ];
        for (token, reason) in cases {
            assert_eq!(auth().check(token.as_deref(), "scene").await, Err(Denied::Unauthorized(reason)));
        }
        // An unsigned token: {"alg":"none"}.
        let none = "eyJhbGciOiJub25lIn0.eyJkb2N1bWVudHMiOlsiKiJdLCJleHAiOjQxMDI0NDQ4MDB9.";
        assert!(matches!(auth().check(Some(none), "scene").await, Err(Denied::Unauthorized(_))));
        let none_allowed = token(Algorithm::HS256, SECRET, json!({"exp": now() + 60}));
        assert_eq!(auth().check(Some(&none_allowed), "scene").await, Err(Denied::Forbidden));
        assert!(matches!(TokenKeys::new(Some("short"), None, None), Err(AuthError::ShortSecret)));
        assert!(matches!(TokenKeys::new(None, None, None), Err(AuthError::NoKeys)));
    }

    /// Keys and tokens made by openssl, if it is there; RS256 and ES256 through a key set.
    #[tokio::test]
    async fn public_keys_from_a_key_set() {
        let folder = tempfile::tempdir().unwrap();
        let set = include_str!("../../tests/keys/jwks.json");
        let path = folder.path().join("jwks.json");
        std::fs::write(&path, set).unwrap();
        let auth = TokenKeys::new(None, Some(&path), None).unwrap();
        let claims = json!({"sub": "ada", "exp": now() + 60, "documents": ["scene"]});
        let rsa = EncodingKey::from_rsa_pem(include_bytes!("../../tests/keys/rsa.pem")).unwrap();
        let ec = EncodingKey::from_ec_pem(include_bytes!("../../tests/keys/ec.pem")).unwrap();
        for (algorithm, id, key) in [(Algorithm::RS256, "rsa", &rsa), (Algorithm::ES256, "ec", &ec)] {
            let header = Header { kid: Some(id.into()), ..Header::new(algorithm) };
            let token = encode(&header, &claims, key).unwrap();
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
        let confused = token(Algorithm::HS256, include_str!("../../tests/keys/rsa.pem"), claims);
        assert!(auth.check(Some(&confused), "scene").await.is_err());
    }
}
