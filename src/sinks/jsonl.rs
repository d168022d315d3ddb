//! One JSON object a line for each picture; `docs/output.md` describes its keys.

use std::io::{Result, Write};
use std::time::SystemTime;

use serde::Serialize;

use super::Report;
use super::clock::unix;
use super::json::{Detection, Milliseconds, Tag, write_line};

#[derive(Serialize)]
struct Line<'a> {
    path: &'a str,
    #[serde(flatten)]
    found: Found<'a>,
}

#[derive(Serialize)]
struct LiveLine<'a> {
    source: &'a str,
    frame: u64,
    time: f64,
    #[serde(flatten)]
    found: Found<'a>,
}

#[derive(Serialize)]
struct Found<'a> {
    width: u32,
    height: u32,
    tags: Vec<Tag<'a>>,
    detections: Vec<Detection<'a>>,
    timing_ms: Milliseconds,
}

/// Writes `report` as one line: scores with 4 decimals, boxes in pixels with 1, times in milliseconds with 3.
///
/// # Errors
/// Those of `out`.
pub fn write_jsonl(out: &mut impl Write, report: &Report<'_>) -> Result<()> {
    write_line(out, &Line { path: report.path, found: found(report) })
}

/// Writes one frame of a live source: its number and when it was captured, the source in place of the path, the rest as
/// [`write_jsonl`].
///
/// # Errors
/// Those of `out`.
pub fn write_live_jsonl(
    out: &mut impl Write,
    report: &Report<'_>,
    frame: u64,
    time: SystemTime,
) -> Result<()> {
    write_line(out, &LiveLine { source: report.path, frame, time: unix(time), found: found(report) })
}

fn found<'a>(report: &Report<'a>) -> Found<'a> {
    let tag = |t: &crate::vocabulary::Tag| Tag::new(report.name(t.label), t.score);
    let detection = |d: &crate::vocabulary::Detection| Detection::new(report.name(d.label), d.score, &d.rect);
    Found {
        width: report.width,
        height: report.height,
        tags: report.tags.iter().map(tag).collect(),
        detections: report.detections.iter().map(detection).collect(),
        timing_ms: Milliseconds::new(&report.timing),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::tests::with_street;
    use super::*;

    #[test]
    fn a_report_is_one_line_with_documented_keys_in_order() {
        let mut line = Vec::new();
        with_street(|report| write_jsonl(&mut line, &report).unwrap());
        let expected = concat!(
            r#"{"path":"a \"b\".jpg","width":640,"height":64,"tags":[{"label":"street","score":0.8123}],"#,
            r#""detections":[{"label":"red bus","score":0.9,"box":[10.0,20.1,110.5,64.0]},"#,
            r#"{"label":"person","score":0.3333,"box":[0.0,0.0,5.0,10.0]}],"#,
            r#""timing_ms":{"decode":1.0,"preprocess":0.25,"vision":30.123,"regions":4.0,"match":0.5,"total":35.873}}"#,
            "\n"
        );
        assert_eq!(String::from_utf8(line).unwrap(), expected);
    }

    #[test]
    fn a_live_line_has_source_frame_and_time_in_place_of_the_path() {
        let (mut still, mut live) = (Vec::new(), Vec::new());
        let time = SystemTime::UNIX_EPOCH + Duration::from_micros(1_795_315_200_123_456);
        with_street(|report| {
            write_jsonl(&mut still, &Report { path: "x", ..report }).unwrap();
            write_live_jsonl(&mut live, &Report { path: "/dev/video0", ..report }, 42, time).unwrap();
        });
        let expected = String::from_utf8(still)
            .unwrap()
            .replace(r#""path":"x""#, r#""source":"/dev/video0","frame":42,"time":1795315200.123"#);
        assert_eq!(String::from_utf8(live).unwrap(), expected);
    }

    #[test]
    fn a_line_break_in_a_path_does_not_break_the_line() {
        let mut line = Vec::new();
        with_street(|report| write_jsonl(&mut line, &Report { path: "a\nb", ..report }).unwrap());
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
    }
}
