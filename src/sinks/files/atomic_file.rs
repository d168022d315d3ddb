//! Files that exist whole or not at all.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;

use super::mark::is_fragment;
use crate::system::Folder;

/// Prefix of the names of files that are being written; 16 hexadecimal digits follow.
const PREFIX: &str = ".edgeclip-part-";

/// A written file under a temporary name; it is removed unless it is committed.
pub(crate) struct AtomicFile<'a> {
    folder: &'a Folder,
    temporary: OsString,
    /// Locked as long as it may still be committed.
    _file: File,
    committed: bool,
}

impl<'a> AtomicFile<'a> {
    /// Writes `bytes` into a new file of `folder`; with `sync`, through to the disk, so that no power cut
    /// leaves an empty file.
    pub(crate) fn write(folder: &'a Folder, bytes: &[u8], mode: u32, sync: bool) -> io::Result<Self> {
        // Keyed by the operating system's random numbers: nobody can guess it. It is made exclusively all the
        // same.
        let random = RandomState::new().build_hasher().finish();
        let temporary = OsString::from(format!("{PREFIX}{random:016x}"));
        let file = folder.create(&temporary, mode)?;
        // Where a file system has no locks, another run may take it for abandoned.
        let _ = file.try_lock();
        let mut written = Self { folder, temporary, _file: file, committed: false };
        written._file.write_all(bytes)?;
        if sync {
            written._file.sync_all()?;
        }
        Ok(written)
    }

    /// Gives the file its name. An error of kind `AlreadyExists` if that is taken, even by a link.
    pub(crate) fn commit(mut self, name: &OsStr) -> io::Result<()> {
        self.folder.rename_to_free(&self.temporary, name)?;
        self.committed = true;
        Ok(())
    }

    /// Gives the file its name; what is there, even a link, is replaced.
    pub(crate) fn replace(mut self, name: &OsStr) -> io::Result<()> {
        self.folder.rename_over(&self.temporary, name)?;
        self.committed = true;
        Ok(())
    }
}

impl Drop for AtomicFile<'_> {
    fn drop(&mut self) {
        if !self.committed {
            let _ = self.folder.remove(&self.temporary);
        }
    }
}

/// Removes files that a power cut left uncommitted: those whose name, contents and lock all say so.
pub(crate) fn remove_abandoned(folder: &Folder) -> io::Result<()> {
    for name in folder.names()? {
        if is_temporary(&name) && is_abandoned(folder, &name) {
            folder.remove(&name)?;
        }
    }
    Ok(())
}

fn is_temporary(name: &OsStr) -> bool {
    let random = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
    random.is_some_and(|random| random.len() == 16 && random.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_abandoned(folder: &Folder, name: &OsStr) -> bool {
    let Ok(file) = folder.read(name) else { return false };
    let plain = file.metadata().is_ok_and(|about| about.is_file() && about.nlink() == 1);
    let mut head = Vec::new();
    plain && file.try_lock().is_ok() && (&file).take(64).read_to_end(&mut head).is_ok() && is_fragment(&head)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;

    use super::super::PRIVATE;
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_has_its_name_only_when_it_is_whole_and_takes_nobody_elses() {
        let place = tempfile::tempdir().unwrap();
        let (folder, name) = (Folder::open(place.path()).unwrap(), OsStr::new("a.jpg"));
        let part = AtomicFile::write(&folder, b"whole", PRIVATE, true).unwrap();
        let temporary = names(place.path());
        assert!(temporary.len() == 1 && is_temporary(OsStr::new(&temporary[0])), "{temporary:?}");
        part.commit(name).unwrap();
        assert_eq!(names(place.path()), ["a.jpg"]);
        assert_eq!(fs::metadata(place.path().join("a.jpg")).unwrap().permissions().mode() & 0o777, 0o600);
        drop(AtomicFile::write(&folder, b"half", PRIVATE, false).unwrap());
        let second = AtomicFile::write(&folder, b"second", PRIVATE, false).unwrap();
        assert_eq!(second.commit(name).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(place.path().join("a.jpg")).unwrap(), b"whole");
        AtomicFile::write(&folder, b"third", PRIVATE, false).unwrap().replace(name).unwrap();
        assert_eq!(fs::read(place.path().join("a.jpg")).unwrap(), b"third");
        assert_eq!(names(place.path()), ["a.jpg"]);
    }

    #[test]
    fn temporary_names_are_not_used_twice() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let parts: Vec<AtomicFile<'_>> =
            (0..20).map(|_| AtomicFile::write(&folder, b"", PRIVATE, false).unwrap()).collect();
        assert_eq!(names(place.path()).len(), parts.len());
    }

    #[test]
    fn only_what_an_earlier_run_left_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let part = |last: &str| format!("{PREFIX}000000000000000{last}");
        for (name, text) in [
            (part("1").as_str(), ""),
            (&part("2"), "{\"type\":\"snap"),
            // Somebody else's: other contents, a link, another form of name.
            (&part("3"), "mine"),
            (".edgeclip-part-a.jpg", ""),
            (".hidden", ""),
            ("part", ""),
        ] {
            fs::write(place.path().join(name), text).unwrap();
        }
        symlink("part", place.path().join(part("4"))).unwrap();
        let working = AtomicFile::write(&folder, b"", PRIVATE, false).unwrap();
        remove_abandoned(&folder).unwrap();
        let busy = working.temporary.clone().into_string().unwrap();
        let mut expected =
            [part("3"), ".edgeclip-part-a.jpg".into(), ".hidden".into(), "part".into(), part("4"), busy];
        expected.sort();
        assert_eq!(names(place.path()), expected);
    }
}
