//! From Y, U and V to red, green and blue.

/// ITU-R BT.601 with 16 fractional bits: `R = y·(Y − black) + r_v·(V − 128)` and so on, rounded
/// to nearest, clamped.
#[derive(Debug)]
pub struct Matrix {
    pub(super) black: i32,
    pub(super) y: i32,
    pub(super) r_v: i32,
    pub(super) g_u: i32,
    pub(super) g_v: i32,
    pub(super) b_u: i32,
}

impl Matrix {
    /// Y spans 219 steps, U and V span 224: `y = 255/219`, `r_v = 1.402 · 255/224`, `b_u = 1.772 · 255/224`.
    pub const LIMITED: Self =
        Self { black: 16, y: 76_309, r_v: 104_597, g_u: -25_675, g_v: -53_279, b_u: 132_201 };
    /// JFIF: all three span 255 steps.
    pub const FULL: Self =
        Self { black: 0, y: 65_536, r_v: 91_881, g_u: -22_554, g_v: -46_802, b_u: 116_130 };

    #[inline(always)]
    pub(super) fn rgb(&self, y: u8, u: u8, v: u8) -> [u8; 3] {
        let luma = self.y * (i32::from(y) - self.black) + (1 << 15);
        let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
        let sums = [luma + self.r_v * v, luma + self.g_u * u + self.g_v * v, luma + self.b_u * u];
        sums.map(|sum| (sum >> 16).clamp(0, 255) as u8)
    }
}

/// `2^16 · whole + part`: a factor split for 16-bit products. `whole` is unaffected by the shift by 16 bits.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[derive(Clone, Copy)]
pub(super) struct Split {
    pub(super) whole: i16,
    pub(super) part: i16,
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
impl Split {
    pub(super) const fn of(factor: i32) -> Self {
        let part = factor as i16;
        Self { whole: ((factor - part as i32) >> 16) as i16, part }
    }
}

// What the SIMD kernels rely on.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
const _: () = {
    assert!(Split::of(Matrix::LIMITED.y).whole == 1 && Split::of(Matrix::FULL.y).whole == 1);
    assert!(Split::of(Matrix::LIMITED.g_u).whole == 0 && Split::of(Matrix::FULL.g_u).whole == 0);
};
