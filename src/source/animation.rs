//! Animated GIF, PNG and WebP: every frame as it is shown, composed as the file says.

use std::io::{BufReader, Read, Seek};
use std::sync::mpsc::{Receiver, sync_channel};
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

/// The frames of an animation, in the thread that has opened it: `image`'s decoders are not `Send`.
pub(super) struct Frames {
    frames: image::Frames<'static>,
    profile: Option<Profile>,
    /// Presentation time of the next frame.
    time: Duration,
    ended: bool,
}

/// What comes next in an animation.
pub(super) enum Decoded {
    Frame { size: (u32, u32), rgb: Vec<u8>, time: Duration },
    Broken(String),
    End,
}

impl Frames {
    /// Opens the animation that `file` holds, called `name` in errors; `None` if it is a still picture.
    ///
    /// # Errors
    /// [`Error::Input`] if it cannot be read, its header is broken, or it is larger than 100 megapixels,
    /// or takes too much memory.
    pub(super) fn open(name: &str, file: impl Read + Seek + 'static, kind: FileKind) -> Result<Option<Self>> {
        let mut file = BufReader::new(file);
        let limits = limits::current();
        let allowed = limits.of_image(limits.bytes);
        let broken = |error: ImageError| match error {
            ImageError::Limits(_) => {
                Error::input(name, "an animation that takes too much memory to decode", limits.advice())
            }
            _ => Error::input(name, format!("a broken animation ({error})"), "a GIF, PNG or WebP file"),
        };
        let io = |source| Error::io(ErrorKind::Input, name, source);
        let mut head = Vec::new();
        file.by_ref().take(HEAD).read_to_end(&mut head).map_err(io)?;
        file.rewind().map_err(io)?;
        let (frames, profile) = match kind {
            FileKind::Gif => {
                let mut decoder = GifDecoder::new(file).map_err(broken)?;
                check(name, &decoder, &limits)?;
                decoder.set_limits(allowed).map_err(broken)?;
                (decoder.into_frames(), None)
            }
            FileKind::Png => {
                let mut decoder = PngDecoder::with_limits(file, allowed).map_err(broken)?;
                if !decoder.is_apng().map_err(broken)? {
                    return Ok(None);
                }
                check(name, &decoder, &limits)?;
                let profile = profile(&mut decoder, kind, &head);
                (decoder.apng().map_err(broken)?.into_frames(), profile)
            }
            FileKind::WebP => {
                let mut decoder = WebPDecoder::new(file).map_err(broken)?;
                if !decoder.has_animation() {
                    return Ok(None);
                }
                check(name, &decoder, &limits)?;
                let profile = profile(&mut decoder, kind, &head);
                (decoder.into_frames(), profile)
            }
            _ => return Ok(None),
        };
        Ok(Some(Self { frames, profile, time: Duration::ZERO, ended: false }))
    }

    /// Decodes the next frame.
    pub(super) fn advance(&mut self) -> Decoded {
        loop {
            match self.frames.next().filter(|_| !self.ended) {
                Some(Ok(frame)) => {
                    let delay = Duration::from(frame.delay());
                    let delay = if delay.is_zero() { DELAY } else { delay };
                    let Some(rgb) = opaque(frame.into_buffer(), self.profile.as_ref()) else { continue };
                    let time = self.time;
                    self.time = self.time.saturating_add(delay);
                    return Decoded::Frame { size: rgb.dimensions(), rgb: rgb.into_raw(), time };
                }
                Some(Err(error)) => {
                    // Later frames are drawn over this one, and some decoders repeat the error forever.
                    self.ended = true;
                    return Decoded::Broken(format!("a broken animation ({error}), which ends here"));
                }
                None => return Decoded::End,
            }
        }
    }
}

/// Refuses what would take too much memory before any is allocated for it.
fn check(name: &str, decoder: &impl ImageDecoder, limits: &Limits) -> Result<()> {
    let (width, height) = decoder.dimensions();
    limits.check_named(name, (width, height), BYTES * u64::from(width) * u64::from(height))
}

/// Frames of an animation, which a thread decodes, one ahead.
pub(super) struct Animation {
    frames: Receiver<Decoded>,
    rgb: Vec<u8>,
    ended: bool,
}

impl Animation {
    /// Same as [`Frames::open`].
    ///
    /// # Errors
    /// Same as those of [`Frames::open`]; [`Error::Device`] if the system has no thread left.
    pub(crate) fn open(
        name: String,
        file: impl Read + Seek + Send + 'static,
        kind: FileKind,
    ) -> Result<Option<Self>> {
        let (send, frames) = sync_channel(1);
        let (tell, told) = sync_channel(1);
        start_thread(&name.clone(), move || {
            let opened = match Frames::open(&name, file, kind) {
                Ok(opened) => opened,
                Err(error) => return drop(tell.send(Err(error))),
            };
            // Whoever wanted it may be gone, as may be whoever wanted more frames.
            let _ = tell.send(Ok(opened.is_some()));
            let Some(mut opened) = opened else { return };
            loop {
                let decoded = opened.advance();
                let over = matches!(decoded, Decoded::End);
                if send.send(decoded).is_err() || over {
                    break;
                }
            }
        })?;
        let moves = told.recv().unwrap_or_else(|_| Err(Error::bug("the decoder failed")))?;
        Ok(moves.then_some(Self { frames, rgb: Vec::new(), ended: false }))
    }
}

impl Container for Animation {
    fn next(&mut self) -> Result<Piece<'_>> {
        if self.ended {
            return Ok(Piece::End);
        }
        match self.frames.recv() {
            Ok(Decoded::Frame { size, rgb, time }) => {
                self.rgb = rgb;
                Ok(Piece::Frame(Cutout { bytes: &self.rgb, encoding: layout(size), time: Some(time) }))
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

/// How the pixels of a frame lie.
pub(super) fn layout((width, height): (u32, u32)) -> Encoding {
    Encoding::Raw { width, height, stride: width as usize * 3, format: PixelFormat::Rgb8 }
}
