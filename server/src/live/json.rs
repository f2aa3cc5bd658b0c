//! Slate nodes out of JSON.

use serde_json::{Map, Value};
use slate_yrs::slate::{Attrs, Element, Leaf, Node};
use yrs::Any;

/// How deep nodes may be nested: the engine shows nothing that is deeper.
const MAX_DEPTH: usize = 100;

pub fn nodes_of(value: &Value) -> Result<Vec<Node>, String> {
    let list = value.as_array().ok_or("nodes are a list")?;
    list.iter().map(|each| node_of(each, 0)).collect()
}

pub fn node_of(value: &Value, depth: usize) -> Result<Node, String> {
    if depth > MAX_DEPTH {
        return Err("the nodes are nested too deeply".into());
    }
    let object = value.as_object().ok_or("a node is an object")?;
    match (object.get("text"), object.get("children")) {
        (Some(Value::String(text)), None) => {
            Ok(Node::Text(Leaf { text: text.clone(), marks: attrs_of(object, "text")? }))
        }
        (None, Some(Value::Array(children))) => {
            let attrs = attrs_of(object, "children")?;
            let mut children: Vec<Node> =
                children.iter().map(|child| node_of(child, depth + 1)).collect::<Result<_, _>>()?;
            if children.is_empty() {
                children.push(Node::Text(Leaf::default()));
            }
            Ok(Node::Element(Element { attrs, children }))
        }
        _ => Err("a node has a text, or children".into()),
    }
}

/// All properties but one: `text` of a text, `children` of an element.
pub fn attrs_of(object: &Map<String, Value>, but: &str) -> Result<Attrs, String> {
    object.iter().filter(|(key, _)| *key != but).map(|(key, value)| Ok((key.as_str().into(), any_of(value)?))).collect()
}

pub fn any_of(value: &Value) -> Result<Any, String> {
    serde_json::from_value(value.clone()).map_err(|error| error.to_string())
}
