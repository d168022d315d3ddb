//! Answers to questions that take the model: what looks at pictures visits the loop, what embeds texts runs where
//! plans are made.

use std::sync::mpsc::{Sender, SyncSender, TrySendError};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::reload::{Errand, Reload};
use crate::error::{Error, Result};
use crate::geometry::Rect;
use crate::model::{FeatureVector, SpaceId};
use crate::pipeline::{AskedScores, Pipeline, Plan, Thresholds, Visit, clipped};
use crate::report::Findings;
use crate::sinks::{RecallQuery, Recalled, recall, span, utc};
use crate::source::Picture;
use crate::surfaces::{Asked, Correction, Oracle, Saved, Shown, Told};
use crate::system::trim_heap;
use crate::vocabulary::{Lesson, Origin, Prompt};
use edgeclip_kernels::normalise;

/// Hexadecimal digits of an example's id.
const ID: usize = 12;

/// Who is asked.
pub(super) struct Desk {
    /// To the loop.
    pub visits: SyncSender<Visit>,
    /// To where plans are made.
    pub errands: Sender<Errand>,
}

impl Desk {
    /// Has something done in the loop, and its outcome told.
    fn visit<T: 'static>(
        &self,
        told: Told<T>,
        work: impl FnOnce(&Pipeline, &Plan) -> Result<T> + Send + 'static,
    ) {
        let visit: Visit = Box::new(|pipeline, plan| told(work(pipeline, plan)));
        // What is dropped tells whoever waits that there will be no answer.
        if let Err(TrySendError::Full(_)) = self.visits.try_send(visit) {
            tracing::debug!("too many questions at once");
        }
    }

    fn errand<T: 'static>(
        &self,
        told: Told<T>,
        work: impl FnOnce(&mut Reload) -> Result<T> + Send + 'static,
    ) {
        drop(self.errands.send(Box::new(|reload| told(work(reload)))));
    }
}

impl Oracle for Desk {
    fn detect(&self, picture: Picture, threshold: Option<f32>, told: Told<Findings>) {
        self.visit(told, move |pipeline, plan| {
            let (words, score) = (&plan.vocabulary, &pipeline.manifest().score);
            let asked = threshold.map(|lowest| {
                let asked = AskedScores { all: Some(lowest), tags: Some(lowest) };
                Thresholds::new(words, score, asked, |_| None)
            });
            let thresholds = asked.as_ref().unwrap_or(&plan.thresholds);
            let look = pipeline.look(&picture.frame()?, words)?;
            let named = pipeline.named(&look, words, |label| thresholds.of_box(label));
            Ok(look.findings(&named, words.names(), thresholds))
        });
    }

    fn embed_picture(&self, picture: Picture, told: Told<Vec<f32>>) {
        self.visit(told, move |pipeline, _| {
            let mut image = pipeline.encode(&picture.frame()?)?.output.image;
            normalise::l2(&mut image);
            Ok(image)
        });
    }

    fn embed_texts(&self, texts: Vec<String>, told: Told<Vec<Vec<f32>>>) {
        self.errand(told, move |reload| {
            let mut each: Vec<&String> = texts.iter().collect();
            each.sort_unstable();
            each.dedup();
            let prompts = each.iter().map(|text| Prompt { name: (*text).clone(), text: (*text).clone() });
            let (embedder, _) = reload.embedder();
            let made = embedder.embed(&prompts.collect::<Vec<_>>());
            embedder.drop_tower();
            trim_heap();
            let made = made?;
            let rows: Vec<&[f32]> = made.embeddings().rows().collect();
            let row = |text: &String| {
                let row = each.binary_search(&text).ok().and_then(|place| rows.get(place));
                row.map(|row| row.to_vec()).ok_or_else(|| Error::bug("a text without an embedding"))
            };
            texts.iter().map(row).collect()
        });
    }

    fn recall(&self, asked: Asked, told: Told<Recalled>) {
        self.errand(told, move |reload| {
            let (embedder, folder) = reload.embedder();
            let expected = "history = \"FOLDER\", or --history";
            let folder = folder.ok_or_else(|| Error::settings("history", "none", expected))?;
            let (since, until) = (asked.since.as_deref(), asked.until.as_deref());
            let times = span(["since", "until"], since, until, SystemTime::now())?;
            let query =
                RecallQuery { times, sources: &asked.sources, labels: &asked.labels, count: asked.count };
            let found = recall(folder, &asked.sentence, embedder, &query);
            embedder.drop_tower();
            trim_heap();
            found
        });
    }

    fn configuration(&self, told: Told<String>) {
        self.errand(told, |reload| reload.configuration());
    }

    fn save(&self, replace: bool, told: Told<Saved>) {
        self.errand(told, move |reload| reload.save(replace));
    }

    fn show(&self, shown: Shown, told: Told<String>) {
        let errands = self.errands.clone();
        let visit: Visit = Box::new(move |pipeline, _| match look(pipeline, &shown) {
            Err(error) => told(Err(error)),
            Ok((vector, space, origin)) => {
                let learn = move |reload: &mut Reload| {
                    let words = shown.words.as_deref().filter(|words| !words.trim().is_empty());
                    let words = words.map(|words| reload.embedder().0.words_of_lesson(words.trim()));
                    let id = origin.id.clone();
                    let (name, counter) = (shown.name, shown.counter);
                    reload.learn(vec![Lesson {
                        name,
                        words: words.transpose()?,
                        counter,
                        vector,
                        space,
                        origin,
                    }])?;
                    Ok(id)
                };
                drop(errands.send(Box::new(|reload| told(learn(reload)))));
            }
        });
        drop(self.visits.try_send(visit));
    }

    fn correct(&self, correction: Correction, told: Told<()>) {
        self.errand(told, move |reload| {
            let Correction { features, origin, label, right, is } = correction;
            let expected = "an object of a model that compares examples";
            let (space, vector) =
                features.decoded().ok_or_else(|| Error::settings(&origin, "no vector", expected))?;
            let origin = origin_of(&origin, &format!("{origin} {:?}", features.rect), features.rect);
            let lesson = |name: String, counter: bool| Lesson {
                name,
                words: None,
                counter,
                vector: vector.clone(),
                space: space.clone(),
                origin: origin.clone(),
            };
            let mut lessons = Vec::new();
            if right {
                lessons.push(lesson(label, false));
            } else {
                lessons.extend(is.filter(|is| *is != label).map(|is| lesson(is, false)));
                lessons.push(lesson(label, true));
            }
            reload.learn(lessons)
        });
    }
}

/// What a frame shows in a box, or as a whole.
fn look(pipeline: &Pipeline, shown: &Shown) -> Result<(FeatureVector, SpaceId, Origin)> {
    let Some(space) = SpaceId::of(pipeline.manifest()) else {
        let expected = "a model with a section [examples]: this one knows words alone";
        return Err(Error::settings("example", "a picture", expected));
    };
    let picture = &shown.picture;
    let rect = shown.rect.map(|rect| clipped("box", rect, picture.width, picture.height)).transpose()?;
    let encoded = pipeline.encode(&picture.frame()?)?;
    let vector = match rect {
        Some(rect) => pipeline.box_features(&encoded, &[rect])?.into_iter().next().flatten(),
        None => pipeline.picture_features(&encoded)?,
    };
    let vector = vector
        .ok_or_else(|| Error::input("example", "features that are all the same", "something in the box"))?;
    let edges = rect.map(|Rect { x0, y0, x1, y1 }| [x0, y0, x1, y1]);
    let digest: String = Sha256::digest(&picture.data).iter().map(|byte| format!("{byte:02x}")).collect();
    let origin = origin_of(&shown.origin, &format!("{digest} {edges:?}"), edges);
    Ok((vector, space, Origin { sha256: digest, ..origin }))
}

fn origin_of(file: &str, known_by: &str, rect: Option<[f32; 4]>) -> Origin {
    let sha256: String = Sha256::digest(known_by).iter().map(|byte| format!("{byte:02x}")).collect();
    let id = sha256.chars().take(ID).collect();
    let date = utc(SystemTime::now()).chars().take(10).collect();
    Origin { id, file: file.to_owned(), sha256, rect, date }
}
