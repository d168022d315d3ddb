//! `edgeclip eval`

mod answer;
pub(crate) mod lines;
pub(crate) mod request;

use std::io;

use self::answer::{Answer, Array, Detections, Labels};
use self::lines::Lines;
use self::request::{Request, Words};
use super::embed::unit_places;
use super::model::{ModelArgs, networks};
use super::{Failures, print};
use crate::error::{Error, Result};
use crate::geometry::Rect;
use crate::pipeline::{Encoded, Pipeline, clipped, open_vocabulary};
use crate::source::Picture;
use crate::source::apart::Pictures;
use crate::vocabulary::{Embedder, MAX_PROMPTS, Prompt, Vocabulary};
use edgeclip_kernels::normalise;

/// Answer requests of an evaluation program: JSON Lines in, JSON Lines out
///
/// One request per line of standard input, one answer per line of standard output, in order and at once.
/// docs/eval.md describes them. A request that cannot be used is answered with its error; the next one is
/// read regardless. The program ends with its input.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  edgeclip eval <<'END'
  {\"id\": 1, \"vocabulary\": [\"cat\", \"red bus\"]}
  {\"id\": 2, \"path\": \"photo.jpg\", \"image\": true, \"detect\": {\"threshold\": 0.3, \"top\": 10}}
  {\"id\": 3, \"path\": \"photo.jpg\", \"boxes\": [[10, 20, 110, 220]], \"tags\": true, \"dense\": true}
  {\"id\": 4, \"texts\": [\"a cat on a sofa\"]}
  END")]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
}

/// Answers until the input ends or nobody reads the answers.
///
/// # Errors
/// What makes the whole call fail: flags, model, standard input or output.
pub(crate) fn run(args: &Args) -> anyhow::Result<Failures> {
    let decoder = Pictures::start();
    let bundle = args.model.bundle()?;
    let networks = networks(&bundle, false, args.model.threads())?;
    let mut answerer = Answerer {
        pipeline: Pipeline::new(networks, bundle.manifest.clone()),
        embedder: Embedder::new(bundle),
        vocabulary: None,
        decoder,
    };
    let mut lines = Lines::new(io::stdin().lock());
    while let Some(line) = lines.next()? {
        let (id, request) = request::parse(line);
        let answer = request.and_then(|request| answerer.answer(&request));
        let reader_gone = print(|out| answer::write(out, &id, &answer))?;
        if reader_gone {
            break;
        }
    }
    Ok(Failures::default())
}

/// The model, and the words that the last requests set.
struct Answerer {
    pipeline: Pipeline,
    /// Loads its text tower with the first words, so that a program without one serves vocabulary files.
    embedder: Embedder,
    vocabulary: Option<Vocabulary>,
    decoder: Pictures,
}

impl Answerer {
    fn answer(&mut self, request: &Request) -> Result<Answer> {
        let mut answer = Answer::default();
        if let Some(words) = &request.vocabulary {
            answer.vocabulary = Some(self.set_vocabulary(words)?);
        }
        if let Some(texts) = &request.texts {
            let rows = self.embedder.tower()?.embed(texts)?;
            answer.texts = Some(self.rows(rows));
        }
        match request.picture(&self.decoder)? {
            Some(picture) => self.look(request, &picture, &mut answer)?,
            None if request.asks_nothing() => {
                return Err(Error::input("request", "nothing to do", request::EXPECTED));
            }
            None => {}
        }
        Ok(answer)
    }

    fn look(&self, request: &Request, picture: &Picture, answer: &mut Answer) -> Result<()> {
        let (width, height) = (picture.width, picture.height);
        let rects = request.boxes.iter().flatten().enumerate();
        let rects = rects.map(|(i, &[x0, y0, x1, y1])| {
            clipped(&format!("box {i}"), Rect { x0, y0, x1, y1 }, width, height)
        });
        let rects = rects.collect::<Result<Vec<_>>>()?;
        let frame = picture.frame()?;
        let vocabulary = || {
            let expected = "\"vocabulary\" in this request or an earlier one";
            self.vocabulary.as_ref().ok_or_else(|| Error::input("request", "no vocabulary so far", expected))
        };
        let encoded = if let Some(detect) = &request.detect {
            let vocabulary = vocabulary()?;
            let look = self.pipeline.look(&frame, vocabulary)?;
            let mut found = self.pipeline.named(&look, vocabulary, |_| detect.threshold);
            found.truncate(detect.top.unwrap_or(found.len()));
            answer.detect = Some(Detections::new(&found));
            answer.tags = request.tags.then(|| Array::vector(look.tags));
            look.encoded
        } else if request.tags {
            let (encoded, tags) = self.pipeline.tags(&frame, vocabulary()?)?;
            answer.tags = Some(Array::vector(tags));
            encoded
        } else {
            self.pipeline.encode(&frame)?
        };
        if request.boxes.is_some() {
            answer.boxes = Some(self.rows(self.pipeline.embed_boxes(&encoded, &rects)?));
        }
        let Encoded { mut output, letterbox } = encoded;
        if request.image {
            normalise::l2(&mut output.image);
            answer.image = Some(Array::vector(output.image));
        }
        if request.dense {
            let shape = vec![output.dense.channels, output.dense.height, output.dense.width];
            answer.dense = Some(Array::new(shape, unit_places(output.dense)));
            let content = letterbox.content();
            let side = self.embedder.bundle().manifest.input.size as f32;
            answer.content = Some([content.x0, content.y0, content.x1, content.y1].map(|edge| edge / side));
        }
        (answer.width, answer.height) = (Some(width), Some(height));
        Ok(())
    }

    fn set_vocabulary(&mut self, words: &Words) -> Result<Labels> {
        let vocabulary = match words {
            Words::File { file } => open_vocabulary(file, Some(&self.embedder.bundle().manifest))?,
            Words::Names(names) => {
                if names.is_empty() || names.len() > MAX_PROMPTS {
                    let found = format!("{} names", names.len());
                    return Err(Error::input("vocabulary", found, format!("1 to {MAX_PROMPTS}")));
                }
                let prompts = names.iter().map(|name| Prompt { name: name.clone(), text: name.clone() });
                let prompts: Vec<Prompt> = prompts.collect();
                self.embedder.embed(&prompts)?
            }
        };
        let labels = Labels { labels: vocabulary.len(), negatives: vocabulary.negatives().len() };
        self.vocabulary = Some(vocabulary);
        Ok(labels)
    }

    fn rows(&self, rows: Vec<Vec<f32>>) -> Array {
        Array::new(vec![rows.len(), self.embedder.bundle().manifest.embedding], rows.concat())
    }
}
