//! The region prompter: any box of the picture becomes an embedding.

use std::slice;

use super::bundle::{self, Bundle};
use super::manifest::Pool;
use super::output::VisionOutput;
use super::region::{self, Pooled};
use crate::error::{Error, Result};
use crate::geometry::Rect;
use edgeclip_engine::{Dim, Graph, Signature, Tensor};
use edgeclip_kernels::{Isa, normalise};

/// The region prompter of a bundle.
pub(crate) struct Prompter {
    isa: Isa,
    graph: Graph,
    /// Index of the output `embedding`.
    output: usize,
    pools: Vec<Pool>,
    size: u32,
    features: usize,
    embedding: usize,
}

impl Prompter {
    /// Loads `prompt.onnx`. Products with int8 weights run through the int8 kernels.
    ///
    /// # Errors
    /// [`Error::Model`] naming the file, [`Error::Settings`] if `EDGECLIP_ISA` names no instruction set of this CPU.
    pub(crate) fn load(bundle: &Bundle) -> Result<Self> {
        Self::new(bundle, Isa::chosen().map_err(edgeclip_engine::Error::from)?, true)
    }

    /// The same in float through tract alone, to compare with.
    ///
    /// # Errors
    /// [`Error::Model`] naming the file.
    #[cfg(all(test, feature = "text"))]
    pub(crate) fn load_float(bundle: &Bundle) -> Result<Self> {
        Self::new(bundle, Isa::chosen().map_err(edgeclip_engine::Error::from)?, false)
    }

    fn new(bundle: &Bundle, isa: Isa, int8: bool) -> Result<Self> {
        let manifest = &bundle.manifest;
        let file = bundle.path(bundle::PROMPT);
        let inputs = [Signature::Float(&[Dim::Named("N"), Dim::Declared])];
        let graph = Graph::load(&file, bundle.file(bundle::PROMPT)?, int8.then_some(isa), &inputs)?;
        let features = graph.input(0)?[1];
        let (output, shape) = graph.output("embedding")?;
        if shape.len() != 2 || shape[1] != manifest.embedding {
            let expected = format!("[N, {}]", manifest.embedding);
            return Err(Error::model(file, format!("output embedding of shape {shape:?}"), expected));
        }
        let pools = manifest.region.pool.clone();
        Ok(Self {
            isa,
            graph,
            output,
            pools,
            size: manifest.input.size,
            features,
            embedding: manifest.embedding,
        })
    }

    /// Products with int8 weights that stay in float and why, one line each.
    #[cfg(all(test, feature = "text"))]
    pub(crate) fn left_in_float(&self) -> &[String] {
        self.graph.left_in_float()
    }

    /// One embedding of unit norm for each of `boxes`, in input pixels. `content` is where the picture lies inside the
    /// letterbox (`Letterbox::content`).
    ///
    /// # Errors
    /// [`Error::Settings`] if a box is empty or not finite.
    pub(crate) fn embed(&self, out: &VisionOutput, content: Rect, boxes: &[Rect]) -> Result<Vec<Vec<f32>>> {
        Ok(self.embed_and_pool(out, content, boxes, None)?.0)
    }

    /// The same, and what `pool` holds of each box, if it is one of the prompter's own.
    ///
    /// # Errors
    /// As [`Prompter::embed`].
    pub(crate) fn embed_and_pool(
        &self,
        out: &VisionOutput,
        content: Rect,
        boxes: &[Rect],
        pool: Option<&Pool>,
    ) -> Result<(Vec<Vec<f32>>, Option<Pooled>)> {
        if boxes.is_empty() {
            return Ok((Vec::new(), None));
        }
        let own = pool.and_then(|pool| self.pools.iter().position(|other| other == pool));
        let mut starts = Vec::new();
        let mut regions = Vec::with_capacity(boxes.len() * self.features);
        for rect in boxes {
            let before = own.and_then(|own| self.pools.get(..own)).unwrap_or_default();
            starts.push(regions.len() + region::channels(out, before, rect));
            region::vector(self.isa, out, &self.pools, self.size, &content, rect, &mut regions)?;
        }
        if regions.len() != boxes.len() * self.features {
            let found = format!("a region input of {} features", self.features);
            let expected = format!("{} by vision.onnx and region.pool", regions.len() / boxes.len());
            return Err(Error::model(bundle::PROMPT, found, expected));
        }
        let input = Tensor::Float(&[boxes.len(), self.features], &regions);
        let mut embeddings = self.graph.run(&[input])?.values(self.output)?;
        let unit = |embedding: &mut [f32]| {
            normalise::l2(embedding);
            embedding.to_vec()
        };
        let embeddings = embeddings.chunks_exact_mut(self.embedding).map(unit).collect();
        let pooled = pool.filter(|_| own.is_some()).zip(boxes.first()).map(|(pool, rect)| {
            let channels = region::channels(out, slice::from_ref(pool), rect);
            Pooled { vectors: regions, starts, channels }
        });
        Ok((embeddings, pooled))
    }
}
