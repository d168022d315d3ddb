//! The products a second that one core can do with its registers alone: no loads, no stores, as many chains as hide the latency.

use edgeclip_kernels::Isa;

/// Chains of sums, more than latency times products a cycle on any CPU so far.
#[cfg(target_arch = "x86_64")]
const CHAINS: usize = 12;

/// Giga multiply-accumulates a second; `None` where this is not measured.
pub(crate) fn measured(isa: Isa) -> Option<f64> {
    match isa.name() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: an `Isa` of this CPU, here and below.
        "avx2" => Some(best(16, |turns| unsafe { x86::avx2(turns) })),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        "avxvnni" => Some(best(32, |turns| unsafe { x86::avxvnni(turns) })),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        "avx512vnni" => Some(best(64, |turns| unsafe { x86::avx512vnni(turns) })),
        _ => None,
    }
}

/// The fastest of some runs of `products` in each chain and turn.
#[cfg(target_arch = "x86_64")]
fn best(products: usize, run: impl Fn(usize)) -> f64 {
    const TURNS: usize = 1_000_000;
    let seconds = |_| {
        let start = std::time::Instant::now();
        run(TURNS);
        start.elapsed().as_secs_f64()
    };
    let least = (0..20).map(seconds).fold(f64::INFINITY, f64::min);
    (TURNS * CHAINS * products) as f64 / least * 1e-9
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;
    use std::hint::black_box;

    use super::CHAINS;

    /// `vpmaddwd` and `vpaddd`. Each sum is a factor of its own next product, or the product would leave the loop.
    #[target_feature(enable = "avx2")]
    pub(crate) fn avx2(turns: usize) {
        let mut sums = [black_box(_mm256_set1_epi32(3)); CHAINS];
        let w = black_box(_mm256_set1_epi16(5));
        for _ in 0..turns {
            for sum in &mut sums {
                *sum = _mm256_add_epi32(w, _mm256_madd_epi16(*sum, w));
            }
        }
        black_box(sums);
    }

    /// `vpdpbusd` on 32 bytes.
    #[target_feature(enable = "avx2,avxvnni")]
    pub(crate) fn avxvnni(turns: usize) {
        let mut sums = [black_box(_mm256_set1_epi32(3)); CHAINS];
        let (x, w) = (black_box(_mm256_set1_epi8(7)), black_box(_mm256_set1_epi8(5)));
        for _ in 0..turns {
            for sum in &mut sums {
                *sum = _mm256_dpbusd_avx_epi32(*sum, x, w);
            }
        }
        black_box(sums);
    }

    /// `vpdpbusd` on 64 bytes.
    #[target_feature(enable = "avx512f,avx512vnni")]
    pub(crate) fn avx512vnni(turns: usize) {
        let mut sums = [black_box(_mm512_set1_epi32(3)); CHAINS];
        let (x, w) = (black_box(_mm512_set1_epi8(7)), black_box(_mm512_set1_epi8(5)));
        for _ in 0..turns {
            for sum in &mut sums {
                *sum = _mm512_dpbusd_epi32(*sum, x, w);
            }
        }
        black_box(sums);
    }
}
