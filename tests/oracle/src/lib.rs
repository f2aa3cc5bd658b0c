//! The oracle of documents of format 1: random documents, people and acts, and what has to hold of what comes of them.
//!
//! A seed stands for one run ([`run`]): a document of some shape, people with some life, rounds in which nobody hears of
//! the others, an exchange after each. Letters and the ids of blocks are in one place only, so it is known who typed,
//! removed, moved, divided, joined or marked what, and [`checks`] can judge what came of it without knowing the rules by
//! which it did. `tests/scenarios/random` is the same with Slate itself, and slower. Only the engine's public surface is
//! used: [`slate_yrs::slate::SlateDoc`] and [`slate_yrs::undo::Undo`].

pub mod acts;
pub mod checks;
pub mod exchange;
pub mod faults;
pub mod here;
pub mod lives;
pub mod person;
pub mod plan;
pub mod run;
pub mod seen;
pub mod shapes;
pub mod sheet;
pub mod shrink;
pub mod tally;

// What the files below, which are the engine's own, know it by.
use slate_yrs::slate;

#[allow(clippy::expect_used, reason = "the judge of tests")]
#[path = "../../../src/slate/tests/model.rs"]
pub mod model;

#[allow(clippy::expect_used, reason = "of tests")]
#[path = "../../../src/slate/write/tests/transforms.rs"]
pub mod transforms;
