//! What `edgeclip doctor` looks at.

use std::path::Path;
use std::time::Instant;

use serde_json::json;

use super::doctor::{Check, State};
use super::model::ModelArgs;
use crate::error::{Error, Result};
use crate::frame::{Frame, PixelFormat};
use crate::model::Networks;
use crate::pipeline::Pipeline;
use crate::source::{self, Camera, Offers, Wish};
use crate::system;
use edgeclip_kernels::Isa;

/// The processor, and which kernels run on it.
pub fn processor(root: &Path) -> Check {
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

/// Memory. With prompts a photo takes 182 MB at the peak (README.md); a camera's frames come on top.
pub fn memory(root: &Path) -> Check {
    const NAME: &str = "memory";
    const NEEDED: u64 = 200 << 20;
    const COMFORTABLE: u64 = 300 << 20;
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
pub fn temperature(root: &Path) -> Check {
    const NAME: &str = "temperature";
    /// Most boards lower their clock from here on.
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

/// The model: its files' hashes, and a pass of the vision network.
pub fn model(args: &ModelArgs) -> Check {
    const NAME: &str = "model";
    match try_model(args) {
        Ok(check) => check,
        Err(error) => Check::failed(NAME, &error),
    }
}

fn try_model(args: &ModelArgs) -> Result<Check> {
    const NAME: &str = "model";
    let bundle = args.bundle()?;
    let files = bundle.verify()?;
    let threads = args.threads();
    let networks = Networks::load(&bundle, false, threads)?;
    let float = networks.vision.left_in_float();
    let is_int8 = networks.vision.is_int8();
    let (name, size) = (bundle.manifest.name.clone(), bundle.manifest.input.size);
    let pipeline = Pipeline::new(networks, bundle.manifest);
    let grey = vec![128; 3 * (size * size) as usize];
    let frame = Frame::new(&grey, size, size, 3 * size as usize, PixelFormat::Rgb8)?;
    // The first pass also touches its memory for the first time.
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let start = Instant::now();
        pipeline.encode(&frame)?;
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
    }
    let hashes: serde_json::Map<_, _> =
        files.iter().map(|(file, hash)| ((*file).to_owned(), json!(hash))).collect();
    let details = json!({ "name": name, "sha256": hashes, "int8": is_int8, "threads": threads, "vision_ms": (best * 1e3).round() / 1e3 });
    let found = format!(
        "{name}, {} files as in the manifest, vision network {best:.1} ms ({threads} threads)",
        files.len()
    );
    let check = Check::ok(NAME, found, details);
    if is_int8 {
        return Ok(check);
    }
    let why = format!(
        "vision.onnx runs in float, which is slow: {}; export it again with quantize/",
        float.join(", ")
    );
    Ok(check.but(State::Warning, why))
}

/// One check a camera. With `wanted`, only that one, which must work.
pub fn cameras(wanted: Option<&Path>) -> Vec<Check> {
    const NAME: &str = "camera";
    if let Some(path) = wanted {
        let opened = Camera::open(path, &Wish::default(), &[]);
        let check = opened.map(|camera| {
            let found = format!("{}: {}", path.display(), camera.mode());
            Check::ok(NAME, found, json!({ "path": path, "mode": camera.mode().to_string() }))
        });
        return vec![check.unwrap_or_else(|error| Check::failed(NAME, &error))];
    }
    let found = source::cameras();
    if found.is_empty() {
        let advice = "plug one in; for one of a board's own, pipe it in (docs/boards.md); pictures need none";
        return vec![Check::ok(NAME, "none", json!(null)).but(State::Warning, advice)];
    }
    let usable = found.iter().any(Result::is_ok);
    let check = |camera: Result<Offers>| match camera {
        Ok(camera) => Check::ok(NAME, camera_text(&camera), camera_details(&camera)),
        // One good camera is enough; permission, on the other hand, is what the user came to ask about.
        Err(error) if usable || !is_permission(&error) => {
            Check { state: State::Warning, ..Check::failed(NAME, &error) }
        }
        Err(error) => Check::failed(NAME, &error),
    };
    found.into_iter().map(check).collect()
}

fn is_permission(error: &Error) -> bool {
    matches!(error, Error::Input { found, .. } if found == source::NO_PERMISSION)
}

fn camera_text(camera: &Offers) -> String {
    let formats = camera.formats.iter().map(|offer| offer.format.to_string()).collect::<Vec<_>>();
    format!("{}: {} ({}), {}", camera.path.display(), camera.card, camera.driver, formats.join(" "))
}

fn camera_details(camera: &Offers) -> serde_json::Value {
    let format = |offer: &source::Offer| json!({ "format": offer.format.to_string(), "sizes": offer.sizes });
    json!({
        "path": camera.path, "card": camera.card, "driver": camera.driver,
        "formats": camera.formats.iter().map(format).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_memory_and_heat_are_told() {
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

    #[test]
    fn a_wanted_camera_must_work() {
        let checks = cameras(Some(Path::new("/dev/video99")));
        assert_eq!((checks.len(), checks[0].state), (1, State::Error));
        assert!(checks[0].found.contains("/dev/video99"), "{checks:?}");
    }
}
