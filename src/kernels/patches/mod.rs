//! Gathers the inputs of each output pixel of a convolution into a contiguous patch (im2col).

#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;

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
}

impl Window {
    /// The input row (axis 0) or column (axis 1) under `tap` of output `at`; `None` in the padding.
    #[inline(always)]
    pub fn source(&self, axis: usize, at: usize, tap: usize) -> Option<usize> {
        (at * self.stride[axis] + tap).checked_sub(self.pad[axis]).filter(|&i| i < self.input[axis])
    }
}

/// Row `y` of the patches: `output[x]` is `[kernel rows, kernel columns, channels]`, with `padding` outside
/// the input. The input is dense.
///
/// # Panics
/// If a slice is too short.
pub fn row(window: &Window, channels: usize, padding: i8, input: &[i8], y: usize, output: &mut [i8]) {
    #[cfg(target_arch = "aarch64")]
    neon::row(window, channels, padding, input, y, output);
    #[cfg(not(target_arch = "aarch64"))]
    scalar::row(window, channels, padding, input, y, output);
}
