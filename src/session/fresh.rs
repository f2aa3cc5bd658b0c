//! New documents: the one with which a session opens, and those that it makes beside it.

use crate::slate::{DocOptions, Schema, SlateDoc};

use super::Config;

/// What every document of this session is made with, and the session's random numbers.
#[derive(Debug)]
pub(super) struct Fresh {
    pub random: fastrand::Rng,
    root: String,
    block_id: Option<String>,
    pub schema: Schema,
}

impl Fresh {
    pub fn new(config: &Config) -> Self {
        Self {
            random: fastrand::Rng::with_seed(config.seed),
            root: config.root.clone(),
            block_id: config.block_id.clone(),
            schema: config.schema.clone(),
        }
    }

    /// An empty document, with a client id of its own.
    pub fn doc(&mut self) -> SlateDoc {
        SlateDoc::new(self.options())
    }

    pub fn options(&mut self) -> DocOptions {
        let client_id = self.random.u32(1..);
        self.options_as(client_id)
    }

    pub fn options_as(&mut self, client_id: u32) -> DocOptions {
        DocOptions {
            client_id,
            root: self.root.clone(),
            block_id: self.block_id.clone(),
            seed: self.random.u64(..),
            schema: self.schema.clone(),
        }
    }

    /// A client id that the document does not know.
    pub fn client_id(&mut self, doc: &SlateDoc) -> u32 {
        let mut id = self.random.u32(1..);
        while doc.knows_client(id) {
            id = self.random.u32(1..);
        }
        id
    }
}
