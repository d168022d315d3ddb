//! Where the values of a tensor lie, and copies of them in another order or repeated.

use super::builder::Builder;
use crate::steps::{Op, Order, Quantised, Real, View};
use edgeclip_kernels::rearrange::Rearrange;

/// How far apart neighbours along each axis of the graph's tensor lie in memory.
pub(super) fn strides(tensor: &Quantised) -> Vec<usize> {
    let mut strides = vec![1; tensor.shape.len()];
    let mut distance = tensor.view.stride;
    for &axis in memory(tensor.order, tensor.shape.len()).iter().rev().skip(1) {
        strides[axis] = distance;
        distance *= tensor.shape[axis];
    }
    strides
}

/// The graph's axes in the order of memory, that of the channels last.
pub(super) fn memory(order: Order, rank: usize) -> Vec<usize> {
    match order {
        Order::First if rank > 1 => [0].into_iter().chain(2..rank).chain([1]).collect(),
        _ => (0..rank).collect(),
    }
}

/// The order that suits what reads a tensor of this shape: pictures go into windows.
pub(super) fn usual(shape: &[usize]) -> Order {
    if shape.len() == 4 && shape[0] == 1 { Order::First } else { Order::Last }
}

/// All values of `buffer` as the graph's tensor `shape`.
pub(super) fn whole(buffer: usize, shape: Vec<usize>, order: Order, unsigned: bool) -> Quantised {
    let channels = memory(order, shape.len()).last().map_or(1, |&axis| shape[axis]);
    let pixels = shape.iter().product::<usize>() / channels.max(1);
    let (height, width) = match (order, &shape[..]) {
        (Order::First, &[1, _, height, width]) | (Order::Last, &[1, height, width, _]) => (height, width),
        _ => (pixels, 1),
    };
    Quantised { view: View::whole(buffer, channels, height, width), shape, order, unsigned }
}

/// The values that lie `strides` apart along the axes of `shape`, from the value `start` of `x` on, dense and in `order`; no step
/// where that is how all of `x` lies.
pub(super) fn copied(
    builder: &mut Builder,
    name: &str,
    x: &Quantised,
    (shape, strides, start): (Vec<usize>, &[usize], usize),
    order: Order,
) -> Quantised {
    let axes = memory(order, shape.len());
    let by_memory = |values: &[usize]| axes.iter().map(|&axis| values[axis]).collect::<Vec<_>>();
    let (sizes, distances) = (by_memory(&shape), by_memory(strides));
    let mut distance = 1;
    let lies = sizes.iter().zip(&distances).rev().all(|(&size, &found)| {
        let fits = size == 1 || found == distance;
        distance *= size;
        fits
    });
    if lies && start == 0 && x.view.is_dense() && distance == x.view.len() {
        return whole(x.view.buffer, shape, order, x.unsigned);
    }
    let made = whole(0, shape, order, x.unsigned);
    let to = builder.buffer(made.view.channels, made.view.height, made.view.width);
    let order = Op::Rearrange(Rearrange::new(&sizes, &distances), start);
    builder.push(name, order, vec![x.view], to);
    made.at(to)
}

/// All values of `x`, dense and in `order`.
pub(super) fn in_order(builder: &mut Builder, name: &str, x: &Quantised, order: Order) -> Quantised {
    if x.order == order && x.view.is_dense() {
        return x.clone();
    }
    let places = (x.shape.clone(), &strides(x)[..], 0);
    copied(builder, name, x, places, order)
}

/// How far apart neighbours along each axis of the graph's float tensor lie in memory, in values.
pub(super) fn real_strides(real: &Real) -> Vec<usize> {
    let (mut strides, mut distance) = (vec![1; real.shape.len()], 1);
    for &axis in memory(real.order, real.shape.len()).iter().rev() {
        strides[axis] = distance;
        distance *= real.shape[axis];
    }
    strides
}

/// As [`copied`], for floats: `strides` and `start` count values.
pub(super) fn real_copied(
    builder: &mut Builder,
    name: &str,
    view: View,
    (shape, strides, start): (Vec<usize>, &[usize], usize),
    order: Order,
) -> Real {
    let axes = memory(order, shape.len());
    let bytes = size_of::<f32>();
    let sizes: Vec<usize> = axes.iter().map(|&axis| shape[axis]).chain([bytes]).collect();
    let distances: Vec<usize> = axes.iter().map(|&axis| strides[axis] * bytes).chain([1]).collect();
    let made = whole(0, shape.clone(), order, false).view;
    let to = builder.buffer(made.channels.saturating_mul(bytes), made.height, made.width);
    let mut distance = 1;
    let lies = sizes.iter().zip(&distances).rev().all(|(&size, &found)| {
        let fits = size == 1 || found == distance;
        distance *= size;
        fits
    });
    if lies && start == 0 && distance == view.len() {
        return Real { view: View { buffer: view.buffer, ..to }, shape, order };
    }
    builder.push(name, Op::Rearrange(Rearrange::new(&sizes, &distances), start * bytes), vec![view], to);
    Real { view: to, shape, order }
}

/// The shape of what is computed value by value of tensors of these shapes: axes are matched from the last on.
pub(super) fn broadcast<'a>(shapes: impl IntoIterator<Item = &'a [usize]>) -> Option<Vec<usize>> {
    let mut made: Vec<usize> = Vec::new();
    for shape in shapes {
        if shape.len() > made.len() {
            made.splice(..0, vec![1; shape.len() - made.len()]);
        }
        let behind = made.len() - shape.len();
        for (to, &size) in made[behind..].iter_mut().zip(shape) {
            match (*to, size) {
                (1, _) => *to = size,
                (_, 1) => {}
                (to, size) if to == size => {}
                _ => return None,
            }
        }
    }
    let count = made.iter().try_fold(1usize, |count, &size| count.checked_mul(size));
    count.is_some_and(|count| isize::try_from(count).is_ok()).then_some(made)
}

/// `x` as a tensor of `shape`, dense and in `order`: its values are repeated along the axes where it is one value long.
pub(super) fn repeated(
    builder: &mut Builder,
    name: &str,
    x: &Quantised,
    shape: &[usize],
    order: Order,
) -> Quantised {
    if x.shape == shape {
        return in_order(builder, name, x, order);
    }
    let found = strides(x);
    let behind = shape.len().saturating_sub(x.shape.len());
    let mut distances = vec![0; shape.len()];
    for (to, (&size, &distance)) in distances[behind..].iter_mut().zip(x.shape.iter().zip(&found)) {
        *to = if size == 1 { 0 } else { distance };
    }
    copied(builder, name, x, (shape.to_vec(), &distances, 0), order)
}
