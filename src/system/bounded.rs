//! Files that are read as a whole, and may be anything.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use super::room;

/// The bytes of a file that has at most `most`, wherever it ends: a device has no length, and a file may grow.
///
/// # Errors
/// It cannot be read, or has more ([`ErrorKind::FileTooLarge`]).
pub(crate) fn read_within(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(ErrorKind::FileTooLarge, format!("more than {most} bytes")));
    }
    Ok(bytes)
}

/// How much of a file is read that is worked on as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Affordable {
    /// Most bytes.
    pub bytes: u64,
    /// Whether memory is why.
    scarce: bool,
}

impl Affordable {
    /// At most `most` bytes of a file that takes `times` its length of memory, and no more than there is.
    pub(crate) fn new(most: u64, times: u64) -> Self {
        Self::within(room(Path::new("/")), most, times)
    }

    fn within(room: Option<u64>, most: u64, times: u64) -> Self {
        let fits = room.map_or(most, |room| room / times.max(1));
        Self { bytes: fits.min(most), scarce: fits < most }
    }

    /// What errors expect.
    pub(crate) fn expected(self) -> String {
        let megabytes = self.bytes >> 20;
        if self.scarce {
            format!("at most {megabytes} MB: there is no memory for more")
        } else {
            format!("at most {megabytes} MB")
        }
    }

    /// The bytes of `file`; `None` if it has more.
    pub(crate) fn read(self, file: File) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        file.take(self.bytes.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok((bytes.len() as u64 <= self.bytes).then_some(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_only_as_far_as_there_is_memory_for_it() {
        let most = |room| Affordable::within(room, 100 << 20, 4);
        assert_eq!(most(None).expected(), "at most 100 MB");
        assert_eq!(most(Some(400 << 20)).expected(), "at most 100 MB");
        assert_eq!(most(Some(120 << 20)).expected(), "at most 30 MB: there is no memory for more");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), [7; 31]).unwrap();
        let read = |bytes: u64| {
            let limit = Affordable::within(Some(bytes * 4), 100, 4);
            limit.read(File::open(file.path()).unwrap()).unwrap()
        };
        assert_eq!(read(31), Some(vec![7; 31]));
        assert_eq!(read(30), None);
    }

    #[test]
    fn what_is_too_long_or_has_no_end_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        std::fs::write(&file, [7; 100]).unwrap();
        assert_eq!(read_within(&file, 100).unwrap(), [7; 100]);
        for (path, most) in [(file.as_path(), 99), (Path::new("/dev/zero"), 1 << 16)] {
            let error = read_within(path, most).unwrap_err();
            assert_eq!(
                (error.kind(), error.to_string()),
                (ErrorKind::FileTooLarge, format!("more than {most} bytes"))
            );
        }
    }
}
