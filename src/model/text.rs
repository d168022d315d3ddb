//! The text tower: the user's words become embeddings.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Builder};

use tokenizers::Tokenizer;

use super::bundle::{self, Bundle};
use super::tokenizer;
use crate::error::{Error, Result};
use crate::system::beside;
use edgeclip_engine::{Dim, Graph, Signature, Tensor};
use edgeclip_kernels::{Isa, normalise};

/// Most tokens of one pass: enough for long matrix rows, few enough for the caches and for every core to get work.
const BATCH_TOKENS: usize = 256;

/// Characters that a token may stand for. WordPiece makes one "unknown" token of a word of any length.
const CHARACTERS_PER_TOKEN: usize = 32;

/// Characters of a prompt that an error repeats.
const SHOWN: usize = 40;

/// The text tower of a bundle, with its tokenizer.
pub(crate) struct TextTower {
    graph: Graph,
    /// Index of the output `embedding`.
    output: usize,
    tokenizer: Tokenizer,
    unknown: u32,
    /// What errors call the tokenizer.
    file: String,
    templates: Vec<String>,
    max_tokens: usize,
    embedding: usize,
    sha256: String,
}

impl TextTower {
    /// Loads `text.onnx` and `tokenizer.json`. Products with int8 weights run through the int8 kernels.
    ///
    /// # Errors
    /// [`Error::Model`] naming the file, [`Error::Settings`] if `EDGECLIP_ISA` names no instruction set of this CPU.
    pub(crate) fn load(bundle: &Bundle) -> Result<Self> {
        Self::new(bundle, Some(Isa::chosen().map_err(edgeclip_engine::Error::from)?))
    }

    /// The same in float through tract alone, to compare with.
    ///
    /// # Errors
    /// [`Error::Model`] naming the file.
    #[cfg(test)]
    pub(crate) fn load_float(bundle: &Bundle) -> Result<Self> {
        Self::new(bundle, None)
    }

    fn new(bundle: &Bundle, isa: Option<Isa>) -> Result<Self> {
        let manifest = &bundle.manifest;
        let (tokenizer, graph) = thread::scope(|scope| {
            let load = || tokenizer::load(&bundle.path(bundle::TOKENIZER), &bundle.file(bundle::TOKENIZER)?);
            let tokenizer = beside(scope, load);
            let graph = load_graph(bundle, isa);
            Ok::<_, Error>((tokenizer()?, graph?))
        })?;
        let tokenizer::Checked { tokenizer, unknown, largest } = tokenizer;
        if let Some(rows) = graph.rows(0)
            && largest as usize >= rows
        {
            let expected = format!("ids below {rows}, the words of text.onnx");
            return Err(Error::model(bundle.path(bundle::TOKENIZER), format!("the id {largest}"), expected));
        }
        let (output, shape) = graph.output("embedding")?;
        if shape.len() != 2 || shape[1] != manifest.embedding {
            let (found, expected) =
                (format!("output embedding of shape {shape:?}"), format!("[N, {}]", manifest.embedding));
            return Err(Error::model(bundle.path(bundle::TEXT), found, expected));
        }
        Ok(Self {
            graph,
            output,
            tokenizer,
            unknown,
            file: bundle.path(bundle::TOKENIZER),
            templates: manifest.templates.clone(),
            max_tokens: manifest.text_max_tokens,
            embedding: manifest.embedding,
            sha256: manifest.files.get(bundle::TEXT).cloned().unwrap_or_default(),
        })
    }

    /// Products with int8 weights that stay in float and why, one line each.
    #[cfg(test)]
    pub(crate) fn left_in_float(&self) -> &[String] {
        self.graph.left_in_float()
    }

    /// sha256 of `text.onnx`, lower-case hexadecimal: vocabularies made by another tower cannot be used.
    pub(crate) fn sha256(&self) -> &str {
        &self.sha256
    }

    /// One embedding of unit norm for each prompt: the normalised mean of the normalised embeddings of the prompt in each
    /// of the manifest's templates. Runs on all cores.
    ///
    /// # Errors
    /// [`Error::Settings`] naming the prompt if it is empty, too long, or has no word that the tokenizer knows.
    pub(crate) fn embed(&self, prompts: &[String]) -> Result<Vec<Vec<f32>>> {
        let mut sentences = Vec::with_capacity(prompts.len() * self.templates.len());
        for prompt in prompts {
            self.check(prompt)?;
            for template in &self.templates {
                sentences.push(self.tokens(prompt, &template.replace("{}", prompt.trim()))?);
            }
        }
        let parts = self.run(&sentences)?;
        Ok(parts.chunks_exact(self.templates.len()).map(|forms| mean(forms, self.embedding)).collect())
    }

    fn check(&self, prompt: &str) -> Result<()> {
        if prompt.trim().is_empty() {
            return Err(Error::settings("prompt", "no text", "words to look for"));
        }
        let limit = self.max_tokens * CHARACTERS_PER_TOKEN;
        if prompt.chars().nth(limit).is_some() {
            let expected = format!("at most {limit}");
            return Err(Error::settings(
                shown(prompt),
                format!("{} characters", prompt.chars().count()),
                expected,
            ));
        }
        let encoding =
            self.tokenizer.encode_fast(prompt.trim(), false).map_err(|error| self.failed(&error))?;
        if encoding.get_ids().iter().all(|&id| id == self.unknown) {
            return Err(Error::settings(
                shown(prompt),
                "no known word",
                "words of the text tower's vocabulary",
            ));
        }
        Ok(())
    }

    fn tokens(&self, prompt: &str, sentence: &str) -> Result<Vec<i64>> {
        let encoding = self.tokenizer.encode_fast(sentence, true).map_err(|error| self.failed(&error))?;
        let ids = encoding.get_ids();
        if ids.len() > self.max_tokens {
            let expected = format!("at most {}", self.max_tokens);
            return Err(Error::settings(shown(prompt), format!("{} tokens", ids.len()), expected));
        }
        Ok(ids.iter().map(|&id| i64::from(id)).collect())
    }

    fn failed(&self, error: &tokenizers::Error) -> Error {
        Error::model(&self.file, error.to_string(), "a tokenizer that takes any text")
    }

    /// Embeddings of tokenised sentences, in their order, not normalised.
    fn run(&self, sentences: &[Vec<i64>]) -> Result<Vec<Vec<f32>>> {
        let batches = batches(sentences);
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                done.push((batch, self.run_batch(sentences, batch)?));
            }
            Ok(done)
        };
        let threads = thread::available_parallelism().map_or(1, NonZero::get).min(batches.len());
        let finished: Vec<Result<Vec<_>>> = thread::scope(|scope| {
            // Without a thread for them, the caller does their share.
            let start = |_| Builder::new().spawn_scoped(scope, work).ok();
            let workers: Vec<_> = (1..threads).filter_map(start).collect();
            let own = work();
            let joined = workers.into_iter().map(|worker| match worker.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            joined.chain([own]).collect()
        });
        let mut embeddings = vec![Vec::new(); sentences.len()];
        for done in finished {
            for (batch, values) in done? {
                for (&sentence, embedding) in batch.iter().zip(values.chunks_exact(self.embedding)) {
                    embeddings[sentence] = embedding.to_vec();
                }
            }
        }
        Ok(embeddings)
    }

    fn run_batch(&self, sentences: &[Vec<i64>], batch: &[usize]) -> Result<Vec<f32>> {
        let ids: Vec<i64> = batch.iter().flat_map(|&sentence| &sentences[sentence]).copied().collect();
        let shape = [batch.len(), ids.len() / batch.len()];
        let mask = vec![1; ids.len()];
        let outputs = self.graph.run(&[Tensor::Int64(&shape, &ids), Tensor::Int64(&shape, &mask)])?;
        Ok(outputs.values(self.output)?)
    }
}

/// Groups of sentences of equal length, so that no batch holds padding.
fn batches(sentences: &[Vec<i64>]) -> Vec<Vec<usize>> {
    let mut by_length: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, tokens) in sentences.iter().enumerate() {
        by_length.entry(tokens.len()).or_default().push(index);
    }
    let parts = by_length.iter().rev().flat_map(|(&length, indices)| {
        indices.chunks((BATCH_TOKENS / length.max(1)).max(1)).map(<[usize]>::to_vec)
    });
    parts.collect()
}

/// Normalised mean of the normalised embeddings of one prompt's forms.
fn mean(forms: &[Vec<f32>], dimension: usize) -> Vec<f32> {
    let mut sum = vec![0.0; dimension];
    for form in forms {
        let mut form = form.clone();
        normalise::l2(&mut form);
        for (total, value) in sum.iter_mut().zip(&form) {
            *total += value;
        }
    }
    normalise::l2(&mut sum);
    sum
}

/// `input_ids` and `attention_mask`, sentences by tokens.
fn load_graph(bundle: &Bundle, isa: Option<Isa>) -> Result<Graph> {
    let inputs = [Signature::Int64(&[Dim::Named("N"), Dim::Named("L")]); 2];
    Ok(Graph::load(&bundle.path(bundle::TEXT), bundle.file(bundle::TEXT)?, isa, &inputs)?)
}

/// What errors call a prompt: its first characters.
fn shown(prompt: &str) -> String {
    match prompt.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("prompt \"{}…\"", &prompt[..end]),
        None => format!("prompt \"{prompt}\""),
    }
}
