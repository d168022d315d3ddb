//! Reports for people: a heading per picture, tags, then one aligned line per detection.

use std::io::{Result, Write};

use crate::error::{LONG, printable};
use crate::report::{Detection, Findings, PictureReport, Tag};

const BOLD: &str = "\x1b[1m";
const GREEN: &str = "\x1b[32m";
const GREY: &str = "\x1b[90m";
const PLAIN: &str = "\x1b[0m";

/// Writes `report` as a few lines; with `colour`, terminal colours set off names and scores.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_text(out: &mut impl Write, report: &PictureReport<'_>, colour: bool) -> Result<()> {
    let paint = |code: &'static str| if colour { (code, PLAIN) } else { ("", "") };
    let ((bold, plain), (green, _), (grey, _)) = (paint(BOLD), paint(GREEN), paint(GREY));
    let milliseconds = report.findings.timing.total().as_secs_f64() * 1e3;
    let path = printable(report.path, LONG);
    let (width, height) = (report.width, report.height);
    writeln!(out, "{bold}{path}{plain}  {grey}{width}x{height}, {milliseconds:.0} ms{plain}")?;
    let Findings { tags, detections, .. } = report.findings;
    if !tags.is_empty() {
        let tag = |tag: &Tag| format!("{} {green}{:.2}{plain}", tag.label, tag.score);
        writeln!(out, "  tags: {}", tags.iter().map(tag).collect::<Vec<_>>().join(", "))?;
    }
    if detections.is_empty() {
        return writeln!(out, "  nothing detected");
    }
    let length = |d: &Detection| d.label.chars().count();
    let widest = detections.iter().map(length).max().unwrap_or(0);
    for d in detections {
        let (name, r) = (&d.label, &d.rect);
        let padding = " ".repeat(widest - length(d));
        writeln!(
            out,
            "  {green}{:.2}{plain}  {bold}{name}{plain}{padding}  {:>5.0} {:>5.0} {:>5.0} {:>5.0}",
            d.score, r.x0, r.y0, r.x1, r.y1
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::with_street;
    use super::*;

    fn lines(report: &PictureReport<'_>, colour: bool) -> String {
        let mut out = Vec::new();
        write_text(&mut out, report, colour).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_are_aligned() {
        let expected = "a \"b\".jpg  640x64, 36 ms\n  tags: street 0.81\n  \
            0.90  red bus     10    20   110    64\n  \
            0.33  person       0     0     5    10\n";
        with_street(|report| assert_eq!(lines(&report, false), expected));
    }

    #[test]
    fn an_empty_report_says_so() {
        with_street(|report| {
            let findings = Findings { timing: report.findings.timing, ..Findings::default() };
            let empty = PictureReport { findings: &findings, path: "a\x1b[2J\nb", ..report };
            assert_eq!(lines(&empty, false), "a [2J b  640x64, 36 ms\n  nothing detected\n");
        });
    }

    #[test]
    fn colours_come_only_when_asked_for() {
        with_street(|report| {
            let coloured = lines(&report, true);
            assert!(coloured.contains("\x1b[1mred bus\x1b[0m"));
            let mut plain = coloured;
            for code in [BOLD, GREEN, GREY, PLAIN] {
                plain = plain.replace(code, "");
            }
            assert_eq!(plain, lines(&report, false));
        });
    }
}
