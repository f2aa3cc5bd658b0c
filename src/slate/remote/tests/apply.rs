//! Slate's operations done to a plain value. What Slate would not do, or what the operation says wrongly, panics.

use crate::slate::value::node::{Attrs, Element, Leaf, Node};
use crate::slate::value::op::{Op, Path};
use crate::slate::value::utf16;

pub struct Editor {
    root: Node,
}

impl Editor {
    pub fn new(children: Vec<Node>) -> Self {
        Self { root: Node::Element(Element { attrs: Attrs::new(), children }) }
    }

    pub fn value(&self) -> &[Node] {
        match &self.root {
            Node::Element(root) => &root.children,
            Node::Text(_) => unreachable!(),
        }
    }

    fn node(&mut self, path: &[u32]) -> &mut Node {
        path.iter().fold(&mut self.root, |node, index| match node {
            Node::Element(element) => &mut element.children[*index as usize],
            Node::Text(_) => panic!("{path:?} goes through a text"),
        })
    }

    fn children(&mut self, path: &[u32]) -> &mut Vec<Node> {
        match self.node(path) {
            Node::Element(element) => &mut element.children,
            Node::Text(_) => panic!("a text at {path:?} has no children"),
        }
    }

    fn leaf(&mut self, path: &[u32]) -> &mut Leaf {
        match self.node(path) {
            Node::Text(leaf) => leaf,
            Node::Element(_) => panic!("no text at {path:?}"),
        }
    }

    fn insert(&mut self, path: &[u32], node: Node) {
        let (index, up) = path.split_last().expect("not the root");
        let children = self.children(up);
        assert!(*index as usize <= children.len(), "no place {path:?}");
        children.insert(*index as usize, node);
    }

    fn remove(&mut self, path: &[u32]) -> Node {
        let (index, up) = path.split_last().expect("not the root");
        self.children(up).remove(*index as usize)
    }

    pub fn apply(&mut self, op: &Op) {
        match op {
            Op::InsertText { path, offset, text } => {
                assert!(!text.is_empty());
                let leaf = self.leaf(path);
                let at = byte(leaf, *offset);
                leaf.text.insert_str(at, text);
            }
            Op::RemoveText { path, offset, text } => {
                assert!(!text.is_empty());
                let leaf = self.leaf(path);
                let at = byte(leaf, *offset);
                assert_eq!(leaf.text.get(at..at + text.len()), Some(&**text));
                leaf.text.replace_range(at..at + text.len(), "");
            }
            Op::InsertNode { path, node } => self.insert(path, node.clone()),
            Op::RemoveNode { path, node } => assert_eq!(self.remove(path), *node),
            Op::SetNode { path, properties, new_properties } => self.set(path, properties, new_properties),
            Op::SplitNode { path, position, properties } => self.split(path, *position, properties),
            Op::MergeNode { path, position, properties } => self.merge(path, *position, properties),
            Op::MoveNode { path, new_path } => self.move_node(path, new_path),
        }
    }

    fn set(&mut self, path: &[u32], properties: &Attrs, new_properties: &Attrs) {
        assert!(!path.is_empty(), "the editor has no properties");
        let attrs = match self.node(path) {
            Node::Element(element) => &mut element.attrs,
            Node::Text(leaf) => &mut leaf.marks,
        };
        for key in properties.keys().chain(new_properties.keys()) {
            assert!(!matches!(&**key, "text" | "children"));
            assert_eq!(properties.get(key), attrs.get(key), "{key}");
        }
        attrs.retain(|key, _| !properties.contains_key(key));
        attrs.extend(new_properties.clone());
    }

    fn split(&mut self, path: &Path, position: u32, properties: &Attrs) {
        let right = match self.node(path) {
            Node::Text(leaf) => {
                let at = byte(leaf, position);
                Node::Text(Leaf { text: leaf.text.split_off(at), marks: properties.clone() })
            }
            Node::Element(element) => {
                assert!(position as usize <= element.children.len());
                let children = element.children.split_off(position as usize);
                Node::Element(Element { attrs: properties.clone(), children })
            }
        };
        let mut behind = path.clone();
        *behind.last_mut().expect("the editor cannot be split") += 1;
        self.insert(&behind, right);
    }

    fn merge(&mut self, path: &Path, position: u32, properties: &Attrs) {
        let mut before = path.clone();
        let index = before.last_mut().expect("the editor cannot be merged");
        *index = index.checked_sub(1).expect("there is something before it");
        let node = self.remove(path);
        match (self.node(&before), node) {
            (Node::Text(into), Node::Text(leaf)) => {
                assert_eq!((utf16::len(&into.text), properties), (position, &leaf.marks));
                into.text.push_str(&leaf.text);
            }
            (Node::Element(into), Node::Element(element)) => {
                assert_eq!((into.children.len() as u32, properties), (position, &element.attrs));
                into.children.extend(element.children);
            }
            _ => panic!("an element and a text cannot be merged"),
        }
    }

    fn move_node(&mut self, path: &Path, new_path: &Path) {
        assert_ne!(path, new_path, "a move to where it is");
        assert!(!new_path.starts_with(path), "{path:?} into itself: {new_path:?}");
        let (index, up) = path.split_last().expect("not the editor");
        let node = self.remove(path);
        // Slate reads a new path as of before the node was taken out, but for its last index.
        let mut to = new_path.clone();
        if path.len() < new_path.len() && new_path.starts_with(up) && new_path[up.len()] > *index {
            to[up.len()] -= 1;
        }
        self.insert(&to, node);
    }
}

fn byte(leaf: &Leaf, offset: u32) -> usize {
    utf16::byte_at(&leaf.text, utf16::len(&leaf.text), offset).expect("an offset in the text")
}
