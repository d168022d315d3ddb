//! Folders that are held open: their files are made, renamed and removed by name, without looking up a path
//! again and without following a symbolic link.

use std::ffi::{CString, OsStr};
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Mode of folders that are made.
const PRIVATE: u32 = 0o700;

/// What file a path leads to, however it is spelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// Of a file whose metadata are known.
    pub(crate) fn of(about: &Metadata) -> Self {
        Self { device: about.dev(), inode: about.ino() }
    }

    /// Of what is at `path`, or where a link there leads; `None` if there is nothing.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().as_ref().map(Self::of)
    }
}

/// Bytes of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Space {
    /// All of them.
    pub total: u64,
    /// Those that this user may still write.
    pub available: u64,
}

/// A folder that is held open.
#[derive(Debug)]
pub(crate) struct Folder {
    handle: File,
    /// Where it was when it was opened, without links.
    path: PathBuf,
}

impl Folder {
    /// Opens a folder that exists; `path` may be, or hold, a symbolic link.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        // The folder of a file that is given by name alone.
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let path = path.canonicalize()?;
        Ok(Self { handle: handle(&path)?, path })
    }

    /// The same for a folder that is made, readable by this user alone, if it does not exist.
    pub(crate) fn make(path: &Path) -> io::Result<Self> {
        let made = DirBuilder::new().recursive(true).mode(PRIVATE).create(path);
        made.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory => io::Error::new(
                ErrorKind::NotADirectory,
                "found a file, expected a folder: another name for it",
            ),
            _ => error,
        })?;
        Self::open(path)
    }

    /// Makes the folder anew if it is not at its path any more, or opens the one that is there now. True if
    /// it is another one.
    pub(crate) fn refresh(&mut self) -> io::Result<bool> {
        let there = fs::symlink_metadata(&self.path);
        if there.is_ok_and(|there| self.id().is_ok_and(|id| id == FileId::of(&there))) {
            return Ok(false);
        }
        DirBuilder::new().recursive(true).mode(PRIVATE).create(&self.path)?;
        self.handle = handle(&self.path)?;
        Ok(true)
    }

    /// Where it was when it was opened, without links.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps other processes, and other handles of this one, from locking it until the result is dropped; waits
    /// for them. Where a file system has no locks, nothing is kept out.
    pub(crate) fn lock(&self) -> io::Result<File> {
        let own = handle(&self.path)?;
        match own.lock() {
            Err(error) if error.kind() != ErrorKind::Unsupported => Err(error),
            _ => Ok(own),
        }
    }

    /// What folder it is.
    pub(crate) fn id(&self) -> io::Result<FileId> {
        Ok(FileId::of(&self.handle.metadata()?))
    }

    /// Names of what is in it.
    pub(crate) fn names(&self) -> io::Result<Vec<std::ffi::OsString>> {
        fs::read_dir(&self.path)?.map(|entry| Ok(entry?.file_name())).collect()
    }

    /// What is there under a name, not following a link; `None` if the name is free.
    pub(crate) fn about(&self, name: &OsStr) -> io::Result<Option<Metadata>> {
        // `O_PATH` opens anything, even a link itself, without any effect.
        match self.open_at(name, libc::O_PATH | libc::O_NOFOLLOW, 0) {
            Ok(file) => file.metadata().map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a file, which must not exist, and opens it for reading and writing.
    pub(crate) fn create(&self, name: &OsStr, mode: u32) -> io::Result<File> {
        self.open_at(name, libc::O_RDWR | libc::O_CREAT | libc::O_EXCL | libc::O_NOFOLLOW, mode)
    }

    /// The same for reading and appending.
    pub(crate) fn create_to_append(&self, name: &OsStr, mode: u32) -> io::Result<File> {
        let flags = libc::O_RDWR | libc::O_APPEND | libc::O_CREAT | libc::O_EXCL | libc::O_NOFOLLOW;
        self.open_at(name, flags, mode)
    }

    /// Opens a file for reading; a link is an error. Does not wait for the writer of a pipe.
    pub(crate) fn read(&self, name: &OsStr) -> io::Result<File> {
        self.open_at(name, libc::O_RDONLY | libc::O_NOFOLLOW | libc::O_NONBLOCK, 0)
    }

    /// Opens a file for reading and writing anywhere in it; a link is an error.
    pub(crate) fn update(&self, name: &OsStr) -> io::Result<File> {
        self.open_at(name, libc::O_RDWR | libc::O_NOFOLLOW | libc::O_NONBLOCK, 0)
    }

    /// Opens a file for reading and appending; a link is an error.
    pub(crate) fn append(&self, name: &OsStr) -> io::Result<File> {
        self.open_at(name, libc::O_RDWR | libc::O_APPEND | libc::O_NOFOLLOW | libc::O_NONBLOCK, 0)
    }

    /// Renames a file. An error of kind `AlreadyExists` if the new name is taken.
    pub(crate) fn rename_to_free(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        match self.rename_with(from, to, libc::RENAME_NOREPLACE) {
            // Kernels and file systems that cannot do it can link, which never replaces, or cannot link either.
            Err(error)
                if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENOSYS | libc::EOPNOTSUPP)) =>
            {
                self.link(from, to)?;
                self.remove(from)
            }
            renamed => renamed,
        }
    }

    /// Renames a file; what has the new name, even a link, is replaced.
    pub(crate) fn rename_over(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        let (from, to) = (c_string(from)?, c_string(to)?);
        let folder = self.handle.as_raw_fd();
        // SAFETY: the handle is open, and both names are strings that end in zero and live until the return.
        check(unsafe { libc::renameat(folder, from.as_ptr(), folder, to.as_ptr()) })
    }

    /// Removes a file; one that is not there is no error.
    pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
        let name = c_string(name)?;
        // SAFETY: as in `rename_over`.
        match check(unsafe { libc::unlinkat(self.handle.as_raw_fd(), name.as_ptr(), 0) }) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Bytes of the file system that it is on.
    pub(crate) fn space(&self) -> io::Result<Space> {
        // SAFETY: all-zero bytes are a valid `statvfs`, a struct of integers.
        let mut found: libc::statvfs = unsafe { std::mem::zeroed() };
        // SAFETY: the handle is open, and `found` is a `statvfs` to write to.
        check(unsafe { libc::fstatvfs(self.handle.as_raw_fd(), &raw mut found) })?;
        let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize as u64);
        Ok(Space { total: bytes(found.f_blocks as u64), available: bytes(found.f_bavail as u64) })
    }

    fn open_at(&self, name: &OsStr, flags: i32, mode: u32) -> io::Result<File> {
        let name = c_string(name)?;
        // SAFETY: as in `rename_over`; `mode` is what `open` reads with `O_CREAT`.
        let opened =
            unsafe { libc::openat(self.handle.as_raw_fd(), name.as_ptr(), flags | libc::O_CLOEXEC, mode) };
        check(opened)?;
        // SAFETY: it has just been opened, and nobody else has it.
        Ok(unsafe { File::from_raw_fd(opened) })
    }

    fn rename_with(&self, from: &OsStr, to: &OsStr, flags: u32) -> io::Result<()> {
        let (from, to) = (c_string(from)?, c_string(to)?);
        let folder = self.handle.as_raw_fd();
        // SAFETY: as in `rename_over`. By number, since not every C library has a function for it.
        let renamed =
            unsafe { libc::syscall(libc::SYS_renameat2, folder, from.as_ptr(), folder, to.as_ptr(), flags) };
        check(if renamed == 0 { 0 } else { -1 })
    }

    fn link(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        let (from, to) = (c_string(from)?, c_string(to)?);
        let folder = self.handle.as_raw_fd();
        // SAFETY: as in `rename_over`.
        check(unsafe { libc::linkat(folder, from.as_ptr(), folder, to.as_ptr(), 0) })
    }
}

/// Opens the folder at `path`, which is not a link.
fn handle(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW).open(path)
}

fn c_string(name: &OsStr) -> io::Result<CString> {
    let plain = !name.is_empty() && !name.as_bytes().contains(&b'/');
    let name = CString::new(name.as_bytes()).ok().filter(|_| plain);
    name.ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "no name of a file"))
}

fn check(result: i32) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
