//! `Gemm` and `MatMul` by constant weights: pointwise convolutions.

use tract_onnx::pb::NodeProto;

use super::weights::{bias, requantise, weights};
use crate::lower::builder::Builder;
use crate::lower::onnx::{float, input, integer};
use crate::refusal::Refusal;
use crate::steps::{Convolution, Kind, Op, Order, Quantised, Target};
use edgeclip_kernels::patches::Window;

/// DQ → Gemm or MatMul → Q along the last axis. `added` is a constant that is added to a product without a
/// bias of its own.
pub(super) fn product(
    builder: &mut Builder,
    node: &NodeProto,
    added: Option<&str>,
    target: Target,
) -> Result<Quantised, Refusal> {
    let refuse = |what: String| Refusal::float(&node.name, what);
    let (mut transposed, mut constant) = (false, added);
    if node.op_type == "Gemm" {
        transposed = integer(node, "transB", 0) != 0;
        constant = constant.or(input(node, 2).ok());
        let plain =
            float(node, "alpha", 1.0) == 1.0 && (constant.is_none() || float(node, "beta", 1.0) == 1.0);
        if integer(node, "transA", 0) != 0 || !plain {
            return Err(refuse("a Gemm other than x · W + b or x · Wᵀ + b".into()));
        }
    }
    let x = builder.any_activation(input(node, 0)?)?;
    let weights = weights(builder, node, usize::from(!transposed))?;
    let &[rows, columns] = &weights.dims[..] else {
        return Err(refuse(format!("a product of shapes {:?} and {:?}", x.tensor.shape, weights.dims)));
    };
    let (outputs, inputs) = if transposed { (rows, columns) } else { (columns, rows) };
    let is_vector = x.tensor.shape.len() == 2;
    if x.tensor.order == Order::First && !is_vector {
        return Err(refuse(format!("a product along the last axis of {:?}", x.tensor.shape)));
    }
    if inputs != x.tensor.view.channels {
        let found = format!("weights {:?} for {} values", weights.dims, x.tensor.view.channels);
        return Err(Refusal::broken(&node.name, found));
    }
    let values = if transposed { weights.values } else { rows_of(&weights.values, outputs) };
    let bias = bias(builder, node, constant, x.scale, &weights.scales)?;
    let requantise = requantise(node, &x, &weights.scales, &bias, &values, target)?;
    let size = [x.tensor.view.height, x.tensor.view.width];
    let window =
        Window { input: size, output: size, kernel: [1, 1], stride: [1, 1], pad: [0, 0], dilation: [1; 2] };
    let to = builder.buffer(outputs, size[0], size[1]);
    let (kind, padding) = (Kind::Pointwise, x.zero as i8);
    let conv = Convolution { kind, window, padding, weights: values, requantise };
    builder.push(&node.name, Op::Convolution(Box::new(conv)), vec![x.tensor.view], to);
    let mut tensor = x.tensor.at(to);
    if let Some(channels) = tensor.shape.last_mut() {
        *channels = outputs;
    }
    Ok(tensor)
}

/// `[inputs, outputs]` → `[outputs, inputs]`.
fn rows_of(weights: &[i8], outputs: usize) -> Vec<i8> {
    (0..outputs).flat_map(|output| weights.iter().skip(output).step_by(outputs)).copied().collect()
}
