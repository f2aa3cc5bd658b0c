//! Requests this server makes: bounded in time and size, to the one address it was given.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};

use super::grant::AuthError;

/// A client for `url`. Redirects are not followed: they would take a token, or the choice of keys, elsewhere.
pub fn client(url: &str, timeout: Duration) -> Result<(Client, Url), AuthError> {
    let wrong = |reason: String| AuthError::Url { url: shown(url), reason };
    let parsed = Url::parse(url).map_err(|error| wrong(error.to_string()))?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(wrong("it is neither http nor https".into()));
    }
    let host = parsed.host_str().unwrap_or_default();
    let here = host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if parsed.scheme() == "http" && !here {
        tracing::warn!(url = shown(url), "not encrypted: whoever is on the way can read tokens, or decide on them");
    }
    let mut builder = Client::builder().timeout(timeout).connect_timeout(timeout).redirect(Policy::none());
    if here {
        builder = builder.no_proxy();
    }
    let client = builder.build().map_err(|error| wrong(error.to_string()))?;
    Ok((client, parsed))
}

/// The body, if it is not larger than `limit`.
pub async fn body(mut response: Response, limit: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(cause)? {
        if body.len() + chunk.len() > limit {
            return Err(format!("the answer has more than {limit} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What went wrong, without the address: it may hold a secret.
pub fn cause(error: reqwest::Error) -> String {
    use std::error::Error;
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

/// An address without what may be secret in it.
pub fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://{rest}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_an_address_are_not_shown() {
        assert_eq!(shown("https://user:secret@host/path?key=secret"), "https://host/path");
        assert_eq!(shown("https://host/keys"), "https://host/keys");
    }

    #[test]
    fn only_http() {
        for url in ["file:///etc/passwd", "nonsense", "ftp://host/x"] {
            assert!(matches!(client(url, Duration::from_secs(1)), Err(AuthError::Url { .. })), "{url}");
        }
    }
}
