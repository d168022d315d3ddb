//! The steps of a network before their weights are packed.

use crate::kernels::add::Add;
use crate::kernels::conv_residual::Residual;
use crate::kernels::multiply::Multiply;
use crate::kernels::patches::Window;
use crate::kernels::pool::Mean;
use crate::kernels::requantise::Requantise;
use crate::kernels::table::Table;
use crate::kernels::upsample::Upsample;

use super::island::Island;

/// Some or all channels of a picture in a buffer, `[height, width, channels]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct View {
    pub(super) buffer: usize,
    /// First channel.
    pub(super) offset: usize,
    pub(super) channels: usize,
    /// Channels of the buffer.
    pub(super) stride: usize,
    pub(super) height: usize,
    pub(super) width: usize,
}

impl View {
    pub(super) fn whole(buffer: usize, channels: usize, height: usize, width: usize) -> Self {
        Self { buffer, offset: 0, channels, stride: channels, height, width }
    }

    pub(super) fn is_dense(&self) -> bool {
        self.stride == self.channels
    }

    pub(super) fn pixels(&self) -> usize {
        self.height * self.width
    }

    pub(super) fn len(&self) -> usize {
        self.pixels() * self.channels
    }
}

/// Which kernel convolves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Pointwise,
    Patches,
    Depthwise,
}

/// A convolution.
#[derive(Debug)]
pub(super) struct Convolution {
    pub(super) kind: Kind,
    pub(super) window: Window,
    /// The input's zero point.
    pub(super) padding: i8,
    /// `[outputs, inputs of an output]` in the order in which the kernel meets them.
    pub(super) weights: Vec<i8>,
    pub(super) requantise: Requantise,
}

/// What a step does. Inputs come in the order of [`Draft::from`].
#[derive(Debug)]
pub(super) enum Op {
    Convolution(Box<Convolution>),
    /// A convolution of the first input, pointwise or over patches, plus the second.
    Residual(Box<Convolution>, Residual),
    Add(Add),
    /// Of two tensors of one shape, or of the first by one value a channel.
    Multiply(Multiply),
    Table(Table),
    /// One table an input.
    Concat(Vec<Table>),
    /// The two inputs channel by channel in turn.
    Interleave(Box<[Table; 2]>),
    Max(Window),
    Mean(Window, Mean),
    Upsample(Upsample),
    /// Every pixel four times.
    Repeat,
    /// All values in the order of planes.
    Planes,
    /// Its results are quantised with this scale and zero point.
    Island(Box<Island>, (f32, i32)),
}

/// One step: `to`, a whole buffer, from `from`.
#[derive(Debug)]
pub(super) struct Draft {
    /// The node of the graph.
    pub(super) name: String,
    pub(super) op: Op,
    pub(super) from: Vec<View>,
    pub(super) to: View,
}

impl Draft {
    /// Products of weights and activations.
    pub(super) fn macs(&self) -> u64 {
        match &self.op {
            Op::Convolution(conv) | Op::Residual(conv, _) => (self.to.pixels() * conv.weights.len()) as u64,
            Op::Island(island, _) => island.macs,
            _ => 0,
        }
    }
}

/// Moves tables into the convolutions before them where nobody else reads what lies between: the kernel applies them in registers,
/// to the same quantised values. `outputs` are read, too.
pub(super) fn fuse_tables(steps: &mut Vec<Draft>, outputs: &[View]) {
    let mut index = 0;
    while index < steps.len() {
        for input in 0..steps[index].from.len() {
            let from = steps[index].from[input];
            let readers = steps.iter().flat_map(|step| &step.from).chain(outputs);
            let lonely = readers.filter(|view| view.buffer == from.buffer).count() == 1;
            let maker = steps.iter().position(|step| step.to.buffer == from.buffer);
            let Some(maker) = maker.filter(|_| lonely && from.is_dense()) else { continue };
            if !matches!(steps[maker].op, Op::Convolution(_)) {
                continue;
            }
            let identity = Table::new(|q| q);
            let table = match &mut steps[index].op {
                Op::Table(table) => std::mem::replace(table, identity),
                Op::Concat(tables) => std::mem::replace(&mut tables[input], identity),
                Op::Interleave(tables) => std::mem::replace(&mut tables[input], identity),
                _ => continue,
            };
            if let Op::Convolution(conv) = &mut steps[maker].op {
                let before = conv.requantise.table.take();
                conv.requantise.table =
                    Some(Box::new(before.map_or_else(|| table.clone(), |before| before.then(&table))));
            }
            if matches!(steps[index].op, Op::Table(_)) {
                steps[maker].to = steps[index].to;
                steps.remove(index);
                // The step that is at `index` now has not been seen.
                index = index.wrapping_sub(1);
                break;
            }
        }
        index = index.wrapping_add(1);
    }
}
