//! Opens a live source by its name.

use std::fs::{self, File};
use std::io::{Read, stdin};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use tracing::warn;

use super::apart::{self, Decoders};
use super::avi::Avi;
use super::container::Container;
use super::follow::Follow;
use super::input::Input;
use super::jpeg_frames::JpegFrames;
use super::kind::{self, FFMPEG, FFMPEG_EXEC, FFMPEG_PIPE, FileKind};
use super::live::Live;
use super::mjpeg::Mjpeg;
use super::picture_files::PictureFiles;
use super::raw::RawFrames;
use super::recording::{Opener, Pace, Recording};
use super::stdin::{Pipe, PipeContents, STDIN, STDIN_NAME};
use super::y4m::Y4m;
use super::{Camera, SourceOption, SourceOptions, exec, paths};
use crate::error::{Error, ErrorKind, Result, shown_address};

/// What a source can be, for error messages.
const SOURCES: &str = "a camera (/dev/video0, v4l2:///dev/video0), - for standard input, a picture, a folder or a pattern of pictures, \
    a GIF, APNG or WebP animation, Motion JPEG (.mjpeg, .avi), .y4m, raw pixels with a pixel format and a size, rtsp://…, http://…, https://…, or \
    exec: and a program with its arguments";
/// What to type for what this program cannot decrypt.
const RTSPS: &str = "a program that can: --source \"exec:ffmpeg -loglevel error -rtsp_transport tcp -i 'rtsps://…' -an \
    -f yuv4mpegpipe -\"";
/// What standard input can hold, for error messages.
const STREAMS: &str = "Motion JPEG, Y4M, AVI of Motion JPEG, or raw pixels with a pixel format and a size";

/// Extensions of files that hold one JPEG picture if they hold any.
const PICTURES: [&str; 14] =
    ["jpg", "jpeg", "jpe", "jfif", "mpo", "thm", "png", "webp", "gif", "bmp", "heic", "heif", "tif", "tiff"];

/// Sees to it that the options apply to the address `spec`, which is not opened. What else a source is shows when
/// it is opened.
///
/// # Errors
/// [`Error::Settings`] if the address is invalid or an option does not apply.
pub(crate) fn check(spec: &str, options: &SourceOptions) -> Result<()> {
    if exec::is_program(spec) {
        options.only(&shown(spec), "a program", &[SourceOption::PixelFormat, SourceOption::Stall])?;
        return exec::check(spec);
    }
    let Some((scheme, _)) = spec.split_once("://") else { return Ok(()) };
    let accepted: &[SourceOption] = match scheme.to_ascii_lowercase().as_str() {
        "v4l2" => return Ok(()),
        "rtsp" => &[SourceOption::Stall],
        "rtsps" => {
            return Err(Error::settings(shown(spec), "rtsps://, which edgeclip cannot decrypt", RTSPS));
        }
        "http" => &[SourceOption::FrameRate, SourceOption::Stall],
        "https" => &[SourceOption::FrameRate, SourceOption::Ca, SourceOption::Stall],
        scheme => return Err(Error::settings(shown(spec), format!("{scheme}://"), SOURCES)),
    };
    options.only(&shown(spec), "a network camera", accepted)
}

/// Opens what `spec` names: a device, `-`, a file, a folder, a pattern, an address or a program.
///
/// # Errors
/// [`Error::Input`] if it does not exist, cannot be read, or holds something else; [`Error::Settings`] if the
/// address is invalid or an option does not apply; [`Error::Device`] if a camera cannot be opened or reached.
pub(crate) fn open(spec: &str, options: &SourceOptions) -> Result<Box<dyn Live>> {
    check(spec, options)?;
    if exec::is_program(spec) {
        let source = exec::open(spec, options, |name, output, options| piped(name, output, options, false))?;
        return Ok(JpegFrames::of(source, Decoders::of(spec, options).of_frames()));
    }
    if spec.contains("://") && device(spec).is_none() {
        return apart::open(spec, options);
    }
    let decoders = Decoders::of(spec, options);
    let source = local(spec, options, &decoders)?;
    Ok(JpegFrames::of(source, decoders.of_frames()))
}

/// The path in `v4l2:///dev/video0`.
fn device(spec: &str) -> Option<&str> {
    let device = spec.split_at_checked(7).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("v4l2://"));
    device.map(|(_, path)| path)
}

/// A source on this machine.
fn local(spec: &str, options: &SourceOptions, decoders: &Decoders) -> Result<Box<dyn Live>> {
    if spec == STDIN {
        return standard_input(options);
    }
    let device = device(spec);
    let path = Path::new(device.unwrap_or(spec));
    let about = fs::metadata(path);
    let is_device = about.as_ref().is_ok_and(|about| about.file_type().is_char_device());
    if device.is_some() || is_device || path.starts_with("/dev") && about.is_err() {
        return camera(spec, path, options);
    }
    match about {
        Ok(about) if about.is_dir() => folder(spec, path, options, decoders),
        Ok(about) if about.is_file() => file(spec, path, options, decoders),
        Ok(about) if about.file_type().is_fifo() => {
            Err(Error::input(spec, "a named pipe", format!("`edgeclip run --source - < {spec}`")))
        }
        Ok(_) => Err(Error::input(spec, "something other than a file, folder or camera", SOURCES)),
        Err(_) if spec.contains(['*', '?', '[']) => pattern(spec, options, decoders),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Error::input(shown(spec), "nothing there", SOURCES))
        }
        Err(source) => Err(Error::io(ErrorKind::Input, shown(spec), source)),
    }
}

/// What results and messages call the source `spec`: of an address, scheme, host and path alone; of a command line, the
/// program and the first address.
pub(crate) fn shown(spec: &str) -> String {
    if let Some(name) = exec::shown(spec) {
        return name;
    }
    // `admin:1234@camera` is meant as an address, `cat@2x.jpg` is a file.
    let is_address = spec.contains("://") || spec.split_once('@').is_some_and(|(user, _)| user.contains(':'));
    if is_address && !Path::new(spec).exists() { shown_address(spec) } else { spec.to_owned() }
}

fn camera(spec: &str, path: &Path, options: &SourceOptions) -> Result<Box<dyn Live>> {
    let takes = [
        SourceOption::PixelFormat,
        SourceOption::Size,
        SourceOption::FrameRate,
        SourceOption::Control,
        SourceOption::RealTime,
        SourceOption::Stall,
    ];
    options.only(spec, "a camera", &takes)?;
    let camera = Camera::open(path, &options.wish, &options.controls, options.stall)?;
    let (mode, wish) = (camera.mode(), options.wish);
    let other = wish.size.is_some_and(|size| size != (mode.width, mode.height))
        || wish.fps.zip(mode.fps).is_some_and(|(wish, fps)| (wish as f32 - fps).abs() > 0.5);
    if other {
        warn!("{}: found {mode}, the nearest that the camera has", path.display());
    }
    Ok(Box::new(camera))
}

fn folder(spec: &str, path: &Path, options: &SourceOptions, decoders: &Decoders) -> Result<Box<dyn Live>> {
    let (folder, decoders) = (path.to_owned(), decoders.clone());
    if options.follow {
        options.only(spec, "a folder", &[SourceOption::Follow])?;
        let (suspects, outputs) = (options.suspects.clone(), options.outputs.clone());
        let open = move || {
            let follow = Follow::new(folder.clone(), suspects.clone(), outputs.clone());
            Ok(Box::new(follow.decode_with(decoders.of_files())) as Box<dyn Container>)
        };
        return recording(spec, options, Box::new(open));
    }
    options.only(
        spec,
        "a folder",
        &[SourceOption::Follow, SourceOption::FrameRate, SourceOption::Repeat, SourceOption::RealTime],
    )?;
    recording(spec, options, Box::new(move || pictures(&folder, &decoders)))
}

fn pattern(spec: &str, options: &SourceOptions, decoders: &Decoders) -> Result<Box<dyn Live>> {
    options.only(
        spec,
        "a pattern",
        &[SourceOption::FrameRate, SourceOption::Repeat, SourceOption::RealTime],
    )?;
    let (pattern, decoders) = (PathBuf::from(spec), decoders.clone());
    recording(spec, options, Box::new(move || pictures(&pattern, &decoders)))
}

/// The pictures that `argument` names, at least one.
fn pictures(argument: &Path, decoders: &Decoders) -> Result<Box<dyn Container>> {
    let mut paths = paths::expand(&[argument.to_owned()]);
    match paths.pop() {
        Some(Err(error)) if paths.is_empty() => Err(error),
        last => {
            paths.extend(last);
            Ok(Box::new(PictureFiles::new(paths).decode_with(decoders.of_files())))
        }
    }
}

fn file(spec: &str, path: &Path, options: &SourceOptions, decoders: &Decoders) -> Result<Box<dyn Live>> {
    options.only(
        spec,
        "a file",
        &[SourceOption::PixelFormat, SourceOption::FrameRate, SourceOption::Repeat, SourceOption::RealTime],
    )?;
    let (path, raw, decoders) = (path.to_owned(), options.clone(), decoders.clone());
    recording(spec, options, Box::new(move || contents(&path, &raw, &decoders)))
}

fn recording(spec: &str, options: &SourceOptions, open: Opener) -> Result<Box<dyn Live>> {
    let SourceOptions { wish, real_time, repeat, .. } = *options;
    let pace = Pace { fps: wish.fps, real_time, repeat };
    Ok(Box::new(Recording::new(spec, open, pace)?))
}

/// Opens a file by its contents; where these are ambiguous, by its extension.
fn contents(path: &Path, options: &SourceOptions, decoders: &Decoders) -> Result<Box<dyn Container>> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|source| Error::io(ErrorKind::Input, name.clone(), source))?;
    let mut input = Input::new(name.clone(), file);
    let kind = kind::of_input(&mut input)?;
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    let extension = extension.as_deref().unwrap_or_default();
    if options.raw.is_some() {
        return Ok(stream(input, kind, options)?.container);
    }
    match (kind, extension) {
        (FileKind::Gif | FileKind::Png | FileKind::WebP, _) => {
            let reopened =
                File::open(path).map_err(|source| Error::io(ErrorKind::Input, name.clone(), source))?;
            let animation = decoders.animation(name, reopened, kind)?;
            Ok(animation.unwrap_or_else(|| picture(path, decoders)))
        }
        // Named as a picture, whichever; Motion JPEG has names of its own, or none.
        (FileKind::Jpeg, extension) if PICTURES.contains(&extension) => Ok(picture(path, decoders)),
        (FileKind::Bmp | FileKind::ForeignPicture, _) => Ok(picture(path, decoders)),
        (FileKind::Unknown, "mjpg" | "mjpeg") => Ok(Box::new(Mjpeg::new(input))),
        (FileKind::Unknown, _) => {
            let found = if input.held().is_empty() { "an empty file" } else { "a file of unknown contents" };
            Err(Error::input(&input.name, found, SOURCES))
        }
        _ => Ok(stream(input, kind, options)?.container),
    }
}

fn picture(path: &Path, decoders: &Decoders) -> Box<dyn Container> {
    Box::new(PictureFiles::new(vec![Ok(path.to_owned())]).decode_with(decoders.of_files()))
}

/// A format that can be read as a stream.
fn stream(input: Input, kind: FileKind, options: &SourceOptions) -> Result<PipeContents> {
    if let Some(raw) = &options.raw {
        return Ok(PipeContents { container: Box::new(RawFrames::new(input, raw)?), waits: false });
    }
    let refused = |found: &str, expected: &str| Err(Error::input(&input.name, found, expected));
    match kind {
        FileKind::Y4m => Ok(PipeContents { container: Box::new(Y4m::new(input)?), waits: true }),
        FileKind::Avi => Ok(PipeContents { container: Box::new(Avi::new(input)?), waits: true }),
        // A camera's program may start in the middle of a frame.
        FileKind::Jpeg | FileKind::Unknown => {
            Ok(PipeContents { container: Box::new(Mjpeg::new(input)), waits: false })
        }
        FileKind::Foreign(found) => {
            let command = match input.name.as_str() {
                STDIN_NAME => FFMPEG_PIPE,
                name if exec::is_program(name) => FFMPEG_EXEC,
                _ => FFMPEG,
            };
            refused(found, &format!("{STREAMS}: {command}"))
        }
        FileKind::Gif | FileKind::Png | FileKind::WebP | FileKind::Bmp | FileKind::ForeignPicture => {
            refused("a picture", &format!("{STREAMS}; pictures are opened by their path"))
        }
    }
}

fn standard_input(options: &SourceOptions) -> Result<Box<dyn Live>> {
    options.only(
        STDIN,
        "standard input",
        &[SourceOption::PixelFormat, SourceOption::RealTime, SourceOption::Stall],
    )?;
    let name = STDIN_NAME;
    let io = |source| Error::io(ErrorKind::Input, name.to_owned(), source);
    // A duplicate of the descriptor: `Stdin` buffers, and does not tell what kind of file it is.
    let file = File::from(stdin().as_fd().try_clone_to_owned().map_err(io)?);
    let regular = file.metadata().map_err(io)?.is_file();
    Ok(Box::new(piped(name, file, options.clone(), regular)?))
}

/// A pipe that reads `reader` in its own thread; no frame of a `regular` file is dropped.
fn piped(
    name: impl Into<String>,
    reader: impl Read + Send + 'static,
    options: SourceOptions,
    regular: bool,
) -> Result<Pipe> {
    let name: String = name.into();
    Pipe::new(name.clone(), options.stall, move || {
        let mut input = Input::new(name, reader);
        let kind = kind::of_input(&mut input)?;
        let opened = stream(input, kind, &options)?;
        Ok(PipeContents { waits: (regular || opened.waits) && !options.real_time, ..opened })
    })
}

#[cfg(test)]
#[path = "open_tests.rs"]
mod tests;
