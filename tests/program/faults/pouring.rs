//! Cameras that send without end and never a picture: that is told in time, nobody else loses a frame, and it is told when
//! pictures come.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use tempfile::tempdir;

use super::apart::unbroken;
use super::endurance::rtsp_pictures;
use super::rtsp::{Camera, Script, Step, on_channel, rtp};
use crate::common::film::{Studio, film, jpeg};
use crate::common::live::{Running, is};

/// So many connections of each camera bring nothing.
const BAD: usize = 2;
/// FU-A: the first piece of a picture, and those behind it.
const FIRST: [u8; 2] = [0x7c, 0x85];
const LATER: [u8; 2] = [0x7c, 0x05];

/// A picture in pieces, the last of which never comes.
fn pieces(number: u64) -> Vec<u8> {
    let head = if number == 0 { FIRST } else { LATER };
    on_channel(0, &rtp(number as u16, 0, false, &[&head[..], &[b'x'; 1400]].concat()))
}

/// A picture of ever more slices.
fn slices(number: u64) -> Vec<u8> {
    on_channel(0, &rtp(number as u16, 0, false, &[&[0x65][..], &[b'x'; 1400]].concat()))
}

/// Packets of many small units (STAP-A), none of which is a picture.
fn units(number: u64) -> Vec<u8> {
    let payload = [&[0x78][..], &[0, 2, 9, 16].repeat(300)].concat();
    on_channel(0, &rtp(number as u16, 0, false, &payload))
}

/// Access units without a picture.
fn notes(number: u64) -> Vec<u8> {
    let stamp = 3000 * number as u32;
    on_channel(0, &rtp(number as u16, stamp, true, &[&[0x06][..], &[5; 200]].concat()))
}

/// Reports on the sender's clock (RTCP), and nothing else.
fn reports(_: u64) -> Vec<u8> {
    on_channel(1, &[&[0x80, 200, 0, 6][..], b"test", &[0; 20]].concat())
}

/// A channel that nobody has asked for.
fn others(_: u64) -> Vec<u8> {
    on_channel(7, &[0; 1000])
}

/// An answer to what nobody has asked, with a header that has no end.
fn header(number: u64) -> Vec<u8> {
    if number == 0 { b"RTSP/1.0 200 OK\r\nX: ".to_vec() } else { vec![b'x'; 1000] }
}

/// An H.264 camera whose first sessions bring this.
fn h264(piece: fn(u64) -> Vec<u8>) -> String {
    let pictures = rtsp_pictures().into_iter().cycle().take(600);
    let steps = pictures.flat_map(|unit| [Step::Send(unit), Step::Wait(Duration::from_millis(60))]);
    let good = Script::new(steps.chain([Step::Close]));
    let bad = Script::new([Step::Pour(piece)]);
    Camera::start([vec![bad; BAD], vec![good; 50]].concat()).url()
}

/// An HTTP camera whose first answers are this, and so much of that, again and again.
fn http(head: Vec<u8>, piece: Vec<u8>, picture: Vec<u8>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/stream", listener.local_addr().unwrap());
    thread::spawn(move || {
        for (number, stream) in listener.incoming().map_while(Result::ok).enumerate() {
            let (head, piece, picture) = (head.clone(), piece.clone(), picture.clone());
            // The client hangs up.
            thread::spawn(move || {
                drop(if number < BAD { pour(stream, &head, &piece) } else { good(stream, &picture) })
            });
        }
    });
    url
}

fn hear(stream: &TcpStream) -> std::io::Result<()> {
    let mut request = BufReader::new(stream.try_clone()?).lines();
    while request.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    Ok(())
}

fn pour(mut stream: TcpStream, head: &[u8], piece: &[u8]) -> std::io::Result<()> {
    hear(&stream)?;
    stream.write_all(head)?;
    loop {
        stream.write_all(piece)?;
        thread::sleep(Duration::from_millis(if piece.len() < 10 { 100 } else { 3 }));
    }
}

const PARTS: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=cut\r\n\r\n";

fn part(picture: &[u8]) -> Vec<u8> {
    [&b"--cut\r\nContent-Type: image/jpeg\r\n\r\n"[..], picture].concat()
}

fn good(mut stream: TcpStream, picture: &[u8]) -> std::io::Result<()> {
    hear(&stream)?;
    stream.write_all(PARTS)?;
    loop {
        stream.write_all(&[part(picture), b"\r\n".to_vec()].concat())?;
        thread::sleep(Duration::from_millis(60));
    }
}

/// Watches these beside a film; each is told with one of its reasons, and works again afterwards.
fn are_told(cameras: &[(String, &[&str])]) {
    let folder = tempdir().unwrap();
    film(folder.path(), "film.y4m", &vec![Studio::new().picture(Some(60)); 4], 8);
    let source = |(url, _): &(String, &[&str])| format!("[[source]]\nurl = \"{url}\"\nstall_seconds = 2\n");
    let film = "[[source]]\nurl = \"film.y4m\"\nrepeat = true\n".to_owned();
    fs::write(folder.path().join("watch.toml"), cameras.iter().map(source).chain([film]).collect::<String>())
        .unwrap();
    let flags = ["--config", "watch.toml", "--prompt", "cat", "--set", "decoder_mb=64"];
    let mut running = Running::new(folder.path(), &flags);
    let mut lines = running.until(|line| is(line, "frame"));
    for (url, _) in cameras {
        running.tells(&format!("{url}: works again after "));
    }
    running.signal("TERM");
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    lines.extend(ended.lines.iter().cloned());
    assert!(unbroken(&lines) > 0);
    for (url, reasons) in cameras {
        let told =
            ended.errors.iter().find(|line| line.contains(url.as_str()) && line.contains("stall so far"));
        let told = told.unwrap_or_else(|| panic!("{url} is not told: {:#?}", ended.errors));
        assert!(reasons.iter().any(|reason| told.contains(reason)), "{told}: expected one of {reasons:?}");
    }
}

#[test]
fn h264_without_pictures_is_told() {
    // Whoever keeps what comes may be out of memory first.
    let silence: &[&str] =
        &["no frame for 2 s", "no picture for 2 s, whatever comes", "needed more than 64 MB"];
    let undecodable: &[&str] = &["frames, but no key frame for 2 s", "frames, but no picture for 2 s"];
    are_told(&[
        (h264(pieces), silence),
        (h264(slices), silence),
        (h264(units), silence),
        (h264(notes), &[undecodable, silence].concat()),
        (h264(reports), silence),
        (h264(others), silence),
        (h264(header), silence),
    ]);
}

#[test]
fn motion_jpeg_without_pictures_is_told() {
    let picture = jpeg(&Studio::new().picture(Some(60)));
    let beginning = &picture[..picture.len() - 2];
    let silence: &[&str] = &["no whole picture for 2 s", "no picture for 2 s, whatever comes"];
    let snapshot = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n";
    let camera = |head: Vec<u8>, piece: &[u8]| (http(head, piece.to_vec(), picture.clone()), silence);
    are_told(&[
        camera(PARTS.to_vec(), b"x"),
        camera(PARTS.to_vec(), &b"junk without end ".repeat(1000)),
        camera([PARTS.to_vec(), part(beginning)].concat(), &[0x11; 20_000]),
        camera([PARTS.to_vec(), part(beginning)].concat(), b"\x11"),
        camera(
            [PARTS.to_vec(), part(&[0xff, 0xd8])].concat(),
            &[&[0xff, 0xfe, 1, 0][..], &[b'c'; 254]].concat().repeat(50),
        ),
        camera(PARTS.to_vec(), &b"--cut\r\nContent-Type: text/plain\r\n\r\nhello\r\n".repeat(20)),
        camera([snapshot, beginning].concat(), &[0x22; 20_000]),
        camera([snapshot, &picture[..600]].concat(), b"\x22"),
    ]);
}
