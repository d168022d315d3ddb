//! How much memory there is, and what of it this process can do without.

use std::path::Path;

use super::text;

/// Memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// All of it.
    pub total: u64,
    /// What can be had without swapping.
    pub available: u64,
}

/// This machine's memory, from `proc/meminfo` below `root`; `None` where the kernel does not say.
pub fn memory(root: &Path) -> Option<Memory> {
    let info = text(&root.join("proc/meminfo"))?;
    let bytes = |key: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(key))?;
        let kibibytes: u64 = line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().ok()?;
        kibibytes.checked_mul(1024)
    };
    Some(Memory { total: bytes("MemTotal")?, available: bytes("MemAvailable")? })
}

/// From now on, the kernel gets back each block from this many bytes on when it is freed, and the heap's end when half as much is free there.
/// glibc would keep blocks of up to 32 MB once one was freed, and reading a model frees many; other C libraries give them back anyhow.
#[cfg_attr(not(target_env = "gnu"), allow(unused_variables, reason = "only glibc needs it"))]
pub fn give_back_from(bytes: i32) {
    #[cfg(target_env = "gnu")]
    // SAFETY: takes no pointer; values out of range are refused (mallopt(3)).
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, bytes);
        // Setting one keeps the other at its start, where many blocks would come and go.
        libc::mallopt(libc::M_TRIM_THRESHOLD, bytes / 2);
    }
}

/// Gives the kernel back what is freed, after something large was in use for a while. glibc keeps tens of megabytes, for each thread
/// that had them; other C libraries do not.
pub fn give_back() {
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
