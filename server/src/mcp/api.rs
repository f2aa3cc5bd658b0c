//! The HTTP API of a sync server, as the bearer of a token asks it.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, ETAG};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Url};
use serde_json::Value;

use super::error::McpError;
use crate::auth::cause;

const TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Clone)]
pub struct Api {
    client: Client,
    base: Url,
    token: Option<String>,
}

/// What was answered.
pub struct ApiAnswer {
    pub status: u16,
    pub etag: String,
    pub text: String,
}

impl ApiAnswer {
    /// The answer, or what is wrong, for who asked.
    pub fn fine(self) -> Result<Self, String> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let said: Value = serde_json::from_str(&self.text).unwrap_or_default();
        let error = if said["error"].is_object() { said["error"].to_string() } else { self.text };
        Err(format!("the server answered {}: {error}", self.status))
    }

    pub fn json(&self) -> Result<Value, String> {
        serde_json::from_str(&self.text).map_err(|error| format!("the server's answer cannot be read: {error}"))
    }
}

impl Api {
    pub fn new(server: &str, token: Option<String>) -> Result<Self, McpError> {
        let wrong = |reason: String| McpError::Server(reason);
        let base = Url::parse(server).map_err(|error| wrong(error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(wrong("it is neither http nor https".into()));
        }
        // A redirect would take the token elsewhere.
        let client = Client::builder().connect_timeout(TIMEOUT).redirect(Policy::none()).build();
        Ok(Self { client: client.map_err(|error| wrong(cause(error)))?, base, token })
    }

    /// An address of the server; what a segment has is encoded, slashes too.
    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let request = self.client.request(method, url);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Asks about a scene.
    pub async fn ask(
        &self,
        method: Method,
        scene: &str,
        more: &[&str],
        query: &[(&str, &str)],
        body: Option<(String, Option<&str>)>,
    ) -> Result<ApiAnswer, String> {
        let segments: Vec<&str> = ["api", "scenes", scene].iter().chain(more).copied().collect();
        let mut request = self.request(method, self.url(&segments)).query(query).timeout(TIMEOUT);
        if let Some((body, key)) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
            if let Some(key) = key {
                request = request.header("idempotency-key", key);
            }
        }
        let failed = |error| format!("the server cannot be asked: {}", cause(error));
        let response = request.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let etag = response.headers().get(ETAG).and_then(|etag| etag.to_str().ok()).unwrap_or_default().to_owned();
        Ok(ApiAnswer { status, etag, text: response.text().await.map_err(failed)? })
    }

    /// The request that becomes the scene's WebSocket.
    pub fn socket(&self, scene: &str) -> RequestBuilder {
        let mut url = self.url(&["ws", "scenes", scene]);
        if let Some(token) = &self.token {
            url.query_pairs_mut().append_pair("token", token);
        }
        self.client.get(url)
    }
}
