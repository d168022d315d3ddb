//! Which processor this is and what it supports.

use std::path::Path;
use std::thread;

use super::text;

/// The processor and the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cpu {
    /// The board's name, if the firmware gives one.
    pub board: Option<String>,
    /// The distinct kinds of cores, in the order in which the kernel lists them.
    pub cores: Vec<String>,
    /// How many threads can run in parallel.
    pub threads: usize,
    /// Instruction set extensions that the kernels could use.
    pub features: Vec<&'static str>,
}

/// This machine's processor. Files are read below `root`, usually `/`.
pub(crate) fn cpu(root: &Path) -> Cpu {
    let info = text(&root.join("proc/cpuinfo")).unwrap_or_default();
    let mut cores: Vec<String> = Vec::new();
    for line in info.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        let core = match (key.trim(), value.trim()) {
            ("model name", name) => name.to_owned(),
            ("CPU part", part) => arm_core(part),
            _ => continue,
        };
        if !cores.contains(&core) {
            cores.push(core);
        }
    }
    Cpu {
        board: text(&root.join("sys/firmware/devicetree/base/model")),
        cores,
        threads: thread::available_parallelism().map_or(1, usize::from),
        features: features(),
    }
}

/// The name of an Arm core, by the part number in its main ID register.
fn arm_core(part: &str) -> String {
    let name = match part {
        "0xb76" => "ARM1176",
        "0xc07" => "Cortex-A7",
        "0xc08" => "Cortex-A8",
        "0xc09" => "Cortex-A9",
        "0xc0f" => "Cortex-A15",
        "0xd03" => "Cortex-A53",
        "0xd05" => "Cortex-A55",
        "0xd07" => "Cortex-A57",
        "0xd08" => "Cortex-A72",
        "0xd0a" => "Cortex-A75",
        "0xd0b" => "Cortex-A76",
        "0xd0c" => "Neoverse-N1",
        "0xd41" => "Cortex-A78",
        "0xd42" => "Cortex-A78AE",
        _ => return format!("core {part}"),
    };
    name.to_owned()
}

fn features() -> Vec<&'static str> {
    let mut found = Vec::new();
    #[cfg(target_arch = "aarch64")]
    {
        use std::arch::is_aarch64_feature_detected as has;
        let known = [
            ("neon", has!("neon")),
            ("dotprod", has!("dotprod")),
            ("i8mm", has!("i8mm")),
            ("fp16", has!("fp16")),
        ];
        found.extend(known.into_iter().filter(|(_, has)| *has).map(|(name, _)| name));
    }
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        let known = [
            ("avx2", has!("avx2")),
            ("avxvnni", has!("avxvnni")),
            ("avx512vnni", has!("avx512vnni")),
            ("avx512vbmi", has!("avx512vbmi")),
        ];
        found.extend(known.into_iter().filter(|(_, has)| *has).map(|(name, _)| name));
    }
    // On 32-bit ARM the standard library detects nothing, and there are no SIMD kernels for it either.
    found.shrink_to_fit();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arm_cores_are_named_once_each() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("proc")).unwrap();
        std::fs::create_dir_all(root.path().join("sys/firmware/devicetree/base")).unwrap();
        let info =
            "processor\t: 0\nCPU part\t: 0xd03\n\nprocessor\t: 1\nCPU part\t: 0xd03\n\nCPU part\t: 0xfff\n";
        std::fs::write(root.path().join("proc/cpuinfo"), info).unwrap();
        let model = root.path().join("sys/firmware/devicetree/base/model");
        std::fs::write(model, b"Raspberry Pi 3 Model B\0").unwrap();
        let found = cpu(root.path());
        assert_eq!(found.cores, ["Cortex-A53", "core 0xfff"]);
        assert_eq!(found.board.as_deref(), Some("Raspberry Pi 3 Model B"));
        assert!(found.threads > 0);
    }
}
