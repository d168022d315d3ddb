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
//! - Means and the linear ×2 upsampling: integer weighted sum of `x − zx`, times one f32 multiplier, rounded like a convolution.
//! - Products of float rows: [`product`] quantises them on the fly.
//! - Functions of one value (activations, change of scale): a table of 256 entries, made from the float definition at load.

pub mod add;
pub mod attention;
pub mod blend;
pub mod conv_depthwise;
pub mod conv_pointwise;
pub mod gelu;
mod isa;
pub mod layer_norm;
pub mod layout;
pub mod lookup;
pub mod normalise;
pub mod patches;
pub mod pool;
pub mod product;
pub mod requantise;
pub mod resize;
pub mod table;
pub mod upsample;

pub use isa::Isa;
