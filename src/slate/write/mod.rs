//! What an editor writes: the difference between what the document shows and what the editor shows.
//!
//! [`EditorTree`] is the editor's value as a tree of identities; [`flush`] writes what it has and the document does not, so
//! that afterwards the view of the document is the editor's value. What Slate's operations were does not matter, only what
//! came of them, and what was divided, joined and moved. The phases: what is new at a division, characters that are gone,
//! breaks, joins, removals; then everything to its place, first elements, then text; properties; formats; at last what would
//! be hidden or shown against the editor. Each works on what the document shows then.
//!
//! Nothing is copied: text that moves without its element goes in an open strand (`moving`). Only what is written again
//! because a flush did not come out has new ids, and what is cut and pasted, which to the editor is new.

mod before;
mod copy;
mod divide;
mod draft;
mod fit;
mod format;
mod gap;
mod join;
mod keys;
mod known;
mod leaf;
mod moving;
mod order;
mod passage;
mod place;
mod plain;
mod props;
mod text;
mod tree;
mod typing;
mod work;

use std::rc::Rc;

use before::Before;
use draft::Draft;
pub use fit::adopt;
use keys::Keys;
pub use known::KnownParts;
pub use leaf::without_text;
pub use passage::{Passage, fits};
use place::Placer;
pub use plain::{follow as follow_plain, follow_top as follow_plain_top, read as read_plain};
pub use tree::{EditorTree, kid_at, leaf_at};
use work::{TOP, Work};

use crate::slate::view::tree::Element;
use crate::slate::view::{self, Schema, View};
use crate::slate::ydoc::{Id, QuickSet, Writer};

/// What came of a flush.
#[derive(Debug, Clone)]
pub struct Flushed {
    /// What the document shows, with the leaves of the editor: the editor's tree, in which everything has an id. If it could
    /// not be made equal, what the document shows.
    pub tree: Rc<Element>,
    /// Whether the document shows what the editor shows.
    pub exact: bool,
    /// Whether something had to be written again whole to that end.
    pub rewritten: bool,
    /// Then: what the editor shows, with the ids from before.
    pub edited: Option<Rc<Element>>,
    /// How often it had to be worked out what the document shows.
    #[cfg_attr(not(test), allow(dead_code, reason = "what a flush costs, for tests"))]
    pub views: u32,
    /// What was shown before, and is now.
    pub passage: Passage,
    /// What the document shows now, if that was worked out: for the next flush, if the mirror does not change meanwhile.
    pub view: Option<Rc<View>>,
}

/// Writes what the editor has and the document does not. `known`: its view, if there is one that is true of the mirror.
fn flush(writer: &mut Writer, new: &EditorTree, schema: &Schema, known: Option<Rc<View>>) -> Flushed {
    let mut views = 0;
    let (tree, view) = write(writer, new, schema, &mut views, known);
    if let Some(tree) = tree {
        return Flushed {
            tree,
            exact: true,
            rewritten: false,
            edited: None,
            views,
            passage: Passage::default(),
            view: Some(view),
        };
    }
    let mut again = EditorTree::new(new.root.clone(), schema.clone());
    again.renew(&shown(writer, schema));
    let (tree, view) = write(writer, &again, schema, &mut views, Some(view));
    let (tree, exact) = match tree {
        Some(tree) => (tree, true),
        None => (shown(writer, schema), false),
    };
    Flushed { tree, exact, rewritten: true, edited: None, views, passage: Passage::default(), view: Some(view) }
}

fn shown(writer: &Writer, schema: &Schema) -> Rc<Element> {
    let view = view::show(writer.mirror, schema, &QuickSet::default());
    view::tree(writer.mirror, &view)
}

/// No tree: the document shows something else afterwards. With the view of what it shows.
fn write(
    writer: &mut Writer,
    new: &EditorTree,
    schema: &Schema,
    views: &mut u32,
    known: Option<Rc<View>>,
) -> (Option<Rc<Element>>, Rc<View>) {
    let mut work = Work::new(new);
    divide::swap_at_starts(&mut work);
    let mut draft = Draft::new(writer, schema, work, known);
    let start = draft.view.clone();
    let mut before = Before::of(&start, draft.mirror(), &draft.work);
    let joins: QuickSet<Id> = new.joins.keys().copied().collect();
    divide::take_over(&mut draft.work, &mut before);
    draft.erase(before.lost.clone());
    draft.see();

    divide::write_breaks(&mut draft, &start, &joins);
    let joined = join::write_joins(&mut draft, &before, &new.joins);
    join::write_removals(&mut draft, &before, &start, &joined);

    let mut keys = Keys::default();
    keys::give_keys(&mut draft, &mut keys, TOP);
    let is_done = Placer::new(&mut draft, &mut keys, false).run();
    let appeared = join::write_appeared(&mut draft);
    if appeared || !is_done {
        Placer::new(&mut draft, &mut keys, true).run();
    }

    props::write_properties(&mut draft, &start);
    format::renew(&mut draft, &mut keys);
    format::paint(&mut draft, &mut keys);
    if !keys.is_empty() {
        draft.see();
        format::compact(&mut draft);
    }
    let view = join::write_lives(&mut draft);
    *views += draft.views;
    draft.finish();
    (fit::fit(&new.root, &view::tree(writer.mirror, &view)), view)
}

#[cfg(test)]
pub(in crate::slate) mod tests;
