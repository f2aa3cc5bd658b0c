//! Tests of reading and writing the document.

use yrs::{Text as _, Transact as _, XmlTextRef};

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
