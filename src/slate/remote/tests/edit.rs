//! Random edits that keep identities.

use super::grow::{Branch, Char, Garden, Spot, Twig};

pub type Edit = fn(&mut Garden, &mut Branch) -> Option<()>;

/// The commoner ones more than once.
pub const EDITS: [Edit; 27] = [
    type_text,
    type_text,
    type_text,
    erase,
    split,
    split,
    split,
    split,
    merge,
    merge,
    merge,
    merge,
    move_block,
    move_block,
    move_block,
    move_inline,
    wrap,
    unwrap,
    insert,
    remove,
    mark,
    set,
    link,
    unlink,
    join,
    part,
    swap,
];

fn spot(garden: &mut Garden, root: &Branch, sort: impl Fn(&Branch) -> bool) -> Option<Spot> {
    garden.pick(&root.all(sort))
}

fn is_char(twig: &Twig) -> bool {
    matches!(twig, Twig::Char(_))
}

fn type_text(garden: &mut Garden, root: &mut Branch) -> Option<()> {
    let at = spot(garden, root, Branch::is_textual)?;
    let kids = &mut root.at_mut(&at).kids;
    let index = garden.up_to(kids.len());
    let near = kids.get(index.wrapping_sub(1)).or(kids.get(index));
    let marks = match near {
        Some(Twig::Char(Char { marks, .. })) if !garden.one_in(3) => *marks,
        _ => garden.marks(),
    };
    let len = 1 + garden.up_to(2);
    kids.splice(index..index, garden.word(len, 2, marks));
    Some(())
}

fn erase(garden: &mut Garden, root: &mut Branch) -> Option<()> {
    let at = spot(garden, root, |branch| branch.is_textual() && !branch.kids.is_empty())?;
    let kids = &mut root.at_mut(&at).kids;
    let from = garden.rng.usize(..kids.len());
    let to = kids.len().min(from + 1 + garden.up_to(3));
    kids.drain(from..to);
    Some(())
}

/// Divides a branch at a kid; the second half stands behind it.
pub fn divide(garden: &mut Garden, root: &mut Branch, spot: &[usize], at: usize) {
    let id = garden.new_id();
    let change = garden.one_in(6);
    let x = garden.up_to(2) as i32;
    let branch = root.at_mut(spot);
    let kids = branch.kids.split_off(at);
    let right = Branch { id, kind: branch.kind, x: if change { x } else { branch.x }, kids };
    let (index, up) = spot.split_last().unwrap();
    root.at_mut(up).kids.insert(index + 1, Twig::Branch(right));
}

fn split(garden: &mut Garden, root: &mut Branch) -> Option<()> {
    let mut at = spot(garden, root, Branch::is_textual)?;
    let mut levels = garden.up_to(2) + 1;
    let mut index = garden.up_to(root.at(&at).kids.len());
    while levels > 0 && !at.is_empty() {
        // Up to a block.
        levels -= usize::from(!root.at(&at).is_inline());
        divide(garden, root, &at, index);
        index = at.pop()? + 1;
    }
    Some(())
}

fn before(spot: &[usize]) -> Option<Spot> {
    let mut before = spot.to_vec();
    let last = before.last_mut()?;
    *last = last.checked_sub(1)?;
    Some(before)
}

fn can_merge(root: &Branch, spot: &[usize]) -> bool {
    let Some(before) = before(spot) else { return false };
    let (index, up) = before.split_last().unwrap();
    let (Twig::Branch(left), right) = (&root.at(up).kids[*index], root.at(spot)) else { return false };
    let alike = left.is_textual() == right.is_textual() || left.kids.is_empty() || right.kids.is_empty();
    left.kind == right.kind && !left.is_void() && alike
}

fn merge(garden: &mut Garden, root: &mut Branch) -> Option<()> {
    let spots: Vec<_> = root.all(|_| true).into_iter().filter(|spot| can_merge(root, spot)).collect();
    let mut at = garden.pick(&spots)?;
    loop {
        let Twig::Branch(right) = root.take(&at) else { return None };
        let left = before(&at)?;
        let kids = &mut root.at_mut(&left).kids;
        let seam = kids.len();
        let deeper = matches!(right.kids.first(), Some(Twig::Branch(_)));
        kids.extend(right.kids);
        at = left;
        at.push(seam);
        if !deeper || garden.one_in(2) || !can_merge(root, &at) {
            return Some(());
        }
    }
}

fn move_block(garden: &mut Garden, root: &mut Branch) -> Option<()> {
    let from = spot(garden, root, |branch| !branch.is_root() && !branch.is_inline())?;
    let taken = root.take(&from);
    put(garden, root, vec![taken], Branch::is_holder)
}

/// Into a random branch of a sort, at a random place.
fn put(garden: &mut Garden, root: &mut Branch, twigs: Vec<Twig>, sort: impl Fn(&Branch) -> bool) -> Option<()> {
    let to = spot(garden, root, sort)?;
    let kids = &mut root.at_mut(&to).kids;
    let index = garden.up_to(kids.len());
    kids.splice(index..index, twigs);
    Some(())
}

fn is_line(branch: &Branch) -> bool {
    branch.is_textual() && !branch.is_inline()
}

fn move_inline(garden: &mut Garden, root: &mut Branch) -> Option<()> {
    let from = spot(garden, root, Branch::is_inline)?;
    let taken = root.take(&from);
    if garden.one_in(3) {
        let mention = Twig::Branch(garden.branch("mention", Vec::new()));
        put(garden, root, vec![mention], is_line)?;
    }
    put(garden, root, vec![taken], is_line)
}

fn wrap(garden: &mut Garden, root: &mut Branch) -> Option<()> {
    let at = spot(garden, root, |branch| branch.is_holder() && !branch.kids.is_empty())?;
    let kids = &mut root.at_mut(&at).kids;
    let from = garden.rng.usize(..kids.len());
    let to = kids.len().min(from + 1 + garden.up_to(2));
    let inner = kids.drain(from..to).collect();
    kids.insert(from, Twig::Branch(garden.branch("q", inner)));
    Some(())
}

fn unwrap(garden: &mut Garden, root: &mut Branch) -> Option<()> {
    let at = spot(garden, root, |branch| !branch.is_root() && branch.is_holder() && !branch.kids.is_empty())?;
    spill(root, &at)
}

fn spill(root: &mut Branch, at: &[usize]) -> Option<()> {
    let Twig::Branch(branch) = root.take(at) else { return None };
    let (index, up) = at.split_last()?;
    root.at_mut(up).kids.splice(index..index, branch.kids);
    Some(())
}

fn insert(garden: &mut Garden, root: &mut Branch) -> Option<()> {
    let (len, marks) = (garden.up_to(3), garden.marks());
    let block = if garden.one_in(3) {
        garden.block(2)
    } else {
        let word = garden.word(len, 2, marks);
        garden.branch("p", word)
    };
    put(garden, root, vec![Twig::Branch(block)], Branch::is_holder)
}

fn remove(garden: &mut Garden, root: &mut Branch) -> Option<()> {
    let at = spot(garden, root, |branch| !branch.is_root())?;
    root.take(&at);
    Some(())
}

fn mark(garden: &mut Garden, root: &mut Branch) -> Option<()> {
    let at = spot(garden, root, |branch| branch.is_textual() && branch.has_chars())?;
    let kids = &mut root.at_mut(&at).kids;
    let (from, len, marks) = (garden.rng.usize(..kids.len()), 1 + garden.up_to(5), garden.marks());
    for kid in kids.iter_mut().skip(from).take(len) {
        if let Twig::Char(char) = kid {
            char.marks = marks;
        }
    }
    Some(())
}

fn set(garden: &mut Garden, root: &mut Branch) -> Option<()> {
    let at = spot(garden, root, |branch| !branch.is_root())?;
    let branch = root.at_mut(&at);
    branch.x = garden.up_to(4) as i32;
    if !branch.is_inline() && !branch.is_void() && garden.one_in(3) {
        branch.kind = garden.pick(&["p", "h", "q", "li"])?;
    }
    Some(())
}

/// Takes characters that follow each other out of a branch that has any; and from where.
fn cut_out(garden: &mut Garden, branch: &mut Branch) -> Option<(usize, Vec<Twig>)> {
    let chars: Vec<_> = (0..branch.kids.len()).filter(|index| is_char(&branch.kids[*index])).collect();
    let from = garden.pick(&chars)?;
    let mut to = from + 1;
    while branch.kids.get(to).is_some_and(is_char) && !garden.one_in(4) {
        to += 1;
    }
    Some((from, branch.kids.drain(from..to).collect()))
}

fn link(garden: &mut Garden, root: &mut Branch) -> Option<()> {
    let at = spot(garden, root, |branch| is_line(branch) && branch.has_chars())?;
    let (index, part) = cut_out(garden, root.at_mut(&at))?;
    let link = garden.branch("a", part);
    root.at_mut(&at).kids.insert(index, Twig::Branch(link));
    Some(())
}

fn unlink(garden: &mut Garden, root: &mut Branch) -> Option<()> {
    let at = spot(garden, root, |branch| branch.kind == "a")?;
    spill(root, &at)
}

/// The content of a line is now in another, at its end for the most part.
fn join(garden: &mut Garden, root: &mut Branch) -> Option<()> {
    let from = spot(garden, root, is_line)?;
    let Twig::Branch(line) = root.take(&from) else { return None };
    if garden.one_in(3) {
        return put(garden, root, line.kids, is_line);
    }
    let to = spot(garden, root, is_line)?;
    root.at_mut(&to).kids.extend(line.kids);
    Some(())
}

/// Some text goes elsewhere.
fn part(garden: &mut Garden, root: &mut Branch) -> Option<()> {
    let from = spot(garden, root, |branch| branch.is_textual() && branch.has_chars())?;
    let (_, part) = cut_out(garden, root.at_mut(&from))?;
    put(garden, root, part, Branch::is_textual)
}

/// A child becomes the parent of its parent.
fn swap(garden: &mut Garden, root: &mut Branch) -> Option<()> {
    let holders = root.all(|branch| !branch.is_root() && branch.is_holder());
    let nested: Vec<_> = holders.iter().filter(|spot| holders.contains(&spot[..spot.len() - 1].to_vec())).collect();
    let at = garden.pick(&nested)?.clone();
    let Twig::Branch(mut child) = root.take(&at) else { return None };
    let up = &at[..at.len() - 1];
    child.kids.push(root.take(up));
    let (index, above) = up.split_last()?;
    root.at_mut(above).kids.insert(*index, Twig::Branch(child));
    Some(())
}

/// The same elements and characters, for the most part, in any order and place.
pub fn shuffle(garden: &mut Garden, root: &mut Branch) {
    fn strip(branch: &mut Branch, branches: &mut Vec<Branch>, chars: &mut Vec<Twig>) {
        for kid in std::mem::take(&mut branch.kids) {
            match kid {
                Twig::Branch(mut kid) => {
                    strip(&mut kid, branches, chars);
                    branches.push(kid);
                }
                Twig::Char(_) => chars.push(kid),
            }
        }
    }
    let (mut branches, mut chars) = (Vec::new(), Vec::new());
    strip(root, &mut branches, &mut chars);
    branches.retain(|_| !garden.one_in(8));
    chars.retain(|_| !garden.one_in(8));
    for _ in 0..garden.up_to(3) {
        let kind = garden.pick(&["p", "q", "a"]).unwrap();
        branches.push(garden.branch(kind, Vec::new()));
    }
    let len = garden.up_to(3);
    chars.extend(garden.word(len, 2, 0));
    garden.rng.shuffle(&mut branches);
    for branch in branches {
        put(garden, root, vec![Twig::Branch(branch)], |_| true);
    }
    for mut char in chars {
        if let Twig::Char(char) = &mut char
            && garden.one_in(9)
        {
            char.marks = garden.marks();
        }
        put(garden, root, vec![char], |_| true);
    }
}
