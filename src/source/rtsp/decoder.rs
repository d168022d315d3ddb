//! Decodes H.264 access units to pictures.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use h264_reader::nal::sps::{ChromaFormat, FrameMbsFlags, SeqParameterSet};
use h264_reader::rbsp::{BitRead, BitReader, decode_nal};
use openh264::decoder::{DecodeOptions, DecodedYUV, Decoder, Flush};
use openh264::formats::YUVSource;
use retina::codec::{VideoParameters, VideoParametersCodec};

use super::super::live::Encoding;
use super::super::network::Fault;
use crate::frame::{PixelFormat, Range};

/// Most macroblocks of 16 × 16 pixels in a picture: level 5.2 of H.264 (table A-1), 4096 × 2304 pixels.
const MOST_BLOCKS: u32 = 36_864;
/// Most macroblocks in reference pictures, same table; 71 MB.
const MOST_REFERENCE_BLOCKS: u32 = 184_320;
/// Most pictures that wait to be reordered.
const MOST_WAITING: usize = 16;

/// A decoded picture.
pub(in crate::source) struct DecodedPicture {
    /// How [`PictureDecoder::bytes`] hold it.
    pub encoding: Encoding,
    /// Its camera timestamp in µs.
    pub stamp: i64,
    /// When it was received completely.
    pub taken: Instant,
}

/// A decoder that delivers intact pictures only: after a fault it waits for the next key frame.
pub(in crate::source) struct PictureDecoder {
    /// `None` after a fault, until the next key frame.
    decoder: Option<Decoder>,
    range: Range,
    /// Pictures are sent in another order than they are shown. OpenH264 then keeps some back; without this
    /// flag it is flushed after each one, or it would always keep one.
    reorders: bool,
    /// Times of the pictures that the decoder keeps back.
    waiting: BinaryHeap<Reverse<(i64, Instant)>>,
    /// The newest picture as YU12.
    pub bytes: Vec<u8>,
}

impl PictureDecoder {
    pub(crate) fn new() -> Self {
        Self {
            decoder: None,
            range: Range::Limited,
            reorders: false,
            waiting: BinaryHeap::new(),
            bytes: Vec::new(),
        }
    }

    /// Adopts a stream's parameters, before anything is decoded with them.
    ///
    /// # Errors
    /// Why the stream cannot be decoded.
    pub(crate) fn adopt(&mut self, parameters: &VideoParameters) -> Result<(), Fault> {
        let VideoParametersCodec::H264 { sps, .. } = parameters.codec_params() else { return Ok(()) };
        self.adopt_sps(parameters.coded_pixel_dimensions(), sps)
    }

    /// Same as [`PictureDecoder::adopt`] for the sequence parameter set `sps`, a NAL unit without start code, of
    /// pictures of `width` × `height` pixels.
    ///
    /// # Errors
    /// Why the stream cannot be decoded.
    pub(crate) fn adopt_sps(&mut self, (width, height): (u32, u32), sps: &[u8]) -> Result<(), Fault> {
        let blocks = width.div_ceil(16).saturating_mul(height.div_ceil(16));
        let advice =
            "at most 4096x2304 pixels: set the camera's stream to a smaller size, or use its sub-stream";
        if blocks == 0 || blocks > MOST_BLOCKS {
            return Err(Fault::new(format!("pictures of {width}x{height} pixels"), advice));
        }
        self.range = Range::Limited;
        // Some cameras append bytes to their parameters, which this parser refuses: then the usual values are
        // assumed.
        let Some(sps) =
            decode_nal(sps).ok().and_then(|bits| SeqParameterSet::from_bits(BitReader::new(&*bits)).ok())
        else {
            return Ok(());
        };
        if sps.max_num_ref_frames.saturating_mul(blocks) > MOST_REFERENCE_BLOCKS {
            let found = format!("{} reference pictures of {width}x{height} pixels", sps.max_num_ref_frames);
            return Err(Fault::new(found, "as many as level 5.2 of H.264 allows"));
        }
        if sps.frame_mbs_flags != FrameMbsFlags::Frames {
            return Err(Fault::new(
                "interlaced video",
                "progressive video: change it in the camera's settings",
            ));
        }
        let chroma = sps.chroma_info.chroma_format;
        if chroma != ChromaFormat::YUV420 || sps.chroma_info.bit_depth_luma_minus8 != 0 {
            let found = format!("{chroma:?} with {} bits", 8 + sps.chroma_info.bit_depth_luma_minus8);
            return Err(Fault::new(
                found,
                "H.264 of the Baseline, Main or High profile (YUV420 with 8 bits)",
            ));
        }
        if let Some(vui) = sps.vui_parameters {
            if vui.video_signal_type.is_some_and(|signal| signal.video_full_range_flag) {
                self.range = Range::Full;
            }
            self.reorders |=
                vui.bitstream_restrictions.is_some_and(|limits| limits.max_num_reorder_frames > 0);
        }
        Ok(())
    }

    /// Whether only a key frame can be decoded.
    pub(crate) fn is_waiting(&self) -> bool {
        self.decoder.is_none()
    }

    /// Resets the decoder: something was lost, and pictures that refer to it would be smeared.
    pub(crate) fn lose(&mut self) {
        self.decoder = None;
        self.waiting.clear();
    }

    /// Decodes the access unit `unit`, in Annex B form, of a key frame if [`PictureDecoder::is_waiting`];
    /// `stamp` is its camera timestamp in µs. The next picture to show, if there is one, is in `bytes`.
    ///
    /// # Errors
    /// Why it cannot be decoded; the next must be a key frame.
    pub(crate) fn decode(
        &mut self,
        unit: &[u8],
        stamp: i64,
        taken: Instant,
    ) -> Result<Option<DecodedPicture>, String> {
        if !self.reorders && first_slice(unit).is_some_and(is_bidirectional) {
            // OpenH264 must know this from a key frame on.
            self.reorders = true;
            self.lose();
            return Ok(None);
        }
        let outcome = self.try_decode(unit, stamp, taken);
        if outcome.is_err() {
            self.lose();
        }
        outcome
    }

    fn try_decode(
        &mut self,
        unit: &[u8],
        stamp: i64,
        taken: Instant,
    ) -> Result<Option<DecodedPicture>, String> {
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            empty => empty.insert(Decoder::new().map_err(|error| format!("no decoder: {error}"))?),
        };
        let flush = if self.reorders { Flush::NoFlush } else { Flush::Flush };
        let decoded = decoder.decode_with_options(unit, DecodeOptions::new().flush_after_decode(flush));
        let decoded =
            decoded.map_err(|error| format!("damaged H.264 (OpenH264: {:#x})", error.native_code()))?;
        if first_slice(unit).is_some() {
            self.waiting.push(Reverse((stamp, taken)));
        }
        let Some(picture) = decoded else {
            let most = if self.reorders { MOST_WAITING } else { 0 };
            return if self.waiting.len() > most {
                Err("an incomplete H.264 picture".to_owned())
            } else {
                Ok(None)
            };
        };
        let encoding = copy(&picture, self.range, &mut self.bytes)?;
        let Reverse((stamp, taken)) = self.waiting.pop().unwrap_or(Reverse((stamp, taken)));
        Ok(Some(DecodedPicture { encoding, stamp, taken }))
    }
}

/// Copies the planes out of the decoder's memory, which it reuses.
fn copy(picture: &DecodedYUV<'_>, range: Range, into: &mut Vec<u8>) -> Result<Encoding, String> {
    let (width, height) = picture.dimensions();
    let (y_stride, u_stride, v_stride) = picture.strides();
    let stride = width.next_multiple_of(2);
    into.clear();
    let planes = [
        (picture.y(), y_stride, width, stride, height),
        (picture.u(), u_stride, width.div_ceil(2), stride / 2, height.div_ceil(2)),
        (picture.v(), v_stride, width.div_ceil(2), stride / 2, height.div_ceil(2)),
    ];
    for (plane, stride, width, padded, height) in planes {
        for row in plane.chunks(stride.max(1)).take(height) {
            into.extend_from_slice(row.get(..width).unwrap_or_default());
            into.resize(into.len() + padded - width, 0);
        }
    }
    let size = u32::try_from(width).ok().zip(u32::try_from(height).ok());
    match size {
        Some((width, height)) if into.len() == stride * (height as usize + height.div_ceil(2) as usize) => {
            Ok(Encoding::Raw { width, height, stride, format: PixelFormat::Yu12(range) })
        }
        _ => Err(format!("an incomplete decoded picture of {width}x{height} pixels")),
    }
}

/// The first coded slice (nal_unit_type 1 to 5) of an access unit in Annex B form.
fn first_slice(unit: &[u8]) -> Option<&[u8]> {
    let at = unit
        .windows(4)
        .position(|bytes| matches!(bytes, [0, 0, 1, header] if (1..=5).contains(&(header & 0x1f))));
    unit.get(at? + 3..)
}

/// Whether `slice` may refer to pictures that are shown after it: slice_type 1 or 6 (H.264, table 7-6).
fn is_bidirectional(slice: &[u8]) -> bool {
    let mut bits = BitReader::new(slice.get(1..).unwrap_or_default());
    let kind = bits.read_ue("first_mb_in_slice").and_then(|_| bits.read_ue("slice_type"));
    kind.is_ok_and(|kind| kind % 5 == 1)
}

#[cfg(test)]
#[path = "decoder_tests.rs"]
mod tests;
