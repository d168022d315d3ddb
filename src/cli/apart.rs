//! `edgeclip apart`, which `edgeclip run` starts by itself for each network source.

use tracing_subscriber::filter::LevelFilter;

use super::{Failures, log};
use crate::source::apart::{keep, serve_nursery};

/// Read a network source for the `edgeclip run` that starts this
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Messages on standard error
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log: LevelFilter,
    /// Start such processes for a sealed `edgeclip run`
    #[arg(long)]
    nursery: bool,
}

/// Runs the subcommand.
///
/// # Errors
/// There is no order on standard input.
pub(crate) fn run(args: &Args) -> anyhow::Result<Failures> {
    log::start(args.log);
    if args.nursery {
        serve_nursery()?
    } else {
        keep()?
    }
    Ok(Failures::default())
}
