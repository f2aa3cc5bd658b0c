//! A Slate editor without Slate: applies operations to a value as Slate does.

use slate_yrs::slate::{Attrs, Element, Leaf, Node, Op, Path};

#[derive(Debug, Clone, Default)]
pub struct Editor {
    pub value: Vec<Node>,
}

impl Editor {
    pub fn apply(&mut self, op: &Op) {
        match op {
            Op::InsertText { path, offset, text } => {
                let leaf = self.leaf(path);
                let at = byte_offset(&leaf.text, *offset);
                leaf.text.insert_str(at, text);
            }
            Op::RemoveText { path, offset, text } => {
                let leaf = self.leaf(path);
                let at = byte_offset(&leaf.text, *offset);
                assert!(leaf.text[at..].starts_with(text.as_str()), "remove_text of what is not there");
                leaf.text.replace_range(at..at + text.len(), "");
            }
            Op::InsertNode { path, node } => {
                let (children, at) = self.siblings(path);
                children.insert(at, node.clone());
            }
            Op::RemoveNode { path, .. } => {
                let (children, at) = self.siblings(path);
                children.remove(at);
            }
            Op::SetNode { path, properties, new_properties } => {
                let attrs = attrs_mut(self.node(path));
                set(attrs, properties, new_properties);
            }
            Op::SplitNode { path, position, properties } => self.split(path, *position, properties),
            Op::MergeNode { path, .. } => self.merge(path),
            Op::MoveNode { path, new_path } => {
                let (children, at) = self.siblings(path);
                let node = children.remove(at);
                let (children, at) = self.siblings(&landing(path, new_path));
                children.insert(at, node);
            }
        }
    }

    fn split(&mut self, path: &Path, position: u32, properties: &Attrs) {
        let right = match self.node(path) {
            Node::Text(leaf) => {
                let at = byte_offset(&leaf.text, position);
                Node::Text(Leaf { text: leaf.text.split_off(at), marks: properties.clone() })
            }
            Node::Element(element) => {
                let children = element.children.split_off(position as usize);
                Node::Element(Element { attrs: properties.clone(), children })
            }
        };
        let (children, at) = self.siblings(path);
        children.insert(at + 1, right);
    }

    fn merge(&mut self, path: &Path) {
        let (children, at) = self.siblings(path);
        let right = children.remove(at);
        match (&mut children[at - 1], right) {
            (Node::Text(left), Node::Text(right)) => left.text.push_str(&right.text),
            (Node::Element(left), Node::Element(right)) => left.children.extend(right.children),
            _ => panic!("merge of a text and an element"),
        }
    }

    fn siblings(&mut self, path: &Path) -> (&mut Vec<Node>, usize) {
        let (last, parents) = path.split_last().expect("a path");
        let mut children = &mut self.value;
        for index in parents {
            let Node::Element(element) = &mut children[*index as usize] else { panic!("a text has no children") };
            children = &mut element.children;
        }
        (children, *last as usize)
    }

    fn node(&mut self, path: &Path) -> &mut Node {
        let (children, at) = self.siblings(path);
        &mut children[at]
    }

    fn leaf(&mut self, path: &Path) -> &mut Leaf {
        let Node::Text(leaf) = self.node(path) else { panic!("no text at {path:?}") };
        leaf
    }
}

/// Where a moved node is: what it stood before, and what is around its new place, has moved up.
pub fn landing(path: &[u32], new_path: &[u32]) -> Path {
    let (mut landing, level) = (Path::from(new_path), path.len() - 1);
    if new_path.len() > path.len() && new_path[..level] == path[..level] && new_path[level] > path[level] {
        landing[level] -= 1;
    }
    landing
}

fn attrs_mut(node: &mut Node) -> &mut Attrs {
    match node {
        Node::Element(element) => &mut element.attrs,
        Node::Text(leaf) => &mut leaf.marks,
    }
}

fn set(attrs: &mut Attrs, properties: &Attrs, new_properties: &Attrs) {
    for (key, value) in new_properties {
        match value {
            yrs::Any::Null => attrs.remove(key),
            value => attrs.insert(key.clone(), value.clone()),
        };
    }
    for key in properties.keys().filter(|key| !new_properties.contains_key(*key)) {
        attrs.remove(key);
    }
}

fn byte_offset(text: &str, utf16: u32) -> usize {
    let mut units = 0;
    for (at, c) in text.char_indices() {
        if units == utf16 {
            return at;
        }
        units += c.len_utf16() as u32;
    }
    assert_eq!(units, utf16, "an offset inside the text");
    text.len()
}

/// All text, blocks on lines.
pub fn text_of(nodes: &[Node]) -> String {
    let mut out = String::new();
    for node in nodes {
        match node {
            Node::Text(leaf) => out.push_str(&leaf.text),
            Node::Element(element) => {
                out.push_str(&text_of(&element.children));
                out.push('\n');
            }
        }
    }
    out
}

/// A paragraph.
pub fn block(text: &str) -> Node {
    let attrs = Attrs::from([("type".into(), yrs::Any::from("paragraph"))]);
    Node::Element(Element { attrs, children: vec![Node::Text(Leaf { text: text.into(), marks: Attrs::new() })] })
}

/// The value as a document has it: no empty leaves, no neighbours with equal marks.
pub fn canonical(nodes: &[Node]) -> Vec<Node> {
    let mut out: Vec<Node> = Vec::new();
    for node in nodes {
        match (out.last_mut(), node) {
            (_, Node::Element(element)) => {
                let children = canonical(&element.children);
                out.push(Node::Element(Element { attrs: element.attrs.clone(), children }));
            }
            (_, Node::Text(leaf)) if leaf.text.is_empty() => {}
            (Some(Node::Text(last)), Node::Text(leaf)) if last.marks == leaf.marks => last.text.push_str(&leaf.text),
            (_, leaf) => out.push(leaf.clone()),
        }
    }
    out
}

/// The words people have typed that are whole in a text.
pub fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(word, _)| word);
    words.filter(|word| word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
