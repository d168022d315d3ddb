//! What the kernels cannot do stays in float: the nodes between quantised tensors run through tract.

use std::fmt;
use std::sync::Arc;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::type_proto::{Tensor as TensorType, Value};
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto, TypeProto, ValueInfoProto};
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::internal::Cost;

/// A part of the graph in float, with int8 inputs and one int8 output, in the layout of the graph.
pub(super) struct Island {
    plan: Arc<TypedRunnableModel>,
    shapes: Vec<Vec<usize>>,
    /// Shape of the output.
    pub(super) output: Vec<usize>,
    /// Multiplications with additions.
    pub(super) macs: u64,
}

impl fmt::Debug for Island {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Island({:?} → {:?})", self.shapes, self.output)
    }
}

impl Island {
    /// Plans `nodes` of `model`, in order, from `inputs` (names and shapes of int8 tensors) to the int8 tensor `output`.
    pub(super) fn new(
        model: &ModelProto,
        nodes: Vec<NodeProto>,
        initializer: Vec<TensorProto>,
        inputs: &[(String, Vec<usize>)],
        output: &str,
    ) -> TractResult<Self> {
        let value = |name: &str| ValueInfoProto {
            name: name.to_owned(),
            r#type: Some(TypeProto {
                denotation: String::new(),
                value: Some(Value::TensorType(TensorType { elem_type: DataType::Int8 as i32, shape: None })),
            }),
            ..ValueInfoProto::default()
        };
        let graph = GraphProto {
            node: nodes,
            initializer,
            input: inputs.iter().map(|(name, _)| value(name)).collect(),
            output: vec![value(output)],
            ..GraphProto::default()
        };
        let proto = ModelProto {
            ir_version: model.ir_version,
            opset_import: model.opset_import.clone(),
            graph: Some(graph),
            ..ModelProto::default()
        };
        let mut model = tract_onnx::onnx().model_for_proto_model(&proto)?;
        for (index, (_, shape)) in inputs.iter().enumerate() {
            model.set_input_fact(index, i8::fact(shape).into())?;
        }
        let plan = model.into_optimized()?.into_runnable()?;
        let fact = plan.model().output_fact(0)?;
        let output = fact.shape.as_concrete().map(<[usize]>::to_vec).unwrap_or_default();
        if fact.datum_type != i8::datum_type() {
            return Err(TractError::msg(format!("{:?} where int8 was expected", fact.datum_type)));
        }
        let macs = macs(plan.model())?;
        Ok(Self { macs, plan, shapes: inputs.iter().map(|(_, shape)| shape.clone()).collect(), output })
    }

    /// One pass over the inputs' values in the graph's layout; the output's values likewise.
    pub(super) fn run(&self, inputs: &[Vec<i8>]) -> TractResult<Vec<i8>> {
        let inputs = inputs
            .iter()
            .zip(&self.shapes)
            .map(|(data, shape)| Tensor::from_shape(shape, data).map(TValue::from));
        let values = self.plan.run(inputs.collect::<TractResult<_>>()?)?;
        let view = values[0].to_plain_array_view::<i8>()?;
        Ok(view.iter().copied().collect())
    }
}

/// Multiplications with additions of a whole graph, as tract counts them.
fn macs(model: &TypedModel) -> TractResult<u64> {
    let mut sum = 0;
    for node in model.nodes() {
        let inputs = model.node_input_facts(node.id)?;
        for (kind, count) in node.op.cost(&inputs)? {
            if matches!(kind, Cost::FMA(_)) {
                sum += count.to_i64()? as u64;
            }
        }
    }
    Ok(sum)
}
