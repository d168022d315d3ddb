//! Session descriptions (RFC 8866) as cameras write them: attributes and media, whatever else there is.

use std::fmt;

/// Most media of a description; a camera has two or three.
const MOST_MEDIA: usize = 64;
/// Most attributes in all.
const MOST_ATTRIBUTES: usize = 4096;

/// `a=name:value`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Before the colon.
    pub attribute: String,
    /// Behind it.
    pub value: Option<String>,
}

/// `m=video 0 RTP/AVP 96`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// `video`, `audio`, …
    pub media: String,
    /// `RTP/AVP`, …
    pub proto: String,
    /// Numbers of formats, at least one word.
    pub fmt: String,
    /// Those behind this line.
    pub attributes: Vec<Attribute>,
}

/// A description.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    /// Those before the first media.
    pub attributes: Vec<Attribute>,
    /// In order.
    pub medias: Vec<Media>,
}

/// Why a description is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParserError {
    /// No line is one of a description.
    Nothing,
    /// More media or attributes than any camera has.
    TooMuch,
}

impl fmt::Display for ParserError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Nothing => "no description",
            Self::TooMuch => "more media or attributes than a camera has",
        })
    }
}

impl std::error::Error for ParserError {}

impl Session {
    /// Reads a description; lines that make no sense are passed over.
    ///
    /// # Errors
    /// There is none, or far too much of it.
    pub fn parse(data: &[u8]) -> Result<Self, ParserError> {
        let text = String::from_utf8_lossy(data);
        let mut session = Self::default();
        let (mut known, mut attributes) = (false, 0);
        for line in text.split(['\r', '\n']) {
            let Some((key, value)) = line.split_once('=') else { continue };
            let value = value.trim_end_matches('\0');
            known |= key.len() == 1;
            match key {
                "m" if session.medias.len() == MOST_MEDIA => return Err(ParserError::TooMuch),
                "m" => session.medias.push(media(value)),
                "a" if attributes == MOST_ATTRIBUTES => return Err(ParserError::TooMuch),
                "a" => {
                    attributes += 1;
                    let place = session.medias.last_mut().map(|media| &mut media.attributes);
                    place.unwrap_or(&mut session.attributes).push(attribute(value));
                }
                _ => {}
            }
        }
        if known { Ok(session) } else { Err(ParserError::Nothing) }
    }
}

fn attribute(value: &str) -> Attribute {
    match value.split_once(':') {
        Some((name, value)) => Attribute { attribute: name.to_owned(), value: Some(value.to_owned()) },
        None => Attribute { attribute: value.to_owned(), value: None },
    }
}

/// What is missing becomes a word that no format has: the attributes that follow belong to this line.
fn media(value: &str) -> Media {
    let mut words = value.split_ascii_whitespace();
    let mut next = || words.next().unwrap_or("-").to_owned();
    let (media, _port, proto, first) = (next(), next(), next(), next());
    let fmt = words.fold(first, |fmt, word| fmt + " " + word);
    Media { media, proto, fmt, attributes: Vec::new() }
}
