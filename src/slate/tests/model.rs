//! Slate's own semantics on plain values: what an editor does with an operation. The judge in all tests; `tests/oracle` has
//! this file as well.

use yrs::Any;

use crate::slate::{Attrs, Element, Leaf, Node, Op};

fn siblings<'a>(value: &'a mut Vec<Node>, parent: &[u32]) -> &'a mut Vec<Node> {
    let mut at = value;
    for &index in parent {
        match &mut at[index as usize] {
            Node::Element(element) => at = &mut element.children,
            Node::Text(_) => panic!("a text has no children: {parent:?}"),
        }
    }
    at
}

fn node<'a>(value: &'a mut Vec<Node>, path: &[u32]) -> &'a mut Node {
    let (last, parent) = path.split_last().expect("the root is no node");
    &mut siblings(value, parent)[*last as usize]
}

fn leaf<'a>(value: &'a mut Vec<Node>, path: &[u32]) -> &'a mut Leaf {
    match node(value, path) {
        Node::Text(leaf) => leaf,
        Node::Element(_) => panic!("not a text: {path:?}"),
    }
}

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn string(units: &[u16]) -> String {
    String::from_utf16(units).expect("a surrogate pair was split")
}

pub fn apply_all(value: &mut Vec<Node>, ops: &[Op]) {
    for op in ops {
        apply(value, op);
    }
}

pub fn apply(value: &mut Vec<Node>, op: &Op) {
    match op {
        Op::InsertText { path, offset, text } => {
            let leaf = leaf(value, path);
            let mut all = units(&leaf.text);
            all.splice(*offset as usize..*offset as usize, units(text));
            leaf.text = string(&all);
        }
        Op::RemoveText { path, offset, text } => {
            let leaf = leaf(value, path);
            let mut all = units(&leaf.text);
            let removed: Vec<u16> = all.drain(*offset as usize..*offset as usize + units(text).len()).collect();
            assert_eq!(&string(&removed), text, "remove_text names another text");
            leaf.text = string(&all);
        }
        Op::InsertNode { path, node } => {
            let (last, parent) = path.split_last().expect("root");
            siblings(value, parent).insert(*last as usize, node.clone());
        }
        Op::RemoveNode { path, node } => {
            let (last, parent) = path.split_last().expect("root");
            let removed = siblings(value, parent).remove(*last as usize);
            assert_eq!(&removed, node, "remove_node names another node");
        }
        Op::SetNode { path, properties, new_properties } => {
            let attrs = match node(value, path) {
                Node::Element(element) => &mut element.attrs,
                Node::Text(leaf) => &mut leaf.marks,
            };
            for (key, new) in new_properties {
                match new {
                    Any::Null => attrs.remove(key),
                    new => attrs.insert(key.clone(), new.clone()),
                };
            }
            for key in properties.keys().filter(|key| !new_properties.contains_key(key)) {
                attrs.remove(key);
            }
        }
        Op::SplitNode { path, position, properties } => split(value, path, *position as usize, properties),
        Op::MergeNode { path, position, .. } => merge(value, path, *position as usize),
        Op::MoveNode { path, new_path } => {
            let (last, parent) = path.split_last().expect("root");
            let node = siblings(value, parent).remove(*last as usize);
            let to = crate::slate::value::transform::moved(path, new_path);
            let (last, parent) = to.split_last().expect("root");
            siblings(value, parent).insert(*last as usize, node);
        }
    }
}

fn split(value: &mut Vec<Node>, path: &[u32], position: usize, properties: &Attrs) {
    let (last, parent) = path.split_last().expect("root");
    let properties: Attrs =
        properties.iter().filter(|(_, v)| **v != Any::Null).map(|(k, v)| (k.clone(), v.clone())).collect();
    let new = match node(value, path) {
        Node::Text(leaf) => {
            let all = units(&leaf.text);
            leaf.text = string(&all[..position]);
            Node::Text(Leaf { text: string(&all[position..]), marks: properties })
        }
        Node::Element(element) => {
            Node::Element(Element { attrs: properties, children: element.children.split_off(position) })
        }
    };
    siblings(value, parent).insert(*last as usize + 1, new);
}

fn merge(value: &mut Vec<Node>, path: &[u32], position: usize) {
    let (last, parent) = path.split_last().expect("root");
    let siblings = siblings(value, parent);
    let right = siblings.remove(*last as usize);
    match (&mut siblings[*last as usize - 1], right) {
        (Node::Text(left), Node::Text(right)) => {
            assert_eq!(units(&left.text).len(), position, "merge_node's position");
            left.text.push_str(&right.text);
        }
        (Node::Element(left), Node::Element(right)) => {
            assert_eq!(left.children.len(), position, "merge_node's position");
            left.children.extend(right.children);
        }
        _ => panic!("merge_node of different kinds"),
    }
}

/// What the doc can tell: no empty texts but in an empty element, none next to a text with equal marks, no nulls.
pub fn canonical(value: &[Node]) -> Vec<Node> {
    let mut out: Vec<Node> = Vec::new();
    for node in value {
        match node {
            Node::Text(leaf) if leaf.text.is_empty() => {}
            Node::Text(leaf) => match out.last_mut() {
                Some(Node::Text(last)) if last.marks == leaf.marks => last.text.push_str(&leaf.text),
                _ => out.push(node.clone()),
            },
            Node::Element(element) => {
                let mut children = canonical(&element.children);
                if children.is_empty() {
                    children.push(Node::Text(Leaf::default()));
                }
                let attrs = element.attrs.iter().filter(|(_, v)| **v != Any::Null);
                let attrs = attrs.map(|(k, v)| (k.clone(), v.clone())).collect();
                out.push(Node::Element(Element { attrs, children }));
            }
        }
    }
    out
}

/// What Slate's own normalizer does to texts: empty ones go unless they are needed, neighbours with equal marks merge.
/// Elements with a true `inline` property count as inline. Applied in place; returns the operations.
pub fn normalize(value: &mut Vec<Node>) -> Vec<Op> {
    let mut ops = Vec::new();
    while let Some(op) = next_normalization(value, &mut Vec::new()) {
        apply(value, &op);
        ops.push(op);
        assert!(ops.len() < 10_000, "the normalizer does not come to an end");
    }
    ops
}

pub fn is_inline(node: &Node) -> bool {
    matches!(node, Node::Element(element) if element.attrs.get("inline") == Some(&Any::Bool(true)))
}

fn next_normalization(children: &[Node], path: &mut Vec<u32>) -> Option<Op> {
    let at = |path: &[u32], index: usize| path.iter().copied().chain([index as u32]).collect();
    for (index, child) in children.iter().enumerate() {
        if let Node::Element(element) = child {
            path.push(index as u32);
            if element.children.is_empty() {
                return Some(Op::InsertNode { path: at(path, 0), node: Node::Text(Leaf::default()) });
            }
            if let Some(op) = next_normalization(&element.children, path) {
                return Some(op);
            }
            path.pop();
        }
    }
    let is_block = |child: &Node| matches!(child, Node::Element(_)) && !is_inline(child);
    let has_blocks = children.iter().any(is_block) && !children.iter().any(is_inline);
    for (index, child) in children.iter().enumerate() {
        let previous = index.checked_sub(1).map(|index| &children[index]);
        let remove = || Op::RemoveNode { path: at(path, index), node: child.clone() };
        match (child, previous) {
            (Node::Text(leaf), _) if has_blocks && leaf.text.is_empty() => return Some(remove()),
            (Node::Text(right), Some(Node::Text(left))) => {
                if left.marks == right.marks {
                    let (position, properties) = (units(&left.text).len() as u32, right.marks.clone());
                    return Some(Op::MergeNode { path: at(path, index), position, properties });
                }
                if right.text.is_empty() {
                    return Some(remove());
                }
                if left.text.is_empty() {
                    let node = previous.expect("there is one").clone();
                    return Some(Op::RemoveNode { path: at(path, index - 1), node });
                }
            }
            (Node::Element(_), previous) if is_inline(child) && !matches!(previous, Some(Node::Text(_))) => {
                return Some(Op::InsertNode { path: at(path, index), node: Node::Text(Leaf::default()) });
            }
            _ => {}
        }
    }
    match children.last() {
        Some(last) if is_inline(last) => {
            Some(Op::InsertNode { path: at(path, children.len()), node: Node::Text(Leaf::default()) })
        }
        _ => None,
    }
}
