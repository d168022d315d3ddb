//! Foreign bytes through the parsers of this room, for [`crate::fuzzing`], and what must hold of their frames whatever the bytes.

use std::io::Cursor;

use super::animation::Animation;
use super::avi::Avi;
use super::container::{Container, Piece};
use super::input::Input;
use super::jpeg::LONGEST;
use super::kind;
use super::limits::MAX_PIXELS;
use super::live::{CapturedFrame, Encoding};
use super::mjpeg::Mjpeg;
use super::picture::Picture;
use super::y4m::Y4m;
use crate::error::{ErrorKind, Result};
use crate::frame::Frame;

/// Most frames of one animation, whose bytes may stand for any number.
const MOST_ANIMATED: usize = 32;
/// Most frames of one input that are decoded.
const MOST_DECODED: usize = 4;

fn input(data: &[u8]) -> Input {
    Input::new("input", Cursor::new(data.to_vec()))
}

/// Motion JPEG in AVI.
pub(crate) fn avi(data: &[u8]) -> Result<()> {
    cut(&mut Avi::new(input(data))?, data.len())
}

/// YUV4MPEG2.
pub(crate) fn y4m(data: &[u8]) -> Result<()> {
    cut(&mut Y4m::new(input(data))?, data.len())
}

/// JPEG files one after the other.
pub(crate) fn mjpeg(data: &[u8]) -> Result<()> {
    cut(&mut Mjpeg::new(input(data)), data.len())
}

/// GIF, APNG and WebP, frame by frame.
pub(crate) fn animation(data: &[u8]) -> Result<()> {
    let Some(mut animation) =
        Animation::open("input".to_owned(), Cursor::new(data.to_vec()), kind::of(data))?
    else {
        return Ok(());
    };
    for _ in 0..MOST_ANIMATED {
        match animation.next()? {
            Piece::Frame(frame) => holds(frame.bytes, frame.encoding),
            Piece::Broken(why) => assert_ne!(why, "the decoder failed", "its thread panicked"),
            Piece::Nothing | Piece::End => break,
        }
    }
    Ok(())
}

/// A picture file.
pub(crate) fn picture(data: &[u8]) -> Result<()> {
    let picture = Picture::decode("input".to_owned(), data)?;
    let pixels = u64::from(picture.width) * u64::from(picture.height);
    assert!((1..=MAX_PIXELS).contains(&pixels), "{pixels} pixels");
    assert_eq!(picture.data.len() as u64, 3 * pixels);
    Ok(())
}

/// A response of an HTTP camera: its content type in the first line, its body behind it.
#[cfg(feature = "http")]
pub(crate) fn multipart(data: &[u8]) -> Result<()> {
    use std::time::Duration;

    use super::http::multipart::{Part, Parts, boundary};
    use crate::error::Error;

    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (content_type, body) = data.split_at(end);
    let boundary = boundary(&String::from_utf8_lossy(content_type));
    let mut parts = Parts::new(body, &boundary);
    let (mut shot, mut taken, mut number) = (CapturedFrame::empty(), 0, 0);
    loop {
        let part = parts.next(Duration::MAX);
        number += 1;
        assert!(number <= body.len() + 1, "more parts than bytes");
        match part.map_err(|source| Error::io(ErrorKind::Input, "input".to_owned(), source))? {
            Part::Picture(bytes) => {
                taken += bytes.len();
                // An end marker may have been put behind each.
                assert!(taken <= body.len() + 2 * number, "pictures of more bytes than there are");
                decode(&mut shot, &bytes, Encoding::Jpeg, number);
            }
            Part::Broken(_) | Part::Nothing => {}
            Part::End => return Ok(()),
        }
    }
}

/// All that an HTTP camera sends on a connection.
#[cfg(feature = "http")]
pub(crate) fn http(data: &[u8]) -> Result<()> {
    let (mut shot, mut number) = (CapturedFrame::empty(), 0);
    super::http::fuzzing::response(data, |bytes| {
        number += 1;
        shot.fill(bytes, Encoding::Jpeg, number as u64);
        if number <= MOST_DECODED
            && let Err(error) = shot.decode("input")
        {
            assert_eq!(error.kind(), ErrorKind::Input, "{error}");
        }
    })
}

/// All that an RTSP camera sends on a connection.
#[cfg(feature = "rtsp")]
pub(crate) fn rtsp(data: &[u8]) -> Result<()> {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
    use std::time::Duration;

    use super::live::Next;
    use super::network::Patience;
    use crate::error::Error;

    /// Most readings of one connection.
    const MOST: usize = 1000;
    let patience = Patience {
        connect: Duration::from_secs(5),
        stall: Duration::from_secs(5),
        first_pause: Duration::from_secs(60),
        longest_pause: Duration::from_secs(60),
    };
    let failed = |error| Error::io(ErrorKind::Input, "input", error);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let Ok((mut stream, _)) = listener.accept() else { return };
            // Whoever connects again is refused.
            drop(listener);
            if stream.write_all(data).is_ok() && stream.shutdown(Shutdown::Write).is_ok() {
                let _ = stream.read_to_end(&mut Vec::new());
            }
        });
        let opened = super::rtsp::open(&format!("rtsp://{address}/"), patience);
        // The other thread waits for a connection.
        let _ = TcpStream::connect(address);
        let mut camera =
            opened.map_err(|error| Error::input("input", error.to_string(), "a camera with H.264"))?;
        let mut shot = CapturedFrame::empty();
        for _ in 0..MOST {
            match camera.next(&mut shot)? {
                Next::Frame => holds(&shot.bytes, shot.encoding),
                Next::Broken(why) => assert!(!why.is_empty()),
                Next::Stalled(_) | Next::End => break,
                Next::Nothing => {}
            }
        }
        Ok(())
    })
}

/// H.264 as a camera sends it, with start codes: parameters are adopted, access units decoded.
#[cfg(feature = "rtsp")]
pub(crate) fn h264(data: &[u8]) -> Result<()> {
    use h264_reader::nal::sps::SeqParameterSet;
    use h264_reader::rbsp::{BitReader, decode_nal};

    use super::rtsp::decoder::PictureDecoder;
    use crate::error::Error;

    const START: [u8; 3] = [0, 0, 1];
    const PARAMETERS: u8 = 7;
    const DELIMITER: u8 = 9;
    let kind = |at: usize| data.get(at + START.len()).map_or(0, |header| header & 0x1f);
    let starts: Vec<usize> =
        data.windows(3).enumerate().filter(|(_, bytes)| *bytes == START).map(|(at, _)| at).collect();
    let mut pictures = PictureDecoder::new();
    let mut unit = 0;
    let mut decoded = 0;
    for (index, &at) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(data.len());
        if kind(at) == PARAMETERS {
            let sps = data.get(at + START.len()..end).unwrap_or_default();
            let size = decode_nal(sps).ok().and_then(|bits| {
                SeqParameterSet::from_bits(BitReader::new(&*bits)).ok()?.pixel_dimensions().ok()
            });
            // `retina` refuses parameters without a size.
            let Some(size) = size else {
                return Err(Error::input("input", "parameters without a size", "those of H.264"));
            };
            if let Err(fault) = pictures.adopt_sps(size, sps) {
                return Err(Error::input("input", fault.found, fault.expected));
            }
        }
        let last = index + 1 == starts.len();
        if last || kind(end) == DELIMITER {
            let bytes = data.get(unit..end).unwrap_or_default();
            unit = end;
            if let Ok(Some(shown)) = pictures.decode(bytes, decoded, std::time::Instant::now()) {
                holds(&pictures.bytes, shown.encoding);
            }
            decoded += 1;
        }
    }
    Ok(())
}

/// Takes all pieces of a file of `length` bytes.
fn cut(container: &mut impl Container, length: usize) -> Result<()> {
    let (mut shot, mut taken) = (CapturedFrame::empty(), 0);
    for number in 0.. {
        // Every piece takes at least one byte.
        assert!(number <= length, "more pieces than bytes");
        match container.next()? {
            Piece::Frame(frame) => {
                if frame.encoding == Encoding::Jpeg {
                    taken += frame.bytes.len();
                    // An end marker may have been put behind each.
                    assert!(taken <= length + 2 * (number + 1), "frames of more bytes than there are");
                }
                decode(&mut shot, frame.bytes, frame.encoding, number);
            }
            Piece::Broken(why) => assert!(!why.is_empty()),
            Piece::Nothing => assert!(number < length, "a file has something or has ended"),
            Piece::End => break,
        }
    }
    Ok(())
}

/// Decodes what `run` would, of the first frames: it is a picture or an error of the input.
fn decode(shot: &mut CapturedFrame, bytes: &[u8], encoding: Encoding, number: usize) {
    holds(bytes, encoding);
    if number <= MOST_DECODED {
        shot.fill(bytes, encoding, number as u64);
        if let Err(error) = shot.decode("input") {
            assert_eq!(error.kind(), ErrorKind::Input, "{error}");
        }
    }
}

/// A frame is laid out as it says, and of a size that memory was meant for.
fn holds(bytes: &[u8], encoding: Encoding) {
    match encoding {
        Encoding::Jpeg => {
            assert!(bytes.starts_with(&[0xff, 0xd8]), "no start of an image");
            assert!(bytes.len() <= LONGEST, "{} bytes", bytes.len());
        }
        Encoding::Raw { width, height, stride, format } => {
            assert!(u64::from(width) * u64::from(height) <= MAX_PIXELS, "{width}x{height}");
            let frame = Frame::new(bytes, width, height, stride, format);
            assert!(frame.is_ok(), "{width}x{height}, stride {stride}, {format:?}: {} bytes", bytes.len());
        }
    }
}
