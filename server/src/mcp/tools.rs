//! What an agent can do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use reqwest::Method;
use serde_json::{Value, json};
use slate_yrs::slate::Node;
use tokio::time::Instant;

use super::api::Api;
use super::presence::{self, STAYS};
use crate::clock::now;
use crate::history::rfc3339;
use crate::live::{ContentEdit, TextBlock, check, nodes_of, text_blocks};
use crate::lock::lock;
use crate::storage::random_id;

/// The map in which proposals wait for somebody to decide.
const PROPOSALS: &str = "proposals";
const MAX_FOUND: usize = 50;

pub const INSTRUCTIONS: &str = "Documents that people edit at the same time. Read before you edit, and name texts exactly. \
     Edit by content; propose instead where people should decide. Everybody sees an edit at once, and whose it is.";

/// The tools, for `tools/list`.
pub fn list() -> Value {
    let scene = json!({ "type": "string", "description": "The id of the document" });
    let edits = json!({
        "type": "array",
        "minItems": 1,
        "items": { "type": "object" },
        "description": "Each one of: {\"replace\": {\"find\", \"with\", \"nth\"?}} · {\"format\": {\"find\", \"marks\", \"nth\"?}} · \
            {\"insertAfter\": {\"block\", \"nodes\"}} · {\"insertBefore\": {\"block\", \"nodes\"}} · {\"append\": {\"nodes\"}} · \
            {\"set\": {\"block\", \"properties\"}} · {\"remove\": {\"block\"}}. `block` is the id of a block or its path, such as [3]; \
            `nodes` are Slate's. All of them are done, or none.",
    });
    let tool = |name: &str, description: &str, properties: Value, required: Value, writes: bool| {
        json!({
            "name": name,
            "description": description,
            "inputSchema": { "type": "object", "properties": properties, "required": required },
            "annotations": { "readOnlyHint": !writes },
        })
    };
    json!([
        tool(
            "read_scene",
            "Reads a document: its text, a line for each block, or with format `slate` its blocks with ids and properties.",
            json!({ "scene": scene, "format": { "type": "string", "enum": ["text", "slate"] } }),
            json!(["scene"]),
            false,
        ),
        tool(
            "search",
            "Finds blocks that have a text, whatever its case: their paths, ids and texts.",
            json!({ "scene": scene, "text": { "type": "string" } }),
            json!(["scene", "text"]),
            false,
        ),
        tool(
            "propose",
            "Leaves edits for people to decide about, in the map `proposals` of the document. Nothing in the text changes.",
            json!({ "scene": scene, "edits": edits, "why": { "type": "string" } }),
            json!(["scene", "edits", "why"]),
            true,
        ),
        tool(
            "edit",
            "Edits a document, for everybody at once: `edits`, or what was proposed under the id `proposal`.",
            json!({
                "scene": scene,
                "edits": edits,
                "base": { "type": "string", "description": "The etag of what was read: what came since stays" },
                "proposal": { "type": "string" },
            }),
            json!(["scene"]),
            true,
        ),
    ])
}

pub struct Tools {
    api: Api,
    name: String,
    /// Until when the agent is there, by scene.
    there: Mutex<HashMap<String, Arc<Mutex<Instant>>>>,
}

type ToolResult = Result<String, String>;

impl Tools {
    pub fn new(api: Api, name: String) -> Self {
        Self { api, name, there: Mutex::default() }
    }

    /// None: there is no such tool.
    pub async fn call(&self, name: &str, arguments: &Value) -> Option<ToolResult> {
        let scene = match arguments["scene"].as_str() {
            Some(scene) if !scene.is_empty() => scene,
            _ => return Some(Err("which scene? Give `scene`".into())),
        };
        let said = match name {
            "read_scene" => self.read(scene, arguments["format"].as_str().unwrap_or("text")).await,
            "search" => self.search(scene, arguments["text"].as_str().unwrap_or_default()).await,
            "propose" => self.propose(scene, arguments).await,
            "edit" => self.edit(scene, arguments).await,
            _ => return None,
        };
        if said.is_ok() {
            self.be_there(scene);
        }
        Some(said)
    }

    /// Others see that the agent is there.
    fn be_there(&self, scene: &str) {
        let until = Instant::now() + STAYS;
        let mut there = lock(&self.there);
        // Where it is over, nobody else holds the time.
        there.retain(|_, until| Arc::strong_count(until) > 1);
        if let Some(known) = there.get(scene) {
            *lock(known) = until;
            return;
        }
        let until = Arc::new(Mutex::new(until));
        there.insert(scene.to_owned(), Arc::clone(&until));
        tokio::spawn(presence::stay(self.api.clone(), scene.to_owned(), self.name.clone(), until));
    }

    async fn read(&self, scene: &str, format: &str) -> ToolResult {
        let answer = self.api.ask(Method::GET, scene, &[], &[("format", format)], None).await?.fine()?;
        Ok(format!("etag: {}\n\n{}", answer.etag, answer.text))
    }

    /// A document's value, and its ETag.
    async fn value(&self, scene: &str) -> Result<(String, Vec<Node>), String> {
        let answer = self.api.ask(Method::GET, scene, &[], &[("format", "slate")], None).await?.fine()?;
        let value = nodes_of(&answer.json()?)?;
        Ok((answer.etag, value))
    }

    async fn search(&self, scene: &str, text: &str) -> ToolResult {
        if text.is_empty() {
            return Err("what is to be found? Give `text`".into());
        }
        let (etag, value) = self.value(scene).await?;
        let wanted = text.to_lowercase();
        let mut found = text_blocks(&value);
        found.retain(|block| block.text().to_lowercase().contains(&wanted));
        let shown: Vec<Value> = found.iter().take(MAX_FOUND).map(shown).collect();
        Ok(json!({ "etag": etag, "count": found.len(), "blocks": shown }).to_string())
    }

    async fn propose(&self, scene: &str, arguments: &Value) -> ToolResult {
        let edits = arguments["edits"].as_array().filter(|edits| !edits.is_empty());
        let edits = edits.ok_or("what is proposed? Give `edits`")?;
        let (etag, value) = self.value(scene).await?;
        let proposed: Vec<ContentEdit> =
            serde_json::from_value(json!(edits)).map_err(|error| format!("these are no edits: {error}"))?;
        check(&value, &proposed).map_err(|error| error.to_string())?;
        let id = random_id();
        let proposal = json!({
            "by": self.name,
            "at": rfc3339(now()),
            "why": arguments["why"],
            "base": etag,
            "edits": edits,
        });
        let body = Some((proposal.to_string(), None));
        self.api.ask(Method::PUT, scene, &["maps", PROPOSALS, &id], &[], body).await?.fine()?;
        Ok(json!({ "proposal": id }).to_string())
    }

    async fn edit(&self, scene: &str, arguments: &Value) -> ToolResult {
        let mut patch = json!({ "edits": arguments["edits"] });
        let base = arguments.get("base").cloned();
        if let Some(id) = arguments["proposal"].as_str() {
            let answer = self.api.ask(Method::GET, scene, &["maps", PROPOSALS, id], &[], None).await?.fine()?;
            patch["edits"] = answer.json()?["edits"].take();
            // Of two who do it at once one is told that it is done already.
            patch["take"] = json!({ "map": PROPOSALS, "key": id });
        }
        if let Some(base) = base.filter(Value::is_string) {
            patch["base"] = base;
        }
        // Sent again under its key by whatever is on the way, it is done once.
        let key = random_id();
        let body = Some((patch.to_string(), Some(key.as_str())));
        let answer = self.api.ask(Method::PATCH, scene, &[], &[], body).await?.fine()?;
        Ok(answer.text)
    }
}

/// A block as an agent is shown it.
fn shown(block: &TextBlock) -> Value {
    let kind = block.element.attrs.get("type").and_then(|kind| serde_json::to_value(kind).ok());
    json!({ "path": block.path.to_vec(), "id": block.id(), "type": kind, "text": block.text() })
}
