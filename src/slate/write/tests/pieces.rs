//! Updates that the document takes in several transactions: what is shown follows all of them at once.

use serde_json::json;
use yrs::Doc;

use super::follower::Follower;
use super::peer::schema;
use crate::slate::tests::json::{node, op};
use crate::slate::{DocOptions, Node, Op, Path, Point, SlateDoc};
use crate::update::{Intake, Limits, merge};

struct Writer {
    doc: SlateDoc,
    updates: Vec<Vec<u8>>,
}

impl Writer {
    fn new() -> Self {
        let options = DocOptions { client_id: 1, root: "content".into(), block_id: None, seed: 1, schema: schema() };
        let mut doc = SlateDoc::new(options);
        let updates = doc.raise_format(1);
        Self { doc, updates }
    }

    fn edit(&mut self, op: Op) {
        let change = self.doc.apply_local(vec![op]);
        assert!(change.rejected.is_empty(), "{:?}", change.rejected);
        self.updates.extend(change.update);
    }

    fn insert(&mut self, at: u32, text: &str) {
        let block: Node = node(&json!({"type": "paragraph", "children": [{"text": text}]}));
        self.edit(Op::InsertNode { path: Path::from_slice(&[at]), node: block });
    }

    /// One update for each character, which nobody has joined.
    fn type_in(&mut self, block: u32, count: u32) {
        for offset in 0..count {
            let at = Point { path: Path::from_slice(&[block, 0]), offset };
            self.edit(Op::InsertText { path: at.path, offset, text: "x".into() });
        }
    }

    fn split(&mut self, block: u32, position: u32) {
        let parts = [(vec![block, 0], position), (vec![block], 1)];
        for (path, position) in parts {
            self.edit(op(
                &json!({"type": "split_node", "path": path, "position": position, "properties": {"type": "paragraph"}}),
            ));
        }
    }

    /// What was written since this was last asked for, as one update.
    fn take(&mut self) -> Vec<u8> {
        merge(std::mem::take(&mut self.updates)).expect("updates of our own")
    }
}

fn transactions(known: &[u8], update: &[u8]) -> u32 {
    let (doc, mut intake, mut count) = (Doc::with_client_id(9), Intake::default(), 0);
    intake.apply(&doc, known, Limits::NEW, &mut |_| {}).expect("applies");
    intake.apply(&doc, update, Limits::NEW, &mut |_| count += 1).expect("applies");
    count
}

/// Blocks that were there and new ones are typed in, split, merged and removed, all in one update. A block that is there
/// changes in one of its transactions and is gone after the last.
#[test]
fn an_update_in_several_transactions_is_followed() {
    let mut writer = Writer::new();
    let mut follower = Follower::new();
    for (at, text) in (0..).zip(["one", "two", "three"]) {
        writer.insert(at, text);
    }
    let start = writer.take();
    follower.hear(&start).expect("the beginning");
    writer.type_in(0, 1_200);
    writer.split(0, 600);
    writer.insert(1, "between");
    writer.type_in(1, 1_200);
    writer.type_in(3, 700);
    for path in [vec![3], vec![1]] {
        let gone = writer.doc.value()[path[0] as usize].clone();
        writer.edit(Op::RemoveNode { path: Path::from_slice(&path), node: gone });
    }
    writer.type_in(2, 600);
    let update = writer.take();
    assert!(transactions(&start, &update) > 3);
    follower.hear(&update).expect("all of it");
    follower.shows(&writer.doc.value()).expect("the same");
}
