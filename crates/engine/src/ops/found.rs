//! What a rule finds.

use tract_onnx::pb::NodeProto;

use super::kernel::Kernel;

/// Op type of the nodes that stand for our ops.
pub(super) const OP: &str = "Edgeclip";

/// A part of a graph, and the node that stands for it.
pub(super) struct Found {
    pub(super) node: NodeProto,
    pub(super) kernel: Kernel,
}

impl Found {
    /// A part called as its node `node` is, from `inputs` to `output`.
    pub(super) fn new(node: &NodeProto, inputs: &[&str], output: &str, kernel: Kernel) -> Self {
        let name = if node.name.is_empty() { output.to_owned() } else { node.name.clone() };
        let input = inputs.iter().map(|&input| input.to_owned()).collect();
        let output = vec![output.to_owned()];
        Self {
            node: NodeProto { op_type: OP.to_owned(), name, input, output, ..NodeProto::default() },
            kernel,
        }
    }
}
