//! One step: a kernel, what it reads and what it writes.

use tract_onnx::prelude::TractResult;

use super::arena::Arena;
use super::kernel::Kernel;
use super::work::{concat, interleaved, matrices, meet, planes};
use crate::steps::{Draft, Sum, View};
use edgeclip_kernels::team::Team;
use edgeclip_kernels::{
    Isa, add, affine, interpolate, layout, multiply, pad, patches, pool, repeat, response, softmax, table,
    upsample,
};

/// Work, in products and eighths of written values, that is not worth another thread.
pub(super) const SMALL: usize = 300_000;

/// Work that is worth more parts than threads, so that a thread that was held up does not hold up all.
const LARGE: usize = 8_000_000;

#[derive(Debug)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) kernel: Kernel,
    /// Their `buffer` is a slot.
    from: Vec<View>,
    pub(super) to: View,
    /// Products of an int8 kernel, multiplications of an island.
    pub(super) macs: u64,
}

impl Step {
    pub(super) fn new(draft: Draft, isa: Isa) -> Self {
        let macs = draft.macs();
        let Draft { name, op, from, to } = draft;
        Self { name, kernel: Kernel::new(op, isa), from, to, macs }
    }

    /// `picture` is the network's input, where that is in float.
    pub(super) fn run(&self, isa: Isa, team: &Team, arena: &mut Arena, picture: &[f32]) -> TractResult<()> {
        // A step never reads the slot that it writes.
        let mut slot = std::mem::take(&mut arena.slots[self.to.buffer]);
        let done = self.write(isa, team, arena, picture, &mut slot[..self.to.len()]);
        arena.slots[self.to.buffer] = slot;
        done.map_err(|error| error.context(self.name.clone()))
    }

    fn parts(&self, team: &Team) -> usize {
        match self.macs as usize + 8 * self.to.len() {
            ..SMALL => 1,
            SMALL..LARGE => team.threads(),
            _ => 4 * team.threads(),
        }
    }

    fn write(
        &self,
        isa: Isa,
        team: &Team,
        arena: &mut Arena,
        picture: &[f32],
        to: &mut [i8],
    ) -> TractResult<()> {
        let Arena { slots, scratch } = arena;
        // From a view's first channel to its last.
        let input = |index: usize| {
            let view = self.from[index];
            &slots[view.buffer][view.offset..][..(view.pixels() - 1) * view.stride + view.channels]
        };
        // From pixel `first` on.
        let after = |index: usize, first: usize| &input(index)[first * self.from[index].stride..];
        let (channels, row) = (self.to.channels, self.to.width * self.to.channels);
        let parts = self.parts(team);
        match &self.kernel {
            Kernel::Pointwise(conv) => team.split(scratch, to, channels, parts, |own, first, to| {
                conv.run(&mut own.pointwise, after(0, first), self.from[0].stride, to);
            }),
            Kernel::Direct(conv) => team.split(scratch, to, row, parts, |own, first, to| {
                conv.run(&mut own.pointwise, input(0), first, to);
            }),
            Kernel::Depthwise(conv) => {
                team.split(scratch, to, row, parts, |_, first, to| conv.run(input(0), first, to));
            }
            Kernel::Add(sum) => team.split(scratch, to, channels, parts, |_, first, to| {
                add::run(isa, sum, after(0, first), after(1, first), to);
            }),
            Kernel::Concat(tables) => team.split(scratch, to, channels, parts, |_, first, to| {
                concat(isa, tables, &self.from, |index| after(index, first), to);
            }),
            Kernel::Interleave(tables) => team.split(scratch, to, channels, parts, |_, first, to| {
                let [a, b] =
                    [0, 1].map(|index| (&tables[index], after(index, first), self.from[index].stride));
                table::interleave(isa, self.from[0].channels, a, b, to);
            }),
            Kernel::Max(window) => team.split(scratch, to, row, parts, |_, first, to| {
                pool::max(isa, window, channels, input(0), first, to);
            }),
            Kernel::Mean(window, mean) => team.split(scratch, to, row, parts, |own, first, to| {
                own.sums.resize(channels, 0);
                pool::mean(isa, window, *mean, channels, &mut own.sums, input(0), first, to);
            }),
            Kernel::Upsample(upsample) => team.split(scratch, to, row, parts, |_, first, to| {
                upsample::twice(isa, upsample, input(0), first, to);
            }),
            Kernel::Interpolate(interpolated) => team.split(scratch, to, row, parts, |_, first, to| {
                interpolate::run(isa, interpolated, input(0), first, to);
            }),
            Kernel::Residual(conv, None) => team.split(scratch, to, channels, parts, |own, first, to| {
                conv.run(&mut own.sums, after(0, first), self.from[0].stride, after(1, first), to);
            }),
            Kernel::Residual(conv, Some((window, padding))) => {
                let inputs = self.from[0].channels;
                let patch = window.kernel[0] * window.kernel[1] * inputs;
                team.split(scratch, to, row, parts, |own, first, to| {
                    own.patches.resize(window.output[1] * patch, 0);
                    let added = input(1)[first * row..].chunks_exact(row);
                    for (y, (to, added)) in to.chunks_exact_mut(row).zip(added).enumerate() {
                        patches::row(window, inputs, *padding, input(0), first + y, &mut own.patches);
                        conv.run(&mut own.sums, &own.patches, patch, added, to);
                    }
                });
            }
            Kernel::Multiply(product) => team.split(scratch, to, channels, parts, |_, first, to| {
                let gate = self.from[1].pixels() == 1;
                multiply::run(
                    isa,
                    product,
                    after(0, first),
                    if gate { input(1) } else { after(1, first) },
                    to,
                );
            }),
            Kernel::Repeat => team.split(scratch, to, row, parts, |_, first, to| {
                repeat::twice(self.from[0].width, channels, input(0), first, to);
            }),
            Kernel::Rearrange(order, start) => {
                let part = to.len() / order.parts();
                team.split(scratch, to, part, parts, |_, first, to| {
                    order.run(isa, &input(0)[*start..], first, to);
                });
            }
            Kernel::Pad(pad) => team.split(scratch, to, row, parts, |_, first, to| {
                pad::run(pad, input(0), self.from[0].stride, first, to);
            }),
            Kernel::MatMul(product) => {
                // Numbers of a row of the result: rows of each second matrix.
                let rows = self.to.pixels() / (self.from[1].pixels() / channels);
                team.split(scratch, to, channels, parts, |own, first, to| {
                    matrices(isa, product, &mut own.matmul, rows, [input(0), input(1)], first, to);
                });
            }
            Kernel::RealPool(window, pooled) => team.split(scratch, to, row, parts, |_, first, to| {
                pool::real(isa, window, *pooled, channels / size_of::<f32>(), input(0), first, to);
            }),
            Kernel::RealInterpolate(interpolated) => team.split(scratch, to, row, parts, |_, first, to| {
                interpolate::real(isa, interpolated, input(0), first, to);
            }),
            Kernel::Constant(values) => to.copy_from_slice(values),
            Kernel::Meeting(meeting) => {
                let summed = meeting.sums.iter().map(Sum::inputs).sum();
                let strides: Vec<(&[i8], usize)> =
                    (0..summed).map(|index| (input(index), self.from[index].stride)).collect();
                let tensors: Vec<&[i8]> = (summed..self.from.len()).map(input).collect();
                let values = row / meeting.formula.end.bytes() * meeting.formula.values();
                team.split(scratch, to, row, parts, |own, first, to| {
                    meet(isa, meeting, own, &strides, &tensors, values, first, to);
                });
            }
            Kernel::Affine(constants) => team.split(scratch, to, channels, parts, |_, first, to| {
                affine::run(isa, constants, after(0, first), self.from[0].stride, to);
            }),
            Kernel::Softmax(shares) => team.split(scratch, to, channels, parts, |own, first, to| {
                softmax::run(isa, shares, &mut own.sums, &after(0, first)[..to.len()], to);
            }),
            Kernel::Response(response) => team.split(scratch, to, channels, parts, |own, first, to| {
                let from = &after(0, first)[..to.len()];
                response::run(isa, response, channels, &mut own.sums, from, to);
            }),
            Kernel::Island(island, unit) => {
                let floats = island.run(picture, &planes(isa, &self.from, slots))?;
                let Some(unit) = unit else {
                    interleaved(self.to.pixels(), &floats, to);
                    return Ok(());
                };
                let mut values = vec![0; floats.len()];
                unit.quantise(isa, &floats, &mut values);
                layout::interleaved(isa, channels, self.to.pixels(), &values, to);
            }
        }
        Ok(())
    }
}
