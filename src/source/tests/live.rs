//! `source::open`: every kind of file gives the frames that went into it, and no damage ends in anything but words.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, Frame, Rgb, RgbImage, Rgba, RgbaImage};
use tempfile::tempdir;

use crate::source::{
    CapturedFrame, ControlValue, Encoding, Live, Next, Picture, Raw, SourceOptions, Wish, open, pixel_format,
};

const CLIP: &str = "tests/data/clip";
/// Pixels of its frames, and how many there are.
const SIZE: (u32, u32) = (32, 24);
const FRAMES: usize = 4;

/// What a source gave.
#[derive(Default)]
struct Given {
    /// Pixels of each frame, as the network's side takes them.
    frames: Vec<Vec<u8>>,
    sizes: Vec<(u32, u32)>,
    times: Vec<Option<u128>>,
    broken: Vec<String>,
    /// How it ended, if not well.
    error: Option<String>,
}

/// Takes frames up to the end, at most `most`; frames that cannot be decoded count as broken.
fn take(source: &mut dyn Live, most: usize) -> Given {
    let (mut given, mut shot) = (Given::default(), CapturedFrame::empty());
    while given.frames.len() < most {
        match source.next(&mut shot) {
            Ok(Next::Frame) => {
                given.times.push(shot.media_time.map(|time| time.as_millis()));
                match shot.decode("it") {
                    Ok(frame) => {
                        given.sizes.push((frame.width, frame.height));
                        given.frames.push(frame.data.to_vec());
                    }
                    Err(error) => given.broken.push(error.to_string()),
                }
            }
            Ok(Next::Broken(why) | Next::Stalled(why)) => given.broken.push(why),
            Ok(Next::Nothing) => {}
            Ok(Next::End) => break,
            Err(error) => {
                given.error = Some(error.to_string());
                break;
            }
        }
    }
    given
}

fn all(path: &Path, options: &SourceOptions) -> Given {
    match open(path.to_str().unwrap(), options) {
        Ok(mut source) => take(source.as_mut(), usize::MAX),
        Err(error) => Given { error: Some(error.to_string()), ..Given::default() },
    }
}

fn clip(name: &str) -> PathBuf {
    Path::new(CLIP).join(name)
}

/// Frames of the clip without a container.
fn bare(name: &str) -> Vec<Vec<u8>> {
    let bytes = fs::read(clip(name)).unwrap();
    bytes.chunks(bytes.len() / FRAMES).map(<[u8]>::to_vec).collect()
}

fn raw(name: &str) -> SourceOptions {
    let raw = Raw { format: pixel_format(name).unwrap(), size: SIZE, stride: None };
    SourceOptions { raw: Some(raw), ..SourceOptions::default() }
}

/// A picture of one colour.
fn picture(path: &Path, size: (u32, u32), colour: [u8; 3]) {
    RgbImage::from_pixel(size.0, size.1, Rgb(colour)).save(path).unwrap();
}

#[test]
fn lossless_containers_give_the_pixels_that_went_in() {
    let plain = SourceOptions::default();
    for (name, options, pixels) in [
        ("clip.y4m", &plain, "clip.yuv"),
        ("clip.png", &plain, "clip.rgb"),
        ("clip.webp", &plain, "clip.rgb"),
        ("clip.rgb", &raw("rgb24"), "clip.rgb"),
        ("clip.yuv", &raw("i420"), "clip.yuv"),
    ] {
        let given = all(&clip(name), options);
        assert_eq!((given.error, given.broken), (None, Vec::new()), "{name}");
        assert_eq!(given.sizes, [SIZE; FRAMES], "{name}");
        // `image-webp` rounds down where it draws an opaque pixel over another.
        let most = u8::from(name == "clip.webp");
        let bytes = given.frames.concat().into_iter().zip(bare(pixels).concat());
        assert!(bytes.clone().all(|(a, b)| a.abs_diff(b) <= most), "{name}");
        assert_eq!(bytes.len(), fs::metadata(clip(pixels)).unwrap().len() as usize, "{name}");
        let times = [0, 80, 160, 240].map(|time| options.raw.is_none().then_some(time));
        assert_eq!(given.times, times, "{name}");
    }
}

#[test]
fn motion_jpeg_gives_the_same_pictures_in_every_container() {
    let stills: Vec<Vec<u8>> =
        (1..=FRAMES).map(|i| Picture::open(clip(&format!("frame_{i}.jpg"))).unwrap().data).collect();
    for (name, timed) in [("clip.mjpeg", false), ("clip.avi", true), ("frame_*.jpg", false)] {
        let given = all(&clip(name), &SourceOptions::default());
        assert_eq!((given.error, given.broken), (None, Vec::new()), "{name}");
        assert!(given.frames == stills, "{name}");
        let times = [0, 80, 160, 240].map(|time| timed.then_some(time));
        assert_eq!(given.times, times, "{name}");
    }
}

#[test]
fn an_animated_gif_gives_all_frames_with_their_delays() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.gif");
    let colours = [[255, 0, 0], [0, 255, 0], [0, 0, 255]];
    let mut encoder = GifEncoder::new(fs::File::create(&path).unwrap());
    encoder.set_repeat(Repeat::Infinite).unwrap();
    for (colour, delay) in colours.iter().zip([50, 0, 200]) {
        let [r, g, b] = *colour;
        let pixels = RgbaImage::from_pixel(5, 3, Rgba([r, g, b, 255]));
        encoder.encode_frame(Frame::from_parts(pixels, 0, 0, Delay::from_numer_denom_ms(delay, 1))).unwrap();
    }
    drop(encoder);
    let given = all(&path, &SourceOptions::default());
    assert_eq!((given.error, given.broken), (None, Vec::new()));
    assert!(given.frames.iter().zip(colours).all(|(frame, colour)| *frame == colour.repeat(15)));
    assert_eq!(given.sizes, [(5, 3); 3]);
    // No delay is shown as long as in browsers.
    assert_eq!(given.times, [Some(0), Some(50), Some(150)]);
}

#[test]
fn pictures_of_a_folder_come_sorted_in_their_sizes_and_broken_ones_are_told() {
    let folder = tempdir().unwrap();
    picture(&folder.path().join("c.png"), (7, 5), [3; 3]);
    picture(&folder.path().join("a.png"), (4, 4), [1; 3]);
    fs::write(folder.path().join("b.png"), b"no picture").unwrap();
    let given = all(folder.path(), &SourceOptions::default());
    assert_eq!(given.sizes, [(4, 4), (7, 5)]);
    assert_eq!(given.frames, [vec![1; 48], vec![3; 105]]);
    assert!(
        matches!(&given.broken[..], [why] if why.contains("b.png: found no picture")),
        "{:?}",
        given.broken
    );
    assert_eq!(given.error, None);
    let single = all(&folder.path().join("c.png"), &SourceOptions::default());
    assert_eq!(single.sizes, [(7, 5)]);
    let options = SourceOptions { repeat: true, ..SourceOptions::default() };
    let mut source = open(folder.path().to_str().unwrap(), &options).unwrap();
    assert!(source.waits());
    assert_eq!(take(source.as_mut(), 5).sizes, [(4, 4), (7, 5), (4, 4), (7, 5), (4, 4)]);
}

#[test]
fn a_followed_folder_gives_new_pictures_when_they_are_whole() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    picture(&at("1.png"), (4, 4), [1; 3]);
    let options = SourceOptions { follow: true, ..SourceOptions::default() };
    let mut source = open(folder.path().to_str().unwrap(), &options).unwrap();
    assert_eq!(take(source.as_mut(), 1).sizes, [(4, 4)]);

    // Written in two parts, with a later one beside it.
    let bytes = fs::read(clip("frame_1.jpg")).unwrap();
    fs::write(at("2.jpg"), &bytes[..bytes.len() / 2]).unwrap();
    picture(&at("3.png"), (6, 6), [3; 3]);
    let mut shot = CapturedFrame::empty();
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(500) {
        assert_eq!(source.next(&mut shot).unwrap(), Next::Nothing);
    }
    fs::write(at("2.jpg"), &bytes).unwrap();
    let given = take(source.as_mut(), 2);
    assert_eq!((given.sizes, given.broken.len()), (vec![SIZE, (6, 6)], 0));

    // One that stays broken is told once and does not hold up others; one that goes away is told as well.
    fs::write(at("4.png"), b"never whole").unwrap();
    picture(&at("5.png"), (7, 7), [3; 3]);
    let given = take(source.as_mut(), 1);
    assert_eq!(given.sizes, [(7, 7)]);
    assert!(matches!(&given.broken[..], [why] if why.contains("4.png")), "{:?}", given.broken);
    fs::write(at("6.png"), b"never whole").unwrap();
    thread::sleep(Duration::from_millis(150));
    assert_eq!(source.next(&mut shot).unwrap(), Next::Nothing);
    fs::remove_file(at("6.png")).unwrap();
    picture(&at("7.png"), (8, 8), [3; 3]);
    let given = take(source.as_mut(), 1);
    assert_eq!(given.sizes, [(8, 8)]);
    assert!(matches!(&given.broken[..], [why] if why.contains("6.png: removed")), "{:?}", given.broken);
    // What was broken becomes whole after all.
    picture(&at("4.png"), (9, 9), [3; 3]);
    assert_eq!(take(source.as_mut(), 1).sizes, [(9, 9)]);
    fs::remove_dir_all(folder.path()).unwrap();
    thread::sleep(Duration::from_millis(150));
    assert!(take(source.as_mut(), 1).error.is_some());
}

#[test]
fn at_its_own_rate_a_clip_takes_as_long_as_it_is() {
    let options = SourceOptions { real_time: true, ..SourceOptions::default() };
    let mut source = open(clip("clip.y4m").to_str().unwrap(), &options).unwrap();
    assert!(!source.waits());
    let begin = Instant::now();
    assert_eq!(take(source.as_mut(), usize::MAX).frames.len(), FRAMES);
    let passed = begin.elapsed();
    assert!((Duration::from_millis(240)..Duration::from_secs(2)).contains(&passed), "{passed:?}");
    let wish = Wish { fps: Some(100), ..Wish::default() };
    let given = all(&clip("clip.mjpeg"), &SourceOptions { wish, ..options });
    assert_eq!(given.times, [Some(0), Some(10), Some(20), Some(30)]);
}

#[test]
fn after_damage_in_the_middle_the_later_frames_come() {
    let folder = tempdir().unwrap();
    for name in ["clip.mjpeg", "clip.avi", "clip.y4m"] {
        let bytes = fs::read(clip(name)).unwrap();
        let whole = all(&clip(name), &SourceOptions::default()).frames;
        let path = folder.path().join(name);
        // A piece is missing: of Motion JPEG around the start of the third frame, since what is missing inside of one looks like others.
        let third = bytes.windows(2).enumerate().filter(|(_, pair)| pair == b"\xff\xd8").nth(2);
        let middle = third.map_or(bytes.len() / 2, |(at, _)| at) - 40;
        fs::write(&path, [&bytes[..middle], &bytes[middle + 100..]].concat()).unwrap();
        let given = all(&path, &SourceOptions::default());
        assert!(!given.broken.is_empty(), "{name}");
        assert_eq!(given.error, None, "{name}");
        assert_eq!(given.frames.first(), whole.first(), "{name}");
        assert!(given.frames.last() == whole.last(), "{name}: {:?}", given.broken);
        // The end is missing.
        let most = bytes.len() - if name == "clip.avi" { 200 } else { 20 };
        fs::write(&path, &bytes[..most]).unwrap();
        let given = all(&path, &SourceOptions::default());
        assert!(given.broken.iter().any(|why| why.contains("cut short")), "{name}: {:?}", given.broken);
        assert!(given.frames == whole[..FRAMES - 1], "{name}");
    }
}

#[test]
fn what_cannot_be_used_is_refused_with_what_can() {
    let folder = tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let plain = SourceOptions::default();
    let refused = |spec: &str, options: &SourceOptions, part: &str| {
        let error =
            open(spec, options).err().unwrap_or_else(|| panic!("{spec} is accepted, expected: {part}"));
        let line = error.to_string();
        assert_eq!(error.exit_code(), 2, "{line}");
        assert!(line.contains(part) && !line.contains('\n'), "no \"{part}\" in: {line}");
    };
    refused("absent.avi", &plain, "absent.avi: found nothing there, expected a camera (/dev/video0");
    refused("gopher://x", &plain, "found gopher://, expected a camera");
    refused("/dev/video77", &plain, "found no such device");
    refused("v4l2:///dev/video77", &plain, "/dev/video77: found no such device");
    refused("/dev/null", &plain, "a device that is not a camera");
    refused(&format!("{CLIP}/*.tiff"), &plain, "a pattern without matches");
    refused(&write("empty.avi", b""), &plain, "an empty file");
    refused(&write("text", b"just words and more"), &plain, "a file of unknown contents");
    refused(&write("a.mp4", b"\0\0\0\x18ftypisom........"), &plain, "found MP4 or QuickTime, expected");
    refused(&write("a.mp4", b"\0\0\0\x18ftypisom........"), &plain, "ffmpeg -i FILE -f yuv4mpegpipe -");
    refused(&write("a.y4m", b"YUV4MPEG2 W65536 H65536\nFRAME\n"), &plain, "65536x65536 pixels");
    refused(&write("b.y4m", b"YUV4MPEG2 W4 H4 C422p10\nFRAME\n"), &plain, "colour space 422p10");
    refused(folder.path().join("no/such").to_str().unwrap(), &plain, "nothing there");
    let follow = SourceOptions { follow: true, ..SourceOptions::default() };
    refused(clip("clip.avi").to_str().unwrap(), &follow, "the option follow, which does not apply to a file");
    let controls = vec![("gain".to_owned(), ControlValue::Number(1))];
    refused(
        CLIP,
        &SourceOptions { controls, ..SourceOptions::default() },
        "the option control, which does not apply to a folder",
    );
    refused(
        "-",
        &SourceOptions { repeat: true, ..SourceOptions::default() },
        "the option repeat, which does not apply to standard input",
    );
    // A GIF whose header says 65,535 × 65,535 pixels.
    let mut gif = Vec::new();
    GifEncoder::new(&mut gif).encode_frame(Frame::new(RgbaImage::new(2, 2))).unwrap();
    gif[6..10].fill(0xff);
    refused(&write("a.gif", &gif), &plain, "65535x65535 pixels");
    let end = all(Path::new(&write("none.y4m", b"YUV4MPEG2 W4 H4\n")), &plain);
    assert!(end.error.unwrap().contains("none.y4m: found nothing, expected frames"));
}

/// xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// `bytes` with some changed, removed, repeated or cut off.
fn mutated(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + random.below(6) {
        let at = random.below(bytes.len());
        let length = random.below(64).min(bytes.len() - at);
        match random.below(6) {
            0 => drop(bytes.drain(at..at + length)),
            1 => {
                let copy = bytes[at..at + length].to_vec();
                let to = random.below(bytes.len());
                drop(bytes.splice(to..to, copy));
            }
            2 => bytes[at..at + length].fill(0xff),
            // Headers are at the beginning.
            3 => {
                let at = random.below(bytes.len().min(256));
                bytes[at] = random.below(256) as u8;
            }
            4 if random.below(8) == 0 => bytes.truncate(at.max(1)),
            _ => bytes[at] = random.below(256) as u8,
        }
        if bytes.is_empty() {
            bytes.push(0);
        }
    }
    bytes
}

/// The clip as a GIF.
fn gif() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    for frame in bare("clip.rgb") {
        let picture = image::DynamicImage::from(RgbImage::from_raw(SIZE.0, SIZE.1, frame).unwrap());
        encoder.encode_frame(Frame::new(picture.into_rgba8())).unwrap();
    }
    drop(encoder);
    bytes
}

#[test]
fn two_thousand_mutations_of_each_kind_end_without_panic() {
    let folder = tempdir().unwrap();
    for (name, options) in [
        ("clip.y4m", SourceOptions::default()),
        ("clip.avi", SourceOptions::default()),
        ("clip.mjpeg", SourceOptions::default()),
        ("clip.png", SourceOptions::default()),
        ("clip.webp", SourceOptions::default()),
        ("clip.gif", SourceOptions::default()),
        ("clip.yuv", raw("nv12")),
    ] {
        let bytes = if name == "clip.gif" { gif() } else { fs::read(clip(name)).unwrap() };
        let mut random = Random(0x2545_f491_4f6c_dd1d);
        let (mut frames, mut faults) = (0, 0);
        for round in 0..2000 {
            // A file of its own: some systems write a file that is written anew to the disk at once.
            let path = folder.path().join(format!("{round}{name}"));
            fs::write(&path, mutated(&bytes, &mut random)).unwrap();
            let given = all(&path, &options);
            fs::remove_file(&path).unwrap();
            // A frame has bytes of its own in every container.
            assert!(given.frames.len() <= 4 * FRAMES + 8, "{name}: {} frames", given.frames.len());
            assert!(given.broken.len() < bytes.len(), "{name}");
            assert!(!given.frames.is_empty() || given.error.is_some() || !given.broken.is_empty(), "{name}");
            assert!(
                given.broken.iter().chain(&given.error).all(|why| !why.contains("decoder failed")),
                "{name}"
            );
            frames += given.frames.len();
            faults += usize::from(!given.broken.is_empty() || given.error.is_some());
        }
        assert!(frames > 1000, "{name}: only {frames} frames");
        assert!(faults > 100 || name == "clip.yuv", "{name}: only {faults} with faults");
    }
}

#[test]
fn the_encoding_of_motion_jpeg_is_left_to_the_taker() {
    let mut source = open(clip("clip.avi").to_str().unwrap(), &SourceOptions::default()).unwrap();
    let mut shot = CapturedFrame::empty();
    assert_eq!(source.next(&mut shot).unwrap(), Next::Frame);
    assert_eq!((shot.encoding, shot.number), (Encoding::Jpeg, 0));
}
