//! A lowered network: what lowering makes and planning takes.

mod draft;
mod island;
mod output;
mod picture;
mod tensor;
mod unit;

pub(crate) use draft::{Convolution, Draft, Kind, Meeting, Op, Sum, View};
pub(crate) use island::Island;
pub(crate) use output::{Output, Source};
pub(crate) use picture::Picture;
pub(crate) use tensor::{Activation, Order, Quantised, Real, Target, signed};
pub(crate) use unit::Unit;

use crate::refusal::Reason;

/// A lowered network.
#[derive(Debug)]
pub(crate) struct Lowered {
    /// Channels, height and width of the input, buffer 0.
    pub(crate) size: [usize; 3],
    /// In the order in which they run.
    pub(crate) steps: Vec<Draft>,
    /// In the file's order.
    pub(crate) outputs: Vec<Output>,
    /// Why parts stay in float, in the graph's order.
    pub(crate) left: Vec<Reason>,
}
