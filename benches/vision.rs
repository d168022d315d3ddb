//! One vision pass through the int8 kernels and through tract in float, in turn: `cargo bench --bench vision -- [RUNS]`.
//! With `serve`, times one pass of either for each line of standard input (`int8`, `float`), so that another program can interleave
//! its own runs.

#![allow(clippy::unwrap_used, reason = "a bench may panic")]

use std::hint::black_box;
use std::io::{BufRead, Write, stdin, stdout};
use std::time::Instant;

use edgeclip::model::{Bundle, Vision};

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let bundle = Bundle::embedded().unwrap();
    let start = Instant::now();
    let int8 = Vision::load(&bundle, 1).unwrap();
    let load = start.elapsed().as_secs_f64() * 1e3;
    let float = Vision::load_float(&bundle).unwrap();
    assert!(int8.is_int8(), "{:?}", int8.left_in_float());
    let size = bundle.manifest.input.size as usize;
    let input: Vec<i8> =
        (0..3 * size * size).map(|i| ((i as u32).wrapping_mul(2_654_435_761) >> 22) as i8).collect();
    let time = |vision: &Vision| {
        let start = Instant::now();
        black_box(vision.run(black_box(&input)).unwrap());
        start.elapsed().as_secs_f64() * 1e3
    };
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.iter().any(|argument| argument == "serve") {
        println!("load {load:.1}");
        for line in stdin().lock().lines() {
            let vision = if line.unwrap() == "int8" { &int8 } else { &float };
            println!("{:.4}", time(vision));
            stdout().flush().unwrap();
        }
        return;
    }
    let runs = arguments.first().and_then(|runs| runs.parse().ok()).unwrap_or(30);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        ours.push(time(&int8));
        theirs.push(time(&float));
    }
    let (ours, theirs) = (median(ours), median(theirs));
    println!("load {load:.0} ms, int8 {ours:.2} ms, tract {theirs:.2} ms, int8/tract {:.3}", ours / theirs);
}
