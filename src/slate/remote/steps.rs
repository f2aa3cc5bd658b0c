//! From an element's old content to its new one as a script over positions of the doc.

use std::collections::HashSet;

use yrs::types::Delta;
use yrs::{BranchID, ID};

use crate::slate::read::Piece;
use crate::slate::tree::{Kind, NodeId, Tree, branch_id};
use crate::slate::utf16;

/// Lengths in UTF-16 units and elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::slate) enum Step {
    Keep(u32),
    Delete(u32),
    Insert(u32),
}

pub(in crate::slate) fn push(steps: &mut Vec<Step>, step: Step) {
    match (steps.last_mut(), step) {
        (_, Step::Keep(0) | Step::Delete(0) | Step::Insert(0)) => {}
        (Some(Step::Keep(n)), Step::Keep(more)) => *n += more,
        (Some(Step::Delete(n)), Step::Delete(more)) => *n += more,
        (Some(Step::Insert(n)), Step::Insert(more)) => *n += more,
        _ => steps.push(step),
    }
}

/// What yrs recorded. Formats are left out: they are compared with the doc.
pub(in crate::slate) fn from_delta(delta: &[Delta]) -> Vec<Step> {
    let mut steps = Vec::with_capacity(delta.len() + 1);
    for part in delta {
        let step = match part {
            Delta::Retain(len, _) => Step::Keep(*len),
            Delta::Deleted(len) => Step::Delete(*len),
            Delta::Inserted(yrs::Out::Any(yrs::Any::String(text)), _) => Step::Insert(utf16::len(text)),
            Delta::Inserted(..) => Step::Insert(1),
        };
        push(&mut steps, step);
    }
    steps
}

/// The recorded steps, if they lead from `old` units to `new` ones; with what they leave out at the end.
pub(super) fn complete(mut steps: Vec<Step>, old: u32, new: u32) -> Option<Vec<Step>> {
    let (mut from, mut to) = (0u32, 0u32);
    for step in &steps {
        match step {
            Step::Keep(n) => (from, to) = (from.checked_add(*n)?, to.checked_add(*n)?),
            Step::Delete(n) => from = from.checked_add(*n)?,
            Step::Insert(n) => to = to.checked_add(*n)?,
        }
    }
    let rest = old.checked_sub(from)?;
    push(&mut steps, Step::Keep(rest));
    (to + rest == new).then_some(steps)
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Atom {
    unit: Unit,
    len: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Char(char),
    Element(Option<ID>),
}

pub(super) fn old_atoms(tree: &Tree, children: &[NodeId], skip: &HashSet<NodeId>) -> Vec<Atom> {
    let mut atoms = Vec::new();
    for child in children.iter().filter(|child| !skip.contains(child)) {
        match tree.kind(*child) {
            Kind::Text(text) => push_chars(&mut atoms, &text.text),
            Kind::Element(block) => atoms.push(Atom { unit: Unit::Element(block.key), len: 1 }),
            Kind::Free => {}
        }
    }
    atoms
}

pub(super) fn new_atoms(pieces: &[Piece]) -> Vec<Atom> {
    let mut atoms = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text { text, .. } => push_chars(&mut atoms, text),
            Piece::Element(branch) => {
                let key = match branch_id(branch) {
                    BranchID::Nested(key) => Some(key),
                    BranchID::Root(_) => None,
                };
                atoms.push(Atom { unit: Unit::Element(key), len: 1 });
            }
        }
    }
    atoms
}

fn push_chars(atoms: &mut Vec<Atom>, text: &str) {
    atoms.extend(text.chars().map(|c| Atom { unit: Unit::Char(c), len: c.len_utf16() as u32 }));
}

/// The atoms from the unit `from` on, up to `to`.
pub(super) fn slice(atoms: &[Atom], from: u32, to: u32) -> &[Atom] {
    let mut at = 0;
    let index_of = |position: u32, atoms: &[Atom], at: &mut u32| {
        atoms.iter().position(|atom| {
            let here = *at >= position;
            *at += atom.len;
            here
        })
    };
    let start = index_of(from, atoms, &mut at).unwrap_or(atoms.len());
    at = 0;
    let end = index_of(to, atoms, &mut at).unwrap_or(atoms.len());
    &atoms[start..end.max(start)]
}

/// Which element is the same as which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    /// The one with the same shared type.
    Shared,
    /// Any: the new content is a copy, so that all shared types differ.
    Copy,
}

/// Steps for content without a record. Elements with the same shared type hold still; in between, what differs after
/// the common start and before the common end is replaced.
pub(super) fn derive(old: &[Atom], new: &[Atom], identity: Identity) -> Vec<Step> {
    let mut steps = Vec::new();
    if identity == Identity::Copy {
        replace(&mut steps, old, new, identity);
        return steps;
    }
    let start = old.iter().zip(new).take_while(|(a, b)| a.unit == b.unit).count();
    let (kept, old, new) = (&old[..start], &old[start..], &new[start..]);
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a.unit == b.unit).count();
    let (tail, old, new) = (&old[old.len() - end..], &old[..old.len() - end], &new[..new.len() - end]);
    push(&mut steps, Step::Keep(units(kept)));
    let present: HashSet<ID> = new.iter().filter_map(key).collect();
    let (mut rest_old, mut rest_new) = (old, new);
    while let Some(at) = rest_old.iter().position(|atom| key(atom).is_some_and(|key| present.contains(&key))) {
        let Some(to) = rest_new.iter().position(|atom| atom.unit == rest_old[at].unit) else { break };
        replace(&mut steps, &rest_old[..at], &rest_new[..to], identity);
        push(&mut steps, Step::Keep(1));
        (rest_old, rest_new) = (&rest_old[at + 1..], &rest_new[to + 1..]);
    }
    replace(&mut steps, rest_old, rest_new, identity);
    push(&mut steps, Step::Keep(units(tail)));
    steps
}

/// [`derive`] for one text that becomes another.
pub(super) fn derive_text(old: &str, new: &str) -> Vec<Step> {
    let same = |pairs: &mut dyn Iterator<Item = (u8, u8)>| pairs.take_while(|(a, b)| a == b).count();
    let mut start = same(&mut old.bytes().zip(new.bytes()));
    // What is equal so far is so in both, up to the same border of characters.
    while !old.is_char_boundary(start) {
        start -= 1;
    }
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let mut end = same(&mut old_rest.bytes().rev().zip(new_rest.bytes().rev()));
    while !old_rest.is_char_boundary(old_rest.len() - end) {
        end -= 1;
    }
    let mut steps = Vec::with_capacity(4);
    push(&mut steps, Step::Keep(utf16::len(&old[..start])));
    push(&mut steps, Step::Delete(utf16::len(&old_rest[..old_rest.len() - end])));
    push(&mut steps, Step::Insert(utf16::len(&new_rest[..new_rest.len() - end])));
    push(&mut steps, Step::Keep(utf16::len(&old_rest[old_rest.len() - end..])));
    steps
}

fn units(atoms: &[Atom]) -> u32 {
    atoms.iter().map(|atom| atom.len).sum()
}

fn key(atom: &Atom) -> Option<ID> {
    match atom.unit {
        Unit::Element(key) => key,
        Unit::Char(_) => None,
    }
}

fn replace(steps: &mut Vec<Step>, old: &[Atom], new: &[Atom], identity: Identity) {
    let same = |(a, b): &(&Atom, &Atom)| match (a.unit, b.unit) {
        (Unit::Element(_), Unit::Element(_)) => identity == Identity::Copy,
        (a, b) => a == b,
    };
    let start = old.iter().zip(new).take_while(same).count();
    let (old, new, kept) = (&old[start..], &new[start..], &old[..start]);
    let end = old.iter().rev().zip(new.iter().rev()).take_while(same).count();
    push(steps, Step::Keep(units(kept)));
    push(steps, Step::Delete(units(&old[..old.len() - end])));
    push(steps, Step::Insert(units(&new[..new.len() - end])));
    push(steps, Step::Keep(units(&old[old.len() - end..])));
}

// --- looking at the ends of a script

/// Units deleted at the end, disregarding what was inserted there.
pub(super) fn tail_delete(steps: &[Step]) -> u32 {
    match steps {
        [.., Step::Delete(n)] | [.., Step::Delete(n), Step::Insert(_)] => *n,
        _ => 0,
    }
}

pub(super) fn head_delete(steps: &[Step]) -> u32 {
    match steps {
        [Step::Delete(n), ..] | [Step::Insert(_), Step::Delete(n), ..] => *n,
        _ => 0,
    }
}

pub(super) fn tail_insert(steps: &[Step]) -> u32 {
    match steps {
        [.., Step::Insert(n)] | [.., Step::Insert(n), Step::Delete(_)] => *n,
        _ => 0,
    }
}

pub(super) fn head_insert(steps: &[Step]) -> u32 {
    match steps {
        [Step::Insert(n), ..] | [Step::Delete(_), Step::Insert(n), ..] => *n,
        _ => 0,
    }
}

/// Removes the last of the steps at the given end that matches.
pub(super) fn drop_last(steps: &mut Vec<Step>, drop: fn(&Step) -> bool) {
    if let Some(at) = steps.iter().rposition(drop) {
        steps.remove(at);
    }
}

pub(super) fn drop_first(steps: &mut Vec<Step>, drop: fn(&Step) -> bool) {
    if let Some(at) = steps.iter().position(drop) {
        steps.remove(at);
    }
}

/// Takes the unit at `at` of the old content out of the script: something else takes care of it.
pub(super) fn forget(steps: &mut [Step], at: u32) {
    let mut from = 0;
    for step in steps {
        match step {
            Step::Keep(n) => from += *n,
            Step::Delete(n) if at < from + *n => {
                *n -= 1;
                return;
            }
            Step::Delete(n) => from += *n,
            Step::Insert(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_that_becomes_another_is_derived_as_any_content() {
        let mut rng = fastrand::Rng::with_seed(3);
        let mut word = || (0..rng.usize(..6)).map(|_| ['a', 'b', 'é', 'è', '“', '😀', '😁'][rng.usize(..7)]).collect();
        for _ in 0..20_000 {
            let (old, new): (String, String) = (word(), word());
            let (mut from, mut to) = (Vec::new(), Vec::new());
            push_chars(&mut from, &old);
            push_chars(&mut to, &new);
            for identity in [Identity::Shared, Identity::Copy] {
                assert_eq!(derive_text(&old, &new), derive(&from, &to, identity), "{old} {new}");
            }
        }
    }
}
