//! Updates that put in one text, and do nothing else: a peer's key.

use super::split::Block;
use crate::protocol::lib0::Lib0Reader;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TypedText<'a> {
    pub client: u64,
    /// Of its first character.
    pub clock: u32,
    /// What it was put in between, by client and clock: right behind the one, right before the other, if there is one.
    pub left: (u64, u32),
    pub right: Option<(u64, u32)>,
    pub text: &'a str,
    /// In UTF-16 units.
    pub len: u32,
}

impl<'a> TypedText<'a> {
    /// `None`: it does more than that, or cannot be read.
    pub fn of(update: &'a [u8]) -> Option<Self> {
        let mut reader = Lib0Reader::new(update);
        let number = |reader: &mut Lib0Reader<'a>| u32::try_from(reader.var_uint().ok()?).ok();
        let is_one = number(&mut reader)? == 1 && number(&mut reader)? == 1;
        let (client, clock) = (number(&mut reader).filter(|_| is_one)?, number(&mut reader)?);
        let block = Block::read(&mut reader).ok()?;
        let text = block.typed()?;
        let id = |(client, clock): (u64, u64)| Some((client, u32::try_from(clock).ok()?));
        let (left, right) = (id(block.origin?)?, block.right_origin.and_then(id));
        let is_all = number(&mut reader)? == 0 && reader.remaining() == 0;
        let len = u32::try_from(block.len).ok()?;
        is_all.then_some(Self { client: client.into(), clock, left, right, text, len })
    }
}

#[cfg(test)]
mod tests {
    use yrs::{Doc, ReadTxn as _, Text as _, Transact as _};

    use super::TypedText;

    #[test]
    fn one_text_and_nothing_else() {
        let doc = Doc::with_client_id(7);
        let text = doc.get_or_insert_text("a");
        let update = |edit: &dyn Fn(&mut yrs::TransactionMut)| {
            let before = doc.transact().state_vector();
            edit(&mut doc.transact_mut());
            doc.transact().encode_diff_v1(&before)
        };
        let first = update(&|txn| text.insert(txn, 0, "one"));
        assert_eq!(TypedText::of(&first), None, "it says in which root");
        let key = update(&|txn| text.insert(txn, 1, "x"));
        let typed = TypedText { client: 7, clock: 3, left: (7, 0), right: Some((7, 1)), text: "x", len: 1 };
        assert_eq!(TypedText::of(&key), Some(typed));
        assert_eq!(TypedText::of(&[&key[..key.len() - 1], &[1, 7, 1, 0, 1]].concat()), None, "it deletes");
        let bold = [("bold".into(), true.into())].into();
        let marked = update(&|txn| text.insert_with_attributes(txn, 2, "y", std::clone::Clone::clone(&bold)));
        assert_eq!(TypedText::of(&marked), None, "it has formats");
        assert_eq!(TypedText::of(&key[..4]), None);
    }
}
