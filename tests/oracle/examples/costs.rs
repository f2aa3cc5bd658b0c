#![allow(clippy::expect_used, reason = "it measures, and stops where it cannot")]
//! What edits cost natively in format 1, beside format 0: `cargo run --release -p slate-yrs-oracle --example costs`, with a
//! part of a name and a format to run one alone.

use std::time::Instant;

use slate_yrs::slate::{Attrs, DocOptions, Element, Leaf, LocalChange, Node, Op, Path, SlateDoc};
use slate_yrs::undo::Undo;

const BLOCKS: usize = 3_300;
const PIECES: u32 = 5_000;

fn at(path: &[u32]) -> Path {
    Path::from_slice(path)
}

fn script() -> Vec<Node> {
    let text = "He looks up from the page, and the room is quite another one.";
    (0..BLOCKS).map(|n| block(["action", "dialogue", "character"][n % 3], &text[..20 + n % 40])).collect()
}

fn doc(format: u32, client_id: u32, value: &[Node]) -> SlateDoc {
    let mut doc = SlateDoc::new(DocOptions {
        client_id,
        root: "content".into(),
        block_id: None,
        seed: 1,
        schema: Default::default(),
    });
    doc.load(&SlateDoc::seed_update("content", value)).expect("valid");
    doc.raise_format(format);
    doc
}

fn key(path: &[u32], offset: u32, text: &str) -> Op {
    Op::InsertText { path: at(path), offset, text: text.into() }
}

fn split(block: u32, position: u32) -> [Op; 2] {
    [
        Op::SplitNode { path: at(&[block, 0]), position, properties: Default::default() },
        Op::SplitNode { path: at(&[block]), position: 1, properties: [("type".into(), "action".into())].into() },
    ]
}

fn merge(doc: &SlateDoc, block: u32, length: u32) -> [Op; 2] {
    let Some(Node::Element(element)) = doc.block(block).0 else { unreachable!() };
    [
        Op::MergeNode { path: at(&[block]), position: 1, properties: element.attrs.clone() },
        Op::MergeNode { path: at(&[block - 1, 1]), position: length, properties: Default::default() },
    ]
}

fn length(doc: &SlateDoc, block: u32) -> u32 {
    let Some(Node::Element(element)) = doc.block(block).0 else { unreachable!() };
    let Node::Text(text) = &element.children[0] else { unreachable!() };
    text.text.len() as u32
}

fn bold(block: u32, to: Option<bool>) -> Op {
    let value = |on: Option<bool>| on.map(|on| ("bold".into(), on.into())).into_iter().collect();
    Op::SetNode { path: at(&[block, 1]), properties: value(to.map_or(Some(true), |_| None)), new_properties: value(to) }
}

/// Milliseconds: the median.
fn time<T>(n: usize, mut run: impl FnMut(usize) -> T) -> f64 {
    let mut samples: Vec<f64> = (0..n)
        .map(|at| {
            let start = Instant::now();
            drop(run(at));
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    samples.sort_by(f64::total_cmp);
    samples[n / 2]
}

fn done(change: LocalChange) -> LocalChange {
    assert!(change.rejected.is_empty(), "{:?}", change.rejected);
    change
}

fn record(undo: &mut Undo, doc: &SlateDoc, now: u64, change: LocalChange) {
    match doc.is_by_reference() {
        true => undo.record_acts(now, change.acts, change.passage, None),
        false => undo.record(now, change.inverse, None),
    }
}

fn print(what: &str, mut run: impl FnMut(u32) -> f64) {
    if std::env::args().nth(1).is_some_and(|only| !what.contains(&only)) {
        return;
    }
    if let Some(format) = std::env::args().nth(2) {
        return println!("{what:42} {:9.3}", run(format.parse().unwrap_or_default()));
    }
    let (plain, by_reference) = (run(0), run(1));
    println!("{what:42} {plain:9.3} {by_reference:9.3}  {:.1}", by_reference / plain);
}

fn block(kind: &str, text: &str) -> Node {
    Node::Element(Element {
        attrs: Attrs::from([("type".into(), kind.into())]),
        children: vec![Node::Text(Leaf { text: text.into(), marks: Attrs::new() })],
    })
}

/// Of a hundred blocks so many are moved, divided, joined and removed in a document's life.
const OF_A_HUNDRED: usize = 10;

/// A document that lived: blocks were typed, a hundred in a flush; then of each hundred ten were moved, divided, joined and
/// removed.
fn life(format: u32, blocks: usize) -> SlateDoc {
    let mut doc = doc(format, 1, &script()[..1]);
    let mut rng = fastrand::Rng::with_seed(1);
    let mut together = |count: usize, act: &mut dyn FnMut(&mut fastrand::Rng, &mut Vec<String>) -> Vec<Op>| {
        let mut lines: Vec<String> = doc.blocks().map(|node| text_of(&node)).collect();
        for chunk in (0..count).collect::<Vec<_>>().chunks(100) {
            let ops = chunk.iter().flat_map(|_| act(&mut rng, &mut lines)).collect();
            done(doc.apply_local(ops));
        }
    };
    let words = "He looks up from the page, and the room is quite another one. ";
    together(blocks, &mut |rng, lines| {
        lines.push(words[..20 + rng.usize(..words.len() - 20)].into());
        let last = lines.len() - 1;
        vec![Op::InsertNode { path: at(&[last as u32]), node: block("action", &lines[last]) }]
    });
    let times = blocks * OF_A_HUNDRED / 100;
    together(times, &mut |rng, lines| {
        let (from, to) = (rng.usize(..lines.len()), rng.usize(..lines.len()));
        let line = lines.remove(from);
        lines.insert(to, line);
        vec![Op::MoveNode { path: at(&[from as u32]), new_path: at(&[to as u32]) }]
    });
    together(times, &mut |rng, lines| {
        let (at, len) = rng_line(rng, lines);
        if len < 2 {
            return Vec::new();
        }
        let position = 1 + rng.usize(..len - 1);
        let behind = lines[at].split_off(position);
        lines.insert(at + 1, behind);
        split(at as u32, position as u32).to_vec()
    });
    together(times, &mut |rng, lines| {
        let here = 1 + rng.usize(..lines.len() - 1);
        let line = lines.remove(here);
        let position = lines[here - 1].len() as u32;
        lines[here - 1] += &line;
        let properties = Attrs::from([("type".into(), "action".into())]);
        vec![
            Op::MergeNode { path: at(&[here as u32]), position: 1, properties },
            Op::MergeNode { path: at(&[here as u32 - 1, 1]), position, properties: Default::default() },
        ]
    });
    together(times, &mut |rng, lines| {
        let here = rng.usize(..lines.len());
        let node = block("action", &lines.remove(here));
        vec![Op::RemoveNode { path: at(&[here as u32]), node }]
    });
    doc
}

/// A document that was typed into for so many days, 2,000 keys each, by another client each day: letters, now and then Backspace
/// and Enter, every sixty keys somewhere else. What an Enter took on the last day: the median.
fn month(format: u32, days: u32) -> f64 {
    let mut doc = doc(format, 1, &[block("action", "It was a dark and stormy night.")]);
    let mut rng = fastrand::Rng::with_seed(7);
    let mut took = Vec::new();
    for day in 0..days {
        let state = doc.encode_state(None).expect("state");
        doc = self::doc(0, 100 + day, &[]);
        doc.load(&state).expect("valid");
        let mut lines: Vec<u32> = doc.blocks().map(|node| text_of(&node).len() as u32).collect();
        let (mut line, mut offset) = (0, 0);
        took.clear();
        for _ in 0..2_000 {
            if rng.u32(..60) == 0 {
                line = rng.usize(..lines.len());
                offset = rng.u32(..=lines[line]);
            }
            let at_line = line as u32;
            match rng.u32(..100) {
                0..8 if offset > 0 => {
                    offset -= 1;
                    lines[line] -= 1;
                    let text = text_of(&doc.block(at_line).0.expect("a block"));
                    let text = text[offset as usize..=offset as usize].into();
                    done(doc.apply_local(vec![Op::RemoveText { path: at(&[at_line, 0]), offset, text }]));
                }
                0..8 if line > 0 => {
                    offset = lines[line - 1];
                    done(doc.apply_local(merge(&doc, at_line, offset).to_vec()));
                    lines[line - 1] += lines.remove(line);
                    line -= 1;
                }
                0..8 => {}
                8..10 => {
                    let start = Instant::now();
                    done(doc.apply_local(split(at_line, offset).to_vec()));
                    took.push(start.elapsed().as_secs_f64() * 1e3);
                    lines.insert(line + 1, lines[line] - offset);
                    lines[line] = offset;
                    (line, offset) = (line + 1, 0);
                }
                _ => {
                    done(doc.apply_local(vec![key(&[at_line, 0], offset, "e")]));
                    offset += 1;
                    lines[line] += 1;
                }
            }
        }
    }
    took.sort_by(f64::total_cmp);
    took[took.len() / 2]
}

fn rng_line(rng: &mut fastrand::Rng, lines: &[String]) -> (usize, usize) {
    let at = rng.usize(..lines.len());
    (at, lines[at].len())
}

fn text_of(node: &Node) -> String {
    match node {
        Node::Element(element) => element.children.iter().map(text_of).collect(),
        Node::Text(text) => text.text.clone(),
    }
}

/// From the bytes to a document with a value.
fn opening(state: &[u8]) -> f64 {
    time(5, |_| {
        let mut doc = doc(0, 2, &[]);
        assert!(doc.load(state).expect("valid"));
        doc
    })
}

/// A log as a tab leaves it that was never idle: a document of a thousand blocks, and an update for each key, eight at a
/// place; one in ten takes back the one before if `erase`.
fn keys(format: u32, count: usize, erase: bool) -> Vec<Vec<u8>> {
    let mut doc = doc(format, 1, &script()[..1_000]);
    let mut updates = vec![doc.encode_state(None).expect("state")];
    for n in 0..count {
        let (path, offset) = (at(&[((n >> 3) * 37 % 1_000) as u32, 0]), (n % 8) as u32);
        let op = match erase && n % 10 == 9 && offset > 0 {
            true => Op::RemoveText { path, offset: offset - 1, text: "x".into() },
            false => Op::InsertText { path, offset: offset - offset.min(u32::from(erase)), text: "x".into() },
        };
        updates.extend(done(doc.apply_local(vec![op])).update);
    }
    updates
}

fn main() {
    let middle = BLOCKS as u32 / 2;
    println!("{:42} {:>9} {:>9}", "milliseconds", "format 0", "format 1");
    print(&format!("opening {BLOCKS} blocks"), |format| {
        opening(&doc(format, 1, &script()).encode_state(None).expect("state"))
    });
    for blocks in [2_000, 20_000] {
        print(&format!("opening a life of {blocks} blocks"), |format| {
            opening(&life(format, blocks).encode_state(None).expect("state"))
        });
    }
    for (what, erase) in [("", false), (" and Backspaces", true)] {
        print(&format!("opening 50000 logged keys{what}"), |format| {
            let updates = keys(format, 50_000, erase);
            let log: Vec<&[u8]> = updates.iter().map(Vec::as_slice).collect();
            time(5, |_| {
                let mut doc = doc(0, 2, &[]);
                assert!(doc.load_all(&log).0.into_iter().all(|read| read));
                doc
            })
        });
    }
    for days in [1, 10, 30] {
        print(&format!("Enter on day {days} of typing"), |format| month(format, days));
    }
    print("200 splits", |format| {
        let mut doc = doc(format, 1, &script());
        done(doc.apply_local(vec![key(&[middle, 0], 0, &"word ".repeat(80))]));
        let ops: Vec<Op> = (0..200).flat_map(|n| split(middle + n, 2)).collect();
        time(1, |_| done(doc.apply_local(ops.clone())))
    });
    print("100 merges", |format| {
        let mut doc = doc(format, 1, &script());
        let mut len = length(&doc, middle);
        let ops: Vec<Op> = (1..=100)
            .flat_map(|n| {
                let mut ops = merge(&doc, middle + n, len);
                len += length(&doc, middle + n);
                ops.iter_mut().for_each(|op| {
                    if let Op::MergeNode { path, .. } = op {
                        let rest = path.len();
                        *path = if rest == 1 { at(&[middle + 1]) } else { at(&[middle, 1]) };
                    }
                });
                ops
            })
            .collect();
        time(1, |_| done(doc.apply_local(ops.clone())))
    });
    print("paste of 500", |format| {
        let mut doc = doc(format, 1, &script());
        let ops: Vec<Op> =
            script().drain(..500).zip(0..).map(|(node, n)| Op::InsertNode { path: at(&[middle + n]), node }).collect();
        time(1, |_| done(doc.apply_local(ops.clone())))
    });
    print("undo of 100 characters", |format| {
        let (mut doc, mut took) = (doc(format, 1, &script()), f64::MAX);
        time(9, |n| {
            let mut undo = Undo::new(500);
            for offset in 0..100 {
                let change = done(doc.apply_local(vec![key(&[middle + n as u32, 0], offset, "z")]));
                record(&mut undo, &doc, 0, change);
            }
            let start = Instant::now();
            assert!(undo.undo(&mut doc, None).is_some_and(|done| done.changed));
            took = took.min(start.elapsed().as_secs_f64() * 1e3);
        });
        took
    });
    print("a word made bold and not, 400 times", |format| {
        let mut doc = doc(format, 1, &script());
        time(1, |_| {
            for _ in 0..400 {
                let split = |kid, position| Op::SplitNode {
                    path: at(&[middle, kid]),
                    position,
                    properties: Default::default(),
                };
                done(doc.apply_local(vec![split(0, 10), split(0, 5), bold(middle, Some(true))]));
                let len = |path: &[u32]| Op::MergeNode { path: at(path), position: 5, properties: Default::default() };
                let mut second = len(&[middle, 1]);
                if let Op::MergeNode { position, .. } = &mut second {
                    *position = 10;
                }
                done(doc.apply_local(vec![bold(middle, None), len(&[middle, 1]), second]));
            }
        })
    });
    for what in ["undo", "redo"] {
        print(&format!("{what} of deleting all"), |format| {
            let mut doc = doc(format, 1, &script());
            let mut ops: Vec<Op> = Vec::new();
            for n in 0..BLOCKS as u32 {
                let Some(Node::Element(element)) = doc.block(n).0 else { unreachable!() };
                let Node::Text(text) = &element.children[0] else { unreachable!() };
                match n {
                    0 => ops.push(Op::RemoveText { path: at(&[0, 0]), offset: 0, text: text.text.clone() }),
                    _ => ops.push(Op::RemoveNode { path: at(&[1]), node: doc.block(n).0.expect("a block") }),
                }
            }
            let mut undo = Undo::new(500);
            let change = done(doc.apply_local(ops));
            record(&mut undo, &doc, 0, change);
            let first = time(1, |_| undo.undo(&mut doc, None));
            let second = time(1, |_| undo.redo(&mut doc, None));
            if what == "undo" { first } else { second }
        });
    }
    for (place, piece) in [("start", 1), ("middle", PIECES / 2), ("end", PIECES - 2)] {
        let line = |format| {
            let mut doc = match format {
                0 => doc(0, 1, &(0..PIECES).map(|_| block("action", "word ")).collect::<Vec<_>>()),
                _ => doc(1, 1, &[block("action", &"word ".repeat(PIECES as usize)), block("action", "The end.")]),
            };
            if format == 1 {
                for chunk in 0..PIECES / 50 {
                    done(doc.apply_local(
                        (0..50).map(|n| chunk * 50 + n).filter(|n| n + 1 < PIECES).flat_map(|n| split(n, 5)).collect(),
                    ));
                }
            }
            doc
        };
        print(&format!("key at the {place}"), |format| {
            let mut doc = line(format);
            time(100, |n| done(doc.apply_local(vec![key(&[piece, 0], 2 + n as u32, "e")])))
        });
        print(&format!("Enter at the {place}"), |format| {
            let mut doc = line(format);
            let at = |n: usize| if place == "end" { piece - n as u32 } else { piece + 2 * n as u32 };
            time(20, |n| done(doc.apply_local(split(at(n), 2).to_vec())))
        });
        print(&format!("remote key at the {place}"), |format| {
            let (mut one, mut two) = (line(format), doc(0, 2, &[]));
            two.load(&one.encode_state(None).expect("state")).expect("valid");
            let keys: Vec<Vec<u8>> =
                (0..100).filter_map(|n| one.apply_local(vec![key(&[piece, 0], 2 + n, "e")]).update).collect();
            time(100, |n| two.apply_update(&keys[n]).expect("valid"))
        });
    }
}
