//! Files that are read as a whole, and may be anything.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

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

#[cfg(test)]
mod tests {
    use super::*;

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
