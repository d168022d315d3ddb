//! H.264 access units into pictures.

use h264_reader::nal::sps::{ChromaFormat, FrameMbsFlags, SeqParameterSet};
use h264_reader::rbsp::{BitReader, decode_nal};
use openh264::decoder::{DecodedYUV, Decoder};
use openh264::formats::YUVSource;
use retina::codec::{VideoParameters, VideoParametersCodec};

use super::super::live::Encoding;
use super::super::network::Fault;
use crate::frame::{PixelFormat, Range};

/// Most macroblocks of 16 × 16 pixels in a picture: level 5.2 of H.264 (table A-1), 4096 × 2304 pixels.
const MOST_BLOCKS: u32 = 36_864;
/// Most macroblocks in the pictures that others refer to, likewise; 71 MB.
const MOST_REFERENCE_BLOCKS: u32 = 184_320;

/// A decoder that hands over whole pictures only: after a fault it waits for the next key frame.
pub(super) struct Pictures {
    /// `None` after a fault, until the next key frame.
    decoder: Option<Decoder>,
    range: Range,
    /// The newest picture as YU12.
    pub bytes: Vec<u8>,
}

impl Pictures {
    pub fn new() -> Self {
        Self { decoder: None, range: Range::Limited, bytes: Vec::new() }
    }

    /// Takes note of a stream's parameters, before anything is decoded by them.
    ///
    /// # Errors
    /// What makes it a stream that cannot be decoded.
    pub fn adopt(&mut self, parameters: &VideoParameters) -> Result<(), Fault> {
        let (width, height) = parameters.coded_pixel_dimensions();
        let blocks = width.div_ceil(16).saturating_mul(height.div_ceil(16));
        let advice = "at most 4096x2304 pixels: set the camera's stream to a smaller size, or use its sub-stream";
        if blocks == 0 || blocks > MOST_BLOCKS {
            return Err(Fault::new(format!("pictures of {width}x{height} pixels"), advice));
        }
        self.range = Range::Limited;
        // Some cameras append bytes to their parameters, which this reader does not take: then the usual is assumed.
        let VideoParametersCodec::H264 { sps, .. } = parameters.codec_params() else { return Ok(()) };
        let Some(sps) = decode_nal(sps).ok().and_then(|bits| SeqParameterSet::from_bits(BitReader::new(&*bits)).ok())
        else {
            return Ok(());
        };
        if sps.max_num_ref_frames.saturating_mul(blocks) > MOST_REFERENCE_BLOCKS {
            let found = format!("{} reference pictures of {width}x{height} pixels", sps.max_num_ref_frames);
            return Err(Fault::new(found, "as many as level 5.2 of H.264 allows"));
        }
        if sps.frame_mbs_flags != FrameMbsFlags::Frames {
            return Err(Fault::new("interlaced video", "progressive video: change it in the camera's settings"));
        }
        let chroma = sps.chroma_info.chroma_format;
        if chroma != ChromaFormat::YUV420 || sps.chroma_info.bit_depth_luma_minus8 != 0 {
            let found = format!("{chroma:?} with {} bits", 8 + sps.chroma_info.bit_depth_luma_minus8);
            return Err(Fault::new(found, "H.264 of the Baseline, Main or High profile (YUV420 with 8 bits)"));
        }
        let signal = sps.vui_parameters.and_then(|vui| vui.video_signal_type);
        if signal.is_some_and(|signal| signal.video_full_range_flag) {
            self.range = Range::Full;
        }
        Ok(())
    }

    /// Whether only a key frame can be decoded.
    pub fn is_waiting(&self) -> bool {
        self.decoder.is_none()
    }

    /// Forgets all: something was lost, and what refers to it would be smeared.
    pub fn lose(&mut self) {
        self.decoder = None;
    }

    /// Decodes the access unit `unit`, in Annex B form, of a key frame if [`Pictures::is_waiting`]. The picture, if it holds
    /// one, is in `bytes`.
    ///
    /// # Errors
    /// Why it cannot be decoded; the next must be a key frame.
    pub fn decode(&mut self, unit: &[u8]) -> Result<Option<Encoding>, String> {
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            empty => empty.insert(Decoder::new().map_err(|error| format!("no decoder: {error}"))?),
        };
        let outcome = match decoder.decode(unit) {
            Ok(Some(picture)) => copy(&picture, self.range, &mut self.bytes).map(Some),
            Ok(None) if has_slices(unit) => Err("H.264 that is no whole picture".to_owned()),
            Ok(None) => return Ok(None),
            Err(error) => Err(format!("damaged H.264 (OpenH264: {:#x})", error.native_code())),
        };
        if outcome.is_err() {
            self.lose();
        }
        outcome
    }
}

/// Copies the planes behind one another; the decoder uses its memory again.
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
        _ => Err(format!("a decoded picture of {width}x{height} pixels that is not whole")),
    }
}

/// Whether an access unit in Annex B form holds a coded picture (nal_unit_type 1 to 5).
fn has_slices(unit: &[u8]) -> bool {
    unit.windows(4).any(|bytes| matches!(bytes, [0, 0, 1, header] if (1..=5).contains(&(header & 0x1f))))
}
