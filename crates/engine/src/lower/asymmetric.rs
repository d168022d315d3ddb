//! Weights with zero points of their own.
//!
//! The kernels multiply int8 weights with a zero point of 0. Weights less their zero point are the same numbers,
//! but may lie beyond int8. What is beyond becomes weights of more inputs, which are copies of those inputs that
//! need it: `Σ x·w = Σ x·clamp(w) + Σ x·(w − clamp(w))`, in the same integers.

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto, attribute_proto};

use super::onnx::{Onnx, dims, integer};

/// Most parts into which the copied inputs may fall before all are copied.
const PARTS: usize = 8;

/// What a node needs.
struct Change {
    /// Index of the node.
    at: usize,
    constants: Vec<TensorProto>,
    /// To come before it.
    nodes: Vec<NodeProto>,
    /// Its new inputs 0 and 1.
    inputs: [String; 2],
}

/// Rewrites the convolutions and products of `graph` whose weights have zero points, where that is possible.
pub(super) fn symmetric(graph: &mut GraphProto) {
    let changes: Vec<Change> = {
        let onnx = Onnx::new(graph);
        let nodes = graph.node.iter().enumerate();
        nodes.filter_map(|(at, node)| change(&onnx, at, node)).collect()
    };
    for Change { at, constants, nodes, inputs: [x, weights] } in changes.into_iter().rev() {
        let node = &mut graph.node[at];
        node.input[0] = x;
        node.input[1] = weights;
        graph.initializer.extend(constants);
        graph.node.splice(at..at, nodes);
    }
}

/// Weights less their zero points, as int8 numbers and what is beyond them.
struct Weights {
    dims: Vec<usize>,
    /// The axis that counts the inputs.
    inputs: usize,
    int8: Vec<i32>,
    beyond: Vec<i32>,
}

fn change(onnx: &Onnx<'_>, at: usize, node: &NodeProto) -> Option<Change> {
    let [x, weights, ..] = &node.input[..] else { return None };
    let dq = onnx.made_by(weights, "DequantizeLinear")?;
    let found = weights_of(onnx, node, dq)?;
    let parts = found.parts();
    let own = |what: &str| format!("{}_{what}_{at}", node.name);
    let zeros = onnx.constant(&dq.input[1])?.dims.clone();
    let count = zeros.iter().product::<i64>().max(1) as usize;
    let mut constants = vec![
        integers(own("weights"), found.widened_dims(&parts), found.widened(&parts)),
        integers(own("zeros"), zeros, vec![0; count]),
    ];
    let dequantised = NodeProto {
        name: own("dequantised"),
        input: vec![own("weights"), dq.input[1].clone(), own("zeros")],
        output: vec![own("dequantised")],
        ..dq.clone()
    };
    let mut nodes = vec![dequantised];
    let mut input = x.clone();
    if !parts.is_empty() {
        let axis = if node.op_type == "MatMul" { -1 } else { 1 };
        let copied = onnx.made_by(x, "DequantizeLinear")?;
        let [_, scale, zero] = &copied.input[..] else { return None };
        let is_whole = onnx.floats(scale).ok()?.values.len() == 1;
        if (node.op_type == "Conv" && integer(node, "group", 1) != 1) || !is_whole || zero.is_empty() {
            return None;
        }
        // A tensor in the unit of `x`.
        let mut add = |what: String, kind: &str, inputs: Vec<String>, attribute: Option<AttributeProto>| {
            let op = |op_type: &str, name: String, input: Vec<String>| NodeProto {
                op_type: op_type.to_owned(),
                output: vec![name.clone()],
                name,
                input,
                ..NodeProto::default()
            };
            let moved = op(kind, own(&what), inputs);
            nodes.push(NodeProto { attribute: attribute.into_iter().collect(), ..moved });
            let [quantised, back] = ["q", "dq"].map(|end| own(&format!("{what}_{end}")));
            nodes.push(op(
                "QuantizeLinear",
                quantised.clone(),
                vec![own(&what), scale.clone(), zero.clone()],
            ));
            nodes.push(op("DequantizeLinear", back.clone(), vec![quantised, scale.clone(), zero.clone()]));
            back
        };
        let mut inputs = vec![x.clone()];
        for &(start, end) in &parts {
            if (start, end) == (0, found.dims[found.inputs]) {
                inputs.push(x.clone());
                continue;
            }
            let bounds = [("start", start as i64), ("end", end as i64), ("axis", axis)];
            let bounds = bounds.map(|(what, value)| {
                let name = own(&format!("{what}_{start}"));
                constants.push(long(name.clone(), value));
                name
            });
            let sliced = [vec![x.clone()], bounds.to_vec()].concat();
            inputs.push(add(format!("part_{start}"), "Slice", sliced, None));
        }
        let axis = AttributeProto {
            name: "axis".to_owned(),
            r#type: attribute_proto::AttributeType::Int as i32,
            i: axis,
            ..AttributeProto::default()
        };
        input = add("inputs".to_owned(), "Concat", inputs, Some(axis));
    }
    Some(Change { at, constants, nodes, inputs: [input, own("dequantised")] })
}

/// The weights of `node`, which `dq` dequantises, if they have zero points and one scale, or one an output.
fn weights_of(onnx: &Onnx<'_>, node: &NodeProto, dq: &NodeProto) -> Option<Weights> {
    let [stored, scale, rest @ ..] = &dq.input[..] else { return None };
    let constant = onnx.constant(stored)?;
    let kind = DataType::try_from(constant.data_type).ok()?;
    let middle = match kind {
        DataType::Uint8 => 128,
        DataType::Int8 => 0,
        _ => return None,
    };
    let size = dims(constant).ok()?;
    let rank = size.len();
    let outputs = match node.op_type.as_str() {
        "Conv" if rank >= 3 => 0,
        "Gemm" if rank == 2 => usize::from(integer(node, "transB", 0) == 0),
        "MatMul" if rank == 2 => 1,
        _ => return None,
    };
    let scales = onnx.floats(scale).ok()?.values.len();
    let zeros = match rest.first().filter(|zero| !zero.is_empty()) {
        Some(zero) => onnx.integers(zero).ok()?.values,
        None => vec![0; scales],
    };
    let axis = integer(dq, "axis", 1);
    let axis = if axis < 0 { axis + rank as i64 } else { axis };
    let along = scales == 1 || (axis == outputs as i64 && size[outputs] == scales);
    if !along || zeros.len() != scales || scales == 0 || zeros.iter().all(|&zero| zero == middle) {
        return None;
    }
    // Most weights have none: only now are these read.
    let found = onnx.integers(stored).ok()?;
    let run: usize = found.dims[outputs + 1..].iter().product();
    let less =
        |(at, &value): (usize, &i64)| (value - zeros[at / run.max(1) % found.dims[outputs] % scales]) as i32;
    let values: Vec<i32> = found.values.iter().enumerate().map(less).collect();
    let int8: Vec<i32> = values.iter().map(|&value| value.clamp(-128, 127)).collect();
    let beyond = values.iter().zip(&int8).map(|(value, int8)| value - int8).collect();
    let inputs = if node.op_type == "Conv" { 1 } else { 1 - outputs };
    Some(Weights { dims: found.dims, inputs, int8, beyond })
}

impl Weights {
    /// Values of one input between one output and the next.
    fn run(&self) -> usize {
        self.dims[self.inputs + 1..].iter().product()
    }

    /// Inputs from where to where have weights beyond int8; all, if they fall into many parts.
    fn parts(&self) -> Vec<(usize, usize)> {
        let (count, run) = (self.dims[self.inputs], self.run().max(1));
        let mut needs = vec![false; count];
        for (at, _) in self.beyond.iter().enumerate().filter(|(_, value)| **value != 0) {
            needs[at / run % count] = true;
        }
        let mut parts: Vec<(usize, usize)> = Vec::new();
        for input in (0..count).filter(|&input| needs[input]) {
            match parts.last_mut() {
                Some((_, end)) if *end == input => *end += 1,
                _ => parts.push((input, input + 1)),
            }
        }
        if parts.len() > PARTS { vec![(0, count)] } else { parts }
    }

    /// The weights of all inputs and of the copied ones after them.
    fn widened(&self, parts: &[(usize, usize)]) -> Vec<i32> {
        let run = self.run();
        let row = (self.dims[self.inputs] * run).max(1);
        let rows = self.int8.chunks(row).zip(self.beyond.chunks(row));
        let row = |(int8, beyond): (&[i32], &[i32])| -> Vec<i32> {
            let copied = parts.iter().flat_map(|&(start, end)| beyond[start * run..end * run].to_vec());
            int8.iter().copied().chain(copied).collect()
        };
        rows.flat_map(row).collect()
    }

    fn widened_dims(&self, parts: &[(usize, usize)]) -> Vec<i64> {
        let mut dims: Vec<i64> = self.dims.iter().map(|&dim| dim as i64).collect();
        dims[self.inputs] += parts.iter().map(|(start, end)| (end - start) as i64).sum::<i64>();
        dims
    }
}

fn integers(name: String, dims: Vec<i64>, int32_data: Vec<i32>) -> TensorProto {
    TensorProto { name, data_type: DataType::Int8 as i32, dims, int32_data, ..TensorProto::default() }
}

fn long(name: String, value: i64) -> TensorProto {
    let data_type = DataType::Int64 as i32;
    TensorProto { name, data_type, dims: vec![1], int64_data: vec![value], ..TensorProto::default() }
}
