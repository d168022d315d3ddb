//! Addresses in messages.

/// Stands for a part of a path that may be a secret.
const HIDDEN: &str = "***";

/// `address` as results and messages show it: scheme, host, port and path alone. User, password, query and fragment
/// may hold secrets under any name, as may `key=value` in a path (`rtsp://camera/user=admin&password=1234`).
///
/// Everything up to the last `@` is dropped, even if this is not an address: a password that was not
/// percent-encoded may contain any character.
pub(crate) fn shown_address(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").map_or(("", address), |(scheme, rest)| (scheme, rest));
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let path = rest.split(['?', '#', ';', '&']).next().unwrap_or_default();
    let mut shown = if scheme.is_empty() { String::new() } else { format!("{scheme}://") };
    for piece in path.split_inclusive('/') {
        if piece.contains('=') || piece.contains("%3D") || piece.contains("%3d") {
            shown.push_str(HIDDEN);
            shown.extend(piece.chars().last().filter(|last| *last == '/'));
        } else {
            shown.push_str(piece);
        }
    }
    shown
}

/// `text`, what it shows of addresses being what [`shown_address`] shows.
pub(crate) fn shown_addresses(text: &str) -> String {
    let word = |word: &str| {
        let (start, end) = (word.find(is_part), word.rfind(is_part));
        match (start, end.and_then(|end| word.get(..end))) {
            (Some(start), Some(_)) if word.contains("://") => {
                let end = end.unwrap_or(start) + 1;
                let address = shown_address(word.get(start..end).unwrap_or_default());
                [word.get(..start).unwrap_or_default(), &address, word.get(end..).unwrap_or_default()]
                    .concat()
            }
            _ => word.to_owned(),
        }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// Whether an address may begin or end with `c`; quotes and stops belong to the sentence around it.
fn is_part(c: char) -> bool {
    c.is_alphanumeric() || "/=&?%+-_~*".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheme_host_and_path_alone_are_shown() {
        for (address, shown) in [
            ("rtsp://cam/stream?channel=1", "rtsp://cam/stream"),
            ("rtsp://admin:1234@cam:8554/stream", "rtsp://cam:8554/stream"),
            ("http://admin@cam/", "http://cam/"),
            ("rtsp://admin:p@ss/w#rd@cam/stream", "rtsp://cam/stream"),
            ("rtsp://cam/user=admin&password=1234&channel=1", "rtsp://cam/***"),
            ("rtsp://cam/user=admin_password=1234_channel=1.sdp/real", "rtsp://cam/***/real"),
            ("rtsp://cam/user%3Dadmin/live", "rtsp://cam/***/live"),
            ("http://cam/x?auth=YWRtaW46c2VjcmV0", "http://cam/x"),
            ("http://cam/x?p=1&apikey=2&_sid=3&pin=4#token", "http://cam/x"),
            ("http://cam/x;jsessionid=123", "http://cam/x"),
            ("http://cam/x&pwd=1", "http://cam/x"),
            ("http://[fe80::1]:80/a%20b", "http://[fe80::1]:80/a%20b"),
            ("http://cam?user=a&pwd=b@c", "http://c"),
            ("admin:1234@cam", "cam"),
        ] {
            assert_eq!(shown_address(address), shown);
        }
    }

    #[test]
    fn addresses_within_a_sentence_are_shown_alike() {
        let text = "unexpected argument 'rtsp://u:p@cam/s?key=1' found; \"http://cam/?k=v\", a://b?c.";
        let shown = "unexpected argument 'rtsp://cam/s' found; \"http://cam/\", a://b.";
        assert_eq!(shown_addresses(text), shown);
        assert_eq!(shown_addresses("nothing = here ? & 1"), "nothing = here ? & 1");
    }
}
