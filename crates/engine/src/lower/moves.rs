//! Ops that move values, quantised or not: each gets `DequantizeLinear` before and `QuantizeLinear` behind it, so that rules meet one
//! form. What lies on the grid of a scale and zero point still does after it is moved: no value changes.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

use super::onnx::Onnx;

/// Zero lies on every grid, so that a `Relu` leaves it, too.
const MOVES: [&str; 10] = [
    "Concat",
    "Flatten",
    "MaxPool",
    "Relu",
    "Reshape",
    "Slice",
    "Split",
    "Squeeze",
    "Transpose",
    "Unsqueeze",
];

/// The scale of values that are taken as they are.
const ONE: &str = "unit_of_one";

/// Moves of int8 and uint8 are those of a unit of one.
pub(super) fn of_integers(graph: &mut GraphProto) {
    let mut kinds = kinds(graph);
    let mut used = HashSet::new();
    for mut node in std::mem::take(&mut graph.node) {
        let kind = node.input.first().and_then(|input| kinds.get(input)).copied();
        let (true, Some(kind)) = (MOVES.contains(&node.op_type.as_str()), kind) else {
            graph.node.push(node);
            continue;
        };
        used.insert(kind);
        let unit = [ONE.to_owned(), zero(kind)];
        let values = if node.op_type == "Concat" { node.input.len() } else { 1 };
        for input in &mut node.input[..values] {
            let real = format!("{input}_{}_in_ones", node.name);
            if graph.node.iter().all(|made| made.output.first() != Some(&real)) {
                graph.node.push(link("DequantizeLinear", input, &real, &unit));
            }
            *input = real;
        }
        let mut behind = Vec::new();
        for output in node.output.iter_mut().filter(|output| !output.is_empty()) {
            let real = format!("{output}_in_ones");
            behind.push(link("QuantizeLinear", &real, output, &unit));
            kinds.insert(std::mem::replace(output, real), kind);
        }
        graph.node.push(node);
        graph.node.extend(behind);
    }
    for kind in used.iter().copied() {
        let name = zero(kind);
        graph.initializer.push(TensorProto {
            name,
            data_type: kind,
            int32_data: vec![0],
            ..TensorProto::default()
        });
    }
    if !used.is_empty() {
        let (name, data_type) = (ONE.to_owned(), DataType::Float as i32);
        graph.initializer.push(TensorProto {
            name,
            data_type,
            float_data: vec![1.0],
            ..TensorProto::default()
        });
    }
}

/// The results of moves that something else than a `QuantizeLinear` reads are quantised by the unit of their inputs.
pub(super) fn of_floats(graph: &mut GraphProto) {
    let constants: HashSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    let single = graph.initializer.iter().filter(|tensor| tensor.dims.iter().all(|&size| size == 1));
    let single: HashSet<&str> = single.map(|tensor| tensor.name.as_str()).collect();
    let mut units: HashMap<String, [String; 2]> = HashMap::new();
    let mut known = Vec::new();
    for node in &graph.node {
        if let ("DequantizeLinear", [from, scale, zero, ..], [to]) =
            (node.op_type.as_str(), &node.input[..], &node.output[..])
            && !constants.contains(from.as_str())
            && !zero.is_empty()
            && single.contains(scale.as_str())
        {
            units.insert(to.clone(), [scale.clone(), zero.clone()]);
        }
        let values = if node.op_type == "Concat" { node.input.len() } else { 1 };
        let moved =
            MOVES.contains(&node.op_type.as_str()) && (node.output.len() == 1 || node.op_type == "Split");
        let unit = node.input.first().and_then(|input| units.get(input)).filter(|_| moved).cloned();
        let unit =
            unit.filter(|unit| node.input[..values].iter().all(|input| units.get(input) == Some(unit)));
        if let Some(unit) = &unit {
            node.output.iter().for_each(|output| drop(units.insert(output.clone(), unit.clone())));
        }
        known.push(unit);
    }
    let mut readers: HashMap<String, bool> = HashMap::new();
    for node in &graph.node {
        for input in &node.input {
            *readers.entry(input.clone()).or_insert(true) &= node.op_type == "QuantizeLinear";
        }
    }
    for output in &graph.output {
        readers.insert(output.name.clone(), false);
    }
    for (mut node, unit) in std::mem::take(&mut graph.node).into_iter().zip(known) {
        let Some(unit) = unit else {
            graph.node.push(node);
            continue;
        };
        let mut behind = Vec::new();
        for output in node.output.iter_mut().filter(|output| readers.get(*output) == Some(&false)) {
            let [moved, quantised] = ["moved", "quantised"].map(|word| format!("{output}_{word}"));
            behind.push(link("QuantizeLinear", &moved, &quantised, &unit));
            behind.push(link("DequantizeLinear", &quantised, output, &unit));
            *output = moved;
        }
        graph.node.push(node);
        graph.node.extend(behind);
    }
}

/// A picture that is moved before it is quantised is quantised before it is moved.
pub(super) fn of_picture(graph: &mut GraphProto) {
    let constants: HashSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    let mut inputs = graph.input.iter().filter(|input| !constants.contains(input.name.as_str()));
    let (Some(picture), None) = (inputs.next().map(|input| input.name.clone()), inputs.next()) else {
        return;
    };
    let mut name = &picture;
    let unit = loop {
        let mut readers = graph.node.iter().filter(|node| node.input.contains(name));
        let (Some(node), None) = (readers.next(), readers.next()) else { return };
        match (node.op_type.as_str(), &node.input[..], &node.output[..]) {
            ("QuantizeLinear", [_, scale, zero], _) if *name != picture => {
                break [scale.clone(), zero.clone()];
            }
            (op, [from, ..], [to]) if MOVES.contains(&op) && op != "Concat" && from == name => name = to,
            _ => return,
        }
    };
    let [quantised, real] = ["quantised", "dequantised"].map(|word| format!("{picture}_{word}"));
    for input in graph.node.iter_mut().flat_map(|node| &mut node.input).filter(|input| **input == picture) {
        input.clone_from(&real);
    }
    let before = [
        link("QuantizeLinear", &picture, &quantised, &unit),
        link("DequantizeLinear", &quantised, &real, &unit),
    ];
    graph.node.splice(..0, before);
}

/// What is moved before it is quantised is quantised before it is moved, where nothing else reads it.
pub(super) fn of_results(graph: &mut GraphProto) {
    let constants: HashSet<String> = graph.initializer.iter().map(|tensor| tensor.name.clone()).collect();
    let outputs: HashSet<String> = graph.output.iter().map(|output| output.name.clone()).collect();
    let mut makers: HashMap<String, String> = HashMap::new();
    let mut readers: HashMap<String, usize> = HashMap::new();
    for node in &graph.node {
        node.output.iter().for_each(|output| drop(makers.insert(output.clone(), node.op_type.clone())));
        let mut inputs = node.input.clone();
        inputs.dedup();
        inputs.into_iter().for_each(|input| *readers.entry(input).or_default() += 1);
    }
    let alone = |name: &String| !outputs.contains(name) && readers.get(name) == Some(&1);
    let mut units: HashMap<String, [String; 2]> = HashMap::new();
    for index in (0..graph.node.len()).rev() {
        let node = &mut graph.node[index];
        if let ("QuantizeLinear", [from, scale, zero]) = (node.op_type.as_str(), &node.input[..]) {
            units.insert(from.clone(), [scale.clone(), zero.clone()]);
            continue;
        }
        let ([to], true) =
            (&node.output[..], MOVES.contains(&node.op_type.as_str()) && node.op_type != "Relu")
        else {
            continue;
        };
        let Some(unit) = units.get(to).filter(|_| alone(to)).cloned() else { continue };
        let values = if node.op_type == "Concat" { node.input.len() } else { 1 };
        let mut before = Vec::new();
        for input in &mut node.input[..values] {
            let quantises = makers.get(input).is_some_and(|op| op != "DequantizeLinear");
            if !quantises || constants.contains(input) || !alone(input) {
                continue;
            }
            let [quantised, real] = ["quantised", "dequantised"].map(|word| format!("{input}_{word}"));
            units.insert(input.clone(), unit.clone());
            before.push(link("QuantizeLinear", input, &quantised, &unit));
            before.push(link("DequantizeLinear", &quantised, &real, &unit));
            *input = real;
        }
        graph.node.splice(index..index, before);
    }
}

/// The type of each tensor of int8 or uint8 that a node quantises.
fn kinds(graph: &GraphProto) -> HashMap<String, i32> {
    let onnx = Onnx::new(graph);
    let quantised = graph.node.iter().filter(|node| node.op_type == "QuantizeLinear").filter_map(|node| {
        let kind = match node.input.get(2).filter(|zero| !zero.is_empty()) {
            Some(zero) => onnx.constant(zero)?.data_type,
            None => DataType::Uint8 as i32,
        };
        let is_byte = kind == DataType::Int8 as i32 || kind == DataType::Uint8 as i32;
        is_byte.then(|| Some((node.output.first()?.clone(), kind)))?
    });
    quantised.collect()
}

fn zero(kind: i32) -> String {
    format!("{ONE}_{}", if kind == DataType::Int8 as i32 { "int8" } else { "uint8" })
}

fn link(op: &str, from: &str, to: &str, [scale, zero]: &[String; 2]) -> NodeProto {
    NodeProto {
        name: to.to_owned(),
        op_type: op.to_owned(),
        input: vec![from.to_owned(), scale.clone(), zero.clone()],
        output: vec![to.to_owned()],
        ..NodeProto::default()
    }
}
