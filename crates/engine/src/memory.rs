//! How much memory a network may take.

use std::fs;

/// Most bytes without a setting.
const MOST: usize = 1 << 30;

/// Share of the memory there is, as a divisor.
const SHARE: usize = 2;

/// Bytes that the tensors of one pass, and the constants that are computed while a network is loaded, may take
/// together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget(usize);

impl Budget {
    pub(crate) fn of(bytes: usize) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(self) -> usize {
        self.0
    }

    /// What errors expect.
    pub(crate) fn expected(self) -> String {
        format!("a network within {} MB of memory", self.0 >> 20)
    }
}

impl Default for Budget {
    /// Half of the memory there is, at most 1 GiB.
    fn default() -> Self {
        let present = [total(), limit()].into_iter().flatten().min();
        Self(present.map_or(MOST, |bytes| (bytes / SHARE).min(MOST)))
    }
}

/// The machine's memory.
fn total() -> Option<usize> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.split_whitespace().next()?.parse::<usize>().ok()?.checked_mul(1024)
}

/// What the control group of this process may take.
fn limit() -> Option<usize> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let text = fs::read_to_string(format!("/sys/fs/cgroup/{own}/memory.max")).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Budget, MOST};

    #[test]
    fn without_a_setting_it_is_at_most_a_gibibyte() {
        let budget = Budget::default();
        assert!((1 << 24..=MOST).contains(&budget.bytes()), "{budget:?}");
        assert_eq!(Budget::of(3 << 20).expected(), "a network within 3 MB of memory");
    }
}
