//! Somebody who only looks on: led from value to value by operations, as a peer's editor is.

use super::peer::{schema, show};
use crate::slate::tests::model::{apply_all, canonical};
use crate::slate::{DocOptions, Node, SlateDoc};

pub struct Follower {
    doc: SlateDoc,
    value: Vec<Node>,
}

impl Follower {
    pub fn new() -> Self {
        let options = DocOptions { client_id: 3, root: "content".into(), block_id: None, seed: 1, schema: schema() };
        let mut doc = SlateDoc::new(options);
        doc.raise_format(1);
        Self { doc, value: Vec::new() }
    }

    /// Hears an update. The operations lead from the value before to what the document shows, which is what it shows when
    /// it is read anew.
    pub fn hear(&mut self, update: &[u8]) -> Result<(), String> {
        let change = self.doc.apply_update(update).map_err(|error| error.to_string())?;
        let before = self.value.clone();
        apply_all(&mut self.value, &change.ops);
        if self.value != self.doc.value() {
            return Err(format!(
                "led to {}\n   shown {}\n   before {}\n   by {:?}",
                show(&self.value),
                show(&self.doc.value()),
                show(&before),
                change.ops
            ));
        }
        let look = self.doc.look();
        if look.divergences > 0 {
            return Err(format!(
                "followed to {}\n   read anew {}: {:?}",
                show(&self.value),
                show(&self.doc.value()),
                look.ops
            ));
        }
        Ok(())
    }

    pub fn shows(&self, value: &[Node]) -> Result<(), String> {
        match canonical(&self.value) == canonical(value) {
            true => Ok(()),
            false => Err(format!("a follower shows {}\n   editor {}", show(&self.value), show(value))),
        }
    }
}
