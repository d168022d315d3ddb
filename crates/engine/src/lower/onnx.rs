//! Reading an ONNX graph: nodes by what they make, attributes, constants.

use std::collections::HashMap;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

use crate::refusal::Refusal;

/// A graph's nodes and constants by name.
pub(super) struct Onnx<'a> {
    pub(super) graph: &'a GraphProto,
    producers: HashMap<&'a str, usize>,
    constants: HashMap<&'a str, &'a TensorProto>,
}

/// A constant.
pub(super) struct Constant<T> {
    pub(super) dims: Vec<usize>,
    pub(super) values: Vec<T>,
}

impl<'a> Onnx<'a> {
    pub(super) fn new(graph: &'a GraphProto) -> Self {
        let outputs = |(index, node): (usize, &'a NodeProto)| {
            node.output.iter().map(move |name| (name.as_str(), index)).collect::<Vec<_>>()
        };
        Self {
            graph,
            producers: graph.node.iter().enumerate().flat_map(outputs).collect(),
            constants: graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect(),
        }
    }

    /// The index of the node that makes `name`.
    pub(super) fn producer(&self, name: &str) -> Option<usize> {
        self.producers.get(name).copied()
    }

    /// The node that makes `name`, if it is a `kind`.
    pub(super) fn made_by(&self, name: &str, kind: &str) -> Option<&'a NodeProto> {
        self.producer(name).map(|index| &self.graph.node[index]).filter(|node| node.op_type == kind)
    }

    /// What messages call the tensor `name`: the node that makes it, since tensors' names may be mere
    /// numbers.
    pub(super) fn title<'b>(&self, name: &'b str) -> &'b str
    where
        'a: 'b,
    {
        let node = self.producer(name).map(|index| self.graph.node[index].name.as_str());
        node.filter(|title| !title.is_empty()).unwrap_or(name)
    }

    pub(super) fn constant(&self, name: &str) -> Option<&'a TensorProto> {
        self.constants.get(name).copied()
    }

    /// A constant of 32-bit floats.
    pub(super) fn floats(&self, name: &str) -> Result<Constant<f32>, Refusal> {
        let tensor = self.expect(name)?;
        match DataType::try_from(tensor.data_type) {
            Ok(DataType::Float) => constant(tensor, &tensor.float_data, f32::from_le_bytes),
            _ => Err(Refusal::float(name, "a constant of another type than f32")),
        }
    }

    /// A constant of 8-bit, 32-bit or 64-bit integers, or of truths.
    pub(super) fn integers(&self, name: &str) -> Result<Constant<i64>, Refusal> {
        let tensor = self.expect(name)?;
        let short: Vec<i64> = tensor.int32_data.iter().map(|&v| i64::from(v)).collect();
        match DataType::try_from(tensor.data_type) {
            Ok(DataType::Int8) => constant(tensor, &short, |b| i64::from(i8::from_le_bytes(b))),
            Ok(DataType::Uint8) => constant(tensor, &short, |b| i64::from(u8::from_le_bytes(b))),
            Ok(DataType::Bool) => constant(tensor, &short, |b: [u8; 1]| i64::from(b[0] != 0)),
            Ok(DataType::Int32) => constant(tensor, &short, |b| i64::from(i32::from_le_bytes(b))),
            Ok(DataType::Int64) => constant(tensor, &tensor.int64_data, i64::from_le_bytes),
            _ => Err(Refusal::float(name, "a constant of another type than int8, uint8, int32 or int64")),
        }
    }

    fn expect(&self, name: &str) -> Result<&'a TensorProto, Refusal> {
        self.constant(name).ok_or_else(|| Refusal::float(name, "no constant"))
    }
}

fn constant<T: Copy, const N: usize>(
    tensor: &TensorProto,
    typed: &[T],
    decode: impl Fn([u8; N]) -> T,
) -> Result<Constant<T>, Refusal> {
    let dims = shape(tensor, typed.len(), N)?;
    let (raw, _) = tensor.raw_data.as_chunks::<N>();
    let values = if raw.is_empty() { typed.to_vec() } else { raw.iter().map(|&b| decode(b)).collect() };
    Ok(Constant { dims, values })
}

/// The shape of a constant whose values are stored as they should be: raw, `size` bytes each, or else as `typed` numbers.
fn shape(tensor: &TensorProto, typed: usize, size: usize) -> Result<Vec<usize>, Refusal> {
    let dims: Option<Vec<usize>> = tensor.dims.iter().map(|&dim| usize::try_from(dim).ok()).collect();
    let raw = tensor.raw_data.len();
    let stored = if raw < size { typed } else { raw / size };
    let count =
        dims.as_ref().and_then(|dims| dims.iter().try_fold(1usize, |count, &dim| count.checked_mul(dim)));
    match dims {
        Some(dims) if count == Some(stored) && raw.is_multiple_of(size) => Ok(dims),
        _ => Err(Refusal::float(&tensor.name, "a constant whose data do not fit its shape")),
    }
}

/// The shape of a constant, whose values are not read.
///
/// # Errors
/// As [`Onnx::floats`] and [`Onnx::integers`].
pub(super) fn dims(tensor: &TensorProto) -> Result<Vec<usize>, Refusal> {
    match DataType::try_from(tensor.data_type) {
        Ok(DataType::Float) => shape(tensor, tensor.float_data.len(), 4),
        Ok(DataType::Int8 | DataType::Uint8) => shape(tensor, tensor.int32_data.len(), 1),
        Ok(DataType::Int32) => shape(tensor, tensor.int32_data.len(), 4),
        Ok(DataType::Int64) => shape(tensor, tensor.int64_data.len(), 8),
        _ => Err(Refusal::float(&tensor.name, "a constant of another type than f32 or integers")),
    }
}

/// The attribute `name` as an integer.
pub(super) fn integer(node: &NodeProto, name: &str, default: i64) -> i64 {
    node.attribute.iter().find(|a| a.name == name).map_or(default, |a| a.i)
}

/// The attribute `name` as a float.
pub(super) fn float(node: &NodeProto, name: &str, default: f32) -> f32 {
    node.attribute.iter().find(|a| a.name == name).map_or(default, |a| a.f)
}

/// The attribute `name` as integers.
pub(super) fn list(node: &NodeProto, name: &str, default: &[i64]) -> Vec<i64> {
    node.attribute.iter().find(|a| a.name == name).map_or_else(|| default.to_vec(), |a| a.ints.clone())
}

/// Whether the attribute `name` is the word `expected`.
pub(super) fn word(node: &NodeProto, name: &str, default: &str, expected: &str) -> bool {
    let found = node.attribute.iter().find(|a| a.name == name).map_or(default.as_bytes(), |a| &a.s[..]);
    found == expected.as_bytes()
}

/// Input `index` of a node.
pub(super) fn input(node: &NodeProto, index: usize) -> Result<&str, Refusal> {
    let missing = || Refusal::float(&node.name, format!("no input {index}"));
    node.input.get(index).map(String::as_str).filter(|name| !name.is_empty()).ok_or_else(missing)
}
