//! Building small quantised networks.

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::type_proto::{Tensor, Value};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto,
    TypeProto, ValueInfoProto,
};

use crate::engine::Engine;
use crate::error::Result;
use crate::input::Values;
use crate::memory::Budget;
use edgeclip_kernels::Isa;

/// Scale of the picture, and of tensors whose values are small.
pub(super) const FINE: f32 = 1.0 / 64.0;

/// An attribute of a node.
pub(super) enum Attribute<'a> {
    Int(&'a str, i64),
    Ints(&'a str, &'a [i64]),
    Float(&'a str, f32),
    Word(&'a str, &'a str),
}

/// A network that grows node by node. Tensors are called by their names.
#[derive(Clone)]
pub(super) struct Net {
    pub(super) graph: GraphProto,
    noise: u64,
}

impl Net {
    /// A network of the picture `x` of the type `element`.
    pub(super) fn new(element: DataType, shape: &[i64]) -> Self {
        let mut graph = GraphProto::default();
        graph.input.push(value("x", Some((element, shape))));
        Self { graph, noise: 7 }
    }

    /// A network of the float picture `x`, quantised first: its name then.
    pub(super) fn quantised(shape: &[i64]) -> (Self, String) {
        let mut net = Self::new(DataType::Float, shape);
        let x = net.qdq("x", FINE, 0);
        (net, x)
    }

    /// A node of one output; the output's name.
    pub(super) fn op(&mut self, kind: &str, inputs: &[&str], attributes: &[Attribute<'_>]) -> String {
        self.ops(kind, inputs, attributes, 1).remove(0)
    }

    /// A node of some outputs; their names.
    pub(super) fn ops(
        &mut self,
        kind: &str,
        inputs: &[&str],
        attributes: &[Attribute<'_>],
        outputs: usize,
    ) -> Vec<String> {
        let name = format!("{}{}", kind.to_lowercase(), self.graph.node.len());
        let output: Vec<String> = (0..outputs).map(|at| format!("{name}_{at}")).collect();
        self.graph.node.push(NodeProto {
            name,
            op_type: kind.to_owned(),
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: output.clone(),
            attribute: attributes.iter().map(attribute).collect(),
            ..NodeProto::default()
        });
        output
    }

    /// A constant of f32.
    pub(super) fn floats(&mut self, dims: &[i64], values: &[f32]) -> String {
        self.push(TensorProto {
            data_type: DataType::Float as i32,
            dims: dims.to_vec(),
            float_data: values.to_vec(),
            ..TensorProto::default()
        })
    }

    /// A constant of int64.
    pub(super) fn longs(&mut self, dims: &[i64], values: &[i64]) -> String {
        self.push(TensorProto {
            data_type: DataType::Int64 as i32,
            dims: dims.to_vec(),
            int64_data: values.to_vec(),
            ..TensorProto::default()
        })
    }

    /// A constant of int8, uint8 or int32.
    pub(super) fn integers(&mut self, kind: DataType, dims: &[i64], values: &[i32]) -> String {
        self.push(TensorProto {
            data_type: kind as i32,
            dims: dims.to_vec(),
            int32_data: values.to_vec(),
            ..TensorProto::default()
        })
    }

    fn push(&mut self, tensor: TensorProto) -> String {
        let name = format!("constant{}", self.graph.initializer.len());
        self.graph.initializer.push(TensorProto { name: name.clone(), ..tensor });
        name
    }

    /// Q of int8.
    pub(super) fn q(&mut self, x: &str, scale: f32, zero: i32) -> String {
        let scale = self.floats(&[], &[scale]);
        let zero = self.integers(DataType::Int8, &[], &[zero]);
        self.op("QuantizeLinear", &[x, &scale, &zero], &[])
    }

    /// Q and DQ of int8.
    pub(super) fn qdq(&mut self, x: &str, scale: f32, zero: i32) -> String {
        let quantised = self.q(x, scale, zero);
        let (scale, zero) = {
            let q = self.graph.node.last().unwrap();
            (q.input[1].clone(), q.input[2].clone())
        };
        self.op("DequantizeLinear", &[&quantised, &scale, &zero], &[])
    }

    /// Numbers from `low` to `high`, without a pattern.
    pub(super) fn noise(&mut self, count: usize, low: i32, high: i32) -> Vec<i32> {
        (0..count)
            .map(|_| {
                self.noise = self
                    .noise
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                low + ((self.noise >> 33) % (high - low + 1) as u64) as i32
            })
            .collect()
    }

    /// DQ of int8 weights with one scale an output, which axis `axis` counts.
    pub(super) fn weights(&mut self, dims: &[i64], axis: i64) -> String {
        let values = self.noise(dims.iter().product::<i64>() as usize, -127, 127);
        let stored = self.integers(DataType::Int8, dims, &values);
        let outputs = dims[axis as usize];
        let scales: Vec<f32> = (0..outputs).map(|output| 0.002 + 0.0001 * (output % 7) as f32).collect();
        let scale = self.floats(&[outputs], &scales);
        let zero = self.integers(DataType::Int8, &[outputs], &vec![0; outputs as usize]);
        self.op("DequantizeLinear", &[&stored, &scale, &zero], &[Attribute::Int("axis", axis)])
    }

    /// A convolution with `[outputs, inputs of a group, side, side]` weights that keeps the size, with a bias.
    pub(super) fn conv(&mut self, x: &str, dims: [i64; 4], more: &[Attribute<'_>]) -> String {
        let weights = self.weights(&dims, 0);
        let bias: Vec<f32> = (0..dims[0]).map(|output| 0.01 * (output % 5) as f32).collect();
        let bias = self.floats(&[dims[0]], &bias);
        let pads = [dims[2] / 2, dims[3] / 2, dims[2] / 2, dims[3] / 2];
        let node = self.op("Conv", &[x, &weights, &bias], &[Attribute::Ints("pads", &pads)]);
        self.graph.node.last_mut().unwrap().attribute.extend(more.iter().map(attribute));
        node
    }

    /// The network whose outputs are the tensors `names`.
    pub(super) fn model(mut self, names: &[&str]) -> ModelProto {
        self.graph.output = names.iter().map(|name| value(name, None)).collect();
        let opset = OperatorSetIdProto { domain: String::new(), version: 17 };
        ModelProto {
            ir_version: 8,
            opset_import: vec![opset],
            graph: Some(self.graph),
            ..ModelProto::default()
        }
    }
}

fn attribute(attribute: &Attribute<'_>) -> AttributeProto {
    let named = |name: &str, kind: AttributeType| AttributeProto {
        name: name.to_owned(),
        r#type: kind as i32,
        ..AttributeProto::default()
    };
    match *attribute {
        Attribute::Int(name, i) => AttributeProto { i, ..named(name, AttributeType::Int) },
        Attribute::Ints(name, ints) => {
            AttributeProto { ints: ints.to_vec(), ..named(name, AttributeType::Ints) }
        }
        Attribute::Float(name, f) => AttributeProto { f, ..named(name, AttributeType::Float) },
        Attribute::Word(name, word) => {
            AttributeProto { s: word.as_bytes().to_vec(), ..named(name, AttributeType::String) }
        }
    }
}

/// An input or output; dimensions of −1 are called `batch`.
fn value(name: &str, of: Option<(DataType, &[i64])>) -> ValueInfoProto {
    let dim = |&size: &i64| {
        let value = match size {
            -1 => dimension::Value::DimParam("batch".to_owned()),
            size => dimension::Value::DimValue(size),
        };
        Dimension { value: Some(value), ..Dimension::default() }
    };
    let r#type = of.map(|(kind, dims)| TypeProto {
        denotation: String::new(),
        value: Some(Value::TensorType(Tensor {
            elem_type: kind as i32,
            shape: Some(TensorShapeProto { dim: dims.iter().map(dim).collect() }),
        })),
    });
    ValueInfoProto { name: name.to_owned(), r#type, ..ValueInfoProto::default() }
}

/// The network, loaded.
pub(super) fn engine(model: &ModelProto, isa: Isa, threads: usize) -> Result<Engine> {
    Engine::new("net.onnx".to_owned(), model.clone(), isa, threads, true, Budget::default())
}

/// The same in float.
pub(super) fn float(model: &ModelProto) -> Result<Engine> {
    Engine::new("net.onnx".to_owned(), model.clone(), Isa::SCALAR, 1, false, Budget::default())
}

/// A picture of f32 without a pattern, between −2 and 2.
pub(super) fn picture(engine: &Engine) -> Vec<f32> {
    let count = engine.input().shape.iter().product();
    (0..count).map(|i: usize| ((i * 7919 + i * i % 613) % 257) as f32 / 64.0 - 2.0).collect()
}

/// All outputs for that picture.
pub(super) fn run(engine: &Engine) -> Vec<Vec<f32>> {
    engine.run(Values::Float(&picture(engine))).unwrap()
}
