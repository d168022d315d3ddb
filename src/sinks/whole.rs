//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Begins the names of files that are being written.
const PART: &str = ".edgeclip-part-";

/// A written file that does not have its name yet; it goes away unless it gets it.
pub struct Part {
    part: PathBuf,
    path: PathBuf,
    named: bool,
}

impl Part {
    /// Writes `bytes` beside `path`; with `sync`, down to the disk, so that no power cut leaves an empty file under the name.
    pub fn write(path: &Path, bytes: &[u8], sync: bool) -> io::Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let part =
            Self { part: path.with_file_name(format!("{PART}{name}")), path: path.to_owned(), named: false };
        let mut file = File::create(&part.part)?;
        file.write_all(bytes)?;
        if sync {
            file.sync_all()?;
        }
        Ok(part)
    }

    /// Gives the file its name; one of this name is replaced.
    pub fn finish(mut self) -> io::Result<()> {
        fs::rename(&self.part, &self.path)?;
        self.named = true;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.named {
            let _ = fs::remove_file(&self.part);
        }
    }
}

/// Removes what a power cut left half written in `folder`.
pub fn remove_parts(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PART) {
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
        let part = Part::write(&path, b"whole", true).unwrap();
        assert_eq!(names(folder.path()), [".edgeclip-part-a.jpg"]);
        part.finish().unwrap();
        assert_eq!(names(folder.path()), ["a.jpg"]);
        drop(Part::write(&path, b"half", false).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(names(folder.path()), ["a.jpg"]);
    }

    #[test]
    fn parts_of_an_earlier_run_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".edgeclip-part-a.jpg", ".hidden", "part"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        remove_parts(folder.path()).unwrap();
        let mut left = names(folder.path());
        left.sort();
        assert_eq!(left, [".hidden", "part"]);
    }
}
