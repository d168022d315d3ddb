//! The list of steps, ready to run: weights packed, every buffer in a slot that others reuse when its last reader is done.

use std::sync::{Mutex, PoisonError};

use tract_onnx::prelude::TractResult;

use super::Refusal;
use super::builder::{Activation, Builder};
use super::draft::{Convolution, Draft, Kind, Op, View, fuse_tables};
use super::island::Island;
use crate::kernels::add::Add;
use crate::kernels::conv_depthwise::Depthwise;
use crate::kernels::conv_direct::Direct;
use crate::kernels::conv_pointwise::{Pointwise, Scratch};
use crate::kernels::patches::Window;
use crate::kernels::pool::Mean;
use crate::kernels::table::Table;
use crate::kernels::upsample::Upsample;
use crate::kernels::{Isa, add, layout, pool, table, upsample};

/// A lowered network.
#[derive(Debug)]
pub(in crate::model) struct Plan {
    isa: Isa,
    size: [usize; 3],
    steps: Vec<Step>,
    outputs: Vec<Output>,
    /// Bytes of each slot.
    slots: Vec<usize>,
    /// Memory of passes that are over, for passes to come.
    arenas: Mutex<Vec<Arena>>,
    left: Vec<Refusal>,
}

/// An output of the network.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) name: String,
    pub(super) activation: Activation,
}

#[derive(Debug)]
struct Step {
    name: String,
    kernel: Kernel,
    /// Their `buffer` is a slot.
    from: Vec<View>,
    to: View,
}

#[derive(Debug)]
enum Kernel {
    Pointwise(Pointwise),
    Direct(Direct),
    Depthwise(Depthwise),
    Add(Add),
    Table(Table),
    Concat(Vec<Table>),
    Interleave(Box<[Table; 2]>),
    Max(Window),
    Mean(Window, Mean),
    Upsample(Upsample),
    Island(Box<Island>),
}

/// What one pass writes to.
#[derive(Debug, Default)]
struct Arena {
    slots: Vec<Vec<i8>>,
    scratch: Scratch,
    sums: Vec<i32>,
}

impl Plan {
    pub(super) fn new(builder: Builder<'_>, size: [usize; 3], mut outputs: Vec<Output>, isa: Isa) -> Self {
        let Builder { mut steps, left, .. } = builder;
        let views: Vec<View> = outputs.iter().map(|output| output.activation.tensor.view).collect();
        fuse_tables(&mut steps, &views);
        let slots = assign_slots(&mut steps, &mut outputs, size.iter().product());
        let steps = steps.into_iter().map(|draft| Step::new(draft, isa)).collect();
        Self { isa, size, steps, outputs, slots, arenas: Mutex::default(), left }
    }

    /// Why parts of the network stay in float, in the graph's order.
    pub(in crate::model) fn left_in_float(&self) -> &[Refusal] {
        &self.left
    }

    /// Names and shapes of the outputs, in the file's order.
    pub(in crate::model) fn outputs(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.outputs.iter().map(|output| (output.name.as_str(), &output.activation.tensor.shape[..]))
    }

    /// One pass over `[channels, height, width]`; the values of all outputs.
    pub(in crate::model) fn run(&self, input: &[i8]) -> TractResult<Vec<Vec<f32>>> {
        let arena = self.arenas.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut arena = arena.unwrap_or_else(|| Arena {
            slots: self.slots.iter().map(|&bytes| vec![0; bytes]).collect(),
            ..Arena::default()
        });
        let [channels, height, width] = self.size;
        layout::interleaved(self.isa, channels, input, &mut arena.slots[0][..channels * height * width]);
        for step in &self.steps {
            step.run(self.isa, &mut arena)?;
        }
        let values = self.outputs.iter().map(|output| {
            let Activation { tensor, scale, zero } = &output.activation;
            let view = tensor.view;
            let mut values = vec![0.0; view.len()];
            let from = &arena.slots[view.buffer][view.offset..];
            layout::dequantised(self.isa, view.channels, view.stride, (*scale, *zero), from, &mut values);
            values
        });
        let values = values.collect();
        self.arenas.lock().unwrap_or_else(PoisonError::into_inner).push(arena);
        Ok(values)
    }
}

impl Step {
    fn new(draft: Draft, isa: Isa) -> Self {
        let Draft { name, op, from, to } = draft;
        let kernel = match op {
            Op::Convolution(conv) => Kernel::new(*conv, isa),
            Op::Add(add) => Kernel::Add(add),
            Op::Table(table) => Kernel::Table(table),
            Op::Concat(tables) => Kernel::Concat(tables),
            Op::Interleave(tables) => Kernel::Interleave(tables),
            Op::Max(window) => Kernel::Max(window),
            Op::Mean(window, mean) => Kernel::Mean(window, mean),
            Op::Upsample(upsample) => Kernel::Upsample(upsample),
            Op::Island(island) => Kernel::Island(island),
        };
        Self { name, kernel, from, to }
    }

    fn run(&self, isa: Isa, arena: &mut Arena) -> TractResult<()> {
        // A step never reads the slot that it writes.
        let mut slot = std::mem::take(&mut arena.slots[self.to.buffer]);
        let done = self.write(isa, arena, &mut slot[..self.to.len()]);
        arena.slots[self.to.buffer] = slot;
        done.map_err(|error| error.context(self.name.clone()))
    }

    fn write(&self, isa: Isa, arena: &mut Arena, to: &mut [i8]) -> TractResult<()> {
        let Arena { slots, scratch, sums } = arena;
        // From a view's first channel to its last.
        let input = |index: usize| {
            let view = self.from[index];
            &slots[view.buffer][view.offset..][..(view.pixels() - 1) * view.stride + view.channels]
        };
        let channels = self.to.channels;
        match &self.kernel {
            Kernel::Pointwise(conv) => conv.run(scratch, input(0), self.from[0].stride, to),
            Kernel::Direct(conv) => conv.run(scratch, input(0), 0, to),
            Kernel::Depthwise(conv) => conv.run(input(0), 0, to),
            Kernel::Add(sum) => add::run(isa, sum, input(0), input(1), to),
            Kernel::Table(one) => concat(isa, std::slice::from_ref(one), &self.from, input, to),
            Kernel::Concat(tables) => concat(isa, tables, &self.from, input, to),
            Kernel::Interleave(tables) => {
                let [first, second] = &**tables;
                let (a, b) =
                    ((first, input(0), self.from[0].stride), (second, input(1), self.from[1].stride));
                table::interleave(isa, self.from[0].channels, a, b, to);
            }
            Kernel::Max(window) => pool::max(isa, window, channels, input(0), 0, to),
            Kernel::Mean(window, mean) => {
                sums.resize(channels, 0);
                pool::mean(isa, window, *mean, channels, sums, input(0), 0, to);
            }
            Kernel::Upsample(upsample) => upsample::twice(isa, upsample, input(0), 0, to),
            Kernel::Island(island) => {
                let planes = self.from.iter().enumerate().map(|(index, view)| {
                    let mut planes = vec![0; view.len()];
                    layout::planes(isa, view.channels, view.stride, input(index), &mut planes);
                    planes
                });
                layout::interleaved(isa, channels, &island.run(&planes.collect::<Vec<_>>())?, to);
            }
        }
        Ok(())
    }
}

impl Kernel {
    fn new(conv: Convolution, isa: Isa) -> Self {
        let Convolution { kind, window, padding, weights, requantise } = conv;
        if kind == Kind::Depthwise {
            return Self::Depthwise(Depthwise::new(isa, window, padding, &weights, requantise));
        }
        if kind == Kind::Patches {
            return Self::Direct(Direct::new(isa, window, padding, &weights, requantise));
        }
        let outputs = requantise.bias.len();
        Self::Pointwise(Pointwise::new(isa, weights.len() / outputs, outputs, &weights, requantise))
    }
}

/// Writes the inputs' channels side by side, each through its table.
fn concat<'a>(isa: Isa, tables: &[Table], from: &[View], input: impl Fn(usize) -> &'a [i8], to: &mut [i8]) {
    let stride = from.iter().map(|view| view.channels).sum();
    let mut start = 0;
    for (index, (view, table)) in from.iter().zip(tables).enumerate() {
        if view.is_dense() && stride == view.channels {
            table::apply(isa, table, input(index), to);
            continue;
        }
        for (to, from) in to.chunks_exact_mut(stride).zip(input(index).chunks(view.stride)) {
            table::apply(isa, table, &from[..view.channels], &mut to[start..][..view.channels]);
        }
        start += view.channels;
    }
}

/// Replaces buffers by slots, of which each is free again after the last reader of its buffer. Returns the slots' bytes.
fn assign_slots(steps: &mut [Draft], outputs: &mut [Output], input: usize) -> Vec<usize> {
    let buffers = 1 + steps.iter().map(|step| step.to.buffer).max().unwrap_or(0);
    let mut last = vec![0; buffers];
    for (index, step) in steps.iter().enumerate() {
        step.from.iter().for_each(|view| last[view.buffer] = index);
    }
    outputs.iter().for_each(|output| last[output.activation.tensor.view.buffer] = usize::MAX);
    let mut slots = vec![input];
    let mut slot_of = vec![0; buffers];
    let mut free: Vec<usize> = Vec::new();
    for (index, step) in steps.iter_mut().enumerate() {
        let bytes = step.to.len();
        // The free slot that fits best: the smallest that is large enough, else the largest.
        let best = (0..free.len()).min_by_key(|&at| {
            let size = slots[free[at]];
            if size >= bytes { (0, size) } else { (1, usize::MAX - size) }
        });
        let slot = best.map_or_else(
            || {
                slots.push(0);
                slots.len() - 1
            },
            |at| free.swap_remove(at),
        );
        slots[slot] = slots[slot].max(bytes);
        slot_of[step.to.buffer] = slot;
        let mut done: Vec<usize> =
            step.from.iter().map(|view| view.buffer).filter(|&buffer| last[buffer] == index).collect();
        done.sort_unstable();
        done.dedup();
        free.extend(done.iter().map(|&buffer| slot_of[buffer]));
        // Nobody reads it.
        if last[step.to.buffer] == 0 {
            free.push(slot);
        }
        step.from.iter_mut().for_each(|view| view.buffer = slot_of[view.buffer]);
        step.to.buffer = slot;
    }
    outputs.iter_mut().for_each(|output| {
        let view = &mut output.activation.tensor.view;
        view.buffer = slot_of[view.buffer];
    });
    slots
}
