//! How much memory a network takes in tract, before anything of its size is computed.

use std::collections::HashMap;
use std::sync::Arc;

use tract_onnx::prelude::*;
use tract_onnx::tract_hir::internal::{Factoid, TDim};

use super::Failure;
use crate::memory::Budget;

/// Most values of a dimension that is only known when the network runs, for the estimate of memory.
const NAMED: usize = 1;

/// Plans `model`, whose inputs are set, if its tensors fit into `budget`.
///
/// # Errors
/// The first tensor that is too large, before tract computes anything of its size.
pub(crate) fn planned(mut model: InferenceModel, budget: Budget) -> Result<Arc<TypedRunnableModel>, Failure> {
    fits(&mut model, budget)?;
    let model = model.into_optimized()?;
    let order = model.eval_order()?;
    let mut live = Live::new(budget);
    for &id in &order {
        let node = model.node(id);
        let sizes: Vec<usize> = (node.outputs.iter())
            .map(|output| bytes(output.fact.datum_type, output.fact.shape.iter()))
            .collect();
        live.made(id, &node.name, &sizes, node.outputs.iter().map(|output| output.successors.len()))?;
        live.read(node.inputs.iter().map(|input| (input.node, input.slot)));
    }
    Ok(model.into_runnable()?)
}

/// Infers shapes node by node, each before it is computed: tract computes what depends on constants only while
/// it infers shapes.
fn fits(model: &mut InferenceModel, budget: Budget) -> Result<(), Failure> {
    let order = model.eval_order()?;
    let mut live = Live::new(budget);
    for id in order {
        let (inputs, outputs) = model.node_facts(id)?;
        let (inputs, outputs): (Facts, Facts) =
            (inputs.into_iter().cloned().collect(), outputs.into_iter().cloned().collect());
        let node = model.node(id);
        let observed = node.op.observe_outlets(model, node)?.into_iter();
        let observed: Facts =
            observed.map(|outlet| model.outlet_fact(outlet).cloned()).collect::<TractResult<_>>()?;
        let context = |error: TractError| error.context(node.name.clone());
        let mut op = node.op.clone();
        let (_, shapes, _) =
            op.infer_facts(refs(&inputs), refs(&outputs), refs(&observed)).map_err(context)?;
        let mut sizes: Vec<usize> = shapes.iter().map(size).collect();
        if op.name() == "Range" {
            sizes = vec![range(&inputs).map_err(context)?];
        }
        live.made(id, &node.name, &sizes, node.outputs.iter().map(|output| output.successors.len()))?;
        live.read(node.inputs.iter().map(|input| (input.node, input.slot)));
        let (_, made, _) = op.infer(refs(&inputs), refs(&outputs), refs(&observed)).map_err(context)?;
        let facts = made.iter().zip(&outputs).map(|(made, declared)| declared.unify(made));
        let facts: Vec<InferenceFact> = facts.collect::<TractResult<_>>()?;
        model.node_mut(id).op = op;
        for (slot, fact) in facts.into_iter().enumerate() {
            model.set_outlet_fact((id, slot).into(), fact)?;
        }
    }
    Ok(())
}

/// Bytes of a `Range`, of whose length no rule knows before it is made.
fn range(inputs: &Facts) -> TractResult<usize> {
    let mut numbers = [0.0; 3];
    for (number, fact) in numbers.iter_mut().zip(inputs) {
        let Some(value) = fact.value.concretize() else { return Ok(0) };
        let value = value.cast_to::<f64>()?;
        *number = value.to_plain_array_view::<f64>()?.iter().next().copied().unwrap_or(0.0);
    }
    let [start, end, step] = numbers;
    // A step of zero makes an endless one: the cast saturates.
    Ok((((end - start) / step).max(0.0).ceil() as usize).saturating_mul(i64::datum_type().size_of()))
}

/// Bytes of a tensor as far as its shape is known.
fn size(fact: &InferenceFact) -> usize {
    let dims = fact.shape.dims().map(|dim| dim.concretize().unwrap_or_else(|| 1.into()));
    let dims: Vec<TDim> = dims.collect();
    bytes(fact.datum_type.concretize().unwrap_or(f32::datum_type()), dims.iter())
}

/// Bytes of a tensor, or the largest number there is.
fn bytes<'a>(kind: DatumType, dims: impl Iterator<Item = &'a TDim>) -> usize {
    let sizes = dims.map(|dim| match dim.clone().simplify().to_i64() {
        Ok(size) => usize::try_from(size).unwrap_or(usize::MAX),
        Err(_) => NAMED,
    });
    sizes.fold(kind.size_of(), usize::saturating_mul)
}

type Facts = TVec<InferenceFact>;

fn refs(facts: &Facts) -> TVec<&InferenceFact> {
    facts.iter().collect()
}

/// Tensors that are held at one time.
struct Live {
    budget: Budget,
    bytes: usize,
    /// Bytes of a tensor and how many nodes are still to read it.
    tensors: HashMap<(usize, usize), (usize, usize)>,
}

impl Live {
    fn new(budget: Budget) -> Self {
        Self { budget, bytes: 0, tensors: HashMap::new() }
    }

    /// Node `id` makes tensors of so many bytes for so many readers.
    fn made(
        &mut self,
        id: usize,
        name: &str,
        sizes: &[usize],
        readers: impl Iterator<Item = usize>,
    ) -> Result<(), Failure> {
        for (slot, (&size, readers)) in sizes.iter().zip(readers).enumerate() {
            self.bytes = self.bytes.saturating_add(size);
            self.tensors.insert((id, slot), (size, readers));
        }
        if self.bytes > self.budget.bytes() {
            return Err(Failure::Memory(format!(
                "{name}, which brings the memory to {} MB",
                self.bytes >> 20
            )));
        }
        Ok(())
    }

    /// A node has read these tensors.
    fn read(&mut self, tensors: impl Iterator<Item = (usize, usize)>) {
        for key in tensors {
            if let Some((size, readers)) = self.tensors.get_mut(&key) {
                *readers = readers.saturating_sub(1);
                if *readers == 0 {
                    self.bytes = self.bytes.saturating_sub(*size);
                    self.tensors.remove(&key);
                }
            }
        }
    }
}
