//! Tests of reading and writing the document.

use yrs::{Any, Doc, Text as _, Transact as _, Xml as _, XmlTextPrelim, XmlTextRef};

use super::{Mirror, ROOT, StandIn, Writer};
use crate::slate::write::tests::peer::{Peer, dump};
use crate::slate::write::tests::transforms::{Edits as _, p};

/// What is put in beyond what is left out stands there when all is there again, as in the document.
#[test]
fn what_is_put_in_beyond_what_is_left_out_stands_there() {
    for index in [0, 1, 2, 3] {
        let mut peer = Peer::new(1);
        (0..3).for_each(|at| peer.insert(&[at], p("a")));
        peer.flush().expect("a first document");
        let text = peer.doc.get_or_insert_text("content");
        let root: &XmlTextRef = text.as_ref();
        let mut txn = peer.doc.transact_mut();
        assert_eq!(text.len(&txn), 3);
        peer.mirror.divide(ROOT, [1, 1, 1]);
        peer.mirror.focus(&[1], |_| StandIn::Element);
        peer.mirror.look_around();
        Writer::new(&mut peer.mirror, &mut txn, 1).make(ROOT, index, &[("type".into(), "q".into())]);
        assert_eq!(peer.mirror.keeps_to_focus(), index == 1 || index == 2);
        peer.mirror.unite();
        assert_eq!(dump(&peer.mirror), dump(&Mirror::read(&mut txn, root)), "at {index}");
    }
}

/// Elements share their attributes where these are the same; 2 and 2.0 are not, though one equals the other.
#[test]
fn a_number_is_read_as_it_stands_in_the_document() {
    let doc = Doc::new();
    let text = doc.get_or_insert_text("content");
    let root: &XmlTextRef = text.as_ref();
    let mut txn = doc.transact_mut();
    let numbers = [Any::from(2.0), Any::from(2_i32), Any::from(2.0), Any::from(2_i32)];
    for (at, number) in (0..).zip(&numbers) {
        root.insert_embed(&mut txn, at, XmlTextPrelim::new("")).insert_attribute(&mut txn, "depth", number.clone());
    }
    let mirror = Mirror::read(&mut txn, root);
    let read = mirror.node(ROOT).items.iter().filter_map(|item| item.node());
    let read: Vec<Any> = read.filter_map(|node| mirror.node(node).registers.own.get("depth").cloned()).collect();
    assert_eq!(format!("{read:?}"), format!("{numbers:?}"));
}
