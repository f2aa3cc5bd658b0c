//! For agents: a server of the Model Context Protocol over standard input and output, on the HTTP API of a sync server.
//!
//! It holds nothing of a document and may do what its token may: every edit is one of the live document API, attributed to the token's user.
//! While it works on a document it is there as a peer with a name ([`presence`]). A line in, a line out; what it has to say to
//! people goes to standard error.

mod api;
mod error;
mod presence;
mod tools;

use std::io::{BufRead, Write};

use clap::Args;
use serde_json::{Value, json};
use tokio::sync::mpsc;

pub use error::McpError;

use api::Api;
use tools::Tools;

/// The versions of the protocol that are spoken here, the newest first.
const VERSIONS: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
const PARSE_ERROR: i64 = -32_700;
const INVALID_REQUEST: i64 = -32_600;
const NO_METHOD: i64 = -32_601;
const INVALID_PARAMS: i64 = -32_602;

#[derive(Debug, Clone, Args)]
pub struct McpArgs {
    /// The sync server, `https://example.org`; a path before `/api` as well
    #[arg(long, env = "SLATE_YRS_MCP_SERVER", default_value = "http://127.0.0.1:8787", value_name = "URL")]
    pub server: String,

    /// The agent's token: what it may do, and whose its edits are
    #[arg(long, env = "SLATE_YRS_MCP_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub token: Option<String>,

    /// What the agent is called where people see who is there
    #[arg(long, env = "SLATE_YRS_MCP_NAME", default_value = "Agent", value_name = "NAME")]
    pub name: String,
}

/// A request that cannot be answered as it is wished.
struct RpcError(i64, String);

/// Serves until standard input ends.
///
/// # Errors
/// If nothing can be asked, or nothing answered.
pub async fn serve(args: McpArgs) -> Result<(), McpError> {
    let tools = Tools::new(Api::new(&args.server, args.token)?, args.name);
    let mut lines = input();
    while let Some(line) = lines.recv().await {
        if line.trim().is_empty() {
            continue;
        }
        if let Some(answer) = answer(&tools, &line).await {
            let mut out = std::io::stdout().lock();
            writeln!(out, "{answer}")?;
            out.flush()?;
        }
    }
    Ok(())
}

/// What comes in, line by line.
fn input() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// The answer to a message; none to a notification.
async fn answer(tools: &Tools, line: &str) -> Option<Value> {
    let message: Value = match serde_json::from_str(line) {
        Ok(message) => message,
        Err(error) => return Some(refusal(&Value::Null, &RpcError(PARSE_ERROR, error.to_string()))),
    };
    let Some(method) = message["method"].as_str() else {
        let is_answer = message.get("result").is_some() || message.get("error").is_some();
        let refused = RpcError(INVALID_REQUEST, "a request has a method".into());
        return (!is_answer).then(|| refusal(&message["id"], &refused));
    };
    let id = message.get("id")?;
    Some(match handle(tools, method, &message["params"]).await {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(refused) => refusal(id, &refused),
    })
}

fn refusal(id: &Value, RpcError(code, message): &RpcError) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
}

async fn handle(tools: &Tools, method: &str, params: &Value) -> Result<Value, RpcError> {
    match method {
        "initialize" => {
            let wished = params["protocolVersion"].as_str().unwrap_or_default();
            let version = VERSIONS.iter().find(|version| **version == wished).unwrap_or(&VERSIONS[0]);
            Ok(json!({
                "protocolVersion": version,
                "capabilities": { "tools": {} },
                "serverInfo": { "name": "slate-yrs", "version": env!("CARGO_PKG_VERSION") },
                "instructions": tools::INSTRUCTIONS,
            }))
        }
        "ping" => Ok(json!({})),
        "tools/list" => Ok(json!({ "tools": tools::list() })),
        "tools/call" => {
            let name = params["name"].as_str().unwrap_or_default();
            let called = tools.call(name, &params["arguments"]).await;
            let said = called.ok_or_else(|| RpcError(INVALID_PARAMS, format!("there is no tool {name:?}")))?;
            // What a tool cannot do its caller reads, and tries otherwise.
            let (text, is_error) = match said {
                Ok(text) => (text, false),
                Err(text) => (text, true),
            };
            Ok(json!({ "content": [{ "type": "text", "text": text }], "isError": is_error }))
        }
        _ => Err(RpcError(NO_METHOD, format!("{method} is not known here"))),
    }
}
