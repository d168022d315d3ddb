//! What lies between two pictures of a stream: boundaries and headers of parts, padding, damage.

/// What a gap holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Gap {
    /// Length of the next picture, as its part's header states it.
    pub length: Option<usize>,
    /// The line that the part began with, without what follows the boundary itself.
    pub delimiter: Option<Vec<u8>>,
    /// Bytes that are none of boundary, header, padding.
    pub damage: usize,
}

impl Gap {
    /// `delimiter` is what the lines between parts should be; some servers leave its dashes out.
    pub(crate) fn of(gap: &[u8], delimiter: &[u8]) -> Self {
        let bare = delimiter.strip_prefix(b"--").unwrap_or(delimiter);
        let is_delimiter = |line: &[u8]| {
            line.len() > 2 && line.starts_with(b"--") && line.iter().all(is_text)
                || !bare.is_empty() && line == bare
        };
        let mut found = Self::default();
        for line in gap.split(|byte| *byte == b'\n') {
            let line = line.trim_ascii();
            if let Some(length) = content_length(line) {
                found.length = Some(length);
            } else if is_delimiter(line) {
                (found.length, found.delimiter) = (None, Some(line.to_vec()));
            } else if !is_header(line) {
                found.damage += line.iter().filter(|byte| !is_padding(byte)).count();
            }
        }
        found
    }
}

/// The length in a line of a header. What is no number of bytes is no length.
fn content_length(line: &[u8]) -> Option<usize> {
    let (key, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
    key.trim().eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap_or(0))
}

/// `Key: value`, or the first line of a response as `curl -i` prints it.
fn is_header(line: &[u8]) -> bool {
    let colon = line.iter().position(|byte| *byte == b':').unwrap_or_default();
    let key = line.get(..colon).unwrap_or_default();
    let named =
        !key.is_empty() && key.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_ ".contains(byte));
    (named || line.starts_with(b"HTTP/")) && line.iter().all(|byte| is_text(byte) || *byte >= 0x80)
}

fn is_text(byte: &u8) -> bool {
    (0x20..0x7f).contains(byte) || *byte == b'\t'
}

/// Zeros, `ff`, dashes and line ends.
fn is_padding(byte: &u8) -> bool {
    matches!(byte, 0 | 0xff | b'-' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_headers_and_padding_are_no_damage() {
        let gap = |bytes: &[u8]| Gap::of(bytes, b"--zip");
        let header = b"\r\n--foo\r\nContent-Type: image/jpeg\r\nContent-length :  12\r\n\r\n";
        assert_eq!(gap(header), Gap { length: Some(12), delimiter: Some(b"--foo".to_vec()), damage: 0 });
        let two = b"--foo\r\nContent-Length: 5\r\n\r\n--bar\n\n";
        assert_eq!(gap(two), Gap { length: None, delimiter: Some(b"--bar".to_vec()), damage: 0 });
        for silent in
            [&b""[..], b"\r\n\r\n", &[0; 99], b"\xff\xff\xff", b"HTTP/1.0 200 OK\r\nServer: \xe4 1.0\r\n\r\n"]
        {
            assert_eq!(gap(silent), Gap::default(), "{silent:?}");
        }
        for (line, length) in [("-1", 0), ("0", 0), ("0x20", 0), ("99999999999999999999", 0), ("7 ", 7)] {
            assert_eq!(gap(format!("Content-Length: {line}\r\n").as_bytes()).length, Some(length), "{line}");
        }
        assert_eq!(gap(b"\r\nzip\r\n").delimiter, Some(b"zip".to_vec()));
        assert_eq!(gap(b"\r\njunk\r\n").damage, 4);
        assert_eq!(gap(b"\0\0\x01\x02\xd8").damage, 3);
    }
}
