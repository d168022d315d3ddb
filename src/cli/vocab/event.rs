//! `edgeclip vocab add --event`: corrections from what happened, by the vectors in a snapshot's JSON file.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::file::{VocabularyFile, hexadecimal};
use crate::cli::{Failures, print_text};
use crate::error::{Error, Result};
use crate::model::{Bundle, FeatureVector, SpaceId};
use crate::report::FeatureRecord;
use crate::sinks::{Inputs, utc};
use crate::vocabulary::{Added, Origin, Vocabulary};

/// Most bytes of a snapshot's JSON file.
const LARGEST: u64 = 16 << 20;
/// Hexadecimal digits of an example's id.
const ID: usize = 12;

/// What was right or wrong.
#[derive(clap::Args)]
pub(super) struct EventArgs {
    /// JSON file of a snapshot, whose object is the example; repeat for more
    #[arg(long = "event", value_name = "FILE")]
    events: Vec<PathBuf>,
    /// The event named it rightly: one more example
    #[arg(long, requires = "events", conflicts_with_all = ["wrong", "is"])]
    right: bool,
    /// It was not what the event says: a counter-example
    #[arg(long, requires = "events")]
    wrong: bool,
    /// It was something else: an example of that, and a counter-example of what the event says
    #[arg(long, value_name = "NAME", requires = "events")]
    is: Option<String>,
}

/// What is needed of a snapshot's JSON file.
#[derive(Deserialize)]
struct Snapshot {
    r#type: String,
    label: Option<String>,
    state: Option<String>,
    features: Option<FeatureRecord>,
}

/// An event's object, and what the event calls it.
struct Happened {
    label: Option<String>,
    space: SpaceId,
    vector: FeatureVector,
    origin: Origin,
}

impl EventArgs {
    /// Whether there are events.
    pub(super) fn are_given(&self) -> bool {
        !self.events.is_empty()
    }

    /// Adds what is read.
    pub(super) fn add_to(&self, inputs: &mut Inputs) {
        self.events.iter().for_each(|file| inputs.add_file(file));
    }
}

/// Corrects the vocabulary by what happened.
///
/// # Errors
/// An event or the vocabulary cannot be used, or it is not said whether the events are right.
pub(super) fn add(
    file: &VocabularyFile,
    args: &EventArgs,
    name: Option<&str>,
    bundle: &Bundle,
) -> anyhow::Result<Failures> {
    if !(args.right || args.wrong || args.is.is_some()) {
        let expected = "--right, --wrong or --is NAME with it";
        anyhow::bail!(Error::settings("--event", "nothing that was right or wrong", expected));
    }
    let happened = args.events.iter().map(|path| read(path)).collect::<Result<Vec<_>>>()?;
    let lines = file.update(
        || Err(file.existing().err().unwrap_or_else(|| Error::bug("a file that came meanwhile"))),
        |vocabulary| {
            file.check_fits(vocabulary, bundle)?;
            let lines = happened.iter().map(|event| apply(vocabulary, file, args, name, event));
            Ok(lines.collect::<Result<Vec<_>>>()?.concat())
        },
    )?;
    print_text(&lines.join("\n"))?;
    Ok(Failures::default())
}

fn read(path: &Path) -> Result<Happened> {
    let name = path.display().to_string();
    let expected = "the JSON file of a snapshot by `edgeclip run --snapshot`";
    let wrong = |found: String| Error::input(&name, found, expected);
    let mut bytes = Vec::new();
    let opened = File::open(path).and_then(|file| file.take(LARGEST).read_to_end(&mut bytes));
    opened.map_err(|error| wrong(error.to_string()))?;
    let snapshot: Snapshot = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    if snapshot.r#type != "snapshot" {
        return Err(wrong(format!("type \"{}\"", snapshot.r#type)));
    }
    let features = snapshot.features.ok_or_else(|| {
        let found = "no features: the model knew words alone, or the event has no object";
        Error::input(
            &name,
            found,
            "a snapshot of an object, a state or a tag by a model that compares examples",
        )
    })?;
    let (space, vector) =
        features.decoded().ok_or_else(|| wrong("features that are no vector".to_owned()))?;
    let sha256 = hexadecimal(&Sha256::digest(&bytes));
    let rect = features.rect;
    let mut id = hexadecimal(&Sha256::digest(format!("{sha256} {rect:?}")));
    id.truncate(ID);
    let file = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let date = utc(SystemTime::now()).chars().take(10).collect();
    let origin = Origin { id, file, sha256, rect, date };
    Ok(Happened { label: snapshot.label.or(snapshot.state), space, vector, origin })
}

/// Adds an event's object; lines that say what changed.
fn apply(
    vocabulary: &mut Vocabulary,
    file: &VocabularyFile,
    args: &EventArgs,
    name: Option<&str>,
    event: &Happened,
) -> Result<Vec<String>> {
    let said = name.or(event.label.as_deref());
    let known = said.and_then(|said| vocabulary.position(said));
    let mut lines = Vec::new();
    let mut add = |vocabulary: &mut Vocabulary, label: usize, counter: bool| -> Result<()> {
        let (vector, origin) = (event.vector.clone(), event.origin.clone());
        let file = origin.file.clone();
        let added = vocabulary.add_example(label, counter, vector, &event.space, origin)?;
        let (name, what) = (vocabulary.name(label), if counter { "counter-example" } else { "example" });
        lines.push(match added {
            Added::New => format!("{file}: {what} of {name}; now {}", super::show::holds(vocabulary, label)),
            Added::Known => format!("{file}: known already as a {what} of {name}"),
        });
        lines.extend(super::show::contradiction(vocabulary, label, counter, &event.vector));
        Ok(())
    };
    if let Some(is) = &args.is {
        let label = vocabulary.ensure(is)?;
        add(vocabulary, label, false)?;
        if let Some(known) = known.filter(|known| *known != label) {
            add(vocabulary, known, true)?;
        }
        return Ok(lines);
    }
    let Some(known) = known else {
        let found = format!("no name \"{}\" in {}", said.unwrap_or_default(), file.shown());
        let names: Vec<&str> = vocabulary.names().iter().take(5).map(|name| &**name).collect();
        let expected = format!("one of its names ({}); --name NAME says which", names.join(", "));
        return Err(Error::settings(&event.origin.file, found, expected));
    };
    add(vocabulary, known, args.wrong)?;
    Ok(lines)
}
