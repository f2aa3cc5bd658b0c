//! Server-sent events, read as they come.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PATIENCE;

/// One event.
#[derive(Debug, Clone, Default)]
pub struct Said {
    pub kind: String,
    pub id: Option<String>,
    pub data: Value,
}

/// A stream of events.
pub struct Listener {
    socket: TcpStream,
    raw: Vec<u8>,
    text: String,
    ended: bool,
    pub status: u16,
    pub headers: String,
}

impl Listener {
    pub async fn open(address: SocketAddr, path: &str, headers: &str) -> Self {
        let mut socket = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nAccept: text/event-stream\r\n{headers}\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut listener =
            Self { socket, raw: Vec::new(), text: String::new(), ended: false, status: 0, headers: String::new() };
        while !listener.raw.windows(4).any(|window| window == b"\r\n\r\n") {
            assert!(listener.receive().await, "an answer");
        }
        let end = listener.raw.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        listener.headers = String::from_utf8_lossy(&listener.raw[..end]).to_lowercase();
        listener.raw.drain(..end);
        listener.status = listener.headers.split(' ').nth(1).unwrap().parse().unwrap();
        listener
    }

    /// False: it has ended.
    async fn receive(&mut self) -> bool {
        let read = timeout(PATIENCE, self.socket.read_buf(&mut self.raw)).await.expect("something comes");
        !matches!(read, Ok(0) | Err(_))
    }

    /// Takes the chunks that are whole.
    fn unchunk(&mut self) {
        while let Some(line) = self.raw.windows(2).position(|window| window == b"\r\n") {
            let size = usize::from_str_radix(std::str::from_utf8(&self.raw[..line]).unwrap(), 16).unwrap();
            if self.raw.len() < line + 4 + size {
                return;
            }
            self.ended |= size == 0;
            self.text.push_str(std::str::from_utf8(&self.raw[line + 2..line + 2 + size]).unwrap());
            self.raw.drain(..line + 4 + size);
        }
    }

    /// The next event; None: the stream has ended.
    pub async fn next(&mut self) -> Option<Said> {
        loop {
            self.unchunk();
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let said = read(block);
                self.text = rest.to_owned();
                // A sign of life says nothing.
                if !said.kind.is_empty() {
                    return Some(said);
                }
            }
            if self.ended || !self.receive().await {
                return None;
            }
        }
    }

    /// The next event of this kind.
    pub async fn until(&mut self, kind: &str) -> Said {
        loop {
            let said = self.next().await.unwrap_or_else(|| panic!("the stream ends before {kind}"));
            if said.kind == kind {
                return said;
            }
        }
    }

    /// Until the stream ends: what it said.
    pub async fn rest(&mut self) -> Vec<String> {
        let mut kinds = Vec::new();
        while let Some(said) = self.next().await {
            kinds.push(said.kind);
        }
        kinds
    }
}

fn read(block: &str) -> Said {
    let mut said = Said::default();
    for line in block.lines() {
        match line.split_once(": ") {
            Some(("event", kind)) => said.kind = kind.to_owned(),
            Some(("id", id)) => said.id = Some(id.to_owned()),
            Some(("data", data)) => said.data = serde_json::from_str(data).unwrap(),
            _ => {}
        }
    }
    said
}
