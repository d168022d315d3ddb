//! Which instruction set the kernels use.

use std::fmt;

/// An instruction set that has kernels and that this CPU has: [`Isa::available`] finds them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Isa(Level);

/// The instruction sets, slowest first. Outside this module there is no [`Isa`] of one that the CPU lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
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
    /// Portable Rust, which every CPU runs: the specification of all others.
    pub const SCALAR: Self = Self(Level::Scalar);

    /// Every instruction set of this CPU, slowest first.
    pub fn available() -> Vec<Self> {
        #[cfg_attr(
            not(any(target_arch = "x86_64", target_arch = "aarch64")),
            expect(
                unused_mut,
                reason = "NEON intrinsics of 32-bit ARM are not stable: armv7 runs the scalar bodies"
            )
        )]
        let mut found = vec![Level::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            // All but scalar have AVX2, on which kernels rely.
            if is_x86_feature_detected!("avx2") {
                found.push(Level::Avx2);
                if is_x86_feature_detected!("avxvnni") {
                    found.push(Level::AvxVnni);
                }
                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vnni")
                    && is_x86_feature_detected!("avx512vbmi")
                {
                    found.push(Level::Avx512Vnni);
                }
            }
        }
        #[cfg(target_arch = "aarch64")]
        {
            use std::arch::is_aarch64_feature_detected as has;
            // Every aarch64 Linux target of Rust has NEON.
            found.push(Level::Neon);
            if has!("dotprod") {
                found.push(Level::Dotprod);
                if has!("i8mm") {
                    found.push(Level::I8mm);
                }
            }
        }
        found.into_iter().map(Self).collect()
    }

    /// The fastest of this CPU, or the one named by `EDGECLIP_ISA`.
    ///
    /// # Errors
    /// If the variable names none of this CPU's instruction sets: what it held and what it may hold.
    pub fn chosen() -> Result<Self, UnknownIsa> {
        let available = Self::available();
        let Some(wanted) = std::env::var_os(VARIABLE) else {
            return Ok(available.last().copied().unwrap_or(Self::SCALAR));
        };
        let wanted = wanted.to_string_lossy().into_owned();
        let found = available.iter().copied().find(|isa| isa.name() == wanted);
        found
            .ok_or_else(|| UnknownIsa { wanted, available: available.iter().map(|isa| isa.name()).collect() })
    }

    /// Its name in `EDGECLIP_ISA`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Level::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Level::AvxVnni => "avxvnni",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512Vnni => "avx512vnni",
            #[cfg(target_arch = "aarch64")]
            Level::Neon => "neon",
            #[cfg(target_arch = "aarch64")]
            Level::Dotprod => "dotprod",
            #[cfg(target_arch = "aarch64")]
            Level::I8mm => "i8mm",
        }
    }

    /// What kernels branch on.
    #[inline(always)]
    pub(crate) fn level(self) -> Level {
        self.0
    }
}

impl fmt::Debug for Isa {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

/// `EDGECLIP_ISA` does not name an instruction set of this CPU.
#[derive(Debug, Clone, PartialEq, Eq)]
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
        match $isa.level() {
            $crate::isa::Level::Scalar => $scalar($($argument),*),
            // SAFETY: `Isa::available` yields these values only after detecting the features.
            #[cfg(target_arch = "x86_64")]
            $crate::isa::Level::Avx2 | $crate::isa::Level::AvxVnni => unsafe { avx2($($argument),*) },
            // SAFETY: same as above.
            #[cfg(target_arch = "x86_64")]
            $crate::isa::Level::Avx512Vnni => unsafe { avx512($($argument),*) },
            // NEON is part of the target.
            #[cfg(target_arch = "aarch64")]
            _ => $scalar($($argument),*),
        }
    }};
}
pub(crate) use vectorised;

impl fmt::Display for UnknownIsa {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{VARIABLE}: found {}, expected one of {}", self.wanted, self.available.join(", "))
    }
}

impl std::error::Error for UnknownIsa {}

#[cfg(test)]
mod tests {
    use super::Isa;

    /// What an emulated CPU has is found, so that the tests of its kernels do run: cross/test.sh says what it has.
    #[test]
    fn the_instruction_sets_are_those_of_this_cpu() {
        let Ok(expected) = std::env::var("EDGECLIP_EXPECTED_ISAS") else { return };
        let found: Vec<&str> = Isa::available().iter().map(|isa| isa.name()).collect();
        assert_eq!(found.join(" "), expected);
    }

    #[test]
    fn scalar_is_the_slowest_of_any_cpu() {
        assert_eq!(Isa::available()[0], Isa::SCALAR);
        assert_eq!((Isa::SCALAR.name(), format!("{:?}", Isa::SCALAR).as_str()), ("scalar", "Scalar"));
    }
}
