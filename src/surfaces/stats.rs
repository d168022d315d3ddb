//! The state of the machine as Frigate's clients read it.

use serde_json::{Map, Value, json};

use crate::report::rounded;
use crate::sinks::Status;

/// As `/api/stats` of Frigate has it, of sources that topics call `cameras`.
pub(super) fn stats(cameras: &[String], all: &[Status]) -> Value {
    let camera = |(name, status): (&String, &Status)| {
        let (captured, looked) = (rounded(status.fps_captured, 1), rounded(status.fps_looked, 1));
        let skipped = ((captured - looked).max(0.0) * 10.0).round() / 10.0;
        let fps = json!({
            "camera_fps": captured, "process_fps": looked, "skipped_fps": skipped, "detection_fps": looked,
            "detection_enabled": true,
        });
        (name.clone(), fps)
    };
    let latencies = all.iter().filter_map(|status| status.stages);
    let vision = latencies.map(|stages| stages.get(3).map_or(0.0, |stage| stage.p50.as_secs_f64() * 1e3));
    let speed = vision.fold(0.0, f64::max);
    let temperatures = all.iter().find_map(|status| status.temperature);
    let temperatures: Map<String, Value> =
        temperatures.map(|celsius| ("board".to_owned(), rounded(celsius, 1).into())).into_iter().collect();
    json!({
        "cameras": cameras.iter().zip(all).map(camera).collect::<Map<_, _>>(),
        "detectors": { "edgeclip": { "inference_speed": (speed * 100.0).round() / 100.0 } },
        "detection_fps": all.iter().map(|status| rounded(status.fps_looked, 1)).sum::<f64>(),
        "service": { "version": env!("CARGO_PKG_VERSION"), "temperatures": temperatures },
    })
}
