//! What tells one file from another without reading it.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use serde::{Deserialize, Serialize};

/// What changes when a file is written or replaced: a name alone says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct About {
    pub device: u64,
    pub inode: u64,
    pub length: u64,
    /// Seconds and nanoseconds of its modification.
    pub time: (i64, i64),
}

impl About {
    pub(super) fn of(about: &Metadata) -> Self {
        Self {
            device: about.dev(),
            inode: about.ino(),
            length: about.len(),
            time: (about.mtime(), about.mtime_nsec()),
        }
    }

    /// Whether this may be the same file with another time, as `cp -p` and FTP servers set it in the end.
    pub(super) fn is_touched(&self, other: &Self) -> bool {
        (self.device, self.inode, self.length) == (other.device, other.inode, other.length)
    }

    /// Whether this may be the same file on a drive that has numbered its files anew.
    pub(super) fn is_unchanged(&self, other: &Self) -> bool {
        (self.length, self.time) == (other.length, other.time)
    }
}
