//! Slate operations out of JSON, as `slate` makes them.

use serde::Deserialize;
use serde_json::{Map, Value};
use slate_yrs::slate::{Op, Path};

use super::json::{attrs_of, node_of};

#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Operation {
    InsertText {
        path: Vec<u32>,
        offset: u32,
        text: String,
    },
    RemoveText {
        path: Vec<u32>,
        offset: u32,
        text: String,
    },
    InsertNode {
        path: Vec<u32>,
        node: Value,
    },
    RemoveNode {
        path: Vec<u32>,
        node: Value,
    },
    #[serde(rename_all = "camelCase")]
    SetNode {
        path: Vec<u32>,
        properties: Map<String, Value>,
        new_properties: Map<String, Value>,
    },
    SplitNode {
        path: Vec<u32>,
        position: u32,
        properties: Map<String, Value>,
    },
    MergeNode {
        path: Vec<u32>,
        position: u32,
        properties: Map<String, Value>,
    },
    #[serde(rename_all = "camelCase")]
    MoveNode {
        path: Vec<u32>,
        new_path: Vec<u32>,
    },
    /// Nothing of the document.
    SetSelection {},
}

impl Operation {
    /// None: it changes nothing of the document.
    pub fn read(&self) -> Result<Option<Op>, String> {
        let path = |path: &[u32]| Path::from_slice(path);
        let attrs = |properties: &Map<String, Value>| attrs_of(properties, "");
        Ok(Some(match self {
            Self::InsertText { path: at, offset, text } => {
                Op::InsertText { path: path(at), offset: *offset, text: text.clone() }
            }
            Self::RemoveText { path: at, offset, text } => {
                Op::RemoveText { path: path(at), offset: *offset, text: text.clone() }
            }
            Self::InsertNode { path: at, node } => Op::InsertNode { path: path(at), node: node_of(node, 0)? },
            Self::RemoveNode { path: at, node } => Op::RemoveNode { path: path(at), node: node_of(node, 0)? },
            Self::SetNode { path: at, properties, new_properties } => {
                Op::SetNode { path: path(at), properties: attrs(properties)?, new_properties: attrs(new_properties)? }
            }
            Self::SplitNode { path: at, position, properties } => {
                Op::SplitNode { path: path(at), position: *position, properties: attrs(properties)? }
            }
            Self::MergeNode { path: at, position, properties } => {
                Op::MergeNode { path: path(at), position: *position, properties: attrs(properties)? }
            }
            Self::MoveNode { path: from, new_path } => Op::MoveNode { path: path(from), new_path: path(new_path) },
            Self::SetSelection {} => return Ok(None),
        }))
    }
}
