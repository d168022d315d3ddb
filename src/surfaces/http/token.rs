//! Tokens: 32 random bytes that whoever asks must show. A file holds their hashes alone.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::system::read_secret;

/// Random bytes of a token.
const LENGTH: usize = 32;
/// What a line of the file begins with.
const PREFIX: &str = "sha256:";
/// Most tokens in a file.
const MOST: usize = 64;

/// The hash of a token.
type Hash = [u8; 32];

/// A new token.
///
/// # Errors
/// [`Error::Device`] if the system has no random numbers.
pub(crate) fn new_token() -> Result<String> {
    let mut bytes = [0; LENGTH];
    let random = rustls::crypto::ring::default_provider().secure_random.fill(&mut bytes);
    random.map_err(|_| Error::device("token", "no random numbers", "a system that has some"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The line of a file that stands for a token.
pub(crate) fn token_line(token: &str) -> String {
    let digits: String = hash(token).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{PREFIX}{digits}")
}

/// Whether a file that holds this may be taken for one of tokens.
pub(crate) fn is_token_file(text: &str) -> bool {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .all(|line| line.starts_with(['#', 's']) && parsed(line).is_ok())
}

/// Tokens that are let in.
#[derive(Clone)]
pub(super) struct Tokens(Vec<Hash>);

impl Tokens {
    /// Those whose hashes are in a file.
    ///
    /// # Errors
    /// [`Error::Settings`] if it cannot be read, or holds something else.
    pub(super) fn read(file: &Path) -> Result<Self> {
        let (name, bytes) = read_secret(file)?;
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let hashes: std::result::Result<Vec<Option<Hash>>, ()> = lines.map(parsed).collect();
        let hashes: Vec<Hash> = match hashes {
            Ok(hashes) => hashes.into_iter().flatten().collect(),
            Err(()) => {
                let expected = "lines sha256:… as `edgeclip token new FILE` writes them; the token itself belongs to whoever asks";
                return Err(Error::settings(name, "a line that is no hash of a token", expected));
            }
        };
        if hashes.is_empty() || hashes.len() > MOST {
            let found = format!("{} tokens", hashes.len());
            return Err(Error::settings(
                name,
                found,
                format!("1 to {MOST}: `edgeclip token new FILE` adds one"),
            ));
        }
        Ok(Self(hashes))
    }

    /// Whether this is one of them. Takes as long for each that is not.
    pub(super) fn accept(&self, token: &str) -> bool {
        let shown = hash(token);
        self.0.iter().fold(false, |found, known| found | is_equal(known, &shown))
    }
}

/// The hash in a line; none in a comment. Behind it, anything may follow a blank.
fn parsed(line: &str) -> std::result::Result<Option<Hash>, ()> {
    if line.starts_with('#') {
        return Ok(None);
    }
    let digits = line.strip_prefix(PREFIX).and_then(|rest| rest.split_whitespace().next()).ok_or(())?;
    let mut hash = [0; 32];
    if digits.len() != 64 || !digits.is_ascii() {
        return Err(());
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        let pair = digits.get(2 * at..2 * at + 2).ok_or(())?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| ())?;
    }
    Ok(Some(hash))
}

fn hash(token: &str) -> Hash {
    Sha256::digest(token.as_bytes()).into()
}

/// Looks at every byte, wherever they differ.
fn is_equal(a: &Hash, b: &Hash) -> bool {
    let different = a.iter().zip(b).fold(0, |different, (a, b)| different | (a ^ b));
    std::hint::black_box(different) == 0
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_what_is_in_the_file_is_let_in() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens");
        let (one, two) = (new_token().unwrap(), new_token().unwrap());
        assert!(one != two && one.len() == 43);
        fs::write(&file, format!("# phone\n{} 2026-11-30\n\n{}\n", token_line(&one), token_line(&two)))
            .unwrap();
        let tokens = Tokens::read(&file).unwrap();
        assert!(tokens.accept(&one) && tokens.accept(&two));
        for other in ["", "x", &one[..42], &format!("{one} "), &token_line(&one)] {
            assert!(!tokens.accept(other), "{other}");
        }
        for (text, part) in [
            (one.as_str(), "found a line that is no hash of a token"),
            ("sha256:00", "no hash"),
            ("# nothing", "found 0 tokens, expected 1 to 64"),
            ("", "found 0 tokens"),
        ] {
            fs::write(&file, text).unwrap();
            let error = Tokens::read(&file).err().map(|error| error.to_string()).unwrap();
            assert!(error.contains(part) && !error.contains(&one), "{error}");
        }
    }
}
