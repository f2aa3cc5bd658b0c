//! One editor on a document of its own, with a replica that is fed by its updates alone.

use std::collections::HashSet;
use std::rc::Rc;

use yrs::updates::decoder::Decode as _;
use yrs::{ClientID, Doc, OffsetKind, Options, ReadTxn as _, StateVector, Transact as _, Update, XmlTextRef};

use super::follower::Follower;
use super::transforms::Edits;
use crate::slate::tests::model;
use crate::slate::view::tree::{Element, Kid};
use crate::slate::view::{self, Schema};
use crate::slate::write::{EditorTree, KnownParts};
use crate::slate::ydoc::{Id, Item, Mirror, Writer};
use crate::slate::{self, Leaf, Node, Op};

pub fn schema() -> Schema {
    let list = |types: &[&str]| types.iter().map(|name| (*name).to_owned()).collect();
    Schema::by_type(list(&["a", "mention"]), list(&["image", "mention"]))
}

fn new_doc(client: u64) -> (Doc, XmlTextRef) {
    let doc = Doc::with_options(Options {
        offset_kind: OffsetKind::Utf16,
        cleanup_formatting: false,
        ..Options::with_guid_and_client_id("".into(), ClientID::new(client))
    });
    let text = doc.get_or_insert_text("content");
    let root: &XmlTextRef = text.as_ref();
    let root = root.clone();
    (doc, root)
}

pub struct Peer {
    pub doc: Doc,
    root: XmlTextRef,
    client: u64,
    pub mirror: Mirror,
    /// What the last flush found, as long as the mirror is the same.
    known: KnownParts,
    pub tree: EditorTree,
    pub old: Rc<Element>,
    /// What the editor shows, by Slate's own semantics.
    pub value: Vec<Node>,
    /// Fed by the updates alone.
    twin: (Doc, XmlTextRef),
    /// Led by operations.
    follower: Follower,
    /// Updates that others have not heard of.
    pub out: Vec<Vec<u8>>,
    /// How often the last flush looked at what the document shows.
    pub views: u32,
    /// Flushes that had to write something again whole.
    pub rewritten: u32,
    /// Looks for what differs between the mirror and the document after every flush.
    pub log: Vec<Op>,
}

impl Peer {
    pub fn new(client: u64) -> Self {
        let (doc, root) = new_doc(client);
        let mirror = Mirror::read(&mut doc.transact_mut(), &root);
        let old = shown(&mirror);
        let tree = EditorTree::new(old.clone(), schema());
        let twin = new_doc(1);
        let (value, out, log) = (Vec::new(), Vec::new(), Vec::new());
        let follower = Follower::new();
        Self {
            doc,
            root,
            client,
            mirror,
            known: KnownParts::default(),
            tree,
            old,
            value,
            twin,
            follower,
            out,
            rewritten: 0,
            views: 0,
            log,
        }
    }

    pub fn apply(&mut self, op: Op) {
        model::apply(&mut self.value, &op);
        self.tree.apply(&op).expect("a legal operation");
        self.log.push(op);
    }

    /// The update, and whether view and mirror are as they should.
    pub fn flush(&mut self) -> Result<Vec<u8>, String> {
        self.log.clear();
        if nodes(self.tree.root()) != self.value {
            return Err(format!("the tree is not the editor's value: {}", show(&self.value)));
        }
        let mut txn = self.doc.transact_mut();
        let mut writer = Writer::new(&mut self.mirror, &mut txn, self.client);
        let flushed = self.known.flush(&mut writer, &mut self.tree, &schema());
        let changed = txn.has_changes();
        let update = txn.encode_update_v1();
        drop(txn);
        self.views = flushed.views;
        self.rewritten += u32::from(flushed.rewritten);
        self.old = flushed.tree.clone();
        if changed {
            self.out.push(update.clone());
        }
        self.follower.hear(&update)?;
        self.follower.shows(&self.value)?;
        hear(&self.twin.0, &update);
        let fresh = Mirror::read(&mut self.twin.0.transact_mut(), &self.twin.1);
        let seen = nodes(&shown(&fresh));
        let wanted = model::canonical(&self.value);
        if model::canonical(&seen) != wanted || !flushed.exact {
            return Err(format!("shown {}\n   editor {}", show(&seen), show(&self.value)));
        }
        if flushed.rewritten {
            return Err(format!("written again\n   editor {}", show(&self.value)));
        }
        if nodes(&self.old) != self.value {
            return Err(format!("the fitted tree is {}\n   editor {}", show(&nodes(&self.old)), show(&self.value)));
        }
        same_mirror(&self.mirror, &fresh)?;
        same_ids(&self.old, &shown(&fresh))?;
        Ok(update)
    }

    pub fn hear(&mut self, update: &[u8]) -> Result<(), String> {
        hear(&self.doc, update);
        hear(&self.twin.0, update);
        self.follower.hear(update)
    }

    /// After others were heard: the editor shows what the document shows.
    pub fn load(&mut self) {
        self.mirror = Mirror::read(&mut self.doc.transact_mut(), &self.root);
        let view = view::show(&self.mirror, &schema(), &HashSet::new());
        self.old = view::tree(&self.mirror, &view);
        self.known = KnownParts::new(&self.mirror, &schema(), view);
        self.tree.reset(self.old.clone());
        self.value = nodes(&self.old);
    }

    pub fn state(&self) -> Vec<u8> {
        self.doc.transact().encode_state_as_update_v1(&StateVector::default())
    }

    pub fn dump(&self) -> String {
        dump(&self.mirror)
    }
}

impl Edits for Peer {
    fn content(&self) -> &[Node] {
        &self.value
    }

    fn op(&mut self, op: Op) {
        self.apply(op);
    }
}

fn hear(doc: &Doc, update: &[u8]) {
    let update = Update::decode_v1(update).expect("an update");
    doc.transact_mut().apply_update(update).expect("an update that fits");
}

pub fn shown(mirror: &Mirror) -> Rc<Element> {
    view::tree(mirror, &view::show(mirror, &schema(), &HashSet::new()))
}

pub fn nodes(element: &Element) -> Vec<Node> {
    element.kids.iter().map(node).collect()
}

fn node(kid: &Kid) -> Node {
    match kid {
        Kid::Leaf(leaf) => {
            Node::Text(Leaf { text: leaf.runs.iter().map(|run| &*run.text).collect(), marks: (*leaf.marks).clone() })
        }
        Kid::Element(element) => {
            Node::Element(slate::Element { attrs: (*element.props).clone(), children: nodes(element) })
        }
    }
}

/// One line for people.
pub fn show(value: &[Node]) -> String {
    let part = |node: &Node| match node {
        Node::Text(leaf) if leaf.marks.is_empty() => format!("{:?}", leaf.text),
        Node::Text(leaf) => {
            format!("{:?}*{:?}", leaf.text, leaf.marks.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>())
        }
        Node::Element(element) => {
            let props = element.attrs.iter().filter(|(name, _)| &***name != "type").map(|(k, v)| format!("{k}={v}"));
            let kind = element.attrs.get("type").map_or("?".to_owned(), |kind| kind.to_string());
            format!("{kind}{:?}[{}]", props.collect::<Vec<_>>(), show(&element.children)).replace("[][", "[")
        }
    };
    value.iter().map(part).collect::<Vec<_>>().join(" ")
}

/// Two who have the same document.
pub fn two(value: Vec<Node>) -> [Peer; 2] {
    let mut first = Peer::new(1);
    value.into_iter().enumerate().for_each(|(at, node)| first.insert(&[at], node));
    first.flush().expect("the first document");
    [10, 11].map(|client| {
        let mut peer = Peer::new(client);
        peer.hear(&first.state()).expect("a state that is followed");
        peer.load();
        peer
    })
}

/// Both hear what the other has done, and show the same then: this.
pub fn exchange(one: &mut Peer, two: &mut Peer) -> String {
    let (sent, other) = (std::mem::take(&mut one.out), std::mem::take(&mut two.out));
    other.iter().for_each(|update| one.hear(update).expect("an update that is followed"));
    sent.iter().for_each(|update| two.hear(update).expect("an update that is followed"));
    one.load();
    two.load();
    assert_eq!(one.value, two.value);
    show(&one.value)
}

fn same_mirror(ours: &Mirror, fresh: &Mirror) -> Result<(), String> {
    let (ours, fresh) = (dump(ours), dump(fresh));
    if ours == fresh { Ok(()) } else { Err(format!("the mirror differs:\n{ours}\n--\n{fresh}")) }
}

/// The fitted tree has the ids that the document has.
fn same_ids(fitted: &Element, shown: &Element) -> Result<(), String> {
    let ids = |element: &Element| {
        let (mut elements, mut chars) = (Vec::new(), Vec::new());
        collect(element, &mut elements, &mut chars);
        (elements, chars)
    };
    if ids(fitted) == ids(shown) { Ok(()) } else { Err(format!("ids differ: {:?}\n {:?}", ids(fitted), ids(shown))) }
}

fn collect(element: &Element, elements: &mut Vec<String>, chars: &mut Vec<Option<Id>>) {
    elements.push(format!("{:?}", element.id));
    for kid in &element.kids {
        match kid {
            Kid::Element(kid) => collect(kid, elements, chars),
            Kid::Leaf(leaf) => {
                for run in &leaf.runs {
                    chars.extend((0..run.len).map(|n| run.id.map(|id| id.plus(n))));
                }
            }
        }
    }
}

pub fn dump(mirror: &Mirror) -> String {
    let mut out = String::new();
    fn go(mirror: &Mirror, at: u32, pad: &str, out: &mut String) {
        let mut last: Option<(Id, String)> = None;
        for item in &mirror.node(at).items {
            match item {
                Item::Text(run) => {
                    let formats: Vec<String> = run.formats.iter().map(|(k, v)| format!("{k}={v}")).collect();
                    let goes_on =
                        last.as_ref().is_some_and(|(id, with)| *id == run.id && *with == format!("{formats:?}"));
                    match goes_on {
                        true => out.push_str(&format!("+{}", run.text)),
                        false => out.push_str(&format!("\n{pad}{} {:?} {}", run.id, formats, run.text)),
                    }
                    last = Some((run.id.plus(run.len), format!("{formats:?}")));
                }
                Item::Foreign | Item::Left { .. } => out.push_str("\n?"),
                Item::Node(node) => {
                    last = None;
                    let data = mirror.node(*node);
                    let formats: Vec<String> = data.formats.iter().map(|(k, v)| format!("{k}={v}")).collect();
                    out.push_str(&format!("\n{pad}{} {:?} {}", data.id, formats, registers(&data.registers)));
                    go(mirror, *node, &format!("{pad}    "), out);
                }
            }
        }
    }
    go(mirror, 0, "", &mut out);
    out.replace('+', "")
}

fn registers(registers: &crate::slate::ydoc::Registers) -> String {
    let all = format!("{registers:?}");
    let nothing = [
        "at: None, ",
        "off: On, ",
        "gone: None, ",
        "keep: false, ",
        "open: false, ",
        "of: Absent, ",
        "head: None, ",
        "says: None, ",
        "pins: Attrs([])",
    ];
    nothing.iter().fold(all, |all, part| all.replace(part, ""))
}
