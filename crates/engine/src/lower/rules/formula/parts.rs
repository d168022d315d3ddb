//! What meets in a formula, and the shape of its result.

use tract_onnx::pb::NodeProto;

use crate::lower::arrange::{broadcast, usual};
use crate::lower::builder::Builder;
use crate::lower::rules::convolution::Stored16;
use crate::lower::rules::sums::Sums;
use crate::lower::rules::{constant, deconvolution, functions, matrix};
use crate::refusal::Refusal;
use crate::steps::{Activation, Order};
use edgeclip_kernels::wide::Wide;

/// Most lines of a formula.
pub(super) const LINES: usize = 64;

/// Convolutions and products by their nodes' results, tensors by their own names.
pub(super) struct Parts {
    pub(super) sums: Vec<(String, Sums)>,
    pub(super) tensors: Vec<(String, Activation)>,
    pub(super) shape: Vec<usize>,
    pub(super) order: Order,
}

/// What the float tensor `name` is made of, and its shape.
pub(super) fn parts(builder: &mut Builder, name: &str) -> Result<Parts, Refusal> {
    let (mut wanted, mut seen) = (vec![name.to_owned()], Vec::new());
    let (mut sums, mut tensors) = (Vec::<(String, Sums)>::new(), Vec::<(String, Activation)>::new());
    let mut shapes: Vec<Vec<usize>> = Vec::new();
    while let Some(name) = wanted.pop() {
        if seen.contains(&name) {
            continue;
        }
        seen.push(name.clone());
        if constant::is_constant(builder, &name) {
            shapes.push(constant::real(builder, &name)?.dims);
            continue;
        }
        let index = builder.onnx.producer(&name).filter(|_| seen.len() <= LINES);
        let index = index.ok_or_else(|| Refusal::float(&name, "a float input of the graph"))?;
        let node = &builder.onnx.graph.node[index];
        match node.op_type.as_str() {
            "DequantizeLinear" => tensors.push((name.clone(), builder.any_activation(&name)?)),
            "Conv" => sums.push((name, convolution(Stored16::new(builder, node)?))),
            "ConvTranspose" => sums.push((name, convolution(deconvolution::stored(builder, node)?))),
            "MatMul" | "Gemm" => sums.push((name, matrix::sums(builder, node)?)),
            op if functions::knows(op) || takes(op) => {
                wanted.extend(node.input[..operands(node)].iter().cloned());
            }
            op => return Err(Refusal::float(&node.name, format!("op {op} in a chain that no rule knows"))),
        }
    }
    let known = sums.iter().map(|(_, sums)| &sums.shape).chain(tensors.iter().map(|(_, x)| &x.tensor.shape));
    let shape = broadcast(known.chain(&shapes).map(Vec::as_slice));
    let shape =
        shape.ok_or_else(|| Refusal::float(builder.onnx.title(name), "tensors of shapes that do not fit"))?;
    let whole = tensors.iter().find(|(_, x)| x.tensor.shape == shape).map(|(_, x)| x.tensor.order);
    let order = sums.first().map(|(_, sums)| sums.order).or(whole).unwrap_or_else(|| usual(&shape));
    if sums.iter().any(|(_, sums)| sums.shape != shape || sums.order != order)
        || tensors.len() + sums.len() == 0
    {
        return Err(Refusal::float(builder.onnx.title(name), "a convolution that is repeated"));
    }
    Ok(Parts { sums, tensors, shape, order })
}

/// Ops that [`functions`] does not know.
fn takes(op: &str) -> bool {
    matches!(op, "PRelu" | "BatchNormalization" | "Sum")
}

/// How many of a node's inputs are operands, not bounds or constants of another meaning.
pub(super) fn operands(node: &NodeProto) -> usize {
    match node.op_type.as_str() {
        "Clip" | "BatchNormalization" => 1,
        _ => node.input.len(),
    }
}

/// A convolution's sums.
fn convolution(stored: Stored16) -> Sums {
    let [height, width] = stored.window.output;
    let (outputs, zero) = (stored.bias.len(), stored.x.zero as i8);
    Sums {
        multipliers: stored.scales.iter().map(|scale| stored.x.scale * scale).collect(),
        from: stored.x.tensor.view,
        shape: vec![1, outputs, height, width],
        order: Order::First,
        wide: Wide::new(stored.window, stored.groups, zero, &stored.weights, stored.bias),
    }
}
