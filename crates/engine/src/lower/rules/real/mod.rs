//! Float tensors that several chains read, or that kernels compute but not value by value.

mod moves;
mod windows;

use tract_onnx::pb::NodeProto;

use super::{constant, formula};
use crate::lower::arrange::{real_copied, real_strides, usual, whole};
use crate::lower::builder::Builder;
use crate::lower::onnx::Constant;
use crate::refusal::{Reason, Refusal};
use crate::steps::{Op, Order, Real};

/// Computes the float tensor `name` by kernels, for all that read it.
pub(in crate::lower) fn keep(builder: &mut Builder, name: &str) -> Result<(), Refusal> {
    let made = by_kernels(builder, name)?;
    builder.reals.insert(name.to_owned(), made);
    Ok(())
}

/// The float tensor `name` by kernels alone.
pub(in crate::lower) fn by_kernels(builder: &mut Builder, name: &str) -> Result<Real, Refusal> {
    if constant::is_constant(builder, name) {
        return stored(builder, name);
    }
    match builder.attempt(|builder| formula::real(builder, name)) {
        Err(Refusal::Float(reason)) => match builder.attempt(|builder| rule(builder, name)) {
            Err(Refusal::Float(_)) => Err(Refusal::Float(reason)),
            made => made,
        },
        made => made,
    }
}

/// The float tensor `name`, by kernels or else as an island.
pub(in crate::lower) fn lower(builder: &mut Builder, name: &str) -> Result<Real, Refusal> {
    match by_kernels(builder, name) {
        Err(Refusal::Float(why)) => {
            let node = builder.onnx.title(name).to_owned();
            let reason = Reason { node, ..why };
            builder.attempt(|builder| builder.leave_real(name, reason))
        }
        made => made,
    }
}

/// What is computed neither value by value nor of whole pixels.
fn rule(builder: &mut Builder, name: &str) -> Result<Real, Refusal> {
    let index = builder.onnx.producer(name);
    let node: &NodeProto = match index {
        Some(index) => &builder.onnx.graph.node[index],
        None => return Err(Refusal::float(name, "a float input of the graph")),
    };
    match node.op_type.as_str() {
        "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" => moves::reshape(builder, node),
        "Transpose" => moves::transpose(builder, node),
        "Slice" => moves::slice(builder, node),
        "Split" => moves::split(builder, node, name),
        "Concat" => moves::concat(builder, node),
        "Expand" => moves::expand(builder, node),
        "Pad" => moves::pad(builder, node),
        "MaxPool" | "AveragePool" => windows::pool(builder, node),
        "Resize" => windows::resize(builder, node),
        op => Err(Refusal::float(&node.name, format!("op {op} in a chain that no rule knows"))),
    }
}

/// The constant `name` as a step's result.
fn stored(builder: &mut Builder, name: &str) -> Result<Real, Refusal> {
    let Constant { dims: shape, values } = constant::real(builder, name)?;
    if shape.is_empty() {
        return Err(Refusal::float(name, "a constant without axes"));
    }
    let bytes = values.iter().flat_map(|value| value.to_ne_bytes()).map(|byte| byte as i8).collect();
    let real = made(builder, shape, Order::Last);
    builder.within_budget(name)?;
    builder.push(name, Op::Constant(bytes), Vec::new(), real.view);
    Ok(real)
}

/// A new tensor of floats.
fn made(builder: &mut Builder, shape: Vec<usize>, order: Order) -> Real {
    let view = whole(0, shape.clone(), order, false).view;
    let view = builder.buffer(view.channels.saturating_mul(size_of::<f32>()), view.height, view.width);
    Real { view, shape, order }
}

/// `x` lying in the order.
fn in_order(builder: &mut Builder, name: &str, x: &Real, order: Order) -> Real {
    if x.order == order {
        return x.clone();
    }
    real_copied(builder, name, x.view, (x.shape.clone(), &real_strides(x), 0), order)
}

/// `x`, a picture, with its channels side by side, and its channels, height and width.
fn picture(builder: &mut Builder, node: &NodeProto, x: &Real) -> Result<(Real, [usize; 3]), Refusal> {
    match x.shape[..] {
        [1, channels, height, width] => {
            Ok((in_order(builder, &node.name, x, usual(&x.shape)), [channels, height, width]))
        }
        _ => Err(Refusal::float(&node.name, format!("windows over a tensor {:?}", x.shape))),
    }
}
