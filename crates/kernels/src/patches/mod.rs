//! Gathers the inputs of each output pixel of a convolution into a contiguous patch (im2col).

#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;

use super::bounds;

/// Geometry of a convolution or pooling: where its windows lie on the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Height and width of the input.
    pub input: [usize; 2],
    /// Height and width of the output.
    pub output: [usize; 2],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Vertical and horizontal stride.
    pub stride: [usize; 2],
    /// Padding rows above and padding columns left of the input.
    pub pad: [usize; 2],
    /// How far apart neighbouring rows and columns of the kernel lie on the input: 1 where it has no gaps.
    pub dilation: [usize; 2],
}

impl Window {
    /// The input row (axis 0) or column (axis 1) under `tap` of output `at`; `None` in the padding.
    #[inline(always)]
    pub fn source(&self, axis: usize, at: usize, tap: usize) -> Option<usize> {
        (at * self.stride[axis] + tap * self.dilation[axis])
            .checked_sub(self.pad[axis])
            .filter(|&i| i < self.input[axis])
    }

    /// Whether the kernel has no gaps.
    #[inline(always)]
    pub(crate) fn is_plain(&self) -> bool {
        self.dilation == [1, 1]
    }

    /// Whether the sizes of these windows, of the pictures on both sides and of what the windows cover are numbers, where pixels
    /// have so many channels.
    #[inline]
    pub(crate) fn is_sound(&self, inputs: usize, outputs: usize) -> bool {
        let covered = |axis: usize| {
            let start = self.output[axis].saturating_sub(1).checked_mul(self.stride[axis])?;
            let side =
                self.kernel[axis].saturating_sub(1).checked_mul(self.dilation[axis])?.checked_add(1)?;
            Some(
                start
                    .checked_add(side.max(self.kernel[axis]))?
                    .max(self.input[axis].checked_add(self.pad[axis])?),
            )
        };
        let fits =
            |[rows, columns]: [usize; 2], channels| bounds::product([rows, columns, channels]).is_some();
        let covered = covered(0).zip(covered(1));
        covered.is_some_and(|(rows, columns)| fits([rows, columns], inputs))
            && fits(self.input, inputs)
            && fits(self.kernel, inputs)
            && fits(self.output, outputs)
    }
}

/// Row `y` of the patches: `output[x]` is `[kernel rows, kernel columns, channels]`, with `padding` outside
/// the input. The input is dense.
///
/// # Panics
/// If a slice is too short.
pub fn row(window: &Window, channels: usize, padding: i8, input: &[i8], y: usize, output: &mut [i8]) {
    assert!(window.is_sound(channels, 1) && y < window.output[0]);
    assert!(bounds::holds(input.len(), bounds::product([window.input[0], window.input[1], channels])));
    #[cfg(target_arch = "aarch64")]
    neon::row(window, channels, padding, input, y, output);
    #[cfg(not(target_arch = "aarch64"))]
    scalar::row(window, channels, padding, input, y, output);
}
