//! What holds for any two trees.

use std::collections::HashSet;
use std::rc::Rc;

use super::apply::Editor;
use crate::slate::remote::{steps, value};
use crate::slate::value::node::Node;
use crate::slate::value::op::Op;
use crate::slate::value::utf16;
use crate::slate::view::tree::{Element, Kid, NodeId};
use crate::slate::ydoc::Id;

/// What has an id, and how much there is of all: units of text, elements.
#[derive(Default)]
struct Census {
    chars: HashSet<(Id, char)>,
    elements: HashSet<NodeId>,
    units: usize,
    count: usize,
}

impl Census {
    fn of(element: &Element) -> Self {
        let mut census = Self::default();
        census.add(element);
        census
    }

    fn add(&mut self, element: &Element) {
        for kid in &element.kids {
            match kid {
                Kid::Element(kid) => {
                    self.count += 1;
                    if !matches!(kid.id, NodeId::New(_)) {
                        assert!(self.elements.insert(kid.id.clone()), "{:?} is there twice", kid.id);
                    }
                    self.add(kid);
                }
                Kid::Leaf(leaf) => {
                    for run in &leaf.runs {
                        let mut at = 0;
                        for c in run.text.chars() {
                            self.chars.extend(run.id.map(|id| (id.plus(at), c)));
                            at += c.len_utf16() as u32;
                        }
                        assert_eq!(at, run.len);
                        self.units += at as usize;
                    }
                }
            }
        }
    }
}

fn units(node: &Node) -> usize {
    match node {
        Node::Text(leaf) => utf16::len(&leaf.text) as usize,
        Node::Element(element) => element.children.iter().map(units).sum(),
    }
}

fn elements(node: &Node) -> usize {
    match node {
        Node::Text(_) => 0,
        Node::Element(element) => 1 + element.children.iter().map(elements).sum::<usize>(),
    }
}

/// Applies the operations; the value is the new one, and nothing that stays was removed or inserted again.
pub fn check(old: &Rc<Element>, new: &Rc<Element>) -> Vec<Op> {
    let ops = steps(old, new);
    let mut editor = Editor::new(value(old));
    ops.iter().for_each(|op| editor.apply(op));
    assert_eq!(editor.value(), value(new), "{ops:#?}");

    let (mut out, mut came, mut elements_out, mut elements_in) = (0, 0, 0, 0);
    for op in &ops {
        match op {
            Op::InsertText { text, .. } => came += utf16::len(text) as usize,
            Op::RemoveText { text, .. } => out += utf16::len(text) as usize,
            Op::InsertNode { node, .. } => {
                came += units(node);
                elements_in += elements(node);
            }
            Op::RemoveNode { node, .. } => {
                out += units(node);
                elements_out += elements(node);
            }
            _ => {}
        }
    }
    let (was, is) = (Census::of(old), Census::of(new));
    let kept: usize = was.chars.intersection(&is.chars).map(|(_, c)| c.len_utf16()).sum();
    let stay = was.elements.intersection(&is.elements).count();
    assert_eq!((out, came), (was.units - kept, is.units - kept), "units removed, inserted: {ops:#?}");
    assert!(elements_out <= was.count - stay, "{elements_out} elements removed: {ops:#?}");
    assert!(elements_in <= is.count - stay, "{elements_in} elements inserted: {ops:#?}");
    ops
}
