//! Weights less their zero points, and which of them int8 does not hold.

use tract_onnx::pb::NodeProto;
use tract_onnx::pb::tensor_proto::DataType;

use crate::lower::onnx::{Onnx, dims, integer};

/// Most parts into which the copied inputs may fall before all are copied.
const PARTS: usize = 8;

/// Weights less their zero points, as int8 numbers and what is beyond them.
pub(super) struct Weights {
    pub(super) dims: Vec<usize>,
    /// The axis that counts the inputs.
    pub(super) inputs: usize,
    int8: Vec<i32>,
    beyond: Vec<i32>,
}

/// The weights of `node`, which `dq` dequantises, if they have zero points and one scale, or one an output.
pub(super) fn weights_of(onnx: &Onnx<'_>, node: &NodeProto, dq: &NodeProto) -> Option<Weights> {
    let [stored, scale, rest @ ..] = &dq.input[..] else { return None };
    let constant = onnx.constant(stored)?;
    let kind = DataType::try_from(constant.data_type).ok()?;
    let middle = match kind {
        DataType::Uint8 => 128,
        DataType::Int8 => 0,
        _ => return None,
    };
    let size = dims(constant).ok()?;
    let rank = size.len();
    let outputs = match node.op_type.as_str() {
        "Conv" if rank >= 3 => 0,
        "Gemm" if rank == 2 => usize::from(integer(node, "transB", 0) == 0),
        "MatMul" if rank == 2 => 1,
        _ => return None,
    };
    let scales = onnx.floats(scale).ok()?.values.len();
    let zeros = match rest.first().filter(|zero| !zero.is_empty()) {
        Some(zero) => onnx.integers(zero).ok()?.values,
        None => vec![0; scales],
    };
    let axis = integer(dq, "axis", 1);
    let axis = if axis < 0 { axis + rank as i64 } else { axis };
    let along = scales == 1 || (axis == outputs as i64 && size[outputs] == scales);
    if !along || zeros.len() != scales || scales == 0 || zeros.iter().all(|&zero| zero == middle) {
        return None;
    }
    // Most weights have none: only now are these read.
    let found = onnx.integers(stored).ok()?;
    let run: usize = found.dims[outputs + 1..].iter().product();
    let less =
        |(at, &value): (usize, &i64)| (value - zeros[at / run.max(1) % found.dims[outputs] % scales]) as i32;
    let values: Vec<i32> = found.values.iter().enumerate().map(less).collect();
    let int8: Vec<i32> = values.iter().map(|&value| value.clamp(-128, 127)).collect();
    let beyond = values.iter().zip(&int8).map(|(value, int8)| value - int8).collect();
    let inputs = if node.op_type == "Conv" { 1 } else { 1 - outputs };
    Some(Weights { dims: found.dims, inputs, int8, beyond })
}

impl Weights {
    /// Values of one input between one output and the next.
    fn run(&self) -> usize {
        self.dims[self.inputs + 1..].iter().product()
    }

    /// Inputs from where to where have weights beyond int8; all, if they fall into many parts.
    pub(super) fn parts(&self) -> Vec<(usize, usize)> {
        let (count, run) = (self.dims[self.inputs], self.run().max(1));
        let mut needs = vec![false; count];
        for (at, _) in self.beyond.iter().enumerate().filter(|(_, value)| **value != 0) {
            needs[at / run % count] = true;
        }
        let mut parts: Vec<(usize, usize)> = Vec::new();
        for input in (0..count).filter(|&input| needs[input]) {
            match parts.last_mut() {
                Some((_, end)) if *end == input => *end += 1,
                _ => parts.push((input, input + 1)),
            }
        }
        if parts.len() > PARTS { vec![(0, count)] } else { parts }
    }

    /// The weights of all inputs and of the copied ones after them.
    pub(super) fn widened(&self, parts: &[(usize, usize)]) -> Vec<i32> {
        let run = self.run();
        let row = (self.dims[self.inputs] * run).max(1);
        let rows = self.int8.chunks(row).zip(self.beyond.chunks(row));
        let row = |(int8, beyond): (&[i32], &[i32])| -> Vec<i32> {
            let copied = parts.iter().flat_map(|&(start, end)| beyond[start * run..end * run].to_vec());
            int8.iter().copied().chain(copied).collect()
        };
        rows.flat_map(row).collect()
    }

    pub(super) fn widened_dims(&self, parts: &[(usize, usize)]) -> Vec<i64> {
        let mut dims: Vec<i64> = self.dims.iter().map(|&dim| dim as i64).collect();
        dims[self.inputs] += parts.iter().map(|(start, end)| (end - start) as i64).sum::<i64>();
        dims
    }
}
