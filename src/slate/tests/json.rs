//! Slate's JSON, for fixtures and for values that are easy to read in a test.

use serde_json::Value;
use yrs::Any;

use crate::slate::{Attrs, Element, Leaf, Node, Op, Path};

pub fn nodes(value: &Value) -> Vec<Node> {
    value.as_array().expect("an array of nodes").iter().map(node).collect()
}

pub fn node(value: &Value) -> Node {
    let object = value.as_object().expect("a node");
    let rest = |skip: &str| {
        object.iter().filter(|(key, _)| *key != skip).map(|(key, value)| (key.as_str().into(), any(value))).collect()
    };
    match object.get("text") {
        Some(text) => Node::Text(Leaf { text: text.as_str().expect("text").into(), marks: rest("text") }),
        None => Node::Element(Element { attrs: rest("children"), children: nodes(&object["children"]) }),
    }
}

fn any(value: &Value) -> Any {
    Any::from_json(&value.to_string()).expect("JSON")
}

fn attrs(value: &Value) -> Attrs {
    value.as_object().expect("properties").iter().map(|(key, value)| (key.as_str().into(), any(value))).collect()
}

pub fn op(value: &Value) -> Op {
    let path = |key: &str| -> Path {
        value[key].as_array().expect("a path").iter().map(|n| n.as_u64().expect("an index") as u32).collect()
    };
    let number = |key: &str| value[key].as_u64().expect("a number") as u32;
    let text = || value["text"].as_str().expect("text").to_owned();
    match value["type"].as_str().expect("a type") {
        "insert_text" => Op::InsertText { path: path("path"), offset: number("offset"), text: text() },
        "remove_text" => Op::RemoveText { path: path("path"), offset: number("offset"), text: text() },
        "insert_node" => Op::InsertNode { path: path("path"), node: node(&value["node"]) },
        "remove_node" => Op::RemoveNode { path: path("path"), node: node(&value["node"]) },
        "set_node" => Op::SetNode {
            path: path("path"),
            properties: attrs(&value["properties"]),
            new_properties: attrs(&value["newProperties"]),
        },
        "split_node" => {
            Op::SplitNode { path: path("path"), position: number("position"), properties: attrs(&value["properties"]) }
        }
        "merge_node" => {
            Op::MergeNode { path: path("path"), position: number("position"), properties: attrs(&value["properties"]) }
        }
        "move_node" => Op::MoveNode { path: path("path"), new_path: path("newPath") },
        other => panic!("unknown operation {other}"),
    }
}

pub fn ops(value: &Value) -> Vec<Op> {
    value.as_array().expect("operations").iter().map(op).collect()
}
