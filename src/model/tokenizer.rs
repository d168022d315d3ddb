//! `tokenizer.json`: of all that Hugging Face's format can say, the parts of a BERT tokenizer. Others can make
//! endless text of a short one, or panic over a token that there is not.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, Model, Tokenizer};

use crate::error::{Error, Result};

/// Most bytes of the file.
const BYTES: usize = 32 << 20;

/// Most tokens beside the words, and most parts of a template.
const TOKENS: usize = 1024;

/// Most characters of a word that is looked up: the time grows with their square.
const CHARACTERS: usize = 1000;

/// Most bytes of a token beside the words, or of the prefix within words.
const TOKEN_BYTES: usize = 256;

/// A tokenizer that keeps what it promises.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) tokenizer: Tokenizer,
    /// What stands for a word that it does not know.
    pub(super) unknown: u32,
    /// The largest id that it can give.
    pub(super) largest: u32,
}

/// The parts, each of the only type that there may be.
#[derive(Deserialize)]
struct Parts {
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
    normalizer: BertNormalizer,
    pre_tokenizer: BertPreTokenizer,
    post_processor: TemplateProcessing,
    model: WordPiece,
}

/// What the parts do not tell of themselves.
#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    added_tokens: Vec<Added>,
    post_processor: Template,
    model: Words,
}

#[derive(Deserialize)]
struct Added {
    id: u32,
    content: String,
}

#[derive(Deserialize)]
struct Words {
    unk_token: String,
    continuing_subword_prefix: String,
    max_input_chars_per_word: usize,
}

#[derive(Deserialize)]
struct Template {
    single: Vec<Piece>,
    pair: Vec<Piece>,
    special_tokens: HashMap<String, Special>,
}

#[derive(Deserialize)]
enum Piece {
    Sequence { id: String },
    SpecialToken { id: String },
}

#[derive(Deserialize)]
struct Special {
    ids: Vec<u32>,
    tokens: Vec<IgnoredAny>,
}

/// Reads `bytes`, called `file` in errors.
///
/// # Errors
/// [`Error::Model`] naming what is no part of a BERT tokenizer, or what does not fit.
pub(super) fn load(file: &str, bytes: &[u8]) -> Result<Checked> {
    let wrong = |found: String, expected: &str| Error::model(file, found, expected);
    if bytes.len() > BYTES {
        return Err(wrong(format!("{} MB", bytes.len() >> 20), "at most 32 MB"));
    }
    let unreadable = |error: serde_json::Error| {
        let expected = "a tokenizer of BertNormalizer, BertPreTokenizer, WordPiece and TemplateProcessing";
        wrong(error.to_string(), expected)
    };
    let claims: Claims = serde_json::from_slice(bytes).map_err(unreadable)?;
    let parts: Parts = serde_json::from_slice(bytes).map_err(unreadable)?;
    template(&claims.post_processor).map_err(|(found, expected)| wrong(found, expected))?;
    let words = &claims.model;
    if words.max_input_chars_per_word > CHARACTERS || words.continuing_subword_prefix.len() > TOKEN_BYTES {
        let found = format!("words of up to {} characters", words.max_input_chars_per_word);
        return Err(wrong(found, "at most 1000, and a short prefix within words"));
    }
    if claims.added_tokens.len() > TOKENS {
        return Err(wrong(format!("{} added tokens", claims.added_tokens.len()), "at most 1024"));
    }
    let Some(unknown) = parts.model.token_to_id(&words.unk_token) else {
        return Err(wrong(format!("no word {}", words.unk_token), "the unk_token among the words"));
    };
    let largest = parts.model.get_vocab().into_values().max().unwrap_or(0);
    let mut tokenizer = Tokenizer::new(parts.model);
    let broken = |error: tokenizers::Error| wrong(error.to_string(), "parts that fit");
    tokenizer.with_normalizer(Some(parts.normalizer)).map_err(broken)?;
    tokenizer.with_pre_tokenizer(Some(parts.pre_tokenizer));
    tokenizer.with_post_processor(Some(parts.post_processor));
    tokenizer.add_tokens(parts.added_tokens).map_err(broken)?;
    let mut ids = vec![largest];
    for Added { id, content } in &claims.added_tokens {
        if content.is_empty() || content.len() > TOKEN_BYTES || tokenizer.token_to_id(content) != Some(*id) {
            let found = format!("the added token {content:?} of id {id}");
            return Err(wrong(found, "tokens of up to 256 bytes under their own ids"));
        }
        ids.push(*id);
    }
    ids.extend(claims.post_processor.special_tokens.values().flat_map(|special| &special.ids));
    Ok(Checked { tokenizer, unknown, largest: ids.into_iter().max().unwrap_or(0) })
}

/// Templates of tokens that there are, and of the text once.
fn template(template: &Template) -> std::result::Result<(), (String, &'static str)> {
    let Template { single, pair, special_tokens } = template;
    for piece in single.iter().chain(pair) {
        if let Piece::SpecialToken { id } = piece
            && !special_tokens.contains_key(id)
        {
            return Err((format!("a template with the token {id}"), "one of its special_tokens"));
        }
    }
    let texts = single.iter().filter(|piece| matches!(piece, Piece::Sequence { id } if id == "A")).count();
    let sequences = single.iter().filter(|piece| matches!(piece, Piece::Sequence { .. })).count();
    if (texts, sequences) != (1, 1) || single.len().max(pair.len()) > TOKENS {
        return Err(("a template without the text".to_owned(), "one of the text once, as {\"id\": \"A\"}"));
    }
    let fits = |special: &&Special| special.ids.len() == special.tokens.len() && special.ids.len() <= TOKENS;
    match special_tokens.values().find(|special| !fits(special)) {
        Some(special) => Err((
            format!("{} ids of {} tokens", special.ids.len(), special.tokens.len()),
            "as many of either",
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "tokenizer_tests.rs"]
mod tests;
