//! What meets in a formula, the shapes of all on the way, and how the result lies in memory.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::NodeProto;

use super::folds;
use crate::lower::arrange::{broadcast, memory, usual};
use crate::lower::builder::Builder;
use crate::lower::rules::sums::{Sums, is_sum, sums};
use crate::lower::rules::{constant, functions};
use crate::refusal::Refusal;
use crate::steps::{Activation, Order, Real};

/// Most nodes of a formula.
pub(super) const NODES: usize = 128;

/// What a formula reads.
pub(super) enum Leaf {
    Quantised(Activation),
    Real(Real),
}

impl Leaf {
    fn shape(&self) -> &[usize] {
        match self {
            Self::Quantised(x) => &x.tensor.shape,
            Self::Real(real) => &real.shape,
        }
    }

    fn order(&self) -> Order {
        match self {
            Self::Quantised(x) => x.tensor.order,
            Self::Real(real) => real.order,
        }
    }
}

/// How values lie in memory.
pub(super) struct Layout {
    /// The shape of all that meets.
    pub(super) shape: Vec<usize>,
    /// Whether the result has one value for each pixel.
    pub(super) folded: bool,
    /// The graph's axes in the order of memory.
    pub(super) axes: Vec<usize>,
    /// How many of them, the last ones, make a pixel.
    pub(super) row: usize,
    /// Whether that is how tensors of this order lie; else the order that they are to have.
    pub(super) order: Result<Order, Order>,
}

impl Layout {
    /// The axes of a pixel.
    pub(super) fn pixel(&self) -> &[usize] {
        &self.axes[self.axes.len() - self.row..]
    }

    /// Values of a pixel.
    pub(super) fn channels(&self) -> usize {
        self.pixel().iter().map(|&axis| self.shape[axis]).product()
    }
}

/// Convolutions and products by their nodes' results, tensors by all names that they have.
pub(super) struct Parts {
    pub(super) sums: Vec<(String, Sums)>,
    pub(super) tensors: Vec<(Vec<String>, Leaf)>,
    pub(super) layout: Layout,
}

/// The nodes that compute a float tensor value by value, and what they start from.
pub(super) struct Chain {
    nodes: HashSet<usize>,
    leaves: Vec<String>,
}

impl Chain {
    pub(super) fn new(builder: &Builder, name: &str) -> Result<Self, Refusal> {
        let (mut nodes, mut leaves) = (HashSet::new(), Vec::new());
        let mut wanted = vec![name.to_owned()];
        while let Some(name) = wanted.pop() {
            if constant::is_constant(builder, &name) || builder.reals.contains_key(&name) {
                continue;
            }
            match builder.onnx.producer(&name) {
                Some(index) if is_link(&builder.onnx.graph.node[index]) => {
                    let node = &builder.onnx.graph.node[index];
                    if nodes.insert(index) {
                        wanted.extend(node.input[..operands(node)].iter().cloned());
                    }
                }
                _ if leaves.contains(&name) => {}
                _ => leaves.push(name),
            }
        }
        if nodes.len() + leaves.len() > NODES {
            return Err(Refusal::float(builder.onnx.title(name), "too many nodes between quantised tensors"));
        }
        Ok(Self { nodes, leaves })
    }

    /// The first leaf that is no quantised tensor.
    pub(super) fn other(&self, builder: &Builder) -> Option<&str> {
        self.leaves.iter().map(String::as_str).find(|name| builder.any_activation(name).is_err())
    }

    /// Whether a convolution or product is among the leaves.
    pub(super) fn sums(&self, builder: &Builder) -> bool {
        let made = |name: &String| builder.onnx.producer(name).map(|index| &builder.onnx.graph.node[index]);
        self.leaves.iter().any(|name| made(name).is_some_and(is_sum))
    }
}

/// What the float tensor `name` is made of. What other chains read, too, becomes a tensor of its own first.
pub(super) fn parts(builder: &mut Builder, name: &str) -> Result<Parts, Refusal> {
    let chain = Chain::new(builder, name)?;
    let (mut made, mut tensors) = (Vec::<(String, Sums)>::new(), Vec::<(Vec<String>, Leaf)>::new());
    let mut shapes: HashMap<String, Vec<usize>> = HashMap::new();
    let mut folded: Vec<Vec<usize>> = Vec::new();
    let mut wanted = vec![(name.to_owned(), false)];
    while let Some((at, known)) = wanted.pop() {
        if shapes.contains_key(&at) {
            continue;
        }
        if constant::is_constant(builder, &at) {
            let dims = constant::real(builder, &at)?.dims;
            shapes.insert(at, dims);
            continue;
        }
        let index = builder.onnx.producer(&at);
        let node = index.map(|index| &builder.onnx.graph.node[index]);
        if known && let Some(node) = node {
            let (shape, axes) = shape_of(builder, node, &shapes)?;
            folded.extend(axes);
            shapes.insert(at, shape);
            continue;
        }
        let apart = at != name && builder.readers_beyond(&at, &chain.nodes);
        let leaf = match node {
            _ if builder.reals.contains_key(&at) => Leaf::Real(builder.real(&at)?),
            Some(node) if node.op_type == "DequantizeLinear" && builder.any_activation(&at).is_ok() => {
                Leaf::Quantised(builder.any_activation(&at)?)
            }
            Some(node) if is_link(node) && !apart && (at == name || !folds::drops(node)) => {
                wanted.push((at, true));
                wanted.extend(node.input[..operands(node)].iter().map(|name| (name.clone(), false)));
                continue;
            }
            Some(node) if is_sum(node) && !apart => match sums(builder, node) {
                Ok(found) => {
                    shapes.insert(at.clone(), found.shape.clone());
                    made.push((at, found));
                    continue;
                }
                Err(Refusal::Float(reason)) if at == name => return Err(Refusal::Float(reason)),
                Err(Refusal::Float(_)) => Leaf::Real(builder.real(&at)?),
                Err(broken) => return Err(broken),
            },
            Some(node) if at == name => {
                let found = format!("op {} in a chain that no rule knows", node.op_type);
                return Err(Refusal::float(&node.name, found));
            }
            _ => Leaf::Real(builder.real(&at)?),
        };
        shapes.insert(at.clone(), leaf.shape().to_vec());
        push(&mut tensors, at, leaf);
    }
    let layout = layout(builder, name, &made, &tensors, &shapes, &folded)?;
    // Sums are computed pixel by pixel of their own order.
    let natural = |sums: &Sums| layout.order == Ok(sums.order) && sums.shape == layout.shape;
    let (made, others): (Vec<_>, Vec<_>) = made.into_iter().partition(|(_, sums)| natural(sums));
    for (at, _) in others {
        if at == name {
            return Err(Refusal::float(builder.onnx.title(name), "sums that lie otherwise"));
        }
        let leaf = Leaf::Real(builder.real(&at)?);
        push(&mut tensors, at, leaf);
    }
    Ok(Parts { sums: made, tensors, layout })
}

/// A tensor that several nodes dequantise alike is one.
fn push(tensors: &mut Vec<(Vec<String>, Leaf)>, name: String, leaf: Leaf) {
    let same = |known: &Leaf| match (known, &leaf) {
        (Leaf::Quantised(a), Leaf::Quantised(b)) => {
            (a.tensor.view, &a.tensor.shape, a.tensor.order, a.scale, a.zero)
                == (b.tensor.view, &b.tensor.shape, b.tensor.order, b.scale, b.zero)
        }
        _ => false,
    };
    match tensors.iter_mut().find(|(_, known)| same(known)) {
        Some((names, _)) => names.push(name),
        None => tensors.push((vec![name], leaf)),
    }
}

/// The shape of a link's result, and the axes that it folds, counted from the last one.
fn shape_of(
    builder: &Builder,
    node: &NodeProto,
    shapes: &HashMap<String, Vec<usize>>,
) -> Result<(Vec<usize>, Option<Vec<usize>>), Refusal> {
    let inputs = node.input[..operands(node)].iter().map(|name| shapes.get(name).map(Vec::as_slice));
    let inputs: Option<Vec<&[usize]>> = inputs.collect();
    let refuse = || Refusal::float(&node.name, "tensors of shapes that do not fit");
    let inputs = inputs.ok_or_else(refuse)?;
    if !folds::knows(&node.op_type) {
        return Ok((broadcast(inputs).ok_or_else(refuse)?, None));
    }
    let shape = inputs.first().ok_or_else(refuse)?;
    let axes = folds::axes(builder, node, shape)?;
    let kept = folds::keeps(node);
    let size = |(axis, &size): (usize, &usize)| if !kept && axes.contains(&axis) { 1 } else { size };
    let made = shape.iter().enumerate().map(size).collect();
    Ok((made, Some(axes.iter().map(|axis| shape.len() - axis).collect())))
}

fn layout(
    builder: &Builder,
    name: &str,
    sums: &[(String, Sums)],
    tensors: &[(Vec<String>, Leaf)],
    shapes: &HashMap<String, Vec<usize>>,
    folded: &[Vec<usize>],
) -> Result<Layout, Refusal> {
    let refuse = |what: &str| Refusal::float(builder.onnx.title(name), what);
    let shape = broadcast(shapes.values().map(Vec::as_slice))
        .ok_or_else(|| refuse("tensors of shapes that do not fit"))?;
    let result = shapes.get(name).ok_or_else(|| refuse("no result"))?;
    if tensors.len() + sums.len() == 0 || shape.is_empty() {
        return Err(refuse("a result of constants"));
    }
    let whole_result = *result == shape;
    let fitting = sums.iter().filter(|(_, sums)| sums.shape == shape).map(|(_, sums)| sums.order);
    let lying = tensors.iter().filter(|(_, leaf)| leaf.shape() == shape).map(|(_, leaf)| leaf.order());
    let order = fitting.chain(lying).next().unwrap_or_else(|| usual(&shape));
    let rank = shape.len();
    let natural = memory(order, rank);
    let Some(first) = folded.first() else {
        return if whole_result {
            Ok(Layout { shape, folded: false, axes: natural, row: 1, order: Ok(order) })
        } else {
            Err(refuse("a result of another shape than what it is made of"))
        };
    };
    let along = |axes: &[usize]| {
        let axes = axes.iter().filter_map(|from_last| rank.checked_sub(*from_last));
        let mut axes: Vec<usize> = axes.filter(|&axis| shape[axis] > 1).collect();
        axes.sort_unstable();
        axes
    };
    let pixel = along(first);
    if folded.iter().any(|axes| along(axes) != pixel) {
        return Err(refuse("sums and normalisations along several axes"));
    }
    let one = |(axis, &size): (usize, &usize)| if pixel.contains(&axis) { 1 } else { size };
    if !whole_result && *result != shape.iter().enumerate().map(one).collect::<Vec<_>>() {
        return Err(refuse("a result of another shape than what it is made of"));
    }
    let folded = !whole_result;
    if natural.last().is_some_and(|last| pixel == [*last] || (pixel.is_empty() && shape[*last] == 1)) {
        return Ok(Layout { shape, folded, axes: natural, row: 1, order: Ok(order) });
    }
    let others = natural.into_iter().filter(|axis| !pixel.contains(axis));
    let axes = others.chain(pixel.iter().copied()).collect();
    Ok(Layout { shape, folded, axes, row: pixel.len(), order: Err(order) })
}

/// Whether a node computes value by value or pixel by pixel.
fn is_link(node: &NodeProto) -> bool {
    let op = node.op_type.as_str();
    (functions::knows(op) && op != "DequantizeLinear")
        || matches!(op, "PRelu" | "BatchNormalization" | "Sum")
        || folds::knows(op)
}

/// How many of a node's inputs are operands, not bounds or constants of another meaning.
pub(super) fn operands(node: &NodeProto) -> usize {
    match node.op_type.as_str() {
        "Clip" | "BatchNormalization" => 1,
        op if folds::knows(op) => 1,
        _ => node.input.len(),
    }
}
