use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::*;
use crate::source::Picture;

/// Red, green and blue of profiles in X, Y, Z at D50.
const ADOBE: [[f32; 3]; 3] =
    [[0.609_74, 0.311_11, 0.019_47], [0.205_28, 0.625_67, 0.060_87], [0.149_19, 0.063_22, 0.744_57]];
const P3: [[f32; 3]; 3] =
    [[0.515_12, 0.241_2, -0.001_05], [0.291_98, 0.692_25, 0.041_89], [0.157_10, 0.066_57, 0.784_07]];
const SRGB: [[f32; 3]; 3] =
    [[0.436_07, 0.222_49, 0.013_92], [0.385_15, 0.716_87, 0.097_08], [0.143_07, 0.060_61, 0.714_1]];

fn fixed(value: f32) -> [u8; 4] {
    ((value * 65_536.0).round() as i32).to_be_bytes()
}

fn gamma(value: f32) -> Vec<u8> {
    [b"curv\0\0\0\0\0\0\0\x01", &((value * 256.0).round() as u16).to_be_bytes()[..], &[0, 0]].concat()
}

/// sRGB's curve with its parameters.
fn parametric() -> Vec<u8> {
    let values = [2.4, 1.0 / 1.055, 0.055 / 1.055, 1.0 / 12.92, 0.040_45];
    [b"para\0\0\0\0\0\x03\0\0".to_vec(), values.map(fixed).concat()].concat()
}

/// A profile with these tags.
fn icc(space: &[u8; 4], tags: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut head = vec![0; 128];
    head[16..20].copy_from_slice(space);
    head[36..40].copy_from_slice(b"acsp");
    let (mut table, mut data) = ((tags.len() as u32).to_be_bytes().to_vec(), Vec::new());
    for (name, contents) in tags {
        let start = (128 + 4 + 12 * tags.len() + data.len()) as u32;
        table.extend([&name[..], &start.to_be_bytes(), &(contents.len() as u32).to_be_bytes()].concat());
        data.extend_from_slice(contents);
    }
    [head, table, data].concat()
}

fn rgb_profile(primaries: [[f32; 3]; 3], curve: &[u8]) -> Vec<u8> {
    let xyz = |value: [f32; 3]| [b"XYZ \0\0\0\0".to_vec(), value.map(fixed).concat()].concat();
    let [r, g, b] = primaries.map(xyz);
    let curve = || curve.to_vec();
    icc(
        b"RGB ",
        &[
            (b"rXYZ", r),
            (b"gXYZ", g),
            (b"bXYZ", b),
            (b"rTRC", curve()),
            (b"gTRC", curve()),
            (b"bTRC", curve()),
        ],
    )
}

fn converted(profile: &[u8], colour: [u8; 3]) -> Option<[u8; 3]> {
    Profile::of(icc::light(profile)?).map(|profile| profile.convert(colour))
}

/// Values by the definitions of both spaces.
#[test]
fn known_profiles_give_known_colours() {
    let adobe = rgb_profile(ADOBE, &gamma(2.199_218_8));
    for (colour, expected) in [
        ([100, 150, 200], [66, 151, 203]),
        ([200, 100, 50], [227, 100, 42]),
        ([128, 128, 128], [128; 3]),
        ([0; 3], [0; 3]),
        ([255; 3], [255; 3]),
    ] {
        let found = converted(&adobe, colour).unwrap();
        assert!(found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 2), "{colour:?}: {found:?}");
    }
    let p3 = rgb_profile(P3, &parametric());
    let found = converted(&p3, [200, 100, 50]).unwrap();
    assert!(found.iter().zip([215, 93, 31]).all(|(a, b)| a.abs_diff(b) <= 3), "{found:?}");
    assert_eq!(converted(&p3, [77; 3]), Some([77; 3]));
}

#[test]
fn srgb_in_any_dress_is_left_as_it_is() {
    assert!(converted(&rgb_profile(SRGB, &parametric()), [1, 2, 3]).is_none());
    let table: Vec<u8> = (0..1024u32)
        .flat_map(|at| {
            let value = at as f32 / 1023.0;
            let light = if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) };
            ((light * 65_535.0).round() as u16).to_be_bytes()
        })
        .collect();
    let table = [b"curv\0\0\0\0\0\0\x04\0".to_vec(), table].concat();
    assert!(converted(&rgb_profile(SRGB, &table), [1, 2, 3]).is_none());
}

#[test]
fn grey_has_a_curve_only() {
    let linear = icc(b"GRAY", &[(b"kTRC", gamma(1.0))]);
    assert_eq!(converted(&linear, [55; 3]), Some([128; 3]));
}

#[test]
fn what_is_no_profile_of_primaries_is_ignored() {
    let whole = rgb_profile(ADOBE, &gamma(2.2));
    for length in 0..whole.len() {
        assert!(icc::light(&whole[..length]).is_none(), "{length}");
    }
    assert!(icc::light(&icc(b"CMYK", &[])).is_none());
    assert!(icc::light(&rgb_profile(ADOBE, b"para\0\0\0\0\0\x09\0\0")).is_none());
    assert!(
        Profile::of(Light { curves: [vec![], vec![], vec![]], primaries: Some([[0.0; 3]; 3]) }).is_some()
    );
}

fn pixel(file: Vec<u8>) -> [u8; 3] {
    let picture = Picture::decode("x".to_owned(), &file).unwrap();
    picture.data[..3].try_into().unwrap()
}

#[test]
fn every_format_with_a_profile_is_converted() {
    let profile = rgb_profile(ADOBE, &gamma(2.199_218_8));
    let pixels = [100, 150, 200].repeat(64);
    let mut files = [Vec::new(), Vec::new(), Vec::new()];
    let [jpeg, png, webp] = &mut files;
    let mut encoder = JpegEncoder::new_with_quality(Cursor::new(jpeg), 100);
    encoder.set_icc_profile(profile.clone()).unwrap();
    encoder.write_image(&pixels, 8, 8, ExtendedColorType::Rgb8).unwrap();
    let mut encoder = PngEncoder::new(Cursor::new(png));
    encoder.set_icc_profile(profile.clone()).unwrap();
    encoder.write_image(&pixels, 8, 8, ExtendedColorType::Rgb8).unwrap();
    let mut encoder = WebPEncoder::new_lossless(Cursor::new(webp));
    encoder.set_icc_profile(profile).unwrap();
    encoder.write_image(&pixels, 8, 8, ExtendedColorType::Rgb8).unwrap();
    for file in files {
        let found = pixel(file);
        assert!(found.iter().zip([66, 151, 203]).all(|(a, b)| a.abs_diff(b) <= 3), "{found:?}");
    }
}

/// A PNG of one colour with this chunk behind its header.
fn with_chunk(name: &[u8; 4], contents: &[u8]) -> Vec<u8> {
    let mut png = Vec::new();
    let pixels = [200, 100, 50].repeat(4);
    PngEncoder::new(Cursor::new(&mut png)).write_image(&pixels, 2, 2, ExtendedColorType::Rgb8).unwrap();
    let mut crc = u32::MAX;
    for byte in name.iter().chain(contents) {
        crc ^= u32::from(*byte);
        (0..8).for_each(|_| crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()));
    }
    let length = (contents.len() as u32).to_be_bytes();
    [&png[..33], &length, name, contents, &(!crc).to_be_bytes(), &png[33..]].concat()
}

#[test]
fn png_says_it_in_three_other_ways() {
    let p3 = pixel(with_chunk(b"cICP", &[12, 13, 0, 1]));
    assert!(p3.iter().zip([215, 93, 31]).all(|(a, b)| a.abs_diff(b) <= 3), "{p3:?}");
    assert_eq!(pixel(with_chunk(b"cICP", &[1, 13, 0, 1])), [200, 100, 50]);
    // High dynamic range is another matter.
    assert_eq!(pixel(with_chunk(b"cICP", &[9, 16, 0, 1])), [200, 100, 50]);
    assert_eq!(pixel(with_chunk(b"gAMA", &45_455u32.to_be_bytes())), [200, 100, 50]);
    assert_eq!(pixel(with_chunk(b"sRGB", &[0])), [200, 100, 50]);
    // Linear light.
    assert_eq!(pixel(with_chunk(b"gAMA", &100_000u32.to_be_bytes())), [229, 168, 122]);
    let adobe =
        [31_270, 32_900, 64_000, 33_000, 21_000, 71_000, 15_000, 6_000u32].map(u32::to_be_bytes).concat();
    let found = pixel(with_chunk(b"cHRM", &adobe));
    assert!(found[0] > 215 && found[2] < 50, "{found:?}");
}

/// EXIF data whose first directory leads to one with this colour space and interoperability index.
fn exif(little: bool, space: Option<u16>, index: Option<&[u8; 4]>) -> Vec<u8> {
    let (short, long) = (
        |value: u16| if little { value.to_le_bytes() } else { value.to_be_bytes() },
        |value: u32| if little { value.to_le_bytes() } else { value.to_be_bytes() },
    );
    let entry = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
        [&short(tag)[..], &short(kind), &long(count), &value].concat()
    };
    let directory =
        |entries: &[Vec<u8>]| [&short(entries.len() as u16)[..], &entries.concat(), &long(0)].concat();
    let padded = |value: u16| [short(value), [0; 2]].concat().try_into().unwrap();
    let first = directory(&[entry(0x0112, 3, 1, padded(1)), entry(0x8769, 4, 1, long(38))]);
    let count = usize::from(space.is_some()) + usize::from(index.is_some());
    let inner = 38 + 2 + 12 * count as u32 + 4;
    let space = space.map(|space| entry(0xa001, 3, 1, padded(space)));
    let link = index.map(|_| entry(0xa005, 4, 1, long(inner)));
    let details = directory(&space.into_iter().chain(link).collect::<Vec<_>>());
    let last = index.map_or_else(Vec::new, |index| directory(&[entry(1, 2, 4, *index)]));
    let mark = if little { b"II" } else { b"MM" };
    [&mark[..], &short(42), &long(8), &first, &details, &last].concat()
}

#[test]
fn adobe_rgb_that_exif_alone_tells_of_is_converted() {
    let adobe = |exif: &[u8]| exif::light(exif).is_some();
    for little in [true, false] {
        assert!(adobe(&exif(little, Some(2), None)));
        assert!(
            adobe(&exif(little, Some(0xffff), Some(b"R03\0"))) && adobe(&exif(little, None, Some(b"R03\0")))
        );
        assert!(!adobe(&exif(little, Some(1), Some(b"R03\0"))) && !adobe(&exif(little, Some(0xffff), None)));
        assert!(!adobe(&exif(little, Some(0xffff), Some(b"R98\0"))));
        let whole = exif(little, Some(0xffff), Some(b"R03\0"));
        (0..whole.len()).for_each(|length| drop(exif::light(&whole[..length])));
    }
    // Read as sRGB, a green of Adobe RGB is too pale.
    let colour = [144, 255, 60];
    let jpeg = |segment: &[u8]| {
        let mut file = Vec::new();
        JpegEncoder::new_with_quality(&mut file, 100)
            .encode(&colour.repeat(256), 16, 16, ExtendedColorType::Rgb8)
            .unwrap();
        let length = (segment.len() as u16 + 8).to_be_bytes();
        let marked = [&[0xff, 0xe1][..], &length, b"Exif\0\0", segment].concat();
        [&file[..2], &marked, &file[2..]].concat()
    };
    let shown = |segment: &[u8]| Picture::decode("x".to_owned(), &jpeg(segment)).unwrap().data[..3].to_vec();
    let (as_is, converted) = (shown(&exif(true, Some(1), None)), shown(&exif(true, Some(2), None)));
    let profile = Profile::of(super::icc::light(&rgb_profile(ADOBE, &gamma(2.199_218_8))).unwrap()).unwrap();
    let expected = profile.convert([as_is[0], as_is[1], as_is[2]]);
    assert!(as_is[0].abs_diff(144) < 4, "{as_is:?}");
    assert!(converted.iter().zip(expected).all(|(a, b)| a.abs_diff(b) < 2), "{converted:?} {expected:?}");
    assert!(as_is[0].abs_diff(converted[0]) > 30, "{as_is:?} {converted:?}");
}
