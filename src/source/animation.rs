//! Animated GIF, PNG and WebP: every frame as it is shown, composed as the file says.

use std::io::{BufReader, Read, Seek};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, DynamicImage, ImageDecoder, ImageError, Limits};

use super::container::{Container, Cutout, Piece};
use super::kind::FileKind;
use super::live::Encoding;
use super::picture::{MAX_PIXELS, opaque};
use crate::error::{Error, Result};
use crate::frame::PixelFormat;
use crate::system::start_thread;

/// How long a frame without a delay is shown; same as in browsers.
const DELAY: Duration = Duration::from_millis(100);

/// Frames of an animation. A thread decodes one frame ahead, since `image`'s decoders are not `Send`.
pub(super) struct Animation {
    frames: Receiver<Decoded>,
    /// Presentation time of the next frame.
    time: Duration,
    rgb: Vec<u8>,
    ended: bool,
}

/// What the thread sends.
enum Decoded {
    Frame { size: (u32, u32), rgb: Vec<u8>, delay: Duration },
    Broken(String),
    End,
}

impl Animation {
    /// Opens the animation that `file` holds, called `name` in errors; `None` if it is a still picture.
    ///
    /// # Errors
    /// [`Error::Input`] if it cannot be read, its header is broken, or it is larger than 100 megapixels.
    pub(crate) fn open(
        name: String,
        file: impl Read + Seek + Send + 'static,
        kind: FileKind,
    ) -> Result<Option<Self>> {
        let file = BufReader::new(file);
        let broken = |error: ImageError| {
            Error::input(&name, format!("a broken animation ({error})"), "a GIF, PNG or WebP file")
        };
        let frames = match kind {
            FileKind::Gif => {
                let mut decoder = GifDecoder::new(file).map_err(broken)?;
                check(&name, &decoder)?;
                decoder.set_limits(Limits::default()).map_err(broken)?;
                spawn(&name, decoder)?
            }
            FileKind::Png => {
                let decoder = PngDecoder::with_limits(file, Limits::default()).map_err(broken)?;
                check(&name, &decoder)?;
                if !decoder.is_apng().map_err(broken)? {
                    return Ok(None);
                }
                spawn(&name, decoder.apng().map_err(broken)?)?
            }
            FileKind::WebP => {
                let decoder = WebPDecoder::new(file).map_err(broken)?;
                check(&name, &decoder)?;
                if !decoder.has_animation() {
                    return Ok(None);
                }
                spawn(&name, decoder)?
            }
            _ => return Ok(None),
        };
        Ok(Some(Self { frames, time: Duration::ZERO, rgb: Vec::new(), ended: false }))
    }
}

impl Container for Animation {
    fn next(&mut self) -> Result<Piece<'_>> {
        if self.ended {
            return Ok(Piece::End);
        }
        match self.frames.recv() {
            Ok(Decoded::Frame { size: (width, height), rgb, delay }) => {
                let time = Some(self.time);
                self.time = self.time.saturating_add(delay);
                self.rgb = rgb;
                let encoding =
                    Encoding::Raw { width, height, stride: width as usize * 3, format: PixelFormat::Rgb8 };
                Ok(Piece::Frame(Cutout { bytes: &self.rgb, encoding, time }))
            }
            Ok(Decoded::Broken(why)) => Ok(Piece::Broken(why)),
            Ok(Decoded::End) => {
                self.ended = true;
                Ok(Piece::End)
            }
            Err(_) => {
                self.ended = true;
                Ok(Piece::Broken("the decoder failed".to_owned()))
            }
        }
    }
}

/// Refuses pictures that are too large before any memory is allocated for them.
fn check(name: &str, decoder: &impl ImageDecoder) -> Result<()> {
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if (1..=MAX_PIXELS).contains(&pixels) {
        return Ok(());
    }
    Err(Error::input(name, format!("{width}x{height} pixels"), format!("1 to {MAX_PIXELS} pixels")))
}

/// Decodes in a thread, which ends after the last frame or when the receiver is dropped.
fn spawn(name: &str, decoder: impl AnimationDecoder<'static> + Send + 'static) -> Result<Receiver<Decoded>> {
    let (send, receive) = sync_channel(1);
    start_thread(name, move || {
        // The receiver is gone: nobody wants more frames.
        let _ = decode(decoder, &send);
    })?;
    Ok(receive)
}

fn decode(
    decoder: impl AnimationDecoder<'static>,
    send: &SyncSender<Decoded>,
) -> std::result::Result<(), std::sync::mpsc::SendError<Decoded>> {
    for frame in decoder.into_frames() {
        match frame {
            Ok(frame) => {
                let delay = Duration::from(frame.delay());
                let delay = if delay.is_zero() { DELAY } else { delay };
                let rgb = opaque(DynamicImage::ImageRgba8(frame.into_buffer()));
                send.send(Decoded::Frame { size: rgb.dimensions(), rgb: rgb.into_raw(), delay })?;
            }
            Err(error) => {
                // Later frames are drawn over this one, and some decoders repeat the error forever.
                send.send(Decoded::Broken(format!("a broken animation ({error}), which ends here")))?;
                break;
            }
        }
    }
    send.send(Decoded::End)
}
