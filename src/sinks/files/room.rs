//! Room on the disk: where it is scarce, our own oldest files go first.

use std::io;

use crate::system::{Folder, Space};

/// The free space that is kept is never more than this, however large the disk.
const MOST_KEPT: u64 = 1_000_000_000;

/// Files of one folder, of which the oldest can be deleted.
pub(crate) trait Rotation {
    /// Where they are.
    fn folder(&self) -> &Folder;

    /// Bytes of all of them.
    fn bytes(&self) -> u64;

    /// Forgets the oldest, and deletes it if it is still as edgeclip wrote it: the bytes that this frees.
    /// `None` if there is none.
    fn delete_oldest(&mut self) -> io::Result<Option<u64>>;
}

/// Writes `bytes` by `write` after deleting as many of the oldest as it takes to leave `percent` of the disk
/// free, if that can be had by it; on a full disk, one after the other until there is room.
pub(crate) fn write_in_room<R: Rotation>(
    files: &mut R,
    bytes: u64,
    percent: u8,
    mut write: impl FnMut(&mut R) -> io::Result<()>,
) -> io::Result<()> {
    if let Ok(space) = files.folder().space() {
        let mut missing = missing(space, bytes, percent);
        // Where others have taken the room, nothing of ours would bring it back.
        while missing > 0 && missing <= files.bytes() {
            let Some(freed) = files.delete_oldest()? else { break };
            missing = missing.saturating_sub(freed);
        }
    }
    loop {
        match write(files) {
            Err(error) if is_full(&error) && files.bytes().saturating_add(available(files)) >= bytes => {
                if files.delete_oldest()?.is_none() {
                    return Err(error);
                }
            }
            written => return written,
        }
    }
}

fn missing(space: Space, bytes: u64, percent: u8) -> u64 {
    let kept = (space.total / 100 * u64::from(percent)).min(MOST_KEPT);
    kept.saturating_add(bytes).saturating_sub(space.available)
}

fn available(files: &impl Rotation) -> u64 {
    files.folder().space().map_or(u64::MAX, |space| space.available)
}

/// Whether the disk, or what this user may have of it, is full.
fn is_full(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOSPC | libc::EDQUOT))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten files of 100 bytes on a disk that is full for as long as more than `fit` are left.
    struct Files {
        folder: Folder,
        left: u64,
        fit: u64,
    }

    impl Rotation for Files {
        fn folder(&self) -> &Folder {
            &self.folder
        }

        fn bytes(&self) -> u64 {
            self.left * 100
        }

        fn delete_oldest(&mut self) -> io::Result<Option<u64>> {
            let freed = (self.left > 0).then_some(100);
            self.left = self.left.saturating_sub(1);
            Ok(freed)
        }
    }

    fn written(fit: u64, why: i32) -> (u64, io::Result<()>) {
        let place = tempfile::tempdir().unwrap();
        let mut files = Files { folder: Folder::open(place.path()).unwrap(), left: 10, fit };
        let write = |files: &mut Files| {
            if files.left > files.fit { Err(io::Error::from_raw_os_error(why)) } else { Ok(()) }
        };
        let written = write_in_room(&mut files, 100, 0, write);
        (files.left, written)
    }

    #[test]
    fn on_a_full_disk_the_oldest_make_room() {
        for why in [libc::ENOSPC, libc::EDQUOT] {
            let (left, written) = written(7, why);
            assert!(left == 7 && written.is_ok(), "{left} {written:?}");
        }
        let (left, written) = written(7, libc::EROFS);
        assert!(left == 10 && written.unwrap_err().raw_os_error() == Some(libc::EROFS));
    }

    #[test]
    fn the_share_of_the_disk_that_is_kept_free() {
        let space = |total, available| Space { total, available };
        assert_eq!(missing(space(10_000, 1_000), 100, 5), 0);
        assert_eq!(missing(space(10_000, 550), 100, 5), 50);
        assert_eq!(missing(space(10_000, 0), 100, 0), 100);
        assert_eq!(missing(space(1 << 50, 0), 0, 5), MOST_KEPT);
    }
}
