//! Weights that a quantiser has rounded and left in float: where they lie on a grid of int8, they are stored on it.

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};

use super::onnx::{Onnx, integer};

/// How far a weight may lie from the grid, in its steps: rounding to f32 leaves a hundredth of that.
const NEAR: f32 = 1e-3;

/// Gives each float weight of a product with a quantised tensor a `DequantizeLinear`, where every output's weights are whole
/// multiples of a step.
pub(super) fn weights(graph: &mut GraphProto) {
    let found: Vec<Stored> = {
        let onnx = Onnx::new(graph);
        let nodes = graph.node.iter().enumerate();
        nodes.filter_map(|(index, node)| stored(&onnx, index, node)).collect()
    };
    // From the last on, so that indices stay.
    for Stored { index, dequantise, constants } in found.into_iter().rev() {
        graph.initializer.extend(constants);
        graph.node[index].input[1].clone_from(&dequantise.output[0]);
        graph.node.insert(index, dequantise);
    }
}

/// What stands before node `index` from then on.
struct Stored {
    index: usize,
    dequantise: NodeProto,
    constants: Vec<TensorProto>,
}

fn stored(onnx: &Onnx<'_>, index: usize, node: &NodeProto) -> Option<Stored> {
    let axis = match node.op_type.as_str() {
        "Conv" => 0,
        "Gemm" => usize::from(integer(node, "transB", 0) == 0),
        "MatMul" => 1,
        _ => return None,
    };
    onnx.made_by(node.input.first()?, "DequantizeLinear")?;
    let weights = onnx.floats(node.input.get(1)?).ok()?;
    if weights.dims.len() < 2 || (axis == 1 && weights.dims.len() != 2) {
        return None;
    }
    let outputs = *weights.dims.get(axis)?;
    let inner: usize = weights.dims[axis + 1..].iter().product();
    let output = |at: usize| at / inner.max(1) % outputs.max(1);
    let mut by_output = vec![Vec::new(); outputs];
    for (at, &weight) in weights.values.iter().enumerate() {
        by_output[output(at)].push(weight);
    }
    let scales: Vec<f32> = by_output.iter().map(|row| step(row)).collect::<Option<_>>()?;
    let quantised = weights.values.iter().enumerate().map(|(at, w)| (w / scales[output(at)]).round() as i32);
    let name = &node.output.first()?;
    let made = |part: &str| format!("{name}_weights_{part}");
    let tensor = |part: &str, dims: Vec<usize>, data_type: DataType| TensorProto {
        name: made(part),
        dims: dims.into_iter().map(|size| size as i64).collect(),
        data_type: data_type as i32,
        ..TensorProto::default()
    };
    let constants = vec![
        TensorProto {
            int32_data: quantised.collect(),
            ..tensor("quantised", weights.dims.clone(), DataType::Int8)
        },
        TensorProto { float_data: scales, ..tensor("scales", vec![outputs], DataType::Float) },
        TensorProto { int32_data: vec![0; outputs], ..tensor("zero_points", vec![outputs], DataType::Int8) },
    ];
    let attribute =
        AttributeProto { name: "axis".to_owned(), i: axis as i64, r#type: 2, ..AttributeProto::default() };
    let dequantise = NodeProto {
        name: made("dequantised"),
        op_type: "DequantizeLinear".to_owned(),
        input: ["quantised", "scales", "zero_points"].map(made).to_vec(),
        output: vec![made("dequantised")],
        attribute: vec![attribute],
        ..NodeProto::default()
    };
    Some(Stored { index, dequantise, constants })
}

/// The largest step of which all weights are multiples by −128..=127.
fn step(weights: &[f32]) -> Option<f32> {
    let most = weights.iter().fold(0.0f32, |most, w| most.max(w.abs()));
    if most == 0.0 {
        return Some(1.0);
    }
    (1..=128).map(|count| most / count as f32).filter(|step| *step > 0.0 && step.is_finite()).find(|step| {
        weights.iter().all(|w| {
            let q = w / step;
            (q - q.round()).abs() <= NEAR && (-128.5..127.5).contains(&q)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::step;

    #[test]
    fn steps_are_found_or_not() {
        assert_eq!(step(&[0.5, -1.0, 1.5]), Some(0.5));
        assert_eq!(step(&[-2.56, 0.02]).map(|step| (step * 1e4).round()), Some(200.0));
        // 128 does not fit int8.
        assert_eq!(step(&[2.56, 0.02]), None);
        assert_eq!(step(&[0.1, 0.234_567, 0.7]), None);
        assert_eq!(step(&[0.0, 0.0]), Some(1.0));
    }
}
