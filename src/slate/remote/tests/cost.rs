//! How long it takes, by hand: `cargo test --release remote::tests::cost -- --ignored --nocapture`.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::check::check;
use super::trees::chars;
use crate::slate::remote::steps;
use crate::slate::value::node::Attrs;
use crate::slate::view::tree::{Chars, Element, Kid, Leaf, NodeId};
use crate::slate::ydoc::Id;

const BLOCKS: u32 = 3300;

fn element(kind: &str, id: NodeId, kids: Vec<Kid>) -> Rc<Element> {
    let props = Attrs::from([("type".into(), kind.into())]);
    Rc::new(Element { id, props: Rc::new(props), kids, inline: false, void: false })
}

fn head(n: u32) -> NodeId {
    NodeId::Head(Id::new(9, n))
}

fn leaf(runs: Vec<Chars>) -> Kid {
    Kid::Leaf(Leaf { marks: Rc::default(), runs })
}

fn line(n: u32) -> Kid {
    let text = "So many words that a line of a screenplay has, more or less.";
    Kid::Element(element("p", head(n), vec![leaf(vec![chars(Some(Id::new(1, n * 100)), text)])]))
}

fn root(kids: Vec<Kid>) -> Rc<Element> {
    element("", NodeId::Root, kids)
}

/// The old tree with other kids.
fn with(old: &Rc<Element>, change: impl FnOnce(&mut Vec<Kid>)) -> Rc<Element> {
    let mut new = (**old).clone();
    change(&mut new.kids);
    Rc::new(new)
}

fn measure(name: &str, old: &Rc<Element>, new: &Rc<Element>) {
    let count = check(old, new).len();
    let mut times: Vec<Duration> = (0..101)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(steps(old, new));
            start.elapsed()
        })
        .collect();
    times.sort();
    println!("{name}: {:.1} µs, {count} operations", times[50].as_secs_f64() * 1e6);
}

/// A paragraph of one run, with something at every third letter.
fn thirds(change: impl Fn(u32, &mut Vec<Kid>)) -> (Rc<Element>, Rc<Element>) {
    let text = "abc".repeat(3000);
    let old = element("p", head(1), vec![leaf(vec![chars(Some(Id::new(1, 0)), &text)])]);
    let mut kids = Vec::new();
    for n in 0..3000 {
        change(n, &mut kids);
    }
    (root(vec![Kid::Element(old)]), root(vec![Kid::Element(element("p", head(1), kids))]))
}

fn joined(kids: Vec<Kid>) -> Vec<Kid> {
    let runs = kids.into_iter().flat_map(|kid| match kid {
        Kid::Leaf(leaf) => leaf.runs,
        Kid::Element(_) => Vec::new(),
    });
    vec![leaf(runs.collect())]
}

fn in_one_leaf((old, new): (Rc<Element>, Rc<Element>)) -> (Rc<Element>, Rc<Element>) {
    let Kid::Element(line) = &new.kids[0] else { unreachable!() };
    (old, root(vec![Kid::Element(element("p", head(1), joined(line.kids.clone())))]))
}

#[test]
#[ignore = "by hand"]
fn in_a_long_document() {
    let old = root((0..BLOCKS).map(line).collect());
    let typed = with(&old, |kids| {
        let Kid::Element(line) = &kids[1600] else { unreachable!() };
        let line = with(line, |kids| {
            let Kid::Leaf(leaf) = &mut kids[0] else { unreachable!() };
            let run = leaf.runs.remove(0);
            let id = run.id.unwrap();
            leaf.runs.push(chars(Some(id), &run.text[..20]));
            leaf.runs.push(chars(Some(Id::new(2, 0)), "x"));
            leaf.runs.push(chars(Some(id.plus(20)), &run.text[20..]));
        });
        kids[1600] = Kid::Element(line);
    });
    measure("a letter", &old, &typed);
    let divided = with(&old, |kids| {
        let Kid::Element(line) = &kids[1600] else { unreachable!() };
        let Kid::Leaf(Leaf { runs, .. }) = &line.kids[0] else { unreachable!() };
        let (run, id) = (&runs[0], runs[0].id.unwrap());
        let half = |at, text| leaf(vec![chars(Some(id.plus(at)), text)]);
        let (left, right) = (half(0, &run.text[..20]), half(20, &run.text[20..]));
        kids[1600] = Kid::Element(element("p", line.id.clone(), vec![left]));
        kids.insert(1601, Kid::Element(element("p", head(9999), vec![right])));
    });
    measure("an Enter", &old, &divided);
    measure("a block moved over 1,000", &old, &with(&old, |kids| kids[1000..=2000].rotate_left(1)));
    let wrap = |kids: &mut Vec<Kid>, from: usize, to: usize| {
        let inner = kids.drain(from..to).collect();
        kids.insert(from, Kid::Element(element("q", head(9999), inner)));
    };
    let wrapped = with(&old, |kids| wrap(kids, 1000, 1500));
    measure("500 wrapped", &old, &wrapped);
    measure("500 unwrapped", &wrapped, &old);
    let inserted = with(&old, |kids| {
        kids.splice(1000..1000, (5000..5300).map(line));
    });
    measure("300 inserted", &old, &inserted);
    measure("300 removed", &inserted, &old);
    let scattered = with(&old, |kids| {
        for n in 0..300 {
            kids.insert(n as usize * 11, line(5000 + n));
        }
    });
    measure("300 inserted here and there", &old, &scattered);
    let reversed = with(&old, |kids| kids[1000..1500].reverse());
    measure("500 reversed", &old, &reversed);
    let new = root((5000..5000 + BLOCKS).map(line).collect());
    measure("everything replaced", &old, &new);
}

#[test]
#[ignore = "by hand"]
fn in_a_long_paragraph() {
    let third = |n: u32, from: u32, text: &str| chars(Some(Id::new(1, n * 3 + from)), text);
    let (old, typed) = in_one_leaf(thirds(|n, kids| {
        kids.push(leaf(vec![third(n, 0, "abc"), chars(Some(Id::new(2, n * 2)), "x")]));
    }));
    measure("3,000 insertions into a paragraph", &old, &typed);
    measure("3,000 deletions", &typed, &old);
    let (old, marked) = thirds(|n, kids| {
        let bold = Attrs::from([("b".into(), true.into())]);
        kids.push(leaf(vec![third(n, 0, "ab")]));
        kids.push(Kid::Leaf(Leaf { marks: Rc::new(bold), runs: vec![third(n, 2, "c")] }));
    });
    measure("3,000 marks in a paragraph", &old, &marked);
    measure("3,000 marks removed", &marked, &old);
}
