//! Our kernels as a tract op.

use std::sync::Arc;

use tract_core::internal::*;
use tract_onnx::tract_hir::infer::*;
use tract_onnx::tract_hir::internal::{Expansion, InferenceOp, expand};

use super::found::OP;
use super::kernel::Kernel;
use edgeclip_kernels::Isa;

/// The op. Two are equal if they share their kernel.
#[derive(Debug, Clone)]
pub(super) struct Ours {
    kernel: Arc<Kernel>,
    isa: Isa,
}

impl Ours {
    pub(super) fn new(kernel: Kernel, isa: Isa) -> Self {
        Self { kernel: Arc::new(kernel), isa }
    }

    /// The op before shapes and types are known.
    pub(super) fn inference(self) -> Box<dyn InferenceOp> {
        expand(self)
    }
}

impl Expansion for Ours {
    fn name(&self) -> StaticName {
        OP.into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        let [from, to] = self.kernel.datum_types();
        check_input_arity(inputs, self.kernel.arity())?;
        check_output_arity(outputs, 1)?;
        for input in inputs {
            s.equals(&input.datum_type, from)?;
        }
        s.equals(&outputs[0].datum_type, to)?;
        s.given(&inputs[0].shape, move |s, shape| s.equals(&outputs[0].shape, self.kernel.shape(&shape)?))
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        model.wire_node(prefix, self.clone(), inputs)
    }
}

impl PartialEq for Ours {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.kernel, &other.kernel)
    }
}

impl Eq for Ours {}

impl Op for Ours {
    fn name(&self) -> StaticName {
        OP.into()
    }

    op_as_typed_op!();
}

impl EvalOp for Ours {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        Ok(tvec!(self.kernel.run(self.isa, inputs)?.into()))
    }
}

impl TypedOp for Ours {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let shape = self.kernel.shape(&inputs[0].shape.to_tvec())?;
        Ok(tvec!(self.kernel.datum_types()[1].fact(shape)))
    }

    as_op!();
}
