//! Tensors of the graph as the steps hold them.

use super::draft::View;

/// On which axis of the graph's tensor the channels lie. In memory they are always side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// `[1, C, …]`.
    First,
    /// `[1, …, C]`.
    Last,
}

/// An int8 tensor of the graph: where it lies and its shape there.
#[derive(Debug, Clone)]
pub(crate) struct Quantised {
    pub(crate) view: View,
    /// `[1, C]`, `[1, C, H, W]`, or with the channels last.
    pub(crate) shape: Vec<usize>,
    pub(crate) order: Order,
    /// Whether the graph has it as uint8: the steps hold it less 128.
    pub(crate) unsigned: bool,
}

impl Quantised {
    /// All of `view` as `[1, C, H, W]`.
    pub(crate) fn picture(view: View) -> Self {
        let shape = vec![1, view.channels, view.height, view.width];
        Self { view, shape, order: Order::First, unsigned: false }
    }

    /// All of `view`, one pixel, as `[1, C]`.
    pub(crate) fn vector(view: View) -> Self {
        Self { shape: vec![1, view.channels], ..Self::picture(view) }
    }

    /// The same values in the same order of memory, seen by the graph as `shape`.
    pub(crate) fn reshaped(&self, shape: Vec<usize>, order: Order) -> Self {
        let (height, width) = match (order, &shape[..]) {
            (Order::First, &[1, _, height, width]) | (Order::Last, &[1, height, width, _]) => (height, width),
            _ => (self.view.pixels(), 1),
        };
        let view = View { height, width, ..self.view };
        Self { view, shape, order, unsigned: self.unsigned }
    }

    /// The tensor in another place, of the same shape.
    pub(crate) fn at(&self, view: View) -> Self {
        Self { view, ..self.clone() }
    }
}

/// A float tensor of the graph as its quantised form.
#[derive(Debug, Clone)]
pub(crate) struct Activation {
    pub(crate) tensor: Quantised,
    pub(crate) scale: f32,
    /// As of int8.
    pub(crate) zero: i32,
}

/// A float tensor of the graph that a step has computed.
#[derive(Debug, Clone)]
pub(crate) struct Real {
    /// Of bytes: the values of a pixel lie side by side, four bytes each.
    pub(crate) view: View,
    pub(crate) shape: Vec<usize>,
    pub(crate) order: Order,
}

/// The scale, zero point and bounds that a chain ends with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) scale: f32,
    /// As of int8.
    pub(crate) zero: i32,
    pub(crate) low: i32,
    pub(crate) high: i32,
}

impl Target {
    /// Whether it clips nothing but what no int8 holds.
    pub(crate) fn is_open(&self) -> bool {
        (self.low, self.high) == (-128, 127)
    }

    /// `clamp(round_half_even(value / scale) + zero)`.
    pub(crate) fn quantise(&self, value: f32) -> i8 {
        let q = (value / self.scale).round_ties_even() + self.zero as f32;
        q.clamp(self.low as f32, self.high as f32) as i8
    }
}

/// A value of uint8 as the steps hold it: `q − 128`.
pub(crate) fn signed(q: u8) -> i8 {
    (q ^ 128) as i8
}
