//! What a network consists of, for people.

use super::kernel::Kernel;
use super::step::Step;
use crate::error::one_line;
use crate::refusal::Reason;
use crate::steps::Output;

/// One step of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepReport {
    /// The node of the graph that the step ends with.
    pub node: String,
    /// The kernel, or `float`.
    pub kernel: &'static str,
    /// Why the step stays in float; `None` if a kernel of ours runs it.
    pub refusal: Option<String>,
    /// Channels, height and width of the result; where that stays in float, its bytes count as channels.
    pub shape: [usize; 3],
    /// Products of weights and activations.
    pub macs: u64,
}

/// The steps in the order in which they run. The first brings the input, of `size`, into the kernels' layout;
/// outputs that are computed in float come last.
pub(super) fn report(
    size: [usize; 3],
    steps: &[Step],
    outputs: &[Output],
    left: &[Reason],
) -> Vec<StepReport> {
    let input =
        StepReport { node: "input".to_owned(), kernel: "layout", refusal: None, shape: size, macs: 0 };
    // Islands come in the order of their refusals.
    let mut left = left.iter().map(|reason| one_line(&reason.why));
    let steps = steps.iter().map(|step| StepReport {
        node: one_line(&step.name),
        kernel: step.kernel.name(),
        refusal: matches!(step.kernel, Kernel::Island(..)).then(|| left.next().unwrap_or_default()),
        shape: [step.to.channels, step.to.height, step.to.width],
        macs: step.macs,
    });
    let mut reports: Vec<StepReport> = std::iter::once(input).chain(steps).collect();
    let floats = outputs.iter().filter_map(|output| output.island().map(|island| (output, island)));
    reports.extend(floats.map(|(output, island)| StepReport {
        node: one_line(&output.name),
        kernel: "float",
        refusal: Some(left.next().unwrap_or_default()),
        shape: [island.output.iter().product(), 1, 1],
        macs: island.macs,
    }));
    reports
}
