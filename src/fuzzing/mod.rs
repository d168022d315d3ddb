//! Entry points of `fuzz/`, one for each parser of foreign bytes. Each takes any bytes, says whether they were what they should be,
//! and panics only if the parser breaks its promise: an error that tells who must act and is not a bug of ours, or results within
//! the bounds that the parser states. Nothing here reads files that the bytes name.

#![cfg_attr(not(fuzzing), expect(unreachable_pub, reason = "only the programs of fuzz/ are outside"))]

use std::str::from_utf8;

use edgeclip_engine::{Dim, Element, Engine, Graph, Signature, Tensor};
use edgeclip_kernels::Isa;

use crate::cli::eval::lines::Lines;
use crate::cli::eval::request;
use crate::config::{self, Prompts};
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::Rect;
use crate::model::Manifest;
use crate::pipeline::clipped;
use crate::source::apart::Pictures;
use crate::source::fuzzing as source;
use crate::vocabulary::{MAX_PROMPTS, Prompt, Vocabulary};

/// Most multiplications of a network that is run, not only opened.
const MOST_MACS: u64 = 1 << 24;
/// Most values of a picture that one is given.
const MOST_VALUES: usize = 1 << 18;

/// Motion JPEG in AVI.
pub fn avi(data: &[u8]) -> bool {
    judged(source::avi(data))
}

/// YUV4MPEG2.
pub fn y4m(data: &[u8]) -> bool {
    judged(source::y4m(data))
}

/// Motion JPEG as it comes.
pub fn mjpeg(data: &[u8]) -> bool {
    judged(source::mjpeg(data))
}

/// GIF, APNG and WebP, frame by frame.
pub fn animation(data: &[u8]) -> bool {
    judged(source::animation(data))
}

/// Picture files.
pub fn picture(data: &[u8]) -> bool {
    judged(source::picture(data))
}

/// An HTTP camera's content type, in the first line, and parts.
#[cfg(feature = "http")]
pub fn multipart(data: &[u8]) -> bool {
    judged(source::multipart(data))
}

/// All that an HTTP camera sends on a connection: header, challenge or redirect, chunks, pictures.
#[cfg(feature = "http")]
pub fn http(data: &[u8]) -> bool {
    judged(source::http(data))
}

/// All that an RTSP camera sends on a connection: answers, session description, packets.
#[cfg(feature = "rtsp")]
pub fn rtsp(data: &[u8]) -> bool {
    judged(source::rtsp(data))
}

/// H.264 with start codes.
#[cfg(feature = "rtsp")]
pub fn h264(data: &[u8]) -> bool {
    judged(source::h264(data))
}

/// All that an MQTT broker sends on a connection, and the commands in it.
#[cfg(feature = "mqtt")]
pub fn mqtt(data: &[u8]) -> bool {
    judged(crate::surfaces::fuzzing(data))
}

/// Prompts as an argument, and as a file's text.
pub fn prompts(data: &[u8]) -> bool {
    let list = |text: &str| {
        // A file, which is not for here.
        let list = text.trim_start().trim_start_matches('@');
        let (argument, file) = (Prompt::parse(list), Prompt::of_file("input", text));
        for prompts in [argument, file] {
            let prompts = prompts?;
            assert!((1..=MAX_PROMPTS).contains(&prompts.len()));
            let whole = |text: &str| !text.is_empty() && !text.contains(char::is_control);
            assert!(prompts.iter().all(|prompt| whole(&prompt.name) && whole(&prompt.text)));
        }
        Ok(())
    };
    judged(text(data).and_then(list))
}

/// Vocabulary files. What can be read can be written, and is the same when read again.
pub fn vocabulary(data: &[u8]) -> bool {
    judged(Vocabulary::from_bytes("input", data).and_then(|vocabulary| {
        let written = vocabulary.to_bytes()?;
        let again = Vocabulary::from_bytes("written", &written)?.to_bytes()?;
        assert_eq!(again.len(), written.len());
        Ok(())
    }))
}

/// `tokenizer.json` of a bundle; text becomes tokens below the largest that it promises.
#[cfg(feature = "text")]
pub fn tokenizer(data: &[u8]) -> bool {
    judged(crate::model::tokenizer(data).map(|(encode, largest)| {
        for text in ["a red dog's", "\u{301}甲虫 x\u{0}\u{ad}", &"ab".repeat(600)] {
            assert!(encode(text).iter().all(|&id| id <= largest), "{text}");
        }
    }))
}

/// `model.toml`.
pub fn manifest(data: &[u8]) -> bool {
    judged(text(data).and_then(|text| Manifest::parse("input", text)))
}

/// The configuration of `edgeclip run`, its zones and prompts.
pub fn configuration(data: &[u8]) -> bool {
    judged(text(data).and_then(configure))
}

fn configure(text: &str) -> Result<()> {
    let settings = config::resolve(config::parse("input", text)?)?;
    let zones = settings.zone.iter().chain(settings.source.iter().flat_map(|source| &source.zone));
    let lists = zones.map(|zone| &zone.prompts).filter(|prompts| !prompts.is_empty());
    for prompts in lists {
        Prompt::each("zone", prompts)?;
    }
    let prompts = match &settings.prompt {
        // A file, which is not for here.
        Some(Prompts::List(list)) if list.trim_start().starts_with('@') => return Ok(()),
        Some(Prompts::List(list)) => Prompt::parse(list)?,
        Some(Prompts::Each(each)) => Prompt::each("prompt", each)?,
        None => return Ok(()),
    };
    assert!((1..=MAX_PROMPTS).contains(&prompts.len()));
    Ok(())
}

/// Lines of `edgeclip eval`, up to the first that cannot be used.
pub fn request(data: &[u8]) -> bool {
    let mut lines = Lines::new(data);
    let mut whole = true;
    while let Ok(Some(line)) = lines.next() {
        let names_file = line.as_ref().is_ok_and(|line| line.windows(6).any(|word| word == b"\"path\""));
        let (_, parsed) = request::parse(line);
        let answer = parsed.and_then(|request| {
            let picture = if names_file { None } else { request.picture(&Pictures::start())? };
            if let Some(picture) = picture {
                for corners in request.boxes.iter().flatten() {
                    let &[x0, y0, x1, y1] = corners;
                    clipped("box", Rect { x0, y0, x1, y1 }, picture.width, picture.height)?;
                }
            }
            Ok(())
        });
        whole &= judged(answer);
    }
    whole
}

/// Lets panics of tract over a broken network go on, which the engine turns into errors: libFuzzer would end the process at the first.
#[cfg(fuzzing)]
pub fn expect_panics_of_tract() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if edgeclip_engine::reading().is_none() {
            usual(panic);
        }
    }));
}

/// ONNX networks of one picture: parsed, checked, lowered and planned; small ones are run.
pub fn onnx(data: &[u8]) -> bool {
    judged(network(data))
}

fn network(data: &[u8]) -> Result<()> {
    let engine = Engine::options().load("input", data)?;
    let outputs = engine.outputs()?;
    let values = engine.input().shape.iter().try_fold(1usize, |count, &n| count.checked_mul(n));
    let macs = engine.steps().iter().fold(0u64, |sum, step| sum.saturating_add(step.macs));
    let small = values.filter(|&count| count <= MOST_VALUES && macs <= MOST_MACS && engine.is_int8());
    let Some(count) = small else { return Ok(()) };
    let bytes = (0..count).map(|i| (i % 251) as u8);
    let found = match engine.input().element {
        Element::Int8 => engine.run(&bytes.map(|byte| byte as i8).collect::<Vec<_>>()[..])?,
        Element::Uint8 => engine.run(&bytes.collect::<Vec<_>>()[..])?,
        Element::Float => engine.run(&bytes.map(f32::from).collect::<Vec<_>>()[..])?,
    };
    for ((name, shape), values) in outputs.iter().zip(&found) {
        assert_eq!(values.len(), shape.iter().product::<usize>(), "{name} {shape:?}");
    }
    Ok(())
}

/// ONNX networks of the prompter and the text tower: parsed, changed, planned and run.
pub fn graph(data: &[u8]) -> bool {
    let ids = Signature::Int64(&[Dim::Named("N"), Dim::Named("L")]);
    let load = |inputs: &[Signature]| Graph::load("input", data.to_vec().into(), Some(Isa::SCALAR), inputs);
    let tower = load(&[ids; 2]).and_then(|tower| {
        let most = tower.rows(0).map_or(1, |rows| rows.min(100) as i64 - 1);
        let (words, mask) = ([0, most.max(0), 1, 0, 1, 0], [1, 1, 1, 1, 1, 0]);
        tower.run(&[Tensor::Int64(&[2, 3], &words), Tensor::Int64(&[2, 3], &mask)]).map(|_| ())
    });
    let prompter = load(&[Signature::Float(&[Dim::Named("N"), Dim::Declared])]).and_then(|prompter| {
        let width = prompter.input(0)?.get(1).copied().filter(|width| *width <= MOST_VALUES).unwrap_or(0);
        let region: Vec<f32> = (0..2 * width).map(|i| (i % 7) as f32 - 3.0).collect();
        prompter.run(&[Tensor::Float(&[2, width], &region)]).map(|_| ())
    });
    let [tower, prompter] = [tower, prompter].map(|loaded| judged(loaded.map_err(Error::from)));
    tower || prompter
}

fn text(data: &[u8]) -> Result<&str> {
    from_utf8(data).map_err(|error| Error::input("input", error.to_string(), "UTF-8 text"))
}

/// Whether it was accepted; its error must be one that somebody else than the developers can act on.
fn judged<T>(outcome: Result<T>) -> bool {
    outcome.inspect_err(acceptable).is_ok()
}

/// Holds for errors of foreign bytes: their author must act, and the message is one line.
fn acceptable(error: &Error) {
    let kinds = [ErrorKind::Input, ErrorKind::Settings, ErrorKind::Model];
    assert!(kinds.contains(&error.kind()), "{:?}: {error}", error.kind());
    assert!(!error.to_string().contains('\n'), "{error:?}");
}

#[cfg(test)]
mod tests;
