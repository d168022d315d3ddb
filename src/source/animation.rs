//! Animated GIF, PNG and WebP: every frame as it is shown, composed as the file says.

use std::io::{BufReader, Read, Seek};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, ImageDecoder, ImageError};

use super::container::{Container, Cutout, Piece};
use super::kind::FileKind;
use super::limits::{self, Limits};
use super::live::Encoding;
use super::picture::{Profile, opaque, profile};
use crate::error::{Error, ErrorKind, Result};
use crate::frame::PixelFormat;
use crate::system::start_thread;

/// Bytes per pixel of all that exists at a time: the picture that frames are drawn on, one frame, its copy, and
/// five that have been decoded.
const BYTES: u64 = 3 * 4 + 5 * 3;
/// Bytes at the start of a file that tell its colours.
const HEAD: u64 = 64 << 10;
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
    /// [`Error::Input`] if it cannot be read, its header is broken, or it is larger than 100 megapixels,
    /// or takes too much memory.
    pub(crate) fn open(
        name: String,
        file: impl Read + Seek + Send + 'static,
        kind: FileKind,
    ) -> Result<Option<Self>> {
        let mut file = BufReader::new(file);
        let limits = limits::current();
        let allowed = limits.of_image(limits.bytes);
        let broken = |error: ImageError| match error {
            ImageError::Limits(_) => {
                Error::input(&name, "an animation that takes too much memory to decode", limits.advice())
            }
            _ => Error::input(&name, format!("a broken animation ({error})"), "a GIF, PNG or WebP file"),
        };
        let io = |source| Error::io(ErrorKind::Input, name.clone(), source);
        let mut head = Vec::new();
        file.by_ref().take(HEAD).read_to_end(&mut head).map_err(io)?;
        file.rewind().map_err(io)?;
        let frames = match kind {
            FileKind::Gif => {
                let mut decoder = GifDecoder::new(file).map_err(broken)?;
                check(&name, &decoder, &limits)?;
                decoder.set_limits(allowed).map_err(broken)?;
                spawn(&name, decoder, None)?
            }
            FileKind::Png => {
                let mut decoder = PngDecoder::with_limits(file, allowed).map_err(broken)?;
                if !decoder.is_apng().map_err(broken)? {
                    return Ok(None);
                }
                check(&name, &decoder, &limits)?;
                let profile = profile(&mut decoder, kind, &head);
                spawn(&name, decoder.apng().map_err(broken)?, profile)?
            }
            FileKind::WebP => {
                let mut decoder = WebPDecoder::new(file).map_err(broken)?;
                if !decoder.has_animation() {
                    return Ok(None);
                }
                check(&name, &decoder, &limits)?;
                let profile = profile(&mut decoder, kind, &head);
                spawn(&name, decoder, profile)?
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

/// Refuses what would take too much memory before any is allocated for it.
fn check(name: &str, decoder: &impl ImageDecoder, limits: &Limits) -> Result<()> {
    let (width, height) = decoder.dimensions();
    limits.check_named(name, (width, height), BYTES * u64::from(width) * u64::from(height))
}

/// Decodes in a thread, which ends after the last frame or when the receiver is dropped.
fn spawn(
    name: &str,
    decoder: impl AnimationDecoder<'static> + Send + 'static,
    profile: Option<Profile>,
) -> Result<Receiver<Decoded>> {
    let (send, receive) = sync_channel(1);
    start_thread(name, move || {
        // The receiver is gone: nobody wants more frames.
        let _ = decode(decoder, profile.as_ref(), &send);
    })?;
    Ok(receive)
}

fn decode(
    decoder: impl AnimationDecoder<'static>,
    profile: Option<&Profile>,
    send: &SyncSender<Decoded>,
) -> std::result::Result<(), std::sync::mpsc::SendError<Decoded>> {
    for frame in decoder.into_frames() {
        match frame {
            Ok(frame) => {
                let delay = Duration::from(frame.delay());
                let delay = if delay.is_zero() { DELAY } else { delay };
                let Some(rgb) = opaque(frame.into_buffer(), profile) else { continue };
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
