//! Bytes that go from one process to another through a file in memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// From so many bytes on, memory is given up piece by piece, so that a picture is not there twice.
const LARGE: usize = 16 << 20;
/// Bytes of a piece.
const PIECE: usize = 4 << 20;

/// Puts `data` at the start of the file.
///
/// # Errors
/// The system has no memory left.
pub(super) fn put(shared: &File, mut data: Vec<u8>) -> io::Result<()> {
    if data.len() <= LARGE {
        return shared.write_all_at(&data, 0);
    }
    shared.set_len(data.len() as u64)?;
    while !data.is_empty() {
        let start = (data.len() - 1) / PIECE * PIECE;
        shared.write_all_at(data.get(start..).unwrap_or_default(), start as u64)?;
        data.truncate(start);
        data.shrink_to_fit();
    }
    Ok(())
}

/// Takes `length` bytes from the start of the file. Large ones are gone from it afterwards.
///
/// # Errors
/// They are not there.
pub(super) fn take(shared: &File, into: &mut Vec<u8>, length: usize) -> io::Result<()> {
    if into.capacity() == 0 {
        // Without touching it yet.
        *into = vec![0; length];
    }
    into.resize(length, 0);
    if length <= LARGE {
        return shared.read_exact_at(into, 0);
    }
    let mut end = length;
    while end > 0 {
        let start = (end - 1) / PIECE * PIECE;
        shared.read_exact_at(into.get_mut(start..end).unwrap_or_default(), start as u64)?;
        shared.set_len(start as u64)?;
        end = start;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_arrive_and_large_ones_leave_nothing_behind() {
        let shared = tempfile::tempfile().unwrap();
        let mut found = Vec::new();
        for length in [0, 1, LARGE, LARGE + 1, 5 * PIECE, 5 * PIECE - 1, 7] {
            let data: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            put(&shared, data.clone()).unwrap();
            take(&shared, &mut found, length).unwrap();
            assert!(found == data, "{length}");
            if length > LARGE {
                assert_eq!(shared.metadata().unwrap().len(), 0);
            }
        }
        assert!(take(&shared, &mut found, 99).is_err());
        assert!(take(&shared, &mut found, LARGE + 99).is_err());
    }
}
