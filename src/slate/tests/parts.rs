//! What an edit costs in format 1: what it concerns, however long the document is. Counted in pieces that views look at.

use serde_json::{Value, json};
use yrs::types::text::{Diff, YChange};
use yrs::updates::decoder::Decode as _;
use yrs::{Any, Out, ReadTxn as _, Text as _, Transact as _, Update, WriteTxn as _, Xml as _, XmlTextRef};

use super::fixtures::two_with;
use super::json::{node, nodes};
use super::random::Editor;
use super::remote::p;
use crate::slate::view::take_pieces;
use crate::slate::{Op, Path};

/// How the blocks of a document are held.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Flat,
    /// All in one element.
    Page,
    /// Paragraphs in the items of one list.
    List,
    /// One line that was divided by Enter.
    Line,
}

impl Shape {
    fn block(self, text: &str) -> Value {
        match self {
            Self::Flat | Self::Page | Self::Line => p(text),
            Self::List => json!({ "type": "li", "children": [p(text)] }),
        }
    }

    /// A document of so many blocks, with a block behind it.
    fn value(self, blocks: u32) -> Value {
        let lines: Vec<Value> = (0..blocks).map(|at| self.block(&format!("line {at} of many"))).collect();
        match self {
            Self::Flat => json!(lines),
            Self::Line => json!([p("before"), p(&"line".repeat(blocks as usize)), p("behind")]),
            Self::Page => json!([{ "type": "page", "children": lines }, p("behind")]),
            Self::List => json!([p("before"), { "type": "ul", "children": lines }, p("behind")]),
        }
    }

    fn holder(self) -> &'static [u32] {
        match self {
            Self::Flat | Self::Line => &[],
            Self::Page => &[0],
            Self::List => &[1],
        }
    }

    fn path(self, at: u32) -> Path {
        self.holder().iter().copied().chain([at]).collect()
    }

    /// Of a block's line.
    fn line(self, at: u32) -> Path {
        let inner: &[u32] = if matches!(self, Self::List) { &[0] } else { &[] };
        self.path(at).iter().chain(inner).copied().collect()
    }

    fn leaf(self, at: u32) -> Path {
        self.line(at).iter().copied().chain([0]).collect()
    }

    /// The elements that an Enter divides, the innermost first.
    fn divided(self, at: u32) -> Vec<(Path, &'static str)> {
        match self {
            Self::Flat | Self::Page | Self::Line => vec![(self.line(at), "paragraph")],
            Self::List => vec![(self.line(at), "paragraph"), (self.path(at), "li")],
        }
    }

    fn enter(self, at: u32) -> Vec<Op> {
        self.enter_at(at, if matches!(self, Self::Line) { 2 } else { 4 })
    }

    fn enter_at(self, at: u32, offset: u32) -> Vec<Op> {
        let split = |path: Path, position, kind: Option<&str>| {
            let properties = kind.map(|kind| ("type".into(), kind.into())).into_iter().collect();
            Op::SplitNode { path, position, properties }
        };
        let leaf = split(self.leaf(at), offset, None);
        let elements = self.divided(at).into_iter().map(|(path, kind)| split(path, 1, Some(kind)));
        [leaf].into_iter().chain(elements).collect()
    }

    fn join(self, at: u32) -> Vec<Op> {
        let merge = |path: Path, position| Op::MergeNode { path, position, properties: Default::default() };
        let inner = match self {
            Self::Flat | Self::Page | Self::Line => vec![],
            Self::List => vec![merge(self.path(at - 1).iter().copied().chain([1]).collect(), 1)],
        };
        let leaf = merge(self.line(at - 1).iter().copied().chain([1]).collect(), 4);
        [merge(self.path(at), 1)].into_iter().chain(inner).chain([leaf]).collect()
    }

    fn shift(self, from: u32, to: u32) -> Op {
        Op::MoveNode { path: self.path(from), new_path: self.path(to) }
    }
}

/// Two with the same document of so many blocks, of which one was edited before.
fn two(shape: Shape, blocks: u32) -> (Editor, Editor) {
    let (mut one, mut two) = two_with(&nodes(&shape.value(blocks)));
    for update in one.doc.raise_format(1) {
        two.doc.apply_update(&update).expect("a format");
    }
    if matches!(shape, Shape::Line) {
        for at in (1..blocks).rev() {
            let change = one.doc.apply_local(shape.enter_at(1, 4 * at));
            two.doc.apply_update(&change.update.expect("an edit")).expect("an update");
        }
    }
    let change = one.doc.apply_local(shape.enter(blocks - 2));
    two.doc.apply_update(&change.update.expect("an edit")).expect("an update");
    (one, two)
}

/// What one does to a document of so many blocks, in several edits.
fn acts(shape: Shape, blocks: u32) -> Vec<(&'static str, Vec<Op>)> {
    let at = blocks / 2;
    let block = |text: &str| node(&shape.block(text));
    let bold = [("bold".into(), Any::Bool(true))].into();
    let quote = || node(&json!({ "type": "q", "children": [] }));
    let into = |nth: u32| Op::MoveNode {
        path: shape.path(at + 1),
        new_path: shape.path(at).iter().copied().chain([nth]).collect(),
    };
    let in_lines = vec![
        ("type", vec![Op::InsertText { path: shape.leaf(at), offset: 3, text: "x".into() }]),
        ("Enter", shape.enter(at)),
        ("Enter again", shape.enter(at + 1)),
        ("Backspace", shape.join(at + 1)),
        ("at both ends", shape.enter(blocks - 5).into_iter().chain(shape.enter(3)).collect()),
    ];
    if matches!(shape, Shape::Line) {
        return in_lines;
    }
    let of_blocks = vec![
        ("two lines joined", shape.join(at - 3)),
        ("bold", vec![Op::SetNode { path: shape.leaf(at), properties: Default::default(), new_properties: bold }]),
        ("paste", (0..3).map(|n| Op::InsertNode { path: shape.path(at + n), node: block("new") }).collect()),
        ("remove", vec![Op::RemoveNode { path: shape.path(at), node: block("new") }]),
        ("move over half of all", vec![shape.shift(1, at)]),
        ("move it back", vec![shape.shift(at, 1)]),
        ("move it again", vec![shape.shift(1, at + 2)]),
        ("wrap", vec![Op::InsertNode { path: shape.path(at), node: quote() }, into(0), into(1)]),
    ];
    in_lines.into_iter().chain(of_blocks).collect()
}

#[test]
fn an_edit_looks_at_what_it_concerns() {
    for shape in [Shape::Flat, Shape::Page, Shape::List, Shape::Line] {
        costs_the_same(shape);
    }
}

fn costs_the_same(shape: Shape) {
    let count = |blocks: u32| -> Vec<(String, usize)> {
        let (mut one, mut other) = two(shape, blocks);
        let mut counts = Vec::new();
        let mut note = |what: String| counts.push((what, take_pieces()));
        take_pieces();
        for (name, ops) in acts(shape, blocks) {
            let change = one.doc.apply_local(ops);
            assert!(change.rejected.is_empty(), "{shape:?}, {name}: {:?}", change.rejected);
            note(name.to_owned());
            other.doc.apply_update(&change.update.expect("an edit")).expect("an update");
            note(format!("{name}, for a peer"));
            let (back, _) = one.doc.revert(&change.acts, change.passage.as_ref());
            note(format!("{name}, taken back"));
            let (again, _) = one.doc.revert(&back.acts, back.passage.as_ref());
            note(format!("{name}, done again"));
            for update in [back.update, again.update].into_iter().flatten() {
                other.doc.apply_update(&update).expect("an update");
            }
            take_pieces();
        }
        counts
    };
    let (short, long) = (count(30), count(600));
    assert_eq!(short, long, "{shape:?}");
    let typed =
        short.iter().filter(|(name, _)| name.starts_with("type") && !name.contains("taken") && !name.contains("again"));
    assert!(typed.into_iter().all(|(_, pieces)| *pieces == 0), "{shape:?}: typing looks at nothing: {short:?}");
    assert!(short.iter().all(|(_, pieces)| *pieces < 300), "{shape:?}: {short:?}");
}

/// Who writes a property without pinning it changes all pieces behind, also those that are left out.
#[test]
fn pieces_that_are_left_out_inherit_what_changed_before_them() {
    let (mut one, _) = two(Shape::Line, 12);
    let doc = yrs::Doc::new();
    let mut txn = doc.transact_mut();
    txn.apply_update(Update::decode_v1(&one.doc.encode_state(None).expect("a state")).expect("valid")).expect("valid");
    let before = txn.state_vector();
    let content = txn.get_or_insert_text("content");
    let embedded = |diffs: Vec<Diff<YChange>>| -> Vec<XmlTextRef> {
        let embed = |diff: Diff<YChange>| if let Out::YXmlText(text) = diff.insert { Some(text) } else { None };
        diffs.into_iter().filter_map(embed).collect()
    };
    let blocks = embedded(content.diff(&txn, YChange::identity));
    let breaks = embedded(blocks[1].diff(&txn, YChange::identity));
    breaks[4].insert_attribute(&mut txn, "type", "heading");
    txn.commit();
    let update = txn.encode_state_as_update_v1(&before);
    one.doc.apply_update(&update).expect("an update");
    let kinds: Vec<String> = one.doc.value().iter().map(kind).collect();
    let expected = |at: usize| if (6..14).contains(&at) { "heading" } else { "paragraph" };
    assert_eq!(kinds, (0..15).map(expected).collect::<Vec<_>>());
}

fn kind(node: &crate::slate::Node) -> String {
    match node {
        crate::slate::Node::Element(element) => match element.attrs.get("type") {
            Some(Any::String(kind)) => kind.to_string(),
            other => format!("{other:?}"),
        },
        crate::slate::Node::Text(_) => "text".into(),
    }
}
