//! Checks of the machine: processor, memory, temperature.

use std::path::Path;

use serde_json::json;

use super::check::{Check, State};
use crate::system;
use edgeclip_kernels::Isa;

/// The processor, and which kernels run on it.
pub(crate) fn processor(root: &Path) -> Check {
    const NAME: &str = "processor";
    let cpu = system::cpu(root);
    let isa = match Isa::chosen() {
        Ok(isa) => isa,
        Err(unknown) => {
            let advice = format!("unset EDGECLIP_ISA, or set it to one of {}", unknown.available.join(", "));
            let found = format!("no kernels called {} (EDGECLIP_ISA)", unknown.wanted);
            return Check::ok(NAME, found, json!(null)).but(State::Error, advice);
        }
    };
    let available: Vec<&str> = Isa::available().into_iter().map(Isa::name).collect();
    let details = json!({
        "board": cpu.board, "cores": cpu.cores, "threads": cpu.threads, "features": cpu.features,
        "kernels": isa.name(), "kernels_available": available,
    });
    let names = cpu.board.iter().chain(&cpu.cores).cloned().collect::<Vec<_>>().join(", ");
    let features = if cpu.features.is_empty() { "none".to_owned() } else { cpu.features.join(" ") };
    let found = format!("{names}, {} threads; features: {features}; kernels: {}", cpu.threads, isa.name());
    let check = Check::ok(NAME, found, details);
    match (isa, available.last()) {
        (Isa::SCALAR, Some(&"scalar")) => check.but(
            State::Warning,
            "results are the same, but slow: fast kernels need NEON on 64-bit ARM, or AVX2; a 64-bit system may help",
        ),
        (_, Some(best)) if *best != isa.name() => {
            check.but(State::Warning, format!("unset EDGECLIP_ISA: {best} is faster"))
        }
        _ => check,
    }
}

/// Memory. With prompts a photo takes 92 MB at the peak (README.md); a camera's frames and other programs
/// come on top.
pub(crate) fn memory(root: &Path) -> Check {
    const NAME: &str = "memory";
    const NEEDED: u64 = 120 << 20;
    const COMFORTABLE: u64 = 250 << 20;
    let Some(memory) = system::memory(root) else {
        let check = Check::ok(NAME, "unknown, /proc/meminfo cannot be read", json!(null));
        return check.but(State::Warning, "mount /proc");
    };
    let mib = |bytes: u64| bytes >> 20;
    let details = json!({ "total": memory.total, "available": memory.available });
    let found = format!("{} of {} MiB available", mib(memory.available), mib(memory.total));
    let advice = "end other programs; a vocabulary file (`edgeclip vocab build` on another machine) needs less than prompts";
    let check = Check::ok(NAME, found, details);
    if memory.available < NEEDED {
        check.but(State::Error, advice)
    } else if memory.available < COMFORTABLE {
        check.but(State::Warning, advice)
    } else {
        check
    }
}

/// Temperature and throttling.
pub(crate) fn temperature(root: &Path) -> Check {
    const NAME: &str = "temperature";
    /// Most boards throttle from here on.
    const HOT: f32 = 80.0;
    let thermal = system::thermal(root);
    let zone = |zone: &system::Zone| json!({ "name": zone.name, "celsius": zone.celsius });
    let details = json!({
        "zones": thermal.zones.iter().map(zone).collect::<Vec<_>>(),
        "throttled": thermal.throttled, "throttled_before": thermal.throttled_before,
    });
    let mut parts: Vec<String> =
        thermal.zones.iter().map(|zone| format!("{} {:.1} °C", zone.name, zone.celsius)).collect();
    if parts.is_empty() {
        parts.push("no sensor".to_owned());
    }
    if !thermal.throttled.is_empty() {
        parts.push(format!("slowed down: {}", thermal.throttled.join(", ")));
    }
    if !thermal.throttled_before.is_empty() {
        parts.push(format!("slowed down since the start: {}", thermal.throttled_before.join(", ")));
    }
    let slow = !thermal.throttled.is_empty() || !thermal.throttled_before.is_empty();
    let check = Check::ok(NAME, parts.join("; "), details);
    if slow || thermal.zones.iter().any(|zone| zone.celsius >= HOT) {
        return check.but(State::Warning, "cool the board; with under-voltage, use a stronger power supply");
    }
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_memory_and_heat_are_reported() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let meminfo = |available: u64| {
            write("proc/meminfo", &format!("MemTotal: 900000 kB\nMemAvailable: {available} kB\n"))
        };
        assert_eq!(memory(root.path()).state, State::Warning);
        for (available, state) in [(100_000, State::Error), (250_000, State::Warning), (800_000, State::Ok)] {
            meminfo(available);
            assert_eq!(memory(root.path()).state, state, "{available}");
        }
        assert_eq!(temperature(root.path()).state, State::Ok);
        write("sys/class/thermal/thermal_zone0/type", "cpu-thermal");
        write("sys/class/thermal/thermal_zone0/temp", "45000");
        assert_eq!(temperature(root.path()).state, State::Ok);
        write("sys/devices/platform/soc/soc:firmware/get_throttled", "10000");
        let check = temperature(root.path());
        assert_eq!(check.state, State::Warning);
        assert!(check.found.ends_with("slowed down since the start: under-voltage"), "{}", check.found);
        assert!(check.advice.unwrap().contains("power supply"));
    }
}
