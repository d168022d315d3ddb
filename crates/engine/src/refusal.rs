//! Why a part of a network does not run through the int8 kernels.

use std::fmt;

use crate::error::{Error, one_line};
use crate::memory::Budget;
use crate::tract::Failure;

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
        write!(formatter, "{} stays in float: {}", one_line(&self.node), one_line(&self.why))
    }
}

/// What a rule answers if it does not take a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No kernel computes the node: tract runs it in float.
    Float(Reason),
    /// The file is broken: nothing may run it.
    Broken(Reason),
    /// Nor can tract run it.
    Tract(Reason),
    /// It takes more memory than it may.
    Memory(Reason),
}

impl Refusal {
    pub(crate) fn float(node: &str, why: impl Into<String>) -> Self {
        Self::Float(Reason { node: node.to_owned(), why: why.into() })
    }

    pub(crate) fn broken(node: &str, why: impl Into<String>) -> Self {
        Self::Broken(Reason { node: node.to_owned(), why: why.into() })
    }

    pub(crate) fn memory(node: &str, why: impl Into<String>) -> Self {
        Self::Memory(Reason { node: node.to_owned(), why: why.into() })
    }

    /// Of an island that ends in `node`.
    pub(crate) fn unplanned(node: &str, failure: Failure) -> Self {
        match failure {
            Failure::Memory(why) => Self::memory(node, why),
            Failure::Tract(why) => Self::Tract(Reason { node: node.to_owned(), why }),
        }
    }

    /// What is the matter.
    pub(crate) fn reason(self) -> Reason {
        let (Self::Float(reason) | Self::Broken(reason) | Self::Tract(reason) | Self::Memory(reason)) = self;
        reason
    }

    /// The error of a network that nothing can run for this reason.
    pub(crate) fn error(self, file: &str, budget: Budget) -> Error {
        let (Reason { node, why }, expected) = match self {
            Self::Broken(reason) => (reason, "shapes and types that fit".to_owned()),
            Self::Float(reason) | Self::Tract(reason) => {
                (reason, "an ONNX network that tract can run".to_owned())
            }
            Self::Memory(reason) => (reason, budget.expected()),
        };
        Error::model(file, format!("node {node} with {why}"), expected)
    }
}
