//! Scaled dot-product attention with several heads (Vaswani et al., *Attention Is All You
//! Need*, 2017), in float.

mod scalar;

use super::isa::vectorised;
use super::{Isa, bounds};

/// How the channels are divided into heads, and the scale of the logits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attention {
    /// Number of heads.
    pub heads: usize,
    /// Channels per head.
    pub width: usize,
    /// Factor applied to the products of queries and keys.
    pub scale: f32,
}

/// The inputs for one sentence: `[tokens, heads · width]` each, and a mask.
#[derive(Debug, Clone, Copy)]
pub struct Tokens<'a> {
    /// Queries.
    pub query: &'a [f32],
    /// Keys.
    pub key: &'a [f32],
    /// Values.
    pub value: &'a [f32],
    /// `[tokens]`: added to the logits of each token as a key.
    pub mask: &'a [f32],
}

/// Scratch memory, reused from call to call.
#[derive(Debug, Default)]
pub struct Scratch {
    /// One head's keys, `[width, tokens]`, the tokens padded to whole lanes.
    keys: Vec<f32>,
    /// The logits of one query.
    logits: Vec<f32>,
}

impl Attention {
    /// `Σ_j softmax_j(q_i · k_j · scale + mask_j) · v_j` per head, written to `output`, `[tokens, heads ·
    /// width]`. Every step is in f32; sums run in channel order and token order. `exp` is a polynomial of
    /// degree 6, accurate to 3 units in the last place; arguments below −87 are taken as −87.
    ///
    /// # Panics
    /// If the lengths contradict each other.
    pub fn run(&self, isa: Isa, scratch: &mut Scratch, tokens: Tokens<'_>, output: &mut [f32]) {
        let length = bounds::product([tokens.mask.len(), self.heads, self.width]);
        let lengths = [tokens.query, tokens.key, tokens.value, output].map(<[f32]>::len);
        assert_eq!(lengths.map(Some), [length; 4]);
        let attention = *self;
        vectorised!(isa, scalar::attention, (attention: Attention, scratch: &mut Scratch, tokens: Tokens<'_>, output: &mut [f32]));
    }
}

#[cfg(test)]
mod tests {
    use super::{Attention, Isa, Scratch, Tokens};

    fn wave(count: usize, step: f32) -> Vec<f32> {
        (0..count).map(|i| (i as f32 * step).sin() * 3.0).collect()
    }

    fn check(isa: Isa, tokens: usize, heads: usize, width: usize) -> Vec<f32> {
        let attention = Attention { heads, width, scale: 0.4 };
        let channels = heads * width;
        let [query, key, value] = [0.7, 1.3, 2.9].map(|step| wave(tokens * channels, step));
        let mut mask = vec![0.0; tokens];
        mask[tokens - 1] = if tokens > 1 { -1e4 } else { 0.0 };
        let mut output = vec![f32::NAN; tokens * channels];
        let given = Tokens { query: &query, key: &key, value: &value, mask: &mask };
        attention.run(isa, &mut Scratch::default(), given, &mut output);
        for i in 0..tokens {
            for c in 0..channels {
                let head = c / width * width..(c / width + 1) * width;
                let logit = |j: usize| {
                    let products =
                        head.clone().map(|d| f64::from(query[i * channels + d] * key[j * channels + d]));
                    (products.sum::<f64>() * f64::from(0.4f32) + f64::from(mask[j])).exp()
                };
                let total: f64 = (0..tokens).map(logit).sum();
                let expected: f64 =
                    (0..tokens).map(|j| logit(j) / total * f64::from(value[j * channels + c])).sum();
                let found = f64::from(output[i * channels + c]);
                assert!(
                    (found - expected).abs() < 1e-4,
                    "{isa:?} token {i} channel {c}: {found}, {expected}"
                );
            }
        }
        output
    }

    #[test]
    fn it_is_the_formula_and_the_same_everywhere() {
        for (tokens, heads, width) in
            [(1, 1, 1), (2, 3, 5), (7, 2, 32), (16, 12, 32), (17, 2, 16), (64, 1, 32)]
        {
            let expected = check(Isa::SCALAR, tokens, heads, width);
            for isa in Isa::available() {
                assert_eq!(check(isa, tokens, heads, width), expected, "{isa:?} {tokens} {heads} {width}");
            }
        }
    }
}
