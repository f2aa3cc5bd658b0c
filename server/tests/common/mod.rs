//! A server in this process on a free port, and clients that speak to it over real sockets.

#![allow(dead_code, unused_imports, reason = "each test file uses a part")]

pub mod client;
pub mod faulty;
pub mod http;
pub mod layout;
pub mod outage;
pub mod postgres;
pub mod program;
pub mod sse;
pub mod tokens;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use slate_yrs_server::config::{Cli, ServeArgs};
use slate_yrs_server::server::Server;
use slate_yrs_server::storage::{Durability, SqlStorage, Storage};
use tempfile::TempDir;

pub use client::{Client, Msg};
pub use faulty::Faulty;

/// Machines that run tests are busy.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A server with a database that outlives it.
pub struct TestServer {
    pub server: Option<Server>,
    pub storage: Arc<Faulty>,
    pub address: SocketAddr,
    folder: Arc<TempDir>,
    flags: Vec<String>,
}

impl TestServer {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    pub async fn with(flags: &[&str]) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let flags: Vec<String> = flags.iter().map(|flag| flag.to_string()).collect();
        Self::of(folder, flags).await
    }

    async fn of(folder: Arc<TempDir>, flags: Vec<String>) -> Self {
        let (server, storage) = launch(&folder, &flags).await;
        Self { address: server.address, server: Some(server), storage, folder, flags }
    }

    /// Another server on the same database.
    pub async fn beside(&self) -> Self {
        Self::of(Arc::clone(&self.folder), self.flags.clone()).await
    }

    pub fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    /// Shuts down in order and starts again on the same database.
    pub async fn restart(&mut self) {
        self.server.take().unwrap().shutdown().await;
        let (server, storage) = launch(&self.folder, &self.flags).await;
        self.address = server.address;
        self.storage = storage;
        self.server = Some(server);
    }

    pub async fn stop(&mut self) {
        self.server.take().unwrap().shutdown().await;
    }

    pub async fn rows(&self, document: &str) -> usize {
        self.storage.get_updates_since(document, 0, 1_000_000).await.unwrap().len()
    }

    /// Ends every room by waiting for them to be idle: what is served next comes from the database.
    pub async fn unload(&self) {
        eventually("rooms end", || self.server().rooms.count() == 0).await;
    }

    pub async fn plain(&self, document: &str, id: u64) -> Client {
        Client::connect(self.address, document, id, "").await
    }

    pub async fn durable(&self, document: &str, id: u64, session: &str) -> Client {
        Client::connect(self.address, document, id, &format!("slate-yrs=1&session={session}")).await
    }
}

async fn launch(folder: &TempDir, flags: &[String]) -> (Server, Arc<Faulty>) {
    let url = format!("sqlite:{}/server.sqlite", folder.path().display());
    let storage = SqlStorage::open(&url, Durability::Process).await.unwrap();
    let storage = Arc::new(Faulty::new(Arc::new(storage)));
    let server = Server::start(args(flags), Arc::clone(&storage) as Arc<dyn Storage>).await.unwrap();
    (server, storage)
}

pub fn args(flags: &[String]) -> ServeArgs {
    let defaults = ["server", "--listen", "127.0.0.1:0", "--room-idle-ms", "50"];
    // What a test says comes later and wins.
    let given: Vec<&str> = flags.iter().map(String::as_str).collect();
    let kept: Vec<&str> = if given.contains(&"--room-idle-ms") { defaults[..3].into() } else { defaults.into() };
    Cli::parse_from(kept.into_iter().chain(given)).serve
}

pub async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !condition() {
        assert!(tokio::time::Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
