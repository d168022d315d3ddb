//! What masks and blur hide is in no picture.

use std::fs;
use std::path::Path;

use image::{GrayImage, RgbImage};
use tempfile::tempdir;

use super::{files, noise};
use crate::common::edgeclip;
use crate::common::film::film;

/// Size of the pictures.
const SIZE: (u32, u32) = (320, 240);
/// An event a frame, and nothing drawn but the clock and the tag.
const TAGS: [&str; 16] = [
    "--prompt",
    "cat, dog",
    "--threshold",
    "1",
    "--set",
    "scene.on=0",
    "--set",
    "scene.off=0",
    "--set",
    "scene.hold=0",
    "--set",
    "label=[{name='cat', threshold=0}, {name='dog', threshold=0}]",
    "--snapshot-events",
    "tag",
    "--format",
    "none",
];

/// How alike the brightness of two pictures is inside a box, −1 to 1, whatever its mean: cells and shades that
/// change slowly are left out.
fn alike(one: &GrayImage, other: &GrayImage, [x0, y0, x1, y1]: [u32; 4]) -> f64 {
    let detail = |picture: &GrayImage, x: u32, y: u32| {
        let mean =
            (0..9).map(|i| f64::from(picture.get_pixel(x + i % 3 - 1, y + i / 3 - 1)[0])).sum::<f64>() / 9.0;
        f64::from(picture.get_pixel(x, y)[0]) - mean
    };
    let (mut both, mut first, mut second) = (0.0, 0.0, 0.0);
    for (x, y) in (y0 + 1..y1 - 1).flat_map(|y| (x0 + 1..x1 - 1).map(move |x| (x, y))) {
        let (a, b) = (detail(one, x, y), detail(other, x, y));
        (both, first, second) = (both + a * b, first + a * a, second + b * b);
    }
    if first * second > 0.0 { both / (first * second).sqrt() } else { 0.0 }
}

fn grey(picture: &RgbImage) -> GrayImage {
    image::DynamicImage::ImageRgb8(picture.clone()).into_luma8()
}

/// Every picture that a run has left: annotated frames, snapshots, each frame of a Motion JPEG file.
fn pictures(folder: &Path) -> Vec<(String, GrayImage)> {
    let mut found = Vec::new();
    for path in files(folder) {
        let name = path.display().to_string();
        let bytes = match path.extension().and_then(|ending| ending.to_str()) {
            Some("jpg" | "mjpeg" | "png") => fs::read(&path).unwrap(),
            _ => continue,
        };
        let jpeg = !name.ends_with(".png");
        let is_start = |at: &usize| *at == 0 || jpeg && bytes[*at..].starts_with(&[0xff, 0xd8, 0xff]);
        let starts: Vec<usize> = (0..bytes.len()).filter(is_start).collect();
        for start in starts {
            found.push((name.clone(), image::load_from_memory(&bytes[start..]).unwrap().into_luma8()));
        }
    }
    found
}

/// Frames of noise, in the bytes of this format.
fn raw_frames(format: &str, count: u32) -> (Vec<u8>, Vec<GrayImage>) {
    let (width, height) = SIZE;
    let (mut bytes, mut expected) = (Vec::new(), Vec::new());
    for seed in 1..=count {
        let picture = noise(width, height, seed);
        let plane = |channel: usize| picture.pixels().map(move |pixel| pixel[channel]);
        // Colours near grey, so that brightness stays within the range of RGB.
        let chroma = |value: u8| 112 + value / 8;
        let quarter = || picture.enumerate_pixels().filter(|(x, y, _)| x % 2 == 0 && y % 2 == 0);
        match format {
            "RGB3" => bytes.extend(picture.as_raw()),
            "BGR3" => bytes.extend(picture.pixels().flat_map(|pixel| [pixel[2], pixel[1], pixel[0]])),
            "GREY" => bytes.extend(plane(1)),
            "YUYV" => bytes.extend(picture.pixels().flat_map(|pixel| [pixel[1], chroma(pixel[0])])),
            "UYVY" => bytes.extend(picture.pixels().flat_map(|pixel| [chroma(pixel[0]), pixel[1]])),
            "NV12" => {
                bytes.extend(plane(1));
                bytes.extend(quarter().flat_map(|(_, _, pixel)| [chroma(pixel[0]), chroma(pixel[2])]));
            }
            _ => {
                bytes.extend(plane(1));
                bytes.extend(quarter().map(|(_, _, pixel)| chroma(pixel[0])));
                bytes.extend(quarter().map(|(_, _, pixel)| chroma(pixel[2])));
            }
        }
        expected.push(match format {
            "RGB3" | "BGR3" => grey(&picture),
            _ => GrayImage::from_raw(width, height, plane(1).collect()).unwrap(),
        });
    }
    (bytes, expected)
}

#[test]
fn a_mask_is_black_in_every_picture_of_every_format() {
    for format in ["RGB3", "BGR3", "GREY", "YUYV", "UYVY", "NV12", "YU12"] {
        let folder = tempdir().unwrap();
        let (bytes, expected) = raw_frames(format, 3);
        fs::write(folder.path().join("film.raw"), bytes).unwrap();
        let source = ["run", "--source", "film.raw", "--pixel-format", format, "--size", "320x240"];
        // A box on the left, a triangle at the lower right.
        let masks = ["--mask", "0,0,0.45,1", "--mask", "corner=1,0.5,1,1,0.5,1"];
        let sinks =
            ["--annotate", "frames", "--mjpeg", "film.mjpeg", "--snapshot", "events", "--snapshot-plain"];
        edgeclip(folder.path(), &[&source[..], &masks, &sinks, &TAGS].concat()).ok();
        let shown = pictures(folder.path());
        let of = |part: &str| shown.iter().filter(|(name, _)| name.contains(part)).count();
        assert_eq!((of("frames/"), of("film.mjpeg")), (3, 3), "{format}");
        assert!(of("plain.jpg") > 0 && of("events/") >= 2 * of("plain.jpg"), "{format}");
        for (name, picture) in &shown {
            // The clock at the top and the tags at the bottom apart.
            let bottom = if name.contains("plain") { 240 } else { 200 };
            let top = if name.contains("plain") { 0 } else { 40 };
            let inside = |x: u32, y: u32| x < 144 || f64::from(x) / 320.0 + f64::from(y) / 240.0 > 1.51;
            for (x, y, pixel) in picture.enumerate_pixels() {
                if (top..bottom).contains(&y) && inside(x, y) {
                    // What a JPEG block adds at the edge of noise.
                    let edge = (136..144).contains(&x) || x > 144;
                    assert!(edge || pixel[0] < 4, "{format} {name}: {} at {x}, {y}", pixel[0]);
                }
            }
            let best = |area| expected.iter().map(|frame| alike(frame, picture, area)).fold(-1.0, f64::max);
            assert!(best([0, 40, 136, 200]) < 0.1 && best([264, 184, 320, 200]) < 0.1, "{format} {name}");
            assert!(best([160, 40, 230, 200]) > 0.5, "{format} {name}: {}", best([160, 40, 230, 200]));
        }
    }
}

#[test]
fn a_mask_holds_for_decoded_pictures_and_for_what_is_found() {
    let folder = tempdir().unwrap();
    let photo =
        image::open(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/astronaut.jpg")).unwrap().into_rgb8();
    for name in ["photo.jpg", "photo.png", "photo.webp"] {
        photo.save(folder.path().join(name)).unwrap();
        let all = ["detect", name, "--prompt", "person", "--mask", "0,0,1,1", "--annotate"];
        let answer = edgeclip(folder.path(), &[&all[..], &[&format!("out-{name}.png")]].concat()).ok().json();
        assert_eq!(answer[0]["detections"].as_array().map(Vec::len), Some(0), "{answer:?}");
        let found = edgeclip(folder.path(), &["detect", name, "--prompt", "person"]).ok().json();
        assert!(found[0]["detections"].as_array().is_some_and(|found| !found.is_empty()), "{found:?}");
    }
    for (name, picture) in pictures(folder.path()).iter().filter(|(name, _)| name.contains("out-")) {
        let black = picture.enumerate_pixels().filter(|(_, y, pixel)| *y < 400 && pixel[0] == 0).count();
        assert_eq!(black, 400 * 512, "{name}");
    }
    let wrong = ["detect", "photo.jpg", "--prompt", "person", "--mask", "0,0,512,512"];
    edgeclip(folder.path(), &wrong).refuses(&["mask 1", "[512, 512]", "fractions"]);
}

#[test]
fn what_blur_names_is_unrecognisable_in_every_picture_whether_it_is_reported_or_not() {
    let folder = tempdir().unwrap();
    let studio = crate::common::film::Studio::new();
    let frames = studio.walk(12);
    film(folder.path(), "walk.y4m", &frames, 8);
    let sinks = ["--annotate", "frames", "--mjpeg", "film.mjpeg", "--snapshot", "events", "--snapshot-plain"];
    let run = ["run", "--source", "walk.y4m", "--format", "none", "--every-frame", "--fps", "4"];
    // Hidden by a word that is not reported, and by one that is.
    for (prompt, blur) in [("lamp", "cat"), ("pet = cat", "pet")] {
        let out = tempdir().unwrap();
        fs::copy(folder.path().join("walk.y4m"), out.path().join("walk.y4m")).unwrap();
        let words =
            ["--prompt", prompt, "--blur", blur, "--threshold", "0.25", "--set", "track.confirm_hits=1"];
        edgeclip(out.path(), &[&run[..], &sinks, &words].concat()).ok();
        let shown = pictures(out.path());
        assert!(shown.len() >= 24, "{}", shown.len());
        for (name, picture) in &shown {
            let best = (0..12u32).map(|at| {
                let left = at * (320 - 150) / 11;
                let (top, frame) = (70, grey(&frames[at as usize]));
                // The middle of the cat, where no line of a box runs.
                alike(&frame, picture, [left + 30, top + 20, left + 120, top + 80])
            });
            let best = best.fold(-1.0, f64::max);
            assert!(best < 0.3, "{prompt}, {name}: {best}");
        }
    }
    // Without it, the cat is there.
    let sharp = [&run[..], &["--annotate", "sharp", "--prompt", "lamp"]].concat();
    edgeclip(folder.path(), &sharp).ok();
    let (_, first) = &pictures(&folder.path().join("sharp"))[0];
    let found = (0..12u32).map(|at| {
        let left = at * (320 - 150) / 11;
        alike(&grey(&frames[at as usize]), first, [left + 30, 90, left + 120, 150])
    });
    assert!(found.fold(-1.0, f64::max) > 0.7);
}

/// Somebody comes in between two looks, of which there are two a second.
#[test]
fn whoever_comes_in_between_two_looks_is_in_no_picture() {
    let folder = tempdir().unwrap();
    let studio = crate::common::film::Studio::new();
    let (empty, cat) = (studio.picture(None), studio.picture(Some(60)));
    let frames: Vec<RgbImage> =
        (0..24).map(|at| if at % 6 == 0 { empty.clone() } else { cat.clone() }).collect();
    film(folder.path(), "film.y4m", &frames, 8);
    for more in
        [&["--every-frame"][..], &["--every-frame", "--skip-still"], &["--every-frame", "--real-time"]]
    {
        let out = tempdir().unwrap();
        fs::copy(folder.path().join("film.y4m"), out.path().join("film.y4m")).unwrap();
        let run = ["run", "--source", "film.y4m", "--prompt", "lamp", "--blur", "cat", "--fps", "2"];
        let sinks = ["--annotate", "frames", "--mjpeg", "film.mjpeg"];
        let lines = edgeclip(out.path(), &[&run[..], &sinks, more].concat()).ok().json();
        let lines = lines.iter().filter(|line| line["type"] == "frame").count();
        let shown = pictures(out.path());
        let all = !more.contains(&"--real-time");
        assert!(
            if all { lines == 24 && shown.len() == 48 } else { !shown.is_empty() },
            "{more:?}: {lines} {}",
            shown.len()
        );
        for (name, picture) in &shown {
            let found = alike(&grey(&cat), picture, [90, 90, 180, 150]);
            assert!(found < 0.3, "{more:?}, {name}: {found}");
        }
    }
}

#[test]
fn blur_that_cannot_be_used_is_refused_by_its_own_name() {
    let folder = tempdir().unwrap();
    noise(32, 24, 1).save(folder.path().join("a.png")).unwrap();
    let run = |more: &[&str]| {
        edgeclip(folder.path(), &[&["run", "--source", "a.png", "--prompt", "cat"], more].concat())
    };
    run(&["--blur", " , "]).refuses(&["blur: found no prompt"]);
    run(&["--blur", "cat|dog"]).refuses(&["blur: found \"cat|dog\""]);
    run(&["--blur", "face", "--blur-threshold", "2"]).refuses(&["blur_threshold: found 2, expected 0 to 1"]);
    run(&["--mask", "street"]).refuses(&["--mask: found street", "x0,y0,x1,y1"]);
    run(&["--mask", "0,0,1,0.5,0.5,0.2,0.2,1"]).refuses(&["mask 1", "neither crosses nor touches itself"]);
    let detect = ["detect", "a.png", "--prompt", "cat", "--annotate", "b.png", "--blur", "cat|dog"];
    edgeclip(folder.path(), &detect).refuses(&["--blur: found \"cat|dog\""]);
}
