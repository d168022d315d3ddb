//! H.264 over RTSP, from real sockets to pixels.

use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use super::network::rtsp::{Camera, Script, Step, on_channel, rtp, send};
use super::network::squares::{picture_number, units};
use super::network::watch::{DEADLINE, PATIENCE, until};
use crate::frame::{PixelFormat, Range};
use crate::source::network::Patience;
use crate::source::{Encoding, Next, rtsp};

/// SPS and PPS of `squares.h264`.
const PARAMETERS: &str = "Z0LAC9kDhH5cBEAAAAMAQAAABQPFCpI=,aMuAjLI=";

/// The error of a camera that does not open.
fn refusal(url: &str) -> String {
    rtsp::open(url, PATIENCE).err().expect("an error").to_string()
}

fn is_broken(fault: &Next, part: &str) -> bool {
    matches!(fault, Next::Broken(why) if why.contains(part))
}

fn is_stalled(fault: &Next, part: &str) -> bool {
    matches!(fault, Next::Stalled(why) if why.contains(part))
}

/// `steps`, then silence until the client goes.
fn script(steps: Vec<Step>) -> Script {
    Script::new(steps.into_iter().chain([Step::Hang]))
}

#[test]
fn pictures_arrive_whole_in_order_and_with_their_times() {
    let camera = Camera::start(vec![script(send(&units("squares")))]);
    let mut source = rtsp::open(&camera.url(), PATIENCE).unwrap();
    assert_eq!((source.name(), source.waits()), (camera.url().as_str(), false));
    let mut seen = Vec::new();
    let faults = until(&mut *source, |shot| {
        let size =
            Encoding::Raw { width: 224, height: 120, stride: 224, format: PixelFormat::Yu12(Range::Limited) };
        assert_eq!(shot.encoding, size);
        assert!(shot.taken.elapsed() < DEADLINE);
        seen.push(picture_number(shot));
        assert_eq!(shot.number as usize, *seen.last().unwrap());
        assert_eq!(shot.media_time.unwrap(), Duration::from_millis(100 * shot.number));
        shot.number == 23
    });
    assert_eq!(faults, []);
    assert!(seen.is_sorted(), "{seen:?}");
    drop(source);
    let start = Instant::now();
    while !camera.heard("TEARDOWN") {
        assert!(start.elapsed() < DEADLINE);
        thread::sleep(Duration::from_millis(5));
    }
}

/// Streams of which `change` breaks pictures 3 and 12, each of which the pictures up to the next key frame refer to.
fn broken_twice(change: impl Fn(usize, Vec<Vec<u8>>) -> Step) -> Script {
    let steps = units("squares").into_iter().enumerate().flat_map(|(number, unit)| {
        let sent = if [3, 12].contains(&number) { change(number, unit) } else { Step::Send(unit) };
        [sent, Step::Wait(Duration::from_millis(15))]
    });
    script(steps.collect())
}

fn assert_two_faults(camera: &Camera, url: &str, why: &str) {
    let mut source = rtsp::open(url, PATIENCE).unwrap();
    let faults = until(&mut *source, |shot| {
        let number = picture_number(shot);
        assert!(!(3..8).contains(&number) && !(12..16).contains(&number), "a smeared picture {number}");
        number == 23
    });
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults.iter().all(|fault| is_broken(fault, why)), "{faults:?}");
    assert!(camera.heard("PLAY"));
}

#[test]
fn lost_packets_are_told_and_nothing_that_refers_to_them_is_shown() {
    let camera = Camera::start(vec![broken_twice(|_, unit| Step::Lose(unit, 0))]);
    assert_two_faults(&camera, &camera.url(), "1 lost packets; waiting for a key frame");
}

#[test]
fn pictures_in_datagrams_likewise() {
    let camera = Camera::start(vec![broken_twice(|_, unit| Step::Lose(unit, 0))]);
    assert_two_faults(&camera, &format!("{}?transport=udp", camera.url()), "1 lost packets");
    assert!(camera.heard("client_port"));
    assert!(!camera.heard("transport=udp"));
}

#[test]
fn damaged_pictures_are_told_and_nothing_that_refers_to_them_is_shown() {
    let camera = Camera::start(vec![broken_twice(|number, mut unit| {
        let slice = &mut unit[0];
        match number {
            3 => slice.truncate(8),
            _ => slice[8..].iter_mut().for_each(|byte| *byte ^= 0x5a),
        }
        Step::Send(unit)
    })]);
    assert_two_faults(&camera, &camera.url(), "H.264");
}

#[test]
fn a_key_frame_with_a_hole_is_waited_out() {
    let steps = units("squares").into_iter().enumerate().flat_map(|(number, unit)| {
        let sent = if number == 8 { Step::Lose(unit, 4) } else { Step::Send(unit) };
        [sent, Step::Wait(Duration::from_millis(15))]
    });
    let camera = Camera::start(vec![script(steps.collect())]);
    let mut source = rtsp::open(&camera.url(), PATIENCE).unwrap();
    let faults = until(&mut *source, |shot| {
        let number = picture_number(shot);
        assert!(!(8..16).contains(&number), "a smeared picture {number}");
        number == 23
    });
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(is_broken(&faults[0], "lost packets"), "{faults:?}");
}

#[test]
fn a_stream_is_joined_at_its_next_key_frame() {
    let camera = Camera::start(vec![script(send(&units("squares")[3..]))]);
    let mut source = rtsp::open(&camera.url(), PATIENCE).unwrap();
    let mut first = None;
    let faults = until(&mut *source, |shot| {
        let number = picture_number(shot);
        first.get_or_insert((number, shot.number));
        number == 23
    });
    assert_eq!(faults, []);
    assert!(first.is_some_and(|(picture, number)| picture as u64 == 8 + number), "{first:?}");
}

#[test]
fn the_size_may_change_and_the_range_with_it() {
    let both =
        [send(&units("squares")[..8]), vec![Step::Wait(Duration::from_millis(300))], send(&units("wide"))];
    let camera = Camera::start(vec![script(both.concat())]);
    let mut source = rtsp::open(&camera.url(), PATIENCE).unwrap();
    let mut sizes = Vec::new();
    let faults = until(&mut *source, |shot| {
        let Encoding::Raw { width, height, format, .. } = shot.encoding else {
            panic!("{:?}", shot.encoding)
        };
        sizes.push((width, height, format));
        picture_number(shot) == 15 && width == 192
    });
    assert_eq!(faults, []);
    sizes.dedup();
    let full = (192, 112, PixelFormat::Yu12(Range::Full));
    assert_eq!(sizes, [(224, 120, PixelFormat::Yu12(Range::Limited)), full]);
}

#[test]
fn pictures_sent_out_of_order_are_shown_in_order() {
    // Two pictures between each pair that they refer to; after the last, one more to push it out.
    let shown = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11, 15, 13, 14, 16];
    let mut steps: Vec<Step> = Vec::new();
    for (unit, number) in units("reordered").into_iter().zip(shown) {
        steps.extend([Step::SendAs(unit, number), Step::Wait(Duration::from_millis(15))]);
    }
    steps.push(Step::SendAs(units("reordered")[0].clone(), 17));
    let camera = Camera::start(vec![script(steps)]);
    let mut source = rtsp::open(&camera.url(), PATIENCE).unwrap();
    let mut seen = Vec::new();
    let faults = until(&mut *source, |shot| {
        let number = picture_number(shot);
        assert_eq!(shot.media_time.unwrap().as_millis() as usize, 100 * number);
        seen.push(number);
        number == 16
    });
    assert_eq!(faults, []);
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");
}

#[test]
fn parameters_may_come_with_the_description_alone() {
    let bare: Vec<_> = units("squares")
        .into_iter()
        .map(|unit| unit.into_iter().filter(|nal| ![7, 8].contains(&(nal[0] & 0x1f))).collect())
        .collect();
    let camera = Camera::start(vec![Script { parameters: Some(PARAMETERS), ..script(send(&bare)) }]);
    let mut source = rtsp::open(&camera.url(), PATIENCE).unwrap();
    assert_eq!(until(&mut *source, |shot| picture_number(shot) == 23), []);
}

#[test]
fn a_silent_camera_is_connected_anew() {
    let squares = units("squares");
    let camera = Camera::start(vec![script(send(&squares[..8])), script(send(&squares[8..]))]);
    let patience = Patience { stall: Duration::from_millis(700), ..PATIENCE };
    let mut source = rtsp::open(&camera.url(), patience).unwrap();
    let mut last = 0;
    let faults = until(&mut *source, |shot| {
        assert!(shot.number >= last);
        last = shot.number;
        picture_number(shot) == 23
    });
    assert!(is_stalled(&faults[0], "no frame for 0.7 s"), "{faults:?}");
}

#[test]
fn a_camera_that_never_sends_a_key_frame_is_connected_anew() {
    let squares = units("squares");
    let keyless = (0..400).flat_map(|number| send(&squares[1 + number % 7..][..1])).collect();
    let camera = Camera::start(vec![script(keyless), script(send(&squares))]);
    let patience = Patience { stall: Duration::from_millis(500), ..PATIENCE };
    let mut source = rtsp::open(&camera.url(), patience).unwrap();
    let faults = until(&mut *source, |shot| picture_number(shot) == 23);
    // A busy machine may see none of its frames.
    let stalled =
        |part: &str| faults.iter().any(|fault| is_stalled(fault, part) || is_stalled(fault, "no frame for"));
    assert!(stalled("frames, but no key frame for 0.5 s"), "{faults:?}");
    assert!(stalled("no key frame for 3 s"), "{faults:?}");
}

/// Pieces of a picture whose last one never comes (FU-A).
fn pieces(number: u64) -> Vec<u8> {
    let head = if number == 0 { [0x7c, 0x85] } else { [0x7c, 0x05] };
    on_channel(0, &rtp(number as u16, 0, false, &[&head[..], &[b'x'; 100]].concat()))
}

#[test]
fn a_camera_that_pours_without_ever_making_a_frame_is_connected_anew() {
    let camera = Camera::start(vec![Script::new([Step::Pour(pieces)]), script(send(&units("squares")))]);
    let patience = Patience { stall: Duration::from_secs(1), ..PATIENCE };
    let mut source = rtsp::open(&camera.url(), patience).unwrap();
    let faults = until(&mut *source, |shot| picture_number(shot) == 23);
    assert!(is_stalled(&faults[0], "no frame for 1 s"), "{faults:?}");
}

#[test]
fn a_camera_that_restarts_comes_back() {
    let squares = units("squares");
    let first = Script::new(send(&squares[..8]).into_iter().chain([Step::Close]));
    let starting = Script { refusal: Some("503 Service Unavailable"), ..Script::new([]) };
    let camera = Camera::start(vec![first, starting.clone(), starting, script(send(&squares[8..]))]);
    let mut source = rtsp::open(&camera.url(), PATIENCE).unwrap();
    let faults = until(&mut *source, |shot| picture_number(shot) == 23);
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(is_stalled(&faults[0], "the camera has closed the connection"), "{faults:?}");
    assert!(is_stalled(&faults[1], "503"), "{faults:?}");
}

#[test]
fn a_size_that_nothing_can_hold_is_not_even_tried() {
    let squares = units("squares");
    // 8000 x 8000 pixels, as its parameters say.
    let mut absurd = squares[8].clone();
    absurd[0] = vec![0x67, 0x42, 0, 0x34, 0xda, 0, 0x7d, 0, 0x3e, 0x99];
    let steps = [send(&squares[..8]), send(&[absurd])].concat();
    let camera = Camera::start(vec![script(steps), script(send(&squares))]);
    let mut source = rtsp::open(&camera.url(), PATIENCE).unwrap();
    let mut faults = Vec::new();
    while faults.is_empty() {
        faults = until(&mut *source, |shot| picture_number(shot) == 23);
    }
    assert!(is_stalled(&faults[0], "pictures of 8000x8000 pixels"), "{faults:?}");
}

#[test]
fn a_password_is_used_and_never_shown() {
    for (user, password, login) in [
        ("ad min", "p@ss", "ad%20min:p%40ss"),
        ("admin", "a:b/c?d#e", "admin:a%3Ab%2Fc%3Fd%23e"),
        ("admin", "100% \"quoted\" \\ \u{fc}\u{20ac}", "admin:100%25%20%22quoted%22%20%5C%20%C3%BC%E2%82%AC"),
        ("a\"d\\min", "!$&'()*+,;=", "a%22d%5Cmin:!$&'()*+,;="),
        ("admin", "", "admin:"),
    ] {
        let squares = script(send(&units("squares")));
        let camera = Camera::start(vec![Script { login: Some((user, password)), ..squares }]);
        let url = camera.url().replace("rtsp://", &format!("rtsp://{login}@"));
        let mut source = rtsp::open(&url, PATIENCE).unwrap();
        assert_eq!(source.name(), camera.url());
        assert_eq!(until(&mut *source, |shot| picture_number(shot) == 23), []);
        assert!(camera.heard("Digest username"));
        let secret = login.split_once(':').unwrap().1;
        assert!(password.is_empty() || !camera.heard(password) && !camera.heard(secret));
    }
}

#[test]
fn a_first_opening_that_fails_says_what_to_do() {
    let locked = Script { login: Some(("admin", "right")), ..Script::new([]) };
    let answers = |script: Script, parts: &[&str]| {
        let camera = Camera::start(vec![script]);
        let line = refusal(&camera.url().replace("rtsp://", "rtsp://admin:wrong@"));
        assert!(line.starts_with(&camera.url()) && !line.contains("wrong@"), "{line}");
        assert!(parts.iter().all(|part| line.contains(part)), "{line}");
    };
    answers(locked.clone(), &["user or password refused (401)", "percent-encoded"]);
    answers(Script { refusal: Some("404 Not Found"), ..Script::new([]) }, &["no stream at this path (404)"]);
    answers(
        Script { codec: "H265", ..Script::new([]) },
        &["video in H265", "set the camera's sub-stream to H.264"],
    );
    let told = |parameters| Script { parameters: Some(parameters), ..Script::new([]) };
    answers(told("Z0IANNoAfQA+mQ==,aM48gA=="), &["pictures of 8000x8000 pixels", "smaller"]);
    answers(told("Z0IANNhEAQABIZA=,aM48gA=="), &["16 reference pictures of 4096x2304"]);
    answers(told("Z0IANNoCgeSA,aM48gA=="), &["interlaced video", "progressive"]);
    let camera = Camera::start(vec![locked]);
    assert!(refusal(&camera.url()).contains("no user and password (401), expected rtsp://user:password@"));
}

#[test]
fn an_absent_camera_is_an_error_at_once() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let line = refusal(&format!("rtsp://user:secret@127.0.0.1:{port}/s"));
    assert!(line.contains("Connection refused") && line.contains("right (usually 554)"), "{line}");
    assert!(!line.contains("secret"), "{line}");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let patience = Patience { connect: Duration::from_millis(200), ..PATIENCE };
    let error = rtsp::open(&format!("rtsp://{}/s", silent.local_addr().unwrap()), patience).err().unwrap();
    assert!(error.to_string().contains("no answer within 0.2 s"), "{error}");
    assert!(
        refusal("rtsp://cam/s?transport=smoke").contains("found transport=smoke, expected transport=tcp or")
    );
    assert!(refusal("http://cam/").contains("found the scheme http://"));
}

/// `network/server.py` says how; it serves 25 pictures a second.
#[test]
#[ignore = "needs a server of others, whose address is in EDGECLIP_RTSP"]
fn a_server_of_others_is_watched() {
    let mut source = rtsp::open(&std::env::var("EDGECLIP_RTSP").unwrap(), Patience::default()).unwrap();
    let mut first = None;
    let mut count = 0;
    let faults = until(&mut *source, |shot| {
        shot.decode("test").unwrap();
        count += 1;
        let (number, time, taken) = *first.get_or_insert((shot.number, shot.media_time.unwrap(), shot.taken));
        let (media, real) = (shot.media_time.unwrap() - time, shot.taken - taken);
        assert!(media.abs_diff(real) < Duration::from_millis(500), "{media:?} against {real:?}");
        let ended = media >= Duration::from_secs(5);
        if ended {
            println!("{count} taken of {} sent in {media:?}: {:?}", shot.number - number + 1, shot.encoding);
            assert!((100..=150).contains(&(shot.number - number)), "{}", shot.number);
        }
        ended
    });
    assert_eq!(faults, []);
}
