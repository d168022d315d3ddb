//! How a picture enters: as the int8 values of the first buffer.

use std::borrow::Cow;

use super::builder::Builder;
use crate::input::{Element, Input, Values};
use crate::refusal::Refusal;
use crate::steps::signed;
use edgeclip_kernels::{Isa, layout};

/// Scale and zero point (as of int8) of a network's first buffer: what a float picture is quantised with.
/// Values of uint8 lose 128.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Entry((f32, i32));

impl Entry {
    /// The int8 values of `values`, which are of the type that was declared.
    pub(crate) fn quantised<'v>(&self, isa: Isa, values: Values<'v>) -> Cow<'v, [i8]> {
        match values {
            Values::Int8(values) => Cow::Borrowed(values),
            Values::Uint8(values) => values.iter().map(|&q| signed(q)).collect(),
            Values::Float(values) => {
                let mut quantised = vec![0; values.len()];
                layout::quantised(isa, self.0, values, &mut quantised);
                Cow::Owned(quantised)
            }
        }
    }
}

/// Declares the input of the graph. One of f32 must be quantised by one node that alone reads it.
pub(super) fn lower(builder: &mut Builder, input: &Input) -> Result<Entry, Refusal> {
    let [_, channels, height, width] = input.shape;
    let size = [channels, height, width];
    match input.element {
        Element::Int8 => {
            builder.input(&input.name, size, false);
            Ok(Entry((1.0, 0)))
        }
        Element::Uint8 => {
            builder.input(&input.name, size, true);
            Ok(Entry((1.0, -128)))
        }
        Element::Float => {
            let mut readers = builder.onnx.graph.node.iter().filter(|node| node.input.contains(&input.name));
            let (Some(node), None) = (readers.next(), readers.next()) else {
                return Err(Refusal::float(&input.name, "a float input that is read more than once"));
            };
            let (true, Some(output)) = (node.op_type == "QuantizeLinear", node.output.first()) else {
                return Err(Refusal::float(&node.name, "a float input that is not quantised first"));
            };
            let (scale, zero, unsigned) = builder.unit(node, true)?;
            builder.input(output, size, unsigned);
            Ok(Entry((scale, zero)))
        }
    }
}
