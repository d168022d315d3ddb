//! Rows of floats joined in lanes: the same order, and so the same bits, on every instruction set; and floats as tensors hold them.
#![forbid(unsafe_code)]

/// Lanes over which a row is spread.
const LANES: usize = 16;

/// What `term` makes of the numbers of `row`, joined by `join` from `start` on: number `i` in lane `i mod 16`, then lanes `i` and `i + 8`, `i + 4`, ….
#[inline(always)]
pub(crate) fn folded(
    row: &[f32],
    start: f32,
    term: impl Fn(f32) -> f32,
    join: impl Fn(f32, f32) -> f32,
) -> f32 {
    let mut lanes = [start; LANES];
    let (blocks, rest) = row.as_chunks::<LANES>();
    for block in blocks {
        for (lane, &x) in lanes.iter_mut().zip(block) {
            *lane = join(*lane, term(x));
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(rest) {
        *lane = join(*lane, term(x));
    }
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] = join(lanes[i], lanes[i + half]);
        }
        half /= 2;
    }
    lanes[0]
}

/// A float of its bytes, in the machine's order.
#[inline(always)]
pub(crate) fn float(bytes: &[i8; 4]) -> f32 {
    f32::from_ne_bytes(bytes.map(|byte| byte as u8))
}

/// Its bytes.
#[inline(always)]
pub(crate) fn bytes(value: f32) -> [i8; 4] {
    value.to_ne_bytes().map(|byte| byte as i8)
}
