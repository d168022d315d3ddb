//! The text tower and the region prompter through the int8 kernels and through tract in float, in turn:
//! `cargo test --release --lib -- --ignored --nocapture cost_of_words`, 15 runs unless `EDGECLIP_RUNS` says
//! otherwise. With `EDGECLIP_SERVE=1`, each line of standard input names one pass, such as `int8 text 80`
//! (prompts) or `float regions 100`, whose milliseconds are answered, so that another program
//! (`benches/peers/text.py`) can interleave its own runs.

use std::hint::black_box;
use std::io::{BufRead, Write, stdin, stdout};
use std::time::Instant;

use crate::geometry::Rect;
use crate::model::{Bundle, FeatureMap, Prompter, TextTower, VisionOutput};
use crate::vocabulary::Vocabulary;

/// One way to run both networks.
struct Side {
    text: TextTower,
    prompter: Prompter,
}

/// What is embedded.
struct Inputs {
    prompts: Vec<String>,
    picture: VisionOutput,
    boxes: Vec<Rect>,
    content: Rect,
}

impl Inputs {
    fn new(bundle: &Bundle) -> Self {
        let bank = Vocabulary::bank(bundle).unwrap();
        let sizes = ["", "small ", "a large ", "two ", "the red "];
        let places = ["", " on a table", " in the street", " beside a tree on a sunny day"];
        let prompt = |i: usize| {
            let name = &bank.names()[i * 7 % bank.len()];
            format!("{}{name}{}", sizes[i % sizes.len()], places[i / 3 % places.len()])
        };
        let manifest = &bundle.manifest;
        let size = manifest.input.size as f32;
        let side =
            |name: &str| if name == "semantic" { 10 } else { 320 / name[5..].parse::<usize>().unwrap() };
        let channels = |name: &str| if name == "semantic" { 1280 } else { 96 };
        let map = |name: &String| {
            let (channels, side) = (channels(name), side(name));
            let value = |i: usize| ((i as u32).wrapping_mul(2_654_435_761) >> 24) as f32 / 64.0;
            let data = (0..channels * side * side).map(value).collect();
            (name.clone(), FeatureMap { channels, width: side, height: side, data })
        };
        let maps = manifest.region.pool.iter().flat_map(|pool| &pool.maps).map(map).collect();
        let nothing = || FeatureMap { channels: 0, width: 0, height: 0, data: Vec::new() };
        let boxes = (0..100).map(|i| {
            let (x, y) = ((i % 10) as f32 * size / 12.0, (i / 10) as f32 * size / 12.0);
            Rect { x0: x, y0: y, x1: x + 20.0 + i as f32 / 2.0, y1: y + 60.0 - i as f32 / 4.0 }
        });
        Self {
            prompts: (0..5000).map(prompt).collect(),
            picture: VisionOutput { image: Vec::new(), levels: Vec::new(), maps, dense: nothing() },
            boxes: boxes.collect(),
            content: Rect { x0: 0.0, y0: 0.0, x1: size, y1: size },
        }
    }

    fn run(&self, side: &Side, kind: &str, count: usize) -> Vec<Vec<f32>> {
        match kind {
            "text" => side.text.embed(&self.prompts[..count]).unwrap(),
            "regions" => side.prompter.embed(&self.picture, self.content, &self.boxes[..count]).unwrap(),
            other => panic!("{other}: neither text nor regions"),
        }
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn milliseconds<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let result = black_box(work());
    (result, start.elapsed().as_secs_f64() * 1e3)
}

#[test]
#[ignore = "a measurement, for release builds on an idle machine"]
fn cost_of_words() {
    let bundle = Bundle::embedded().unwrap();
    let (text, load_text) = milliseconds(|| TextTower::load(&bundle).unwrap());
    let (prompter, load_prompter) = milliseconds(|| Prompter::load(&bundle).unwrap());
    assert!(text.left_in_float().is_empty() && prompter.left_in_float().is_empty());
    println!("load text {load_text:.1} ms, prompter {load_prompter:.1} ms");
    let float = || Side {
        text: TextTower::load_float(&bundle).unwrap(),
        prompter: Prompter::load_float(&bundle).unwrap(),
    };
    let inputs = Inputs::new(&bundle);
    let int8 = Side { text, prompter };
    if std::env::var_os("EDGECLIP_SERVE").is_some() {
        let mut other = None;
        for line in stdin().lock().lines() {
            let line = line.unwrap();
            let words: Vec<&str> = line.split(' ').collect();
            let side = if words[0] == "int8" { &int8 } else { other.get_or_insert_with(float) };
            let (_, time) = milliseconds(|| inputs.run(side, words[1], words[2].parse().unwrap()));
            println!("{time:.4}");
            stdout().flush().unwrap();
        }
        return;
    }
    let float = float();
    let runs = std::env::var("EDGECLIP_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(15);
    for (kind, count) in
        [("text", 1), ("text", 2), ("text", 80), ("text", 1000), ("regions", 1), ("regions", 100)]
    {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            let (a, time) = milliseconds(|| inputs.run(&int8, kind, count));
            ours.push(time);
            let (b, time) = milliseconds(|| inputs.run(&float, kind, count));
            theirs.push(time);
            let cosine = |(a, b): (&Vec<f32>, &Vec<f32>)| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            let least = a.iter().zip(&b).map(cosine).fold(1.0, f32::min);
            assert!(least > 0.98, "{kind} {count}: cosine {least}");
        }
        let (ours, theirs) = (median(ours), median(theirs));
        println!("{kind} {count}: int8 {ours:.2} ms, tract {theirs:.2} ms, int8/tract {:.3}", ours / theirs);
    }
}
