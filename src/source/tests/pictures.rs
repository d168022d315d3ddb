//! Path arguments and picture files: what is found, how it is decoded, and what is refused.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use tempfile::tempdir;

use crate::error::Result;
use crate::source::live::{CapturedFrame, Encoding};
use crate::source::{Picture, expand};

const FORMATS: [ImageFormat; 5] =
    [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif, ImageFormat::Bmp];

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// 40 × 30 pixels: left half red, right half blue, top left quarter white.
fn sample() -> DynamicImage {
    let colour = |x, y| match (x < 20, y < 15) {
        (true, true) => Rgb([255, 255, 255]),
        (true, false) => Rgb([255, 0, 0]),
        _ => Rgb([0, 0, 255]),
    };
    RgbImage::from_fn(40, 30, colour).into()
}

fn decode(bytes: &[u8]) -> Result<Picture> {
    Picture::decode("it".into(), bytes)
}

/// Asserts a one-line error of exit code 2 that holds `part`.
fn refused<T>(result: Result<T>, part: &str) {
    let error = result.err().unwrap_or_else(|| panic!("accepted, expected \"{part}\""));
    let line = error.to_string();
    assert_eq!(error.exit_code(), 2, "{line}");
    assert!(line.contains(part) && !line.contains('\n'), "no \"{part}\" in: {line}");
}

#[test]
fn every_format_decodes_to_the_same_pixels() {
    for format in FORMATS {
        let picture = decode(&encoded(&sample(), format)).unwrap();
        assert_eq!((picture.width, picture.height, picture.data.len()), (40, 30, 3600), "{format:?}");
        for (x, y, expected) in [(4, 4, [255; 3]), (4, 25, [255, 0, 0]), (35, 25, [0, 0, 255])] {
            let found = &picture.data[(y * 40 + x) * 3..][..3];
            let near = found.iter().zip(expected).all(|(&a, b): (&u8, u8)| a.abs_diff(b) <= 8);
            assert!(near, "{format:?} at {x},{y}: {found:?}");
        }
        assert_eq!(picture.frame().unwrap().stride, 120);
    }
}

#[test]
fn contents_decide_not_the_extension() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("picture.jpg");
    fs::write(&path, encoded(&sample(), ImageFormat::Png)).unwrap();
    assert_eq!(Picture::open(&path).unwrap().data, sample().into_rgb8().into_raw());
}

#[test]
fn grey_and_transparent_pictures_become_opaque_rgb() {
    let grey = image::GrayImage::from_pixel(2, 1, Luma([77]));
    assert_eq!(decode(&encoded(&grey.into(), ImageFormat::Png)).unwrap().data, [77; 6]);
    let pixels = [[10, 20, 30, 255], [10, 20, 30, 0], [0, 100, 255, 128]];
    let glass = RgbaImage::from_fn(3, 1, |x, _| Rgba(pixels[x as usize]));
    // Over white: 127/255 of it shines through the last pixel.
    let expected = [10, 20, 30, 255, 255, 255, 127, 177, 255];
    assert_eq!(decode(&encoded(&glass.into(), ImageFormat::Png)).unwrap().data, expected);
}

/// `jpeg` with an EXIF segment that says only `orientation`.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let tiff =
        [b"II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".as_slice(), &[orientation, 0, 0, 0, 0, 0, 0, 0]];
    let exif = [b"Exif\0\0".as_slice(), &tiff.concat()].concat();
    let length = (exif.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
}

#[test]
fn exif_orientation_turns_the_picture_upright() {
    let jpeg = encoded(&sample(), ImageFormat::Jpeg);
    // Where the white quarter's centre goes, and the size.
    for (orientation, size, white) in
        [(1, (40, 30), (10, 7)), (3, (40, 30), (30, 22)), (6, (30, 40), (22, 10)), (8, (30, 40), (7, 30))]
    {
        let picture = decode(&with_orientation(&jpeg, orientation)).unwrap();
        assert_eq!((picture.width, picture.height), size, "orientation {orientation}");
        let at = (white.1 * size.0 as usize + white.0) * 3;
        assert!(picture.data[at..at + 3].iter().all(|&v| v > 245), "orientation {orientation}");
    }
}

#[test]
fn the_first_frame_of_an_animation_counts() {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut bytes);
    for colour in [[255, 0, 0, 255], [0, 255, 0, 255]] {
        encoder.encode_frame(image::Frame::new(RgbaImage::from_pixel(2, 2, Rgba(colour)))).unwrap();
    }
    drop(encoder);
    assert_eq!(decode(&bytes).unwrap().data[..3], [255, 0, 0]);
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let noise = RgbImage::from_fn(64, 48, |x, y| {
        Rgb([((x * 37) ^ (y * 91)) as u8, (x * y) as u8, (x * 13 + y * 7) as u8])
    });
    for format in FORMATS {
        let whole = encoded(&noise.clone().into(), format);
        assert!(decode(&whole).is_ok());
        // GIF and BMP may carry a trailer that no pixel depends on.
        for length in (0..whole.len() - 16).step_by(whole.len() / 97 + 1) {
            if let Ok(picture) = decode(&whole[..length]) {
                panic!(
                    "{format:?} of {} bytes cut to {length}: {}x{}",
                    whole.len(),
                    picture.width,
                    picture.height
                );
            }
        }
    }
}

#[test]
fn a_png_file_needs_its_pixels_and_not_its_last_chunk() {
    let png = encoded(&sample(), ImageFormat::Png);
    let pixels = decode(&png).unwrap().data;
    for missing in [1, 4, 7, 12] {
        assert_eq!(decode(&png[..png.len() - missing]).unwrap().data, pixels, "{missing} bytes");
    }
    assert_eq!(decode(&[&png, b"trailing".as_slice()].concat()).unwrap().data, pixels);
    for missing in [13, 16, 17, 40] {
        refused(decode(&png[..png.len() - missing]), "a broken picture");
    }
    // Both chunks of its pixels must be there.
    let at = png.windows(4).position(|bytes| bytes == b"IDAT").unwrap() - 4;
    refused(decode(&[&png[..at], &png[png.len() - 12..]].concat()), "a broken picture");
}

#[test]
fn a_thumbnail_inside_does_not_make_a_cut_jpeg_whole() {
    let jpeg = encoded(&sample(), ImageFormat::Jpeg);
    let thumbnail = encoded(&DynamicImage::new_rgb8(8, 8), ImageFormat::Jpeg);
    let length = (thumbnail.len() as u16 + 2).to_be_bytes();
    let carrier = [&jpeg[..2], &[0xff, 0xe1], &length, &thumbnail, &jpeg[2..]].concat();
    assert!(decode(&carrier).is_ok());
    assert!(decode(&[&carrier, b"trailing".as_slice()].concat()).is_ok());
    refused(decode(&carrier[..carrier.len() - 40]), "cut short");
}

#[test]
fn damaged_files_never_panic() {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random as usize
    };
    for format in FORMATS {
        let whole = encoded(&sample(), format);
        for _ in 0..300 {
            let mut bytes = whole.clone();
            for _ in 0..1 + next() % 8 {
                let at = next() % bytes.len();
                bytes[at] = next() as u8;
            }
            if let Err(error) = decode(&bytes) {
                assert_eq!(error.exit_code(), 2, "{format:?}: {error}");
                assert!(!error.to_string().contains('\n'));
            }
        }
    }
}

#[test]
fn a_huge_picture_is_refused_by_its_header() {
    // A bitmap header of 20,000 × 20,000 pixels; decoding it would need 1.2 GB.
    let mut bmp = encoded(&sample(), ImageFormat::Bmp);
    bmp[18..22].copy_from_slice(&20_000u32.to_le_bytes());
    bmp[22..26].copy_from_slice(&20_000u32.to_le_bytes());
    refused(decode(&bmp), "found 20000x20000 pixels, expected 1 to 100000000 pixels");
}

#[test]
fn what_is_no_picture_is_refused() {
    let folder = tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    refused(Picture::open(write("empty.jpg", b"")), "empty.jpg: found an empty file, expected a JPEG");
    refused(Picture::open(write("text.png", b"just words\nand more")), "text.png: found no picture");
    refused(Picture::open(folder.path().join("absent.png")), "absent.png: found nothing there");
    refused(Picture::open(folder.path()), "found something other than a regular file");
    refused(decode(b"\xff\xd8\xff"), "cut short");
}

fn names(paths: Vec<Result<PathBuf>>) -> Vec<String> {
    let name = |path: Result<PathBuf>| match path {
        Ok(path) => path.file_name().unwrap().to_string_lossy().into_owned(),
        Err(error) => format!("error: {error}"),
    };
    paths.into_iter().map(name).collect()
}

#[test]
fn folders_and_patterns_expand_sorted() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["b.PNG", "a.jpeg", "c.webp", "notes.txt", "no_extension"] {
        fs::write(at(name), b"x").unwrap();
    }
    fs::create_dir_all(at("deeper.png")).unwrap();
    fs::write(at("deeper.png/d.png"), b"x").unwrap();
    assert_eq!(names(expand(&[folder.path().into()])), ["a.jpeg", "b.PNG", "c.webp"]);
    assert_eq!(names(expand(&[at("*.[wt]*")])), ["c.webp", "notes.txt"]);
    assert_eq!(names(expand(&[at("**/d.png")])), ["d.png"]);
    // A file stays, whatever its name, even where a pattern character is part of it.
    fs::write(at("odd[1].dat"), b"x").unwrap();
    assert_eq!(names(expand(&[at("odd[1].dat"), at("a.jpeg")])), ["odd[1].dat", "a.jpeg"]);
}

#[test]
fn arguments_without_pictures_are_named_and_the_others_go_on() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("empty")).unwrap();
    fs::write(at("a.png"), b"x").unwrap();
    let arguments = ["empty", "a.png", "absent.png", "*.gif", "a[.png"].map(at);
    let found = names(expand(&arguments));
    let parts = [
        "a folder without pictures",
        "a.png",
        "nothing there",
        "a pattern without matches",
        "a glob pattern",
    ];
    assert_eq!(found.len(), parts.len(), "{found:?}");
    for (i, part) in parts.iter().enumerate() {
        assert!(found[i].contains(part), "{}", found[i]);
        let bad = i != 1;
        assert_eq!(found[i].starts_with("error: "), bad, "{}", found[i]);
        assert!(!bad || found[i].contains(&*arguments[i].to_string_lossy()), "{} is not named", found[i]);
    }
    assert!(expand(&[]).is_empty());
    assert_eq!(expand(&[Path::new("").into()]).len(), 1);
}

/// The same in every path: all of them decode here.
#[test]
fn rows_that_a_header_claims_and_no_data_holds_are_left_out() {
    let file = std::fs::read("tests/data/cat.jpg").unwrap();
    let truth = Picture::decode("cat".to_owned(), &file).unwrap();
    let at = file.windows(2).position(|marker| marker == [0xff, 0xc0]).unwrap() + 5;
    let stating = |height: u16| {
        let mut file = file.clone();
        file[at..at + 2].copy_from_slice(&height.to_be_bytes());
        file
    };
    for height in [40_000, 65_500, 600, 0] {
        let picture = Picture::decode("cat".to_owned(), &stating(height)).unwrap();
        // To the end of the last units.
        assert_eq!(
            (picture.width, picture.height),
            (truth.width, truth.height.next_multiple_of(16)),
            "{height}"
        );
        let same = truth.data.len() - 16 * 3 * truth.width as usize;
        assert_eq!(picture.data[..same], truth.data[..same], "{height}");
        let mut frame = CapturedFrame::empty();
        frame.fill(&stating(height), Encoding::Jpeg, 0);
        assert_eq!(frame.decode("camera").unwrap().height, picture.height);
    }
    // Cut, with an end marker behind it: what is there.
    let cut = [&file[..file.len() / 2], &[0xff, 0xd9]].concat();
    let picture = Picture::decode("cat".to_owned(), &cut).unwrap();
    assert!(picture.height < truth.height && picture.height > 64, "{}", picture.height);
    let header = file.windows(2).position(|marker| marker == [0xff, 0xda]).unwrap() + 14;
    let empty = [&file[..header], &[0xff, 0xd9]].concat();
    let error = Picture::decode("cat".to_owned(), &empty).unwrap_err().to_string();
    assert!(error.starts_with("cat: found a picture cut short (a header for 300 rows"), "{error}");
}
