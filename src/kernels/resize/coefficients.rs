//! The filter's weights along one axis.

/// Fractional bits of a weight: 32 bits less 8 for the pixel and 2 for the sum's headroom.
pub(super) const FRACTION_BITS: u32 = 32 - 8 - 2;

/// Input pixels that one output pixel sums up: `weights[i]` belongs to input pixel `first + i`.
pub(super) struct Taps {
    pub(super) first: usize,
    /// Sum close to `2^FRACTION_BITS`, none negative.
    pub(super) weights: Vec<i32>,
}

/// Taps of each of `output` pixels over `input` pixels, both at least 1.
///
/// Triangle filter `max(0, 1 − |t|)`; when shrinking it is stretched by the ratio `input / output` (antialiasing).
/// Output pixel `x` is centred on `c = (x + ½) · ratio` and reads pixels `⌊c − s + ½⌋ ..⌊c + s + ½⌋` for a support of
/// `s = max(ratio, 1)`. Weights are normalised in f64 and then rounded to fixed point, as Pillow does (`Resample.c`).
pub(super) fn taps(input: usize, output: usize) -> Vec<Taps> {
    let ratio = input as f64 / output as f64;
    let support = ratio.max(1.0);
    let stretch = 1.0 / support;
    let pixel = |x: usize| {
        let centre = (x as f64 + 0.5) * ratio;
        let first = (centre - support + 0.5).max(0.0) as usize;
        let end = ((centre + support + 0.5) as usize).min(input);
        let triangle = |i: usize| (1.0 - ((i as f64 - centre + 0.5) * stretch).abs()).max(0.0);
        let weights: Vec<f64> = (first..end).map(triangle).collect();
        let sum: f64 = weights.iter().sum();
        let fixed = |w: &f64| (w / sum * f64::from(1u32 << FRACTION_BITS) + 0.5) as i32;
        Taps { first, weights: weights.iter().map(fixed).collect() }
    };
    (0..output).map(pixel).collect()
}
