//! What people do.

use fastrand::Rng;
use yrs::Any;

use crate::here::{Here, is_lowest, lowest, pick, within};
use crate::shapes::Fresh;
use crate::sheet::Sheet;
use crate::transforms::{Edits as _, before, behind, is_void, kind_of, length};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Type,
    Enter,
    EnterInItem,
    Join,
    Backspace,
    Erase,
    EraseAcross,
    Remove,
    Move,
    Wrap,
    Unwrap,
    Lift,
    Insert,
    Indent,
    Property,
    Bold,
    Link,
    Unlink,
    Mention,
    /// What one did last; done by the person, not on a sheet.
    Undo,
    Redo,
}

use Act::{
    Backspace, Bold, Enter, EnterInItem, Erase, EraseAcross, Indent, Insert, Join, Lift, Link, Mention, Move, Property,
    Redo, Remove, Type, Undo, Unlink, Unwrap, Wrap,
};

/// How often people do what: how many of each are in the bag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mix {
    Everything,
    Writing,
    Structure,
    Marks,
    Erasing,
    /// With undo and redo in between.
    Undoing,
}

impl Mix {
    pub const ALL: [Self; 6] =
        [Self::Everything, Self::Writing, Self::Structure, Self::Marks, Self::Erasing, Self::Undoing];

    /// The acts, and how many of each are in the bag.
    pub const fn bag(self) -> &'static [(Act, u8)] {
        match self {
            Self::Everything => &[
                (Type, 6),
                (Enter, 4),
                (EnterInItem, 2),
                (Join, 4),
                (Backspace, 2),
                (Erase, 2),
                (EraseAcross, 1),
                (Remove, 1),
                (Move, 3),
                (Wrap, 1),
                (Unwrap, 1),
                (Lift, 1),
                (Insert, 3),
                (Indent, 1),
                (Property, 1),
                (Bold, 3),
                (Link, 1),
                (Unlink, 1),
                (Mention, 1),
            ],
            Self::Writing => &[(Type, 8), (Enter, 5), (Backspace, 3), (Join, 2), (Erase, 3), (Insert, 1), (Bold, 1)],
            Self::Structure => &[
                (Type, 3),
                (EnterInItem, 3),
                (Enter, 2),
                (Move, 4),
                (Wrap, 2),
                (Unwrap, 2),
                (Lift, 2),
                (Indent, 2),
                (Insert, 2),
                (Join, 2),
                (Property, 1),
            ],
            Self::Marks => {
                &[(Type, 3), (Bold, 6), (Link, 3), (Unlink, 2), (Mention, 1), (Enter, 2), (Join, 1), (Erase, 1)]
            }
            Self::Erasing => &[
                (Type, 4),
                (Erase, 3),
                (EraseAcross, 2),
                (Remove, 3),
                (Join, 2),
                (Backspace, 2),
                (Enter, 2),
                (Move, 1),
            ],
            Self::Undoing => &[
                (Type, 4),
                (Undo, 4),
                (Redo, 2),
                (Enter, 2),
                (Join, 2),
                (Erase, 2),
                (Remove, 1),
                (Move, 2),
                (Wrap, 1),
                (Unwrap, 1),
                (Bold, 1),
                (Insert, 1),
            ],
        }
    }
}

/// Of somebody who deletes.
pub const ERASER: &[(Act, u8)] = &[(Erase, 3), (EraseAcross, 1), (Remove, 3), (Join, 2), (Backspace, 1)];
/// Of somebody who formats.
pub const FORMATTER: &[(Act, u8)] = &[(Bold, 3), (Link, 2), (Unlink, 1), (Property, 2)];
/// Of somebody who was offline while the document was raised: what a difference of two values keeps apart from the rest.
pub const PLAIN: &[(Act, u8)] = &[(Type, 4), (Erase, 1), (Insert, 1)];

pub fn draw(bag: &[(Act, u8)], rng: &mut Rng) -> Act {
    let all: Vec<Act> = bag.iter().flat_map(|(act, count)| (0..*count).map(|_| *act)).collect();
    *pick(rng, &all).unwrap_or(&Type)
}

/// Does it somewhere near `hot`. `None`: there is nothing to do it with.
pub fn act(act: Act, sheet: &mut Sheet, rng: &mut Rng, fresh: &mut Fresh, hot: &[char]) -> Option<()> {
    let here = Here::new(sheet, rng, hot);
    match act {
        Type => {
            let (at, offset) = here.point(rng)?;
            let letters = fresh.text(if rng.u8(..4) == 0 { 3 } else { 1 });
            sheet.insert_text(&at, offset, &letters);
        }
        Enter => {
            let (at, offset) = here.point(rng)?;
            let depth = lowest(sheet, &at)?;
            sheet.split_up(&at, offset, depth);
        }
        EnterInItem => {
            let (at, offset) = here.point(rng)?;
            let depth = within(sheet, &at, "li")?;
            sheet.split_up(&at, offset, depth);
        }
        Erase => {
            let (at, from, to) = here.stretch(rng)?;
            sheet.remove_text(&at, from, to);
        }
        EraseAcross => {
            let (one, two) = (here.point(rng)?, here.point(rng)?);
            let (start, end) = if one <= two { (one, two) } else { (two, one) };
            sheet.delete((&start.0, start.1), (&end.0, end.1));
        }
        Remove => {
            let (at, _) = here.block(rng, |at, _| has_siblings(sheet, at))?;
            sheet.remove(&at);
        }
        Insert => {
            let holders = ["ul", "table", "columns", "dual", "q"];
            let (at, node) = here.block(rng, |_, node| !holders.contains(&kind_of(node)))?;
            let at = if rng.bool() { at } else { behind(&at) };
            let new = fresh.like(kind_of(&node), rng);
            sheet.insert(&at, new);
        }
        Property => {
            let (at, _) = here.block(rng, |_, _| true)?;
            sheet.set(&at, "align", Any::from(f64::from(rng.u8(..9))));
        }
        Bold | Link | Unlink | Mention => inline(act, sheet, &here, rng, fresh)?,
        _ => structural(act, sheet, &here, rng, fresh)?,
    }
    sheet.normalize();
    Some(())
}

fn has_siblings(sheet: &Sheet, at: &[usize]) -> bool {
    sheet.children(&at[..at.len() - 1]).len() > 1
}

fn structural(act: Act, sheet: &mut Sheet, here: &Here, rng: &mut Rng, fresh: &mut Fresh) -> Option<()> {
    match act {
        Join => {
            let fits = |at: &[usize]| {
                let (node, previous) = (sheet.node(at), sheet.node(&before(at)));
                let is_alike = kind_of(node) == kind_of(previous) && is_lowest(node) == is_lowest(previous);
                is_alike && !is_void(node)
            };
            let (at, _) = here.block(rng, |at, _| at[at.len() - 1] > 0 && fits(at))?;
            sheet.merge(&at);
        }
        Backspace => {
            let (at, _) = here.point(rng)?;
            let block = at[..lowest(sheet, &at)?].to_vec();
            let texts = sheet.texts();
            let (other, _) = texts.iter().rev().find(|(other, _)| other[..] < block[..])?;
            let depth = lowest(sheet, other)?;
            sheet.merge_blocks(&other[..depth], &block);
        }
        Move => {
            let (at, node) = here.block(rng, |at, _| has_siblings(sheet, at))?;
            let is_apart = |to: &[usize]| !to.starts_with(&at) && !at.starts_with(to);
            let (to, _) = here.block(rng, |to, other| kind_of(other) == kind_of(&node) && is_apart(to))?;
            sheet.shift(&at, &to);
        }
        Wrap => {
            let (at, _) = here.block(rng, |_, node| kind_of(node) == "p")?;
            let wrapper = fresh.make("q", vec![]);
            sheet.wrap(&at, wrapper);
        }
        Unwrap => {
            let (at, _) = here.block(rng, |_, node| kind_of(node) == "q")?;
            sheet.unwrap(&at);
        }
        Lift => {
            let is_quoted = |at: &[usize]| at.len() > 1 && kind_of(sheet.node(&at[..at.len() - 1])) == "q";
            let (at, _) = here.block(rng, |at, _| is_quoted(at))?;
            sheet.lift(&at);
        }
        Indent => {
            let follows = |at: &[usize]| at[at.len() - 1] > 0 && kind_of(sheet.node(&before(at))) == "li";
            let (at, _) = here.block(rng, |at, node| kind_of(node) == "li" && follows(at))?;
            let previous = before(&at);
            let count = sheet.children(&previous).len();
            let wrapper = fresh.make("ul", vec![]);
            sheet.wrap(&at, wrapper);
            sheet.shift(&at, &[&previous[..], &[count]].concat());
        }
        _ => return None,
    }
    Some(())
}

fn inline(act: Act, sheet: &mut Sheet, here: &Here, rng: &mut Rng, fresh: &mut Fresh) -> Option<()> {
    match act {
        Bold => {
            let (at, from, to) = here.stretch(rng)?;
            let at = cut(sheet, &at, from, to);
            sheet.set(&at, "bold", if rng.u8(..3) > 0 { Any::from(true) } else { Any::Null });
        }
        Link => {
            let (at, from, to) = here.stretch(rng)?;
            if within(sheet, &at, "a").is_some() {
                return None;
            }
            let at = cut(sheet, &at, from, to);
            let wrapper = fresh.make("a", vec![]);
            sheet.wrap(&at, wrapper);
        }
        Unlink => {
            let near = |at: &[usize]| here.texts.iter().any(|(text, _)| text.starts_with(at));
            let links: Vec<_> = here.all.iter().filter(|(at, node)| kind_of(node) == "a" && near(at)).collect();
            let (at, _) = pick(rng, &links)?;
            sheet.unwrap(at);
        }
        Mention => {
            let (at, offset) = here.point(rng)?;
            sheet.split(&at, offset);
            let mention = fresh.like("mention", rng);
            sheet.insert(&behind(&at), mention);
        }
        _ => return None,
    }
    Some(())
}

/// Makes a leaf of its own of a range of a text; returns its path.
fn cut(sheet: &mut Sheet, at: &[usize], from: usize, to: usize) -> Vec<usize> {
    let end = match sheet.node(at) {
        slate_yrs::slate::Node::Text(leaf) => length(&leaf.text),
        slate_yrs::slate::Node::Element(_) => 0,
    };
    if to < end {
        sheet.split(at, to);
    }
    if from == 0 {
        return at.to_vec();
    }
    sheet.split(at, from);
    behind(at)
}
