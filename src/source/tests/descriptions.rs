//! Session descriptions of RTSP cameras, as `crates/sdp-types` reads them.

use sdp_types::{Attribute, ParserError, Session};

fn attribute(name: &str, value: Option<&str>) -> Attribute {
    Attribute { attribute: name.to_owned(), value: value.map(str::to_owned) }
}

#[test]
fn odd_lines_are_passed_over() {
    let text = b"garbage\r\nv=0\r\no=\r\na=control:*\r\nt=x y\r\n\xff\xfe\r\n\
                 m=audio 0 RTP/AVP 0\r\na=control:track1\r\n\
                 m=video 0/2 RTP/AVP 96 97\r\nc=?\r\na=rtpmap:96 H264/90000\r\ngarbage\r\na=recvonly\r\nm=\r\na=x\0\r\n";
    let session = Session::parse(text).unwrap();
    assert_eq!(session.attributes, [attribute("control", Some("*"))]);
    let [audio, video, none] = &session.medias[..] else { panic!("{session:?}") };
    assert_eq!((audio.media.as_str(), audio.attributes.len()), ("audio", 1));
    assert_eq!((video.proto.as_str(), video.fmt.as_str()), ("RTP/AVP", "96 97"));
    let expected = [attribute("rtpmap", Some("96 H264/90000")), attribute("recvonly", None)];
    assert_eq!(video.attributes, expected);
    assert_eq!((none.fmt.as_str(), none.attributes[0].attribute.as_str()), ("-", "x"));
}

#[test]
fn what_is_none_and_what_never_ends_is_refused() {
    assert_eq!(Session::parse(b"<html>a=b</html>"), Err(ParserError::Nothing));
    assert_eq!(Session::parse(&b"m=video 0 RTP/AVP 96\n".repeat(65)), Err(ParserError::TooMuch));
    assert_eq!(Session::parse(&b"a=x\n".repeat(5000)), Err(ParserError::TooMuch));
}

#[test]
fn no_bytes_make_it_panic() {
    let good = b"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:trackID=1\r\n";
    let mut state = 1u32;
    for _ in 0..20_000 {
        let mut damaged = good.to_vec();
        for _ in 0..4 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = (state >> 8) as usize % damaged.len();
            damaged[at] = (state >> 3) as u8;
        }
        match Session::parse(&damaged) {
            // `retina` takes the first word.
            Ok(session) => {
                assert!(session.medias.iter().all(|media| media.fmt.split_whitespace().next().is_some()));
            }
            Err(error) => assert_eq!(error, ParserError::Nothing),
        }
    }
}
