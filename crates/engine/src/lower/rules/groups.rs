//! Convolutions in groups that are not depthwise: each group is a convolution of its own channels.

use tract_onnx::pb::NodeProto;

use super::convolution::{Stored, taps_first};
use crate::lower::builder::Builder;
use crate::steps::{Convolution, Kind, Op, Quantised, View};
use edgeclip_kernels::requantise::Requantise;
use edgeclip_kernels::table::Table;

/// Channels that a register holds sums of: smaller groups go together, with weights of zero between them.
const SUMS: usize = 16;

/// The groups' results side by side.
pub(super) fn conv(builder: &mut Builder, node: &NodeProto, stored: Stored) -> Quantised {
    let (inputs, outputs) = (stored.inputs, stored.outputs() / stored.groups);
    let together = (1..=stored.groups)
        .filter(|count| stored.groups.is_multiple_of(*count) && count * inputs.max(outputs) <= SUMS)
        .max()
        .unwrap_or(1);
    let sets = (0..stored.groups / together).map(|set| part(builder, node, &stored, set, together));
    let sets: Vec<View> = sets.collect();
    if let &[only] = &sets[..] {
        return Quantised::picture(only);
    }
    let [height, width] = stored.window.output;
    let to = builder.buffer(stored.outputs(), height, width);
    let tables = vec![Table::new(|q| q); sets.len()];
    builder.push(&node.name, Op::Concat(tables), sets, to);
    Quantised::picture(to)
}

/// The result of `together` groups.
fn part(builder: &mut Builder, node: &NodeProto, stored: &Stored, set: usize, together: usize) -> View {
    let (inputs, outputs) = (stored.inputs, stored.outputs() / stored.groups);
    let taps = stored.window.kernel[0] * stored.window.kernel[1];
    let (wide, count) = (together * inputs, together * outputs);
    let mut weights = vec![0; count * wide * taps];
    for (output, to) in weights.chunks_exact_mut(wide * taps).enumerate() {
        let from = &stored.weights[(set * count + output) * inputs * taps..][..inputs * taps];
        to[output / outputs * inputs * taps..][..inputs * taps].copy_from_slice(from);
    }
    let own = set * count..(set + 1) * count;
    let requantise = Requantise {
        bias: stored.requantise.bias[own.clone()].to_vec(),
        multiplier: stored.requantise.multiplier[own].to_vec(),
        ..stored.requantise.clone()
    };
    let view = stored.x.tensor.view;
    let view = View { offset: view.offset + set * wide, channels: wide, ..view };
    let (kind, from) = if stored.is_pointwise() {
        (Kind::Pointwise, view)
    } else {
        weights = taps_first(&weights, wide, taps);
        (Kind::Patches, builder.dense(&node.name, view))
    };
    let [height, width] = stored.window.output;
    let to = builder.buffer(count, height, width);
    let conv = Convolution { kind, window: stored.window, padding: stored.x.zero as i8, weights, requantise };
    builder.push(&node.name, Op::Convolution(Box::new(conv)), vec![from], to);
    to
}
