//! Which nodes are the float parts of a transformer.

use std::borrow::Cow;

use tract_onnx::pb::NodeProto;
use tract_onnx::pb::tensor_proto::DataType;

use super::constants;
use super::found::Found;
use super::index::{Index, float, integer, list};
use super::kernel::Kernel;
use crate::refusal::Refusal;
use edgeclip_kernels::attention::Attention;
use edgeclip_kernels::layer_norm::LayerNorm;
use edgeclip_kernels::lookup::Lookup;

/// The part of which `node` is the last.
///
/// # Errors
/// Constants that make no sense.
pub(super) fn apply<'a>(index: &Index<'a>, node: &'a NodeProto) -> Result<Option<Found>, Refusal> {
    match node.op_type.as_str() {
        "LayerNormalization" => layer_norm(index, node),
        "Mul" => match gelu(index, node)? {
            None => lookup(index, node),
            found => Ok(found),
        },
        "Reshape" => attention(index, node),
        "ReduceSum" => sum(index, node),
        _ => Ok(None),
    }
}

/// Over the last axis, scale and bias given.
fn layer_norm(index: &Index, node: &NodeProto) -> Result<Option<Found>, Refusal> {
    let (Some(scale), Some(bias)) = (index.floats(node, 1)?, index.floats(node, 2)?) else { return Ok(None) };
    if integer(node, "axis", -1) != -1
        || node.output.len() != 1
        || scale.len() != bias.len()
        || scale.is_empty()
    {
        return Ok(None);
    }
    let epsilon = float(node, "epsilon", 1e-5);
    let kernel = Kernel::LayerNorm(LayerNorm { scale, bias, epsilon });
    Ok(Some(Found::new(node, &[&node.input[0]], &node.output[0], kernel)))
}

/// Of a normalised layer's outputs, weighed, or of what a root is taken of: those are floats for sure, where
/// a sum may be of integers.
fn sum(index: &Index, node: &NodeProto) -> Result<Option<Found>, Refusal> {
    let [input, _] = &node.input[..] else { return Ok(None) };
    let normalised = |node: &NodeProto| {
        node.input.iter().any(|input| index.made_by(input, "LayerNormalization").is_some())
    };
    let weighed = index.made_by(input, "Mul").is_some_and(normalised);
    let rooted = node
        .output
        .first()
        .and_then(|output| index.only_reader(output))
        .is_some_and(|node| node.op_type == "Sqrt");
    let Some(&[axis]) = integers(index, node)?.as_deref().filter(|_| weighed || rooted) else {
        return Ok(None);
    };
    let kernel = Kernel::Sum { axis, keep: integer(node, "keepdims", 1) != 0 };
    Ok(Some(Found::new(node, &[input], &node.output[0], kernel)))
}

/// `(x · ½) · (erf(x · √½) + 1)`, the factors of each product and sum in any order.
fn gelu<'a>(index: &Index<'a>, node: &'a NodeProto) -> Result<Option<Found>, Refusal> {
    let parts = || {
        let (sum, other) = index.either(node, "Add")?;
        let half = index.before(node, other, "Mul")?;
        let (erf, one) = index.either(sum, "Erf")?;
        let inner = index.before(erf, 0, "Mul")?;
        Some((half, sum, one, inner))
    };
    let Some((half, sum, one, inner)) = parts() else { return Ok(None) };
    let factor = |node: &'a NodeProto| -> Result<Option<(&'a str, f32)>, Refusal> {
        for input in 0..2 {
            if let Some(factor) = scalar(index, node, input)? {
                return Ok(node.input.get(1 - input).map(|name| (name.as_str(), factor)));
            }
        }
        Ok(None)
    };
    let (Some((x, half)), Some((same, root))) = (factor(half)?, factor(inner)?) else { return Ok(None) };
    let one = scalar(index, sum, one)?;
    if x != same || half != 0.5 || one != Some(1.0) || (root - std::f32::consts::FRAC_1_SQRT_2).abs() > 1e-6 {
        return Ok(None);
    }
    Ok(Some(Found::new(node, &[x], &node.output[0], Kernel::Gelu)))
}

/// Rows of an int8 table times their scales: gathered by the same indices, then multiplied.
fn lookup<'a>(index: &Index<'a>, node: &'a NodeProto) -> Result<Option<Found>, Refusal> {
    let parts = || {
        let (cast, scales) = index.either(node, "Cast")?;
        let (rows, scales) = (index.before(cast, 0, "Gather")?, index.before(node, scales, "Gather")?);
        let same = rows.input.get(1)? == scales.input.get(1)?;
        let whole = [rows, scales].iter().all(|gather| integer(gather, "axis", 0) == 0);
        (same && whole && integer(cast, "to", 0) == DataType::Float as i64).then_some((rows, scales))
    };
    let Some((rows, scales)) = parts() else { return Ok(None) };
    let (Some(table), Some(values)) = (index.constant(rows, 0), index.floats(scales, 0)?) else {
        return Ok(None);
    };
    let [count, width] = constants::dims(table)?[..] else { return Ok(None) };
    let shaped = index.constant(scales, 0).is_some_and(|scales| scales.dims == [count as i64, 1]);
    let raw = constants::int8(index.file(), table)?.is_some_and(|bytes| matches!(bytes, Cow::Borrowed(_)));
    if !raw || !shaped || width == 0 {
        return Ok(None);
    }
    let kernel = Kernel::Lookup(Lookup { table: index.file().keep(table), scales: values, width });
    Ok(Some(Found::new(node, &[&rows.input[1]], &node.output[0], kernel)))
}

/// Heads split by a reshape and a transposition, `softmax(q · k · scale + mask) · v`, and heads joined again.
fn attention<'a>(index: &Index<'a>, node: &'a NodeProto) -> Result<Option<Found>, Refusal> {
    let parts = || {
        let joined = index.before(node, 0, "Transpose").filter(|node| list(node, "perm") == [0, 2, 1, 3])?;
        let mixed = index.before(joined, 0, "MatMul")?;
        let shares =
            index.before(mixed, 0, "Softmax").filter(|node| [-1, 3].contains(&integer(node, "axis", -1)))?;
        let masked = index.before(shares, 0, "Add")?;
        let (scaled, mask) = index.either(masked, "Mul")?;
        let (products, factor) = index.either(scaled, "MatMul")?;
        Some((mixed, masked.input.get(mask)?, scaled, factor, products))
    };
    let Some((mixed, mask, scaled, factor, products)) = parts() else { return Ok(None) };
    let (Some(q), Some(k), Some(v)) = (
        head(index, products, 0, [0, 2, 1, 3])?,
        head(index, products, 1, [0, 2, 3, 1])?,
        head(index, mixed, 1, [0, 2, 1, 3])?,
    ) else {
        return Ok(None);
    };
    let [heads, width] = q.1;
    let joined = integers(index, node)?;
    let whole = joined.is_some_and(|shape| shape == [0, 0, (heads * width) as i64]);
    let Some(scale) = scalar(index, scaled, factor)? else { return Ok(None) };
    if k.1 != q.1 || v.1 != q.1 || !whole {
        return Ok(None);
    }
    let kernel = Kernel::Attention(Attention { heads, width, scale });
    Ok(Some(Found::new(node, &[q.0, k.0, v.0, mask], &node.output[0], kernel)))
}

/// What input `input` of `node` divides into heads, and the number of heads and their width.
fn head<'a>(
    index: &Index<'a>,
    node: &'a NodeProto,
    input: usize,
    perm: [i64; 4],
) -> Result<Option<(&'a str, [usize; 2])>, Refusal> {
    let transpose = index.before(node, input, "Transpose").filter(|node| list(node, "perm") == perm);
    let Some(reshape) = transpose.and_then(|node| index.before(node, 0, "Reshape")) else { return Ok(None) };
    let shape = integers(index, reshape)?;
    match shape.as_deref() {
        Some(&[0, 0, heads, width]) if heads > 0 && width > 0 => {
            Ok(Some((&reshape.input[0], [heads as usize, width as usize])))
        }
        _ => Ok(None),
    }
}

/// Input 1 of `node`, a constant shape or list of axes.
fn integers(index: &Index, node: &NodeProto) -> Result<Option<Vec<i64>>, Refusal> {
    index.constant(node, 1).map_or(Ok(None), |tensor| constants::int64(index.file(), tensor))
}

/// Input `input` of `node` as one constant number.
fn scalar(index: &Index, node: &NodeProto, input: usize) -> Result<Option<f32>, Refusal> {
    Ok(index.floats(node, input)?.filter(|values| values.len() == 1).map(|values| values[0]))
}
