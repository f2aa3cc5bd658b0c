//! Two states of a document as one value: what came has the mark `added`, what went the mark `removed`.
//!
//! Blocks that are equal stay; a block that changed is shown once, with the words that came and went inside it; what
//! has no counterpart is shown as a whole. Words, not characters: that is how people read a change. The value of a
//! mark is the author where there was only one between the two states, otherwise `true`.

use std::sync::Arc;

use slate_yrs::slate::{Element, Leaf, Node};
use yrs::Any;

/// Pairs compared for a longest common subsequence; above it the middle is shown as removed and added.
const MAX_PAIRS: usize = 4_000_000;
/// Of its words a block keeps at least so many to count as the same one, in percent.
const SAME_BLOCK_PERCENT: usize = 40;

/// The comparison as a Slate value. `author`: the one who made all of the changes.
pub fn compare(from: &[Node], to: &[Node], author: Option<&str>) -> Vec<Node> {
    let mark = author.map_or(Any::Bool(true), |author| Any::String(Arc::from(author)));
    Comparison { mark }.children(from, to)
}

struct Comparison {
    mark: Any,
}

#[derive(Clone, Copy)]
enum Step {
    /// Where in the new one.
    Keep(usize),
    /// Where in the old one.
    Remove(usize),
    /// Where in the new one.
    Add(usize),
}

impl Comparison {
    fn children(&self, from: &[Node], to: &[Node]) -> Vec<Node> {
        let inline = |nodes: &[Node]| nodes.iter().all(|node| matches!(node, Node::Text(_)));
        if inline(from) && inline(to) {
            return self.texts(from, to);
        }
        let mut out = Vec::new();
        let (mut gone, mut come) = (Vec::new(), Vec::new());
        for step in steps(from, to, |a, b| a == b) {
            match step {
                Step::Keep(at) => {
                    self.stretch(&gone, &come, &mut out);
                    gone.clear();
                    come.clear();
                    out.push(to[at].clone());
                }
                Step::Remove(at) => gone.push(&from[at]),
                Step::Add(at) => come.push(&to[at]),
            }
        }
        self.stretch(&gone, &come, &mut out);
        out
    }

    /// Between two equal nodes: those that are the same block changed, in order; the rest came or went.
    fn stretch(&self, gone: &[&Node], come: &[&Node], out: &mut Vec<Node>) {
        let mut rest = gone;
        for new in come {
            let partner = rest.iter().position(|old| same_block(old, new));
            match (partner, new) {
                (Some(at), Node::Element(new)) => {
                    out.extend(rest[..at].iter().map(|node| self.marked(node, "removed")));
                    let old = match rest[at] {
                        Node::Element(old) => old.children.as_slice(),
                        Node::Text(_) => &[],
                    };
                    rest = &rest[at + 1..];
                    let children = self.children(old, &new.children);
                    out.push(Node::Element(Element { attrs: new.attrs.clone(), children }));
                }
                _ => out.push(self.marked(new, "added")),
            }
        }
        out.extend(rest.iter().map(|node| self.marked(node, "removed")));
    }

    fn texts(&self, from: &[Node], to: &[Node]) -> Vec<Node> {
        let (from, to) = (words(from), words(to));
        let mut out: Vec<Leaf> = Vec::new();
        for step in steps(&from, &to, |a, b| a == b) {
            let leaf = match step {
                Step::Keep(at) => to[at].clone(),
                Step::Remove(at) => self.marked_leaf(&from[at], "removed"),
                Step::Add(at) => self.marked_leaf(&to[at], "added"),
            };
            match out.last_mut() {
                Some(last) if last.marks == leaf.marks => last.text.push_str(&leaf.text),
                _ => out.push(leaf),
            }
        }
        if out.is_empty() {
            out.push(Leaf::default());
        }
        out.into_iter().map(Node::Text).collect()
    }

    fn marked(&self, node: &Node, mark: &'static str) -> Node {
        match node {
            Node::Text(leaf) => Node::Text(self.marked_leaf(leaf, mark)),
            Node::Element(element) => Node::Element(Element {
                attrs: element.attrs.clone(),
                children: element.children.iter().map(|child| self.marked(child, mark)).collect(),
            }),
        }
    }

    fn marked_leaf(&self, leaf: &Leaf, mark: &'static str) -> Leaf {
        let mut leaf = leaf.clone();
        leaf.marks.insert(Arc::from(mark), self.mark.clone());
        leaf
    }
}

/// Two versions of one block: the same id, or where there is none, enough of the same words.
fn same_block(old: &Node, new: &Node) -> bool {
    let (Node::Element(old), Node::Element(new)) = (old, new) else { return false };
    match (old.attrs.get("id"), new.attrs.get("id")) {
        (Some(old), Some(new)) => old == new,
        _ => {
            let (old, new) = (words(&old.children), words(&new.children));
            let kept = steps(&old, &new, |a, b| a.text == b.text)
                .into_iter()
                .filter(|step| matches!(step, Step::Keep(..)))
                .count();
            kept * 200 >= SAME_BLOCK_PERCENT * (old.len() + new.len()).max(1)
        }
    }
}

/// Leaves cut into words and what stands between them.
fn words(nodes: &[Node]) -> Vec<Leaf> {
    let mut words = Vec::new();
    for node in nodes {
        match node {
            Node::Element(element) => words.extend(self::words(&element.children)),
            Node::Text(leaf) => {
                let mut rest = leaf.text.as_str();
                while let Some(first) = rest.chars().next() {
                    let letters = first.is_alphanumeric();
                    let end = match rest.find(|next: char| next.is_alphanumeric() != letters) {
                        Some(end) if letters => end,
                        None if letters => rest.len(),
                        _ => first.len_utf8(),
                    };
                    words.push(Leaf { text: rest[..end].to_owned(), marks: leaf.marks.clone() });
                    rest = &rest[end..];
                }
            }
        }
    }
    words
}

/// The longest common subsequence as steps, in the order of the result.
fn steps<T>(from: &[T], to: &[T], equal: impl Fn(&T, &T) -> bool) -> Vec<Step> {
    let start = from.iter().zip(to).take_while(|(a, b)| equal(a, b)).count();
    let most = from.len().min(to.len()) - start;
    let end = (0..most).take_while(|n| equal(&from[from.len() - 1 - n], &to[to.len() - 1 - n])).count();
    let (a, b) = (&from[start..from.len() - end], &to[start..to.len() - end]);
    let mut steps: Vec<Step> = (0..start).map(Step::Keep).collect();
    if a.len().saturating_mul(b.len()) > MAX_PAIRS {
        steps.extend((0..a.len()).map(|at| Step::Remove(start + at)));
        steps.extend((0..b.len()).map(|at| Step::Add(start + at)));
    } else {
        let width = b.len() + 1;
        let mut longest = vec![0u32; (a.len() + 1) * width];
        for i in (0..a.len()).rev() {
            for j in (0..b.len()).rev() {
                longest[i * width + j] = if equal(&a[i], &b[j]) {
                    longest[(i + 1) * width + j + 1] + 1
                } else {
                    longest[(i + 1) * width + j].max(longest[i * width + j + 1])
                };
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < a.len() || j < b.len() {
            if i < a.len() && j < b.len() && equal(&a[i], &b[j]) {
                steps.push(Step::Keep(start + j));
                i += 1;
                j += 1;
            } else if j == b.len() || (i < a.len() && longest[(i + 1) * width + j] >= longest[i * width + j + 1]) {
                steps.push(Step::Remove(start + i));
                i += 1;
            } else {
                steps.push(Step::Add(start + j));
                j += 1;
            }
        }
    }
    steps.extend((0..end).map(|n| Step::Keep(to.len() - end + n)));
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(id: &str, text: &str) -> Node {
        Node::Element(Element {
            attrs: [(Arc::from("id"), Any::from(id))].into(),
            children: vec![Node::Text(Leaf { text: text.into(), ..Leaf::default() })],
        })
    }

    /// Each leaf as its text, `+` or `-` before it.
    fn shown(nodes: &[Node]) -> Vec<String> {
        nodes
            .iter()
            .flat_map(|node| match node {
                Node::Element(element) => vec![shown(&element.children).join("|")],
                Node::Text(leaf) if leaf.marks.contains_key("added") => vec![format!("+{}", leaf.text)],
                Node::Text(leaf) if leaf.marks.contains_key("removed") => vec![format!("-{}", leaf.text)],
                Node::Text(leaf) => vec![leaf.text.clone()],
            })
            .collect()
    }

    #[test]
    fn what_came_and_what_went() {
        let from = [block("1", "INT. KITCHEN"), block("2", "She waits by the door."), block("3", "CUT TO:")];
        let to = [
            block("1", "INT. KITCHEN"),
            block("2", "She runs to the door."),
            block("4", "Rain — 🌧."),
            block("3", "CUT TO:"),
        ];
        assert_eq!(
            shown(&compare(&from, &to, None)),
            ["INT. KITCHEN", "She |-waits|+runs| |-by|+to| the door.", "+Rain — 🌧.", "CUT TO:"]
        );
        assert_eq!(shown(&compare(&to, &from, None))[2], "-Rain — 🌧.");
        assert_eq!(compare(&to, &to, None), to);
        assert_eq!(shown(&compare(&[], &to[..1], None)), ["+INT. KITCHEN"]);
        let Some(Node::Element(new)) = compare(&from, &to, Some("ada")).into_iter().nth(2) else { panic!() };
        let Node::Text(leaf) = &new.children[0] else { panic!() };
        assert_eq!(leaf.marks.get("added"), Some(&Any::from("ada")));
    }

    #[test]
    fn removing_what_was_added_gives_the_old_value_back() {
        let mut rng = fastrand::Rng::with_seed(5);
        let words = ["she ", "waits ", "rain ", "door ", "— ", "🎬 "];
        let text = |rng: &mut fastrand::Rng| -> String {
            (0..rng.usize(0..8)).map(|_| words[rng.usize(0..words.len())]).collect()
        };
        for _ in 0..300 {
            let value = |rng: &mut fastrand::Rng| -> Vec<Node> {
                (0..rng.usize(0..6)).map(|_| block(&rng.u8(0..8).to_string(), &text(rng))).collect()
            };
            let (from, to) = (value(&mut rng), value(&mut rng));
            let both = compare(&from, &to, None);
            let plain = |mark: &str| -> Vec<String> {
                both.iter()
                    .filter_map(|node| {
                        let Node::Element(element) = node else { return None };
                        let leaves = element.children.iter().filter_map(|node| match node {
                            Node::Text(leaf) if !leaf.marks.contains_key(mark) => Some(leaf.text.as_str()),
                            _ => None,
                        });
                        Some(leaves.collect::<String>()).filter(|text| !text.is_empty())
                    })
                    .collect()
            };
            let texts =
                |value: &[Node]| -> Vec<String> { shown(value).into_iter().filter(|text| !text.is_empty()).collect() };
            assert_eq!((plain("added"), plain("removed")), (texts(&from), texts(&to)));
        }
    }
}
