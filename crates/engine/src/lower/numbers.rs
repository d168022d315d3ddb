//! Integers that a graph computes of its tensors' shapes, as exporters write where a batch or a picture may have any size. Here all
//! sizes are known, and so are the integers.

use tract_onnx::pb::NodeProto;
use tract_onnx::pb::tensor_proto::DataType;

use super::builder::Builder;
use super::onnx::{Constant, input, integer, list};
use crate::refusal::Refusal;

/// Longest chain of nodes that is followed.
const DEPTH: usize = 64;

/// Most numbers: no tensor has more axes.
const MOST: usize = 64;

/// Numbers of no or one axis, which may be computed in float on their way.
#[derive(Clone)]
struct Numbers {
    dims: Vec<usize>,
    values: Vec<f64>,
    is_float: bool,
}

impl Builder<'_> {
    /// The integers `name`: a constant, or what nodes compute of constants and shapes.
    pub(super) fn numbers(&self, name: &str) -> Result<Vec<i64>, Refusal> {
        // Casts saturate: exporters write the largest number there is for the end of an axis.
        self.computed(name, 0).map(|found| found.values.into_iter().map(|value| value as i64).collect())
    }

    fn computed(&self, name: &str, depth: usize) -> Result<Numbers, Refusal> {
        if self.onnx.constant(name).is_some() {
            return match self.onnx.floats(name) {
                Ok(Constant { dims, values }) => {
                    Ok(Numbers { dims, values: values.into_iter().map(f64::from).collect(), is_float: true })
                }
                Err(_) => self.onnx.integers(name).map(|Constant { dims, values }| Numbers {
                    dims,
                    values: values.into_iter().map(|value| value as f64).collect(),
                    is_float: false,
                }),
            };
        }
        let refuse = |what: &str| Refusal::float(self.onnx.title(name), what);
        let index = self.onnx.producer(name).filter(|_| depth < DEPTH);
        let node =
            &self.onnx.graph.node[index.ok_or_else(|| refuse("numbers that are computed of a picture"))?];
        let of = |at: usize| self.computed(input(node, at)?, depth + 1);
        let found = match node.op_type.as_str() {
            "Shape" => self.shape(node)?,
            "Identity" => of(0)?,
            "Cast" => {
                let found = of(0)?;
                let is_float = integer(node, "to", 0) == i64::from(DataType::Float as i32);
                let values =
                    found.values.into_iter().map(|value| if is_float { value } else { value.trunc() });
                Numbers { values: values.collect(), is_float, dims: found.dims }
            }
            "Floor" | "Ceil" | "Round" => {
                let round = match node.op_type.as_str() {
                    "Floor" => f64::floor,
                    "Ceil" => f64::ceil,
                    _ => f64::round_ties_even,
                };
                let found = of(0)?;
                Numbers { values: found.values.into_iter().map(round).collect(), ..found }
            }
            "Squeeze" | "Unsqueeze" | "Reshape" => {
                let found = of(0)?;
                let is_one = found.values.len() == 1 && node.op_type == "Squeeze";
                Numbers { dims: if is_one { Vec::new() } else { vec![found.values.len()] }, ..found }
            }
            "Concat" => {
                let parts = node.input.iter().map(|name| self.computed(name, depth + 1));
                let parts = parts.collect::<Result<Vec<_>, Refusal>>()?;
                let is_float = parts.iter().any(|part| part.is_float);
                vector(parts.into_iter().flat_map(|part| part.values).collect(), is_float)
            }
            "Gather" => {
                let (from, places) = (of(0)?, of(1)?);
                let count = from.values.len() as f64;
                let place = |&at: &f64| {
                    let at = if at < 0.0 { at + count } else { at };
                    (0.0..count).contains(&at).then(|| from.values[at as usize])
                };
                let values = places.values.iter().map(place).collect::<Option<_>>();
                let values = values.ok_or_else(|| refuse("places beyond the last"))?;
                Numbers { dims: places.dims, values, is_float: from.is_float }
            }
            "Slice" => {
                let found = of(0)?;
                vector(self.slice_of(node, found.values)?, found.is_float)
            }
            "Add" | "Sub" | "Mul" | "Div" | "Max" | "Min" if node.input.len() == 2 => {
                let (a, b) = (of(0)?, of(1)?);
                combined(&node.op_type, &a, &b).ok_or_else(|| refuse("numbers that do not go together"))?
            }
            "ReduceProd" => {
                let found = of(0)?;
                vector(vec![found.values.iter().product()], found.is_float)
            }
            other => return Err(refuse(&format!("numbers that op {other} computes"))),
        };
        match found.values.len() <= MOST && found.values.iter().all(|value| value.is_finite()) {
            true => Ok(found),
            false => Err(refuse("more numbers than a tensor has axes, or none at all")),
        }
    }

    /// What a `Shape` gives, of a tensor that is quantised before or behind it.
    fn shape(&self, node: &NodeProto) -> Result<Numbers, Refusal> {
        let sizes: Vec<f64> = self.sizes(input(node, 0)?, 0)?.iter().map(|&size| size as f64).collect();
        let rank = sizes.len() as i64;
        let place = |name: &str, default: i64| {
            let at = integer(node, name, default);
            (if at < 0 { at + rank } else { at }).clamp(0, rank) as usize
        };
        let (start, end) = (place("start", 0), place("end", rank));
        Ok(vector(sizes.get(start..end).unwrap_or_default().to_vec(), false))
    }

    /// The sizes of the tensor `name`.
    fn sizes(&self, name: &str, depth: usize) -> Result<Vec<usize>, Refusal> {
        if let Some(tensor) = self.tensors.get(name) {
            return Ok(tensor.shape.clone());
        }
        if let Some((_, shape)) = self.float.as_ref().filter(|(picture, _)| picture == name) {
            return Ok(shape.to_vec());
        }
        let quantised = self.onnx.graph.node.iter().filter(|node| {
            node.op_type == "QuantizeLinear" && node.input.first().is_some_and(|input| input == name)
        });
        let mut quantised = quantised.filter_map(|node| self.tensors.get(node.output.first()?));
        if let Some(tensor) = quantised.next() {
            return Ok(tensor.shape.clone());
        }
        let refuse = || Refusal::float(self.onnx.title(name), "the shape of a tensor that is not quantised");
        let index = self.onnx.producer(name).filter(|_| depth < DEPTH).ok_or_else(refuse)?;
        let node = &self.onnx.graph.node[index];
        match node.op_type.as_str() {
            "DequantizeLinear" | "QuantizeLinear" | "Relu" | "Clip" | "Sigmoid" | "LeakyRelu" | "Tanh"
            | "Cast" | "Identity" => self.sizes(input(node, 0)?, depth + 1),
            _ => Err(refuse()),
        }
    }

    /// A `Slice` of numbers.
    fn slice_of(&self, node: &NodeProto, values: Vec<f64>) -> Result<Vec<f64>, Refusal> {
        let bound = |index: usize, name: &str, default: i64| match node.input.get(index) {
            Some(name) if !name.is_empty() => Ok(self.numbers(name)?.first().copied().unwrap_or(default)),
            _ => Ok(list(node, name, &[default]).first().copied().unwrap_or(default)),
        };
        let count = values.len() as i64;
        let place = |at: i64| (if at < 0 { at.saturating_add(count) } else { at }).clamp(0, count) as usize;
        let (start, end) = (place(bound(1, "starts", 0)?), place(bound(2, "ends", count)?));
        let step = usize::try_from(bound(4, "steps", 1)?).ok().filter(|&step| step > 0);
        let step = step.ok_or_else(|| Refusal::float(&node.name, "a Slice from the end on"))?;
        Ok(values.into_iter().take(end).skip(start).step_by(step).collect())
    }
}

fn vector(values: Vec<f64>, is_float: bool) -> Numbers {
    Numbers { dims: vec![values.len()], values, is_float }
}

/// Number by number; one number goes with all.
fn combined(op: &str, a: &Numbers, b: &Numbers) -> Option<Numbers> {
    let count = a.values.len().max(b.values.len());
    let is_float = a.is_float || b.is_float;
    let at = |of: &Numbers, index: usize| match of.values.len() {
        1 => of.values.first().copied(),
        found if found == count => of.values.get(index).copied(),
        _ => None,
    };
    let one = |index: usize| {
        let (a, b) = (at(a, index)?, at(b, index)?);
        Some(match op {
            "Add" => a + b,
            "Sub" => a - b,
            "Mul" => a * b,
            "Div" if is_float => a / b,
            "Div" => (a / b).trunc(),
            "Max" => a.max(b),
            _ => a.min(b),
        })
    };
    let values: Vec<f64> = (0..count).map(one).collect::<Option<_>>()?;
    let dims = if a.dims.is_empty() && b.dims.is_empty() { Vec::new() } else { vec![values.len()] };
    Some(Numbers { dims, values, is_float })
}
