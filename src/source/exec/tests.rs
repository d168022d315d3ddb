use std::fs;
use std::path::Path;

use super::super::open;
use super::*;

const CLIP: &str = "tests/data/clip/clip";

fn source(script: &str) -> Result<Box<dyn Live>> {
    open(&format!("exec:/bin/sh -c '{script}'"), &SourceOptions::default())
}

fn refusal(script: &str) -> String {
    source(script).err().unwrap().to_string()
}

/// The next that is worth telling.
fn next(source: &mut dyn Live, frame: &mut CapturedFrame) -> Next {
    loop {
        match source.next(frame).unwrap() {
            Next::Nothing => {}
            next => return next,
        }
    }
}

#[test]
fn frames_come_numbers_go_on_and_a_program_that_ends_is_started_again() {
    let mut source =
        source(&format!("cat {CLIP}.y4m; echo one >&2; echo rtsp://u:secret@cam/x: gone >&2; exit 3"))
            .unwrap();
    assert_eq!((source.name(), source.waits()), ("exec:sh rtsp://cam/x", false));
    let (mut frame, mut numbers, mut told) = (CapturedFrame::empty(), Vec::new(), Vec::new());
    while told.len() < 2 {
        match next(source.as_mut(), &mut frame) {
            Next::Frame => {
                assert_eq!((frame.bytes.len(), frame.media_time), (1152, None));
                numbers.push(frame.number);
            }
            Next::Stalled(why) => told.push(why),
            other => panic!("{other:?}"),
        }
    }
    let why = "sh has ended (exit code 3): rtsp://cam/x: gone; it is started again";
    assert_eq!(told, [why, why]);
    assert!(numbers.iter().copied().eq(0..numbers.len() as u64), "{numbers:?}");
    assert!(numbers.len() >= 2);
}

#[test]
fn a_program_that_brings_no_frame_is_an_error_that_says_why() {
    let missing = open("exec:no-such-program -x", &SourceOptions::default()).err().unwrap();
    assert_eq!(
        missing.to_string(),
        "exec:no-such-program: found no program no-such-program, expected one that is installed, by its name or its path"
    );
    let line = refusal("echo cannot open the camera >&2; exit 1");
    assert!(
        line.contains("found sh has ended (exit code 1): cannot open the camera, expected a program"),
        "{line}"
    );
    assert!(refusal("exit 0").contains("found sh has ended (exit code 0), expected"));
    assert!(refusal("kill -9 $$").contains("(signal 9)"));
    let line = refusal("printf \"\\032\\105\\337\\243 and so on and on\"; exec sleep 100");
    assert!(
        line.contains("found Matroska or WebM from sh, expected Motion JPEG")
            && line.contains("-f yuv4mpegpipe -"),
        "{line}"
    );
}

#[test]
fn a_silent_program_is_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let (count, clip) = (folder.path().join("count"), Path::new(CLIP).with_extension("y4m"));
    let script = format!("echo x >> {}; cat {}; exec sleep 100", count.display(), clip.display());
    let options = SourceOptions { stall: Some(Duration::from_millis(300)), ..SourceOptions::default() };
    let mut source = open(&format!("exec:sh -c '{script}'"), &options).unwrap();
    let mut frame = CapturedFrame::empty();
    let why = loop {
        match next(source.as_mut(), &mut frame) {
            Next::Stalled(why) => break why,
            other => assert_eq!(other, Next::Frame),
        }
    };
    assert_eq!(why, "no frame within 0.3 s; it is started again");
    assert_eq!(next(source.as_mut(), &mut frame), Next::Frame);
    assert_eq!(fs::read_to_string(count).unwrap(), "x\nx\n");
}

#[test]
fn what_a_program_has_started_ends_with_the_source() {
    let folder = tempfile::tempdir().unwrap();
    let number = folder.path().join("number");
    let script = format!("sleep 1000 & echo $! > {}; cat {CLIP}.mjpeg; wait", number.display());
    let source = source(&script).unwrap();
    let child = fs::read_to_string(number).unwrap();
    let process = Path::new("/proc").join(child.trim());
    assert!(process.exists());
    drop(source);
    // Whoever takes it over waits for it in its own time.
    let state = |process: &Path| fs::read_to_string(process.join("stat")).unwrap_or_default();
    while process.exists() && !state(&process).contains(") Z ") {
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn options_of_pipes_are_taken_and_others_refused() {
    let raw = super::super::Raw {
        format: super::super::pixel_format("rgb24").unwrap(),
        size: (32, 24),
        stride: None,
    };
    let options = SourceOptions { raw: Some(raw), ..SourceOptions::default() };
    let mut source = open(&format!("exec:cat {CLIP}.rgb"), &options).unwrap();
    let mut frame = CapturedFrame::empty();
    assert_eq!(next(source.as_mut(), &mut frame), Next::Frame);
    assert_eq!(frame.bytes.len(), 2304);
    let options = SourceOptions { repeat: true, ..SourceOptions::default() };
    let line = super::super::check("exec:cat x", &options).unwrap_err().to_string();
    assert_eq!(
        line,
        "exec:cat: found the option repeat, which does not apply to a program, expected pixel_format, stall_seconds"
    );
}
