use super::{Isa, Resize};

/// Three planes of `size` (columns, rows).
fn picture(size: (usize, usize), value: impl Fn(usize) -> u8) -> Vec<u8> {
    (0..3 * size.0 * size.1).map(value).collect()
}

fn noise(i: usize) -> u8 {
    let hash = (i as u32).wrapping_mul(2_654_435_761);
    // Full-swing edges as well as all values in between.
    if hash & 0x700 == 0 { (hash >> 31) as u8 * 255 } else { (hash >> 15) as u8 }
}

/// The resized pixels, in planes with `stride` values per row.
fn run(isa: Isa, source: &[u8], from: (usize, usize), to: (usize, usize), stride: usize) -> Vec<u8> {
    let mut out = [0, 1, 2].map(|_| vec![0; stride * to.1]);
    let [red, green, blue] = &mut out;
    let read = |y: usize, planes: [&mut [u8]; 3]| {
        for (channel, plane) in planes.into_iter().enumerate() {
            plane.copy_from_slice(&source[(channel * from.1 + y) * from.0..][..from.0]);
        }
    };
    Resize::new(isa, from, to).run(read, [red, green, blue], stride);
    out.concat().into_iter().map(|value| (value as u8) ^ 0x80).collect()
}

/// Pillow's two passes as documented: whole images, one pass after the other, no blocks of 16.
fn passes(source: &[u8], from: (usize, usize), to: (usize, usize)) -> Vec<u8> {
    let pass = |input: usize, output: usize, at: &dyn Fn(usize) -> u8| -> Vec<u8> {
        let ratio = input as f64 / output as f64;
        let support = ratio.max(1.0);
        let value = |x: usize| {
            let centre = (x as f64 + 0.5) * ratio;
            let span =
                (centre - support + 0.5).max(0.0) as usize..((centre + support + 0.5) as usize).min(input);
            let weight = |i: usize| (1.0 - ((i as f64 - centre + 0.5) / support).abs()).max(0.0);
            let all: f64 = span.clone().map(weight).sum();
            let fixed = |i: usize| (weight(i) / all * 4_194_304.0 + 0.5) as i64;
            let sum: i64 = span.map(|i| fixed(i) * i64::from(at(i))).sum();
            ((sum + (1 << 21)) >> 22).clamp(0, 255) as u8
        };
        (0..output).map(value).collect()
    };
    let mut out = Vec::new();
    for plane in source.chunks(from.0 * from.1) {
        let wide: Vec<u8> = plane.chunks(from.0).flat_map(|row| pass(from.0, to.0, &|x| row[x])).collect();
        let columns: Vec<Vec<u8>> = (0..to.0).map(|x| pass(from.1, to.1, &|y| wide[y * to.0 + x])).collect();
        out.extend((0..to.1).flat_map(|y| columns.iter().map(move |column| column[y])));
    }
    out
}

#[test]
fn every_isa_gives_what_the_two_passes_give() {
    let sizes = [
        ((1, 1), (1, 1)),
        ((1, 1), (17, 33)),
        ((2, 3), (31, 1)),
        ((15, 16), (16, 15)),
        ((16, 17), (33, 32)),
        ((31, 33), (32, 16)),
        ((64, 48), (32, 24)),
        ((65, 47), (65, 47)),
        ((97, 63), (13, 9)),
        ((40, 200), (40, 7)),
        ((200, 3), (1, 3)),
        ((1, 300), (1, 1)),
        ((333, 5), (48, 1)),
        ((7, 100), (48, 17)),
        ((50, 49), (49, 50)),
    ];
    for (from, to) in sizes {
        for value in [noise, |_| 255, |i| (i % 2) as u8 * 255] {
            let source = picture(from, value);
            let expected = passes(&source, from, to);
            for isa in Isa::available() {
                assert!(run(isa, &source, from, to, to.0) == expected, "{isa:?} {from:?} to {to:?}");
            }
        }
    }
}

#[test]
fn every_isa_gives_what_scalar_gives() {
    for width in (1..70).chain([127, 128, 129, 160, 500]) {
        for height in [1, 15, 16, 17, 40, 131] {
            for to in [(1, 1), (16, 16), (17, 15), (48, 31), (100, 3)] {
                let source = picture((width, height), noise);
                let expected = run(Isa::SCALAR, &source, (width, height), to, to.0);
                for isa in Isa::available() {
                    let found = run(isa, &source, (width, height), to, to.0);
                    assert!(found == expected, "{isa:?} {width}x{height} to {to:?}");
                }
            }
        }
    }
}

#[test]
fn a_flat_picture_stays_flat_at_any_size() {
    for (from, to) in [((7, 5), (320, 1)), ((640, 3), (3, 640)), ((1, 1), (9, 9)), ((1000, 999), (1, 1))] {
        for value in [0, 1, 127, 254, 255] {
            let source = picture(from, |_| value);
            for isa in Isa::available() {
                let out = run(isa, &source, from, to, to.0);
                assert!(out == vec![value; to.0 * to.1 * 3], "{isa:?} {from:?} to {to:?} of {value}");
            }
        }
    }
}

#[test]
fn halving_weighs_four_pixels_one_three_three_one() {
    // Centre 2 of 4 pixels: distances 1.5, .5, .5, 1.5 over a support of 2 give weights 1/8, 3/8, 3/8, 1/8;
    // the outer output pixels lose the tap outside the input.
    let source = [0, 0, 80, 160, 240, 240].repeat(3);
    for isa in Isa::available() {
        // 0·3/7 + 0·3/7 + 80·1/7 = 11.4; (0 + 3·80 + 3·160 + 240)/8 = 120; (160 + 3·240 + 3·240)/7 = 228.6
        assert_eq!(run(isa, &source, (6, 1), (3, 1), 3), [11, 120, 229].repeat(3));
    }
}

#[test]
fn values_beside_the_picture_stay() {
    let source = picture((40, 30), |_| 200);
    for isa in Isa::available() {
        let out = run(isa, &source, (40, 30), (19, 20), 30);
        for row in out.chunks(30) {
            assert_eq!((&row[..19], &row[19..]), (&[200; 19][..], &[128; 11][..]), "{isa:?}");
        }
    }
}

#[test]
fn a_second_picture_is_not_touched_by_the_first() {
    let (from, to) = ((100, 70), (37, 26));
    let pictures = [picture(from, noise), picture(from, |i| noise(i + 99))];
    for isa in Isa::available() {
        let mut resize = Resize::new(isa, from, to);
        for source in &pictures {
            let mut out = [0, 1, 2].map(|_| vec![0; to.0 * to.1]);
            let [red, green, blue] = &mut out;
            let read = |y: usize, planes: [&mut [u8]; 3]| {
                for (channel, plane) in planes.into_iter().enumerate() {
                    plane.copy_from_slice(&source[(channel * from.1 + y) * from.0..][..from.0]);
                }
            };
            resize.run(read, [red, green, blue], to.0);
            let out: Vec<u8> = out.concat().into_iter().map(|value| (value as u8) ^ 0x80).collect();
            assert!(out == run(isa, source, from, to, to.0), "{isa:?}");
        }
    }
}
