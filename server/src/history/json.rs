//! Slate nodes as JSON.

use serde_json::{Map, Value};
use slate_yrs::slate::{Attrs, Node};

pub fn nodes_to_json(nodes: &[Node]) -> Value {
    Value::Array(nodes.iter().map(node).collect())
}

fn node(from: &Node) -> Value {
    match from {
        Node::Element(element) => {
            let mut object = properties(&element.attrs);
            object.insert("children".into(), nodes_to_json(&element.children));
            Value::Object(object)
        }
        Node::Text(leaf) => {
            let mut object = properties(&leaf.marks);
            object.insert("text".into(), Value::String(leaf.text.clone()));
            Value::Object(object)
        }
    }
}

fn properties(attrs: &Attrs) -> Map<String, Value> {
    attrs
        .iter()
        // What JSON has no word for (undefined, binary) is left out.
        .filter_map(|(key, value)| Some((key.to_string(), serde_json::to_value(value).ok()?)))
        .collect()
}
