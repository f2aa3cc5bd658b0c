//! Ways to take a program's disk away.

use std::path::PathBuf;
use std::process::Command;

use rustix::process::{Pid, Resource, Rlimit, prlimit};

/// A small file system. None, after a loud line, where none may be mounted.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `size`: as tmpfs takes it.
    pub fn mount(at: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir(&at).unwrap();
        let mut mount = Command::new("mount");
        let status = mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(&at).status();
        if status.is_ok_and(|status| status.success()) {
            return Some(Self(at));
        }
        assert!(std::env::var_os("CI").is_none(), "no file system can be mounted, and CI skips nothing");
        eprintln!("SKIPPED: a small file system cannot be mounted here; only the limit of a file's size is tested");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// What a process writes beyond so many bytes of a file fails.
pub fn limit_files(process: u32, bytes: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(process).unwrap());
    prlimit(pid, Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
}
