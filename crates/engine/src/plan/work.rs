//! What a step does that is more than one call of a kernel.

use super::arena::Scratch;
use crate::steps::{Meeting, Sum, View};
use edgeclip_kernels::matmul::MatMul;
use edgeclip_kernels::table::Table;
use edgeclip_kernels::{Isa, layout, matmul, table};

/// Rows of products from row `first` on, of matrices of so many `rows` each.
pub(super) fn matrices(
    isa: Isa,
    product: &MatMul,
    own: &mut matmul::Scratch,
    rows: usize,
    [a, b]: [&[i8]; 2],
    first: usize,
    to: &mut [i8],
) {
    let length = product.factors.length;
    let columns = b.len() / length / (a.len() / length / rows);
    by_matrix(length, (first, rows), [a, b], columns, to, |a, b, to| {
        matmul::run(isa, product, own, a, b, to)
    });
}

/// Most values of which sums are held at once, where a row is not longer.
const SUMS: usize = 1 << 14;

/// Rows of which `row` values are computed, from row `first` on: of sums of the slices `inputs`, each with its stride, and of `tensors`.
#[allow(clippy::too_many_arguments, reason = "as many as it needs")]
pub(super) fn meet(
    isa: Isa,
    meeting: &Meeting,
    own: &mut Scratch,
    inputs: &[(&[i8], usize)],
    tensors: &[&[i8]],
    row: usize,
    first: usize,
    to: &mut [i8],
) {
    let Scratch { wide, rows, lines, matmul, .. } = own;
    let Meeting { sums: made, formula } = meeting;
    if made.is_empty() {
        return formula.run(isa, lines, &[], tensors, first * row, to);
    }
    rows.resize_with(rows.len().max(made.len()), Vec::new);
    let together = (SUMS / row.max(1)).max(1);
    let bytes = row / formula.values() * formula.end.bytes();
    for (block, to) in to.chunks_mut(together * bytes).enumerate() {
        let first = first + block * together;
        let count = to.len() / bytes * row;
        let mut inputs = inputs;
        for (sum, sums) in made.iter().zip(&mut *rows) {
            let (own, others) = inputs.split_at(sum.inputs());
            inputs = others;
            sums.resize(count, 0);
            match (sum, own) {
                (Sum::Convolution(conv), &[(input, stride)]) => {
                    for (y, sums) in sums.chunks_exact_mut(row).enumerate() {
                        conv.row(isa, wide, input, stride, first + y, sums);
                    }
                }
                (Sum::Product(factors), &[(a, _), (b, _)]) => {
                    let columns = formula.channels;
                    let rows = a.len() * columns / b.len().max(1);
                    let place = (first * row / columns, rows);
                    by_matrix(factors.length, place, [a, b], columns, sums, |a, b, sums| {
                        matmul::sums(isa, factors, matmul, a, b, sums);
                    });
                }
                _ => {}
            }
        }
        formula.run(isa, lines, rows, tensors, first * row, to);
    }
}

/// Calls `multiply` with rows of `a`, from row `first` on, and the matrix of `b` that they meet, of matrices of so many `rows` each.
fn by_matrix<T>(
    length: usize,
    (first, rows): (usize, usize),
    [a, b]: [&[i8]; 2],
    columns: usize,
    to: &mut [T],
    mut multiply: impl FnMut(&[i8], &[i8], &mut [T]),
) {
    let (mut at, mut rest) = (first, to);
    while !rest.is_empty() {
        let (matrix, row) = (at / rows, at % rows);
        let count = (rows - row).min(rest.len() / columns);
        let (to, others) = rest.split_at_mut(count * columns);
        let a = &a[at * length..][..count * length];
        let b = &b[matrix * columns * length..][..columns * length];
        multiply(a, b, to);
        (at, rest) = (at + count, others);
    }
}

/// The values of views as the graph has them.
pub(super) fn planes(isa: Isa, from: &[View], slots: &[Vec<i8>]) -> Vec<Vec<i8>> {
    let planes = from.iter().map(|view| {
        let mut planes = vec![0; view.len()];
        layout::planes(isa, view.channels, view.stride, &slots[view.buffer][view.offset..], &mut planes);
        planes
    });
    planes.collect()
}

/// Writes the inputs' channels side by side, each through its table.
pub(super) fn concat<'a>(
    isa: Isa,
    tables: &[Table],
    from: &[View],
    input: impl Fn(usize) -> &'a [i8],
    to: &mut [i8],
) {
    let stride = from.iter().map(|view| view.channels).sum();
    let mut start = 0;
    for (index, (view, table)) in from.iter().zip(tables).enumerate() {
        if view.is_dense() && stride == view.channels {
            table::apply(isa, table, &input(index)[..to.len()], to);
            continue;
        }
        for (to, from) in to.chunks_exact_mut(stride).zip(input(index).chunks(view.stride)) {
            table::apply(isa, table, &from[..view.channels], &mut to[start..][..view.channels]);
        }
        start += view.channels;
    }
}

/// Planes of floats as the bytes of pixels.
pub(super) fn interleaved(pixels: usize, planes: &[f32], to: &mut [i8]) {
    let channels = planes.len() / pixels.max(1);
    for (pixel, to) in to.as_chunks_mut().0.chunks_exact_mut(channels.max(1)).enumerate() {
        for (to, plane) in to.iter_mut().zip(planes.chunks_exact(pixels)) {
            *to = plane[pixel].to_ne_bytes().map(|byte| byte as i8);
        }
    }
}

/// Pixels of so many floats, as their bytes, as planes.
pub(super) fn real_planes(channels: usize, from: &[i8], planes: &mut [f32]) {
    let pixels = planes.len() / channels.max(1);
    for (pixel, from) in from.as_chunks().0.chunks_exact(channels.max(1)).take(pixels).enumerate() {
        for (plane, from) in planes.chunks_exact_mut(pixels).zip(from) {
            plane[pixel] = f32::from_ne_bytes(from.map(|byte: i8| byte as u8));
        }
    }
}
