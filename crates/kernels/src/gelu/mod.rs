//! Gaussian error linear unit (GELU) of float values.

mod scalar;

pub(crate) use scalar::erf;

use super::Isa;
use super::isa::vectorised;

/// `y = x · (1 + erf(x / √2)) / 2`, in place. `erf` is formula 7.1.28 of Abramowitz and Stegun, *Handbook of
/// Mathematical Functions*: error below 3·10⁻⁷. Each step is rounded to f32, so that every instruction set
/// gives the same bits.
pub fn gelu(isa: Isa, values: &mut [f32]) {
    vectorised!(isa, scalar::gelu, (values: &mut [f32]));
}

#[cfg(test)]
mod tests {
    use super::{Isa, gelu};

    #[test]
    fn known_values_and_the_same_bits_everywhere() {
        let known = [
            (0.0, 0.0),
            (1.0, 0.841_344_7),
            (-1.0, -0.158_655_26),
            (3.0, 2.995_950_3),
            (-40.0, 0.0),
            (40.0, 40.0),
        ];
        let ramp: Vec<f32> = (0..1001).map(|i| i as f32 / 70.0 - 7.0).collect();
        let run = |isa| {
            let mut values = ramp.clone();
            gelu(isa, &mut values);
            values.iter().map(|y| y.to_bits()).collect::<Vec<_>>()
        };
        for isa in Isa::available() {
            for (x, expected) in known {
                let mut y = [x];
                gelu(isa, &mut y);
                assert!((y[0] - expected).abs() < 2e-6, "{isa:?}: gelu({x}) = {}", y[0]);
            }
            assert_eq!(run(isa), run(Isa::SCALAR), "{isa:?}");
        }
    }
}
