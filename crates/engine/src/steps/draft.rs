//! The steps of a network before their weights are packed.

use edgeclip_kernels::add::Add;
use edgeclip_kernels::affine::Affine;
use edgeclip_kernels::conv_residual::Residual;
use edgeclip_kernels::formula::Formula;
use edgeclip_kernels::interpolate::Interpolate;
use edgeclip_kernels::matmul::{Factors, MatMul};
use edgeclip_kernels::multiply::Multiply;
use edgeclip_kernels::pad::Pad;
use edgeclip_kernels::patches::Window;
use edgeclip_kernels::pool::{Mean, RealPool};
use edgeclip_kernels::rearrange::Rearrange;
use edgeclip_kernels::requantise::Requantise;
use edgeclip_kernels::response::Response;
use edgeclip_kernels::softmax::Softmax;
use edgeclip_kernels::table::Table;
use edgeclip_kernels::upsample::Upsample;
use edgeclip_kernels::wide::Wide;

use super::island::Island;
use super::unit::Unit;

/// Some or all channels of a picture in a buffer, `[height, width, channels]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) buffer: usize,
    /// First channel.
    pub(crate) offset: usize,
    pub(crate) channels: usize,
    /// Channels of the buffer.
    pub(crate) stride: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

impl View {
    pub(crate) fn whole(buffer: usize, channels: usize, height: usize, width: usize) -> Self {
        Self { buffer, offset: 0, channels, stride: channels, height, width }
    }

    pub(crate) fn is_dense(&self) -> bool {
        self.stride == self.channels
    }

    pub(crate) fn pixels(&self) -> usize {
        self.height.saturating_mul(self.width)
    }

    pub(crate) fn len(&self) -> usize {
        self.pixels().saturating_mul(self.channels)
    }
}

/// Which kernel convolves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Pointwise,
    Patches,
    Depthwise,
}

/// A convolution.
#[derive(Debug)]
pub(crate) struct Convolution {
    pub(crate) kind: Kind,
    pub(crate) window: Window,
    /// The input's zero point.
    pub(crate) padding: i8,
    /// `[outputs, inputs of an output]` in the order in which the kernel meets them.
    pub(crate) weights: Vec<i8>,
    pub(crate) requantise: Requantise,
}

/// Sums of products that are not quantised by themselves.
#[derive(Debug)]
pub(crate) enum Sum {
    /// Of one input.
    Convolution(Wide),
    /// Of two computed matrices, the rows of both side by side.
    Product(Factors),
}

impl Sum {
    /// How many inputs it reads.
    pub(crate) fn inputs(&self) -> usize {
        if matches!(self, Self::Product(_)) { 2 } else { 1 }
    }
}

/// What meets in float before it is quantised.
#[derive(Debug)]
pub(crate) struct Meeting {
    /// Of the first inputs.
    pub(crate) sums: Vec<Sum>,
    /// Of these sums and the other inputs.
    pub(crate) formula: Formula,
}

/// What a step does. Inputs come in the order of [`Draft::from`].
#[derive(Debug)]
pub(crate) enum Op {
    Convolution(Box<Convolution>),
    /// A convolution of the first input, pointwise or over patches, plus the second.
    Residual(Box<Convolution>, Residual),
    Add(Add),
    /// Of two tensors of one shape, or of the first by one value a channel.
    Multiply(Multiply),
    Table(Table),
    /// Constants of each channel.
    Affine(Affine),
    /// Over the channels of each pixel.
    Softmax(Softmax),
    Response(Response),
    /// One table an input.
    Concat(Vec<Table>),
    /// The two inputs channel by channel in turn.
    Interleave(Box<[Table; 2]>),
    Max(Window),
    Mean(Window, Mean),
    Upsample(Upsample),
    Interpolate(Interpolate),
    /// Every pixel four times.
    Repeat,
    /// All values in another order, from so many values after the first on.
    Rearrange(Rearrange, usize),
    Pad(Pad),
    /// Of the first input's rows and the second one's, matrix by matrix.
    MatMul(MatMul),
    /// The largest or mean float of each window.
    RealPool(Window, RealPool),
    /// Floats between four neighbours.
    RealInterpolate(Interpolate),
    /// Of no input.
    Constant(Vec<i8>),
    Meeting(Box<Meeting>),
    /// Its results are quantised so, or stay as they are.
    Island(Box<Island>, Option<Unit>),
}

/// One step: `to`, a whole buffer, from `from`.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The node of the graph.
    pub(crate) name: String,
    pub(crate) op: Op,
    pub(crate) from: Vec<View>,
    pub(crate) to: View,
}

impl Draft {
    /// Products of weights and activations.
    pub(crate) fn macs(&self) -> u64 {
        match &self.op {
            Op::Convolution(conv) | Op::Residual(conv, _) => {
                self.to.pixels().saturating_mul(conv.weights.len()) as u64
            }
            Op::MatMul(product) => self.to.len().saturating_mul(product.factors.length) as u64,
            Op::Meeting(meeting) => {
                let values = self.to.len() / meeting.formula.end.bytes() * meeting.formula.values();
                let products = meeting.sums.iter().map(|sum| match sum {
                    Sum::Convolution(conv) => conv.products(),
                    Sum::Product(factors) => values.saturating_mul(factors.length),
                });
                products.fold(0, usize::saturating_add) as u64
            }
            Op::Island(island, _) => island.macs,
            _ => 0,
        }
    }
}
