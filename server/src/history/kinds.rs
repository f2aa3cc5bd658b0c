//! Which elements are inline and void, where nobody has an editor that knows.

use std::collections::BTreeMap;

use slate_yrs::slate::{Node, Schema};
use yrs::Any;

/// What the document says, and for types of which it says nothing, what a value looks like: only inline elements have text
/// beside them, and of those a void one never has text of its own.
pub fn schema((mut inline, mut void): (Vec<String>, Vec<String>), value: &[Node]) -> Schema {
    let mut seen = BTreeMap::new();
    look(value, &mut seen);
    for (kind, is_empty) in seen {
        if inline.iter().all(|known| *known != kind) {
            void.extend(is_empty.then(|| kind.clone()));
            inline.push(kind);
        }
    }
    Schema::by_type(inline, void)
}

/// The types of elements with text beside them, and whether all of a type are without text.
fn look(nodes: &[Node], seen: &mut BTreeMap<String, bool>) {
    let has_text = nodes.iter().any(|node| matches!(node, Node::Text(_)));
    for node in nodes {
        let Node::Element(element) = node else { continue };
        look(&element.children, seen);
        if let (true, Some(Any::String(kind))) = (has_text, element.attrs.get("type")) {
            *seen.entry(kind.to_string()).or_insert(true) &= element.children.iter().all(is_empty);
        }
    }
}

fn is_empty(node: &Node) -> bool {
    match node {
        Node::Text(leaf) => leaf.text.is_empty(),
        Node::Element(element) => element.children.iter().all(is_empty),
    }
}

#[cfg(test)]
mod tests {
    use slate_yrs::slate::{Attrs, Element, Leaf};

    use super::*;

    fn text(text: &str) -> Node {
        Node::Text(Leaf { text: text.into(), ..Leaf::default() })
    }

    fn props(kind: &str) -> Attrs {
        [("type".into(), Any::from(kind))].into()
    }

    fn element(kind: &str, children: Vec<Node>) -> Node {
        Node::Element(Element { attrs: props(kind), children })
    }

    #[test]
    fn what_has_text_beside_it_is_inline() {
        let inline = |name, children| element("line", vec![text(""), element(name, children), text("")]);
        let value = [
            inline("link", vec![text("")]),
            inline("link", vec![text("here")]),
            inline("mention", vec![text("")]),
            inline("said", vec![text("")]),
            element("list", vec![element("image", vec![text("")])]),
        ];
        let schema = schema((vec!["said".into()], vec!["image".into()]), &value);
        let of = |kind: &str| (schema.is_inline(&props(kind)), schema.is_void(&props(kind)));
        assert_eq!((of("link"), of("mention"), of("said")), ((true, false), (true, true), (true, false)));
        assert_eq!((of("line"), of("list"), of("image")), ((false, false), (false, false), (false, true)));
    }
}
