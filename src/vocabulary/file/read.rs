//! From the content of a file to a vocabulary.

use std::collections::HashSet;

use safetensors::tensor::Dtype;

use super::parts::{Parts, is_sha256};
use super::{FORMAT, FORMAT_2};
use crate::error::{Result, obeyed};
use crate::model::{FeatureVector, SpaceId};
use crate::vocabulary::embeddings::Embeddings;
use crate::vocabulary::entry::{Entry, Kind};
use crate::vocabulary::examples::{Example, Examples, MOST_EXAMPLES, Origin};
use crate::vocabulary::texts::Texts;
use crate::vocabulary::words::Vocabulary;

/// Most bytes of a file's name among origins.
const LONGEST_ORIGIN: usize = 4096;

impl Vocabulary {
    /// Reads the content of a vocabulary file, called `name` in errors.
    ///
    /// # Errors
    /// [`Error::Input`] if it is not a safetensors file, not of a format known, its tensors and names do not
    /// belong together, a name is empty, repeated or holds control characters, a row is not of unit length, or a
    /// threshold is neither NaN nor from 0 to 1.
    pub(crate) fn from_bytes(name: &str, bytes: &[u8]) -> Result<Self> {
        let mut parts = Parts::new(name, bytes)?;
        match parts.text("format") {
            Some(FORMAT) => version1(&parts),
            Some(FORMAT_2) => {
                parts.expected = "embeddings, word_entry, thresholds, negatives, and those of examples";
                version2(&parts)
            }
            other => {
                let found =
                    other.map_or("no format in its metadata".to_owned(), |f| format!("format \"{f}\""));
                Err(parts.wrong(found, format!("\"{FORMAT}\" or \"{FORMAT_2}\"")))
            }
        }
    }
}

fn version1(parts: &Parts<'_>) -> Result<Vocabulary> {
    let (names, prompts) = (parts.texts("names", "name")?, parts.texts("prompts", "prompt")?);
    let text_sha256 = parts.sha256("text_sha256")?;
    let (embeddings, negatives) = embeddings(parts)?;
    if embeddings.is_empty() {
        return Err(parts.wrong("no embeddings", "at least one"));
    }
    parts.count("names", names.len(), embeddings.len(), "embedding")?;
    parts.count("prompts", prompts.len(), embeddings.len(), "embedding")?;
    let thresholds = parts.thresholds(embeddings.len(), "embedding")?;
    let entries = thresholds.into_iter().map(|threshold| Entry { threshold, ..Entry::default() }).collect();
    let names = names.into_iter().map(Into::into).collect();
    let texts = Texts::each(prompts, embeddings);
    Ok(Vocabulary::of_parts(names, entries, texts, negatives, text_sha256, None))
}

fn version2(parts: &Parts<'_>) -> Result<Vocabulary> {
    let names = parts.texts("names", "name")?;
    let mut known = HashSet::new();
    if let Some(twice) = names.iter().find(|name| !known.insert(name.as_str())) {
        return Err(parts.wrong(format!("the name {twice:?} twice"), "each name once"));
    }
    if names.is_empty() {
        return Err(parts.wrong("no names", "at least one"));
    }
    let kinds: Vec<Kind> = parts.list("kinds", "\"thing\", \"tag\" or \"state\"")?;
    let hidden: Vec<bool> = parts.list("hidden", "true or false")?;
    parts.count("kinds", kinds.len(), names.len(), "name")?;
    parts.count("hidden", hidden.len(), names.len(), "name")?;
    let thresholds = parts.thresholds(names.len(), "name")?;
    let entries = kinds.into_iter().zip(hidden).zip(thresholds);
    let entries = entries.map(|((kind, hidden), threshold)| Entry { kind, hidden, threshold }).collect();
    let prompts = parts.texts("prompts", "prompt")?;
    let text_sha256 = parts.sha256("text_sha256")?;
    let (rows, negatives) = embeddings(parts)?;
    parts.count("prompts", prompts.len(), rows.len(), "embedding")?;
    let owners = parts.indices("word_entry", names.len())?;
    parts.count("word_entry", owners.len(), rows.len(), "embedding")?;
    let examples = if parts.has("examples") { Some(examples(parts, names.len())?) } else { None };
    let described = |entry: usize| {
        let words = owners.contains(&entry);
        words || examples.as_ref().is_some_and(|examples| examples.rows.iter().any(|row| row.entry == entry))
    };
    if let Some((_, name)) = names.iter().enumerate().find(|(entry, _)| !described(*entry)) {
        return Err(parts.wrong(format!("neither words nor examples of {name:?}"), "any of both"));
    }
    let names = names.into_iter().map(Into::into).collect();
    let texts = Texts { prompts, rows, entries: owners };
    Ok(Vocabulary::of_parts(names, entries, texts, negatives, text_sha256, examples))
}

/// Of words, and of "none of these".
fn embeddings(parts: &Parts<'_>) -> Result<(Embeddings, Embeddings)> {
    let (embeddings, negatives) = (parts.rows("embeddings")?, parts.rows("negatives")?);
    if negatives.dimension() != embeddings.dimension() {
        let found = format!("negatives of {} values", negatives.dimension());
        return Err(parts.wrong(found, format!("{} as in the embeddings", embeddings.dimension())));
    }
    Ok((embeddings, negatives))
}

fn examples(parts: &Parts<'_>, names: usize) -> Result<Examples> {
    let space = SpaceId {
        vision_sha256: parts.sha256("vision_sha256")?.to_ascii_lowercase(),
        prompt_sha256: parts.sha256("prompt_sha256")?.to_ascii_lowercase(),
        features_sha256: parts.sha256("features_sha256")?.to_ascii_lowercase(),
    };
    let (scales, _) = parts.floats("example_scale")?;
    let view = parts.tensor("examples", Dtype::I8)?;
    let [count, features] = *view.shape() else {
        return Err(parts.wrong(format!("examples of shape {:?}", view.shape()), "[examples, features]"));
    };
    if !(1..=MOST_EXAMPLES).contains(&count) || features == 0 {
        return Err(parts.wrong(format!("{count} examples"), format!("1 to {MOST_EXAMPLES}")));
    }
    let owners = parts.indices("example_entry", names)?;
    let signs = parts.tensor("example_sign", Dtype::I8)?;
    let signs: Vec<i8> = signs.data().iter().map(|sign| sign.cast_signed()).collect();
    let origins: Vec<Origin> = parts.list("origins", "objects with id, file, sha256, box and date")?;
    for (what, found) in [
        ("example_scale", scales.len()),
        ("example_entry", owners.len()),
        ("example_sign", signs.len()),
        ("origins", origins.len()),
    ] {
        parts.count(what, found, count, "example")?;
    }
    let values = view.data().chunks_exact(features);
    let numbers = values.zip(scales).zip(owners.into_iter().zip(signs));
    let example = |((row, scale), (entry, sign)): ((&[u8], f32), (usize, i8)), origin: Origin| {
        let values: Vec<i8> = row.iter().map(|value| value.cast_signed()).collect();
        check(parts, &values, scale, sign, &origin)?;
        Ok(Example { entry, counter: sign < 0, vector: FeatureVector { values, scale }, origin })
    };
    let rows = numbers.zip(origins).map(|(numbers, origin)| example(numbers, origin));
    Ok(Examples { space, rows: rows.collect::<Result<_>>()? })
}

fn check(parts: &Parts<'_>, values: &[i8], scale: f32, sign: i8, origin: &Origin) -> Result<()> {
    let norm = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt() * f64::from(scale);
    // Rounding to int8 changes the length a little.
    if !(0.9..=1.1).contains(&norm) || values.contains(&i8::MIN) {
        let found = format!("an example of length {norm} from {:?}", origin.file);
        return Err(parts.wrong(found, "unit length, values from -127 to 127"));
    }
    if !matches!(sign, 1 | -1) {
        return Err(parts.wrong(format!("example_sign with {sign}"), "1 for an example, -1 for its opposite"));
    }
    let plain = |text: &str| !text.contains(obeyed) && text.len() <= LONGEST_ORIGIN;
    let id = (1..=64).contains(&origin.id.len()) && origin.id.bytes().all(|digit| digit.is_ascii_hexdigit());
    let rect = origin.rect.is_none_or(|rect| rect.iter().all(|edge| edge.is_finite()));
    if !(id && rect && is_sha256(&origin.sha256) && plain(&origin.file) && plain(&origin.date)) {
        return Err(parts.wrong(
            format!("the origin {origin:?}"),
            "id and sha256 in hexadecimal digits, printable file and date, a finite box",
        ));
    }
    Ok(())
}
