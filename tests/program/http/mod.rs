//! `edgeclip run --http`, asked over real sockets.

mod asked;
mod client;
mod documented;
mod harm;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::json;
use tempfile::tempdir;

use self::client::{Board, Messages};

#[test]
fn a_sealed_board_is_asked_and_commanded() {
    if !crate::seal::can_seal() {
        return;
    }
    let folder = tempdir().unwrap();
    let board = Board::start(folder.path(), "", &["--seal"]);
    board.ready();
    assert_eq!(board.get("/healthz").text(), "ok\n");
    let status = board.json("/api/v1/status");
    assert_eq!(
        (&status["pictures"], &status["history"], &status["ready"]),
        (&json!(false), &json!(true), &json!(true))
    );
    let camera = &status["cameras"][0];
    assert_eq!((&camera["id"], &camera["on"]), (&json!("yard"), &json!(true)));
    assert!(camera["width"].as_u64() > Some(0), "{status}");
    assert_eq!(board.json("/api/v1/cameras/yard")["id"], "yard");

    // What is looked for, with the answer once it is.
    assert_eq!(board.json("/api/v1/prompts")["prompts"], json!(["cat"]));
    let changed = board.put("/api/v1/prompts", r#"{"prompts":["dog","teapot = a red teapot"]}"#);
    assert_eq!(changed.status, 200, "{changed:?}");
    let names: Vec<String> =
        changed.json()["labels"].as_array().unwrap().iter().map(|label| label["name"].to_string()).collect();
    assert_eq!(names, ["\"dog\"", "\"teapot\""]);
    let refused = board.put("/api/v1/prompts", r#"{"prompts":"dog ="}"#);
    assert_eq!(refused.status, 422);
    assert!(refused.json()["error"]["message"].as_str().unwrap().contains("dog"), "{refused:?}");
    assert_eq!(board.put("/api/v1/prompts", r#"{"prompts":["@run.toml"]}"#).status, 200, "a word, no file");
    assert_eq!(board.put("/api/v1/prompts", r#"{"prompts":[]}"#).json()["prompts"], json!(["cat"]));
    let changed = board.put("/api/v1/thresholds/cat", r#"{"threshold":0.05}"#);
    assert_eq!(changed.json()["labels"][0]["threshold"], 0.05, "{changed:?}");
    assert_eq!(board.json("/api/v1/thresholds"), json!({"thresholds": {"cat": 0.05}}));
    for (path, body, status) in [
        ("/api/v1/thresholds/cat", r#"{"threshold":7}"#, 400),
        ("/api/v1/thresholds/cat", r#"{"treshold":0.5}"#, 400),
        ("/api/v1/thresholds/zebra", r#"{"threshold":0.5}"#, 404),
        ("/api/v1/prompts", r#"{"vocabulary":"../x"}"#, 400),
        ("/api/v1/prompts", "{}", 400),
        ("/api/v1/prompts", "[", 400),
        ("/api/v1/cameras/attic", r#"{"on":true}"#, 404),
    ] {
        let answer = board.put(path, body);
        assert_eq!(answer.status, status, "{path} {body}: {answer:?}");
        assert!(answer.json()["error"]["message"].as_str().unwrap().contains("found"), "{answer:?}");
    }

    // Where.
    assert_eq!(board.json("/api/v1/cameras/yard/places")["zones"][0]["name"], "mat");
    let places =
        r#"{"zones":[{"name":"left","points":[[0,0],[0.5,0],[0.5,1]]}],"masks":[{"box":[0,0,0.1,0.1]}]}"#;
    let changed = board.put("/api/v1/cameras/yard/places", places);
    assert_eq!((changed.status, &changed.json()["zones"][0]["name"]), (200, &json!("left")), "{changed:?}");
    assert_eq!(changed.json()["masks"][0]["box"][3], 0.1);
    let refused =
        board.put("/api/v1/cameras/yard/places", r#"{"zones":[{"name":"x","points":[[0,0],[9,9]]}]}"#);
    assert_eq!(refused.status, 422, "{refused:?}");
    let none = board.put("/api/v1/cameras/yard/places", r#"{"zones":[],"masks":[]}"#).json();
    assert_eq!(none, json!({"zones": [], "lines": [], "masks": []}), "not those of all sources again");
    let line =
        r#"{"lines":[{"name":"door","from":[0.5,0],"to":[0.5,1]}],"zones":[{"name":"mat","box":[0,0,1,1]}]}"#;
    assert_eq!(board.put("/api/v1/cameras/yard/places", line).json()["lines"][0]["name"], "door");

    // A pause, and on again.
    assert_eq!(board.put("/api/v1/cameras/yard", r#"{"on":false}"#).json()["on"], false);
    assert_eq!(board.put("/api/v1/cameras/yard", r#"{"on":true}"#).json()["on"], true);

    // Without permission, no picture.
    for path in ["frame.jpg", "stream.mjpeg", "snapshot.jpg"] {
        assert_eq!(board.get(&format!("/api/v1/cameras/yard/{path}")).status, 404, "{path}");
    }
    let metrics = board.until("/metrics", |answer| answer.text().contains("edgeclip_frames_looked_total{"));
    assert!(metrics.header("Content-Type").unwrap().contains("version=0.0.4"));
    assert!(
        metrics.text().contains(r#"edgeclip_latency_seconds_count{source="yard"}"#),
        "{}",
        metrics.text()
    );
    board.running.signal("TERM");
    let ended = board.running.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.errors.iter().any(|line| line.contains("the seal has refused")), "{ended:?}");
}

#[test]
fn what_happens_is_told_and_shown() {
    let folder = tempdir().unwrap();
    let board = Board::start(folder.path(), "pictures = true\nstream_width = 64\n", &["--seal"]);
    board.ready();
    let mut live = Messages::open(&board, "/api/v1/live", "");
    let (_, frame) = live.next("frame");
    assert_eq!(
        (&frame["camera"], &frame["type"], &frame["source"]),
        (&json!("yard"), &json!("frame"), &json!("yard"))
    );
    assert!(live.next("status").1["fps_looked"].is_number());
    // Something else is looked for, and what is there appears anew.
    let listed = board.until("/api/v1/events?kind=appear", |answer| answer.json()["events"][0].is_object());
    let event = &listed.json()["events"][0];
    assert_eq!(
        (&event["label"], &event["camera"], &event["event"]),
        (&json!("cat"), &json!("yard"), &json!("appear"))
    );
    let id = event["id"].as_str().unwrap();
    assert_eq!(board.json(&format!("/api/v1/events/{id}"))["object"], event["object"]);
    let picture = board.get(&format!("/{}", event["picture"].as_str().unwrap()));
    assert_eq!((picture.status, &picture.body[..3]), (200, &[0xff, 0xd8, 0xff][..]));
    // A reader that comes back is told what it has missed.
    let mut again = Messages::open(&board, "/api/v1/live?types=event", "Last-Event-ID: 1-5\r\n");
    assert_eq!(again.next("event").0, board_first(&board));
    assert_eq!(board.put("/api/v1/thresholds/cat", r#"{"threshold":0.06}"#).status, 200);
    live.next("changed");

    let frame = board.get("/api/v1/cameras/yard/frame.jpg");
    assert_eq!((frame.status, frame.header("Content-Type")), (200, Some("image/jpeg")), "{}", frame.head);
    let size = image_size(&frame.body);
    assert_eq!(size.0, 64);
    assert_eq!(frame.header("X-Width"), Some("320"), "{}", frame.head);
    let full = board.get("/api/v1/cameras/yard/snapshot.jpg");
    assert_eq!(image_size(&full.body).0, 320);
    assert_eq!(board.get("/api/v1/cameras/yard/frame.jpg?boxes=2").status, 400);
    let mut stream = board.send("GET", "/api/v1/cameras/yard/stream.mjpeg?boxes=1", "", b"");
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    while bytes.windows(10).filter(|ten| *ten == b"\r\nX-Frame:").count() < 3 {
        let length = stream.read(&mut piece).unwrap();
        assert!(length > 0);
        bytes.extend(&piece[..length]);
    }
    assert!(String::from_utf8_lossy(&bytes[..600]).contains("multipart/x-mixed-replace; boundary=frame"));

    // As Frigate's clients ask.
    assert_eq!(board.get("/api/version").text(), env!("CARGO_PKG_VERSION"));
    let config = board.json("/api/config");
    assert_eq!(config["cameras"]["yard"]["zones"]["mat"]["objects"], json!(["cat"]));
    assert!(config["mqtt"]["topic_prefix"].is_string());
    let stats =
        board.until("/api/stats", |answer| answer.json()["cameras"]["yard"]["camera_fps"].is_number()).json();
    assert!(
        stats["service"]["uptime"].is_number()
            && stats["detectors"]["edgeclip"]["inference_speed"].is_number()
    );
    let objects = board.json("/api/events?camera=yard&label=cat&limit=5&cameras=all");
    let object = objects[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(board.json(&format!("/api/events/{object}"))["label"], "cat");
    assert_eq!(board.json("/api/events?label=zebra"), json!([]));
    assert_eq!(board.get(&format!("/api/events/{object}/snapshot.jpg")).status, 200);
    assert_eq!(board.get("/api/yard/latest.jpg?h=100").status, 200);
    assert_eq!(board.json("/api/review"), json!([]));

    // The page.
    let page = board.get("/");
    assert!(page.header("Content-Security-Policy").unwrap().contains("script-src 'self'"), "{}", page.head);
    let tag = format!("If-None-Match: {}\r\n", page.header("ETag").unwrap());
    assert_eq!(board.ask("GET", "/", &tag, b"").status, 304);
    let bare = board.ask("HEAD", "/", "", b"");
    assert_eq!(bare.status, 200);
    let described = board.json("/api/v1/openapi.json");
    assert!(described["paths"]["/api/v1/live"]["get"].is_object());
}

/// The id of the first event that is kept.
fn board_first(board: &Board) -> String {
    let all = board.json("/api/v1/events?limit=500")["events"].as_array().unwrap().clone();
    all.last().unwrap()["id"].as_str().unwrap().to_owned()
}

fn image_size(jpeg: &[u8]) -> (u32, u32) {
    let mut at = 2;
    loop {
        let (marker, length) = (jpeg[at + 1], usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]])));
        if (0xc0..=0xc2).contains(&marker) {
            let side = |from: usize| u32::from(u16::from_be_bytes([jpeg[from], jpeg[from + 1]]));
            return (side(at + 7), side(at + 5));
        }
        at += 2 + length;
    }
}

#[test]
fn a_token_is_asked_for_at_once() {
    let folder = tempdir().unwrap();
    let new = |name: &str| {
        let made = Command::new(env!("CARGO_BIN_EXE_edgeclip"))
            .args(["token", "new", "tokens", "--name", name])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    };
    let (phone, site) = (new("phone"), new("site"));
    let file = folder.path().join("tokens");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let kept = fs::read_to_string(&file).unwrap();
    assert!(kept.lines().count() == 2 && !kept.contains(&phone) && kept.contains("phone"), "{kept}");
    let mut board = Board::start(folder.path(), "token_file = 'tokens'\ncommands = false\n", &[]);
    board.ready();
    for path in ["/api/v1/status", "/metrics", "/api/version", "/nothing/here", "/api/v1/live"] {
        let (started, answer) = (Instant::now(), board.get(path));
        assert_eq!(
            (answer.status, answer.header("WWW-Authenticate")),
            (401, Some("Bearer realm=\"edgeclip\"")),
            "{path}"
        );
        assert!(started.elapsed().as_millis() < 1000, "{path}: {:?}", started.elapsed());
    }
    assert_eq!((board.get("/healthz").status, board.get("/").status), (200, 200));
    for token in [&phone, &site] {
        board.lines = format!("Authorization: Bearer {token}\r\n");
        assert_eq!(board.get("/api/v1/status").status, 200);
    }
    // Commands are not obeyed.
    assert_eq!(board.put("/api/v1/prompts", r#"{"prompts":["dog"]}"#).status, 403);
    board.lines = String::new();
    let log_in = |token: &str| {
        let body = json!({ "token": token }).to_string();
        board.ask("POST", "/api/v1/login", "Content-Type: application/json\r\n", body.as_bytes())
    };
    let cookie = log_in(&phone).header("Set-Cookie").unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(board.ask("GET", "/api/v1/status", &format!("Cookie: {cookie}\r\n"), b"").status, 200);
    let wrong: Vec<u16> = (0..12).map(|_| log_in("guess").status).collect();
    assert_eq!((wrong[0], wrong[11]), (401, 429));
    // Whoever has a token is answered all the same.
    assert_eq!(board.ask("GET", "/api/v1/status", &format!("Cookie: {cookie}\r\n"), b"").status, 200);
}

#[test]
fn what_is_not_safe_is_not_started() {
    let folder = tempdir().unwrap();
    let run = |listen: &str, rest: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_edgeclip"));
        command.args(["run", "--source", "film.y4m", "--prompt", "cat", "--http", listen]).args(rest);
        let ended = command.current_dir(folder.path()).output().unwrap();
        (ended.status.code(), String::from_utf8_lossy(&ended.stderr).into_owned())
    };
    let (code, told) = run("0.0.0.0:8080", &[]);
    assert!(code == Some(78) && told.contains("edgeclip token new FILE"), "{told}");
    let (code, told) = run("0.0.0.0:8080", &["--set", "http.token_file=tokens"]);
    assert!(code == Some(78) && told.contains("http.certificate and http.key"), "{told}");
    let (code, told) = run("everywhere", &[]);
    assert!(code == Some(78) && told.contains("such as 127.0.0.1:8080"), "{told}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (code, told) = run(&taken.local_addr().unwrap().to_string(), &[]);
    assert!(code == Some(78) && told.contains("http.listen 127.0.0.1:"), "{told}");
}

/// Makes a certificate for this machine; whether that was possible here.
fn certificate(folder: &std::path::Path) -> bool {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=camera", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-keyout", "key.pem", "-out", "certificate.pem"])
        .current_dir(folder)
        .output();
    let made = made.is_ok_and(|made| made.status.success());
    if !made {
        eprintln!("NOT CHECKED: no openssl here");
    }
    made
}

#[test]
fn the_certificate_is_shown_and_the_clear_is_not_answered() {
    let folder = tempdir().unwrap();
    if !certificate(folder.path()) {
        return;
    }
    let board = Board::start(folder.path(), "certificate = 'certificate.pem'\nkey = 'key.pem'\n", &[]);
    let mut shaken = Command::new("openssl")
        .args(["s_client", "-quiet", "-verify_return_error", "-CAfile", "certificate.pem", "-connect"])
        .arg(format!("127.0.0.1:{}", board.port))
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let request =
        format!("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n", board.port);
    shaken.stdin.as_mut().unwrap().write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    shaken.stdout.as_mut().unwrap().read_to_string(&mut answer).unwrap();
    shaken.wait().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("ok\n"), "{answer}");
    let mut clear = board.connect();
    clear.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = clear.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}
