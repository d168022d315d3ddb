//! The rules: which chains of nodes become which steps. All match backwards from the float tensor that is
//! quantised.

mod affine;
mod constant;
mod convolution;
mod coordinates;
mod deconvolution;
mod elementwise;
mod formula;
mod function;
mod functions;
mod groups;
mod matrix;
mod moves;
mod normalisation;
mod padding;
mod places;
mod pooling;
mod products;
mod real;
mod reduction;
mod resize;
mod shuffle;
mod softmax;
mod sums;
mod views;
mod weights;
mod window;

use tract_onnx::pb::NodeProto;

use super::builder::Builder;
use super::onnx::input;
use crate::refusal::Refusal;
use crate::steps::{Quantised, Real, Target};

/// Lowers what makes the float tensor `name`, to be quantised to `target`.
pub(super) fn lower(builder: &mut Builder, name: &str, target: Target) -> Result<Quantised, Refusal> {
    if builder.reals.contains_key(name) || formula::is_shared(builder, name) {
        // Once for all that read it.
        let once = |builder: &mut Builder| {
            builder.real(name)?;
            formula::chain(builder, name, target)
        };
        match builder.attempt(once) {
            Err(Refusal::Float(_)) => {}
            lowered => return lowered,
        }
    }
    let reason = match builder.attempt(|builder| rule(builder, name, target)) {
        Err(Refusal::Float(reason)) => reason,
        lowered => return lowered,
    };
    // Quantised at the end only: in one step, or what comes before in steps of its own.
    let whole = |builder: &mut Builder| formula::chain(builder, name, target);
    let apart = |builder: &mut Builder| {
        real::keep(builder, name)?;
        formula::chain(builder, name, target)
    };
    match builder.attempt(whole) {
        Err(Refusal::Float(_)) => match builder.attempt(apart) {
            Err(Refusal::Float(_)) => Err(Refusal::Float(reason)),
            lowered => lowered,
        },
        lowered => lowered,
    }
}

/// Computes the float tensor `name` once, for the builder.
pub(super) fn real(builder: &mut Builder, name: &str) -> Result<Real, Refusal> {
    real::lower(builder, name)
}

/// Lowers what makes the float tensor `name`, an output of the graph.
pub(super) fn output(builder: &mut Builder, name: &str) -> Result<Real, Refusal> {
    if builder.reals.contains_key(name) { builder.real(name) } else { real::by_kernels(builder, name) }
}

fn rule(builder: &mut Builder, name: &str, target: Target) -> Result<Quantised, Refusal> {
    let Some(index) = builder.onnx.producer(name) else {
        return Err(Refusal::float(name, "a float input of the graph"));
    };
    let node = &builder.onnx.graph.node[index];
    match node.op_type.as_str() {
        "Conv" => convolution::conv(builder, node, target),
        "MatMul" if products::joins(builder, node) => products::product(builder, node, target),
        "MatMul" if products::is_left(builder, node) => matrix::left(builder, node, target),
        "Gemm" | "MatMul" => matrix::product(builder, node, None, target),
        "Relu" | "Clip" if fuses(builder, node) => {
            let target = clipped(builder, node, target)?;
            lower(builder, input(node, 0)?, target)
        }
        "Add" | "Sub" => elementwise::add(builder, node, target),
        "Mul" => elementwise::multiply(builder, node, target),
        "Concat" => moves::concat(builder, node, target),
        "Slice" => views::slice(builder, node, target),
        "Split" => views::split(builder, node, name, target),
        "Transpose" => moves::transpose(builder, node, target),
        "Reshape" if let Some(shuffled) = shuffle::shuffle(builder, node, target) => Ok(shuffled),
        "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" => moves::reshape(builder, node, target),
        "MaxPool" => pooling::max(builder, node, target),
        "AveragePool" => pooling::average(builder, node, target),
        "GlobalAveragePool" => pooling::global(builder, node, target),
        "ReduceMean" if pooling::is_global(builder, node) => pooling::global(builder, node, target),
        "ReduceMean" | "ReduceSum" | "ReduceMax" | "ReduceMin" | "GlobalMaxPool" => {
            reduction::reduce(builder, node, target)
        }
        "ConvTranspose" => deconvolution::conv(builder, node, target),
        "Expand" => places::expand(builder, node, target),
        "Tile" => places::tile(builder, node, target),
        "Gather" => places::gather(builder, node, target),
        "DepthToSpace" | "SpaceToDepth" => places::blocks(builder, node, target),
        "Softmax" => softmax::softmax(builder, node, target),
        "LRN" => softmax::response(builder, node, target),
        "Pad" => padding::pad(builder, node, target),
        "Resize" => resize::resize(builder, node, target),
        _ => function::chain(builder, name, target),
    }
}

/// Whether a clipping follows directly on an op that is no function of one value: clipping a value and
/// clipping its quantised form are the same, as quantising keeps the order.
fn fuses(builder: &Builder, node: &NodeProto) -> bool {
    let maker = node.input.first().and_then(|name| builder.onnx.producer(name).map(|index| (name, index)));
    maker.is_some_and(|(name, index)| {
        let maker = &builder.onnx.graph.node[index];
        builder.readers(name) == 1
            && (!functions::knows(&maker.op_type) || elementwise::joins(builder, maker))
    })
}

/// The bounds that a `Relu` or `Clip` leaves.
fn clipped(builder: &Builder, node: &NodeProto, target: Target) -> Result<Target, Refusal> {
    let (low, high) = functions::bounds(builder, node)?;
    Ok(Target { low: i32::from(target.quantise(low)), high: i32::from(target.quantise(high)), ..target })
}
