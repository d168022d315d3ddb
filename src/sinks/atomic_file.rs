//! Files that exist whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Prefix of the names of files that are being written.
const PREFIX: &str = ".edgeclip-part-";

/// A written file under a temporary name; it is removed unless it is committed.
pub(crate) struct AtomicFile {
    temporary: PathBuf,
    path: PathBuf,
    committed: bool,
}

impl AtomicFile {
    /// Writes `bytes` beside `path`; with `sync`, through to the disk, so that no power cut leaves an empty
    /// file.
    pub(crate) fn write(path: &Path, bytes: &[u8], sync: bool) -> io::Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = path.with_file_name(format!("{PREFIX}{name}"));
        let written = Self { temporary, path: path.to_owned(), committed: false };
        let mut file = File::create(&written.temporary)?;
        file.write_all(bytes)?;
        if sync {
            file.sync_all()?;
        }
        Ok(written)
    }

    /// Moves the file to its path; a file that is there is replaced.
    pub(crate) fn commit(mut self) -> io::Result<()> {
        fs::rename(&self.temporary, &self.path)?;
        self.committed = true;
        Ok(())
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.committed {
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Removes files of `folder` that a power cut left uncommitted.
pub(crate) fn remove_uncommitted(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_has_its_name_only_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jpg");
        let part = AtomicFile::write(&path, b"whole", true).unwrap();
        assert_eq!(names(folder.path()), [".edgeclip-part-a.jpg"]);
        part.commit().unwrap();
        assert_eq!(names(folder.path()), ["a.jpg"]);
        drop(AtomicFile::write(&path, b"half", false).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(names(folder.path()), ["a.jpg"]);
    }

    #[test]
    fn uncommitted_files_of_an_earlier_run_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".edgeclip-part-a.jpg", ".hidden", "part"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        remove_uncommitted(folder.path()).unwrap();
        let mut left = names(folder.path());
        left.sort();
        assert_eq!(left, [".hidden", "part"]);
    }
}
