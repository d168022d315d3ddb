//! Sources whose frames are JPEG files that somebody else decodes.

use std::sync::Arc;

use super::live::{CapturedFrame, Decode, Encoding, Live, Next};
use crate::error::Result;

/// A source, and who decodes its JPEG frames.
pub(super) struct JpegFrames {
    source: Box<dyn Live>,
    decoder: Arc<dyn Decode>,
    /// Whether it is known what kind of frames come.
    known: bool,
}

impl JpegFrames {
    /// Leaves the decoding of JPEG frames to `decoder`, if there is one.
    pub(super) fn of(source: Box<dyn Live>, decoder: Option<Arc<dyn Decode>>) -> Box<dyn Live> {
        match decoder {
            Some(decoder) => Box::new(Self { source, decoder, known: false }),
            None => source,
        }
    }
}

impl Live for JpegFrames {
    fn name(&self) -> &str {
        self.source.name()
    }

    fn waits(&self) -> bool {
        self.source.waits()
    }

    fn next(&mut self, frame: &mut CapturedFrame) -> Result<Next> {
        let next = self.source.next(frame)?;
        if next == Next::Frame {
            let is_jpeg = frame.encoding == Encoding::Jpeg;
            if !is_jpeg && !self.known {
                self.decoder.dismiss();
            }
            self.known = true;
            frame.decode_with(is_jpeg.then(|| Arc::clone(&self.decoder)));
        }
        Ok(next)
    }
}
