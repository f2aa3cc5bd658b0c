//! One element gets what belongs to it, in order.

use super::Plan;
use super::join::increasing;
use super::known::{KidRef, NEW, Who};
use super::shade::{ShadeId, ShadeKind};
use super::split::NewKid;
use super::stretches::StretchId;

struct Arranging {
    who: Who,
    element: ShadeId,
    /// What is in place already, and the index at which it may stand.
    prev: Option<NewKid>,
    hint: usize,
}

impl Plan<'_> {
    pub(super) fn arrange(&mut self, who: Who) {
        let Some(element) = self.shade(who) else { return };
        if self.up(element).is_some()
            && let Some(end) = self.end(NEW, who)
        {
            self.set_props(element, end.element);
        }
        self.join_heirs(who, false);
        self.split_off(who, element);
        self.open(element);
        let (mut doing, wanted) = self.sort_out(who, element);
        let mut next = 0;
        while let Some(item) = wanted.get(next).copied() {
            next += 1;
            match item {
                _ if self.needs_no_move(item) => doing.prev = Some(item),
                NewKid::Element(kid) => {
                    self.fetch(&mut doing, kid);
                    doing.prev = Some(item);
                    doing.hint = doing.hint.wrapping_add(1);
                }
                NewKid::Text(id) => {
                    let last = self.together(id, &wanted, &mut next);
                    self.fetch_text(&mut doing, id, last);
                    doing.prev = Some(NewKid::Text(last));
                    doing.hint = doing.hint.wrapping_add(1);
                }
            }
        }
    }

    /// Splits come first: what is to stand between the halves comes after.
    fn split_off(&mut self, who: Who, element: ShadeId) {
        let mut prev = None;
        for index in 0..self.kid_count(NEW, who) {
            match self.kid(NEW, who, index) {
                Some(KidRef::Element(kid)) => {
                    if self.shade(kid).is_none() && !self.is_fresh(kid) {
                        let from = self.first_there(kid).and_then(|(_, from)| from);
                        if from.and_then(|from| self.up(from)) == Some(element) {
                            self.make(kid, element, prev);
                        }
                    }
                    prev = Some(NewKid::Element(kid));
                }
                Some(KidRef::Leaf(_, 0)) | None => {}
                Some(KidRef::Leaf(..)) => prev = None,
            }
        }
    }

    /// What is to be in the element, in order, but for what begins and ends alike; what needs no move is marked.
    fn sort_out(&mut self, who: Who, element: ShadeId) -> (Arranging, Vec<NewKid>) {
        self.turn += 1;
        let turn = self.turn;
        let list = self.children(element);
        let target = self.kids(NEW, who);
        let empty = |kid: &KidRef| matches!(kid, KidRef::Leaf(_, 0));
        let alike = |kid: &KidRef, shade: &ShadeId| match kid {
            KidRef::Element(who) => self.who(*shade) == Some(*who),
            KidRef::Leaf(..) => false,
        };
        let mut head = 0;
        let mut rest = target;
        while let Some((kid, more)) = rest.split_first() {
            if !empty(kid) {
                if !list.get(head).is_some_and(|shade| alike(kid, shade)) {
                    break;
                }
                head += 1;
            }
            rest = more;
        }
        let mut tail = list.len();
        while let Some((kid, more)) = rest.split_last() {
            if !empty(kid) {
                if tail <= head || !alike(kid, &list[tail - 1]) {
                    break;
                }
                tail -= 1;
            }
            rest = more;
        }
        let mut wanted = Vec::new();
        for kid in rest {
            match kid {
                KidRef::Element(who) => wanted.push(NewKid::Element(*who)),
                KidRef::Leaf(first, count) => {
                    let all = self.cuts_of(NEW, *first, *count).iter().flatten();
                    wanted.extend(all.filter(|id| self.stretch(**id).kept).map(|id| NewKid::Text(*id)));
                }
            }
        }
        let prev = head.checked_sub(1).and_then(|last| self.who(list[last])).map(NewKid::Element);
        let middle = list[head..tail].to_vec();
        for item in &wanted {
            if let NewKid::Element(who) = item {
                self.found.known[*who as usize].wanted = turn;
            }
        }
        self.mark(who, &middle);
        (Arranging { who, element, prev, hint: head.wrapping_sub(1) }, wanted)
    }

    /// Marks as many of the wanted as possible to stay where they are.
    fn mark(&mut self, who: Who, list: &[ShadeId]) {
        let turn = self.turn;
        let (mut have, mut pos) = (Vec::new(), Vec::new());
        for shade in list {
            match &self.shades[*shade as usize].kind {
                ShadeKind::Leaf { stretches, .. } => {
                    let own = stretches.iter().filter(|id| {
                        let stretch = self.stretch(**id);
                        stretch.kept && stretch.to == Some(who)
                    });
                    for id in own {
                        have.push(NewKid::Text(*id));
                        pos.push(self.stretch(*id).pos);
                    }
                }
                ShadeKind::Element { who, .. } => {
                    let known = &self.found.known[*who as usize];
                    if known.wanted == turn {
                        have.push(NewKid::Element(*who));
                        pos.push(known.pos);
                    }
                }
            }
        }
        let is_fixed = |item: &NewKid| match item {
            NewKid::Element(who) => self.found.known[*who as usize].stands_for_many(),
            NewKid::Text(_) => false,
        };
        let fixed: Vec<usize> = (0..have.len()).filter(|at| is_fixed(&have[*at])).collect();
        if !fixed.is_empty() {
            keep_around(&fixed, &mut have, &mut pos);
        }
        for index in increasing(&pos) {
            match have[index] {
                NewKid::Element(who) => self.found.known[who as usize].stays = turn,
                NewKid::Text(id) => self.stretches[id as usize].stays = turn,
            }
        }
    }

    fn needs_no_move(&self, item: NewKid) -> bool {
        match item {
            NewKid::Element(who) => self.found.known[who as usize].stays == self.turn,
            NewKid::Text(id) => self.stretch(id).stays == self.turn,
        }
    }

    /// Whether a kid of the element that is arranged is, or has, something that needs no move.
    fn stays(&self, doing: &Arranging, shade: ShadeId) -> bool {
        match &self.shades[shade as usize].kind {
            ShadeKind::Leaf { stretches, .. } => stretches.iter().any(|id| self.stretch(*id).stays == self.turn),
            ShadeKind::Element { who, .. } => {
                let known = &self.found.known[*who as usize];
                known.stays == self.turn || (known.wanted != self.turn && self.new_up(*who) == Some(doing.who))
            }
        }
    }

    fn shade_of(&mut self, item: NewKid) -> Option<ShadeId> {
        match item {
            NewKid::Element(who) => self.shade(who),
            NewKid::Text(id) => self.leaf_of(id),
        }
    }

    /// Where the next is put: behind what is in place; right in front of `near`, from which it came or which it will hold,
    /// if that stands there.
    fn behind(&mut self, doing: &mut Arranging, near: Option<ShadeId>) -> usize {
        let element = doing.element;
        let mut from = 0;
        if let Some(prev) = doing.prev
            && let Some(shade) = self.shade_of(prev)
        {
            if let NewKid::Text(id) = prev {
                let end = self.end_of(id, shade);
                if end < self.texts(shade).len() {
                    self.split_leaf(shade, end);
                }
            }
            if self.children(element).get(doing.hint) != Some(&shade) {
                doing.hint = self.index_of(shade);
            }
            from = doing.hint + 1;
        }
        let near = std::iter::successors(near, |near| self.up(*near)).find(|near| self.up(*near) == Some(element));
        if let Some(near) = near {
            for (index, kid) in self.children(element).iter().enumerate().skip(from) {
                if *kid == near {
                    return index;
                }
                if self.stays(doing, *kid) {
                    break;
                }
            }
        }
        from
    }

    /// Whether nothing that stays is between what is in place and this one.
    fn is_in_place(&mut self, doing: &Arranging, shade: ShadeId) -> bool {
        if self.up(shade) != Some(doing.element) {
            return false;
        }
        let mut from = 0;
        if let Some(prev) = doing.prev
            && let Some(before) = self.shade_of(prev)
        {
            from = self.index_of(before) + 1;
            if let NewKid::Text(id) = prev {
                let rest = &self.texts(before)[self.end_of(id, before)..];
                if rest.iter().any(|id| self.stretch(*id).stays == self.turn) {
                    return false;
                }
            }
        }
        let mut kids = self.children(doing.element).iter().skip(from);
        kids.find(|kid| **kid == shade || self.stays(doing, **kid)) == Some(&shade)
    }

    fn fetch(&mut self, doing: &mut Arranging, kid: Who) {
        let fresh = self.is_fresh(kid);
        let shade = match self.shade(kid) {
            None if !fresh => self.make(kid, doing.element, doing.prev),
            shade => shade,
        };
        if let Some(shade) = shade {
            if !self.is_in_place(doing, shade) {
                let at = self.behind(doing, self.up(shade));
                self.move_to(shade, doing.element, at);
            }
        } else if let Some((shade, node)) = self.build(kid, doing.element) {
            let near = if fresh { None } else { self.first_there(kid).map(|(near, _)| near) };
            let at = self.behind(doing, near);
            self.insert(doing.element, at, shade, node);
        }
    }

    /// The last of the text that follows a stretch both here and there.
    fn together(&self, id: StretchId, wanted: &[NewKid], next: &mut usize) -> StretchId {
        let mut last = id;
        let Some(leaf) = self.leaf_of(id) else { return last };
        while let Some(NewKid::Text(follows)) = wanted.get(*next).copied() {
            let stays = self.stretch(follows).stays == self.turn;
            let end = self.end_of(last, leaf);
            if stays || self.leaf_of(follows) != Some(leaf) || self.texts(leaf).get(end) != Some(&follows) {
                break;
            }
            last = follows;
            *next += 1;
        }
        last
    }

    fn fetch_text(&mut self, doing: &mut Arranging, first: StretchId, last: StretchId) {
        let Some(mut leaf) = self.leaf_of(first) else { return };
        let (start, end) = (self.start_of(first, leaf), self.end_of(last, leaf));
        if end < self.texts(leaf).len() {
            self.split_leaf(leaf, end);
        }
        if start > 0 {
            leaf = self.split_leaf(leaf, start);
        }
        let at = self.behind(doing, self.up(leaf));
        self.move_to(leaf, doing.element, at);
    }
}

/// What stands for many cannot be moved: only what is on the same sides of all these, before and after, may stay.
fn keep_around(fixed: &[usize], have: &mut Vec<NewKid>, pos: &mut Vec<u32>) {
    let mut behind = 0;
    let stays: Vec<bool> = (0..have.len())
        .map(|at| {
            behind += usize::from(fixed.get(behind).is_some_and(|fixed| *fixed < at));
            let is_after = behind.checked_sub(1).is_none_or(|last| pos[fixed[last]] < pos[at]);
            is_after && fixed.get(behind).is_none_or(|next| *next == at || pos[at] < pos[*next])
        })
        .collect();
    let both = std::mem::take(have).into_iter().zip(std::mem::take(pos)).zip(stays);
    (*have, *pos) = both.filter_map(|(both, stays)| stays.then_some(both)).unzip();
}
