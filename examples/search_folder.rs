//! Searches a folder of pictures by a sentence:
//!
//! ```console
//! $ cargo run --release --example search_folder -- tests/data "a cup of coffee on a table"
//! ```
//!
//! For a large folder, keep the pictures' embeddings in a file: only the sentence's is new with every search.

use std::env;
use std::error::Error;
use std::fs;

use edgeclip::{Detector, Picture};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder, sentence] = &arguments[..] else { return Err("expected FOLDER SENTENCE".into()) };
    let detector = Detector::new()?;

    let mut pictures = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // Other files are no pictures.
        if let Ok(picture) = Picture::open(&path) {
            pictures.push((path, detector.embed(&picture)?));
        }
    }

    let sentence = detector.embed_text(sentence)?;
    let cosine = |picture: &[f32]| picture.iter().zip(&sentence).map(|(a, b)| a * b).sum::<f32>();
    let mut found: Vec<_> = pictures.iter().map(|(path, embedding)| (cosine(embedding), path)).collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (similarity, path) in found.iter().take(10) {
        println!("{similarity:.3} {}", path.display());
    }
    Ok(())
}
