//! The mark by which edgeclip knows its own pictures again: a comment in the JPEG file that holds a purpose
//! and a hash of all other bytes. A picture that somebody has changed, or that has been given another
//! purpose, is not ours any more.

use std::io::{self, ErrorKind, Read};

/// More bytes than precede the pixels' part of a picture of ours.
const HEAD: u64 = 128 << 10;
/// Bytes per read of the rest.
const PIECE: usize = 64 << 10;

/// Begins the comment.
const WORD: &str = "edgeclip ";
/// Begin of image, application data 0 (always first in a JFIF file), comment.
const SOI: [u8; 2] = [0xff, 0xd8];
const APP0: [u8; 2] = [0xff, 0xe0];
const COM: [u8; 2] = [0xff, 0xfe];

/// Adds the mark to a JPEG file.
pub(crate) fn stamp(jpeg: &mut Vec<u8>, purpose: &str) {
    let at = behind_app0(jpeg);
    let mut hash = Hash::new();
    hash.add(jpeg);
    let segment = segment(purpose, hash.0);
    jpeg.splice(at..at, segment);
}

/// Whether a JPEG file has the mark for this purpose, and has not been changed since. Of a file of any length, little is
/// held at a time.
///
/// # Errors
/// It cannot be read.
pub(crate) fn is_stamped(mut jpeg: impl Read, purpose: &str) -> io::Result<bool> {
    let mut head = Vec::new();
    jpeg.by_ref().take(HEAD).read_to_end(&mut head)?;
    let at = behind_app0(&head);
    let length = segment(purpose, 0).len();
    let (Some(before), Some(found), Some(behind)) =
        (head.get(..at), head.get(at..at + length), head.get(at + length..))
    else {
        return Ok(false);
    };
    let mut hash = Hash::new();
    hash.add(before);
    hash.add(behind);
    let mut piece = vec![0; PIECE];
    loop {
        match jpeg.read(&mut piece) {
            Ok(0) => return Ok(found == segment(purpose, hash.0)),
            Ok(count) => hash.add(piece.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Whether the file of which `head` are the first bytes begins with a JPEG file that has the mark for this
/// purpose, changed or not.
pub(crate) fn begins_stamped(head: &[u8], purpose: &str) -> bool {
    let comment = segment(purpose, 0);
    let known = comment.len() - 16;
    let at = behind_app0(head);
    head.starts_with(&SOI) && head.get(at..at + known) == comment.get(..known)
}

/// Whether these can be the first bytes, up to 64, of a file that edgeclip was writing into a folder.
pub(crate) fn is_fragment(head: &[u8]) -> bool {
    let json = b"{\"type\":\"snapshot\"";
    let common = |a: &[u8], b: &[u8]| a.iter().zip(b).all(|(a, b)| a == b);
    let at = behind_app0(head);
    let comment = [&COM, &[0, 0][..], WORD.as_bytes()].concat();
    let is_comment = |found: &[u8]| {
        common(found, &COM)
            && common(found.get(4..).unwrap_or_default(), comment.get(4..).unwrap_or_default())
    };
    common(head, json)
        || common(head, &SOI) && (head.len() < 20 || is_comment(head.get(at..).unwrap_or_default()))
}

fn segment(purpose: &str, hash: u64) -> Vec<u8> {
    let text = format!("{WORD}{purpose} {hash:016x}");
    let length = u16::try_from(text.len() + 2).unwrap_or(u16::MAX);
    [&COM, &length.to_be_bytes()[..], text.as_bytes()].concat()
}

/// Where the comment begins.
fn behind_app0(jpeg: &[u8]) -> usize {
    match jpeg.get(2..6) {
        Some([a, b, high, low]) if [*a, *b] == APP0 => 4 + usize::from(u16::from_be_bytes([*high, *low])),
        _ => SOI.len(),
    }
    .min(jpeg.len())
}

/// FNV-1a: it finds changes, not forgeries.
struct Hash(u64);

impl Hash {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        self.0 = bytes.iter().fold(self.0, step);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::picture::{PictureKind, encode};
    use super::*;

    fn jpeg() -> Vec<u8> {
        encode("x", PictureKind::Jpeg, 80, &[90; 16 * 8 * 3], 16, 8).unwrap()
    }

    fn stamped(jpeg: &[u8], purpose: &str) -> bool {
        is_stamped(jpeg, purpose).unwrap()
    }

    #[test]
    fn what_is_longer_than_a_piece_is_ours_to_its_last_byte() {
        let mut marked = [jpeg(), vec![7; 300_000]].concat();
        stamp(&mut marked, "a.jpg");
        assert!(stamped(&marked, "a.jpg"));
        let last = marked.len() - 1;
        marked[last] ^= 1;
        assert!(!stamped(&marked, "a.jpg"));
    }

    #[test]
    fn a_marked_picture_is_the_same_picture() {
        let (plain, mut marked) = (jpeg(), jpeg());
        stamp(&mut marked, "a.jpg");
        assert!(stamped(&marked, "a.jpg") && begins_stamped(&marked[..80], "a.jpg"));
        assert!(!stamped(&plain, "a.jpg") && !begins_stamped(&plain, "a.jpg"));
        assert_eq!(&marked[..20], &plain[..20]);
        let pixels = |file: &[u8]| image::load_from_memory(file).unwrap().into_rgb8();
        assert_eq!(pixels(&marked), pixels(&plain));
    }

    #[test]
    fn changed_pictures_and_other_purposes_are_not_ours() {
        let mut marked = jpeg();
        stamp(&mut marked, "a.jpg");
        assert!(!stamped(&marked, "b.jpg") && !stamped(&marked, "a") && !begins_stamped(&marked, "b.jpg"));
        for at in 0..marked.len() {
            let mut changed = marked.clone();
            changed[at] ^= 1;
            assert!(!stamped(&changed, "a.jpg"), "byte {at}");
            assert!(!stamped(&marked[..at], "a.jpg"), "{at} bytes");
        }
        assert!(!stamped(&[marked.as_slice(), b"x"].concat(), "a.jpg"));
    }

    #[test]
    fn beginnings_of_files_are_known() {
        let mut marked = jpeg();
        stamp(&mut marked, "frame-00000001.jpg");
        for length in 0..64 {
            assert!(is_fragment(&marked[..length]), "{length}");
        }
        assert!(is_fragment(b"{\"type\":\"snapshot\",\"version\":1"));
        assert!(
            !is_fragment(&jpeg()[..64]) && !is_fragment(b"mine") && !is_fragment(b"{\"type\":\"other\"}")
        );
    }
}
