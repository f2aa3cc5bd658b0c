//! Edits that came out only because a part of the document was written again whole.

use super::peer::{Peer, exchange, two};
use super::transforms::*;
use crate::slate::Node;

fn q(children: Vec<Node>) -> Node {
    element("q", children)
}

/// [`exchange`], without the list of properties where there are none.
fn shown_to(one: &mut Peer, two: &mut Peer) -> String {
    exchange(one, two).replace("[]", "")
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
    assert_eq!(shown_to(&mut one, &mut other), r#"q[q[image[""] p["abxy"]] p["cdefgh"]]"#);
    one.merge_blocks(&[0, 0, 1], &[0, 1]);
    one.normalize();
    one.flush().expect("an exact flush");
    assert_eq!(shown_to(&mut one, &mut other), r#"q[q[image[""] p["abxycdefgh"]]]"#);
}
