//! Timing a network.

use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::explain::{Explanation, Sort};
use super::memory;
use super::quantile::quantile;
use crate::error::{Error, Result, SHORT, printable};
use edgeclip_engine::{Element, Engine, Input, StepReport, Values};
use edgeclip_kernels::Isa;

/// What was measured; times in milliseconds.
#[derive(Serialize)]
pub(super) struct Measurement {
    network: String,
    /// Instruction set of the kernels, or `float`.
    isa: &'static str,
    threads: usize,
    input: [usize; 4],
    runs: u32,
    load_ms: f64,
    /// From the start of loading to the end of the first pass.
    first_result_ms: f64,
    median_ms: f64,
    min_ms: f64,
    p90_ms: f64,
    /// Passes per second at the median.
    fps: f64,
    /// Of the whole process; null if the system does not say.
    peak_memory_bytes: Option<u64>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    explanation: Option<Explanation>,
}

impl Measurement {
    /// Times `runs` passes of `network`, whose loading began at `start` and is just over; its steps, too, if
    /// asked to.
    ///
    /// # Errors
    /// Those of the network.
    pub(super) fn of(
        name: String,
        network: &Engine,
        threads: usize,
        start: Instant,
        runs: u32,
        explain: Option<Sort>,
    ) -> Result<Self> {
        let load = start.elapsed();
        let pixels = Pixels::new(network.input());
        let mut outputs = vec![Vec::new(); network.outputs()?.len()];
        network.run_into(pixels.values(), &mut outputs)?;
        let first_result = start.elapsed();
        let mut times = Vec::with_capacity(runs as usize);
        for _ in 0..runs {
            let start = Instant::now();
            network.run_into(pixels.values(), &mut outputs)?;
            times.push(start.elapsed());
        }
        times.sort_unstable();
        let peak_memory_bytes = memory::peak();
        let explanation = explain.map(|sort| -> Result<Explanation> {
            if !network.is_int8() {
                let passes: Vec<_> = times.iter().map(|&time| vec![time]).collect();
                return Ok(Explanation::new(vec![float_step(network)], &passes, sort));
            }
            let passes = (0..runs).map(|_| network.step_times(pixels.values()));
            Ok(Explanation::new(network.steps(), &passes.collect::<edgeclip_engine::Result<Vec<_>>>()?, sort))
        });
        let median = quantile(&times, 0.5);
        Ok(Self {
            network: name,
            isa: if network.is_int8() { Isa::chosen().map_or("", Isa::name) } else { "float" },
            threads,
            input: network.input().shape,
            runs,
            load_ms: milliseconds(load),
            first_result_ms: milliseconds(first_result),
            median_ms: milliseconds(median),
            min_ms: milliseconds(quantile(&times, 0.0)),
            p90_ms: milliseconds(quantile(&times, 0.9)),
            fps: (1e3 / median.as_secs_f64()).round() / 1e3,
            peak_memory_bytes,
            explanation: explanation.transpose()?,
        })
    }

    /// One JSON object.
    ///
    /// # Errors
    /// [`Error::Bug`], never.
    pub(super) fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| Error::bug(format!("a measurement: {error}")))
    }
}

impl fmt::Display for Measurement {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [_, channels, height, width] = self.input;
        let threads = if self.threads == 1 { "thread" } else { "threads" };
        writeln!(
            to,
            "{}  {channels}×{height}×{width}, {}, {} {threads}",
            printable(&self.network, SHORT),
            self.isa,
            self.threads
        )?;
        writeln!(to, "load    {:8.2} ms, first result after {:.2} ms", self.load_ms, self.first_result_ms)?;
        writeln!(
            to,
            "pass    {:8.2} ms median of {} (min {:.2}, p90 {:.2}), {:.1} a second",
            self.median_ms, self.runs, self.min_ms, self.p90_ms, self.fps
        )?;
        match self.peak_memory_bytes {
            Some(bytes) => {
                write!(to, "memory  {:8.1} MB at the peak of the whole process", bytes as f64 / 1e6)?
            }
            None => write!(to, "memory   unknown on this system")?,
        }
        match &self.explanation {
            Some(explanation) => write!(to, "\n\n{explanation}"),
            None => Ok(()),
        }
    }
}

/// A network in float as one step, whose MACs are not counted.
fn float_step(network: &Engine) -> StepReport {
    let [_, channels, height, width] = network.input().shape;
    StepReport {
        node: "(the whole network)".to_owned(),
        kernel: "float",
        refusal: Some(network.left_in_float().join(", ")),
        shape: [channels, height, width],
        macs: 0,
    }
}

/// A picture of noise in a network's input type.
enum Pixels {
    Int8(Vec<i8>),
    Uint8(Vec<u8>),
    Float(Vec<f32>),
}

impl Pixels {
    fn new(input: &Input) -> Self {
        let length: usize = input.shape.iter().product();
        // Knuth's multiplicative hash of the index.
        let bytes = (0..length).map(|index| ((index as u32).wrapping_mul(2_654_435_761) >> 24) as u8);
        match input.element {
            Element::Int8 => Self::Int8(bytes.map(|byte| byte as i8).collect()),
            Element::Uint8 => Self::Uint8(bytes.collect()),
            Element::Float => Self::Float(bytes.map(|byte| f32::from(byte) / 127.5 - 1.0).collect()),
        }
    }

    fn values(&self) -> Values<'_> {
        match self {
            Self::Int8(values) => Values::Int8(values),
            Self::Uint8(values) => Values::Uint8(values),
            Self::Float(values) => Values::Float(values),
        }
    }
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
