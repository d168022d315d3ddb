//! The side of `benches/peers` that runs this library, and stock tract behind `float`: `peer FILE int8|float THREADS`.
//!
//! Prints `ready LOAD_MS DETAIL`, then answers lines of standard input so that another program can interleave runs of several
//! engines: `write INPUT OUTPUT` runs the bytes of one file and writes all outputs as f32 to another; `run N` passes N times
//! over the input of the last `write` and prints each time in ms; `steps` prints the steps
//! of a pass, one a line, and an empty line. The bytes are those of the type that the network takes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench may panic")]

use std::hint::black_box;
use std::io::{Write, stdin, stdout};
use std::time::Instant;
use std::{env, fs};

use edgeclip_engine::{Element, Engine, Isa, Values};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [file, form, threads] = &arguments[..] else {
        println!("usage: peer FILE int8|float THREADS; benches/peers starts it");
        return;
    };
    let threads: usize = threads.parse().unwrap();
    let start = Instant::now();
    let network = match form.as_str() {
        "int8" => Engine::options().threads(threads).open(file).unwrap(),
        "float" => Engine::options().in_float().open(file).unwrap(),
        other => panic!("{other}: expected int8 or float"),
    };
    let load = start.elapsed().as_secs_f64() * 1e3;
    println!("ready {load:.1} {}", if form == "int8" { Isa::chosen().unwrap().name() } else { "tract" });
    let mut input = Vec::new();
    let mut outputs = vec![Vec::new(); network.outputs().unwrap().len()];
    for line in stdin().lines() {
        let line = line.unwrap();
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["write", from, to] => {
                input = fs::read(from).unwrap();
                typed(&network, &input, |values| network.run_into(values, &mut outputs).unwrap());
                let values = outputs.concat();
                fs::write(to, values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
                    .unwrap();
                println!("written {}", values.len());
            }
            ["run", passes] => {
                let mut times = Vec::new();
                typed(&network, &input, |values| {
                    for _ in 0..passes.parse().unwrap() {
                        let start = Instant::now();
                        network.run_into(black_box(values), black_box(&mut outputs)).unwrap();
                        times.push(format!("{:.4}", start.elapsed().as_secs_f64() * 1e3));
                    }
                });
                println!("{}", times.join(" "));
            }
            ["steps"] => typed(&network, &input, |values| steps(&network, values)),
            _ => panic!("{line}: expected write INPUT OUTPUT or run N"),
        }
        stdout().flush().unwrap();
    }
}

/// Calls `run` with the values of a file.
fn typed(network: &Engine, bytes: &[u8], mut run: impl FnMut(Values<'_>)) {
    match network.input().element {
        Element::Uint8 => run(bytes.into()),
        Element::Int8 => {
            let values: Vec<i8> = bytes.iter().map(|&byte| byte as i8).collect();
            run(values[..].into());
        }
        Element::Float => {
            let values: Vec<f32> =
                bytes.as_chunks::<4>().0.iter().map(|&value| f32::from_le_bytes(value)).collect();
            run(values[..].into());
        }
    }
}

/// Prints time in ms, kernel, shape and node of each step, and why it stays in float.
fn steps(network: &Engine, values: Values<'_>) {
    let times = network.step_times(values).unwrap();
    for (time, step) in times.iter().zip(network.steps()) {
        let (time, [channels, height, width]) = (time.as_secs_f64() * 1e3, step.shape);
        let why = step.refusal.unwrap_or_default();
        println!("{time:.4} {} {channels}x{height}x{width} {} {why}", step.kernel, step.node);
    }
    println!();
}
