//! Carries out one element's script, leaf by leaf, with as few operations as it takes.

use yrs::{BranchID, ReadTxn, XmlTextRef};

use super::steps::Step;
use super::{Remote, ensure};
use crate::slate::emit::Misfit;
use crate::slate::props::Props;
use crate::slate::read::{self, Piece};
use crate::slate::tree::{Kind, NodeId, branch_id};
use crate::slate::utf16;

/// A place among the children of `id`. At the end of a text it stays there, so that what is inserted extends it.
struct AlignCursor {
    id: NodeId,
    index: usize,
    offset: u32,
}

impl AlignCursor {
    fn advance(&mut self) {
        self.index += 1;
        self.offset = 0;
    }
}

/// The new content, consumed from the start.
struct NewContent<'p> {
    pieces: &'p [Piece],
    used: u32,
}

impl<'p> NewContent<'p> {
    fn peek(&self) -> Result<&'p Piece, Misfit> {
        self.pieces.first().ok_or(Misfit)
    }

    fn rest(&self) -> u32 {
        self.pieces.first().map_or(0, |piece| piece.len() - self.used)
    }

    fn skip(&mut self, len: u32) {
        self.used += len;
        if self.rest() == 0 {
            self.pieces = self.pieces.get(1..).unwrap_or_default();
            self.used = 0;
        }
    }

    fn take(&mut self, len: u32) -> Result<&'p str, Misfit> {
        let Piece::Text { text, len: all, .. } = self.peek()? else { return Err(Misfit) };
        let start = utf16::byte_at(text, *all, self.used).map_err(|_| Misfit)?;
        let end = utf16::byte_at(text, *all, self.used + len).map_err(|_| Misfit)?;
        self.skip(len);
        Ok(&text[start..end])
    }

    fn marks(&self) -> Option<&'p Props> {
        match self.pieces.first() {
            Some(Piece::Text { marks, .. }) => Some(marks),
            _ => None,
        }
    }
}

impl<T: ReadTxn> Remote<'_, T> {
    /// From the child at `index` on.
    pub(super) fn align(&mut self, id: NodeId, index: usize, pieces: &[Piece], steps: &[Step]) -> Result<(), Misfit> {
        let mut cursor = AlignCursor { id, index, offset: 0 };
        let mut feed = NewContent { pieces, used: 0 };
        for (at, step) in steps.iter().enumerate() {
            match *step {
                Step::Keep(len) => self.keep(&mut cursor, &mut feed, len)?,
                Step::Delete(len) => {
                    let refill = matches!(steps.get(at + 1), Some(Step::Insert(_)));
                    self.delete(&mut cursor, len, if refill { feed.marks() } else { None })?;
                }
                Step::Insert(len) => self.insert(&mut cursor, &mut feed, len)?,
            }
        }
        ensure(feed.pieces.is_empty())
    }

    /// The child at the cursor that the script speaks of next.
    fn old_child(&self, cursor: &mut AlignCursor) -> Result<NodeId, Misfit> {
        loop {
            let child = *self.emit.tree.children(cursor.id).get(cursor.index).ok_or(Misfit)?;
            let exhausted = self.emit.tree.text(child).is_some_and(|text| text.len == cursor.offset);
            if !exhausted && !self.ghosts.contains(&child) {
                return Ok(child);
            }
            cursor.advance();
        }
    }

    fn keep(&mut self, cursor: &mut AlignCursor, feed: &mut NewContent, mut len: u32) -> Result<(), Misfit> {
        while len > 0 {
            let child = self.old_child(cursor)?;
            let done = match (self.emit.tree.kind(child), feed.peek()?) {
                (Kind::Text(text), Piece::Text { marks, .. }) => {
                    let done = len.min(text.len - cursor.offset).min(feed.rest());
                    if text.marks.same(marks) {
                        cursor.offset += done;
                    } else {
                        self.reformat(cursor, child, done, marks)?;
                    }
                    done
                }
                (Kind::Element(block), Piece::Element(branch)) => {
                    if block.key.map(BranchID::Nested).as_ref() != Some(&branch_id(branch)) {
                        self.adopt(child, branch.clone());
                    }
                    cursor.advance();
                    1
                }
                _ => return Err(Misfit),
            };
            feed.skip(done);
            len -= done;
        }
        Ok(())
    }

    /// Gives `len` units from the cursor on other marks; the cursor comes to stand behind them.
    fn reformat(&mut self, cursor: &mut AlignCursor, child: NodeId, len: u32, marks: &Props) -> Result<(), Misfit> {
        let text = self.emit.tree.text(child).ok_or(Misfit)?;
        let (rest, old) = (text.len - cursor.offset, text.marks.clone());
        if cursor.offset > 0 {
            let right = self.emit.split_text(child, cursor.offset, marks.clone())?;
            cursor.advance();
            if len < rest {
                self.emit.split_text(right, len, old)?;
            }
        } else {
            if len < rest {
                self.emit.split_text(child, len, old)?;
            }
            self.emit.set_props(child, marks.clone())?;
        }
        cursor.advance();
        Ok(())
    }

    /// `refill`: the marks of a text that is inserted in the place of what is deleted.
    fn delete(&mut self, cursor: &mut AlignCursor, mut len: u32, refill: Option<&Props>) -> Result<(), Misfit> {
        while len > 0 {
            let child = self.old_child(cursor)?;
            let done = match self.emit.tree.kind(child) {
                Kind::Text(text) => {
                    let done = len.min(text.len - cursor.offset);
                    let whole = done == text.len;
                    let refilled = done == len && refill.is_some_and(|marks| marks.same(&text.marks));
                    if whole && !refilled && self.has_text_neighbour(cursor) {
                        self.emit.remove_node(child)?;
                    } else {
                        self.emit.remove_text(child, cursor.offset, done)?;
                    }
                    done
                }
                Kind::Element(_) => {
                    let last_block = cursor.id == 0 && self.emit.tree.children(cursor.id).len() == 1;
                    if last_block || self.holders.contains(&child) {
                        self.ghosts.insert(child);
                        self.leftovers.push(child);
                    } else {
                        self.emit.remove_node(child)?;
                    }
                    1
                }
                Kind::Free => return Err(Misfit),
            };
            len -= done;
        }
        Ok(())
    }

    fn has_text_neighbour(&self, cursor: &AlignCursor) -> bool {
        let siblings = self.emit.tree.children(cursor.id);
        let is_text = |index: Option<usize>| {
            index.and_then(|index| siblings.get(index)).is_some_and(|&sibling| self.emit.tree.is_text(sibling))
        };
        is_text(cursor.index.checked_sub(1)) || is_text(Some(cursor.index + 1))
    }

    fn insert(&mut self, cursor: &mut AlignCursor, feed: &mut NewContent, mut len: u32) -> Result<(), Misfit> {
        while len > 0 {
            let done = match feed.peek()? {
                Piece::Text { marks, .. } => {
                    let done = len.min(feed.rest());
                    let text = feed.take(done)?;
                    self.insert_run(cursor, text, done, marks)?;
                    done
                }
                Piece::Element(branch) => {
                    self.insert_element(cursor, branch)?;
                    feed.skip(1);
                    1
                }
            };
            len -= done;
        }
        Ok(())
    }

    /// Extends the text at the cursor, or the one before or after it, if the marks are the same.
    fn insert_run(&mut self, cursor: &mut AlignCursor, run: &str, len: u32, marks: &Props) -> Result<(), Misfit> {
        let fits = |index: Option<usize>| {
            let child = *self.emit.tree.children(cursor.id).get(index?)?;
            let text = self.emit.tree.text(child)?;
            text.marks.same(marks).then_some((child, text.len))
        };
        if let Some((child, _)) = fits(Some(cursor.index)) {
            self.emit.insert_text(child, cursor.offset, run)?;
            cursor.offset += len;
            return Ok(());
        }
        if cursor.offset == 0
            && let Some((child, end)) = fits(cursor.index.checked_sub(1))
        {
            return self.emit.insert_text(child, end, run);
        }
        let at_end = self.current_text(cursor).is_some_and(|(_, len)| len == cursor.offset);
        if at_end && let Some((child, _)) = fits(Some(cursor.index + 1)) {
            self.emit.insert_text(child, 0, run)?;
            cursor.index += 1;
            cursor.offset = len;
            return Ok(());
        }
        self.open_gap(cursor)?;
        let leaf = self.emit.tree.new_text(run.to_owned(), marks.clone());
        self.emit.insert_node(cursor.id, cursor.index, leaf)?;
        cursor.advance();
        Ok(())
    }

    fn current_text(&self, cursor: &AlignCursor) -> Option<(NodeId, u32)> {
        let child = *self.emit.tree.children(cursor.id).get(cursor.index)?;
        Some((child, self.emit.tree.text(child)?.len))
    }

    /// Makes the cursor stand between two children, splitting a text if it is inside of one.
    fn open_gap(&mut self, cursor: &mut AlignCursor) -> Result<(), Misfit> {
        if let Some((child, len)) = self.current_text(cursor) {
            if cursor.offset > 0 && cursor.offset < len {
                let marks = self.emit.tree.text(child).ok_or(Misfit)?.marks.clone();
                self.emit.split_text(child, cursor.offset, marks)?;
            }
            if cursor.offset > 0 || len == 0 {
                cursor.advance();
            }
        }
        Ok(())
    }

    fn insert_element(&mut self, cursor: &mut AlignCursor, branch: &XmlTextRef) -> Result<(), Misfit> {
        self.open_gap(cursor)?;
        if let Some(id) = self.claimed(branch) {
            self.ghosts.remove(&id);
            cursor.index = self.emit.move_node(id, cursor.id, cursor.index)?;
            self.adopt(id, branch.clone());
        } else if !self.moves.is_empty() && self.expects_moves(branch) {
            let id = self.emit.tree.new_block(read::attrs(self.txn, branch));
            self.emit.insert_node(cursor.id, cursor.index, id)?;
            self.adopt(id, branch.clone());
            let content = read::content(self.txn, branch);
            let len = content.pieces.iter().map(Piece::len).sum();
            self.align(id, 0, &content.pieces, &[Step::Insert(len)])?;
            // What moved into it may have stood before it.
            cursor.index = self.emit.tree.index(id).ok_or(Misfit)?;
        } else {
            let depth = self.emit.tree.depth(cursor.id).ok_or(Misfit)? + 1;
            let (id, foreign) = read::load(self.txn, self.emit.tree, branch.clone(), depth);
            self.foreign += foreign;
            self.emit.insert_node(cursor.id, cursor.index, id)?;
        }
        cursor.advance();
        Ok(())
    }

    fn claimed(&self, branch: &XmlTextRef) -> Option<NodeId> {
        match branch_id(branch) {
            BranchID::Nested(key) => self.moves.get(&key).copied(),
            BranchID::Root(_) => None,
        }
    }

    /// Whether something that moves is to come into this new element.
    fn expects_moves(&self, branch: &XmlTextRef) -> bool {
        read::content(self.txn, branch).pieces.iter().any(|piece| match piece {
            Piece::Element(inner) => self.claimed(inner).is_some() || self.expects_moves(inner),
            Piece::Text { .. } => false,
        })
    }
}
