//! Which instruction set the kernels use.

/// An instruction set that has kernels, slowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// Portable Rust, the specification.
    Scalar,
    /// x86-64 with AVX2: bytes are widened to i16 for `vpmaddwd`, so that no sum saturates.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// x86-64 with AVX-VNNI: `vpdpbusd` on 32-byte registers.
    #[cfg(target_arch = "x86_64")]
    AvxVnni,
    /// x86-64 with AVX-512 VNNI and VBMI: `vpdpbusd` and tables in registers.
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    /// Any aarch64 (Cortex-A53, A57, A72): byte products in i16, accumulated pairwise in i32.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// aarch64 with `dotprod` (Cortex-A76, A78): `sdot`, four products per lane.
    #[cfg(target_arch = "aarch64")]
    Dotprod,
    /// aarch64 with `i8mm`: products of 2×8 and 8×2 matrices, `smmla`.
    #[cfg(target_arch = "aarch64")]
    I8mm,
}

/// The environment variable that forces an instruction set.
const VARIABLE: &str = "EDGECLIP_ISA";

impl Isa {
    /// Every instruction set of this CPU that has kernels, slowest first.
    pub fn available() -> Vec<Self> {
        #[cfg_attr(
            not(any(target_arch = "x86_64", target_arch = "aarch64")),
            expect(
                unused_mut,
                reason = "NEON intrinsics of 32-bit ARM are not stable: armv7 runs the scalar bodies"
            )
        )]
        let mut found = vec![Self::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                found.push(Self::Avx2);
                if is_x86_feature_detected!("avxvnni") {
                    found.push(Self::AvxVnni);
                }
            }
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vnni")
                && is_x86_feature_detected!("avx512vbmi")
            {
                found.push(Self::Avx512Vnni);
            }
        }
        #[cfg(target_arch = "aarch64")]
        {
            use std::arch::is_aarch64_feature_detected as has;
            // Every aarch64 Linux target of Rust has NEON.
            found.push(Self::Neon);
            if has!("dotprod") {
                found.push(Self::Dotprod);
                if has!("i8mm") {
                    found.push(Self::I8mm);
                }
            }
        }
        found
    }

    /// The fastest of this CPU, or the one named by `EDGECLIP_ISA`.
    ///
    /// # Errors
    /// If the variable names none of this CPU's instruction sets: what it held and what it may hold.
    pub fn chosen() -> Result<Self, UnknownIsa> {
        let available = Self::available();
        let Some(wanted) = std::env::var_os(VARIABLE) else {
            return Ok(available.last().copied().unwrap_or(Self::Scalar));
        };
        let wanted = wanted.to_string_lossy().into_owned();
        let found = available.iter().copied().find(|isa| isa.name() == wanted);
        found
            .ok_or_else(|| UnknownIsa { wanted, available: available.iter().map(|isa| isa.name()).collect() })
    }

    /// Its name in `EDGECLIP_ISA`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni => "avxvnni",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => "avx512vnni",
            #[cfg(target_arch = "aarch64")]
            Self::Neon => "neon",
            #[cfg(target_arch = "aarch64")]
            Self::Dotprod => "dotprod",
            #[cfg(target_arch = "aarch64")]
            Self::I8mm => "i8mm",
        }
    }
}

/// `EDGECLIP_ISA` does not name an instruction set of this CPU.
#[derive(Debug)]
pub struct UnknownIsa {
    /// What the variable held.
    pub wanted: String,
    /// The names it may hold on this CPU.
    pub available: Vec<&'static str>,
}

/// Calls a scalar kernel marked `#[inline(always)]`, compiled for the instruction set. The compiler
/// vectorises it; since it never reorders or fuses float operations, the results stay the same.
macro_rules! vectorised {
    ($isa:expr, $scalar:path, ($($argument:ident: $kind:ty),* $(,)?)) => {{
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2")]
        #[allow(clippy::too_many_arguments, reason = "as many as the kernel takes")]
        fn avx2($($argument: $kind),*) {
            $scalar($($argument),*);
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
        #[allow(clippy::too_many_arguments, reason = "as many as the kernel takes")]
        fn avx512($($argument: $kind),*) {
            $scalar($($argument),*);
        }
        match $isa {
            $crate::kernels::Isa::Scalar => $scalar($($argument),*),
            // SAFETY: `Isa::available` yields these values only after detecting the features.
            #[cfg(target_arch = "x86_64")]
            $crate::kernels::Isa::Avx2 | $crate::kernels::Isa::AvxVnni => unsafe { avx2($($argument),*) },
            // SAFETY: same as above.
            #[cfg(target_arch = "x86_64")]
            $crate::kernels::Isa::Avx512Vnni => unsafe { avx512($($argument),*) },
            // NEON is part of the target.
            #[cfg(target_arch = "aarch64")]
            _ => $scalar($($argument),*),
        }
    }};
}
pub(super) use vectorised;
