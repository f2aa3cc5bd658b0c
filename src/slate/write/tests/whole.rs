//! Edits that came out only because a part of the document was written again whole.

use super::peer::{Peer, show};
use super::transforms::*;
use crate::slate::Node;

/// Two who have the same document.
fn two(value: Vec<Node>) -> [Peer; 2] {
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

fn q(children: Vec<Node>) -> Node {
    element("q", children)
}

fn exchange(one: &mut Peer, two: &mut Peer) -> String {
    let (sent, other) = (std::mem::take(&mut one.out), std::mem::take(&mut two.out));
    other.iter().for_each(|update| one.hear(update).expect("an update that is followed"));
    sent.iter().for_each(|update| two.hear(update).expect("an update that is followed"));
    one.load();
    two.load();
    assert_eq!(one.value, two.value);
    show(&one.value).replace("[]", "")
}

/// Where another has put in an image, text that was made bare is shown in the line that was taken from around it. Backspace
/// behind that line: what had stood there is not shown because the line is.
#[test]
fn joined_to_a_line_that_is_shown_for_its_text() {
    let [mut one, mut other] = two(vec![q(vec![q(vec![p("ab"), p("xy")]), p("cdefgh")])]);
    one.unwrap(&[0, 0, 1]);
    one.unwrap(&[0, 0, 0]);
    one.normalize();
    one.flush().expect("bare text");
    other.insert(&[0, 0, 0], element("image", vec![text("")]));
    other.flush().expect("an image");
    assert_eq!(exchange(&mut one, &mut other), r#"q[q[image[""] p["abxy"]] p["cdefgh"]]"#);
    one.merge_blocks(&[0, 0, 1], &[0, 1]);
    one.normalize();
    one.flush().expect("an exact flush");
    assert_eq!(exchange(&mut one, &mut other), r#"q[q[image[""] p["abxycdefgh"]]]"#);
}
