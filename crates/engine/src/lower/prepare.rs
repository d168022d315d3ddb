//! Spelling out what exporters write in several ways, so that rules meet one form: constants are
//! initializers, weights are stored quantised with a zero point of 0, every node has a name of its own, nothing
//! is copied, the batch is one picture. No value changes.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension;
use tract_onnx::pb::type_proto::Value;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto};

use super::asymmetric::symmetric;
use super::onnx::{Onnx, integer};
use super::{grid, moves, one_axis};

/// Rewrites the graph of `model` in place.
pub(crate) fn prepare(model: &mut ModelProto) {
    let opset = model.opset_import.iter().find(|set| set.domain.is_empty()).map_or(0, |set| set.version);
    let Some(graph) = &mut model.graph else { return };
    for node in graph.node.iter_mut().filter(|node| node.name.is_empty()) {
        node.name = node.output.first().cloned().unwrap_or_default();
    }
    one_batch(graph);
    for node in graph.node.iter_mut().filter(|node| node.op_type == "Sum" && node.input.len() == 2) {
        node.op_type = "Add".to_owned();
    }
    constants(graph);
    copies(graph);
    zero_points(graph);
    while fold(graph) {}
    one_axis::of_rows(graph, opset);
    moves::of_picture(graph);
    moves::of_integers(graph);
    moves::of_floats(graph);
    moves::of_results(graph);
    grid::weights(graph);
    symmetric(graph);
    distinct(graph);
}

/// Shapes that are declared between the input and the outputs may name the batch: only the input's counts, and
/// it is one picture.
fn one_batch(graph: &mut GraphProto) {
    graph.value_info.clear();
    graph.output.iter_mut().for_each(|output| output.r#type = None);
    let constants: HashSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    let inputs = graph.input.iter_mut().filter(|input| !constants.contains(input.name.as_str()));
    for input in inputs {
        if let Some(Value::TensorType(tensor)) = input.r#type.as_mut().and_then(|kind| kind.value.as_mut())
            && let Some(batch) = tensor.shape.as_mut().and_then(|shape| shape.dim.first_mut())
        {
            batch.value = Some(dimension::Value::DimValue(1));
        }
    }
}

/// Nodes get names that no other node, constant or input has: tract tells them apart by name.
pub(crate) fn distinct(graph: &mut GraphProto) {
    let mut known: HashSet<String> = graph.initializer.iter().map(|tensor| tensor.name.clone()).collect();
    known.extend(graph.input.iter().map(|input| input.name.clone()));
    for (index, node) in graph.node.iter_mut().enumerate() {
        if node.name.is_empty() {
            node.name = node.output.first().cloned().unwrap_or_default();
        }
        while !known.insert(node.name.clone()) {
            node.name = format!("{}_{index}", node.name);
        }
    }
}

/// `Constant` nodes become initializers.
fn constants(graph: &mut GraphProto) {
    let mut found = Vec::new();
    graph.node.retain(|node| match constant(node) {
        Some(tensor) => {
            found.push(tensor);
            false
        }
        None => true,
    });
    graph.initializer.extend(found);
}

fn constant(node: &NodeProto) -> Option<TensorProto> {
    let ("Constant", [attribute], [output]) = (node.op_type.as_str(), &node.attribute[..], &node.output[..])
    else {
        return None;
    };
    let (name, empty) = (output.clone(), TensorProto::default());
    let floats = |dims: Vec<i64>, float_data: Vec<f32>| {
        Some(TensorProto {
            name: name.clone(),
            data_type: DataType::Float as i32,
            dims,
            float_data,
            ..empty.clone()
        })
    };
    let integers = |dims: Vec<i64>, int64_data: Vec<i64>| {
        Some(TensorProto {
            name: name.clone(),
            data_type: DataType::Int64 as i32,
            dims,
            int64_data,
            ..empty.clone()
        })
    };
    match attribute.name.as_str() {
        "value" => attribute.t.clone().map(|tensor| TensorProto { name: name.clone(), ..tensor }),
        "value_float" => floats(Vec::new(), vec![attribute.f]),
        "value_floats" => floats(vec![attribute.floats.len() as i64], attribute.floats.clone()),
        "value_int" => integers(Vec::new(), vec![attribute.i]),
        "value_ints" => integers(vec![attribute.ints.len() as i64], attribute.ints.clone()),
        _ => None,
    }
}

/// Readers of an `Identity` or of a `Dropout` (which does nothing outside training) read its input instead.
/// One that makes an output of the graph stays.
fn copies(graph: &mut GraphProto) {
    let outputs: HashSet<String> = graph.output.iter().map(|output| output.name.clone()).collect();
    let mut masks = HashSet::new();
    for node in &graph.node {
        masks.extend(node.input.iter().cloned());
    }
    let mut source: HashMap<String, String> = HashMap::new();
    graph.node.retain(|node| {
        let copies = match (node.op_type.as_str(), &node.output[..]) {
            ("Identity", [_]) | ("Dropout", [_]) => true,
            ("Dropout", [_, mask]) => !masks.contains(mask) && !outputs.contains(mask),
            _ => false,
        };
        match (node.input.first(), node.output.first()) {
            (Some(input), Some(output)) if copies && !outputs.contains(output) => {
                let origin = source.get(input).unwrap_or(input).clone();
                source.insert(output.clone(), origin);
                false
            }
            _ => true,
        }
    });
    for name in graph.node.iter_mut().flat_map(|node| &mut node.input) {
        if let Some(origin) = source.get(name) {
            name.clone_from(origin);
        }
    }
}

/// A `QuantizeLinear` without a zero point gets one of zero, of the type that it makes.
fn zero_points(graph: &mut GraphProto) {
    let mut made = Vec::new();
    let known: HashSet<String> = graph.initializer.iter().map(|tensor| tensor.name.clone()).collect();
    for node in graph.node.iter_mut().filter(|node| node.op_type == "QuantizeLinear") {
        let (Some(output), [_, scale, rest @ ..]) = (node.output.first(), &node.input[..]) else { continue };
        if rest.first().is_some_and(|zero| !zero.is_empty()) {
            continue;
        }
        let kind = match integer(node, "output_dtype", 0) {
            0 => DataType::Uint8 as i32,
            kind => kind as i32,
        };
        let Some(scales) = graph.initializer.iter().find(|tensor| tensor.name == *scale) else { continue };
        let count = scales.float_data.len().max(scales.raw_data.len() / size_of::<f32>());
        let dims = scales.dims.clone();
        let mut name = format!("{output}_zero_point");
        while known.contains(&name) {
            name.push('_');
        }
        made.push(integers(&name, kind, dims, vec![0; count]));
        node.input.truncate(2);
        node.input.push(name);
    }
    graph.initializer.extend(made);
}

/// Computes nodes on constants that stand between stored and quantised weights: `QuantizeLinear`, and the
/// `Clip` that keeps quantised weights symmetric. Whether there were any.
fn fold(graph: &mut GraphProto) -> bool {
    let folded: Vec<(usize, TensorProto)> = {
        let onnx = Onnx::new(graph);
        let made = graph.node.iter().enumerate();
        made.filter_map(|(index, node)| folded(&onnx, node).map(|tensor| (index, tensor))).collect()
    };
    let mut indices: Vec<usize> = folded.iter().map(|(index, _)| *index).collect();
    indices.reverse();
    indices.into_iter().for_each(|index| drop(graph.node.remove(index)));
    graph.initializer.extend(folded.iter().map(|(_, tensor)| tensor.clone()));
    !folded.is_empty()
}

fn folded(onnx: &Onnx<'_>, node: &NodeProto) -> Option<TensorProto> {
    let input = |index: usize| node.input.get(index).map(String::as_str).filter(|name| !name.is_empty());
    let name = node.output.first()?;
    match node.op_type.as_str() {
        "QuantizeLinear" => quantised(onnx, node, name),
        "Clip" => {
            let tensor = onnx.constant(input(0)?)?;
            let bound = |index: usize| onnx.integers(input(index)?).ok()?.values.first().copied();
            let (low, high) = (bound(1)?, bound(2)?);
            let values = onnx.integers(input(0)?).ok()?.values;
            let values = values.iter().map(|&q| q.max(low).min(high) as i32).collect();
            Some(integers(name, tensor.data_type, tensor.dims.clone(), values))
        }
        _ => None,
    }
}

/// `saturate(round_half_even(w / scale) + zero)`; `None` where anything is amiss, for the checks to find.
fn quantised(onnx: &Onnx<'_>, node: &NodeProto, name: &str) -> Option<TensorProto> {
    let input = |index: usize| node.input.get(index).map(String::as_str).unwrap_or_default();
    let weights = onnx.floats(input(0)).ok()?;
    let scale = onnx.floats(input(1)).ok()?.values;
    let zero = onnx.constant(input(2))?;
    let zeros = onnx.integers(input(2)).ok()?.values;
    let (low, high) = match DataType::try_from(zero.data_type) {
        Ok(DataType::Int8) => (-128.0, 127.0),
        Ok(DataType::Uint8) => (0.0, 255.0),
        _ => return None,
    };
    let rank = weights.dims.len() as i64;
    let axis = integer(node, "axis", 1);
    let axis = usize::try_from(if axis < 0 { axis + rank } else { axis }).ok();
    let (count, inner) = match scale.len() {
        1 => (1, 1),
        count => {
            let dims = weights.dims.get(axis?..)?;
            (*dims.first().filter(|&&dim| dim == count)?, dims[1..].iter().product())
        }
    };
    let positive = scale.iter().all(|&scale| scale.is_finite() && scale > 0.0);
    if !positive || zeros.len() != scale.len() || !weights.values.iter().all(|w| w.is_finite()) {
        return None;
    }
    let quantised = weights.values.iter().enumerate().map(|(at, &w)| {
        let channel = at / inner % count;
        ((w / scale[channel]).round_ties_even() + zeros[channel] as f32).clamp(low, high) as i32
    });
    let dims = weights.dims.iter().map(|&dim| dim as i64).collect();
    Some(integers(name, zero.data_type, dims, quantised.collect()))
}

fn integers(name: &str, data_type: i32, dims: Vec<i64>, int32_data: Vec<i32>) -> TensorProto {
    TensorProto { name: name.to_owned(), data_type, dims, int32_data, ..TensorProto::default() }
}
