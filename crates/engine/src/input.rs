//! What a network takes: one picture.

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Dim;
use tract_onnx::pb::type_proto::Value;
use tract_onnx::pb::{ModelProto, ValueInfoProto};

use crate::error::{Error, Result};

/// Most values that a picture may have, a 4096 × 4096 one of four channels.
const LARGEST: usize = 1 << 26;

/// Type of a network's input values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// `i8`.
    Int8,
    /// `u8`.
    Uint8,
    /// `f32`.
    Float,
}

/// The only input of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its name in the file.
    pub name: String,
    /// Its type.
    pub element: Element,
    /// `[1, channels, height, width]`.
    pub shape: [usize; 4],
}

/// Values of a network's input, `[1, channels, height, width]` row-major.
#[derive(Debug, Clone, Copy)]
pub enum Values<'a> {
    /// For [`Element::Int8`].
    Int8(&'a [i8]),
    /// For [`Element::Uint8`].
    Uint8(&'a [u8]),
    /// For [`Element::Float`].
    Float(&'a [f32]),
}

impl<'a> From<&'a [i8]> for Values<'a> {
    fn from(values: &'a [i8]) -> Self {
        Self::Int8(values)
    }
}

impl<'a> From<&'a [u8]> for Values<'a> {
    fn from(values: &'a [u8]) -> Self {
        Self::Uint8(values)
    }
}

impl<'a> From<&'a [f32]> for Values<'a> {
    fn from(values: &'a [f32]) -> Self {
        Self::Float(values)
    }
}

impl Values<'_> {
    pub(super) fn element(self) -> Element {
        match self {
            Self::Int8(_) => Element::Int8,
            Self::Uint8(_) => Element::Uint8,
            Self::Float(_) => Element::Float,
        }
    }

    pub(super) fn len(self) -> usize {
        match self {
            Self::Int8(values) => values.len(),
            Self::Uint8(values) => values.len(),
            Self::Float(values) => values.len(),
        }
    }
}

impl Input {
    /// The input that `model`, the network of `file`, declares.
    ///
    /// # Errors
    /// [`Error::Model`] if it takes anything else than one picture of one fixed size.
    pub(super) fn declared(file: &str, model: &ModelProto) -> Result<Self> {
        let Some(graph) = &model.graph else { return Err(Error::model(file, "no graph", "an ONNX network")) };
        let is_constant = |name: &str| graph.initializer.iter().any(|tensor| tensor.name == name);
        let inputs: Vec<&ValueInfoProto> =
            graph.input.iter().filter(|input| !is_constant(&input.name)).collect();
        let [input] = inputs[..] else {
            let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
            let found = format!("{} inputs ({})", names.len(), names.join(", "));
            return Err(Error::model(file, found, "one input, a picture [1, channels, height, width]"));
        };
        let refuse = |found: String, expected: &str| {
            Error::model(file, format!("input {} of {found}", input.name), expected)
        };
        let declared = input.r#type.as_ref().and_then(|declared| declared.value.as_ref());
        let Some(Value::TensorType(tensor)) = declared else {
            return Err(refuse("no type".into(), "a tensor of int8, uint8 or f32"));
        };
        let element = match DataType::try_from(tensor.elem_type) {
            Ok(DataType::Int8) => Element::Int8,
            Ok(DataType::Uint8) => Element::Uint8,
            Ok(DataType::Float) => Element::Float,
            other => {
                let found =
                    other.map_or(format!("type {}", tensor.elem_type), |found| format!("type {found:?}"));
                return Err(refuse(found, "int8, uint8 or f32"));
            }
        };
        let dims = tensor.shape.as_ref().map_or(&[][..], |shape| &shape.dim);
        let mut sizes = Vec::new();
        for (axis, dim) in dims.iter().enumerate() {
            let found = match &dim.value {
                Some(Dim::DimValue(size)) if *size > 0 => {
                    sizes.push(*size as usize);
                    continue;
                }
                Some(Dim::DimValue(size)) => format!("size {size} on axis {axis}"),
                // A batch of one picture, whatever the axis is called.
                Some(Dim::DimParam(_)) | None if axis == 0 => {
                    sizes.push(1);
                    continue;
                }
                Some(Dim::DimParam(name)) => format!("dynamic size {name:?} on axis {axis}"),
                None => format!("dynamic size on axis {axis}"),
            };
            return Err(refuse(found, "fixed sizes: export without dynamic axes but the batch"));
        }
        let count = sizes.iter().try_fold(1usize, |count, &size| count.checked_mul(size));
        if count.is_none_or(|count| count > LARGEST) {
            return Err(refuse(format!("shape {sizes:?}"), &format!("at most {LARGEST} values")));
        }
        match sizes[..] {
            [1, channels, height, width] => {
                Ok(Self { name: input.name.clone(), element, shape: [1, channels, height, width] })
            }
            _ => Err(refuse(format!("shape {sizes:?}"), "a picture [1, channels, height, width]")),
        }
    }
}
