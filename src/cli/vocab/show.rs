//! `edgeclip vocab show`

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::cli::{print_text, shown};
use crate::model::FeatureVector;
use crate::pipeline::open_vocabulary;
use crate::vocabulary::{Entry, Example, HARD_TO_TELL_APART, Kind, Vocabulary, mean};

/// Cosine of the mean examples of two names from which they are close.
const CLOSE: f32 = 0.8;

/// Print what a vocabulary file holds, and which names are hard to tell apart
#[derive(clap::Args)]
#[command(after_help = "Example:\n  edgeclip vocab show street.vocab.safetensors")]
pub(super) struct ShowArgs {
    /// File made by `edgeclip vocab build` or `edgeclip vocab add`
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// List each example with its id as well
    #[arg(long)]
    examples: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One JSON object
    Json,
    /// For people
    Text,
}

/// What is known of how two names are told apart.
struct Pair {
    a: usize,
    b: usize,
    /// What is close: words, examples.
    what: &'static str,
    similarity: f32,
}

/// Prints the content.
///
/// # Errors
/// The file cannot be used, or standard output.
pub(super) fn run(args: &ShowArgs) -> anyhow::Result<()> {
    let vocabulary = open_vocabulary(&args.file, None)?;
    let text = if args.json || args.format == Format::Json {
        as_json(&vocabulary).to_string()
    } else {
        as_text(&shown(&args.file), &vocabulary, args.examples)
    };
    print_text(&text)?;
    Ok(())
}

/// What to do where a name was taught the same look both as what it is and as what it is not.
pub(super) fn contradiction(
    vocabulary: &Vocabulary,
    label: usize,
    counter: bool,
    vector: &FeatureVector,
) -> Option<String> {
    let entry = vocabulary.entries().get(label)?;
    // States differ by what is between them; a thing and a tag may both be there.
    let exclusive = |other: usize| {
        let other = vocabulary.entries().get(other);
        entry.kind != Kind::State && other.is_some_and(|other| other.kind == entry.kind)
    };
    let other = vocabulary.examples()?.contradicted(label, counter, vector, exclusive)?;
    let what = if other.counter { "a counter-example" } else { "an example" };
    let (name, id) = (vocabulary.name(other.entry), &other.origin.id);
    Some(format!(
        "  looks like {what} of {name}, and both cannot hold: `edgeclip vocab remove FILE --example {id}` drops that"
    ))
}

/// Name and prompt count, such as `2 examples, 1 word`.
pub(super) fn holds(vocabulary: &Vocabulary, label: usize) -> String {
    let examples = |counter: bool| match vocabulary.examples() {
        Some(examples) if counter => examples.against(label).count(),
        Some(examples) => examples.of(label).count(),
        None => 0,
    };
    let words = vocabulary.prompts_of(label).count();
    let parts = [(words, "word"), (examples(false), "example"), (examples(true), "counter-example")];
    let parts: Vec<String> =
        parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| count(n, what)).collect();
    parts.join(", ")
}

/// The most confused pairs of names, most confused first.
fn close_pairs(vocabulary: &Vocabulary) -> Vec<Pair> {
    let mut pairs = Vec::new();
    let mut told = std::collections::HashSet::new();
    for (a, near) in vocabulary.nearest().into_iter().enumerate() {
        let Some(near) = near.filter(|near| near.similarity >= HARD_TO_TELL_APART) else { continue };
        // A pair that is nearest both ways is printed once.
        if told.insert((a.min(near.label), a.max(near.label))) {
            pairs.push(Pair { a, b: near.label, what: "words", similarity: near.similarity });
        }
    }
    let means = means(vocabulary);
    for (i, (a, first)) in means.iter().enumerate() {
        for (b, second) in means.iter().skip(i + 1) {
            let similarity = first.cosine(second);
            if similarity >= CLOSE {
                pairs.push(Pair { a: *a, b: *b, what: "examples", similarity });
            }
        }
    }
    pairs
}

/// The mean of the examples of each name that has any.
fn means(vocabulary: &Vocabulary) -> Vec<(usize, FeatureVector)> {
    let Some(examples) = vocabulary.examples() else { return Vec::new() };
    let mut vectors: BTreeMap<usize, Vec<&FeatureVector>> = BTreeMap::new();
    for row in examples.rows.iter().filter(|row| !row.counter) {
        vectors.entry(row.entry).or_default().push(&row.vector);
    }
    vectors.into_iter().filter_map(|(label, rows)| Some((label, mean(rows.into_iter())?))).collect()
}

fn four(value: f32) -> f64 {
    (f64::from(value) * 1e4).round() / 1e4
}

fn as_json(vocabulary: &Vocabulary) -> Value {
    let nearest = vocabulary.nearest();
    let label = |(label, (name, entry)): (usize, (&std::sync::Arc<str>, &Entry))| {
        let nearest = nearest.get(label).copied().flatten();
        let nearest =
            nearest.map(|n| json!({ "label": vocabulary.name(n.label), "similarity": four(n.similarity) }));
        let mut object = json!({
            "label": &**name,
            "prompt": vocabulary.prompts_of(label).next(),
            "threshold": entry.threshold.map(four),
            "nearest": nearest,
        });
        if vocabulary.is_taught() {
            object["prompts"] = vocabulary.prompts_of(label).collect();
            object["kind"] = json!(entry.kind);
            object["hidden"] = entry.hidden.into();
            let examples = vocabulary.examples().map_or(&[][..], |examples| &examples.rows);
            let own = examples.iter().filter(|row| row.entry == label);
            object["examples"] = own.map(example).collect();
        }
        object
    };
    let labels = vocabulary.names().iter().zip(vocabulary.entries()).enumerate();
    let mut content = json!({
        "labels": labels.map(label).collect::<Vec<_>>(),
        "embedding": vocabulary.embeddings().dimension(),
        "negatives": vocabulary.negatives().len(),
        "text_sha256": vocabulary.text_sha256(),
    });
    if let Some(examples) = vocabulary.examples() {
        content["vision_sha256"] = examples.space.vision_sha256.as_str().into();
        content["prompt_sha256"] = examples.space.prompt_sha256.as_str().into();
        content["features_sha256"] = examples.space.features_sha256.as_str().into();
    }
    if vocabulary.is_taught() {
        let pair = |pair: Pair| {
            let labels = [vocabulary.name(pair.a), vocabulary.name(pair.b)];
            json!({ "labels": labels, "what": pair.what, "similarity": four(pair.similarity) })
        };
        content["close"] = close_pairs(vocabulary).into_iter().map(pair).collect();
    }
    content
}

fn example(row: &Example) -> Value {
    let mut object = json!(row.origin);
    object["counter"] = row.counter.into();
    object
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn as_text(file: &str, vocabulary: &Vocabulary, list: bool) -> String {
    let mut head = format!(
        "{file}: {}, {}, {} values per embedding",
        count(vocabulary.len(), "label"),
        count(vocabulary.negatives().len(), "negative"),
        vocabulary.embeddings().dimension()
    );
    let mut lines = Vec::new();
    if let Some(examples) = vocabulary.examples() {
        head.push_str(&format!(", {}", count(examples.rows.len(), "example")));
        lines.push(format!("examples of feature space {}", examples.space.short()));
    }
    lines.splice(0..0, [head, format!("made by text tower {}", vocabulary.text_sha256())]);
    lines.push(String::new());
    let widest = vocabulary.names().iter().map(|name| name.chars().count()).max().unwrap_or(0).min(40);
    for (label, (name, entry)) in vocabulary.names().iter().zip(vocabulary.entries()).enumerate() {
        let threshold = entry.threshold.map_or("default".to_owned(), |t| format!("{t:.2}"));
        let told = if vocabulary.is_taught() {
            let prompts: Vec<&str> = vocabulary.prompts_of(label).collect();
            let mut parts = vec![holds(vocabulary, label)];
            parts.extend((entry.kind != Kind::Thing).then(|| format!("kind {}", kind(entry.kind))));
            parts.extend(entry.hidden.then(|| "hidden".to_owned()));
            parts.extend((!prompts.is_empty()).then(|| format!("words: {}", prompts.join(", "))));
            parts.join("; ")
        } else {
            vocabulary
                .prompts_of(label)
                .next()
                .filter(|prompt| *prompt != &**name)
                .unwrap_or_default()
                .to_owned()
        };
        lines.push(format!("  {name:widest$}  {threshold:>7}  {told}").trim_end().to_owned());
        let examples = vocabulary.examples().filter(|_| list).map_or(&[][..], |examples| &examples.rows);
        for row in examples.iter().filter(|row| row.entry == label) {
            let place = row
                .origin
                .rect
                .map_or("whole".to_owned(), |[x0, y0, x1, y1]| format!("{x0:.0},{y0:.0},{x1:.0},{y1:.0}"));
            let sign = if row.counter { "-" } else { "+" };
            let origin = &row.origin;
            lines.push(format!("    {sign} {}  {}  {place}  {}", origin.id, origin.date, origin.file));
        }
    }
    let pairs = close_pairs(vocabulary);
    if !pairs.is_empty() {
        lines.push(String::new());
    }
    lines.extend(pairs.iter().map(|pair| {
        let what = if pair.what == "words" { "" } else { ", by their examples" };
        let (a, b) = (vocabulary.name(pair.a), vocabulary.name(pair.b));
        format!("hard to tell apart: {a} and {b} (similarity {:.2}{what})", pair.similarity)
    }));
    lines.join("\n")
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Thing => "thing",
        Kind::Tag => "tag",
        Kind::State => "state",
    }
}
