//! Where annotated pictures go: one file, or a folder with one file per picture.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, bail};

use crate::error::{Error, Result};
use crate::sinks::{Inputs, PRIVATE, PictureKind, Target, taken};
use crate::system::Folder;

/// What messages call the flag.
const FLAG: &str = "--annotate";

/// A validated `--annotate`: a file for each picture of the call.
pub(crate) struct Annotations {
    /// In the order of the pictures; `None` for what is no picture.
    targets: Vec<Option<Target>>,
    kind: PictureKind,
}

impl Annotations {
    /// Checks `target` against the pictures of the call and creates the folder if necessary. A target that is
    /// a folder, ends in a slash or has no extension is a folder, in which each picture gets `<stem>.png`,
    /// numbered where stems repeat.
    ///
    /// # Errors
    /// If one file would have to take several pictures, a file is one of the `inputs` or, without `force`, is
    /// there already, pictures of the folder are looked at, the extension is unknown, or the folder cannot be
    /// created.
    pub(crate) fn new(
        target: &Path,
        pictures: &[Result<PathBuf>],
        force: bool,
        inputs: &Inputs,
    ) -> anyhow::Result<Self> {
        let name = target.display().to_string();
        let ends_in_slash = name.ends_with(std::path::is_separator);
        if let Some(kind) = PictureKind::of(target).filter(|_| !target.is_dir() && !ends_in_slash) {
            if pictures.len() > 1 {
                let found = format!("one file for {} pictures", pictures.len());
                bail!(Error::settings(name, found, "a folder for --annotate"));
            }
            let target = Target::new(target, FLAG, PRIVATE, force, inputs)?;
            return Ok(Self { targets: vec![Some(target)], kind });
        }
        if target.extension().is_some() && !target.is_dir() && !ends_in_slash {
            bail!(Error::settings(
                name,
                "an unknown extension",
                ".png, .jpg, .jpeg or a folder for --annotate",
            ));
        }
        inputs.refuse_folder(target, FLAG, "x.png")?;
        let names = names(pictures, |name| inputs.has(&target.join(name)));
        if !force && target.is_dir() {
            refuse_taken(target, &names)?;
        }
        let folder = Rc::new(Folder::make(target).context(name)?);
        let file = |name: &OsString| Target::within(&folder, target, name, PRIVATE, force);
        let targets = names.iter().map(|name| name.as_ref().map(file)).collect();
        Ok(Self { targets, kind: PictureKind::Png })
    }

    /// What the annotated version of the `index`th picture is to be.
    pub(crate) fn of(&self, index: usize) -> Option<(&Target, PictureKind)> {
        let target = self.targets.get(index)?.as_ref();
        target.map(|target| (target, self.kind))
    }
}

/// A name for each picture, none twice, none that is an input.
fn names(pictures: &[Result<PathBuf>], is_input: impl Fn(&str) -> bool) -> Vec<Option<OsString>> {
    // In lower case, since some file systems ignore case.
    let mut used = HashSet::new();
    let mut name = |picture: &PathBuf| {
        let stem = picture.file_stem().map_or("picture".into(), |stem| stem.to_string_lossy());
        let numbered = (2..).map(|n| format!("{stem}-{n}.png"));
        let mut names = std::iter::once(format!("{stem}.png")).chain(numbered);
        names.find(|name| !is_input(name) && used.insert(name.to_lowercase())).map(OsString::from)
    };
    pictures.iter().map(|picture| picture.as_ref().ok().and_then(&mut name)).collect()
}

/// One error for all names that are taken: it says how many there are.
fn refuse_taken(target: &Path, names: &[Option<OsString>]) -> anyhow::Result<()> {
    let folder = Folder::open(target).with_context(|| target.display().to_string())?;
    let (mut first, mut count) = (None, 0);
    for name in names.iter().flatten() {
        if let Some(found) = taken(&folder, name).with_context(|| target.display().to_string())? {
            first.get_or_insert((name, found));
            count += 1;
        }
    }
    let Some((name, found)) = first else { return Ok(()) };
    let others = if count > 1 { format!(", and {} more", count - 1) } else { String::new() };
    let expected = "another folder for --annotate, or --force to replace files";
    bail!(Error::settings(target.join(name).display().to_string(), format!("{found}{others}"), expected))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn pictures(names: &[&str]) -> Vec<Result<PathBuf>> {
        names.iter().map(|name| Ok(PathBuf::from(name))).collect()
    }

    #[test]
    fn repeated_stems_are_numbered() {
        let names = names(&pictures(&["a/x.jpg", "a/X.png", "b/x.webp", "c/x-2.png", "y"]), |_| false);
        let expected = ["x.png", "X-2.png", "x-3.png", "x-2-2.png", "y.png"];
        assert_eq!(names, expected.map(|name| Some(OsString::from(name))));
    }

    #[test]
    fn names_of_inputs_are_passed_over() {
        let names = names(&pictures(&["out/x.png", "out/y.png"]), |name| name.len() == 5 && name != "y.png");
        assert_eq!(names, ["x-2.png", "y.png"].map(|name| Some(OsString::from(name))));
    }

    fn refused(target: &Path, names: &[&str]) -> String {
        match Annotations::new(target, &pictures(names), false, &Inputs::default()) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{} was accepted", target.display()),
        }
    }

    #[test]
    fn one_file_takes_one_picture() {
        let error = |target: &str, names: &[&str]| refused(Path::new(target), names);
        assert!(
            error("o.png", &["a.jpg", "b.jpg"]).contains("found one file for 2 pictures, expected a folder")
        );
        assert!(error("o.bmp", &["a.jpg"]).contains("an unknown extension"));
        assert!(error("Cargo.toml", &["a.jpg"]).contains("an unknown extension"));
        let one = Annotations::new(Path::new("o.JPG"), &pictures(&["a"]), false, &Inputs::default()).unwrap();
        assert!(matches!(one.of(0), Some((_, PictureKind::Jpeg))));
    }

    #[test]
    fn all_names_that_are_taken_are_refused_at_once() {
        let place = tempfile::tempdir().unwrap();
        for name in ["x.png", "y.png"] {
            fs::write(place.path().join(name), "mine").unwrap();
        }
        let error = refused(place.path(), &["a/x.jpg", "a/y.jpg", "a/z.jpg"]);
        assert!(error.contains("x.png: found a file that is there already, and 1 more"), "{error}");
        let one = refused(place.path(), &["a/z.jpg", "a/y.jpg"]);
        assert!(one.contains("y.png: found a file that is there already, expected another folder"), "{one}");
        assert!(!place.path().join("z.png").exists());
    }
}
