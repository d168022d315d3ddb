//! Numeric inner loops of neural networks over slices, for CPUs: int8 convolutions and what lies between them, products of float
//! rows with int8 weights, the float parts of a transformer, and pictures on their way into a network.
//!
//! Every op has a folder; its `scalar.rs` is the specification, which the bodies for AVX2, AVX-VNNI, AVX-512 VNNI, NEON, `dotprod`
//! and `i8mm` match **bit for bit**. An [`Isa`] says which body runs; only detection makes one, so that safe code never meets an
//! instruction that the CPU lacks. Lengths and strides are checked at each call: what does not fit panics.
//!
//! ```
//! use edgeclip_kernels::Isa;
//! use edgeclip_kernels::conv_pointwise::{Pointwise, Scratch};
//! use edgeclip_kernels::requantise::Requantise;
//!
//! // Two input channels, one output channel: y = round((3·a − 2·b + 7) · ¼) + 1.
//! let requantise =
//!     Requantise { bias: vec![7], multiplier: vec![0.25], zero: 1, low: -128, high: 127, table: None };
//! let fastest = Isa::chosen()?;
//! let convolution = Pointwise::new(fastest, 2, 1, &[3, -2], requantise);
//! let mut output = [0; 2];
//! // Two pixels, each two values after the one before it. Ties go to even: 3.5 becomes 4, 2.5 becomes 2.
//! convolution.run(&mut Scratch::default(), &[5, 4, 1, 0], 2, &mut output);
//! assert_eq!(output, [5, 3]);
//! # Ok::<(), edgeclip_kernels::UnknownIsa>(())
//! ```
//!
//! A [`team::Team`] shares the rows of one call between threads that stay awake between calls.
//!
//! # Arithmetic of the int8 kernels
//!
//! A tensor holds `q` with `value = scale · (q − zero)`, laid out `[height, width, channel]` (NHWC, batch 1).
//! Weights are symmetric, with one scale `sw[c]` per output channel.
//!
//! - Convolution: `acc = Σ w·(x − zx) + bias` in wrapping i32; the zero point is folded into the bias and
//!   padding reads as `zx`. Then `y = clamp(round_half_even((acc as f32) · m[c]) + zy, low, high)` with `m[c]
//!   = (sx · sw[c]) / sy`, each step in f32.
//! - Addition: `y = clamp(round_half_even((a − za)·(sa/sy) + (b − zb)·(sb/sy)) + zy)`: two products and a sum
//!   in f32, never fused.
//! - Convolution plus a tensor `r` (a residual) with no quantisation in between: `acc·m[c] + (r −
//!   zr)·(sr/sy)`, two products and a sum in f32, rounded once. Where the graph quantises the convolution
//!   first, it is a convolution followed by an addition.
//! - Product of two tensors: `(a − za)·(b − zb)`, exact, times `sa·sb/sy`.
//! - A bias stored in units other than `sx·sw[c]` (in float, for example) is rounded to them at load, ties to
//!   even.
//! - Means and linear ×2 upsampling: integer weighted sum of `x − zx`, times one f32 multiplier, rounded like
//!   a convolution. A mean's multiplier is `(sx/sy)/n`, where n includes the padding or not, as the graph
//!   says.
//! - Constants of each channel (products, sums, batch normalisation, PRelu): `v = (x − zx)·m[c] + b[c]`, in f32, with `m` and `b`
//!   computed in f64 and rounded once; below zero times the channel's slope; rounded like a convolution.
//! - Softmax: `e[d] = round(exp(−d·sx) · 2^bits)` for the distance d from the largest value, a table; with `bits` = 24, or less for
//!   more than 128 values, the sum is exact in 32 bits. `y = clamp(round_half_even(e · ((1/sy) / Σ e)) + zy)`, in f32.
//! - Local response normalisation: an exact sum of squares, then square roots and one quotient in f32.
//! - Functions of one value (activations, change of scale): a table of 256 entries, built at load from the
//!   graph's float definition: every node rounds to f32; exp, erf, tanh and the like are computed in f64 and
//!   rounded once.
//! - Pictures at any other size: shares of four neighbours in f32, times `sx/sy`, rounded like a convolution.
//! - Weights beyond int8 less their zero points: the same sums, of i16 numbers.
//! - Convolutions, products, tensors and constants that meet before they are quantised: `v = acc·(sx·sw[c])` and each operation after
//!   it in f32, never fused; sums and largest numbers of a pixel in 16 lanes; then `y = clamp(round_half_even(v / sy) + zy)`.
//! - Product of two computed matrices: `Σ (a − za)·(b − zb)` in wrapping i32, times `sa·sb/sy`.
//! - Products of float rows with int8 weights: [`product`] quantises the rows on the fly.

pub mod add;
pub mod affine;
pub mod attention;
pub mod blend;
mod bounds;
pub mod colour;
pub mod conv_depthwise;
pub mod conv_direct;
pub mod conv_pointwise;
pub mod conv_residual;
pub mod dot;
mod exp;
pub mod formula;
pub mod gelu;
pub mod interpolate;
mod isa;
mod lanes;
pub mod layer_norm;
pub mod layout;
pub mod lookup;
pub mod matmul;
pub mod multiply;
#[cfg(target_arch = "aarch64")]
mod neon;
pub mod normalise;
pub mod pad;
pub mod patches;
pub mod pool;
pub mod product;
pub mod quantise;
pub mod rearrange;
pub mod repeat;
pub mod requantise;
pub mod resize;
pub mod response;
pub mod softmax;
pub mod sum;
pub mod table;
pub mod team;
pub mod upsample;
#[cfg(target_arch = "x86_64")]
mod vector;
pub mod wide;

pub use isa::{Isa, UnknownIsa};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
