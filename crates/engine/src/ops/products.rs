//! Which nodes are products with constant int8 weights.

use std::borrow::Cow;

use tract_onnx::pb::{NodeProto, TensorProto};

use super::constants;
use super::found::Found;
use super::index::{Index, float, integer};
use super::kernel::{Kernel, Quantisation};
use crate::refusal::Refusal;
use edgeclip_kernels::Isa;
use edgeclip_kernels::conv_pointwise::Pointwise;
use edgeclip_kernels::product::{Columns, Product};
use edgeclip_kernels::requantise::Requantise;

/// Int8 weights of a product.
struct Weights<'a> {
    inputs: usize,
    outputs: usize,
    /// Bytes from one input, one output to the next.
    strides: [usize; 2],
    bytes: Cow<'a, [u8]>,
    /// One an output.
    scale: Vec<f32>,
}

impl Weights<'_> {
    fn at(&self, input: usize, output: usize) -> i8 {
        self.bytes[input * self.strides[0] + output * self.strides[1]].cast_signed()
    }
}

/// The rules of products.
pub(super) struct Products<'a> {
    pub(super) index: &'a Index<'a>,
    pub(super) isa: Isa,
}

impl<'a> Products<'a> {
    /// The product that `node` is; `None` if its weights are not int8.
    ///
    /// # Errors
    /// Why it stays in float though its weights are int8; constants that make no sense.
    pub(super) fn apply(&self, node: &NodeProto) -> Result<Option<Found>, Refusal> {
        if !["MatMul", "Gemm"].contains(&node.op_type.as_str()) {
            return Ok(None);
        }
        let Some(dequantise) = node.input.get(1).and_then(|name| self.dequantise(name)) else {
            return Ok(None);
        };
        let stays = |why: &str| Err(Refusal::float(&node.name, why));
        let transposed = integer(node, "transB", 0) == 1;
        if integer(node, "transA", 0) != 0
            || float(node, "alpha", 1.0) != 1.0
            || float(node, "beta", 1.0) != 1.0
        {
            return stays("a factor or a transposed left side");
        }
        let Some(weights) = self.weights(dequantise, transposed)? else {
            return stays("weights other than symmetric int8 with a scale an output");
        };
        if let Some(found) = self.between_quantised(node, &weights)? {
            return Ok(Some(found));
        }
        match self.on_floats(node, weights)? {
            Some(found) => Ok(Some(found)),
            None => stays("a bias that is no constant, one an output"),
        }
    }

    /// DQ → product → Q: int8 in, int8 out.
    fn between_quantised(&self, node: &NodeProto, weights: &Weights) -> Result<Option<Found>, Refusal> {
        let from = node.input.first().and_then(|name| self.dequantise(name));
        let to = self.index.only_reader(&node.output[0]).filter(|reader| reader.op_type == "QuantizeLinear");
        let (Some(from), Some(to)) = (from, to) else { return Ok(None) };
        let (Some(x), Some(y)) = (self.quantisation(from)?, self.quantisation(to)?) else { return Ok(None) };
        let bias = match node.input.get(2).map(String::as_str) {
            None | Some("") => vec![0; weights.outputs],
            Some(name) => match self.integer_bias(name)? {
                Some(bias) if bias.len() == weights.outputs => bias,
                _ => return Ok(None),
            },
        };
        let channel = |(output, bias): (usize, i32)| {
            let sum: i32 = (0..weights.inputs).map(|input| i32::from(weights.at(input, output))).sum();
            bias.wrapping_sub(sum.wrapping_mul(x.zero.into()))
        };
        let requantise = Requantise {
            bias: bias.into_iter().enumerate().map(channel).collect(),
            multiplier: weights.scale.iter().map(|scale| x.scale * scale / y.scale).collect(),
            zero: y.zero.into(),
            low: -128,
            high: 127,
            table: None,
        };
        let (inputs, outputs) = (weights.inputs, weights.outputs);
        let rows: Vec<i8> =
            (0..outputs).flat_map(|output| (0..inputs).map(move |input| weights.at(input, output))).collect();
        let product = Pointwise::new(self.isa, inputs, outputs, &rows, requantise);
        Ok(Some(Found::new(
            node,
            &[&from.input[0]],
            &to.output[0],
            Kernel::Quantised { product, inputs, outputs },
        )))
    }

    /// Product → Add, with the left side in float.
    fn on_floats(&self, node: &NodeProto, weights: Weights) -> Result<Option<Found>, Refusal> {
        let mut output = &node.output[0];
        let bias = match node.input.get(2).map(String::as_str) {
            Some(name) if !name.is_empty() => self.bias(name)?,
            _ => {
                let add = self.index.only_reader(output).filter(|reader| reader.op_type == "Add");
                let bias = add.and_then(|add| Some((add, add.input.iter().find(|name| *name != output)?)));
                let bias = match bias {
                    Some((add, name)) => self.bias(name)?.map(|bias| (add, bias)),
                    None => None,
                };
                match bias {
                    Some((add, bias)) if bias.len() == weights.outputs => {
                        output = &add.output[0];
                        Some(bias)
                    }
                    _ => Some(vec![0.0; weights.outputs]),
                }
            }
        };
        let Some(bias) = bias.filter(|bias| bias.len() == weights.outputs) else { return Ok(None) };
        let columns = Columns { scale: weights.scale.clone(), bias };
        let product =
            Product::new(self.isa, weights.inputs, columns, |input, output| weights.at(input, output));
        Ok(Some(Found::new(node, &[&node.input[0]], output, Kernel::Product(product))))
    }

    fn weights(&self, dequantise: &NodeProto, transposed: bool) -> Result<Option<Weights<'a>>, Refusal> {
        let Some(tensor) = self.constant(dequantise, 0) else { return Ok(None) };
        let Some(bytes) = constants::int8(self.index.file(), tensor)? else { return Ok(None) };
        let [rows, columns] = constants::dims(tensor)?[..] else { return Ok(None) };
        let (inputs, outputs, strides) =
            if transposed { (columns, rows, [1, columns]) } else { (rows, columns, [columns, 1]) };
        let axis = integer(dequantise, "axis", 1).rem_euclid(2);
        let scale = self.positive(dequantise)?;
        let scale = match scale {
            Some(scale) if scale.len() == outputs && outputs != 1 && axis == i64::from(!transposed) => scale,
            Some(scale) if scale.len() == 1 => vec![scale[0]; outputs],
            _ => return Ok(None),
        };
        let symmetric = match self.constant(dequantise, 2) {
            Some(zero) => constants::int8(self.index.file(), zero)?
                .is_some_and(|zero| zero.iter().all(|&zero| zero == 0)),
            None => dequantise.input.len() < 3,
        };
        Ok((symmetric && inputs > 0).then_some(Weights { inputs, outputs, strides, bytes, scale }))
    }

    /// A bias as int32 in units of the product.
    fn integer_bias(&self, name: &str) -> Result<Option<Vec<i32>>, Refusal> {
        let constant = self.dequantise(name).and_then(|node| self.constant(node, 0));
        constant.map_or(Ok(None), |tensor| constants::int32(self.index.file(), tensor))
    }

    /// A constant bias in float.
    fn bias(&self, name: &str) -> Result<Option<Vec<f32>>, Refusal> {
        if let Some(tensor) = self.index.named(name) {
            return constants::f32(self.index.file(), tensor);
        }
        let Some(node) = self.dequantise(name) else { return Ok(None) };
        let (Some(values), Some(scale)) = (self.integer_bias(name)?, self.positive(node)?) else {
            return Ok(None);
        };
        let scaled = values.iter().zip(scale.iter().cycle()).map(|(&value, scale)| value as f32 * scale);
        Ok((scale.len() == 1 || scale.len() == values.len()).then(|| scaled.collect()))
    }

    /// Scale and zero point of a `QuantizeLinear` or `DequantizeLinear` of a whole int8 tensor.
    pub(super) fn quantisation(&self, node: &NodeProto) -> Result<Option<Quantisation>, Refusal> {
        let Some(scale) = self.positive(node)? else { return Ok(None) };
        let Some(zero) = self.constant(node, 2) else { return Ok(None) };
        let zero = constants::int8(self.index.file(), zero)?;
        match (&scale[..], zero.as_deref()) {
            (&[scale], Some(&[zero])) => Ok(Some(Quantisation { scale, zero: zero.cast_signed() })),
            _ => Ok(None),
        }
    }

    /// The constant scales of a `QuantizeLinear` or `DequantizeLinear`, all of which must be positive.
    fn positive(&self, node: &NodeProto) -> Result<Option<Vec<f32>>, Refusal> {
        let Some(tensor) = self.constant(node, 1) else { return Ok(None) };
        let scales = constants::f32(self.index.file(), tensor)?;
        match scales.iter().flatten().find(|scale| **scale <= 0.0) {
            Some(scale) => Err(Refusal::broken(&node.name, format!("a scale of {scale}"))),
            None => Ok(scales),
        }
    }

    fn constant(&self, node: &NodeProto, input: usize) -> Option<&'a TensorProto> {
        self.index.constant(node, input)
    }

    fn dequantise(&self, name: &str) -> Option<&'a NodeProto> {
        self.index.made_by(name, "DequantizeLinear")
    }
}
