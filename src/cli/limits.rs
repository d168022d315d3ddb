//! How much memory a picture may take.

use super::log;
use crate::source::set_max_picture_mb;
use tracing_subscriber::filter::LevelFilter;

/// The flag that all subcommands with pictures share.
#[derive(clap::Args)]
pub(crate) struct LimitArgs {
    /// Most megabytes that a picture may take while it is decoded; larger JPEGs are decoded at a part of their size,
    /// other pictures refused [default: half of the available memory, 16 to 400]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    max_picture_mb: Option<u64>,
}

impl LimitArgs {
    /// Sets the limit, and sends warnings about pictures to standard error.
    pub(crate) fn apply(&self) {
        log::start(LevelFilter::WARN);
        if let Some(megabytes) = self.max_picture_mb {
            set_max_picture_mb(megabytes);
        }
    }
}
