//! Addresses for printing.

/// Replaces a password.
const HIDDEN: &str = "***";

/// `address` without user and password, and with `***` for the value of every key that looks like a password,
/// as in `rtsp://camera/user=admin&password=1234`.
///
/// Everything up to the last `@` is dropped, even if this is not an address: a password that was not
/// percent-encoded may contain any character.
pub(in crate::source) fn without_secrets(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").map_or(("", address), |(scheme, rest)| (scheme, rest));
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let mut shown = if scheme.is_empty() { String::new() } else { format!("{scheme}://") };
    for piece in rest.split_inclusive(['?', '&', ';', '/']) {
        match piece.split_once('=') {
            Some((key, value)) if is_password(key) => {
                shown.extend([key, "=", HIDDEN]);
                shown.extend(value.chars().last().filter(|last| "?&;/".contains(*last)));
            }
            _ => shown.push_str(piece),
        }
    }
    shown
}

fn is_password(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["pas", "pwd", "psw", "token"].iter().any(|part| key.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown() {
        for (address, shown) in [
            ("rtsp://cam/stream?channel=1", "rtsp://cam/stream?channel=1"),
            ("rtsp://admin:1234@cam:8554/stream", "rtsp://cam:8554/stream"),
            ("http://admin@cam/", "http://cam/"),
            ("rtsp://admin:p@ss/w#rd@cam/stream", "rtsp://cam/stream"),
            ("rtsp://cam/user=admin&password=1234&channel=1", "rtsp://cam/user=admin&password=***&channel=1"),
            ("http://cam/shot.cgi?usr=a&PWD=b=c", "http://cam/shot.cgi?usr=a&PWD=***"),
            ("admin:1234@cam", "cam"),
        ] {
            assert_eq!(without_secrets(address), shown);
        }
    }
}
