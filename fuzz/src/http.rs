//! Requests to the whole server, over a socket, with an SQLite database of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use clap::Parser;
use slate_yrs_server::config::Cli;
use slate_yrs_server::server::Server;
use slate_yrs_server::storage::{Durability, SqlStorage, Storage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

/// Method and path; `{}` is the first part of the line, what follows `?` its rest.
const ROUTES: [(&str, &str); 12] = [
    ("GET", "/api/scenes/scene/versions?"),
    ("POST", "/api/scenes/scene/versions?"),
    ("GET", "/api/scenes/scene/versions/{}?"),
    ("DELETE", "/api/scenes/scene/versions/{}?"),
    ("POST", "/api/scenes/scene/versions/{}/restore?"),
    ("GET", "/api/scenes/scene/compare?"),
    ("GET", "/api/scenes/scene/updates?"),
    ("GET", "/api/scenes/scene/export?"),
    ("GET", "/api/scenes/{}/versions?"),
    ("GET", "/api/scenes/{}/export?"),
    ("POST", "/api/admin/kick?"),
    ("GET", "/ws/scenes/{}?"),
];

/// A server with one document, "scene".
pub struct Host {
    runtime: Runtime,
    address: SocketAddr,
    _server: Server,
    _folder: tempfile::TempDir,
}

impl Host {
    pub fn start(updates: &[Vec<u8>]) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}/server.sqlite", folder.path().display());
        let flags = ["server", "--listen", "127.0.0.1:0", "--poll-ms", "0", "--compact-at", "off"];
        let server = runtime.block_on(async {
            let storage = SqlStorage::open(&url, Durability::Process).await.expect("a database");
            let epoch = storage.open_document("scene", 1).await.expect("a document").epoch;
            for (at, update) in updates.iter().enumerate() {
                storage.store_update("scene", &epoch, at as i64, update).await.expect("stored");
            }
            Server::start(Cli::parse_from(flags).serve, Arc::new(storage)).await.expect("it starts")
        });
        Self { runtime, address: server.address, _server: server, _folder: folder }
    }

    /// One request: the first byte chooses the route, the line after it has what stands in path and query, the rest is the
    /// body. Everything is answered, nothing with 500, and errors as docs/SERVER.md says.
    pub fn ask(&self, bytes: &[u8]) {
        let Some((route, bytes)) = bytes.split_first() else { return };
        let (method, path) = ROUTES[usize::from(*route) % ROUTES.len()];
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
        let (line, body) = (&bytes[..end], bytes.get(end + 1..).unwrap_or_default());
        let place = line.iter().position(|byte| *byte == b'?').unwrap_or(line.len());
        let path = match path.contains("{}") {
            true => path.replace("{}", &escape(&line[..place])) + &escape(line.get(place + 1..).unwrap_or_default()),
            false => path.to_owned() + &escape(line),
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {}\r\n\
             Content-Type: application/json\r\n\r\n",
            body.len()
        );
        let answer = self.runtime.block_on(async {
            let mut socket = TcpStream::connect(self.address).await.expect("it listens");
            socket.write_all(&[head.as_bytes(), body].concat()).await.expect("it reads");
            let mut answer = Vec::new();
            socket.read_to_end(&mut answer).await.expect("it answers");
            answer
        });
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok());
        let status = status.unwrap_or_else(|| panic!("no answer to {method} {path}: {answer}"));
        assert!(status != 500, "{method} {path}: {answer}");
        let text = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        // No route: nothing more is said. The URI was too long for the library: neither.
        if status >= 400 && !matches!(status, 404 | 405 | 414 | 431) {
            assert!(text.contains(r#"{"error":{"code":""#), "{method} {path}: {answer}");
        }
    }
}

/// As it may stand in a URI, with `%`, `&` and `=` as they are.
fn escape(bytes: &[u8]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~%&=".contains(&byte);
    bytes.iter().map(|byte| if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
