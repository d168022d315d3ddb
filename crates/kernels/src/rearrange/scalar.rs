//! The specification.
#![forbid(unsafe_code)]

/// Rows that are written together, so that what they read stays in the L1 cache.
const ROWS: usize = 32;

#[inline(always)]
pub(super) fn run(shape: &[usize], strides: &[usize], input: &[i8], first: usize, output: &mut [i8]) {
    let rank = shape.len();
    if rank == 1 {
        return line(&input[first * strides[0]..], strides[0], output);
    }
    let (rows, columns) = (shape[rank - 2], shape[rank - 1]);
    let (down, right) = (strides[rank - 2], strides[rank - 1]);
    if rank == 2 {
        return block(&input[first * down..], down, right, columns, output);
    }
    for (index, output) in output.chunks_exact_mut(rows * columns).enumerate() {
        block(&input[start(shape, strides, first, index)..], down, right, columns, output);
    }
}

/// Where block `index` of the last two axes begins, counted from part `first` on.
#[inline(always)]
pub(super) fn start(shape: &[usize], strides: &[usize], first: usize, index: usize) -> usize {
    let (mut rest, mut start) = (index, 0);
    for axis in (1..shape.len() - 2).rev() {
        start += rest % shape[axis] * strides[axis];
        rest /= shape[axis];
    }
    start + (first + rest) * strides[0]
}

/// Rows of `columns` values.
#[inline(always)]
fn block(input: &[i8], down: usize, right: usize, columns: usize, output: &mut [i8]) {
    if right == 1 {
        for (y, output) in output.chunks_exact_mut(columns).enumerate() {
            output.copy_from_slice(&input[y * down..][..columns]);
        }
        return;
    }
    for (block, output) in output.chunks_mut(ROWS * columns).enumerate() {
        let input = &input[block * ROWS * down..];
        let rows = output.len() / columns;
        // Down the columns where that is the way in which the input lies.
        if down > 0 && down < right {
            for x in 0..columns {
                let from = input[x * right..].iter().step_by(down);
                for (to, &from) in output[x..].iter_mut().step_by(columns).zip(from) {
                    *to = from;
                }
            }
        } else {
            for y in 0..rows {
                line(&input[y * down..], right, &mut output[y * columns..][..columns]);
            }
        }
    }
}

#[inline(always)]
fn line(input: &[i8], stride: usize, output: &mut [i8]) {
    match stride {
        0 => return output.fill(input[0]),
        1 => return output.copy_from_slice(&input[..output.len()]),
        _ => {}
    }
    for (to, &from) in output.iter_mut().zip(input.iter().step_by(stride)) {
        *to = from;
    }
}

#[cfg(test)]
mod tests {
    use crate::Isa;
    use crate::rearrange::Rearrange;

    /// By the formula.
    fn expected(shape: &[usize], strides: &[usize], input: &[i8]) -> Vec<i8> {
        let count = shape.iter().product();
        let place = |mut index: usize| {
            let axes = shape.iter().zip(strides).rev();
            let places = axes.map(|(&size, &stride)| {
                let at = index % size;
                index /= size;
                at * stride
            });
            places.sum::<usize>()
        };
        (0..count).map(|index| input[place(index)]).collect()
    }

    #[test]
    fn it_is_the_formula_in_one_piece_and_in_parts() {
        let input: Vec<i8> = (0..20_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as i8).collect();
        let cases: [(&[usize], &[usize]); 12] = [
            (&[7], &[3]),
            (&[1, 1], &[5, 9]),
            (&[5, 70], &[1, 6]),
            (&[70, 5], &[5, 1]),
            (&[9, 4, 33], &[132, 1, 4]),
            (&[3, 40, 17], &[17, 51, 1]),
            (&[4, 3, 5, 6], &[1, 4, 72, 12]),
            (&[2, 3, 4, 5, 6], &[5, 10, 30, 1, 120]),
            // Repeated along axes.
            (&[6, 5], &[0, 1]),
            (&[6, 5], &[3, 0]),
            (&[40, 3, 7], &[0, 1, 0]),
            (&[4, 9, 2, 5], &[0, 0, 7, 0]),
        ];
        for (shape, strides) in cases {
            let rearrange = Rearrange::new(shape, strides);
            let expected = expected(shape, strides, &input);
            for isa in Isa::available() {
                let mut found = vec![0; expected.len()];
                let half = rearrange.parts() / 2;
                let (a, b) = found.split_at_mut(expected.len() / rearrange.parts() * half);
                rearrange.run(isa, &input, 0, a);
                rearrange.run(isa, &input, half, b);
                assert_eq!(found, expected, "{isa:?} {shape:?} {strides:?}");
            }
        }
    }
}
