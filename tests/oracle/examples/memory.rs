#![allow(clippy::expect_used, reason = "it measures, and stops where it cannot")]
//! What opening a document takes of memory natively, in MB: `cargo run --release -p slate-yrs-oracle --example memory`,
//! with a number of blocks. Where pointers are half as long, as in the module, it is some two thirds of that.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use slate_yrs::slate::{Attrs, DocOptions, Element, Leaf, Node, SlateDoc};

/// Counts what is taken, and the most that ever was.
struct Counting;

static TAKEN: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all is done by the system's allocator; beside that, numbers are counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let taken = TAKEN.fetch_add(layout.size(), Relaxed) + layout.size();
        MOST.fetch_max(taken, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        TAKEN.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn mb(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

fn doc(client_id: u32) -> SlateDoc {
    let (root, schema) = ("content".into(), Default::default());
    SlateDoc::new(DocOptions { client_id, root, block_id: None, seed: 1, schema })
}

fn block(n: usize) -> Node {
    let text = "He looks up from the page, and the room is quite another one.";
    let kind = ["action", "dialogue", "character"][n % 3];
    Node::Element(Element {
        attrs: Attrs::from([("type".into(), kind.into()), ("id".into(), format!("block-{n}").into())]),
        children: vec![Node::Text(Leaf { text: text[..20 + n % 40].into(), marks: Attrs::new() })],
    })
}

fn main() {
    let blocks = std::env::args().nth(1).and_then(|blocks| blocks.parse().ok()).unwrap_or(30_000);
    println!("{:10} {:>9} {:>9} {:>9} {:>9} {:>9}", blocks, "update", "yrs most", "yrs", "most", "document");
    for format in [0, 1] {
        let state = {
            let mut doc = doc(1);
            doc.load(&SlateDoc::seed_update("content", &(0..blocks).map(block).collect::<Vec<_>>())).expect("valid");
            doc.raise_format(format);
            doc.encode_state(None).expect("state")
        };
        let start = || {
            let before = TAKEN.load(Relaxed);
            MOST.store(before, Relaxed);
            move || (mb(MOST.load(Relaxed) - before), mb(TAKEN.load(Relaxed) - before))
        };
        let taken = start();
        let alone = yrs::Doc::new();
        {
            use yrs::Transact as _;
            use yrs::updates::decoder::Decode as _;
            alone.transact_mut().apply_update(yrs::Update::decode_v1(&state).expect("valid")).expect("valid");
        }
        let (yrs_most, yrs) = taken();
        drop(alone);
        let taken = start();
        let mut doc = doc(2);
        assert!(doc.load(&state).expect("valid"));
        let (most, document) = taken();
        println!("format {format:3} {:9.1} {yrs_most:9.1} {yrs:9.1} {most:9.1} {document:9.1}", mb(state.len()),);
        drop(doc);
    }
}
