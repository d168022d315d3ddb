//! What must hold of every graph before anything else reads it: names that mean one thing, nodes with their
//! inputs, numbers that no loop or table is built from without end.

use std::collections::HashSet;

use tract_onnx::pb::{ModelProto, NodeProto};

use super::flaw::Flaw;
use crate::error::{Error, Result};
use crate::lower::onnx::{Onnx, list, word};

/// Most nodes of a graph.
const NODES: usize = 1 << 16;

/// Most that a side of a window, a step, a gap or a padding may be.
const SIDE: i64 = 1 << 16;

/// Most values of a window.
const WINDOW: i64 = 1 << 20;

/// Longest name of a tensor or node.
const NAME: usize = 4096;

/// Checks the graph of `model`, which the file `file` held.
///
/// # Errors
/// [`Error::Model`] naming the first node or tensor that is broken.
pub(crate) fn structure(file: &str, model: &ModelProto) -> Result<()> {
    let Some(graph) = &model.graph else { return Err(Error::model(file, "no graph", "an ONNX network")) };
    if graph.node.len() > NODES {
        let found = format!("{} nodes", graph.node.len());
        return Err(Error::model(file, found, format!("at most {NODES}")));
    }
    let constants: HashSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    let inputs = graph.input.iter().map(|input| input.name.as_str()).filter(|name| !constants.contains(name));
    let initializers = graph.initializer.iter().map(|tensor| tensor.name.as_str());
    let outputs = graph.node.iter().flat_map(|node| &node.output).map(String::as_str);
    let mut known = HashSet::new();
    for name in inputs.chain(initializers).chain(outputs.filter(|name| !name.is_empty())) {
        if name.len() > NAME {
            return Err(Error::model(
                file,
                format!("a name of {} bytes", name.len()),
                format!("at most {NAME}"),
            ));
        }
        if !known.insert(name) {
            return Err(Error::model(file, format!("two tensors called {name}"), "names that differ"));
        }
    }
    if graph.output.is_empty() {
        return Err(Error::model(file, "no outputs", "an output to compute"));
    }
    let onnx = Onnx::new(graph);
    for node in &graph.node {
        let checked = inputs_of(node)
            .and_then(|()| super::axes(&onnx, node))
            .and_then(|()| numbers(node))
            .and_then(|()| windows(&onnx, node))
            .and_then(|()| factors(&onnx, node));
        checked.map_err(|flaw| {
            let name = if node.name.is_empty() { node.output.first() } else { Some(&node.name) };
            let name = name.map_or("without a name", String::as_str);
            let found = format!("node {name} ({}) with {}", node.op_type, flaw.found);
            Error::model(file, found, flaw.expected)
        })?;
    }
    Ok(())
}

/// As many inputs as the op cannot do without, an output, no graphs inside.
fn inputs_of(node: &NodeProto) -> std::result::Result<(), Flaw> {
    if node.attribute.iter().any(|attribute| attribute.g.is_some() || !attribute.graphs.is_empty()) {
        return Err(Flaw::new("a graph inside", "a graph without branches and loops"));
    }
    let least = match node.op_type.as_str() {
        "Constant" | "RandomNormal" | "RandomUniform" => 0,
        "Add" | "Sub" | "Mul" | "Div" | "Pow" | "And" | "Or" | "Xor" | "Equal" | "Greater" | "Less"
        | "GreaterOrEqual" | "LessOrEqual" | "MatMul" | "Gemm" | "Conv" | "ConvTranspose" | "Gather"
        | "GatherElements" | "GatherND" | "Expand" | "Tile" | "BitShift" | "Mod" | "PRelu"
        | "DequantizeLinear" | "QuantizeLinear" | "ConvInteger" | "MatMulInteger" | "LayerNormalization"
        | "CumSum" | "Compress" | "GridSample" | "MaxUnpool" | "MaxRoiPool" | "ReverseSequence" => 2,
        "Where"
        | "ScatterElements"
        | "Scatter"
        | "ScatterND"
        | "OneHot"
        | "Range"
        | "InstanceNormalization"
        | "GroupNormalization"
        | "LSTM"
        | "GRU"
        | "RNN" => 3,
        "BatchNormalization" => 5,
        "QLinearConv" | "QLinearMatMul" => 8,
        _ => 1,
    };
    let given = node.input.iter().take_while(|name| !name.is_empty()).count();
    if given < least {
        let found = format!("{given} inputs");
        return Err(Flaw::new(found, format!("at least {least} inputs")));
    }
    if node.output.iter().all(String::is_empty) {
        return Err(Flaw::new("no output", "an output"));
    }
    Ok(())
}

/// Attributes of one number, which tract may count up to.
fn numbers(node: &NodeProto) -> std::result::Result<(), Flaw> {
    // A number of theirs is a value.
    if matches!(node.op_type.as_str(), "Constant" | "Shape") {
        return Ok(());
    }
    match node.attribute.iter().find(|attribute| !(-SIDE..=SIDE).contains(&attribute.i)) {
        Some(attribute) => Err(Flaw::new(
            format!("{} of {}", attribute.name, attribute.i),
            format!("a number from -{SIDE} to {SIDE}"),
        )),
        None => Ok(()),
    }
}

/// The windows of convolutions and poolings.
fn windows(onnx: &Onnx<'_>, node: &NodeProto) -> std::result::Result<(), Flaw> {
    for name in ["kernel_shape", "strides", "dilations", "pads", "output_padding"] {
        let values = list(node, name, &[]);
        if values.iter().any(|&value| !(0..=SIDE).contains(&value)) && node.op_type != "Pad" {
            return Err(Flaw::new(format!("{name} of {values:?}"), format!("numbers from 0 to {SIDE}")));
        }
    }
    let weights = node.input.get(1).and_then(|name| {
        let dq = onnx.made_by(name, "DequantizeLinear").and_then(|dq| dq.input.first());
        onnx.constant(dq.unwrap_or(name)).and_then(|tensor| tensor.dims.get(2..))
    });
    let is_convolution = node.op_type.contains("Conv");
    let kernel = list(node, "kernel_shape", weights.filter(|_| is_convolution).unwrap_or(&[]));
    let gaps = list(node, "dilations", &[]);
    let reach = |(at, &side): (usize, &i64)| (side.clamp(1, SIDE) - 1) * gaps.get(at).unwrap_or(&1) + 1;
    let reach: Vec<i64> = kernel.iter().enumerate().map(reach).collect();
    let values = kernel.iter().fold(1, |count: i64, &side| count.saturating_mul(side));
    if values > WINDOW || reach.iter().any(|&side| side > SIDE) {
        let found = format!("a kernel of {kernel:?} with dilations of {gaps:?}");
        return Err(Flaw::new(found, format!("at most {WINDOW} values within {SIDE} by {SIDE}")));
    }
    let pads = list(node, "pads", &[]);
    if !node.op_type.ends_with("Pool")
        || pads.len() != 2 * reach.len()
        || !word(node, "auto_pad", "NOTSET", "NOTSET")
    {
        return Ok(());
    }
    let (before, after) = pads.split_at(reach.len());
    if before.iter().zip(after).zip(&reach).any(|((before, after), reach)| before + after > *reach) {
        let found = format!("pads of {pads:?} around windows of {kernel:?}");
        return Err(Flaw::new(found, "windows that reach into the picture"));
    }
    Ok(())
}

/// The constant factors of a `Resize`.
fn factors(onnx: &Onnx<'_>, node: &NodeProto) -> std::result::Result<(), Flaw> {
    let factors = match node.op_type.as_str() {
        "Upsample" => node.input.get(1),
        "Resize" if node.input.len() == 2 => node.input.get(1),
        "Resize" => node.input.get(2),
        _ => None,
    };
    let factors =
        factors.and_then(|name| onnx.floats(name).ok()).map_or(Vec::new(), |factors| factors.values);
    match factors.iter().find(|factor| !(**factor > 0.0 && **factor <= SIDE as f32)) {
        Some(factor) => {
            Err(Flaw::new(format!("a factor of {factor}"), format!("factors above 0, at most {SIDE}")))
        }
        None => Ok(()),
    }
}
