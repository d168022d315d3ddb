//! One JSON object per picture, each on a line; `docs/output.md` describes its keys.

use std::io::{Result, Write};

use serde::Serialize;

use super::json::{Detection, Milliseconds, Tag, write_line};
use crate::report::{Grid, PictureReport};

#[derive(Serialize)]
struct Line<'a> {
    path: &'a str,
    width: u32,
    height: u32,
    tags: Vec<Tag<'a>>,
    detections: Vec<Detection<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tiles: Option<Grid>,
    timing_ms: Milliseconds,
}

/// Writes `report` as one line: scores with 4 decimals, boxes in pixels with 1, times in milliseconds with 3.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_jsonl(out: &mut impl Write, report: &PictureReport<'_>) -> Result<()> {
    let line = Line {
        path: report.path,
        width: report.width,
        height: report.height,
        tags: report.findings.tags.iter().map(Tag::new).collect(),
        detections: report.findings.detections.iter().map(Detection::new).collect(),
        tiles: report.findings.tiles,
        timing_ms: Milliseconds::new(&report.findings.timing),
    };
    write_line(out, &line)
}

#[cfg(test)]
mod tests {
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
    fn a_line_break_in_a_path_does_not_break_the_line() {
        let mut line = Vec::new();
        with_street(|report| write_jsonl(&mut line, &PictureReport { path: "a\nb", ..report }).unwrap());
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
    }
}
