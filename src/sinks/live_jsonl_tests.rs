use std::sync::{Arc, Mutex};

use super::*;
use crate::report::samples::events;
use crate::sinks::tests::frame_report;

/// A writer whose content can be read while it is in use.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn written(lines: Lines, reports: &[FrameReport]) -> String {
    let shared = Shared::default();
    let mut sink = LiveJsonl::new(Output::new("test", shared.clone()), lines);
    reports.iter().for_each(|report| sink.take(report).unwrap());
    String::from_utf8(shared.0.lock().unwrap().clone()).unwrap()
}

#[test]
fn a_frame_is_one_line_with_documented_keys_in_order() {
    let expected = concat!(
        r#"{"type":"frame","version":1,"source":"/dev/video0","frame":42,"time":1795327200.123,"width":320,"height":240,"#,
        r#""tags":[{"label":"rain","score":0.75}],"#,
        r#""detections":[{"label":"person","score":0.9,"box":[40.0,60.0,120.1,200.0]}],"#,
        r#""tracks":[{"id":7,"label":"person","score":0.9123,"box":[40.0,60.0,120.1,200.0],"velocity":[12.3,-5.0],"#,
        r#""seen":true,"age":1.235},"#,
        r#"{"id":9,"label":"dog","score":0.9123,"box":[200.0,100.0,300.0,180.0],"velocity":[12.3,-5.0],"#,
        r#""seen":false,"age":1.235}],"#,
        r#""timing_ms":{"queue":60.0,"decode":1.0,"preprocess":0.25,"vision":30.123,"regions":4.0,"match":0.5,"#,
        r#""track":0.125,"total":35.998},"#,
        r#""latency_ms":105.5}"#,
        "\n"
    );
    assert_eq!(written(Lines::Looked, &[frame_report()]), expected);
}

#[test]
fn events_follow_their_frame() {
    let text = written(Lines::Looked, &[FrameReport { events: events(), ..frame_report() }, frame_report()]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 1 + events().len() + 1);
    let start =
        r#"{"type":"event","version":1,"source":"/dev/video0","frame":42,"time":1795327200.123,"event":"#;
    assert!(lines[1..=events().len()].iter().all(|line| line.starts_with(start)));
    assert!(
        lines[2].ends_with(r#""event":"disappear","track":7,"label":"person","stayed":12.346}"#),
        "{}",
        lines[2]
    );
}

#[test]
fn frames_are_printed_as_asked_and_events_always() {
    let quiet = FrameReport { looked: false, ..frame_report() };
    let reports = [frame_report(), quiet.clone(), FrameReport { events: events(), ..quiet }];
    let count = |lines| written(lines, &reports).lines().count();
    assert_eq!(count(Lines::All), 3 + events().len());
    assert_eq!(count(Lines::Looked), 1 + events().len());
    assert_eq!(count(Lines::Events), events().len());
}
