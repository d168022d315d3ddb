//! How much memory this process may still take.

use std::path::Path;

use super::{memory, text};

/// Bytes that this process may still take: what the machine has available, and what its control groups allow.
/// Files are read below `root`; `None` if the kernel reports neither.
pub(crate) fn room(root: &Path) -> Option<u64> {
    let machine = memory(root).map(|memory| memory.available);
    machine.into_iter().chain(groups(root)).min()
}

/// What each control group above this process still allows (versions 1 and 2).
fn groups(root: &Path) -> Vec<u64> {
    let Some(membership) = text(&root.join("proc/self/cgroup")) else { return Vec::new() };
    let mut rooms = Vec::new();
    for line in membership.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let (mount, most, used) = match controllers {
            "" => ("sys/fs/cgroup", "memory.max", "memory.current"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                ("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes")
            }
            _ => continue,
        };
        // In a container the path may be the host's: its own group is then at the mount itself.
        for folder in Path::new(path.trim_start_matches('/')).ancestors() {
            let folder = root.join(mount).join(folder);
            let number = |name| text(&folder.join(name)).and_then(|text| text.parse::<u64>().ok());
            rooms.extend(number(most).zip(number(used)).map(|(most, used)| most.saturating_sub(used)));
        }
    }
    rooms
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_smallest_of_machine_and_groups_counts() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert_eq!(room(root.path()), None);
        write("proc/meminfo", "MemTotal: 3000 kB\nMemAvailable: 2000 kB\n");
        assert_eq!(room(root.path()), Some(2_048_000));
        write("proc/self/cgroup", "0::/system.slice/edgeclip.service\n");
        write("sys/fs/cgroup/system.slice/edgeclip.service/memory.max", "max\n");
        write("sys/fs/cgroup/system.slice/edgeclip.service/memory.current", "10\n");
        assert_eq!(room(root.path()), Some(2_048_000));
        write("sys/fs/cgroup/system.slice/memory.max", "5000\n");
        write("sys/fs/cgroup/system.slice/memory.current", "1000\n");
        assert_eq!(room(root.path()), Some(4000));
        write("proc/self/cgroup", "5:cpu,memory:/a\n1:name=systemd:/a\n");
        write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "700\n");
        write("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "800\n");
        assert_eq!(room(root.path()), Some(0));
    }
}
