//! aarch64: 3×3 kernels slide along the rows with the last columns in registers, eight channels at a time;
//! other kernels go pixel by pixel.

mod dotprod;
mod general;
mod smull;

use crate::Isa;
use crate::isa::Level;
use crate::neon::After;
use crate::patches::Window;
use crate::requantise::Requantise;

/// Channels processed together.
const LANES: usize = 8;

/// Whether these kernels support the window.
pub(super) fn fits(window: &Window, channels: usize) -> bool {
    window.is_plain() && channels >= LANES && window.kernel[0] * window.kernel[1] < general::MAX_TAPS
}

#[derive(Debug)]
pub(super) struct Depthwise {
    window: Window,
    channels: usize,
    body: Body,
    /// A row filled with the input's zero point.
    padding: Vec<i8>,
    zero: i16,
    after: After,
}

#[derive(Debug)]
enum Body {
    Dotprod(Vec<dotprod::Block>),
    Smull(Vec<smull::Block>),
    General(Vec<general::Block>),
}

impl Depthwise {
    pub(super) fn new(
        isa: Isa,
        window: Window,
        padding: i8,
        weights: &[i8],
        requantise: &Requantise,
    ) -> Self {
        let channels = requantise.bias.len();
        let taps = weights.len() / channels;
        // The last block overlaps the previous one if the channels are not a multiple of the lanes.
        let starts = (0..channels).step_by(LANES).map(|start| start.min(channels - LANES));
        let part = |start: usize| (&weights[start * taps..][..LANES * taps], requantise, start);
        let body = match isa.level() {
            _ if window.kernel != [3, 3] => {
                Body::General(starts.map(|start| general::Block::new(part(start))).collect())
            }
            Level::Neon => Body::Smull(starts.map(|start| smull::Block::new(part(start))).collect()),
            _ => Body::Dotprod(starts.map(|start| dotprod::Block::new(part(start))).collect()),
        };
        let padding = vec![padding; window.input[1] * channels];
        Self { window, channels, body, padding, zero: requantise.zero as i16, after: After::of(requantise) }
    }

    pub(super) fn run(&self, input: &[i8], first: usize, output: &mut [i8]) {
        let line = self.window.output[1] * self.channels;
        let rows = output.len() / line;
        let mut y = 0;
        while y < rows {
            // With stride 1, two output rows are done at a time because they share input rows.
            let pair = matches!(self.body, Body::Dotprod(_)) && self.window.stride[0] == 1 && y + 1 < rows;
            let count = if pair { 2 } else { 1 };
            let output = &mut output[y * line..][..count * line];
            // SAFETY: the input is as long as asserted in `Depthwise::run`; only an `Isa` of this
            // CPU makes `Dotprod`.
            unsafe {
                match &self.body {
                    Body::Dotprod(blocks) if pair => {
                        dotprod::run::<2>(self, blocks, input, first + y, output)
                    }
                    Body::Dotprod(blocks) => dotprod::run::<1>(self, blocks, input, first + y, output),
                    Body::Smull(blocks) => smull::run(self, blocks, input, first + y, output),
                    Body::General(blocks) => general::run(self, blocks, input, first + y, output),
                }
            }
            self.after.apply(output);
            y += count;
        }
    }

    /// Input row `tap` under output row `y`, or a row of padding.
    fn line<'a>(&'a self, input: &'a [i8], y: usize, tap: usize) -> &'a [i8] {
        let line = self.padding.len();
        self.window.source(0, y, tap).map_or(&self.padding[..], |row| &input[row * line..][..line])
    }
}

/// Eight channels of a 3×3 convolution, `ROWS` output rows at a time, with all constants in registers.
trait Slide<const ROWS: usize> {
    /// One column of the input under the windows.
    type Column: Copy;

    /// # Safety
    /// Eight bytes must be readable at offset `at` in each row.
    unsafe fn load(&self, at: usize) -> Self::Column;

    /// Convolves, requantises and stores.
    ///
    /// # Safety
    /// Eight bytes must be writable in each row.
    unsafe fn write(&self, columns: [Self::Column; 3], to: [*mut i8; ROWS]);
}

/// Slides along an output row; `padding` is a column outside the input.
///
/// # Safety
/// `body` must be able to load the input's columns, which are `channels` values apart and begin at `start`,
/// and to write the output's pixels from `to` on.
#[inline(always)]
unsafe fn slide<const ROWS: usize, S: Slide<ROWS>>(
    body: &S,
    window: &Window,
    channels: usize,
    start: usize,
    padding: S::Column,
    to: [*mut i8; ROWS],
) {
    let (width, stride, pad) = (window.output[1], window.stride[1], window.pad[1]);
    // The windows of columns `inner` lie completely inside the input.
    let first = pad.div_ceil(stride).min(width);
    let inner =
        (window.input[1] + pad).checked_sub(3).map_or(first, |last| (last / stride + 1).clamp(first, width));
    let inner = if stride <= 2 { inner } else { first };
    // SAFETY: upheld by the caller; `load` is called for columns of the input only.
    unsafe {
        let mut x = first;
        if x < inner {
            let mut at = (x * stride - pad) * channels + start;
            macro_rules! take {
                () => {{
                    at += channels;
                    body.load(at - channels)
                }};
            }
            let mut to = to.map(|to| to.add(x * channels));
            macro_rules! write {
                ($columns:expr) => {{
                    body.write($columns, to);
                    to = to.map(|to| to.wrapping_add(channels));
                    x += 1;
                }};
            }
            let mut a = take!();
            if stride == 1 {
                let mut b = take!();
                while x + 3 <= inner {
                    let c = take!();
                    write!([a, b, c]);
                    a = take!();
                    write!([b, c, a]);
                    b = take!();
                    write!([c, a, b]);
                }
                while x < inner {
                    let c = take!();
                    write!([a, b, c]);
                    (a, b) = (b, c);
                }
            } else {
                while x + 2 <= inner {
                    let (b, c) = (take!(), take!());
                    write!([a, b, c]);
                    let b = take!();
                    a = take!();
                    write!([c, b, a]);
                }
                if x < inner {
                    let (b, c) = (take!(), take!());
                    body.write([a, b, c], to);
                }
            }
        }
        let mut x = if first > 0 { 0 } else { inner };
        while x < width {
            let mut columns = [padding; 3];
            for (tap, to) in columns.iter_mut().enumerate() {
                if let Some(column) = window.source(1, x, tap) {
                    *to = body.load(column * channels + start);
                }
            }
            body.write(columns, to.map(|to| to.add(x * channels)));
            x = if x + 1 == first { inner.max(first) } else { x + 1 };
        }
    }
}
