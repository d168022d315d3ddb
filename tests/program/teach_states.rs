//! The states of a zone, taught by two snapshots each, while the light changes.

use std::fs;
use std::path::Path;

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

use super::common::edgeclip;
use super::common::film::{SIZE, film, jpeg};

const FILE: &str = "gate.vocab.safetensors";
const ZONE: [f32; 4] = [0.3, 0.3, 0.9, 0.9];
/// Frames between two changes of the gate, and how often it changes.
const STAY: u32 = 20;
const STAYS: u32 = 6;

/// A wall, and in it a gate of pales that slides to the right when it opens.
fn gate(is_open: bool) -> RgbImage {
    let photo = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/coffee.jpg");
    let photo = image::open(photo).unwrap().into_rgb8();
    let mut picture = imageops::resize(&photo, SIZE.0, SIZE.1, FilterType::Triangle);
    let (left, right, top, bottom) = (110, 270, 90, 205);
    for y in top - 10..bottom {
        for x in left - 12..right + 12 {
            let inside = (left..right).contains(&x) && y >= top;
            let pale = x % 16 < 7 || (y > top + 12 && y < top + 22) || (y > bottom - 30 && y < bottom - 20);
            if !inside {
                picture.put_pixel(x, y, Rgb([150, 90, 70]));
            } else if pale && (!is_open || x > right - 30) {
                picture.put_pixel(x, y, Rgb([60, 75, 60]));
            }
        }
    }
    picture
}

/// The light at this time of day, from 0 to 1: dusk is dim and warm, and shadows move over the picture. Noise is that of
/// a small sensor, the same in each run.
fn lit(picture: &RgbImage, day: f32, seed: u32) -> RgbImage {
    let mut state = seed.wrapping_mul(2_654_435_761).max(1);
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        f32::from((state >> 24) as u8) / 32.0 - 4.0
    };
    let gain = 0.8 + 0.45 * (day * std::f32::consts::TAU).sin();
    let warm = 0.12 * (day * std::f32::consts::TAU).cos();
    let mut lit = picture.clone();
    for (x, _, pixel) in lit.enumerate_pixels_mut() {
        let at = x as f32 / SIZE.0 as f32;
        let shadow = if (at - day).abs() < 0.15 { 0.7 } else { 1.0 };
        let [r, g, b] = pixel.0.map(f32::from);
        let channel =
            |value: f32, tint: f32, noise: f32| (value * gain * shadow * tint + noise).round() as u8;
        pixel.0 =
            [channel(r, 1.0 + warm, noise()), channel(g, 1.0, noise()), channel(b, 1.0 - warm, noise())];
    }
    lit
}

#[test]
fn two_snapshots_of_each_state_tell_it_in_any_light() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let gates = [gate(false), gate(true)];
    let rect: Vec<String> = ZONE
        .iter()
        .zip([SIZE.0, SIZE.1].iter().cycle())
        .map(|(share, side)| (share * *side as f32).to_string())
        .collect();
    for (name, picture) in ["gate closed", "gate open"].iter().zip(&gates) {
        let shots = [("bright", 0.2), ("dim", 0.7)].map(|(when, day)| {
            let file = format!("{name} {when}.jpg");
            fs::write(path.join(&file), jpeg(&lit(picture, day, 7))).unwrap();
            file
        });
        let flags = ["--name", name, "--kind", "state", &shots[0], &shots[1], "--box", &rect.join(",")];
        edgeclip(path, &[&["vocab", "add", FILE], &flags[..]].concat()).ok();
    }
    edgeclip(path, &["vocab", "add", FILE, "--name", "person", "--words", "person"]).ok();

    let frames = STAY * STAYS;
    let is_open = |frame: u32| frame / STAY % 2 == 1;
    let pictures: Vec<RgbImage> =
        (0..frames).map(|i| lit(&gates[usize::from(is_open(i))], i as f32 / frames as f32, i + 1)).collect();
    film(path, "day.y4m", &pictures, 5);
    // Each frame by itself: nothing is smoothed or held.
    let config = format!(
        "vocab = '{FILE}'\nfps = 1000\nsource = [{{ url = 'day.y4m' }}]\n[[zone]]\nname = 'gate'\nbox = {ZONE:?}\n\
         prompts = ['open = gate open', 'closed = gate closed']\nsmoothing = 0\nmargin = 0\ndebounce = 0\n"
    );
    fs::write(path.join("edgeclip.toml"), config).unwrap();
    let lines = edgeclip(path, &["run", "--config", "edgeclip.toml", "--events-only"]).ok().json();
    let changes: Vec<(u32, bool)> = lines
        .iter()
        .filter(|line| line["event"] == "state")
        .map(|line| (line["frame"].as_u64().unwrap() as u32, line["state"] == "open"))
        .collect();
    let told = |frame: u32| changes.iter().rev().find(|(since, _)| *since <= frame).map(|(_, open)| *open);
    let right = (0..frames).filter(|frame| told(*frame) == Some(is_open(*frame))).count();
    assert!(right * 100 >= frames as usize * 98, "{right} of {frames}: {changes:?}");
}
