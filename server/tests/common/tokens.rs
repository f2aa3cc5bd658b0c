//! JSON Web Tokens of every kind that there is, also of those that nobody should take.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, reason = "for tests, each of which uses a part")]

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use ring::{hmac, signature};
use serde_json::Value;

pub enum SigningKey<'a> {
    Secret(&'a [u8]),
    Rsa(Box<RsaKeyPair>),
    Ec(Box<EcdsaKeyPair>),
}

impl SigningKey<'_> {
    pub fn rsa(pem: &str) -> Self {
        Self::Rsa(Box::new(RsaKeyPair::from_pkcs8(&der(pem)).unwrap()))
    }

    pub fn ec(pem: &str) -> Self {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der(pem), &SystemRandom::new());
        Self::Ec(Box::new(pair.unwrap()))
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Secret(secret) => hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message).as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signed = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signed).unwrap();
                signed
            }
            Self::Ec(pair) => {
                let signed: signature::Signature = pair.sign(&SystemRandom::new(), message).unwrap();
                signed.as_ref().to_vec()
            }
        }
    }
}

fn der(pem: &str) -> Vec<u8> {
    let lines: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(lines).unwrap()
}

/// A token with exactly this header and these claims.
pub fn sign(header: &Value, claims: &Value, key: &SigningKey<'_>) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signed = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()));
    format!("{message}.{signed}")
}

/// HS256.
pub fn hs256(claims: &Value, secret: &str) -> String {
    sign(&serde_json::json!({ "alg": "HS256", "typ": "JWT" }), claims, &SigningKey::Secret(secret.as_bytes()))
}
