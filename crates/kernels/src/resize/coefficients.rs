//! The filter's weights along one axis.

/// Fractional bits of a weight: 32 bits minus 8 for the pixel and 2 as headroom for the sum.
pub(super) const FRACTION_BITS: u32 = 32 - 8 - 2;

/// Bits of the lower part of a split weight.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(super) const LOW_BITS: u32 = FRACTION_BITS / 2;

/// Two weights for 16-bit products: both upper parts, then both lower parts, `weight =
/// 2^LOW_BITS · upper + lower`.
///
/// No part is negative or exceeds `2^LOW_BITS`, so i16 holds it. The sums of products of either part (the
/// upper one shifted) do not exceed the sum of products of the weights themselves, so i32 holds both if it
/// holds that: rounding up can at most double a weight, and `255 · 2 · 2^22 + 2^21 < 2^31`.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(super) type Pair = [i16; 4];

/// Which input pixels contribute to each output pixel, and with what weights.
#[derive(Debug)]
pub(super) struct Axis {
    /// The first input pixel of each output pixel.
    firsts: Vec<usize>,
    /// Weights per output pixel, an even number. Those without an input pixel are 0.
    taps: usize,
    /// They sum to nearly `2^FRACTION_BITS` for each output pixel; none is negative.
    weights: Vec<i32>,
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    pairs: Vec<Pair>,
}

impl Axis {
    /// The weights of each of `output` pixels over `input` pixels, both at least 1.
    ///
    /// Triangle filter `max(0, 1 − |t|)`, stretched by the ratio `input / output` when shrinking
    /// (antialiasing). Output pixel `x` is centred on `c = (x + ½) · ratio` and reads pixels `⌊c − s + ½⌋
    /// ..⌊c + s + ½⌋` for a support of `s = max(ratio, 1)`. Weights are normalised in f64 and then rounded to
    /// fixed point, as Pillow does (`Resample.c`).
    pub(super) fn new(input: usize, output: usize) -> Self {
        let ratio = input as f64 / output as f64;
        let support = ratio.max(1.0);
        let stretch = 1.0 / support;
        let centre = |x: usize| (x as f64 + 0.5) * ratio;
        let first = |x: usize| (centre(x) - support + 0.5).max(0.0) as usize;
        let end = |x: usize| ((centre(x) + support + 0.5) as usize).min(input);
        let firsts: Vec<usize> = (0..output).map(first).collect();
        let most = firsts.iter().enumerate().map(|(x, first)| end(x) - first).max();
        let taps = most.unwrap_or(0).next_multiple_of(2);
        let mut weights = vec![0; output * taps];
        let mut exact = vec![0.0; taps];
        for ((x, &first), weights) in firsts.iter().enumerate().zip(weights.chunks_exact_mut(taps)) {
            let exact = &mut exact[..end(x) - first];
            for (i, exact) in exact.iter_mut().enumerate() {
                *exact = (1.0 - (((first + i) as f64 - centre(x) + 0.5) * stretch).abs()).max(0.0);
            }
            let sum: f64 = exact.iter().sum();
            for (weight, exact) in weights.iter_mut().zip(exact) {
                *weight = (*exact / sum * f64::from(1u32 << FRACTION_BITS) + 0.5) as i32;
            }
        }
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        let pairs = weights.as_chunks().0.iter().map(|&[a, b]| split(a, b)).collect();
        Self {
            firsts,
            taps,
            weights,
            #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
            pairs,
        }
    }

    /// Number of output pixels.
    pub(super) fn len(&self) -> usize {
        self.firsts.len()
    }

    /// Weights per output pixel.
    pub(super) fn taps(&self) -> usize {
        self.taps
    }

    /// The first input pixel of an output pixel.
    pub(super) fn first(&self, output: usize) -> usize {
        self.firsts[output]
    }

    /// Weights of the input pixels of an output pixel.
    pub(super) fn weights(&self, output: usize) -> &[i32] {
        &self.weights[output * self.taps..][..self.taps]
    }

    /// The same weights, split.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    pub(super) fn pairs(&self, output: usize) -> &[Pair] {
        &self.pairs[output * self.taps / 2..][..self.taps / 2]
    }
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn split(a: i32, b: i32) -> Pair {
    let (upper, lower) =
        (|weight| (weight >> LOW_BITS) as i16, |weight| (weight & ((1 << LOW_BITS) - 1)) as i16);
    [upper(a), upper(b), lower(a), lower(b)]
}
