//! How much memory there is, and how freed memory goes back to the kernel.

use std::path::Path;

use super::text;

/// Memory of the machine, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Installed memory.
    pub total: u64,
    /// Memory available without swapping.
    pub available: u64,
}

/// This machine's memory, from `proc/meminfo` below `root`; `None` if the kernel does not report it.
pub(crate) fn memory(root: &Path) -> Option<Memory> {
    let info = text(&root.join("proc/meminfo"))?;
    let bytes = |key: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(key))?;
        let kibibytes: u64 = line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().ok()?;
        kibibytes.checked_mul(1024)
    };
    Some(Memory { total: bytes("MemTotal")?, available: bytes("MemAvailable")? })
}

/// From now on, blocks of at least this many bytes go back to the kernel when they are freed, as does the end
/// of the heap when half as much is free there. glibc would keep blocks of up to 32 MB once one was freed,
/// and reading a model frees many; other C libraries return them anyway.
#[cfg_attr(not(target_env = "gnu"), allow(unused_variables, reason = "only glibc needs it"))]
pub(crate) fn set_trim_threshold(bytes: i32) {
    #[cfg(target_env = "gnu")]
    // SAFETY: takes no pointer; values out of range are refused (mallopt(3)).
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, bytes);
        // Setting one threshold freezes the other at its initial value, at which many blocks
        // would come and go.
        libc::mallopt(libc::M_TRIM_THRESHOLD, bytes / 2);
    }
}

/// Returns freed memory to the kernel, after something large was in use for a while. glibc keeps tens of
/// megabytes for each thread that used them; other C libraries do not.
pub(crate) fn trim_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: takes no pointer, and locks what it touches (malloc_trim(3)).
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kibibytes_become_bytes() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(memory(root.path()), None);
        std::fs::create_dir(root.path().join("proc")).unwrap();
        let info = "MemTotal:        3884100 kB\nMemFree:  1 kB\nMemAvailable:       2000 kB\n";
        std::fs::write(root.path().join("proc/meminfo"), info).unwrap();
        assert_eq!(memory(root.path()), Some(Memory { total: 3_884_100 * 1024, available: 2_048_000 }));
    }
}
