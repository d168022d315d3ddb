//! The side of `benches/peers` that runs this library, and stock tract behind `float`: `peer FILE int8|float THREADS`.
//!
//! Prints `ready LOAD_MS DETAIL`, then answers lines of standard input so that another program can interleave runs of several
//! engines: `write INPUT OUTPUT` runs the bytes of one file and writes all outputs as f32 to another; `run N` passes N times
//! over the input of the last `write` and prints each time in ms.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench may panic")]

use std::hint::black_box;
use std::io::{Write, stdin, stdout};
use std::time::Instant;
use std::{env, fs};

use edgeclip_engine::Engine;
use edgeclip_kernels::Isa;

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
    assert!(form == "float" || network.is_int8(), "{:?}", network.left_in_float());
    println!("ready {load:.1} {}", if form == "int8" { Isa::chosen().unwrap().name() } else { "tract" });
    let mut input: Vec<i8> = Vec::new();
    let mut outputs = vec![Vec::new(); network.outputs().unwrap().len()];
    for line in stdin().lines() {
        let line = line.unwrap();
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["write", from, to] => {
                input = fs::read(from).unwrap().into_iter().map(|byte| byte as i8).collect();
                network.run_into(&input[..], &mut outputs).unwrap();
                let values = outputs.concat();
                fs::write(to, values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
                    .unwrap();
                println!("written {}", values.len());
            }
            ["run", passes] => {
                let times = (0..passes.parse().unwrap()).map(|_| {
                    let start = Instant::now();
                    network.run_into(black_box(&input[..]), black_box(&mut outputs)).unwrap();
                    format!("{:.4}", start.elapsed().as_secs_f64() * 1e3)
                });
                println!("{}", times.collect::<Vec<_>>().join(" "));
            }
            _ => panic!("{line}: expected write INPUT OUTPUT or run N"),
        }
        stdout().flush().unwrap();
    }
}
