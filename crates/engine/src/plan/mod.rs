//! The list of steps, ready to run: weights packed, every buffer in a slot that others reuse when its last
//! reader is done.

mod arena;
mod kernel;
mod report;
mod slots;
mod step;
mod work;

pub use report::StepReport;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tract_onnx::prelude::TractResult;

use crate::memory::Budget;
use crate::refusal::{Reason, Refusal};
use crate::steps::{Activation, Lowered, Order, Output, Picture, Source};
use arena::Arena;
use edgeclip_kernels::team::Team;
use edgeclip_kernels::{Isa, layout};
use kernel::Kernel;
use step::{SMALL, Step};

/// A network that is planned for an instruction set and a team of threads.
#[derive(Debug)]
pub(crate) struct Plan {
    isa: Isa,
    team: Team,
    size: [usize; 3],
    steps: Vec<Step>,
    outputs: Vec<Output>,
    /// Bytes of each slot.
    slots: Vec<usize>,
    /// Memory of passes that are over, for passes to come.
    arenas: Mutex<Vec<Arena>>,
    left: Vec<Reason>,
}

/// The results of one pass. Their memory serves other passes once it is dropped.
pub(crate) struct Pass<'a> {
    plan: &'a Plan,
    arena: Option<Arena>,
    picture: Picture<'a>,
}

impl Plan {
    /// # Errors
    /// [`Refusal::Memory`] if the buffers of a pass do not fit into `budget`.
    pub(crate) fn new(lowered: Lowered, isa: Isa, team: Team, budget: Budget) -> Result<Self, Refusal> {
        let Lowered { size, mut steps, mut outputs, left } = lowered;
        let slots = slots::assign(&mut steps, &mut outputs, size.iter().product());
        let bytes = slots.iter().fold(0, |sum: usize, &bytes| sum.saturating_add(bytes));
        if bytes > budget.bytes() {
            let largest = steps.iter().max_by_key(|step| step.to.len());
            let (name, size) = largest.map_or(("input", 0), |step| (step.name.as_str(), step.to.len()));
            let found = format!("{} MB of {} MB for all tensors of a pass", size >> 20, bytes >> 20);
            return Err(Refusal::memory(name, found));
        }
        let steps = steps.into_iter().map(|draft| Step::new(draft, isa)).collect();
        Ok(Self { isa, team, size, steps, outputs, slots, arenas: Mutex::default(), left })
    }

    /// Whether any step is one of our kernels.
    pub(crate) fn has_kernels(&self) -> bool {
        self.steps.iter().any(|step| !matches!(step.kernel, Kernel::Island(..)))
    }

    /// Why parts of the network stay in float, in the graph's order.
    pub(crate) fn left_in_float(&self) -> &[Reason] {
        &self.left
    }

    /// Names and shapes of the outputs, in the file's order.
    pub(crate) fn outputs(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.outputs.iter().map(|output| (output.name.as_str(), output.shape()))
    }

    /// The steps in the order in which they run.
    pub(crate) fn report(&self) -> Vec<StepReport> {
        report::report(self.size, &self.steps, &self.outputs, &self.left)
    }

    /// One pass over `[channels, height, width]`.
    pub(crate) fn run<'a>(&'a self, input: Picture<'a>) -> TractResult<Pass<'a>> {
        self.pass(input, |_, _| ())
    }

    /// The same; also the time of each step of [`Plan::report`].
    pub(crate) fn timed(&self, input: Picture<'_>) -> TractResult<Vec<Duration>> {
        let mut times = vec![Duration::ZERO; 1 + self.steps.len()];
        let mut pass = self.pass(input, |index, time| times[index] = time)?;
        for index in (0..self.outputs.len()).filter(|&index| self.outputs[index].island().is_some()) {
            let start = Instant::now();
            pass.read(index, &mut Vec::new())?;
            times.push(start.elapsed());
        }
        Ok(times)
    }

    /// `finished` gets the index and the time of each step, the conversion of the input first.
    fn pass<'a>(
        &'a self,
        picture: Picture<'a>,
        mut finished: impl FnMut(usize, Duration),
    ) -> TractResult<Pass<'a>> {
        let arena = self.arenas.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut pass = Pass { plan: self, arena: None, picture };
        let arena = arena.unwrap_or_else(|| Arena::new(&self.slots, self.team.threads()));
        let arena = pass.arena.insert(arena);
        let mut last = Instant::now();
        let mut lap = |index: usize| {
            let now = Instant::now();
            finished(index, now - std::mem::replace(&mut last, now));
        };
        let [channels, height, width] = self.size;
        let pixels = height * width;
        if let Some(input) = &pass.picture.quantised {
            let to = &mut arena.slots[0][..channels * pixels];
            self.team.split(&mut arena.scratch, to, channels, self.team.threads(), |_, first, to| {
                layout::interleaved(self.isa, channels, pixels, &input[first..], to);
            });
        }
        lap(0);
        for (index, step) in self.steps.iter().enumerate() {
            step.run(self.isa, &self.team, arena, pass.picture.float)?;
            lap(1 + index);
        }
        Ok(pass)
    }

    /// Into how many parts the reading of `count` values is split, where less than `small` is not worth
    /// another thread.
    fn parts(&self, count: usize, small: usize) -> usize {
        if count > small { self.team.threads() } else { 1 }
    }
}

impl Pass<'_> {
    /// Number of outputs.
    pub(crate) fn outputs(&self) -> usize {
        self.plan.outputs.len()
    }

    /// The values of output `index` in the layout of the graph.
    pub(crate) fn read(&mut self, index: usize, values: &mut Vec<f32>) -> TractResult<()> {
        let Self { plan, arena: Some(Arena { slots, scratch }), picture } = self else { return Ok(()) };
        let (tensor, unit) = match &plan.outputs[index].source {
            Source::Dequantised(Activation { tensor, scale, zero }) => (tensor, (*scale, *zero)),
            Source::Real(real) => {
                let channels = real.view.channels / size_of::<f32>();
                values.resize(real.view.len() / size_of::<f32>(), 0.0);
                let from = &slots[real.view.buffer];
                let planes = if real.order == Order::First { channels } else { 1 };
                work::real_planes(planes, &from[..real.view.len()], values);
                return Ok(());
            }
            Source::Float { island, from } => {
                *values = island.run(picture.float, &work::planes(plan.isa, from, slots))?;
                return Ok(());
            }
        };
        let view = tensor.view;
        values.resize(view.len(), 0.0);
        let from = &slots[view.buffer][view.offset..];
        let parts = plan.parts(view.len(), SMALL);
        plan.team.split(scratch, values, view.pixels(), parts, |_, first, to| {
            let channels = to.len() / view.pixels();
            layout::dequantised(plan.isa, channels, view.stride, unit, &from[first..], to);
        });
        Ok(())
    }

    /// The values of output `index`, of shape `[1, channels, height, width]`, pixel after pixel.
    pub(crate) fn read_pixels(&mut self, index: usize, values: &mut Vec<f32>) -> TractResult<()> {
        let output = &self.plan.outputs[index];
        let channels = output.shape().get(1).copied().unwrap_or(1);
        let (view, unit) = match &output.source {
            Source::Dequantised(Activation { tensor, scale, zero }) if tensor.view.channels == channels => {
                (tensor.view, (*scale, *zero))
            }
            _ => {
                self.read(index, values)?;
                *values = by_pixel(values, channels);
                return Ok(());
            }
        };
        let Self { plan, arena: Some(Arena { slots, scratch }), .. } = self else { return Ok(()) };
        values.resize(view.len(), 0.0);
        let from = &slots[view.buffer][view.offset..];
        let parts = plan.parts(view.len(), SMALL / 8);
        plan.team.split(scratch, values, view.channels, parts, |_, first, to| {
            let from = &from[first * view.stride..];
            if view.is_dense() {
                return layout::values(plan.isa, unit, from, to);
            }
            for (to, from) in to.chunks_exact_mut(view.channels).zip(from.chunks(view.stride)) {
                layout::values(plan.isa, unit, from, to);
            }
        });
        Ok(())
    }
}

/// `[channels, pixels]` → `[pixels, channels]`.
pub(crate) fn by_pixel(planes: &[f32], channels: usize) -> Vec<f32> {
    let pixels = planes.len() / channels.max(1);
    (0..pixels).flat_map(|pixel| planes.iter().skip(pixel).step_by(pixels)).copied().collect()
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.plan.arenas.lock().unwrap_or_else(PoisonError::into_inner).extend(self.arena.take());
    }
}
