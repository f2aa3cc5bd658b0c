//! Random acts of people, in the shapes that documents have.

use fastrand::Rng;
use yrs::Any;

use super::peer::Peer;
use super::transforms::*;
use crate::slate::Node;

/// What may happen.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kinds {
    pub removals: bool,
    pub links: bool,
    pub voids: bool,
    /// Drags anywhere, lifts, pastes, several acts in one flush.
    pub more: bool,
}

pub struct Actor {
    pub rng: Rng,
    pub kinds: Kinds,
    /// The next letter that nobody has used.
    pub next: u32,
}

type Entry = (Vec<usize>, Node);

impl Actor {
    pub fn below(&mut self, n: usize) -> usize {
        self.rng.usize(..n.max(1))
    }

    fn pick<T: Clone>(&mut self, list: &[T]) -> Option<T> {
        (!list.is_empty()).then(|| list[self.rng.usize(..list.len())].clone())
    }

    pub fn letter(&mut self) -> String {
        self.next += 1;
        char::from_u32(0x100 + self.next).expect("a letter").to_string()
    }

    /// One act, and what it was.
    pub fn act(&mut self, peer: &mut Peer) -> &'static str {
        let done = self.try_act(peer).unwrap_or("none");
        peer.normalize();
        done
    }

    fn try_act(&mut self, peer: &mut Peer) -> Option<&'static str> {
        if self.kinds.more && self.below(3) == 0 {
            return self.more(peer);
        }
        let texts = peer.texts();
        let (at, line) = self.pick(&texts)?;
        let offset = self.below(length(&line) + 1);
        if self.kinds.links && self.below(3) == 0 {
            return self.link(peer, &at, &line, offset);
        }
        let blocks = peer.blocks();
        let (block, node) = self.pick(&blocks)?;
        let most = if self.kinds.removals { 21 } else { 17 };
        match self.below(most) {
            0..3 => {
                let letter = self.letter();
                peer.insert_text(&at, offset, &letter);
                Some("type")
            }
            3..5 => self.split(peer, &at, offset),
            5..7 => merge(peer, &block, &node),
            7..9 => {
                let (to, other) = self.pick(&blocks)?;
                let is_legal = !to.starts_with(&block) && kind_of(&other) == kind_of(&node);
                is_legal.then(|| peer.shift(&block, &to)).map(|()| "move")
            }
            9 => {
                let is_part = ["li", "td", "tr"].contains(&kind_of(&node));
                (!is_part).then(|| peer.wrap(&block, element("q", vec![]))).map(|()| "wrap")
            }
            10 => {
                let (at, _) = self.pick(&of_kind(&blocks, "q"))?;
                peer.unwrap(&at);
                Some("unwrap")
            }
            11 => self.insert(peer, &block, &node),
            12 => {
                peer.set(&block, "align", Any::from(self.below(4) as f64));
                Some("set")
            }
            13..15 => self.enter(peer, &at, offset),
            15 => self.indent(peer, &blocks),
            16 => self.backspace(peer, &at),
            17..19 => {
                peer.remove(&block);
                Some("remove")
            }
            _ => {
                let (other, line) = self.pick(&texts)?;
                let to = self.below(length(&line) + 1);
                let (start, end) = if (&at, offset) <= (&other, to) {
                    ((&at[..], offset), (&other[..], to))
                } else {
                    ((&other[..], to), (&at[..], offset))
                };
                peer.delete(start, end);
                Some("delete")
            }
        }
    }

    fn split(&mut self, peer: &mut Peer, at: &[usize], offset: usize) -> Option<&'static str> {
        let kind = if self.rng.bool() { "p" } else { self.pick(&["p", "li", "ul", "q", "td", "tr"])? };
        let depth = (1..at.len()).rev().find(|n| kind_of(peer.node(&at[..*n])) == kind)?;
        peer.split_up(at, offset, depth);
        Some("split")
    }

    fn insert(&mut self, peer: &mut Peer, at: &[usize], node: &Node) -> Option<&'static str> {
        let letter = self.letter();
        match kind_of(node) {
            "p" if self.kinds.voids && self.below(3) == 0 => peer.insert(at, element("image", vec![text("")])),
            "p" => peer.insert(at, p(&letter)),
            "li" => peer.insert(at, li(&letter, vec![])),
            _ => peer.set(at, "align", Any::from(self.below(9) as f64)),
        }
        Some("insert")
    }

    fn enter(&mut self, peer: &mut Peer, at: &[usize], offset: usize) -> Option<&'static str> {
        let depth = (1..at.len()).rev().find(|n| !is_inline(peer.node(&at[..*n])))?;
        peer.split_up(at, offset, depth);
        let item = (1..at.len()).rev().find(|n| kind_of(peer.node(&at[..*n])) == "li");
        if let Some(item) = item.filter(|_| self.rng.bool()).filter(|item| *item > 1) {
            peer.lift(&at[..item]);
        }
        Some("enter")
    }

    fn indent(&mut self, peer: &mut Peer, blocks: &[Entry]) -> Option<&'static str> {
        let items: Vec<Entry> =
            of_kind(blocks, "li").into_iter().filter(|(at, _)| at.last().is_some_and(|last| *last > 0)).collect();
        let (at, _) = self.pick(&items)?;
        let previous = before(&at);
        if kind_of(peer.node(&previous)) != "li" {
            return None;
        }
        let count = peer.children(&previous).len();
        peer.wrap(&at, element("ul", vec![]));
        peer.shift(&at, &[&previous[..], &[count]].concat());
        Some("indent")
    }

    fn backspace(&mut self, peer: &mut Peer, at: &[usize]) -> Option<&'static str> {
        let depth = (1..at.len()).rev().find(|n| !is_inline(peer.node(&at[..*n])))?;
        let block = at[..depth].to_vec();
        let texts = peer.texts();
        let other = texts.iter().rev().find(|(other, _)| other[..] < block[..])?.0.clone();
        let depth = (1..other.len()).rev().find(|n| !is_inline(peer.node(&other[..*n])))?;
        peer.merge_blocks(&other[..depth], &block);
        Some("backspace")
    }

    fn link(&mut self, peer: &mut Peer, at: &[usize], line: &str, offset: usize) -> Option<&'static str> {
        let links: Vec<Entry> = peer.all().into_iter().filter(|(_, node)| kind_of(node) == "a").collect();
        let is_linked = (1..at.len()).any(|n| kind_of(peer.node(&at[..n])) == "a");
        let len = length(line);
        let k = self.below(6);
        if k == 3 && !links.is_empty() {
            let (at, _) = self.pick(&links)?;
            peer.unwrap(&at);
            return Some("unlink");
        }
        if k == 4 && !links.is_empty() {
            let (at, _) = self.pick(&links)?;
            peer.set(&at, "url", Any::from(self.below(9) as f64));
            return Some("url");
        }
        if k == 5 && self.kinds.voids {
            peer.split(at, offset);
            peer.insert(&behind(at), element("mention", vec![text("")]));
            return Some("mention");
        }
        if len < 2 {
            return None;
        }
        let from = self.below(len);
        let to = from + 1 + self.below(len - from);
        let at = cut(peer, at, from, to);
        if k < 3 && !is_linked {
            peer.wrap(&at, element("a", vec![]));
            peer.set(&at, "url", Any::from(self.below(3) as f64));
            return Some("link");
        }
        let value = if self.below(3) > 0 { Any::from(self.below(3) as f64) } else { Any::Null };
        peer.set(&at, "bold", value);
        Some("bold")
    }

    fn more(&mut self, peer: &mut Peer) -> Option<&'static str> {
        let blocks = peer.blocks();
        let (at, node) = self.pick(&blocks)?;
        match self.below(12) {
            0..3 => self.drag(peer, &blocks, &at, &node),
            3 => {
                let inner: Vec<Entry> = blocks
                    .iter()
                    .filter(|(at, _)| at.len() > 1 && kind_of(peer.node(&at[..at.len() - 1])) == "q")
                    .cloned()
                    .collect();
                let (at, _) = self.pick(&inner)?;
                peer.lift(&at);
                Some("lift")
            }
            4..6 => self.outdent(peer, &blocks),
            6 => self.paste(peer, &blocks),
            7 => {
                merge(peer, &at, &node)?;
                let texts = peer.texts();
                let (at, line) = self.pick(&texts)?;
                if self.rng.bool() {
                    let offset = self.below(length(&line) + 1);
                    self.enter(peer, &at, offset);
                }
                Some("rejoin")
            }
            8 => {
                let bare = peer.texts().into_iter().filter(|(at, line)| {
                    at.len() > 1 && !line.is_empty() && !["p", "a"].contains(&kind_of(peer.node(&at[..at.len() - 1])))
                });
                let (at, _) = self.pick(&bare.collect::<Vec<_>>())?;
                peer.wrap(&at, element("p", vec![]));
                Some("wrapbare")
            }
            9 => {
                let only = blocks.iter().filter(|(at, node)| {
                    kind_of(node) == "p" && at.len() > 1 && peer.children(&at[..at.len() - 1]).len() == 1
                });
                let (at, _) = self.pick(&only.cloned().collect::<Vec<_>>())?;
                peer.unwrap(&at);
                Some("bare")
            }
            _ => {
                for _ in 0..2 + self.below(3) {
                    self.try_act(peer);
                    peer.normalize();
                }
                Some("several")
            }
        }
    }

    fn drag(&mut self, peer: &mut Peer, blocks: &[Entry], at: &[usize], node: &Node) -> Option<&'static str> {
        let home = match kind_of(node) {
            "li" => Some("ul"),
            "tr" => Some("table"),
            "td" => Some("tr"),
            _ => None,
        };
        let takes = |(to, other): &&Entry| {
            let holds = match (home, other) {
                (Some(home), other) => kind_of(other) == home,
                (None, Node::Element(other)) => {
                    let is_holder = ["li", "td", "q"].contains(&kind_of(&Node::Element(other.clone())));
                    is_holder && !other.children.iter().any(is_text)
                }
                (None, Node::Text(_)) => false,
            };
            !to.starts_with(at) && holds
        };
        let mut targets: Vec<Vec<usize>> = blocks.iter().filter(takes).map(|(to, _)| to.clone()).collect();
        if home.is_none() {
            targets.push(Vec::new());
        }
        let to = self.pick(&targets)?;
        let count = peer.children(&to).len() - usize::from(at[..at.len() - 1] == to[..]);
        let index = self.below(count + 1);
        peer.shift(at, &[&to[..], &[index]].concat());
        Some("drag")
    }

    fn outdent(&mut self, peer: &mut Peer, blocks: &[Entry]) -> Option<&'static str> {
        let nested = of_kind(blocks, "li")
            .into_iter()
            .filter(|(at, _)| at.len() > 3 && kind_of(peer.node(&at[..at.len() - 2])) == "li");
        let (at, _) = self.pick(&nested.collect::<Vec<_>>())?;
        let list = at[..at.len() - 1].to_vec();
        let rest = peer.children(&list).len() - 1 - at[at.len() - 1];
        if rest > 0 && self.rng.bool() {
            let next = behind(&at);
            let count = peer.children(&at).len();
            peer.insert(&[&list[..], &[peer.children(&list).len()]].concat(), element("ul", vec![]));
            let new = peer.children(&list).len() - 1;
            for n in 0..rest {
                peer.shift(&next, &[&list[..], &[new - n, n]].concat());
            }
            peer.shift(&next, &[&at[..], &[count]].concat());
        }
        peer.shift(&at, &behind(&at[..at.len() - 2]));
        if peer.children(&list).is_empty() {
            peer.remove(&list);
        }
        Some("outdent")
    }

    fn paste(&mut self, peer: &mut Peer, blocks: &[Entry]) -> Option<&'static str> {
        let (at, node) = self.pick(blocks)?;
        let (a, b) = (self.letter(), self.letter());
        match (kind_of(&node), self.below(3)) {
            ("p", 0) => {
                peer.insert(&behind(&at), p(&a));
                peer.insert(&behind(&behind(&at)), p(&b));
            }
            ("p", 1) => peer.insert(&behind(&at), element("ul", vec![li(&a, vec![]), li(&b, vec![p("")])])),
            ("li", _) => {
                peer.insert(&at, li(&a, vec![element("ul", vec![li(&b, vec![])])]));
            }
            _ => return None,
        }
        Some("paste")
    }
}

fn of_kind(blocks: &[Entry], kind: &str) -> Vec<Entry> {
    blocks.iter().filter(|(_, node)| kind_of(node) == kind).cloned().collect()
}

fn merge(peer: &mut Peer, at: &[usize], node: &Node) -> Option<&'static str> {
    let has_previous = at.last().is_some_and(|last| *last > 0) && !is_void(node);
    if !has_previous || kind_of(peer.node(&before(at))) != kind_of(node) {
        return None;
    }
    peer.merge(at);
    Some("merge")
}

/// Makes a leaf of its own of a range of a text; returns its path.
fn cut(peer: &mut Peer, at: &[usize], from: usize, to: usize) -> Vec<usize> {
    peer.split(at, to);
    if from == 0 {
        return at.to_vec();
    }
    peer.split(at, from);
    behind(at)
}
