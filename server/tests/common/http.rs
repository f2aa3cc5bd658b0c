//! Requests, one connection each.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub struct Answer {
    pub status: u16,
    pub headers: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub async fn request(address: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    request_bytes(address, method, path, headers, body.as_bytes()).await
}

pub async fn request_bytes(address: SocketAddr, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let connection = if headers.contains("Connection:") { "" } else { "Connection: close\r\n" };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: test\r\n{connection}Content-Length: {length}\r\n\
         Content-Type: application/json\r\n{headers}\r\n"
    );
    // The server may answer before it has read it all.
    let _ = socket.write_all(&[request.as_bytes(), body].concat()).await;
    let mut answer = Vec::new();
    // A refused upgrade leaves the connection open, and silent.
    let silence = |answer: &Vec<u8>| std::time::Duration::from_secs(if answer.is_empty() { 30 } else { 3 });
    while let Ok(Ok(1..)) = tokio::time::timeout(silence(&answer), socket.read_buf(&mut answer)).await {}
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("headers") + 4;
    let headers = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
    let mut body = answer[end..].to_vec();
    if headers.contains("transfer-encoding: chunked") {
        body = unchunk(&body);
    }
    Answer { status, headers, body }
}

pub async fn get(address: SocketAddr, path: &str) -> Answer {
    request(address, "GET", path, "", "").await
}

pub async fn post(address: SocketAddr, path: &str, body: &str) -> Answer {
    request(address, "POST", path, "", body).await
}

fn unchunk(mut body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(line) = body.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&body[..line]).unwrap(), 16).unwrap();
        out.extend_from_slice(&body[line + 2..line + 2 + size]);
        body = &body[line + 4 + size..];
        if size == 0 {
            break;
        }
    }
    out
}
