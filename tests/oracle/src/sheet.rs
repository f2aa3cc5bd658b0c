//! What an editor has while somebody does something: the value, and the operations that led there.

use slate_yrs::slate::{Node, Op};

use crate::model;
use crate::transforms::Edits;

pub struct Sheet {
    pub value: Vec<Node>,
    pub ops: Vec<Op>,
}

impl Sheet {
    pub fn new(value: &[Node]) -> Self {
        Self { value: value.to_vec(), ops: Vec::new() }
    }
}

impl Edits for Sheet {
    fn content(&self) -> &[Node] {
        &self.value
    }

    fn op(&mut self, op: Op) {
        model::apply(&mut self.value, &op);
        self.ops.push(op);
    }
}
