//! The networks of the committed bundle: shapes, norms, batches, and what prompts are refused.

use std::sync::LazyLock;

use crate::error::Result;
use crate::geometry::{Letterbox, Rect};
use crate::model::{Bundle, Networks, Pool, TextTower, VisionOutput};

static BUNDLE: LazyLock<Bundle> = LazyLock::new(|| Bundle::embedded().unwrap());
static NETWORKS: LazyLock<Networks> = LazyLock::new(|| Networks::load(&BUNDLE, true, 2).unwrap());

fn text() -> &'static TextTower {
    NETWORKS.text.as_ref().unwrap()
}

/// A pass over a picture of soft blobs.
static OUTPUT: LazyLock<VisionOutput> = LazyLock::new(|| {
    let size = BUNDLE.manifest.input.size as usize;
    let value = |i: usize| {
        let (x, y) = ((i % size) as f32, (i / size % size) as f32);
        ((x / 23.0).sin() * (y / 31.0).cos() * 120.0) as i8
    };
    NETWORKS.vision.run(&(0..3 * size * size).map(value).collect::<Vec<_>>()).unwrap()
});

fn content() -> Rect {
    Letterbox::new(640, 480, BUNDLE.manifest.input.size).unwrap().content()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn assert_unit(embedding: &[f32]) {
    assert_eq!(embedding.len(), BUNDLE.manifest.embedding);
    assert!((cosine(embedding, embedding) - 1.0).abs() < 1e-5, "not of unit norm");
}

fn embed(prompts: &[&str]) -> Result<Vec<Vec<f32>>> {
    text().embed(&prompts.iter().map(|&prompt| prompt.to_owned()).collect::<Vec<_>>())
}

#[test]
fn vision_yields_what_the_manifest_promises() {
    let (manifest, out) = (&BUNDLE.manifest, &*OUTPUT);
    assert_eq!(out.image.len(), manifest.embedding);
    let strides: Vec<usize> = manifest.detection.strides.iter().map(|&stride| stride as usize).collect();
    assert_eq!(out.levels.iter().map(|level| level.stride).collect::<Vec<_>>(), strides);
    for level in &out.levels {
        let side = manifest.input.size as usize / level.stride;
        assert_eq!((level.width, level.height, level.bins), (side, side, manifest.detection.bins));
        assert_eq!(level.data.len(), (1 + 4 * level.bins) * side * side);
    }
    for name in manifest.region.pool.iter().flat_map(|pool| &pool.maps) {
        let map = &out.maps[name];
        assert_eq!(map.data.len(), map.channels * map.width * map.height, "{name}");
    }
    assert_eq!(out.dense.channels, manifest.embedding);
    let all = out.levels.iter().flat_map(|level| &level.data).chain(&out.image).chain(&out.dense.data);
    assert!(all.clone().all(|v| v.is_finite()) && all.clone().any(|&v| v != 0.0));
}

#[test]
fn vision_depends_on_the_picture_and_on_nothing_else() {
    let size = BUNDLE.manifest.input.size as usize;
    let grey = vec![0; 3 * size * size];
    let (once, again) = (NETWORKS.vision.run(&grey).unwrap(), NETWORKS.vision.run(&grey).unwrap());
    assert_eq!(once, again);
    assert_ne!(once.image, OUTPUT.image);
}

#[test]
fn a_vision_input_of_another_length_is_our_bug() {
    assert_eq!(NETWORKS.vision.run(&[0; 7]).unwrap_err().exit_code(), 70);
}

#[test]
fn regions_become_unit_embeddings_whatever_the_batch() {
    let boxes: Vec<Rect> = (0..130)
        .map(|i| i as f32)
        .map(|i| Rect { x0: i, y0: 60.0, x1: i + 5.0 + i, y1: 70.0 + i / 2.0 })
        .collect();
    let together = NETWORKS.prompter.embed(&OUTPUT, content(), &boxes).unwrap();
    assert_eq!(together.len(), boxes.len());
    for (i, embedding) in together.iter().enumerate().step_by(13) {
        assert_unit(embedding);
        let alone = NETWORKS.prompter.embed(&OUTPUT, content(), &boxes[i..=i]).unwrap();
        assert!(cosine(embedding, &alone[0]) > 0.9999, "box {i}");
    }
    assert!(cosine(&together[0], &together[129]) < 0.9999, "all boxes look alike");
    assert!(NETWORKS.prompter.embed(&OUTPUT, content(), &[]).unwrap().is_empty());
}

#[test]
fn what_the_prompter_pools_is_what_examples_are_compared_by() {
    let space = NETWORKS.features.as_ref().unwrap();
    let side = |i: usize| 3.0 * i as f32;
    let boxes: Vec<Rect> = (0..20)
        .map(|i| Rect { x0: side(i), y0: 60.0, x1: 40.0 + 4.0 * side(i), y1: 100.0 + side(i) })
        .collect();
    let (embeddings, pooled) =
        NETWORKS.prompter.embed_and_pool(&OUTPUT, content(), &boxes, Some(space.pool())).unwrap();
    assert_eq!(embeddings, NETWORKS.prompter.embed(&OUTPUT, content(), &boxes).unwrap());
    let pairs: Vec<(Rect, &[f32])> = boxes.into_iter().zip(embeddings.iter().map(Vec::as_slice)).collect();
    let vectors = |pooled| space.of_boxes(&OUTPUT, &content(), &pairs, pooled).unwrap();
    assert!(pooled.is_some() && vectors(pooled.as_ref()) == vectors(None));
    let other = Pool { samples: 9, ..space.pool().clone() };
    let (_, none) =
        NETWORKS.prompter.embed_and_pool(&OUTPUT, content(), &[pairs[0].0], Some(&other)).unwrap();
    assert!(none.is_none());
}

#[test]
fn a_region_without_area_is_refused() {
    let empty = Rect { x0: 5.0, y0: 5.0, x1: 5.0, y1: 9.0 };
    let error = NETWORKS.prompter.embed(&OUTPUT, content(), &[empty]).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().starts_with("region: found (5, 5, 5, 9), expected"), "{error}");
}

#[test]
fn features_of_another_network_are_refused() {
    let mut out = OUTPUT.clone();
    for map in out.maps.values_mut() {
        map.channels -= 1;
        map.data.truncate(map.channels * map.width * map.height);
    }
    let error = NETWORKS.prompter.embed(&out, content(), &[content()]).unwrap_err();
    assert!(error.to_string().contains("prompt.onnx"), "{error}");
}

#[test]
fn prompts_become_unit_embeddings_whatever_the_batch() {
    let prompts = ["person", "a very small red toy car on a wooden table", "dog", "fire extinguisher", "dog"];
    let together = embed(&prompts).unwrap();
    for (prompt, embedding) in prompts.iter().zip(&together) {
        assert_unit(embedding);
        let alone = embed(&[prompt]).unwrap();
        assert!(cosine(embedding, &alone[0]) > 0.99999, "{prompt}");
    }
    assert!(cosine(&together[2], &together[4]) > 0.99999);
    assert!(embed(&[]).unwrap().is_empty());
}

#[test]
fn words_of_like_meaning_lie_closer() {
    let e = embed(&["dog", "puppy", "bus"]).unwrap();
    assert!(cosine(&e[0], &e[1]) > cosine(&e[0], &e[2]) + 0.05);
}

#[test]
fn case_and_surrounding_space_do_not_matter() {
    let e = embed(&["red bus", "  Red BUS\n"]).unwrap();
    assert!(cosine(&e[0], &e[1]) > 0.99999);
}

#[test]
fn many_prompts_keep_their_order() {
    let prompts: Vec<String> = (0..150).map(|i| format!("number {i}{}", " of many".repeat(i % 7))).collect();
    let embeddings = text().embed(&prompts).unwrap();
    assert_eq!(embeddings.len(), prompts.len());
    for i in (0..prompts.len()).step_by(31) {
        let alone = text().embed(&prompts[i..=i]).unwrap();
        assert!(cosine(&embeddings[i], &alone[0]) > 0.99999, "{}", prompts[i]);
    }
}

#[test]
fn useless_prompts_are_refused() {
    let limit = BUNDLE.manifest.text_max_tokens;
    let wordy = "word ".repeat(limit + 1);
    let just_too_long = "word ".repeat(limit - 1);
    let endless = "x".repeat(10_000_000);
    for (prompt, part) in [
        ("", "prompt: found no text, expected words"),
        (" \t\n", "prompt: found no text"),
        (wordy.as_str(), "tokens, expected at most"),
        (just_too_long.as_str(), "tokens, expected at most"),
        (endless.as_str(), "10000000 characters, expected at most"),
        ("🚌🚌", "prompt \"🚌🚌\": found no known word"),
    ] {
        let error = embed(&["person", prompt]).unwrap_err();
        let line = error.to_string();
        assert_eq!(error.exit_code(), 2, "{line}");
        assert!(line.contains(part) && line.len() < 250 && !line.contains('\n'), "{line}");
    }
    let line = embed(&[&wordy]).unwrap_err().to_string();
    assert!(line.starts_with("prompt \"word word word word word word word word …\": found "), "{line}");
    assert!(line.ends_with(&format!("expected at most {limit}")), "{line}");
}

#[test]
fn the_longest_prompt_still_fits() {
    // Room for the two special tokens and for the longest template's own words.
    let template = BUNDLE.manifest.templates.iter().map(|t| t.split_whitespace().count()).max().unwrap();
    let words = BUNDLE.manifest.text_max_tokens - 2 - 2 * template;
    assert_unit(&embed(&["word ".repeat(words).as_str()]).unwrap()[0]);
}

#[test]
fn the_text_tower_says_which_one_it_is() {
    assert_eq!(text().sha256(), BUNDLE.manifest.files["text.onnx"]);
    assert_eq!(text().sha256().len(), 64);
}
