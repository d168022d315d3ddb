//! Which processes a source needs, and what they may take.

use std::fs::File;
use std::path::Path;

use super::here::is_of;
use super::message::{Job, Order};
use crate::error::shown_address;
use crate::source::exec;
use crate::source::input::Input;
use crate::source::kind::{self, FileKind};
use crate::source::limits;
use crate::source::options::SourceOptions;
use crate::system::room;

/// Megabytes of a decoder besides those of a picture.
const BESIDES: u64 = 64;

/// For the process that reads a network source, and decodes its video; `None` for other sources.
pub(super) fn reader(spec: &str, options: &SourceOptions) -> Option<Order> {
    let is_network = ["rtsp", "http"].iter().any(|scheme| is_of(spec, scheme));
    let job = || Job::Camera {
        address: spec.to_owned(),
        fps: options.wish.fps,
        stall: options.stall,
        ca: options.ca.clone(),
    };
    is_network.then(|| order(job(), options.decoder_mb.unwrap_or_else(default_megabytes)))
}

/// For the process that decodes the pictures of a source.
pub(super) fn decoder(spec: &str, options: &SourceOptions) -> Order {
    let address = || if spec.contains("://") { shown_address(spec) } else { spec.to_owned() };
    let of = exec::shown(spec).unwrap_or_else(address);
    let megabytes = options.decoder_mb.unwrap_or_else(|| limits::current().megabytes() + BESIDES);
    order(Job::Pictures { of }, megabytes)
}

/// For the process that decodes the pictures of a command line.
pub(super) fn pictures() -> Order {
    let megabytes = limits::current().megabytes() + BESIDES;
    let job = Job::Pictures { of: String::new() };
    Order { setting: "max_picture_mb".to_owned(), ..order(job, megabytes) }
}

fn order(job: Job, megabytes: u64) -> Order {
    let picture_mb = limits::current().megabytes();
    Order { job, megabytes, setting: "decoder_mb".to_owned(), picture_mb }
}

/// Whether the source may hold pictures that somebody has to decode. Where it is not there yet, it may.
pub(super) fn holds_pictures(spec: &str, options: &SourceOptions) -> bool {
    if options.raw.is_some() || is_of(spec, "rtsp") {
        return false;
    }
    let path = Path::new(spec);
    if !path.is_file() {
        return true;
    }
    let head = File::open(path).map(|file| kind::of_input(&mut Input::new(spec, file)));
    !matches!(head, Ok(Ok(FileKind::Y4m | FileKind::Foreign(_))))
}

/// Megabytes for reading one source where nothing is set: a quarter of what is there, enough for the largest
/// H.264.
fn default_megabytes() -> u64 {
    ((room(Path::new("/")).unwrap_or_default() / 4) >> 20).clamp(128, 512)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_of_pixels_need_no_decoder() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, head: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, head).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let options = SourceOptions::default();
        for (spec, expected) in [
            (file("a.y4m", b"YUV4MPEG2 W4 H4 F1:1\n"), false),
            (file("a.avi", b"RIFF\x10\0\0\0AVI LIST"), true),
            (file("a.jpg", b"\xff\xd8\xff\xe0"), true),
            (folder.path().to_str().unwrap().to_owned(), true),
            ("not/there.y4m".to_owned(), true),
            ("-".to_owned(), true),
            ("HTTP://cam/x".to_owned(), true),
            ("rtsp://cam/x".to_owned(), false),
        ] {
            assert_eq!(holds_pictures(&spec, &options), expected, "{spec}");
        }
        assert!(reader("a.avi", &options).is_none() && reader("HTTPS://cam", &options).is_some());
        let options = SourceOptions { decoder_mb: Some(77), ..options };
        assert_eq!(decoder("http://u:p@cam/x", &options).megabytes, 77);
        assert_eq!(
            decoder("http://u:p@cam/x", &options).job,
            Job::Pictures { of: "http://cam/x".to_owned() }
        );
    }
}
