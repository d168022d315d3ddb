//! Damaged files: an error that says who must act, or a network that runs; never a panic, never more memory
//! than the budget.

use std::fs;
use std::path::Path;

use prost::Message;
use tract_onnx::pb::tensor_shape_proto::dimension;
use tract_onnx::pb::type_proto::Value;
use tract_onnx::pb::{GraphProto, ModelProto};

use crate::engine::Engine;
use crate::error::Kind;
use crate::input::{Element, Values};
use edgeclip_kernels::Isa;

/// Mutants of each network.
const COUNT: usize = 1000;

/// What a mutant may take.
const BUDGET: usize = 32 << 20;

/// Products of a network that is run.
const SMALL: u64 = 20_000_000;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides.max(1)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { from.get(self.roll(from.len())) }
    }
}

/// Numbers that break loops and sizes.
const NUMBERS: [i64; 16] =
    [0, 1, -1, 2, 3, 7, -2, 8, 255, 4096, 65_536, 1 << 20, 1 << 31, (1 << 31) - 1, 1 << 62, i64::MIN];

/// Changes the structure of a graph in one place.
fn change(dice: &mut Dice, graph: &mut GraphProto) {
    let ops = [
        "Softmax",
        "Transpose",
        "Resize",
        "Concat",
        "Tile",
        "Expand",
        "Range",
        "Reshape",
        "MaxPool",
        "Conv",
        "Gather",
        "Pad",
        "TopK",
        "ArgMax",
        "Split",
        "Slice",
        "ConstantOfShape",
        "LSTM",
        "If",
        "QLinearConv",
    ];
    let kind = dice.roll(12);
    let (nodes, constants) = (graph.node.len(), graph.initializer.len());
    let (at, other) = (dice.roll(nodes), dice.roll(nodes));
    match kind {
        0 => graph.node.swap(at, other),
        1 => drop(graph.node.remove(at)),
        2 => graph.node[at].op_type = (*dice.pick(&ops).unwrap()).to_owned(),
        3 => {
            let name = graph.node[other].output.first().cloned().unwrap_or_default();
            let input = dice.roll(graph.node[at].input.len());
            if let Some(input) = graph.node[at].input.get_mut(input) {
                *input = name;
            }
        }
        4 => {
            let name = dice.pick(&graph.initializer).map_or(String::new(), |tensor| tensor.name.clone());
            let input = dice.roll(graph.node[at].input.len());
            if let Some(input) = graph.node[at].input.get_mut(input) {
                *input = name;
            }
        }
        5 => drop(graph.node[at].input.pop()),
        6 => graph.node[at].output[0] = graph.node[other].output[0].clone(),
        7 | 8 => {
            let with = graph.node.iter_mut().filter(|node| !node.attribute.is_empty());
            let mut with: Vec<_> = with.collect();
            let index = dice.roll(with.len());
            let attributes = &mut with[index].attribute;
            let index = dice.roll(attributes.len());
            let attribute = &mut attributes[index];
            attribute.i = *dice.pick(&NUMBERS).unwrap();
            let index = dice.roll(attribute.ints.len());
            if let Some(number) = attribute.ints.get_mut(index) {
                *number = *dice.pick(&NUMBERS).unwrap();
            }
        }
        9 if constants > 0 => {
            let tensor = &mut graph.initializer[dice.roll(constants)];
            let index = dice.roll(tensor.dims.len() + 1);
            match tensor.dims.get_mut(index) {
                Some(dim) => *dim = *dice.pick(&NUMBERS).unwrap(),
                None => tensor.data_type = dice.roll(24) as i32,
            }
        }
        10 if constants > 0 => {
            let tensor = &mut graph.initializer[dice.roll(constants)];
            let value = *dice.pick(&NUMBERS).unwrap();
            tensor.raw_data.fill(value as u8);
            tensor.float_data.fill(value as f32);
            tensor.int64_data.fill(value);
        }
        _ => {
            if let Some(Value::TensorType(tensor)) = &mut graph.input[0].r#type.as_mut().unwrap().value {
                let dims = &mut tensor.shape.as_mut().unwrap().dim;
                let index = dice.roll(dims.len());
                dims[index].value = Some(dimension::Value::DimValue(*dice.pick(&NUMBERS).unwrap()));
            }
        }
    }
}

/// Changes bytes of a file.
fn bytes(dice: &mut Dice, file: &mut Vec<u8>) {
    for _ in 0..1 + dice.roll(4) {
        let at = dice.roll(file.len());
        match dice.roll(4) {
            0 => file[at] ^= 1 << dice.roll(8),
            1 => file[at] = dice.roll(256) as u8,
            2 => file.truncate(at.max(1)),
            _ => {
                let end = (at + dice.roll(16)).min(file.len());
                drop(file.drain(at..end));
            }
        }
        if file.is_empty() {
            return;
        }
    }
}

/// Whether the network could be loaded; small ones are run.
fn judged(file: &[u8], what: &str) -> bool {
    let options = Engine::options().isa(Isa::SCALAR).threads(1).memory(BUDGET);
    let engine = match options.load("mutant.onnx", file) {
        Ok(engine) => engine,
        Err(error) => {
            assert_eq!(error.kind(), Kind::Model, "{what}: {error}");
            let line = error.to_string();
            assert!(line.len() < 2000 && !line.contains(char::is_control), "{what}: {line}");
            return false;
        }
    };
    let count: usize = engine.input().shape.iter().product();
    if engine.steps().iter().map(|step| step.macs).sum::<u64>() > SMALL || count > 1 << 20 {
        return true;
    }
    let outputs = match engine.input().element {
        Element::Int8 => engine.run(Values::Int8(&vec![3; count])),
        Element::Uint8 => engine.run(Values::Uint8(&vec![131; count])),
        Element::Float => engine.run(Values::Float(&vec![0.25; count])),
    };
    match outputs {
        Ok(outputs) => {
            for ((name, shape), values) in engine.outputs().unwrap().iter().zip(&outputs) {
                assert_eq!(values.len(), shape.iter().product::<usize>(), "{what}: {name}");
            }
        }
        Err(error) => assert_eq!(error.kind(), Kind::Model, "{what}: {error}"),
    }
    true
}

#[test]
fn damaged_networks_are_errors_or_run() {
    let mut dice = Dice(1);
    for name in ["mobile_int8", "tokens", "float_tail"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/networks/{name}.onnx"));
        let file = fs::read(path).unwrap();
        let model = ModelProto::decode(&file[..]).unwrap();
        let mut whole = 0;
        for index in 0..COUNT {
            let mut damaged = file.clone();
            if index % 3 == 0 {
                bytes(&mut dice, &mut damaged);
            } else {
                let mut model = model.clone();
                for _ in 0..1 + dice.roll(2) {
                    change(&mut dice, model.graph.as_mut().unwrap());
                }
                damaged = model.encode_to_vec();
            }
            whole += usize::from(judged(&damaged, &format!("{name} {index}")));
        }
        assert!((COUNT / 20..COUNT).contains(&whole), "{name}: {whole} could be loaded");
    }
}
