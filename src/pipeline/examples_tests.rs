//! Names that are taught by pictures, through the networks of a bundle that compares examples.

use std::path::Path;
use std::time::Instant;

use super::example_bundle;
use super::*;
use crate::geometry::Rect;
use crate::model::{Bundle, FeatureVector, Networks, SpaceId};
use crate::source::Picture;
use crate::vocabulary::{Kind, Origin, Prompt, Vocabulary, choice_scores};

fn photo(name: &str) -> Picture {
    Picture::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).unwrap()
}

fn pipeline(bundle: &Bundle) -> Pipeline {
    Pipeline::new(Networks::load(bundle, false, 1).unwrap(), bundle.manifest.clone())
}

fn origin(id: usize) -> Origin {
    let sha256 = "a".repeat(64);
    Origin { id: format!("{id:x}"), file: "a.jpg".into(), sha256, rect: None, date: "2026-11-30".into() }
}

/// The most object-like box of a picture, and its vector.
fn object(pipeline: &Pipeline, picture: &Picture) -> (Rect, FeatureVector) {
    let encoded = pipeline.encode(&picture.frame().unwrap()).unwrap();
    let (rect, _) = pipeline.objects(&encoded)[0];
    let vector = pipeline.box_features(&encoded, &[rect]).unwrap().remove(0).unwrap();
    (rect, vector)
}

/// The best score of a name's boxes.
fn best(pipeline: &Pipeline, words: &Vocabulary, label: usize, picture: &Picture) -> f32 {
    let look = pipeline.look(&picture.frame().unwrap(), words).unwrap();
    look.regions.iter().map(|region| region.scores[label]).fold(0.0, f32::max)
}

/// The same picture, a little darker and moved by some pixels: the next frame.
fn next_frame(picture: &Picture, step: usize) -> Picture {
    let row = picture.width as usize * 3;
    let shift = |y: usize, x: usize| {
        let (y, x) = ((y + step).min(picture.height as usize - 1), (x + 3 * step).min(row - 3 + x % 3));
        (f32::from(picture.data[y * row + x]) * (1.0 - 0.02 * step as f32)) as u8
    };
    let data = (0..picture.data.len()).map(|i| shift(i / row, i % row)).collect();
    Picture { data, ..picture.clone() }
}

#[test]
fn without_examples_a_bundle_that_compares_them_gives_the_same_numbers() {
    let folder = example_bundle::of_photos();
    let (plain, taught) = (Bundle::embedded().unwrap(), Bundle::open(folder.path()).unwrap());
    let words = Vocabulary::bank(&plain).unwrap();
    let scores = |bundle: &Bundle| {
        let look = pipeline(bundle).look(&photo("cat.jpg").frame().unwrap(), &words).unwrap();
        let regions: Vec<Vec<f32>> = look.regions.into_iter().map(|region| region.scores).collect();
        (regions, look.tags)
    };
    assert!(scores(&plain) == scores(&taught));
}

#[test]
fn what_was_shown_once_is_found_and_what_was_wrong_is_not_found_again() {
    let folder = example_bundle::of_photos();
    let bundle = Bundle::open(folder.path()).unwrap();
    let pipeline = pipeline(&bundle);
    let space = SpaceId::of(&bundle.manifest).unwrap();
    let (cat, coffee) = (photo("cat.jpg"), photo("coffee.jpg"));
    let mut words = Vocabulary::empty(&Vocabulary::bank(&bundle).unwrap());
    let label = words.ensure("our cat").unwrap();
    let (_, vector) = object(&pipeline, &cat);
    words.add_example(label, false, vector, &space, origin(1)).unwrap();
    let before: Vec<f32> =
        (0..4).map(|step| best(&pipeline, &words, label, &next_frame(&cat, step))).collect();
    let other = best(&pipeline, &words, label, &coffee);
    assert!(before.iter().all(|own| *own > 2.0 * other), "{before:?} for it, {other} for something else");

    // The cup was taken for it: never again, even where the next frames differ a little.
    let (_, cup) = object(&pipeline, &coffee);
    words.add_example(label, true, cup, &space, origin(2)).unwrap();
    let encoded = pipeline.encode(&coffee.frame().unwrap()).unwrap();
    let (rect, _) = pipeline.objects(&encoded)[0];
    for (step, own) in before.into_iter().enumerate() {
        let frame = next_frame(&coffee, step);
        let look = pipeline.look(&frame.frame().unwrap(), &words).unwrap();
        let there = look.regions.iter().filter(|region| region.rect.iou(&rect) > 0.7);
        let score = there.map(|region| region.scores[label]).fold(0.0, f32::max);
        assert!(score < 0.3 * other.max(0.05), "{score} after the correction, step {step}");
        let still = best(&pipeline, &words, label, &next_frame(&cat, step));
        assert!(still > 0.95 * own, "{still} for the cat, {own} before");
    }
}

#[test]
fn states_are_taught_by_a_picture_each_and_hold_in_other_light() {
    let folder = example_bundle::of_photos();
    let bundle = Bundle::open(folder.path()).unwrap();
    let pipeline = pipeline(&bundle);
    let space = SpaceId::of(&bundle.manifest).unwrap();
    let gate = Rect { x0: 40.0, y0: 30.0, x1: 280.0, y1: 210.0 };
    // A gate: bars before a wall, or half of them pushed aside.
    let scene = |is_open: bool, light: f32, phase: f32| {
        let pixel = |i: usize| {
            let (x, y) = ((i % 320) as f32, (i / 320) as f32);
            let inside = (40.0..280.0).contains(&x) && (30.0..210.0).contains(&y);
            let bar = inside && x % 24.0 < 9.0 && !(is_open && x > 130.0);
            let wall = 150.0 + 20.0 * (y / 17.0 + phase).sin() + 15.0 * (x / 29.0).cos();
            let grey = if bar { 40.0 } else { wall } * light;
            [grey as u8, (grey * 0.97) as u8, (grey * 0.9) as u8]
        };
        let data = (0..320 * 240).flat_map(pixel).collect();
        Picture { name: String::new(), width: 320, height: 240, data }
    };
    let vector = |picture: &Picture| {
        let encoded = pipeline.encode(&picture.frame().unwrap()).unwrap();
        let embedding = pipeline.embed_boxes(&encoded, &[gate]).unwrap().remove(0);
        (embedding, pipeline.box_features(&encoded, &[gate]).unwrap().remove(0).unwrap())
    };
    let mut words = Vocabulary::empty(&Vocabulary::bank(&bundle).unwrap());
    for (id, is_open) in [(1, true), (2, false)] {
        let label = words.ensure(if is_open { "gate open" } else { "gate closed" }).unwrap();
        words.set_use(label, Some(Kind::State), None);
        for (snapshot, light) in [(0, 1.0), (1, 0.7)] {
            let (_, vector) = vector(&scene(is_open, light, 0.0));
            words.add_example(label, false, vector, &space, origin(10 * id + snapshot)).unwrap();
        }
    }
    let prompts = ["open = gate open", "closed = gate closed"].map(str::to_owned);
    let prompts = crate::vocabulary::Prompt::each("prompts", &prompts).unwrap();
    let states = words.select(&prompts).unwrap();
    let mut right = 0;
    for step in 0..20 {
        let is_open = step % 2 == 0;
        let frame = scene(is_open, 0.5 + 0.03 * step as f32, 0.2 * step as f32);
        let (embedding, vector) = vector(&frame);
        let seen = pipeline.features().map(|space| (space, &vector));
        let scores = choice_scores(&embedding, &states, 20.0, seen);
        assert!((scores.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        right += u32::from((scores[0] > scores[1]) == is_open);
    }
    assert_eq!(right, 20);
    // Nowhere else are they looked for.
    let look = pipeline.look(&scene(true, 1.0, 0.0).frame().unwrap(), &words).unwrap();
    assert!(
        look.tags
            .iter()
            .chain(look.regions.iter().flat_map(|region| &region.scores))
            .all(|score| *score == 0.0)
    );
}

/// What examples add to a look by words, in turn: `cargo test --release --lib -- --ignored --nocapture cost_of_examples`,
/// 41 rounds unless `EDGECLIP_RUNS` says otherwise.
#[test]
#[ignore = "a measurement, for release builds on an idle machine"]
fn cost_of_examples() {
    let bundle = Bundle::embedded().unwrap();
    let pipeline = pipeline(&bundle);
    let space = SpaceId::of(&bundle.manifest).unwrap();
    let bank = Vocabulary::bank(&bundle).unwrap();
    let picture = photo("astronaut.jpg");
    let (_, vector) = object(&pipeline, &picture);
    let rounds = std::env::var("EDGECLIP_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(41);
    let milliseconds = |words: &Vocabulary| {
        let start = Instant::now();
        std::hint::black_box(pipeline.look(&picture.frame().unwrap(), words).unwrap());
        start.elapsed().as_secs_f64() * 1e3
    };
    let median = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    for entries in [1, 100, 1000] {
        let prompt = |label: usize| Prompt {
            name: bank.names()[label].to_string(),
            text: bank.prompts_of(label).next().unwrap().to_owned(),
        };
        let plain = bank.select(&(0..entries.min(bank.len())).map(prompt).collect::<Vec<_>>()).unwrap();
        let mut taught = plain.clone();
        // Names that the bank has no words for have examples alone.
        for entry in plain.len()..entries {
            taught.ensure(&format!("n{entry}")).unwrap();
        }
        let mut values = vector.values.clone();
        for id in 0..entries * 20 {
            values.rotate_left(7);
            let vector = FeatureVector { values: values.clone(), ..vector.clone() };
            taught.add_example(id / 20, false, vector, &space, origin(id)).unwrap();
        }
        let bytes = taught.to_bytes().unwrap().len();
        // Each is compared and packed once.
        let regions = pipeline.look(&picture.frame().unwrap(), &taught).unwrap().regions.len();
        milliseconds(&plain);
        // In turn, so that all meet the same company; the first of both comes in turn, too.
        let (mut by_words, mut beside) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            if round % 2 == 0 {
                by_words.push(milliseconds(&plain));
            }
            beside.push(milliseconds(&taught));
            if round % 2 == 1 {
                by_words.push(milliseconds(&plain));
            }
        }
        let (by_words, beside) = (median(by_words), median(beside));
        println!(
            "{entries} names ({} by words), {regions} regions: {by_words:.2} ms, with 20 examples each {beside:.2} ms \
             ({:.3}), file {:.1} MB",
            plain.len(),
            beside / by_words,
            bytes as f64 / 1e6
        );
    }
}
