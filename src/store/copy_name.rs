//! Under which name a device has a document.
//!
//! A copy of a format that the first version of this package does not know stands under a name that it cannot ask for: no
//! tab of an older version, and no older version that was deployed again, can open, mend or compact it. What such a tab
//! goes on writing under the old name is taken over by the next opening.

use super::{Loaded, Store, StoreError, Write};

/// Comes before the names of guarded copies. No server of this package takes an id with it.
const GUARD: &str = "\u{1}1/";

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyName {
    document: String,
    name: String,
}

impl CopyName {
    /// As it is as long as nobody has moved the copy.
    pub fn new(document: &str) -> Self {
        Self { document: document.to_owned(), name: document.to_owned() }
    }

    /// What a store is asked for.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    pub fn is_guarded(&self) -> bool {
        self.name != self.document
    }

    /// Looks at a transaction that is about to be carried out: one that moves the copy is carried out under the new name,
    /// and so is what follows.
    pub fn follow(&mut self, writes: &[Write]) {
        if writes.iter().any(|write| matches!(write, Write::Move { .. })) {
            self.name = Self::guarded(&self.document);
        }
    }

    /// The name of a document's guarded copy.
    pub fn guarded(document: &str) -> String {
        format!("{GUARD}{document}")
    }

    /// The document of which a name is.
    pub fn document_of(name: &str) -> &str {
        name.strip_prefix(GUARD).unwrap_or(name)
    }
}

/// Loads a document's copy from wherever it is, and says so in `name`. `takes_over`: what is under the old name, beside a
/// guarded copy, is moved there.
///
/// # Errors
/// What the store says.
pub async fn load_copy<S: Store>(store: &S, name: &mut CopyName, takes_over: bool) -> Result<Loaded, StoreError> {
    let guarded = CopyName::guarded(&name.document);
    let mut loaded = store.load(&guarded).await?;
    if loaded.is_nothing() {
        name.name = name.document.clone();
        return store.load(&name.document).await;
    }
    name.name = guarded;
    if takes_over && !store.load(&name.document).await?.is_nothing() {
        let from = name.document.clone();
        store.write(&name.name, &[Write::Move { from, session: None }]).await?;
        loaded = store.load(&name.name).await?;
    }
    loaded.guarded = true;
    Ok(loaded)
}
