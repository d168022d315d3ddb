//! Why a part of a network does not run through the int8 kernels.

use std::fmt;

/// A node or tensor, and what is the matter with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    /// The node's or tensor's name.
    pub(crate) node: String,
    /// What no kernel computes, or what is broken.
    pub(crate) why: String,
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} stays in float: {}", self.node, self.why)
    }
}

/// What a rule answers if it does not take a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No kernel computes the node: tract runs it in float.
    Float(Reason),
    /// The file is broken: nothing may run it.
    Broken(Reason),
}

impl Refusal {
    pub(crate) fn float(node: &str, why: impl Into<String>) -> Self {
        Self::Float(Reason { node: node.to_owned(), why: why.into() })
    }

    pub(crate) fn broken(node: &str, why: impl Into<String>) -> Self {
        Self::Broken(Reason { node: node.to_owned(), why: why.into() })
    }
}
