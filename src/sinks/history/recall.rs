//! What was seen that is most probably what a sentence says.

use std::ops::Range;
use std::path::Path;

use super::search::{Found, Query, Sought, search};
use crate::error::{Error, Result};
use crate::model::FeatureVector;
use crate::report::VectorSpace;
use crate::vocabulary::{Embedder, Prompt, region_scores};

/// How many times as many as are wanted are looked at more closely: the most similar vector is not always the most
/// probable thing.
const CLOSER: usize = 20;

/// What counts.
pub(crate) struct RecallQuery<'a> {
    /// Milliseconds since 1970, the first that count and the first that do not.
    pub times: Range<u64>,
    /// Names of sources; all if empty.
    pub sources: &'a [String],
    /// Names of things; all if empty.
    pub labels: &'a [String],
    /// Most that are found.
    pub count: usize,
}

/// What was found.
pub(crate) struct Recalled {
    /// The most probable first, with the probability.
    pub found: Vec<(Option<f32>, Found)>,
    /// How many entries were compared.
    #[cfg_attr(not(feature = "serve"), expect(dead_code, reason = "the command does not say it"))]
    pub compared: u64,
    /// Days whose entries were made by other networks.
    pub other_networks: Vec<String>,
}

/// Searches the history in `folder` by a sentence.
///
/// # Errors
/// The folder or the text tower cannot be used.
pub(crate) fn recall(
    folder: &Path,
    sentence: &str,
    embedder: &mut Embedder,
    query: &RecallQuery<'_>,
) -> Result<Recalled> {
    // One sentence, commas and all.
    let prompt = Prompt { name: sentence.to_owned(), text: sentence.to_owned() };
    let words = embedder.embed(&[prompt])?;
    let embedding = words.embeddings().rows().next().and_then(FeatureVector::quantised);
    let embedding = embedding.ok_or_else(|| Error::bug("a sentence without a direction"))?;
    let manifest = &embedder.bundle().manifest;
    let asked = Query {
        space: &VectorSpace::of(manifest),
        vector: Sought::Words(embedding),
        times: query.times.clone(),
        sources: query.sources.to_vec(),
        labels: query.labels.to_vec(),
        most: query.count.saturating_mul(CLOSER),
    };
    let searched = search(folder, &asked)?;
    let scored = searched.found.into_iter().map(|found| {
        let FeatureVector { values, scale } = &found.embedding;
        let embedding: Vec<f32> = values.iter().map(|value| f32::from(*value) * scale).collect();
        let scores = region_scores(&embedding, found.objectness, &words, &manifest.score.region, None, None);
        (scores.first().copied(), found)
    });
    let mut found: Vec<(Option<f32>, Found)> = scored.collect();
    found.sort_by(|a, b| b.0.unwrap_or_default().total_cmp(&a.0.unwrap_or_default()));
    found.truncate(query.count);
    Ok(Recalled { found, compared: searched.compared, other_networks: searched.other_networks })
}
