//! No circle of imports is larger than three files: a circle of many files can only be read, tested or moved as a whole.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Most files that may import one another in a circle.
const LARGEST: usize = 3;

/// Folders with a crate's sources.
const CRATES: [&str; 3] = ["src", "crates/kernels/src", "crates/engine/src"];

/// Module → the modules whose items it uses. What a module only hands on (`pub use`) it does not use.
type Imports = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

/// Module path and text of every file below `folder` but files of tests.
fn modules(folder: &Path, above: &[String], found: &mut Vec<(Vec<String>, String)>) {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let below = [above, std::slice::from_ref(&stem)].concat();
        if path.is_dir() {
            modules(&path, &below, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !stem.ends_with("tests") {
            let name = if ["lib", "main", "mod"].contains(&stem.as_str()) { above.to_vec() } else { below };
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The code without comments and without the tests at the end of a file.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or("");
    text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// The paths that a tree of `use` stands for: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn paths(tree: &str) -> Vec<Vec<String>> {
    let segments = |text: &str| -> Vec<String> {
        let text = text.split(" as ").next().unwrap_or("");
        text.split("::").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
    };
    let Some((head, rest)) = tree.split_once('{') else { return vec![segments(tree)] };
    let inside = rest.rsplit_once('}').map_or(rest, |(inside, _)| inside);
    let (mut depth, mut items, mut item) = (0, Vec::new(), String::new());
    for c in inside.chars() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if c == ',' && depth == 0 {
            items.push(std::mem::take(&mut item));
        } else {
            item.push(c);
        }
    }
    items.push(item);
    let below = items.iter().filter(|item| !item.trim().is_empty()).flat_map(|item| paths(item));
    below.map(|path| [segments(head), path].concat()).collect()
}

/// The paths of all `use` items, and whether they hand on what they name.
fn paths_of(code: &str) -> Vec<(bool, Vec<String>)> {
    let items = code.split(';').filter_map(|item| {
        let (before, tree) = item.rsplit_once("use ")?;
        let before = before.trim_end();
        let hands_on = before.ends_with("pub") || before.ends_with(')');
        (hands_on || before.is_empty() || before.ends_with(['}', ']'])).then_some((hands_on, tree))
    });
    items.flat_map(|(hands_on, tree)| paths(tree).into_iter().map(move |path| (hands_on, path))).collect()
}

/// Module → the paths of its `use` items, and whether they hand on what they name.
type Uses = BTreeMap<Vec<String>, Vec<(bool, Vec<String>)>>;

/// The module that defines what `path` names, used in `module`, past those that only hand it on; `None` if it is of another
/// crate.
fn target(uses: &Uses, module: &[String], path: &[String]) -> Option<Vec<String>> {
    let (first, mut rest) = path.split_first()?;
    let mut at = module.to_vec();
    match first.as_str() {
        "crate" => at.clear(),
        "self" => {}
        "super" => {
            at.pop()?;
            while rest.first().is_some_and(|next| next == "super") {
                at.pop()?;
                rest = &rest[1..];
            }
        }
        _ => {
            at.push(first.clone());
            if !uses.contains_key(&at) {
                return None;
            }
        }
    }
    while let Some((name, below)) = rest.split_first() {
        at.push(name.clone());
        if !uses.contains_key(&at) {
            at.pop();
            break;
        }
        rest = below;
    }
    let handed_on = rest.first().and_then(|name| {
        let paths = uses[&at].iter().map(|(_, path)| path);
        paths.filter(|_| at != module).find(|path| path.last() == Some(name))
    });
    match handed_on {
        Some(path) => target(uses, &at, path),
        None => Some(at),
    }
}

fn imports(files: &[(Vec<String>, String)]) -> Imports {
    let uses: Uses = files.iter().map(|(name, text)| (name.clone(), paths_of(&code(text)))).collect();
    let of = |name: &Vec<String>| {
        let own = uses[name].iter().filter(|(hands_on, _)| !hands_on);
        let targets = own.filter_map(|(_, path)| target(&uses, name, path));
        targets.filter(|found| found != name).collect()
    };
    uses.keys().map(|name| (name.clone(), of(name))).collect()
}

/// All that can be reached from `start`, itself only if there is a way back.
fn reachable(imports: &Imports, start: &[String]) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&Vec<String>> = imports[start].iter().collect();
    while let Some(next) = open.pop() {
        if found.insert(next.clone()) {
            open.extend(&imports[next]);
        }
    }
    found
}

/// Modules that all import one another, directly or not, more than one at a time.
fn circles(imports: &Imports) -> BTreeSet<BTreeSet<Vec<String>>> {
    let reach: BTreeMap<&Vec<String>, BTreeSet<Vec<String>>> =
        imports.keys().map(|name| (name, reachable(imports, name))).collect();
    let circle = |name: &Vec<String>| -> BTreeSet<Vec<String>> {
        reach[name].iter().filter(|other| reach[*other].contains(name)).cloned().collect()
    };
    imports.keys().map(circle).filter(|circle| circle.len() > 1).collect()
}

#[test]
fn no_circle_of_imports_is_large() {
    for folder in CRATES {
        let mut files = Vec::new();
        modules(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &[], &mut files);
        assert!(files.len() > 20, "only {} files in {folder}", files.len());
        let imports = imports(&files);
        assert!(imports.values().map(BTreeSet::len).sum::<usize>() > files.len(), "imports are not found");
        let circles = circles(&imports);
        for circle in &circles {
            println!("{folder}: {circle:?}");
        }
        let large: Vec<_> = circles.iter().filter(|circle| circle.len() > LARGEST).collect();
        assert!(large.is_empty(), "{folder}: {large:#?}");
    }
}

#[test]
fn circles_are_found() {
    let file = |name: &str, text: &str| {
        (name.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect(), text.to_owned())
    };
    let files = [
        file("", "mod a;\nmod b;\nmod c;\npub use a::A;"),
        file("a", "use crate::{b::{self, B}, c::x::X};\nuse std::fmt;"),
        file("b", "// use crate::c;\nuse super::c::{x::Y, Z};"),
        file("c", "mod x;\npub use x::Z;\n#[cfg(test)]\nmod tests {\n    use super::super::a::A;\n}"),
        file("c::x", "#[cfg(unix)]\nuse super::super::A;"),
    ];
    let circles = circles(&imports(&files));
    // a → b → c::x → a: what lib and c hand on is not theirs.
    let names: Vec<String> = circles.iter().flatten().map(|name| name.join("::")).collect();
    assert_eq!((circles.len(), names), (1, ["a", "b", "c::x"].map(str::to_owned).to_vec()));
}
