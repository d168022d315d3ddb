//! How hot the machine is, and whether it is throttled.

use std::fs;
use std::path::{Path, PathBuf};

use super::{number, text};

/// Temperatures, and what limits the clock.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Thermal {
    /// Every sensor that the kernel exposes, with its name.
    pub zones: Vec<Zone>,
    /// What limits the processor's clock now, in words.
    pub throttled: Vec<String>,
    /// What has limited it since power-on, in words.
    pub throttled_before: Vec<String>,
}

/// A temperature sensor.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Zone {
    /// Its name.
    pub name: String,
    /// Temperature in degrees Celsius.
    pub celsius: f32,
}

/// Bits of the Raspberry Pi's firmware: current state in the low half, since power-on in the high half.
const FIRMWARE: [(u32, &str); 4] =
    [(0, "under-voltage"), (1, "clock capped"), (2, "throttled"), (3, "temperature limit")];

/// This machine's temperatures and limits, read from `sys` below `root`.
pub(crate) fn thermal(root: &Path) -> Thermal {
    let mut found = Thermal::default();
    for folder in folders(&root.join("sys/class/thermal"), "thermal_zone") {
        // A sensor that is switched off has no temperature.
        if let (Some(name), Some(temperature)) = (text(&folder.join("type")), number(&folder.join("temp"))) {
            found.zones.push(Zone { name, celsius: temperature as f32 / 1e3 });
        }
    }
    let firmware = text(&root.join("sys/devices/platform/soc/soc:firmware/get_throttled"));
    let bits = firmware.and_then(|text| u32::from_str_radix(text.trim_start_matches("0x"), 16).ok());
    if let Some(bits) = bits {
        let set = |shift: u32| {
            let set = FIRMWARE.iter().filter(move |(bit, _)| bits >> (bit + shift) & 1 == 1);
            set.map(|(_, name)| (*name).to_owned()).collect()
        };
        (found.throttled, found.throttled_before) = (set(0), set(16));
    }
    for folder in folders(&root.join("sys/devices/system/cpu/cpufreq"), "policy") {
        let limit = number(&folder.join("scaling_max_freq"));
        let most = number(&folder.join("cpuinfo_max_freq"));
        if let (Some(limit), Some(most)) = (limit, most)
            && limit < most
        {
            found.throttled.push(format!("clock limited to {} of {} MHz", limit / 1000, most / 1000));
        }
    }
    found
}

/// The folders in `parent` whose names begin with `prefix`, sorted.
fn folders(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    let mut folders: Vec<PathBuf> = named.map(|entry| entry.path()).collect();
    folders.sort();
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hot_raspberry_pi_is_reported() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert_eq!(thermal(root.path()), Thermal::default());
        write("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n");
        write("sys/class/thermal/thermal_zone0/temp", "82300\n");
        write("sys/class/thermal/thermal_zone1/type", "off\n");
        write("sys/class/thermal/cooling_device0/type", "fan\n");
        write("sys/devices/platform/soc/soc:firmware/get_throttled", "50006\n");
        write("sys/devices/system/cpu/cpufreq/policy0/scaling_max_freq", "1500000\n");
        write("sys/devices/system/cpu/cpufreq/policy0/cpuinfo_max_freq", "1800000\n");
        let found = thermal(root.path());
        assert_eq!(found.zones, [Zone { name: "cpu-thermal".to_owned(), celsius: 82.3 }]);
        assert_eq!(found.throttled, ["clock capped", "throttled", "clock limited to 1500 of 1800 MHz"]);
        assert_eq!(found.throttled_before, ["under-voltage", "throttled"]);
    }
}
