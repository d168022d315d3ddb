//! The constants of a `BatchNormalization`.

use tract_onnx::pb::NodeProto;

use super::constant;
use crate::lower::builder::Builder;
use crate::lower::onnx::{float, input};
use crate::refusal::Refusal;

/// `(x − mean) · factor + shift` of each channel.
pub(super) struct Normalisation {
    pub(super) mean: Vec<f64>,
    pub(super) factor: Vec<f64>,
    pub(super) shift: Vec<f64>,
}

/// Those of `channels` channels.
pub(super) fn constants(
    builder: &Builder,
    node: &NodeProto,
    channels: usize,
) -> Result<Normalisation, Refusal> {
    if node.output.iter().filter(|name| !name.is_empty()).count() > 1 {
        return Err(Refusal::float(&node.name, "a normalisation by the batch"));
    }
    let vector = |index: usize| real(builder, node, input(node, index)?, channels);
    let (scale, shift, mean, variance) = (vector(1)?, vector(2)?, vector(3)?, vector(4)?);
    let epsilon = f64::from(float(node, "epsilon", 1e-5));
    let factor = scale.iter().zip(&variance).map(|(scale, variance)| scale / (variance + epsilon).sqrt());
    Ok(Normalisation { mean, factor: factor.collect(), shift })
}

/// The constant `name` of so many numbers.
fn real(builder: &Builder, node: &NodeProto, name: &str, count: usize) -> Result<Vec<f64>, Refusal> {
    let values = constant::real(builder, name)?.values;
    if values.len() != count {
        let found = format!("{} constants for {count} channels", values.len());
        return Err(Refusal::broken(&node.name, found));
    }
    Ok(values.into_iter().map(f64::from).collect())
}
