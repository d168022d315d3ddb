//! The Markdown pages of the repository, taken apart.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Folders whose pages are read, with those below.
const FOLDERS: [&str; 8] = ["docs", "benches", "crates", "cross", "models", "quantize", "tests", ".github"];

pub(crate) struct Page {
    /// From the repository's root.
    pub path: PathBuf,
    pub text: String,
}

/// A fenced block.
pub(crate) struct Block<'a> {
    pub language: &'a str,
    /// Of the opening fence, from 1.
    pub line: usize,
    pub text: String,
}

/// A link or picture.
pub(crate) struct Link {
    pub line: usize,
    pub target: String,
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page, by path.
pub(crate) fn all() -> Vec<Page> {
    let mut paths = Vec::new();
    gather(root(), false, &mut paths);
    for folder in FOLDERS {
        gather(&root().join(folder), true, &mut paths);
    }
    paths.sort();
    paths.into_iter().map(|path| read(path.strip_prefix(root()).unwrap())).collect()
}

/// The page at `path` from the root.
pub(crate) fn read(path: impl AsRef<Path>) -> Page {
    let path = path.as_ref();
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    Page { path: path.to_owned(), text }
}

fn gather(folder: &Path, deep: bool, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if deep && !name.starts_with('.') && !["target", "build"].contains(&name) {
                gather(&path, deep, paths);
            }
        } else if name.ends_with(".md") {
            paths.push(path);
        }
    }
}

/// `docs/../README.md` → `README.md`.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut parts: Vec<Component<'_>> = Vec::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.iter().collect()
}

impl Page {
    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The lines with their numbers, from 1, and whether each is in a fenced block (fences are).
    fn lines(&self) -> impl Iterator<Item = (usize, &str, bool)> {
        let mut fence: Option<String> = None;
        self.text.lines().enumerate().map(move |(at, line)| {
            let bare = line.trim_start();
            let ticks: String = bare.chars().take_while(|c| *c == '`').collect();
            let inside = fence.is_some() || ticks.len() >= 3;
            if fence.as_deref() == Some(bare.trim_end()) {
                fence = None;
            } else if fence.is_none() && ticks.len() >= 3 {
                fence = Some(ticks);
            }
            (at + 1, line, inside)
        })
    }

    /// The lines outside fenced blocks.
    pub(crate) fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().filter(|(_, _, inside)| !inside).map(|(at, line, _)| (at, line))
    }

    pub(crate) fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks = Vec::new();
        let mut open: Option<Block<'_>> = None;
        for (line, text, inside) in self.lines() {
            let fence = inside && text.trim_start().starts_with("```");
            match &mut open {
                None if fence => {
                    let language = text.trim().trim_start_matches('`');
                    open = Some(Block { language, line, text: String::new() });
                }
                Some(_) if fence => blocks.extend(open.take()),
                Some(block) => block.text.extend([text, "\n"]),
                None => {}
            }
        }
        blocks
    }

    /// What prose says, in (true) and out of (false) backticks, with the line where each piece begins.
    fn pieces(&self) -> Vec<(usize, bool, String)> {
        let mut pieces = Vec::new();
        let (mut code, mut start, mut piece) = (false, 1, String::new());
        for (at, line) in self.prose() {
            if line.trim().is_empty() {
                code = false;
            }
            for c in line.chars().chain(['\n']) {
                if piece.is_empty() {
                    start = at;
                }
                if c == '`' {
                    pieces.push((start, code, std::mem::take(&mut piece)));
                    code = !code;
                } else {
                    piece.push(c);
                }
            }
        }
        pieces.push((start, code, piece));
        pieces
    }

    /// What stands in backticks.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, String)> {
        self.pieces().into_iter().filter(|(_, code, _)| *code).map(|(at, _, text)| (at, text))
    }

    pub(crate) fn links(&self) -> Vec<Link> {
        // Backticks may stand in a link's text, so code is blanked instead of cut.
        let mut prose = String::new();
        for (_, code, text) in self.pieces() {
            let blank = |c: char| if c == '\n' { '\n' } else { '`' };
            if code { prose.extend(text.chars().map(blank)) } else { prose += &text }
        }
        let mut links = Vec::new();
        for (at, _) in prose.match_indices("](") {
            let target: String = prose[at + 2..].chars().take_while(|c| *c != ')').collect();
            links.push(Link { line: self.line_of(&target), target });
        }
        links
    }

    fn line_of(&self, target: &str) -> usize {
        self.prose().find(|(_, line)| line.contains(target)).map_or(0, |(at, _)| at)
    }

    /// What `#…` may name.
    pub(crate) fn anchors(&self) -> BTreeSet<String> {
        let slug = |heading: &str| -> String {
            let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
        };
        let headings = self.prose().filter(|(_, line)| line.starts_with('#'));
        headings.map(|(_, line)| slug(line.trim_start_matches('#'))).collect()
    }
}

#[test]
fn a_page_is_taken_apart() {
    let text = "# Of `model/<name>/`: a_b, C\n\nSee [`x`](y.md#z) but not `[a](b)`.\n\n```sh\n# [c](d)\n```\n![e](f.png)\n";
    let page = Page { path: PathBuf::from("docs/page.md"), text: text.to_owned() };
    let links: Vec<_> = page.links().into_iter().map(|link| (link.line, link.target)).collect();
    assert_eq!(links, [(3, "y.md#z".to_owned()), (8, "f.png".to_owned())]);
    assert_eq!(page.anchors(), ["of-modelname-a_b-c".to_owned()].into());
    assert_eq!(page.code().map(|(_, code)| code).collect::<Vec<_>>(), ["model/<name>/", "x", "[a](b)"]);
    let [block] = &page.blocks()[..] else { panic!("not one block") };
    assert_eq!((block.language, block.line, block.text.as_str()), ("sh", 5, "# [c](d)\n"));
    assert_eq!(normal(Path::new("docs/../cross/./README.md")), Path::new("cross/README.md"));
}
