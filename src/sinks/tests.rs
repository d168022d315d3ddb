//! Reports that tests of several sinks use.

use std::path::Path;
use std::process::{Command, Output as Ran};
use std::time::{Duration, SystemTime};

use super::PictureSink;
use crate::error::Result;
use crate::events::Outline;
use crate::geometry::Rect;
use crate::report::{Detection, Findings, FrameReport, LiveTiming, PictureReport, Tag, Timing};
use crate::source::Picture;
use crate::track::Track;

/// A report on a street with two detections and one tag.
pub(crate) fn with_street(test: impl FnOnce(PictureReport<'_>)) {
    let names = ["person", "red bus", "street"].map(Into::into);
    let tags = vec![Tag { label: "street".into(), score: 0.812_345 }];
    let detections = vec![
        Detection {
            label: "red bus".into(),
            score: 0.9,
            rect: Rect { x0: 10.04, y0: 20.06, x1: 110.5, y1: 64.0 },
        },
        Detection {
            label: "person".into(),
            score: 0.333_333,
            rect: Rect { x0: 0.0, y0: 0.0, x1: 5.0, y1: 9.96 },
        },
    ];
    let findings = Findings { tags, detections, timing: timing(), ..Findings::default() };
    test(PictureReport { path: "a \"b\".jpg", width: 640, height: 64, names: &names, findings: &findings });
}

fn timing() -> Timing {
    let ms = |ms: f64| Duration::from_secs_f64(ms / 1e3);
    Timing {
        decode: ms(1.0),
        preprocess: ms(0.25),
        vision: ms(30.12349),
        regions: ms(4.0),
        matching: ms(0.5),
    }
}

/// A person who is seen and a dog who is not, in a picture of 320 by 240 pixels; nothing happens.
pub(crate) fn frame_report() -> FrameReport {
    let rect = |x0, y0, x1, y1| Rect { x0, y0, x1, y1 };
    let track = |id, label: &str, rect, seen| Track {
        id,
        label: label.into(),
        score: 0.912_34,
        rect,
        velocity: [12.34, -5.0],
        seen,
        age: Duration::from_micros(1_234_567),
    };
    let person = rect(40.04, 60.0, 120.06, 200.0);
    FrameReport {
        tags: vec![Tag { label: "rain".into(), score: 0.75 }],
        detections: vec![Detection { label: "person".into(), score: 0.9, rect: person }],
        tracks: vec![
            track(7, "person", person, true),
            track(9, "dog", rect(200.0, 100.0, 300.0, 180.0), false),
        ],
        ..plain(320, 240)
    }
}

/// The picture of a report, of one colour.
pub(crate) fn picture_of(report: &FrameReport, colour: [u8; 3]) -> Picture {
    let (width, height) = (report.width, report.height);
    let data = colour.repeat((width * height) as usize);
    Picture { name: "test".to_owned(), width, height, data }
}

/// Hands over a report with a grey picture.
pub(crate) fn show(sink: &mut impl PictureSink, report: &FrameReport) -> Result<()> {
    sink.take(report, Some(&picture_of(report, [90, 100, 110])))
}

/// The report of a picture without findings.
pub(crate) fn plain(width: u32, height: u32) -> FrameReport {
    FrameReport {
        source: "/dev/video0".into(),
        frame: 42,
        time: SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_327_200_123),
        width,
        height,
        looked: true,
        tags: Vec::new(),
        detections: Vec::new(),
        tracks: Vec::new(),
        events: Vec::new(),

        features: Vec::new(),
        sightings: Vec::new(),
        crops: Vec::new(),
        outlines: Vec::<Outline>::new().into(),
        timing: LiveTiming {
            queue: Duration::from_millis(60),
            look: timing(),
            track: Duration::from_micros(125),
        },
        latency: Duration::from_micros(105_500),
    }
}

/// Names a file system of 256 kB for a test that [`on_a_small_disk`] runs.
const SMALL_DISK: &str = "EDGECLIP_TEST_SMALL_DISK";

/// Runs `body` on a file system of 256 kB: `test`, which calls this, is run again in its own mount namespace,
/// where even users without privileges may mount. Says so if no namespace can be created, as under an
/// emulator.
pub(crate) fn on_a_small_disk(test: &str, body: impl FnOnce(&Path)) {
    if let Some(disk) = std::env::var_os(SMALL_DISK) {
        return body(Path::new(&disk));
    }
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| -> Option<Ran> {
        let script = format!("mount -t tmpfs -o size=256k tmpfs \"${SMALL_DISK}\" && exec \"$0\" \"$@\"");
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script]);
        command.arg(std::env::current_exe().unwrap()).args(arguments);
        command.env(SMALL_DISK, folder.path()).output().ok()
    };
    if !run(&["--list"]).is_some_and(|probe| probe.status.success()) {
        return eprintln!("{test}: NOT CHECKED, no file system can be mounted");
    }
    let ran = run(&["--exact", test, "--nocapture"]).unwrap();
    let (said, why) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success() && said.contains("1 passed"), "{said}{why}");
}
