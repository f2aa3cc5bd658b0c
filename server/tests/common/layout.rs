//! A document of format 1 as an editor makes it: divided, moved, joined, with marks and a link that are keys.

use slate_yrs::slate::{Attrs, DocOptions, Element, Leaf, Node, Op, Path, Schema, SlateDoc};
use yrs::Any;

pub fn slate_doc(client_id: u32, root: &str) -> SlateDoc {
    let types = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
    let schema = Schema::by_type(types(&["link", "mention"]), types(&["mention", "image"]));
    SlateDoc::new(DocOptions { client_id, root: root.to_owned(), block_id: None, seed: 1, schema })
}

pub fn props(entries: &[(&str, &str)]) -> Attrs {
    entries.iter().map(|(name, value)| ((*name).into(), Any::from(*value))).collect()
}

pub fn text(text: &str) -> Node {
    Node::Text(Leaf { text: text.into(), ..Leaf::default() })
}

pub fn element(kind: &str, children: Vec<Node>) -> Node {
    Node::Element(Element { attrs: props(&[("type", kind)]), children })
}

pub fn line(content: &str) -> Node {
    element("p", vec![text(content)])
}

fn path(path: &[u32]) -> Path {
    Path::from_slice(path)
}

pub fn split(at: &[u32], position: u32, properties: Attrs) -> Op {
    Op::SplitNode { path: path(at), position, properties }
}

pub fn merge(at: &[u32], position: u32) -> Op {
    Op::MergeNode { path: path(at), position, properties: Attrs::new() }
}

pub fn go(from: &[u32], to: &[u32]) -> Op {
    Op::MoveNode { path: path(from), new_path: path(to) }
}

pub fn put(at: &[u32], node: Node) -> Op {
    Op::InsertNode { path: path(at), node }
}

pub fn set(at: &[u32], new_properties: Attrs) -> Op {
    Op::SetNode { path: path(at), properties: Attrs::new(), new_properties }
}

pub fn kind(name: &str) -> Attrs {
    props(&[("type", name)])
}

/// A document under way, and its updates in the order in which they were made.
pub struct Made {
    pub doc: SlateDoc,
    pub updates: Vec<Vec<u8>>,
}

impl Made {
    pub fn new(client: u32, root: &str) -> Self {
        let mut doc = slate_doc(client, root);
        let updates = doc.raise_format(1);
        assert!(doc.is_by_reference());
        Self { doc, updates }
    }

    /// One flush. Returns its update.
    pub fn flush(&mut self, ops: Vec<Op>) -> Vec<u8> {
        let change = self.doc.apply_local(ops);
        assert_eq!(change.rejected, []);
        let update = change.update.expect("something changed");
        self.updates.push(update.clone());
        update
    }

    pub fn state(&self) -> Vec<u8> {
        self.doc.encode_state(None).unwrap()
    }

    /// Everything that is written by reference, in one document.
    pub fn rich(client: u32, root: &str) -> Self {
        let mut made = Self::new(client, root);
        let item = |content| element("li", vec![line(content)]);
        let mention = element("mention", vec![text("")]);
        made.flush(vec![
            put(&[0], line("INT. KITCHEN - DAY")),
            put(&[1], line("She waits by the door.")),
            put(&[2], element("ul", vec![item("eggs and milk"), item("bread")])),
            put(&[3], line("Rain — 🌧 outside.")),
            put(&[4], element("p", vec![text("for "), mention, text("!")])),
            put(&[5], element("image", vec![text("")])),
            put(&[6], line("The first half and the second.")),
            put(&[7], line("A line of its own.")),
        ]);
        // Enter inside text; and in a list item, two levels.
        made.flush(vec![split(&[1, 0], 9, Attrs::new()), split(&[1], 1, kind("p"))]);
        made.flush(vec![
            split(&[3, 0, 0, 0], 5, Attrs::new()),
            split(&[3, 0, 0], 1, kind("p")),
            split(&[3, 0], 1, kind("li")),
        ]);
        // A half has a property of its own, a whole line moves, and so does a half.
        made.flush(vec![set(&[2], props(&[("align", "right")]))]);
        made.flush(vec![go(&[4], &[0])]);
        made.flush(vec![go(&[3], &[2])]);
        // Joined again, and joined with what it never was one with.
        made.flush(vec![split(&[7, 0], 15, Attrs::new()), split(&[7], 1, kind("p"))]);
        made.flush(vec![merge(&[8], 1), merge(&[7, 1], 15)]);
        made.flush(vec![merge(&[8], 1), merge(&[7, 1], 30)]);
        // A word is bold, two are a link.
        let bold = [(std::sync::Arc::from("bold"), Any::Bool(true))].into();
        made.flush(vec![split(&[1, 0], 5, Attrs::new()), split(&[1, 1], 7, Attrs::new()), set(&[1, 1], bold)]);
        let link = Element { attrs: props(&[("type", "link"), ("url", "https://example.org")]), children: vec![] };
        made.flush(vec![
            split(&[7, 0], 4, Attrs::new()),
            split(&[7, 1], 10, Attrs::new()),
            put(&[7, 1], Node::Element(link)),
            go(&[7, 2], &[7, 1, 0]),
        ]);
        made
    }
}

/// Without empty texts beside something, and with leaves of equal marks in one.
pub fn canonical(nodes: &[Node]) -> Vec<Node> {
    let mut out: Vec<Node> = Vec::new();
    for node in nodes {
        match (node, out.last_mut()) {
            (Node::Text(leaf), Some(Node::Text(last))) if last.marks == leaf.marks || leaf.text.is_empty() => {
                last.text.push_str(&leaf.text);
            }
            (Node::Text(leaf), Some(Node::Text(last))) if last.text.is_empty() => *last = leaf.clone(),
            (Node::Text(leaf), _) => out.push(Node::Text(leaf.clone())),
            (Node::Element(element), _) => {
                let children = canonical(&element.children);
                out.push(Node::Element(Element { attrs: element.attrs.clone(), children }));
            }
        }
    }
    if out.len() > 1 {
        out.retain(|node| !matches!(node, Node::Text(leaf) if leaf.text.is_empty()));
    }
    out
}
