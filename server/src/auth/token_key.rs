//! One key that tokens may be signed with, and how it is read from a key set.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::{hmac, signature};
use serde::Deserialize;

/// A key, bound to its own algorithm.
#[derive(Clone)]
pub struct TokenKey {
    pub(super) id: Option<String>,
    verifier: Verifier,
}

#[derive(Clone)]
enum Verifier {
    Hs256(hmac::Key),
    Rs256 { n: Vec<u8>, e: Vec<u8> },
    Es256(signature::UnparsedPublicKey<Vec<u8>>),
}

/// A JSON Web Key, as far as it matters here.
#[derive(Deserialize)]
pub(super) struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    k: Option<String>,
}

/// A JSON Web Key Set: what is in it is looked at one by one.
#[derive(Deserialize)]
pub(super) struct JwkSet {
    pub keys: Vec<serde_json::Value>,
}

impl TokenKey {
    /// HS256 with this secret.
    pub(super) fn of_secret(secret: &[u8]) -> Self {
        Self { id: None, verifier: Verifier::Hs256(hmac::Key::new(hmac::HMAC_SHA256, secret)) }
    }

    /// What the header of a token calls the algorithm of this key.
    pub(super) fn algorithm(&self) -> &'static str {
        match self.verifier {
            Verifier::Hs256(_) => "HS256",
            Verifier::Rs256 { .. } => "RS256",
            Verifier::Es256(_) => "ES256",
        }
    }

    /// Whether this key has signed this.
    pub(super) fn verifies(&self, message: &[u8], signed: &[u8]) -> bool {
        match &self.verifier {
            Verifier::Hs256(key) => hmac::verify(key, message, signed).is_ok(),
            Verifier::Rs256 { n, e } => {
                let key = signature::RsaPublicKeyComponents { n, e };
                key.verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signed).is_ok()
            }
            Verifier::Es256(key) => key.verify(message, signed).is_ok(),
        }
    }
}

impl Jwk {
    /// Whether it is there to check signatures with.
    pub(super) fn verifies(&self) -> bool {
        match (&self.usage, &self.key_ops) {
            (Some(usage), _) => usage == "sig",
            (None, Some(operations)) => operations.iter().any(|operation| operation == "verify"),
            (None, None) => true,
        }
    }

    pub(super) fn is_secret(&self) -> bool {
        self.kty == "oct"
    }

    pub(super) fn key(self) -> Result<TokenKey, String> {
        let verifier = match self.kty.as_str() {
            "RSA" => Verifier::Rs256 { n: part("n", &self.n)?, e: part("e", &self.e)? },
            "EC" if self.crv.as_deref() == Some("P-256") => {
                let point = [vec![4], coordinate("x", &self.x)?, coordinate("y", &self.y)?].concat();
                Verifier::Es256(signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point))
            }
            "oct" => Verifier::Hs256(hmac::Key::new(hmac::HMAC_SHA256, &part("k", &self.k)?)),
            other => return Err(format!("its type {other:?} is not supported")),
        };
        let key = TokenKey { id: self.kid, verifier };
        match self.alg {
            Some(algorithm) if algorithm != key.algorithm() => {
                Err(format!("its algorithm is {algorithm:?}; supported are RS256, ES256 and HS256"))
            }
            _ => Ok(key),
        }
    }
}

fn part(name: &str, text: &Option<String>) -> Result<Vec<u8>, String> {
    let text = text.as_deref().ok_or_else(|| format!("it has no {name:?}"))?;
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| format!("its {name:?} is not base64url"))
}

fn coordinate(name: &str, text: &Option<String>) -> Result<Vec<u8>, String> {
    let bytes = part(name, text)?;
    if bytes.len() == 32 { Ok(bytes) } else { Err(format!("its {name:?} has not 32 bytes")) }
}
