//! Numeric inner loops over slices, one folder an op. `scalar.rs` of each is the specification that every faster body must match
//! bit for bit.
//!
//! # Arithmetic of the int8 kernels
//!
//! A tensor holds `q` with `value = scale · (q − zero)`, laid out `[height, width, channel]` (NHWC, batch 1). Weights are
//! symmetric, one scale `sw[c]` an output channel.
//!
//! - Convolution: `acc = Σ w·(x − zx) + bias` in wrapping i32; the zero point is folded into the bias and padding reads as `zx`. Then
//!   `y = clamp(round_half_even((acc as f32) · m[c]) + zy, low, high)` with `m[c] = (sx · sw[c]) / sy`, each step in f32.
//! - Addition: `y = clamp(round_half_even((a − za)·(sa/sy) + (b − zb)·(sb/sy)) + zy)`: two products and a sum in f32, never fused.
//! - Convolution plus a tensor `r` (a residual), nothing quantised between: `acc·m[c] + (r − zr)·(sr/sy)`, two products and a sum in f32,
//!   rounded once. Where the graph quantises the convolution first, it is a convolution and an addition.
//! - Product of two tensors: `(a − za)·(b − zb)`, exact, times `sa·sb/sy`.
//! - A bias that is stored in other units than `sx·sw[c]` (in float, say) is rounded to them, ties to even, at load.
//! - Means and the linear ×2 upsampling: integer weighted sum of `x − zx`, times one f32 multiplier, rounded like a convolution.
//!   A mean's multiplier is `(sx/sy)/n`, where n counts the padding or not, as the graph says.
//! - Functions of one value (activations, change of scale): a table of 256 entries, made at load from the graph's float definition: every
//!   node rounds to f32; exp, erf, tanh and their like are computed in f64 and rounded once.
//! - Products of float rows: [`product`] quantises them on the fly.

pub mod add;
pub mod attention;
pub mod blend;
pub mod colour;
pub mod conv_depthwise;
pub mod conv_direct;
pub mod conv_pointwise;
pub mod conv_residual;
pub mod gelu;
mod isa;
pub mod layer_norm;
pub mod layout;
pub mod lookup;
pub mod multiply;
#[cfg(target_arch = "aarch64")]
mod neon;
pub mod normalise;
pub mod patches;
pub mod pool;
pub mod product;
pub mod repeat;
pub mod requantise;
pub mod resize;
pub mod sum;
pub mod table;
pub mod team;
pub mod upsample;
#[cfg(target_arch = "x86_64")]
mod vector;

pub use isa::{Isa, UnknownIsa};
