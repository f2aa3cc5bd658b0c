//! Who may do what: JSON Web Tokens, or nobody asked.
//!
//! A token names its user, the documents it is for, and the role; without documents it opens none. Each key is bound to
//! its own algorithm, so that a token cannot choose how it is checked. Tokens are never logged.

use std::path::Path;

use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use slate_yrs::protocol::{Role, close};
use thiserror::Error;

use crate::storage::Millis;

/// What a token, or its absence, allows on one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub user: Option<String>,
    pub role: Role,
    /// When it ends.
    pub expires: Option<Millis>,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Denied {
    /// Missing, malformed, wrongly signed, expired: another token may do.
    #[error("{0}")]
    Unauthorized(&'static str),
    #[error("the token is not for this document")]
    Forbidden,
}

impl Denied {
    pub fn close_code(&self) -> u16 {
        match self {
            Self::Unauthorized(_) => close::UNAUTHORIZED,
            Self::Forbidden => close::FORBIDDEN,
        }
    }

    /// For a close frame.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unauthorized(reason) => reason,
            Self::Forbidden => "the token is not for this document",
        }
    }
}

#[derive(Debug, Error)]
pub enum AuthError {
    #[error("cannot read {path}: {error}")]
    Read { path: String, error: std::io::Error },
    #[error("{path} is not a JSON Web Key Set: {error}")]
    KeySet { path: String, error: serde_json::Error },
    #[error("a key of {path} cannot be used: {reason}")]
    Key { path: String, reason: String },
    #[error("no key to check tokens with: give --jwt-secret or --jwks, or --auth none for development")]
    NoKeys,
    #[error("a secret of fewer than 32 bytes can be guessed")]
    ShortSecret,
}

/// How requests are checked.
#[derive(Clone)]
pub enum Auth {
    /// Everybody may do everything.
    Open,
    Jwt(Vec<Key>),
}

#[derive(Clone)]
pub struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

#[derive(Deserialize)]
struct Claims {
    /// The user; `user` is read where there is no `sub`.
    sub: Option<String>,
    user: Option<String>,
    exp: i64,
    #[serde(default)]
    role: ClaimedRole,
    #[serde(default)]
    documents: Vec<String>,
    document: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
enum ClaimedRole {
    #[default]
    ReadWrite,
    ReadOnly,
}

impl Auth {
    /// Keys from a shared secret (HS256) and a file of public keys (RS256, ES256; `oct` keys for HS256).
    pub fn jwt(secret: Option<&str>, key_set: Option<&Path>) -> Result<Self, AuthError> {
        let mut keys = Vec::new();
        if let Some(secret) = secret {
            if secret.len() < 32 {
                return Err(AuthError::ShortSecret);
            }
            let key = DecodingKey::from_secret(secret.as_bytes());
            keys.push(Key { id: None, algorithm: Algorithm::HS256, key });
        }
        if let Some(path) = key_set {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(path).map_err(|error| AuthError::Read { path: name.clone(), error })?;
            let set: JwkSet =
                serde_json::from_str(&text).map_err(|error| AuthError::KeySet { path: name.clone(), error })?;
            for jwk in &set.keys {
                keys.push(key(jwk).map_err(|reason| AuthError::Key { path: name.clone(), reason })?);
            }
        }
        if keys.is_empty() { Err(AuthError::NoKeys) } else { Ok(Self::Jwt(keys)) }
    }

    /// What `token` allows on `document`.
    pub fn check(&self, token: Option<&str>, document: &str) -> Result<Grant, Denied> {
        let keys = match self {
            Self::Open => return Ok(Grant { user: None, role: Role::ReadWrite, expires: None }),
            Self::Jwt(keys) => keys,
        };
        let claims = verify(keys, token.ok_or(Denied::Unauthorized("a token is needed"))?)?;
        let allowed = claims.documents.iter().chain(&claims.document).any(|allowed| matches(allowed, document));
        if !allowed {
            return Err(Denied::Forbidden);
        }
        let role = match claims.role {
            ClaimedRole::ReadWrite => Role::ReadWrite,
            ClaimedRole::ReadOnly => Role::ReadOnly,
        };
        Ok(Grant { user: claims.sub.or(claims.user), role, expires: Some(claims.exp.saturating_mul(1_000)) })
    }
}

fn verify(keys: &[Key], token: &str) -> Result<Claims, Denied> {
    const MALFORMED: Denied = Denied::Unauthorized("the token is malformed");
    const WRONG: Denied = Denied::Unauthorized("the token's signature is wrong");
    let header = decode_header(token).map_err(|_| MALFORMED)?;
    let mut result = Err(WRONG);
    for key in keys {
        let other_key = header.kid.is_some() && key.id.is_some() && header.kid != key.id;
        if other_key || header.alg != key.algorithm {
            continue;
        }
        let mut validation = Validation::new(key.algorithm);
        validation.leeway = 5;
        validation.validate_aud = false;
        validation.validate_nbf = true;
        match decode::<Claims>(token, &key.key, &validation) {
            Ok(token) => return Ok(token.claims),
            Err(error) => {
                use jsonwebtoken::errors::ErrorKind;
                result = Err(match error.kind() {
                    ErrorKind::ExpiredSignature => Denied::Unauthorized("the token has expired"),
                    ErrorKind::ImmatureSignature => Denied::Unauthorized("the token is not valid yet"),
                    ErrorKind::InvalidSignature => WRONG,
                    _ => MALFORMED,
                });
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

fn key(jwk: &Jwk) -> Result<Key, String> {
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(_) => Algorithm::ES256,
        AlgorithmParameters::OctetKey(_) => Algorithm::HS256,
        AlgorithmParameters::OctetKeyPair(_) => return Err("its type is not supported".into()),
    };
    let key = DecodingKey::from_jwk(jwk).map_err(|error| error.to_string())?;
    Ok(Key { id: jwk.common.key_id.clone(), algorithm, key })
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header, encode};
    use serde_json::json;

    use super::*;

    const SECRET: &str = "a secret that is long enough for tests";

    fn now() -> i64 {
        crate::clock::now() / 1_000
    }

    fn token(algorithm: Algorithm, secret: &str, claims: serde_json::Value) -> String {
        encode(&Header::new(algorithm), &claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
    }

    fn auth() -> Auth {
        Auth::jwt(Some(SECRET), None).unwrap()
    }

    #[test]
    fn a_token_opens_its_documents_and_no_others() {
        let claims = json!({"sub": "ada", "exp": now() + 60, "documents": ["scene-1", "draft/*"], "role": "read-only"});
        let token = token(Algorithm::HS256, SECRET, claims);
        let grant = auth().check(Some(&token), "scene-1").unwrap();
        assert_eq!((grant.user.as_deref(), grant.role), (Some("ada"), Role::ReadOnly));
        assert_eq!(grant.expires, Some((now() + 60) * 1_000));
        assert!(auth().check(Some(&token), "draft/7").is_ok());
        for other in ["scene-10", "scene-", "drafts", ""] {
            assert_eq!(auth().check(Some(&token), other), Err(Denied::Forbidden), "{other}");
        }
    }

    #[test]
    fn f24_what_is_no_good_says_why() {
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
            assert_eq!(auth().check(token.as_deref(), "scene"), Err(Denied::Unauthorized(reason)));
        }
        // An unsigned token: {"alg":"none"}.
        let none = "eyJhbGciOiJub25lIn0.eyJkb2N1bWVudHMiOlsiKiJdLCJleHAiOjQxMDI0NDQ4MDB9.";
        assert!(matches!(auth().check(Some(none), "scene"), Err(Denied::Unauthorized(_))));
        let none_allowed = token(Algorithm::HS256, SECRET, json!({"exp": now() + 60}));
        assert_eq!(auth().check(Some(&none_allowed), "scene"), Err(Denied::Forbidden));
        assert!(matches!(Auth::jwt(Some("short"), None), Err(AuthError::ShortSecret)));
        assert!(matches!(Auth::jwt(None, None), Err(AuthError::NoKeys)));
    }

    /// Keys and tokens made by openssl, if it is there; RS256 and ES256 through a key set.
    #[test]
    fn public_keys_from_a_key_set() {
        let folder = tempfile::tempdir().unwrap();
        let set = include_str!("../tests/keys/jwks.json");
        let path = folder.path().join("jwks.json");
        std::fs::write(&path, set).unwrap();
        let auth = Auth::jwt(None, Some(&path)).unwrap();
        let claims = json!({"sub": "ada", "exp": now() + 60, "documents": ["scene"]});
        let rsa = EncodingKey::from_rsa_pem(include_bytes!("../tests/keys/rsa.pem")).unwrap();
        let ec = EncodingKey::from_ec_pem(include_bytes!("../tests/keys/ec.pem")).unwrap();
        for (algorithm, id, key) in [(Algorithm::RS256, "rsa", &rsa), (Algorithm::ES256, "ec", &ec)] {
            let header = Header { kid: Some(id.into()), ..Header::new(algorithm) };
            let token = encode(&header, &claims, key).unwrap();
            assert_eq!(auth.check(Some(&token), "scene").unwrap().user.as_deref(), Some("ada"));
            let mut forged = token.clone().into_bytes();
            let at = forged.len() - 20;
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(auth.check(Some(&forged), "scene"), Err(Denied::Unauthorized("the token's signature is wrong")));
        }
        // The public key as a shared secret: the classic confusion.
        let confused = token(Algorithm::HS256, include_str!("../tests/keys/rsa.pem"), claims);
        assert!(auth.check(Some(&confused), "scene").is_err());
    }
}
