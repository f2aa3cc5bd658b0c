//! Which sequence a change is divided in, and in which parts.

use std::rc::Rc;

use super::division::{Division, Parts};
use super::document::DocumentOutline;
use super::fixed::Fixed;
use super::outline::{MAX_NESTED, SequenceOutline, close};
use super::way::Way;
use crate::slate::view::tree::{Element, Kid, NodeId, same_ends};
use crate::slate::ydoc::{Mirror, Nid, QuickSet, ROOT};

/// The parts that an editor's change concerns: what it changed, and what stands beside that. `tied`: elements that are to
/// be in one part. If it concerns all of the document: the sequences of which an outline is wanted.
pub fn divide_edit(
    outlines: DocumentOutline,
    mirror: &Mirror,
    before: &Element,
    after: &Element,
    tied: &[(NodeId, NodeId)],
) -> Result<Division, Vec<Nid>> {
    let mut wants = Vec::new();
    for changed in changed(mirror, before, after).iter().rev() {
        if let Some(outline) = outlines.usable(mirror, changed.seq, &mut wants)
            && let Some(way) = Way::to(changed.seq, mirror, before)
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
            && let Some(way) = Way::to(seq, mirror, before)
            && let Some(parts) = parts_of_change(outline, mirror, &way.end(before).kids, touched)
        {
            return Ok(Division::new(outlines, seq, way, parts, wants));
        }
    }
    Err(wants)
}

/// An element that is the same before and after an edit but for elements in it.
struct Changed<'a> {
    seq: Nid,
    before: &'a [Kid],
    after: &'a [Kid],
}

/// The elements, from the root inwards, in which all is that an edit changed.
fn changed<'a>(mirror: &Mirror, before: &'a Element, after: &'a Element) -> Vec<Changed<'a>> {
    let mut changed = vec![Changed { seq: ROOT, before: &before.kids, after: &after.kids }];
    while let Some(Changed { seq, before, after }) = changed.last().filter(|_| changed.len() < MAX_NESTED) {
        let (start, end) = same_ends(before, after);
        let is_one = before.len() == after.len() && start + end + 1 == before.len();
        let (true, Some(Kid::Element(was)), Some(Kid::Element(is))) = (is_one, before.get(start), after.get(start))
        else {
            break;
        };
        let holds = |element: &Rc<Element>| matches!(element.kids.first(), Some(Kid::Element(kid)) if !kid.inline);
        let is_same = was.id == is.id && was.props == is.props && was.inline == is.inline && was.void == is.void;
        let NodeId::Head(id) = was.id else { break };
        match mirror.find(id).filter(|node| mirror.node(*node).up == *seq) {
            Some(seq) if is_same && holds(was) && holds(is) => {
                changed.push(Changed { seq, before: &was.kids, after: &is.kids });
            }
            _ => break,
        }
    }
    changed
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

fn parts_of_edit(
    outline: &SequenceOutline,
    mirror: &Mirror,
    changed: &Changed,
    tied: &[(NodeId, NodeId)],
) -> Option<Parts> {
    let fixed = Fixed::of(changed.before, changed.after);
    let inside = close(outline.owners(&fixed.touched()), &outline.links)?;
    let mut parts = Parts::new(outline, mirror, changed.before, &inside)?;
    parts.distribute(changed.after, &fixed)?;
    parts.group(outline, tied);
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
    if touched.contains(&seq) {
        outline.add_replaced(mirror, &mut inside);
    }
    // What was linked before was shown elsewhere, perhaps.
    let mut links = mirror.links(seq);
    links.extend_from_slice(&outline.links);
    let inside = close(inside, &links)?;
    Parts::new(outline, mirror, before, &inside)
}
