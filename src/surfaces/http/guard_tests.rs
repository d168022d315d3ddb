use std::fs;
use std::time::Duration;

use super::super::token::{new_token, token_line};
use super::*;

const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 9));

fn head(method: &str, path: &str, lines: &str) -> Head {
    let text = format!("{method} {path} HTTP/1.1\r\n{lines}\r\n\r\n");
    Head::read(text.as_bytes()).unwrap().unwrap().0
}

fn status(outcome: Result<(), Response>) -> u16 {
    outcome.map_or_else(|refused| refused.status, |()| 200)
}

#[test]
fn other_sites_and_other_names_are_refused() {
    let guard = Guard::new(None, &["Camera.example".to_owned()], false);
    let of = |method: &str, lines: &str| status(guard.origin(&head(method, "/api/v1/prompts", lines)));
    for lines in [
        "Host: localhost:8080",
        "Host: 192.168.1.7:8080",
        "Host: [::1]:8080",
        "Host: camera.example",
        "Host: 127.0.0.1:8080\r\nOrigin: http://127.0.0.1:8080",
        "Host: camera.example\r\nOrigin: https://camera.example\r\nSec-Fetch-Site: same-origin",
        "Host: localhost\r\nSec-Fetch-Site: none",
    ] {
        assert_eq!(of("PUT", lines), 200, "{lines}");
    }
    for (lines, expected) in [
        ("Host: evil.example", 421),
        ("Host: localhost.evil.example:8080", 421),
        ("Host: ", 421),
        ("Host: localhost\r\nOrigin: http://evil.example", 403),
        ("Host: localhost:8080\r\nOrigin: http://localhost:9090", 403),
        ("Host: localhost\r\nOrigin: null", 403),
        ("Host: localhost\r\nSec-Fetch-Site: cross-site", 403),
        ("Host: localhost\r\nSec-Fetch-Site: same-site", 403),
    ] {
        assert_eq!((of("PUT", lines), of("GET", lines)), (expected, expected), "{lines}");
    }
    // A link may lead to the page.
    let link = "Host: localhost\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate";
    assert_eq!(status(guard.origin(&head("GET", "/", link))), 200);
    assert_eq!(status(guard.origin(&head("GET", "/api/v1/status", link))), 403);
}

#[test]
fn a_token_is_asked_for_and_guesses_are_slowed_down() {
    let folder = tempfile::tempdir().unwrap();
    let (file, token) = (folder.path().join("tokens"), new_token().unwrap());
    fs::write(&file, token_line(&token)).unwrap();
    let guard = Guard::new(Some(Tokens::read(&file).unwrap()), &[], true);
    let mut now = Instant::now();
    let at = |now: Instant, line: &str| {
        status(guard.token(&head("GET", "/", &format!("Host: x\r\n{line}")), PEER, now))
    };
    let with = |line: &str| at(now, line);
    assert_eq!(with("X: y"), 401);
    assert_eq!(with(&format!("Authorization: Bearer {token}")), 200);
    assert_eq!(with(&format!("authorization: bearer {token}")), 200);
    assert_eq!(with(&format!("Cookie: a=b; {COOKIE}={token}")), 200);
    assert_eq!(with(&format!("Authorization: Basic {token}")), 401);
    let wrong: Vec<u16> = (0..12).map(|_| with("Authorization: Bearer guess")).collect();
    assert_eq!((wrong[0], wrong[11]), (401, 429));
    // The right one is let in all the same.
    assert_eq!(with(&format!("Authorization: Bearer {token}")), 200);
    now += Duration::from_secs(10);
    assert_eq!(at(now, "Authorization: Bearer guess"), 401);
    let cookie = guard.log_in(&token, PEER, now).map_err(|refused| refused.status).unwrap();
    assert!(cookie.contains("HttpOnly; SameSite=Strict") && cookie.ends_with("; Secure"), "{cookie}");
    assert!(guard.log_in("guess", PEER, now).is_err());
}

#[test]
fn an_address_may_ask_only_so_often() {
    let (guard, now) = (Guard::new(None, &[], false), Instant::now());
    let admitted = (0..1000).filter(|_| guard.rate(PEER, now).is_ok()).count();
    assert_eq!(admitted, BURST as usize);
    assert!(guard.rate(IpAddr::from([10, 0, 0, 1]), now).is_ok());
    let now = now + Duration::from_secs(1);
    assert_eq!((0..1000).filter(|_| guard.rate(PEER, now).is_ok()).count(), RATE as usize);
    // As many addresses as anybody has take no more memory.
    for count in 0..5000_u32 {
        let _ = guard.rate(IpAddr::from(count.to_be_bytes()), now);
    }
    assert!(guard.counts.lock().unwrap().len() <= ADDRESSES);
}
