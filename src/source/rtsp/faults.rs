//! What a failed connection means, and what to do about it.

use retina::client::Stream;

use super::super::network::Fault;

/// The fault behind a connection error; `has_login` if the address has a user.
pub(super) fn refusal(error: &retina::Error, has_login: bool) -> Fault {
    let said = first_line(error);
    match error.status_code() {
        Some(code @ (401 | 403)) if has_login => Fault::new(
            format!("user or password refused ({code})"),
            "the camera's own user and password, special characters percent-encoded (@ is %40)",
        ),
        Some(code @ (401 | 403)) => Fault::new(
            format!("no user and password ({code})"),
            "rtsp://user:password@…, special characters percent-encoded (@ is %40)",
        ),
        Some(code @ (404 | 454)) => Fault::new(
            format!("no stream at this path ({code})"),
            "the path from the camera's manual or settings, exactly as written there",
        ),
        Some(461) => Fault::new(
            "a camera that refuses this transport (461)",
            "the other one of ?transport=tcp and udp",
        ),
        Some(code @ 200..=299) => {
            Fault::new(format!("an answer ({code}) that makes no sense: {said}"), "an RTSP camera")
        }
        Some(code) => Fault::new(format!("a refusal ({code}): {said}"), "a camera that sends its stream"),
        None => Fault::new(
            said,
            "a camera that answers: are the address and the port right (usually 554), is RTSP enabled?",
        ),
    }
}

/// The stream to play: the first with H.264.
pub(super) fn choose(streams: &[Stream]) -> Result<usize, Fault> {
    let videos = || streams.iter().filter(|stream| stream.media() == "video");
    let h264 = |stream: &Stream| stream.media() == "video" && stream.encoding_name() == "h264";
    if let Some(index) = streams.iter().position(h264) {
        return Ok(index);
    }
    let names: Vec<&str> = videos().map(Stream::encoding_name).collect();
    let found = match names.as_slice() {
        [] => "a stream without video".to_owned(),
        names => format!("video in {}", names.join(", ").to_uppercase()),
    };
    Err(Fault::new(found, "H.264: set the camera's sub-stream to H.264 and use that stream's path"))
}

/// The library's messages have addresses and positions in further lines.
pub(super) fn first_line(error: &retina::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().trim_end().to_owned()
}
