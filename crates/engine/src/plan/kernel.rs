//! What a step calls: a kernel with its constants packed.

use crate::steps::{Convolution, Island, Kind, Meeting, Op, Unit};
use edgeclip_kernels::Isa;
use edgeclip_kernels::add::Add;
use edgeclip_kernels::affine::Affine;
use edgeclip_kernels::conv_depthwise::Depthwise;
use edgeclip_kernels::conv_direct::Direct;
use edgeclip_kernels::conv_pointwise::Pointwise;
use edgeclip_kernels::conv_residual::ConvResidual;
use edgeclip_kernels::interpolate::Interpolate;
use edgeclip_kernels::matmul::MatMul;
use edgeclip_kernels::multiply::Multiply;
use edgeclip_kernels::pad::Pad;
use edgeclip_kernels::patches::Window;
use edgeclip_kernels::pool::{Mean, RealPool};
use edgeclip_kernels::rearrange::Rearrange;
use edgeclip_kernels::response::Response;
use edgeclip_kernels::softmax::Softmax;
use edgeclip_kernels::table::Table;
use edgeclip_kernels::upsample::Upsample;

#[derive(Debug)]
pub(super) enum Kernel {
    Pointwise(Pointwise),
    Direct(Direct),
    Depthwise(Depthwise),
    /// Over patches, padded with the last, where there are windows.
    Residual(ConvResidual, Option<(Window, i8)>),
    Add(Add),
    Multiply(Multiply),
    Affine(Affine),
    Softmax(Softmax),
    Response(Response),
    Concat(Vec<Table>),
    Interleave(Box<[Table; 2]>),
    Max(Window),
    Mean(Window, Mean),
    Upsample(Upsample),
    Interpolate(Interpolate),
    Repeat,
    Rearrange(Rearrange, usize),
    Pad(Pad),
    MatMul(MatMul),
    RealPool(Window, RealPool),
    RealInterpolate(Interpolate),
    Constant(Vec<i8>),
    Meeting(Box<Meeting>),
    /// Its results are quantised so, or stay as they are.
    Island(Box<Island>, Option<Unit>),
}

impl Kernel {
    pub(super) fn new(op: Op, isa: Isa) -> Self {
        match op {
            Op::Convolution(conv) => Self::convolution(*conv, isa),
            Op::Residual(conv, residual) => {
                let Convolution { kind, window, padding, weights, requantise } = *conv;
                let packed = ConvResidual::new(isa, &weights, requantise, residual);
                Self::Residual(packed, (kind == Kind::Patches).then_some((window, padding)))
            }
            Op::Multiply(multiply) => Self::Multiply(multiply),
            Op::Repeat => Self::Repeat,
            Op::Rearrange(order, start) => Self::Rearrange(order, start),
            Op::Pad(pad) => Self::Pad(pad),
            Op::MatMul(product) => Self::MatMul(product),
            Op::RealPool(window, pool) => Self::RealPool(window, pool),
            Op::RealInterpolate(interpolated) => Self::RealInterpolate(interpolated),
            Op::Constant(values) => Self::Constant(values),
            Op::Meeting(meeting) => Self::Meeting(meeting),
            Op::Affine(affine) => Self::Affine(affine),
            Op::Softmax(softmax) => Self::Softmax(softmax),
            Op::Response(response) => Self::Response(response),
            Op::Add(add) => Self::Add(add),
            Op::Table(table) => Self::Concat(vec![table]),
            Op::Concat(tables) => Self::Concat(tables),
            Op::Interleave(tables) => Self::Interleave(tables),
            Op::Max(window) => Self::Max(window),
            Op::Mean(window, mean) => Self::Mean(window, mean),
            Op::Upsample(upsample) => Self::Upsample(upsample),
            Op::Interpolate(interpolate) => Self::Interpolate(interpolate),
            Op::Island(island, unit) => Self::Island(island, unit),
        }
    }

    fn convolution(conv: Convolution, isa: Isa) -> Self {
        let Convolution { kind, window, padding, weights, requantise } = conv;
        if kind == Kind::Depthwise {
            return Self::Depthwise(Depthwise::new(isa, window, padding, &weights, requantise));
        }
        if kind == Kind::Patches {
            return Self::Direct(Direct::new(isa, window, padding, &weights, requantise));
        }
        let outputs = requantise.bias.len();
        Self::Pointwise(Pointwise::new(isa, weights.len() / outputs, outputs, &weights, requantise))
    }

    /// What reports call it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Pointwise(_) => "pointwise",
            Self::Direct(_) => "convolution",
            Self::Depthwise(_) => "depthwise",
            Self::Residual(..) => "residual",
            Self::Add(_) => "add",
            Self::Multiply(_) => "multiply",
            Self::Repeat => "nearest",
            Self::Rearrange(..) => "layout",
            Self::Pad(_) => "pad",
            Self::MatMul(_) => "matmul",
            Self::RealPool(..) => "float_pool",
            Self::RealInterpolate(_) => "float_interpolate",
            Self::Constant(_) => "constant",
            Self::Meeting(_) => "formula",
            Self::Affine(_) => "affine",
            Self::Softmax(_) => "softmax",
            Self::Response(_) => "response",
            Self::Concat(tables) if tables.len() == 1 => "table",
            Self::Concat(_) => "concat",
            Self::Interleave(_) => "interleave",
            Self::Max(_) => "max_pool",
            Self::Mean(..) => "mean",
            Self::Upsample(_) => "upsample",
            Self::Interpolate(_) => "interpolate",
            Self::Island(..) => "float",
        }
    }
}
