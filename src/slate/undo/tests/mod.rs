//! Taking back what one did, alone.

mod alone;
mod formats;
mod together;

use crate::slate::write::tests::peer::schema;
use crate::slate::{DocOptions, Element, Leaf, Node, Op, Path, SlateDoc};

fn doc(text: &str) -> SlateDoc {
    let options = DocOptions { client_id: 5, root: "content".into(), block_id: None, seed: 1, schema: schema() };
    let mut doc = SlateDoc::new(options);
    doc.raise_format(1);
    let leaf = Node::Text(Leaf { text: text.into(), ..Leaf::default() });
    let node = Node::Element(Element { attrs: [("type".into(), "p".into())].into(), children: vec![leaf] });
    doc.apply_local(vec![Op::InsertNode { path: Path::from_slice(&[0]), node }]);
    doc
}

fn text(doc: &SlateDoc) -> String {
    let Some(Node::Element(element)) = doc.value().into_iter().next() else { return String::new() };
    let leaf = |node: &Node| match node {
        Node::Text(leaf) => leaf.text.clone(),
        Node::Element(_) => "[]".to_owned(),
    };
    element.children.iter().map(leaf).collect()
}

fn at() -> Path {
    Path::from_slice(&[0, 0])
}

/// However it was deleted: at once, or from either end.
#[test]
fn text_that_was_typed_at_several_times_comes_back_in_its_order() {
    for order in [vec![(0, "abcd")], vec![(3, "d"), (2, "c"), (1, "b"), (0, "a")], vec![(1, "bc"), (1, "d"), (0, "a")]]
    {
        let mut doc = doc("ad");
        for (offset, letter) in [(1, "c"), (1, "b")] {
            doc.apply_local(vec![Op::InsertText { path: at(), offset, text: letter.into() }]);
        }
        assert_eq!(text(&doc), "abcd");
        let mut acts = Vec::new();
        for (offset, letters) in &order {
            let op = Op::RemoveText { path: at(), offset: *offset, text: (*letters).into() };
            acts.extend(doc.apply_local(vec![op]).acts);
        }
        assert_eq!(text(&doc), "");
        let (change, _) = doc.revert(&acts, None);
        assert_eq!(text(&doc), "abcd", "{order:?}");
        let (change, _) = doc.revert(&change.acts, None);
        assert_eq!(text(&doc), "", "{order:?}");
        doc.revert(&change.acts, None);
        assert_eq!(text(&doc), "abcd", "{order:?}");
    }
}
