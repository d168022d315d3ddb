use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use super::super::service::Service;
use super::*;
use crate::config::By;
use crate::report::ShownBoxes;
use crate::report::samples::events;
use crate::sinks::tests::{frame_report, picture_of};

/// Longest wait for a message.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request as it came: its head, and its body.
type Heard = (String, Vec<u8>);

/// A server that answers with these codes, the last of them over and over; 0 hangs up instead. Its port, and what it hears.
fn server(codes: &'static [u16]) -> (u16, Receiver<Heard>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (send, heard) = channel();
    thread::spawn(move || {
        for (stream, number) in listener.incoming().zip(0..) {
            let mut stream = BufReader::new(stream.unwrap());
            let code = codes[codes.len().min(number + 1) - 1];
            let (mut head, mut body) = (String::new(), Vec::new());
            while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).unwrap_or(0) > 0 {}
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap_or("0");
            body.resize(length.parse().unwrap(), 0);
            stream.read_exact(&mut body).unwrap();
            if code > 0 {
                let _ = write!(stream.get_mut(), "HTTP/1.1 {code} X\r\nContent-Length: 2\r\n\r\nok");
            }
            if send.send((head, body)).is_err() {
                break;
            }
        }
    });
    (port, heard)
}

/// Has a rule take these reports, with pictures if it sends them, and sends what comes of it.
struct Told {
    teller: Teller,
    notifier: Notifier,
    service: Service,
}

impl Told {
    fn new(rule: &config::Notify) -> Self {
        let notifier = Notifier::new(rule).unwrap();
        let mut sender = Sender::new(Arc::clone(&notifier.target), Arc::clone(&notifier.queue));
        sender.first = Duration::from_millis(5);
        let service = Service::start(vec![Box::pin(sender.run())]).unwrap();
        Self { teller: notifier.teller(Painter::new(ShownBoxes::Tracks)), notifier, service }
    }

    fn tell(&mut self, event: usize) {
        let report = FrameReport { events: vec![events()[event].clone()], ..frame_report() };
        let picture = picture_of(&report, [90, 100, 110]);
        let picture = self.notifier.settings.pictures.then_some(&picture);
        self.teller.tell(&report, picture).unwrap();
    }
}

fn rule(by: By, port: u16) -> config::Notify {
    config::Notify {
        by,
        url: Some(format!("http://127.0.0.1:{port}/hook?a=b")),
        at_most_once_in: 0,
        ..config::Notify::default()
    }
}

fn text(heard: &Receiver<Heard>) -> (String, String) {
    let (head, body) = heard.recv_timeout(PATIENCE).unwrap();
    (head, String::from_utf8_lossy(&body).into_owned())
}

#[test]
fn a_webhook_gets_the_line_of_the_event_or_a_template_and_its_token() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "s3cret\nnot this\n").unwrap();
    let (port, heard) = server(&[200]);
    let mut told = Told::new(&config::Notify { token_file: Some(token), ..rule(By::Webhook, port) });
    told.tell(2);
    let (head, body) = text(&heard);
    assert!(head.starts_with("POST /hook?a=b HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("\r\nAuthorization: Bearer s3cret\r\n"), "{head}");
    assert!(head.contains("\r\nContent-Type: application/json\r\n"), "{head}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&body["event"], &body["track"]), (&"enter".into(), &7.into()));
    assert_eq!(body["message"], format!("person enters gate, \"east\" ({})", frame_report().source));
    let body = "{\"text\": \"{label}: {zone}\", \"id\": \"{track}\", \"picture\": \"{picture}\"}".to_owned();
    let mut told = Told::new(&config::Notify { body: Some(body), pictures: true, ..rule(By::Webhook, port) });
    told.tell(2);
    let body: Value = serde_json::from_str(&text(&heard).1).unwrap();
    assert_eq!((&body["text"], &body["id"]), (&"person: gate, \"east\"".into(), &7.into()));
    assert!(body["picture"].as_str().unwrap().starts_with("data:image/jpeg;base64,/9j/"));
}

#[test]
fn ntfy_gets_text_or_a_picture_with_headers() {
    let (port, heard) = server(&[200]);
    let message = Some("Grüße:\r\nX: {label}".to_owned());
    let mut told = Told::new(&config::Notify { message: message.clone(), ..rule(By::Ntfy, port) });
    told.tell(0);
    let (head, body) = text(&heard);
    assert!(head.contains(&format!("\r\nTitle: {}\r\n", frame_report().source)), "{head}");
    assert_eq!(body, "Grüße:\r\nX: person");
    let mut told = Told::new(&config::Notify { message, pictures: true, ..rule(By::Ntfy, port) });
    told.tell(0);
    let (head, body) = heard.recv_timeout(PATIENCE).unwrap();
    // "Grüße:\r\nX: person"
    assert!(head.contains("\r\nMessage: =?UTF-8?B?R3LDvMOfZToNClg6IHBlcnNvbg==?=\r\n"), "{head}");
    assert!(body.starts_with(&[0xff, 0xd8]) && body.ends_with(&[0xff, 0xd9]));
}

#[test]
fn telegram_and_pushover_get_messages_and_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "12:ab").unwrap();
    let (port, heard) = server(&[200]);
    let of = |by, pictures| config::Notify {
        url: Some(format!("http://127.0.0.1:{port}")),
        token_file: Some(token.clone()),
        to: Some("-100".to_owned()),
        pictures,
        ..rule(by, port)
    };
    let mut told = Told::new(&of(By::Telegram, false));
    told.tell(7);
    let (head, body) = text(&heard);
    assert!(head.starts_with("POST /bot12:ab/sendMessage HTTP/1.1\r\n"), "{head}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["chat_id"], "-100");
    assert!(body["text"].as_str().unwrap().starts_with("door: an open door ("));
    // The token is in the path, and in no message of ours.
    assert!(!told.teller.name.contains("12:ab"), "{}", told.teller.name);
    let mut told = Told::new(&of(By::Telegram, true));
    told.tell(7);
    let (head, body) = text(&heard);
    assert!(head.starts_with("POST /bot12:ab/sendPhoto HTTP/1.1\r\n"), "{head}");
    for part in
        ["name=\"chat_id\"\r\n\r\n-100\r\n", "name=\"photo\"; filename=\"picture.jpg\"", "name=\"caption\""]
    {
        assert!(body.contains(part), "{part}");
    }
    let mut told = Told::new(&of(By::Pushover, false));
    told.tell(0);
    let (head, body) = text(&heard);
    assert!(head.starts_with("POST /1/messages.json HTTP/1.1\r\n"), "{head}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&body["token"], &body["user"]), (&"12:ab".into(), &"-100".into()));
    let mut told = Told::new(&of(By::Pushover, true));
    told.tell(0);
    assert!(text(&heard).1.contains("name=\"attachment\"; filename=\"picture.jpg\""));
}

#[test]
fn what_fails_is_tried_again_in_order_and_what_is_refused_is_dropped() {
    // Busy, gone, busy: then the first is taken. The second is refused, the third taken.
    let (port, heard) = server(&[503, 0, 429, 200, 400, 200]);
    let mut told = Told::new(&config::Notify { message: Some("{event}".to_owned()), ..rule(By::Ntfy, port) });
    for event in [0, 2, 5] {
        told.tell(event);
    }
    let bodies: Vec<String> = (0..6).map(|_| text(&heard).1).collect();
    assert_eq!(bodies, ["appear", "appear", "appear", "appear", "enter", "cross"]);
    told.notifier.close();
    told.service.finish();
}

#[test]
fn an_absent_server_costs_nothing_but_the_oldest_messages() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut told = Told::new(&rule(By::Ntfy, port));
    for _ in 0..100 {
        told.tell(0);
    }
    let start = std::time::Instant::now();
    told.notifier.close();
    told.service.finish();
    assert!(start.elapsed() < Duration::from_secs(10));
    let mut waiting = 0;
    while told.notifier.queue.next().is_some() {
        waiting += 1;
    }
    assert!(waiting <= 32 && told.notifier.queue.take_dropped() >= 67, "{waiting}");
}

#[test]
fn addresses_are_shown_without_secrets_and_refused_with_what_to_type() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    std::fs::write(&file, "https://hooks.example/services/T0/secret\n").unwrap();
    let of = |url: Option<&str>| {
        let url_file = url.is_none().then(|| file.clone());
        let url = url.map(str::to_owned);
        Address::of(&config::Notify { url, url_file, ..config::Notify::default() })
    };
    assert_eq!(of(None).unwrap().shown, "webhook at hooks.example");
    let shown = of(Some("https://u:secret@h.example:8443/x?token=secret")).unwrap();
    assert_eq!((shown.shown.as_str(), shown.port, shown.is_name), ("https://h.example:8443/x", 8443, true));
    for (url, part) in [
        ("ftp://h/x", "the scheme ftp://"),
        ("nothing", "an invalid address"),
        ("http://", "invalid address"),
    ] {
        let line = of(Some(url)).err().unwrap().to_string();
        assert!(line.contains(part) && line.contains("expected https://host/"), "{line}");
    }
    let (port, _) = server(&[200]);
    let rule = config::Notify { token_file: Some(folder.path().join("none")), ..rule(By::Webhook, port) };
    assert!(Notifier::new(&rule).err().unwrap().to_string().contains("none"));
}
