//! Memory of this process.

/// Peak resident set size in bytes: `VmHWM` of `/proc/self/status` (`proc_pid_status(5)`); `None` if there is
/// none.
pub(super) fn peak() -> Option<u64> {
    status_bytes(&std::fs::read_to_string("/proc/self/status").ok()?, "VmHWM")
}

fn status_bytes(status: &str, key: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_the_status_file_is_read() {
        let status = "Name:\tedgeclip\nVmHWM:\t   51200 kB\nVmRSS:\t     100 kB\n";
        assert_eq!(status_bytes(status, "VmHWM"), Some(51200 * 1024));
        assert_eq!(status_bytes(status, "Vm"), None);
        assert_eq!(status_bytes("VmHWM:\tmany kB\n", "VmHWM"), None);
    }
}
