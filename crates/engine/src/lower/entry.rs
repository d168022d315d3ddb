//! How a picture enters: as the int8 values of the first buffer.

use std::borrow::Cow;

use super::builder::Builder;
use crate::input::{Element, Input, Values};
use crate::refusal::Refusal;
use crate::steps::{Picture, signed};
use edgeclip_kernels::{Isa, layout};

/// Scale and zero point (as of int8) of a network's first buffer: what a float picture is quantised with, if it
/// is at all. Values of uint8 lose 128.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Entry(Option<(f32, i32)>);

impl Entry {
    /// What a pass starts from, of `values` of the type that was declared.
    pub(crate) fn picture<'v>(&self, isa: Isa, values: Values<'v>) -> Picture<'v> {
        match values {
            Values::Int8(values) => Picture { quantised: Some(Cow::Borrowed(values)), float: &[] },
            Values::Uint8(values) => {
                Picture { quantised: Some(values.iter().map(|&q| signed(q)).collect()), float: &[] }
            }
            Values::Float(values) => {
                let quantised = self.0.map(|unit| {
                    let mut quantised = vec![0; values.len()];
                    layout::quantised(isa, unit, values, &mut quantised);
                    Cow::Owned(quantised)
                });
                Picture { quantised, float: values }
            }
        }
    }
}

/// Declares the input of the graph. The first node that quantises one of f32 as a whole fills the first buffer;
/// whatever else reads the picture is an island.
pub(super) fn lower(builder: &mut Builder, input: &Input) -> Result<Entry, Refusal> {
    let [_, channels, height, width] = input.shape;
    let size = [channels, height, width];
    match input.element {
        Element::Int8 => {
            builder.input(&input.name, size, false);
            Ok(Entry(Some((1.0, 0))))
        }
        Element::Uint8 => {
            builder.input(&input.name, size, true);
            Ok(Entry(Some((1.0, -128))))
        }
        Element::Float => {
            builder.float = Some((input.name.clone(), input.shape));
            let graph = builder.onnx.graph;
            let first = graph.node.iter().filter(|node| node.op_type == "QuantizeLinear").find_map(|node| {
                let reads = node.input.first() == Some(&input.name);
                let unit = builder.unit(node, true).ok().filter(|_| reads)?;
                Some((node.output.first()?, unit))
            });
            let Some((output, (scale, zero, unsigned))) = first else {
                // Only islands read the picture. Buffers are counted from one all the same.
                builder.buffer(channels, height, width);
                return Ok(Entry(None));
            };
            builder.input(output, size, unsigned);
            Ok(Entry(Some((scale, zero))))
        }
    }
}
