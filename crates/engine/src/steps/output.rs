//! Outputs of the network.

use super::draft::View;
use super::island::Island;
use super::tensor::{Activation, Real};

/// An output of the network.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) name: String,
    pub(crate) source: Source,
}

/// Where its values come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// A quantised tensor, dequantised; its view has planes as the graph has them.
    Dequantised(Activation),
    /// A float tensor.
    Real(Real),
    /// What tract computes in float of quantised tensors.
    Float { island: Box<Island>, from: Vec<View> },
}

impl Output {
    pub(crate) fn shape(&self) -> &[usize] {
        match &self.source {
            Source::Dequantised(activation) => &activation.tensor.shape,
            Source::Real(real) => &real.shape,
            Source::Float { island, .. } => &island.output,
        }
    }

    /// What computes it in float.
    pub(crate) fn island(&self) -> Option<&Island> {
        match &self.source {
            Source::Dequantised(_) | Source::Real(_) => None,
            Source::Float { island, .. } => Some(island),
        }
    }

    /// What it reads.
    pub(crate) fn views(&self) -> &[View] {
        match &self.source {
            Source::Dequantised(activation) => std::slice::from_ref(&activation.tensor.view),
            Source::Real(real) => std::slice::from_ref(&real.view),
            Source::Float { from, .. } => from,
        }
    }

    /// The same, to be moved to other buffers.
    pub(crate) fn views_mut(&mut self) -> &mut [View] {
        match &mut self.source {
            Source::Dequantised(activation) => std::slice::from_mut(&mut activation.tensor.view),
            Source::Real(real) => std::slice::from_mut(&mut real.view),
            Source::Float { from, .. } => from,
        }
    }
}
