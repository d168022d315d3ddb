//! The order in which people count: `2.jpg` before `10.jpg`.

use std::cmp::Ordering;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Compares paths part by part as text, but runs of digits as numbers. Names that differ in leading zeros only are
/// in the order of their bytes, as are those of equal numbers, so that the order is total.
pub(in crate::source) fn natural(a: &Path, b: &Path) -> Ordering {
    let mut parts = a.components().zip(b.components());
    let first = parts.find_map(|(a, b)| {
        let order = numbers(a.as_os_str().as_bytes(), b.as_os_str().as_bytes());
        Some(order).filter(|order| order.is_ne())
    });
    let shorter = || a.components().count().cmp(&b.components().count());
    first.unwrap_or_else(|| shorter().then_with(|| a.as_os_str().as_bytes().cmp(b.as_os_str().as_bytes())))
}

fn numbers(mut a: &[u8], mut b: &[u8]) -> Ordering {
    loop {
        let order = match (digits(a), digits(b)) {
            (0, _) | (_, 0) => match (a.split_first(), b.split_first()) {
                (Some((x, rest_a)), Some((y, rest_b))) => {
                    (a, b) = (rest_a, rest_b);
                    x.cmp(y)
                }
                (x, y) => return x.is_some().cmp(&y.is_some()),
            },
            (m, n) => {
                let ((x, rest_a), (y, rest_b)) = (a.split_at(m), b.split_at(n));
                (a, b) = (rest_a, rest_b);
                let (x, y) = (significant(x), significant(y));
                x.len().cmp(&y.len()).then_with(|| x.cmp(y))
            }
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// How many digits come first.
fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == b'0').count();
    number.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(names: &[&'static str]) -> Vec<&'static str> {
        let mut names = names.to_vec();
        names.sort_by(|a, b| natural(Path::new(a), Path::new(b)));
        names
    }

    #[test]
    fn numbers_count_and_padded_ones_stay_as_they_are() {
        assert_eq!(sorted(&["10.jpg", "2.jpg", "1.jpg", "24.jpg"]), ["1.jpg", "2.jpg", "10.jpg", "24.jpg"]);
        assert_eq!(sorted(&["f-0010", "f-0002", "f-0001"]), ["f-0001", "f-0002", "f-0010"]);
        assert_eq!(sorted(&["a10b2", "a10b10", "a9b99", "a"]), ["a", "a9b99", "a10b2", "a10b10"]);
        assert_eq!(sorted(&["01", "1", "001", "0", "00", "2"]), ["0", "00", "001", "01", "1", "2"]);
        assert_eq!(sorted(&["img 2 (10).jpg", "img 2 (9).jpg"]), ["img 2 (9).jpg", "img 2 (10).jpg"]);
        assert_eq!(sorted(&["d10/1.jpg", "d9/20.jpg", "d9/3.jpg"]), ["d9/3.jpg", "d9/20.jpg", "d10/1.jpg"]);
        assert_eq!(sorted(&["B.jpg", "a.jpg", "A.jpg", "b.jpg"]), ["A.jpg", "B.jpg", "a.jpg", "b.jpg"]);
        let huge = ["99999999999999999999999999", "100000000000000000000000000"];
        assert_eq!(sorted(&huge), huge);
    }

    #[test]
    fn the_order_is_total() {
        let names = ["", "0", "00", "1", "01", "a", "a0", "a00", "a1", "a01b", "a1a", "a/b", "a/b/c", "10"];
        for a in names.map(Path::new) {
            for b in names.map(Path::new) {
                assert_eq!(natural(a, b), natural(b, a).reverse(), "{a:?} {b:?}");
                assert_eq!(natural(a, b).is_eq(), a == b, "{a:?} {b:?}");
                for c in names.map(Path::new) {
                    if natural(a, b).is_le() && natural(b, c).is_le() {
                        assert!(natural(a, c).is_le(), "{a:?} {b:?} {c:?}");
                    }
                }
            }
        }
    }
}
