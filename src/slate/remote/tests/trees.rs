//! Trees as JSON: `{ id, props, kids, inline?, void? }`, leaves `{ marks, runs: [[client, clock, text]] }`.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value;
use yrs::Any;

use crate::slate::value::node::Attrs;
use crate::slate::value::utf16;
use crate::slate::view::tree::{Chars, Element, Kid, Leaf, NodeId};
use crate::slate::ydoc::Id;

/// Reads trees in which the same names are the same elements.
#[derive(Default)]
pub struct Reader {
    ids: HashMap<String, u32>,
    /// What was read; the same again is the same pointer.
    had: HashMap<String, Rc<Element>>,
}

fn attrs(value: &Value) -> Rc<Attrs> {
    let object = value.as_object().expect("properties");
    let any = |value: &Value| Any::from_json(&value.to_string()).expect("JSON");
    Rc::new(object.iter().map(|(key, value)| (key.as_str().into(), any(value))).collect())
}

pub fn chars(id: Option<Id>, text: &str) -> Chars {
    Chars { id, text: text.into(), len: utf16::len(text) }
}

impl Reader {
    fn id(&mut self, name: &str) -> NodeId {
        if name == "root" {
            return NodeId::Root;
        }
        let next = self.ids.len() as u32;
        NodeId::Head(Id::new(99, *self.ids.entry(name.into()).or_insert(next)))
    }

    pub fn element(&mut self, value: &Value) -> Rc<Element> {
        let key = value.to_string();
        if let Some(had) = self.had.get(&key) {
            return had.clone();
        }
        let kids = value["kids"].as_array().expect("kids").iter().map(|kid| match kid.get("runs") {
            None => Kid::Element(self.element(kid)),
            Some(runs) => Kid::Leaf(Leaf {
                marks: attrs(&kid["marks"]),
                runs: runs.as_array().expect("runs").iter().map(run).collect(),
            }),
        });
        let kids = kids.collect();
        let element = Rc::new(Element {
            id: self.id(value["id"].as_str().expect("an id")),
            props: attrs(&value["props"]),
            kids,
            inline: value["inline"] == true,
            void: value["void"] == true,
        });
        self.had.insert(key, element.clone());
        element
    }
}

fn run(value: &Value) -> Chars {
    let number = |index: usize| value[index].as_u64().expect("a number");
    chars(Some(Id::new(number(0), number(1) as u32)), value[2].as_str().expect("text"))
}

/// A copy that shares nothing.
pub fn apart(element: &Element) -> Rc<Element> {
    let mut copy = element.clone();
    for kid in &mut copy.kids {
        if let Kid::Element(kid) = kid {
            *kid = apart(kid);
        }
    }
    Rc::new(copy)
}
