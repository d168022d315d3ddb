//! Annotated frames as one stream of JPEG files, known as Motion JPEG.

use super::files::{begins_stamped, stamp};
use super::output::Own;
use super::picture::{LIVE_QUALITY, encode};
use super::{Output, Painter, PictureKind, PictureSink};
use crate::error::Result;
use crate::report::FrameReport;
use crate::source::Picture;

/// What the mark of each picture says.
const PURPOSE: &str = "mjpeg";

/// Writes JPEG files one after the other; `ffplay -f mjpeg` plays them.
pub(crate) struct MotionJpeg {
    output: Output,
    painter: Painter,
    rgb: Vec<u8>,
}

impl MotionJpeg {
    /// By what a file of an earlier run is known.
    pub(crate) const OWN: Own =
        Own { what: "a Motion JPEG file of edgeclip's", begins: |head| begins_stamped(head, PURPOSE) };

    /// Writes what `painter` draws to `output`.
    pub(crate) fn new(output: Output, painter: Painter) -> Self {
        Self { output, painter, rgb: Vec::new() }
    }
}

impl PictureSink for MotionJpeg {
    fn name(&self) -> &str {
        self.output.name()
    }

    /// Reports without a picture are skipped.
    fn take(&mut self, report: &FrameReport, picture: Option<&Picture>) -> Result<()> {
        let Some(picture) = picture else { return Ok(()) };
        self.rgb.clone_from(&picture.data);
        let (width, height) = (picture.width, picture.height);
        self.painter.annotate(&mut self.rgb, width, height, report);
        let name = self.output.name();
        let mut file = encode(name, PictureKind::Jpeg, LIVE_QUALITY, &self.rgb, width, height)?;
        stamp(&mut file, PURPOSE);
        self.output.write(&file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ShownBoxes;
    use crate::sinks::tests::{frame_report, show};

    #[test]
    fn frames_follow_each_other_as_whole_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.mjpeg");
        let mut sink = MotionJpeg::new(
            Output::open(&path, MotionJpeg::OWN, false).unwrap(),
            Painter::new(ShownBoxes::Tracks),
        );
        let report = frame_report();
        for _ in 0..3 {
            show(&mut sink, &report).unwrap();
        }
        sink.take(&report, None).unwrap();
        let stream = std::fs::read(&path).unwrap();
        let starts: Vec<usize> =
            (0..stream.len()).filter(|at| stream[*at..].starts_with(&[0xff, 0xd8, 0xff])).collect();
        assert_eq!(starts.len(), 3);
        let end = starts[1];
        assert_eq!(stream[end - 2..end], [0xff, 0xd9]);
        let size = image::load_from_memory(&stream[..end]).unwrap().into_rgb8().dimensions();
        assert_eq!(size, (report.width, report.height));
        // The same drawing gives the same file.
        assert_eq!(stream[..end], stream[starts[1]..starts[2]]);
    }

    #[test]
    fn a_full_device_is_told_and_the_sink_goes_on() {
        let mut sink = MotionJpeg::new(
            Output::open("/dev/full".as_ref(), MotionJpeg::OWN, false).unwrap(),
            Painter::new(ShownBoxes::Tracks),
        );
        for _ in 0..2 {
            assert!(show(&mut sink, &frame_report()).unwrap_err().to_string().starts_with("/dev/full: "));
        }
    }
}
