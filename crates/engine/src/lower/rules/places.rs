//! Ops that copy values to other places, some of them many times: `Expand`, `Tile`, `Gather`, `DepthToSpace`, `SpaceToDepth`.

use tract_onnx::pb::NodeProto;

use super::function::moved;
use super::moves::joined;
use crate::lower::arrange::{broadcast, copied, memory, repeated, strides, usual, whole};
use crate::lower::builder::Builder;
use crate::lower::onnx::{input, integer, word};
use crate::refusal::Refusal;
use crate::steps::{Activation, Op, Order, Quantised, Target};
use edgeclip_kernels::rearrange::Rearrange;
use edgeclip_kernels::table::Table;

/// Most runs of places that are put together.
const PARTS: usize = 64;

/// DQ → Expand → Q.
pub(super) fn expand(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let x = builder.any_activation(input(node, 0)?)?;
    let found = builder.numbers(input(node, 1)?)?;
    let wanted: Option<Vec<usize>> = found.iter().map(|&size| usize::try_from(size).ok()).collect();
    let shape = wanted.and_then(|wanted| broadcast([&x.tensor.shape[..], &wanted[..]]));
    let shape = shape.filter(|shape| !shape.contains(&0));
    let shape = shape.ok_or_else(|| Refusal::broken(&node.name, format!("the shape {found:?}")))?;
    let tensor = moved(builder, node, &x, target);
    let same = shape.len() == tensor.shape.len() && shape[0] == 1;
    let order = if same { tensor.order } else { usual(&shape) };
    Ok(repeated(builder, &node.name, &tensor, &shape, order))
}

/// DQ → Tile → Q.
pub(super) fn tile(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let x = builder.any_activation(input(node, 0)?)?;
    let times = builder.numbers(input(node, 1)?)?;
    let refuse = || Refusal::broken(&node.name, format!("{times:?} times a tensor {:?}", x.tensor.shape));
    let counts: Vec<usize> = times
        .iter()
        .map(|&count| usize::try_from(count).ok().filter(|count| (1..1 << 31).contains(count)))
        .collect::<Option<_>>()
        .ok_or_else(refuse)?;
    let rank = x.tensor.shape.len();
    let shape: Option<Vec<usize>> =
        x.tensor.shape.iter().zip(&counts).map(|(size, count)| size.checked_mul(*count)).collect();
    // Whether memory holds it is asked below.
    let shape = shape.filter(|_| counts.len() == rank).and_then(|shape| broadcast([&shape[..]]));
    let shape = shape.ok_or_else(refuse)?;
    let tensor = moved(builder, node, &x, target);
    let found = strides(&tensor);
    let order = if shape.first() == Some(&1) { tensor.order } else { Order::Last };
    let axes = memory(order, rank);
    let sizes: Vec<usize> = axes.iter().flat_map(|&axis| [counts[axis], tensor.shape[axis]]).collect();
    let distances: Vec<usize> = axes.iter().flat_map(|&axis| [0, found[axis]]).collect();
    let made = whole(0, shape, order, tensor.unsigned);
    Ok(pushed(builder, node, &tensor, &sizes, &distances, made))
}

/// DQ → Gather → Q of places along an axis.
pub(super) fn gather(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let x = builder.any_activation(input(node, 0)?)?;
    let rank = x.tensor.shape.len() as i64;
    let axis = integer(node, "axis", 0);
    let axis = usize::try_from(if axis < 0 { axis + rank } else { axis }).ok();
    let axis = axis.filter(|&axis| axis < rank as usize);
    let axis = axis.ok_or_else(|| Refusal::broken(&node.name, "an axis that its tensor does not have"))?;
    let name = input(node, 1)?;
    let dims = builder.onnx.constant(name).map_or(1, |places| places.dims.len());
    let size = x.tensor.shape[axis] as i64;
    let found = builder.numbers(name)?;
    let places: Vec<usize> = found
        .iter()
        .map(|&at| usize::try_from(if at < 0 { at + size } else { at }).ok().filter(|&at| at < size as usize))
        .collect::<Option<_>>()
        .filter(|places: &Vec<usize>| !places.is_empty())
        .ok_or_else(|| Refusal::broken(&node.name, format!("the places {found:?} of {size}")))?;
    match dims {
        0 => {
            let tensor = moved(builder, node, &x, target);
            let (mut shape, mut distances) = (tensor.shape.clone(), strides(&tensor));
            let start = places[0] * distances[axis];
            shape.remove(axis);
            distances.remove(axis);
            let order = usual(&shape);
            Ok(copied(builder, &node.name, &tensor, (shape, &distances, start), order))
        }
        1 => taken(builder, node, &x, target, axis, &places),
        _ => Err(Refusal::float(&node.name, "a Gather of several axes of places")),
    }
}

/// The `places` of `x` along an axis, which is run by run of places that lie equally far apart.
pub(super) fn taken(
    builder: &mut Builder,
    node: &NodeProto,
    x: &Activation,
    target: Target,
    axis: usize,
    places: &[usize],
) -> Result<Quantised, Refusal> {
    let tensor = moved(builder, node, x, target);
    let distances = strides(&tensor);
    let (mut parts, mut rest) = (Vec::new(), places);
    while let Some(&first) = rest.first() {
        let step = rest.get(1).map_or(1, |&second| second.saturating_sub(first));
        let even = rest.windows(2).take_while(|pair| pair[0] + step == pair[1]).count() + 1;
        let count = if step == 0 { 1 } else { even };
        rest = &rest[count..];
        let (mut shape, mut own) = (tensor.shape.clone(), distances.clone());
        shape[axis] = count;
        own[axis] *= step.max(1);
        let start = first * distances[axis];
        parts.push(copied(builder, &node.name, &tensor, (shape, &own, start), tensor.order));
        if parts.len() > PARTS {
            return Err(Refusal::float(&node.name, "places without any order"));
        }
    }
    let tables = vec![Table::new(|q| q); parts.len()];
    match &parts[..] {
        [only] => Ok(only.clone()),
        _ => joined(builder, node, parts, tables, axis),
    }
}

/// DQ → DepthToSpace or SpaceToDepth → Q of a picture.
pub(super) fn blocks(builder: &mut Builder, node: &NodeProto, target: Target) -> Result<Quantised, Refusal> {
    let x = builder.activation(input(node, 0)?)?;
    let side = usize::try_from(integer(node, "blocksize", 0)).ok().filter(|side| (1..1 << 16).contains(side));
    let refuse = || Refusal::broken(&node.name, format!("blocks of a tensor {:?}", x.tensor.shape));
    let (Some(side), &[1, channels, height, width]) = (side, &x.tensor.shape[..]) else {
        return Err(refuse());
    };
    let tensor = moved(builder, node, &x, target);
    let &[_, depth, down, right] = &strides(&tensor)[..] else { return Err(refuse()) };
    let to_space = node.op_type == "DepthToSpace";
    // Whether the places within a block come before the channels.
    let blocks_first = word(node, "mode", "DCR", "DCR");
    if !blocks_first && !word(node, "mode", "DCR", "CRD") {
        return Err(Refusal::float(&node.name, "blocks of another mode"));
    }
    let divides = if to_space {
        channels.is_multiple_of(side * side)
    } else {
        height.is_multiple_of(side) && width.is_multiple_of(side)
    };
    if !divides {
        return Err(refuse());
    }
    if !to_space {
        let (rows, columns) = (height / side, width / side);
        let made = whole(0, vec![1, channels * side * side, rows, columns], tensor.order, tensor.unsigned);
        let (outer, block, own) =
            ([side * down, side * right], [(side, down), (side, right)], (channels, depth));
        let inner = if blocks_first { [block[0], block[1], own] } else { [own, block[0], block[1]] };
        let sizes = [&[rows, columns][..], &inner.map(|(size, _)| size)].concat();
        let distances = [&outer[..], &inner.map(|(_, distance)| distance)].concat();
        return Ok(pushed(builder, node, &tensor, &sizes, &distances, made));
    }
    let left = channels / (side * side);
    let (block, own) = if blocks_first { (left, 1) } else { (1, side * side) };
    let made = whole(0, vec![1, left, height * side, width * side], tensor.order, tensor.unsigned);
    let sizes = [height, side, width, side, left];
    let distances = [down, side * block * depth, right, block * depth, own * depth];
    Ok(pushed(builder, node, &tensor, &sizes, &distances, made))
}

/// The values of `x` that lie `distances` apart, in the order of memory of `made`.
fn pushed(
    builder: &mut Builder,
    node: &NodeProto,
    x: &Quantised,
    sizes: &[usize],
    distances: &[usize],
    made: Quantised,
) -> Quantised {
    let to = builder.buffer(made.view.channels, made.view.height, made.view.width);
    builder.push(&node.name, Op::Rearrange(Rearrange::new(sizes, distances), 0), vec![x.view], to);
    made.at(to)
}
