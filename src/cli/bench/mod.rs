//! `edgeclip bench`

mod explain;
mod measure;
mod memory;
mod quantile;

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use self::explain::Sort;
use self::measure::Measurement;
use super::failures::complain;
use super::model::ModelArgs;
use super::{Failures, print};
use crate::error::Error;
use crate::model::Vision;
use edgeclip_engine::Engine;

/// Each run's time is kept.
const MOST_RUNS: i64 = 100_000;

/// Measure how long one pass of the vision network takes on this machine, alone, on random pixels
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  edgeclip bench
  edgeclip bench --threads 1 --runs 100 --json
  edgeclip bench --explain --sort time      where the time goes, step by step
  edgeclip bench --onnx network.onnx        any QDQ network of one picture
  EDGECLIP_ISA=avx2 edgeclip bench          with another instruction set of this CPU")]
pub(crate) struct Args {
    /// Time this QDQ network, whose input is one picture of a fixed size, instead of a bundle's
    #[arg(long, value_name = "FILE", conflicts_with = "model")]
    onnx: Option<PathBuf>,
    /// Timed passes
    #[arg(long, value_name = "N", default_value = "30", value_parser = clap::value_parser!(u32).range(1..=MOST_RUNS))]
    runs: u32,
    /// List every step: int8 or float and why, its MACs, its time
    #[arg(long)]
    explain: bool,
    /// Order of the steps: graph or time
    #[arg(
        long,
        value_enum,
        value_name = "ORDER",
        default_value = "graph",
        requires = "explain",
        hide_possible_values = true
    )]
    sort: Sort,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    model: ModelArgs,
}

/// Measures and prints.
///
/// # Errors
/// If the network cannot be loaded or run.
pub(crate) fn run(args: &Args) -> anyhow::Result<Failures> {
    let threads = args.model.threads();
    let bundle = args.onnx.is_none().then(|| args.model.bundle()).transpose()?;
    let start = Instant::now();
    let (name, network) = match (&args.onnx, &bundle) {
        (Some(path), _) => (path.display().to_string(), Engine::options().threads(threads).open(path)?),
        (None, Some(bundle)) => (bundle.manifest.name.clone(), Vision::engine(bundle, threads)?),
        (None, None) => return Err(Error::bug("no network to time").into()),
    };
    network.outputs()?;
    if !network.is_int8() {
        let why = network.left_in_float().join(", ");
        complain(&format!("warning: {name} runs in float, which is slow: {why}"));
    }
    let explain = args.explain.then_some(args.sort);
    let measurement = Measurement::of(name, &network, threads, start, args.runs, explain)?;
    let text = if args.json { measurement.to_json()? } else { measurement.to_string() };
    print(|out| writeln!(out, "{text}"))?;
    Ok(Failures::default())
}
