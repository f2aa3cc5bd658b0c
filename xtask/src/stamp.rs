//! Skips work whose inputs have not changed: a stamp file holds the fingerprint of what the outputs were made from.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The stamp of one output folder.
pub struct Stamp {
    path: PathBuf,
    fingerprint: String,
}

impl Stamp {
    /// The fingerprint of `input`'s content and of `settings`, anything else that decides the outputs.
    pub fn of(dir: &Path, input: &Path, settings: &str) -> Result<Self> {
        let bytes = fs::read(input).with_context(|| format!("cannot read {}", input.display()))?;
        let mut hasher = DefaultHasher::new();
        (&bytes, settings).hash(&mut hasher);
        Ok(Self { path: dir.join(".stamp"), fingerprint: format!("{:016x}", hasher.finish()) })
    }

    /// Whether `outputs` were made from exactly this.
    pub fn is_current(&self, outputs: &[PathBuf]) -> bool {
        outputs.iter().all(|output| output.exists())
            && fs::read_to_string(&self.path).is_ok_and(|stamp| stamp == self.fingerprint)
    }

    /// Before the outputs are touched: a build that dies half-way must not look finished.
    pub fn clear(&self) -> Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    pub fn write(&self) -> Result<()> {
        fs::write(&self.path, &self.fingerprint).with_context(|| format!("cannot write {}", self.path.display()))
    }
}
