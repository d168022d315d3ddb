use super::{Isa, Table, apply, interleave, scalar};

fn bytes(count: usize, seed: u32) -> Vec<i8> {
    (0..count).map(|i| (((i as u32 + seed).wrapping_mul(2_654_435_761)) >> 13) as i8).collect()
}

#[test]
fn every_isa_gives_what_scalar_gives() {
    let first = Table::new(|q| q.wrapping_mul(37).wrapping_add(5));
    let second = Table::new(|q| !q);
    for isa in Isa::available() {
        for count in [1, 2, 31, 32, 33, 58, 63, 64, 65, 116, 127, 128, 129, 300] {
            let (a, b) = (bytes(count, 1), bytes(count, 99));
            let (mut expected, mut found) = (vec![0; count], vec![0; count]);
            scalar::apply(&first, &a, &mut expected);
            apply(isa, &first, &a, &mut found);
            assert_eq!(found, expected, "{isa:?} {count}");
            let (mut expected, mut found) = (vec![0; 2 * count], vec![0; 2 * count]);
            scalar::interleave(count, [&first, &second], [&a, &b], [count; 2], &mut expected);
            interleave(isa, count, (&first, &a, count), (&second, &b, count), &mut found);
            assert_eq!(found, expected, "{isa:?} {count}");
            let (mut expected, mut found) = (vec![0; 6 * count], vec![0; 6 * count]);
            let (a, b) = (bytes(3 * count + 10, 3), bytes(3 * count, 4));
            scalar::interleave(count, [&second, &first], [&a, &b], [count + 5, count], &mut expected);
            interleave(isa, count, (&second, &a, count + 5), (&first, &b, count), &mut found);
            assert_eq!(found, expected, "{isa:?} {count}, three pixels");
        }
    }
}

#[test]
fn strided_pixels_are_taken_in_turn() {
    let same = Table::new(|q| q);
    let mut output = [0; 8];
    interleave(Isa::SCALAR, 2, (&same, &[1, 2, 9, 3, 4], 3), (&same, &[-1, -2, -3, -4], 2), &mut output);
    assert_eq!(output, [1, -1, 2, -2, 3, -3, 4, -4]);
}
