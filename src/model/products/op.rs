//! Our kernels as a tract op.

use std::sync::Arc;

use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_hir::infer::*;
use tract_onnx::tract_hir::internal::{Expansion, InferenceOp, expand};

use crate::kernels::conv_pointwise::{self, Pointwise};
use crate::kernels::product::{self, Product};

/// A product of rows, any number of dimensions of them, with constant weights.
#[derive(Debug)]
pub(super) enum Kernel {
    /// f32 `[…, inputs]` → f32 `[…, outputs]`.
    Float(Product),
    /// int8 `[…, inputs]` → int8 `[…, outputs]`.
    Quantised {
        /// The product and what follows it.
        product: Pointwise,
        /// Length of a row that goes in.
        inputs: usize,
        /// Length of a row that comes out.
        outputs: usize,
    },
}

impl Kernel {
    fn datum_type(&self) -> DatumType {
        match self {
            Self::Float(_) => f32::datum_type(),
            Self::Quantised { .. } => i8::datum_type(),
        }
    }

    fn inputs(&self) -> usize {
        match self {
            Self::Float(product) => product.inputs(),
            Self::Quantised { inputs, .. } => *inputs,
        }
    }

    fn outputs(&self) -> usize {
        match self {
            Self::Float(product) => product.outputs(),
            Self::Quantised { outputs, .. } => *outputs,
        }
    }

    /// The shape of the result for rows of shape `input`.
    fn shape<D: DimLike>(&self, input: &[D]) -> TractResult<TVec<D>> {
        let mut shape: TVec<D> = input.into();
        match shape.last_mut() {
            Some(last) if last.to_usize().ok() == Some(self.inputs()) => *last = self.outputs().into(),
            _ => bail!("rows of shape {input:?} where weights for rows of {} are", self.inputs()),
        }
        Ok(shape)
    }

    fn run(&self, input: &Tensor) -> TractResult<Tensor> {
        let shape = self.shape(input.shape())?;
        let view = input.try_as_plain_ram()?;
        match self {
            Self::Float(kernel) => {
                let mut output = Tensor::zero::<f32>(&shape)?;
                let mut to = output.try_as_plain_ram_mut()?;
                kernel.run(&mut product::Scratch::default(), view.as_slice()?, to.as_slice_mut()?);
                Ok(output)
            }
            Self::Quantised { product, inputs, .. } => {
                let mut output = Tensor::zero::<i8>(&shape)?;
                let mut to = output.try_as_plain_ram_mut()?;
                let mut scratch = conv_pointwise::Scratch::default();
                product.run(&mut scratch, view.as_slice()?, *inputs, to.as_slice_mut()?);
                Ok(output)
            }
        }
    }
}

/// The op. Two are equal if they share their weights.
#[derive(Debug, Clone)]
pub(super) struct Int8(Arc<Kernel>);

impl Int8 {
    pub(super) fn new(kernel: Kernel) -> Self {
        Self(Arc::new(kernel))
    }

    /// The op before shapes and types are known.
    pub(super) fn inference(self) -> Box<dyn InferenceOp> {
        expand(self)
    }
}

impl Expansion for Int8 {
    fn name(&self) -> StaticName {
        super::OP.into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, 1)?;
        check_output_arity(outputs, 1)?;
        s.equals(&inputs[0].datum_type, self.0.datum_type())?;
        s.equals(&outputs[0].datum_type, self.0.datum_type())?;
        s.given(&inputs[0].shape, move |s, shape| s.equals(&outputs[0].shape, self.0.shape(&shape)?))
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        model.wire_node(prefix, self.clone(), inputs)
    }
}

impl PartialEq for Int8 {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Int8 {}

impl Op for Int8 {
    fn name(&self) -> StaticName {
        super::OP.into()
    }

    op_as_typed_op!();
}

impl EvalOp for Int8 {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let input = args_1!(inputs);
        Ok(tvec!(self.0.run(&input)?.into()))
    }
}

impl TypedOp for Int8 {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let shape = self.0.shape(&inputs[0].shape.to_tvec())?;
        Ok(tvec!(self.0.datum_type().fact(shape)))
    }

    as_op!();
}
