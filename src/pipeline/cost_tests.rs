//! What one frame of a live source costs beside the model: 640×480 pixels, one thread, ten tracks, zones and
//! a line.
//!
//! `cargo test --release --lib -- --ignored --nocapture cost_of_a_frame`; asserts that everything but the
//! model and the JPEG decoder takes less than a fifth of the model's time. `EDGECLIP_JPEG=FILE` writes the
//! frame that is decoded, for other decoders.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::events::{self, Engine, Event, Scene};
use crate::frame::{Frame, PixelFormat, Range};
use crate::geometry::Rect;
use crate::model::{Bundle, Networks};
use crate::pipeline::Pipeline;
use crate::preprocess::letterbox;
use crate::report::{Detection, FrameReport, LiveTiming, ShownBoxes};
use crate::sinks::{Lines, LiveJsonl, Output, Painter, Sink};
use crate::source::{CapturedFrame, Encoding, Picture};
use crate::track::{Observation, Settings, Tracker};
use crate::vocabulary::{Prompt, Vocabulary};
use image::imageops::{FilterType, resize};

const SIZE: (u32, u32) = (640, 480);
const FRAMES: u32 = 200;
const THINGS: usize = 10;

/// Times of each stage, in the order in which a frame meets them.
#[derive(Default)]
struct Times(Vec<(&'static str, Vec<Duration>)>);

impl Times {
    fn take<T>(&mut self, stage: &'static str, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = std::hint::black_box(work());
        self.add(stage, start.elapsed());
        result
    }

    fn add(&mut self, stage: &'static str, took: Duration) {
        match self.0.iter_mut().find(|(name, _)| *name == stage) {
            Some((_, times)) => times.push(took),
            None => self.0.push((stage, vec![took])),
        }
    }

    /// Median in milliseconds.
    fn median(&self, stage: &str) -> f64 {
        let times = self.0.iter().find(|(name, _)| *name == stage).map(|(_, times)| times.clone());
        let mut times = times.unwrap_or_default();
        times.sort_unstable();
        times.get(times.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    }
}

#[test]
#[ignore = "a measurement, for release builds on an idle machine"]
fn cost_of_a_frame() {
    measure().unwrap();
}

fn measure() -> Result<(), Box<dyn std::error::Error>> {
    let photo = image::open("tests/data/coffee.jpg")?.into_rgb8();
    let photo = resize(&photo, SIZE.0, SIZE.1, FilterType::Triangle);
    let mut jpeg = std::io::Cursor::new(Vec::new());
    photo.write_to(&mut jpeg, image::ImageFormat::Jpeg)?;
    let jpeg = jpeg.into_inner();
    if let Some(path) = std::env::var_os("EDGECLIP_JPEG") {
        std::fs::write(path, &jpeg)?;
        return Ok(());
    }
    let yuyv = yuyv(&photo);
    let frame = Frame::new(&yuyv, SIZE.0, SIZE.1, SIZE.0 as usize * 2, PixelFormat::Yuyv(Range::Limited))?;

    let bundle = Bundle::embedded()?;
    let mut networks = Networks::load(&bundle, true, 1)?;
    let tower = networks.text.take().ok_or("no text tower")?;
    let prompts = Prompt::parse("cup, spoon, table, person, dog, cat, plate, saucer, coffee, hand")?;
    let vocabulary = Vocabulary::build(
        &prompts,
        &tower,
        &Vocabulary::bank(&bundle)?,
        bundle.manifest.score.max_similarity,
    )?;
    let pipeline = Pipeline::new(networks, bundle.manifest.clone());
    let names = vocabulary.names();
    let settings: events::Settings = toml::from_str(
        "zone = [{ name = 'left', box = [0, 0, 0.5, 1] }, { name = 'right', points = [[0.5, 0], [1, 0], [1, 1]] }]
         line = [{ name = 'middle', from = [0.5, 0], to = [0.5, 1] }]",
    )?;
    let (mut tracker, mut engine) = (Tracker::new(Settings::default())?, Engine::new(&settings)?);
    let (mut painter, mut json) =
        (Painter::new(ShownBoxes::Tracks), LiveJsonl::new(Output::new("sink", std::io::sink()), Lines::All));

    let mut times = Times::default();
    let mut shot = CapturedFrame::empty();
    let mut told = 0;
    for i in 0..FRAMES {
        shot.fill(&jpeg, Encoding::Jpeg, u64::from(i));
        times.take("JPEG", || shot.decode("bench").map(|frame| frame.width))?;
        let rgb = Frame::new(photo.as_raw(), SIZE.0, SIZE.1, SIZE.0 as usize * 3, PixelFormat::Rgb8)?;
        times.take("resize of RGB", || letterbox(&rgb, 320))?;
        let look = pipeline.look(&frame, &vocabulary)?;
        times.add("colour, resize", look.timing.preprocess);
        times.add("vision", look.timing.vision);
        times.add("regions", look.timing.regions);
        times.add("match", look.timing.matching);

        let clock = Duration::from_millis(100) * i;
        let places: Vec<Rect> = (0..THINGS).map(|thing| place(thing, i)).collect();
        let labels: Vec<[(Arc<str>, f32); 1]> =
            (0..THINGS).map(|thing| [(Arc::clone(&names[thing]), 0.8)]).collect();
        let embeddings: Vec<&[f32]> = look.regions.iter().map(|region| region.embedding.as_slice()).collect();
        let observations: Vec<Observation<'_>> = (0..THINGS)
            .map(|thing| Observation {
                rect: places[thing],
                labels: &labels[thing],
                confident: true,
                embedding: embeddings.get(thing).copied(),
            })
            .collect();
        let update = times.take("track", || tracker.update(clock, &observations));
        let tags: Vec<(Arc<str>, f32)> = names.iter().cloned().zip(look.tags.iter().copied()).collect();
        let (width, height) = SIZE;
        let scene =
            Scene { clock, width, height, tracks: &update.tracks, tags: &tags, states: &[], looked: true };
        let mut events: Vec<Event> = Vec::new();
        times.take("events", || engine.update(&scene, &mut events));
        told += events.len();
        let named = |(rect, labels): (&Rect, &[(Arc<str>, f32); 1])| Detection {
            label: Arc::clone(&labels[0].0),
            score: labels[0].1,
            rect: *rect,
        };
        let report = FrameReport {
            source: "bench".into(),
            frame: u64::from(i),
            time: SystemTime::now(),
            width,
            height,
            looked: true,
            tags: Vec::new(),
            detections: places.iter().zip(&labels).map(named).collect(),
            tracks: update.tracks,
            events,
            features: Vec::new(),
            sightings: Vec::new(),
            crops: Vec::new(),
            outlines: engine.outlines(),
            timing: LiveTiming { look: look.timing, ..LiveTiming::default() },
            latency: Duration::from_millis(9),
        };
        let mut picture: Picture =
            Picture { name: String::new(), width, height, data: photo.as_raw().clone() };
        times.take("draw", || painter.annotate(&mut picture.data, width, height, &report));
        times.take("JSON", || json.take(&report))?;
    }
    assert!(told > THINGS, "{told} events");

    let model = times.median("vision") + times.median("regions");
    let mut out = std::io::stdout().lock();
    for (stage, _) in &times.0 {
        let ms = times.median(stage);
        writeln!(out, "{stage:14} {ms:8.3} ms  {:5.1} % of the model", 100.0 * ms / model)?;
    }
    let beside = ["colour, resize", "match", "track", "events", "draw", "JSON"];
    let share = beside.iter().map(|stage| times.median(stage)).sum::<f64>() / model;
    writeln!(out, "beside the model {:.1} % of its {model:.3} ms (limit 20)", 100.0 * share)?;
    assert!(share < 0.2, "{share}");
    Ok(())
}

/// Where a thing is in frame `i`: they walk across the picture in rows.
fn place(thing: usize, i: u32) -> Rect {
    let x = (thing as f32 * 61.0 + i as f32 * 3.0) % 580.0;
    let y = (thing % 4) as f32 * 110.0 + 10.0;
    Rect { x0: x, y0: y, x1: x + 55.0, y1: y + 95.0 }
}

/// The photo as a camera delivers it.
fn yuyv(photo: &image::RgbImage) -> Vec<u8> {
    let value = |pixel: &image::Rgb<u8>, weights: [f32; 3], base: f32| {
        let sum: f32 =
            weights.iter().zip(pixel.0).map(|(weight, value)| weight * f32::from(value) / 255.0).sum();
        (base + sum) as u8
    };
    let pixels: Vec<&image::Rgb<u8>> = photo.pixels().collect();
    let luma = |pixel| value(pixel, [65.5, 128.6, 25.0], 16.0);
    let pairs = pixels.chunks_exact(2).flat_map(|pair| {
        let (u, v) =
            (value(pair[0], [-37.8, -74.2, 112.0], 128.0), value(pair[0], [112.0, -93.8, -18.2], 128.0));
        [luma(pair[0]), u, luma(pair[1]), v]
    });
    pairs.collect()
}
