//! What the kernels cannot do stays in float: the nodes between quantised tensors run through tract.

use std::fmt;
use std::sync::Arc;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::type_proto::{Tensor as TensorType, Value};
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto, TypeProto, ValueInfoProto};
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::internal::Cost;

use crate::memory::Budget;
use crate::tract::{Failure, floats, guarded, is_numeric, planned};

/// A part of the graph in float, with quantised inputs and one output, in the layout of the graph.
pub(crate) struct Island {
    plan: Arc<TypedRunnableModel>,
    /// Its shape, if the first input is the picture itself, in float.
    picture: Option<[usize; 4]>,
    inputs: Vec<(DatumType, Vec<usize>)>,
    /// Shape of the output.
    pub(crate) output: Vec<usize>,
    /// Multiplications with additions.
    pub(crate) macs: u64,
}

impl fmt::Debug for Island {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Island({:?} → {:?})", self.inputs, self.output)
    }
}

impl Island {
    /// Plans `nodes` of `model`, in order, from `inputs` (names, types and shapes of int8, uint8 or f32 tensors)
    /// to the tensor `output` of numbers; `picture` is the graph's float input, where they read it.
    pub(crate) fn new(
        model: &ModelProto,
        nodes: Vec<NodeProto>,
        initializer: Vec<TensorProto>,
        picture: Option<(&str, [usize; 4])>,
        inputs: &[(String, DatumType, Vec<usize>)],
        output: &str,
        budget: Budget,
    ) -> Result<Self, Failure> {
        let value = |name: &str, r#type: Option<TypeProto>| ValueInfoProto {
            name: name.to_owned(),
            r#type,
            ..ValueInfoProto::default()
        };
        let input = |(name, kind, _): &(String, DatumType, Vec<usize>)| {
            let kind = match kind {
                kind if *kind == u8::datum_type() => DataType::Uint8,
                kind if *kind == f32::datum_type() => DataType::Float,
                _ => DataType::Int8,
            };
            value(name, Some(declared(kind)))
        };
        let float = picture.iter().map(|(name, _)| value(name, Some(declared(DataType::Float))));
        let graph = GraphProto {
            node: nodes,
            initializer,
            input: float.chain(inputs.iter().map(input)).collect(),
            output: vec![value(output, None)],
            ..GraphProto::default()
        };
        let proto = ModelProto {
            ir_version: model.ir_version,
            opset_import: model.opset_import.clone(),
            graph: Some(graph),
            ..ModelProto::default()
        };
        let mut model = tract_onnx::onnx().model_for_proto_model(&proto)?;
        let pictures = picture.iter().map(|(_, shape)| f32::fact(shape));
        let facts = pictures.chain(inputs.iter().map(|(_, kind, shape)| kind.fact(shape)));
        for (index, fact) in facts.enumerate() {
            model.set_input_fact(index, fact.into())?;
        }
        let plan = planned(model, budget)?;
        let fact = plan.model().output_fact(0)?;
        let Some(shape) = fact.shape.as_concrete().map(<[usize]>::to_vec) else {
            return Err(Failure::Tract(format!("{:?} where fixed sizes were expected", fact.shape)));
        };
        if !is_numeric(fact.datum_type) {
            return Err(Failure::Tract(format!("{:?} where numbers were expected", fact.datum_type)));
        }
        let inputs = inputs.iter().map(|(_, kind, shape)| (*kind, shape.clone())).collect();
        let macs = macs(plan.model())?;
        Ok(Self { plan, picture: picture.map(|(_, shape)| shape), inputs, output: shape, macs })
    }

    /// One pass over the inputs' values in the graph's layout, those of uint8 less 128, those of f32 as their
    /// bytes; the output's values likewise.
    pub(crate) fn run(&self, picture: &[f32], inputs: &[Vec<i8>]) -> TractResult<Vec<f32>> {
        guarded("of this network", || self.pass(picture, inputs), TractError::msg)
    }

    fn pass(&self, picture: &[f32], inputs: &[Vec<i8>]) -> TractResult<Vec<f32>> {
        let picture = self.picture.iter().map(|shape| Tensor::from_shape(shape, picture).map(TValue::from));
        let inputs = inputs.iter().zip(&self.inputs).map(|(data, (kind, shape))| {
            if *kind == u8::datum_type() {
                let data: Vec<u8> = data.iter().map(|&q| q as u8 ^ 128).collect();
                return Tensor::from_shape(shape, &data).map(TValue::from);
            }
            if *kind == f32::datum_type() {
                return Tensor::from_shape(shape, &values_of(data)).map(TValue::from);
            }
            Tensor::from_shape(shape, data).map(TValue::from)
        });
        let outputs = self.plan.run(picture.chain(inputs).collect::<TractResult<_>>()?)?;
        floats(&outputs[0])
    }
}

/// Floats of their bytes.
pub(crate) fn values_of(bytes: &[i8]) -> Vec<f32> {
    let value = |bytes: &[i8; 4]| f32::from_ne_bytes(bytes.map(|byte| byte as u8));
    bytes.as_chunks().0.iter().map(value).collect()
}

fn declared(kind: DataType) -> TypeProto {
    let tensor = TensorType { elem_type: kind as i32, shape: None };
    TypeProto { denotation: String::new(), value: Some(Value::TensorType(tensor)) }
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
