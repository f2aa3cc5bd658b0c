//! Which sequence a change is divided in, and in which parts.

use std::rc::Rc;

use super::division::{Division, Parts};
use super::document::DocumentOutline;
use super::edited::EditedKids;
use super::fixed::Fixed;
use super::line;
use super::outline::{MAX_NESTED, SequenceOutline, close};
use super::way::Way;
use crate::slate::view::tree::{Element, Kid, NodeId};
use crate::slate::ydoc::{Mirror, Nid, QuickSet, ROOT};

/// The parts that an editor's change concerns: what it changed, and what stands beside that. `tied`: elements that are to
/// be in one part. If it concerns all of the document: the sequences of which an outline is wanted.
pub fn divide_edit(
    outlines: DocumentOutline,
    mirror: &Mirror,
    before: &Element,
    after: EditedKids,
    tied: &[(NodeId, NodeId)],
) -> Result<Division, Vec<Nid>> {
    let mut wants = Vec::new();
    for changed in changed(&outlines, mirror, before, after).iter().rev() {
        if let Some(outline) = outlines.usable(mirror, changed.seq, &mut wants)
            && let Some(way) = way_to(&outlines, outline, mirror, before)
            && way.kids(before).len() == changed.before.len()
            && let Some(parts) = parts_of_edit(outline, mirror, changed, tied)
        {
            return Ok(Division::new(outlines, changed.seq, way, parts, wants));
        }
    }
    Err(wants)
}

/// The part that a change of the document concerns, in the same way. `touched`: the nodes that changed.
pub fn divide_change(
    outlines: DocumentOutline,
    mirror: &Mirror,
    before: &Element,
    touched: &QuickSet<Nid>,
) -> Result<Division, Vec<Nid>> {
    let mut wants = Vec::new();
    for seq in around_all(mirror, touched).into_iter().rev() {
        if let Some(outline) = outlines.usable(mirror, seq, &mut wants)
            && let Some(way) = way_to(&outlines, outline, mirror, before)
            && let Some(parts) = parts_of_change(outline, mirror, way.kids(before), touched)
        {
            return Ok(Division::new(outlines, seq, way, parts, wants));
        }
    }
    Err(wants)
}

fn way_to(outlines: &DocumentOutline, outline: &SequenceOutline, mirror: &Mirror, before: &Element) -> Option<Way> {
    if !outline.is_line {
        return Way::to(outline.seq, mirror, before);
    }
    let range = outlines.get(mirror.node(outline.seq).up)?.shown_by(outline.seq)?;
    Way::to_line(outline.seq, range, mirror, before)
}

/// An element that is the same before and after an edit but for elements in it.
struct Changed<'a> {
    seq: Nid,
    before: &'a [Kid],
    after: EditedKids<'a>,
    /// How many are the same at the start, and at the end.
    same: (usize, usize),
}

impl<'a> Changed<'a> {
    fn new(seq: Nid, before: &'a [Kid], after: EditedKids<'a>) -> Self {
        Self { seq, before, after, same: after.same_ends(before) }
    }
}

/// The elements, from the root inwards, in which all is that an edit changed.
fn changed<'a>(
    outlines: &DocumentOutline,
    mirror: &Mirror,
    before: &'a Element,
    after: EditedKids<'a>,
) -> Vec<Changed<'a>> {
    let mut changed = vec![Changed::new(ROOT, &before.kids, after)];
    while let Some(Changed { seq, before, after, same }) = changed.last().filter(|_| changed.len() < MAX_NESTED) {
        let (start, end) = *same;
        let is_one = before.len() == after.len() && start + end + 1 == before.len();
        let (true, Some(Kid::Element(was)), Some(Kid::Element(is))) = (is_one, before.get(start), after.at(start))
        else {
            break;
        };
        let holds = |element: &Rc<Element>| matches!(element.kids.first(), Some(Kid::Element(kid)) if !kid.inline);
        let is_same = was.id == is.id && was.props == is.props && was.inline == is.inline && was.void == is.void;
        let NodeId::Head(id) = was.id else { break };
        match mirror.find(id).filter(|node| mirror.node(*node).up == *seq) {
            Some(seq) if is_same && holds(was) && holds(is) => {
                changed.push(Changed::new(seq, &was.kids, EditedKids::All(&is.kids)));
            }
            _ => break,
        }
    }
    changed.extend(changed.last().and_then(|last| changed_line(outlines, last)));
    changed
}

/// The line in which all is that changed, if it is in one.
fn changed_line<'a>(outlines: &DocumentOutline, around: &Changed<'a>) -> Option<Changed<'a>> {
    let (before, after, (start, end)) = (around.before, around.after, around.same);
    let outline = outlines.get(around.seq)?;
    let item = outline.owners(&[start]).into_iter().next()?;
    let range = outline.shown_by(item)?;
    let (until, rest) = (before.len() - end, before.len().checked_sub(range.end)?);
    let is_within = range.len() > 1 && range.contains(&start) && start < until && until <= range.end;
    let after = after.slice(range.start..after.len().checked_sub(rest)?)?;
    is_within.then(|| Changed::new(item, &before[range], after))
}

/// The sequences, from the root inwards, in which all of these are, or whose own they are.
fn around_all(mirror: &Mirror, touched: &QuickSet<Nid>) -> Vec<Nid> {
    let mut common: Option<Vec<Nid>> = None;
    for &node in touched {
        let mut chain = vec![node];
        while let Some(at) = chain.last().filter(|at| **at != ROOT) {
            chain.push(mirror.node(*at).up);
        }
        chain.reverse();
        match &mut common {
            None => common = Some(chain),
            Some(common) => {
                let same = common.iter().zip(&chain).take_while(|(a, b)| a == b).count();
                common.truncate(same);
            }
        }
    }
    let mut common = common.unwrap_or_else(|| vec![ROOT]);
    common.truncate(MAX_NESTED);
    common
}

/// These rows of a line, and the first: none has to do with another.
fn of_line(outline: &SequenceOutline, links: &[(Nid, Nid)], mut inside: QuickSet<Nid>) -> Option<QuickSet<Nid>> {
    inside.insert(outline.seq);
    line::is_apart(links).then_some(inside)
}

fn parts_of_edit(
    outline: &SequenceOutline,
    mirror: &Mirror,
    changed: &Changed,
    tied: &[(NodeId, NodeId)],
) -> Option<Parts> {
    let fixed = Fixed::of(changed.before, changed.after, changed.same);
    let inside = outline.owners(&fixed.touched());
    let inside = if outline.is_line {
        of_line(outline, &outline.links, line::with_gaps_behind(&outline.rows, inside))?
    } else {
        close(inside, &outline.links)?
    };
    let mut parts = Parts::new(outline, mirror, changed.before, &inside, None)?;
    parts.distribute(changed.after, &fixed)?;
    if !outline.is_line {
        parts.group(outline, tied);
    }
    Some(parts)
}

fn parts_of_change(
    outline: &SequenceOutline,
    mirror: &Mirror,
    before: &[Kid],
    touched: &QuickSet<Nid>,
) -> Option<Parts> {
    let seq = outline.seq;
    let mut inside: QuickSet<Nid> = touched.iter().filter_map(|node| mirror.item_of(seq, *node)).collect();
    let runs = if outline.is_line { Some(line::runs(mirror, seq)?) } else { None };
    if let Some(runs) = &runs {
        inside = line::rows_of(mirror, seq, runs, &inside);
        inside.extend(line::changed(&outline.rows, runs));
        inside = line::with_those_before(&outline.rows, runs, &inside);
    } else if touched.contains(&seq) {
        outline.add_replaced(mirror, &mut inside);
    }
    // What was linked before was shown elsewhere, perhaps.
    let mut links = mirror.links(seq);
    links.extend_from_slice(&outline.links);
    let inside = if outline.is_line { of_line(outline, &links, inside)? } else { close(inside, &links)? };
    Parts::new(outline, mirror, before, &inside, runs.as_deref())
}
