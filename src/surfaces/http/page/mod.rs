//! The live page: files that are inside the program.

use sha2::{Digest, Sha256};

use super::request::Head;
use super::response::{Body, Response};

/// What the page may load, and from where: from here alone.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const DRAWING: &str = "image/svg+xml";

/// A file of the page.
struct File {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

/// Files of this folder that are inside the program.
macro_rules! files {
    ($($name:literal $kind:ident)*) => {
        &[$(File { name: $name, kind: $kind, bytes: include_bytes!($name) }),*]
    };
}

/// All of them.
const FILES: &[File] = files![
    "api.js" SCRIPT
    "app.js" SCRIPT
    "charts.js" SCRIPT
    "dom.js" SCRIPT
    "draw.js" SCRIPT
    "events.js" SCRIPT
    "icon.svg" DRAWING
    "index.html" HTML
    "live.js" SCRIPT
    "overlay.js" SCRIPT
    "picture.js" SCRIPT
    "places.js" SCRIPT
    "save.js" SCRIPT
    "search.js" SCRIPT
    "shapes.js" SCRIPT
    "state.js" SCRIPT
    "style.css" STYLE
    "teach.js" SCRIPT
    "words.js" SCRIPT
];

/// A file of the page, if the browser does not have it yet.
pub(super) fn file(name: &str, head: &Head) -> Result<Response, Response> {
    let Some(file) = FILES.iter().find(|file| file.name == name) else {
        return Err(Response::problem(
            404,
            "found a path without a meaning here; /api/v1/openapi.json lists all",
        ));
    };
    let tag: String = Sha256::digest(file.bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{tag}\"");
    let known =
        head.get("if-none-match").is_some_and(|tags| tags.split(',').any(|known| known.trim() == tag));
    let response =
        if known { Response::empty(304) } else { Response::new(200, file.kind, Body::Fixed(file.bytes)) };
    Ok(response.with("ETag", tag).with("Cache-Control", "no-cache").with("Content-Security-Policy", POLICY))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_inside() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/surfaces/http/page");
        let mut found: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "mod.rs")
            .collect();
        let mut inside: Vec<&str> = FILES.iter().map(|file| file.name).collect();
        found.sort_unstable();
        inside.sort_unstable();
        assert_eq!(found, inside);
    }

    #[test]
    fn the_page_asks_for_nothing_that_it_may_not_load() {
        for file in FILES.iter().filter(|file| file.kind == HTML) {
            let text = String::from_utf8_lossy(file.bytes);
            for forbidden in [" style=", " onclick=", "<style", "src=\"http", "href=\"http"] {
                assert!(!text.contains(forbidden), "{}: {forbidden}", file.name);
            }
        }
    }
}
