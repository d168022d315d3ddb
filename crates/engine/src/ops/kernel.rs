//! Our kernels on tract's tensors.

use tract_core::internal::*;

use edgeclip_kernels::Isa;
use edgeclip_kernels::attention::{self, Attention, Tokens};
use edgeclip_kernels::conv_pointwise::{self, Pointwise};
use edgeclip_kernels::gelu::gelu;
use edgeclip_kernels::layer_norm::LayerNorm;
use edgeclip_kernels::lookup::Lookup;
use edgeclip_kernels::product::{self, Product};
use edgeclip_kernels::quantise;
use edgeclip_kernels::sum::sum;

/// Scale and zero point of a whole tensor of int8.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quantisation {
    pub(super) scale: f32,
    pub(super) zero: i8,
}

/// What an op of ours does. Rows lie along the last axis, the others may be any.
#[derive(Debug)]
pub(super) enum Kernel {
    /// f32 `[…, inputs]` → f32 `[…, outputs]`.
    Product(Product),
    /// int8 `[…, inputs]` → int8 `[…, outputs]`.
    Quantised {
        /// The product and what follows it.
        product: Pointwise,
        /// Length of a row that goes in.
        inputs: usize,
        /// Length of a row that comes out.
        outputs: usize,
    },
    /// f32 `[…, channels]`.
    LayerNorm(LayerNorm),
    /// f32 of any shape.
    Gelu,
    /// i64 of any shape → f32 `[…, width]`.
    Lookup(Lookup),
    /// f32 of any shape along one axis, from the end where negative.
    Sum {
        /// The axis.
        axis: i64,
        /// Whether it stays, with length 1.
        keep: bool,
    },
    /// f32 → int8 of any shape.
    Quantise(Quantisation),
    /// int8 → f32 of any shape.
    Dequantise(Quantisation),
    /// Queries, keys and values f32 `[N, L, heads · width]`, mask f32 `[N, 1, 1, L]` → f32 `[N, L, heads ·
    /// width]`.
    Attention(Attention),
}

impl Kernel {
    /// Types of all inputs and of the output.
    pub(super) fn datum_types(&self) -> [DatumType; 2] {
        match self {
            Self::Quantised { .. } => [i8::datum_type(); 2],
            Self::Lookup(_) => [i64::datum_type(), f32::datum_type()],
            Self::Quantise(_) => [f32::datum_type(), i8::datum_type()],
            Self::Dequantise(_) => [i8::datum_type(), f32::datum_type()],
            _ => [f32::datum_type(); 2],
        }
    }

    /// Number of inputs.
    pub(super) fn arity(&self) -> usize {
        if matches!(self, Self::Attention(_)) { 4 } else { 1 }
    }

    /// The shape of the result, if the first input has shape `input`.
    pub(super) fn shape<D: DimLike>(&self, input: &[D]) -> TractResult<TVec<D>> {
        let (inputs, outputs) = match self {
            Self::Product(product) => (product.inputs(), product.outputs()),
            Self::Quantised { inputs, outputs, .. } => (*inputs, *outputs),
            Self::LayerNorm(norm) => (norm.scale.len(), norm.scale.len()),
            Self::Attention(attention) => {
                ensure!(input.len() == 3, "attention over shape {input:?}");
                (attention.heads * attention.width, attention.heads * attention.width)
            }
            Self::Gelu | Self::Quantise(_) | Self::Dequantise(_) => return Ok(input.into()),
            Self::Sum { axis, keep } => {
                let axis = place(*axis, input.len())?;
                let rest = |(i, length): (usize, &D)| match (i == axis, keep) {
                    (false, _) => Some(length.clone()),
                    (true, true) => Some(1.into()),
                    (true, false) => None,
                };
                return Ok(input.iter().enumerate().filter_map(rest).collect());
            }
            Self::Lookup(lookup) => return Ok(input.iter().cloned().chain([lookup.width.into()]).collect()),
        };
        let mut shape: TVec<D> = input.into();
        match shape.last_mut() {
            Some(last) if last.to_usize().ok() == Some(inputs) => *last = outputs.into(),
            _ => bail!("rows of shape {input:?} where {inputs} values a row are needed"),
        }
        Ok(shape)
    }

    /// Runs the kernel.
    pub(super) fn run(&self, isa: Isa, mut inputs: TVec<TValue>) -> TractResult<Tensor> {
        let Some(first) = inputs.first() else { bail!("no input") };
        let shape = self.shape(first.shape())?;
        match self {
            Self::Product(kernel) => {
                let mut output = Tensor::zero::<f32>(&shape)?;
                let (view, mut to) = (first.try_as_plain_ram()?, output.try_as_plain_ram_mut()?);
                kernel.run(&mut product::Scratch::default(), view.as_slice()?, to.as_slice_mut()?);
                Ok(output)
            }
            Self::Quantised { product, inputs, .. } => {
                let mut output = Tensor::zero::<i8>(&shape)?;
                let (view, mut to) = (first.try_as_plain_ram()?, output.try_as_plain_ram_mut()?);
                let mut scratch = conv_pointwise::Scratch::default();
                product.run(&mut scratch, view.as_slice()?, *inputs, to.as_slice_mut()?);
                Ok(output)
            }
            Self::LayerNorm(norm) => in_place(inputs.remove(0), |values| norm.run(isa, values)),
            Self::Gelu => in_place(inputs.remove(0), |values| gelu(isa, values)),
            Self::Lookup(lookup) => {
                let mut output = Vec::with_capacity(shape.iter().product());
                for &id in first.try_as_plain_ram()?.as_slice::<i64>()? {
                    let found = lookup.push(id, &mut output);
                    found.with_context(|| format!("no row {id} in a table of {}", lookup.scales.len()))?;
                }
                Tensor::from_shape(&shape, &output)
            }
            Self::Sum { axis, .. } => {
                let mut output = Tensor::zero::<f32>(&shape)?;
                let (view, mut to) = (first.try_as_plain_ram()?, output.try_as_plain_ram_mut()?);
                let (whole, axis) = (first.shape(), place(*axis, first.rank())?);
                let parts = [&whole[..axis], &whole[axis..=axis], &whole[axis + 1..]];
                sum(view.as_slice()?, parts.map(|part| part.iter().product()), to.as_slice_mut()?);
                Ok(output)
            }
            Self::Quantise(Quantisation { scale, zero }) => {
                let mut output = Tensor::zero::<i8>(&shape)?;
                let (view, mut to) = (first.try_as_plain_ram()?, output.try_as_plain_ram_mut()?);
                quantise::to_int8(view.as_slice()?, *scale, *zero, to.as_slice_mut()?);
                Ok(output)
            }
            Self::Dequantise(Quantisation { scale, zero }) => {
                let mut output = Tensor::zero::<f32>(&shape)?;
                let (view, mut to) = (first.try_as_plain_ram()?, output.try_as_plain_ram_mut()?);
                quantise::to_floats(view.as_slice()?, *scale, *zero, to.as_slice_mut()?);
                Ok(output)
            }
            Self::Attention(kernel) => attend(kernel, isa, &inputs),
        }
    }
}

/// Where `axis` is among `rank` axes.
fn place(axis: i64, rank: usize) -> TractResult<usize> {
    let from_start = if axis < 0 { axis + rank as i64 } else { axis };
    let place = usize::try_from(from_start).ok().filter(|&place| place < rank);
    place.with_context(|| format!("no axis {axis} among {rank}"))
}

/// Changes a tensor, or its copy where others read it, too.
fn in_place(input: TValue, change: impl FnOnce(&mut [f32])) -> TractResult<Tensor> {
    let mut tensor = input.into_tensor();
    change(tensor.try_as_plain_ram_mut()?.as_slice_mut()?);
    Ok(tensor)
}

fn attend(attention: &Attention, isa: Isa, inputs: &[TValue]) -> TractResult<Tensor> {
    let [query, key, value, mask] = inputs else { bail!("attention with {} inputs", inputs.len()) };
    let (&[sentences, tokens, channels], all) = (query.shape(), query.shape()) else {
        bail!("attention without tokens")
    };
    let fits = key.shape() == all && value.shape() == all && mask.shape() == [sentences, 1, 1, tokens];
    ensure!(fits, "attention over {all:?}, {:?}, {:?}, mask {:?}", key.shape(), value.shape(), mask.shape());
    let mut output = Tensor::zero::<f32>(all)?;
    if output.len() == 0 {
        return Ok(output);
    }
    let views = [query, key, value, mask].map(|tensor| tensor.try_as_plain_ram());
    let [query, key, value, mask] = views;
    let (query, key, value, mask) = (query?, key?, value?, mask?);
    let length = tokens * channels;
    let parts =
        query.as_slice::<f32>()?.chunks_exact(length).zip(key.as_slice::<f32>()?.chunks_exact(length));
    let parts = parts
        .zip(value.as_slice::<f32>()?.chunks_exact(length))
        .zip(mask.as_slice::<f32>()?.chunks_exact(tokens));
    let mut scratch = attention::Scratch::default();
    let mut to = output.try_as_plain_ram_mut()?;
    for ((((query, key), value), mask), to) in parts.zip(to.as_slice_mut::<f32>()?.chunks_exact_mut(length)) {
        attention.run(isa, &mut scratch, Tokens { query, key, value, mask }, to);
    }
    Ok(output)
}
