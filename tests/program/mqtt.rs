//! `edgeclip run` with a broker: one of these tests, and Mosquitto where that is installed.

#[path = "../../src/surfaces/mqtt/tests/broker.rs"]
#[allow(dead_code, reason = "tests of the room use more of it")]
mod broker;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::tempdir;

use self::broker::{Broker, Seen};
use crate::common::film::{Studio, film};
use crate::common::live::{PATIENCE, Running};

/// A cat that stays, seen over and over at a camera's pace.
fn watched(folder: &Path, port: u16, rest: &str) -> Running {
    film(folder, "film.y4m", &vec![Studio::new().picture(Some(60)); 8], 8);
    let text = format!(
        "prompt = 'cat'\nfps = 8\n[[source]]\nurl = 'film.y4m'\nname = 'yard'\nrepeat = true\nreal_time = true\n\
         [[zone]]\nname = 'mat'\nbox = [0, 0, 1, 1]\n\
         [mqtt]\nurl = 'mqtt://127.0.0.1:{port}'\nid = 't'\nspool = 'spool'\n{rest}"
    );
    fs::write(folder.join("run.toml"), text).unwrap();
    Running::new(folder, &["--config", "run.toml", "--seal"])
}

#[test]
fn a_sealed_board_tells_a_broker_and_is_commanded() {
    if !crate::seal::can_seal() {
        return;
    }
    let (folder, broker) = (tempdir().unwrap(), Broker::start());
    let mut running = watched(folder.path(), broker.port, "");
    let config = "homeassistant/device/edgeclip_t/config";
    let mut values = BTreeMap::new();
    broker.wait(|seen| {
        if let Seen::Publish { topic, payload, .. } = seen {
            values.insert(topic.clone(), payload.clone());
        }
        let is = |topic: &str, value: &str| values.get(topic).is_some_and(|found| found == value);
        (is("edgeclip/t/yard/cat", "1") && is("edgeclip/t/mat/cat", "1") && values.contains_key(config))
            .then_some(())
    });
    let message: Value = serde_json::from_str(&values[config]).unwrap();
    assert_eq!(message["cmps"]["zone_mat_cat"]["p"], "binary_sensor");
    broker.publish("edgeclip/t/prompts/set", "dog, teapot = a red teapot");
    broker.wait(|seen| match seen {
        Seen::Publish { topic, payload, .. } => {
            (topic == config && payload.contains("yard_teapot") && payload.contains(r#""yard_cat":{"p":"#))
                .then_some(())
        }
        _ => None,
    });
    running.tells("reloaded prompts");
    // What cannot be looked for changes nothing. A file is never read.
    broker.publish("edgeclip/t/prompts/set", "@run.toml");
    broker.publish("edgeclip/t/prompts/set", "dog =");
    assert!(broker.value("edgeclip/t/error").contains("dog"));
    broker.publish("edgeclip/t/yard/detect/set", "OFF");
    broker.until("edgeclip/t/yard/detect/state", "OFF");
    broker.publish("edgeclip/t/yard/detect/set", "ON");
    broker.publish("edgeclip/t/prompts/set", "");
    broker.until("edgeclip/t/prompts/state", "cat");
    running.signal("TERM");
    broker.until("edgeclip/t/available", "stopped");
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.errors.iter().any(|line| line.contains("the seal has refused")), "{ended:?}");
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Mosquitto on a port of this machine.
struct Mosquitto {
    port: u16,
    child: Child,
}

impl Mosquitto {
    fn program() -> Option<&'static str> {
        let found = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/usr/bin/mosquitto"];
        let found = found.into_iter().find(|path| Path::new(path).exists());
        if found.is_none() {
            eprintln!("NOT CHECKED: no mosquitto here");
        }
        found
    }

    fn start(folder: &Path, port: u16) -> Option<Self> {
        Self::with(folder, port, "allow_anonymous true\n")
    }

    /// With these lines in its settings.
    fn with(folder: &Path, port: u16, rest: &str) -> Option<Self> {
        let file = folder.join("mosquitto.conf");
        // It knows its listeners after a restart, so that they miss nothing.
        let place = folder.display();
        let text = format!(
            "listener {port} 127.0.0.1\npersistence true\npersistence_location {place}/\nuser root\n{rest}"
        );
        fs::write(&file, text).unwrap();
        let mut command = Command::new(Self::program()?);
        let child = command.arg("-c").arg(file).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < PATIENCE, "mosquitto does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        Some(Self { port, child })
    }

    /// Lines of topic and payload of all that is published from now on.
    fn listen(&self) -> Option<(Child, impl Iterator<Item = String> + use<>)> {
        let port = self.port.to_string();
        let mut command = Command::new("mosquitto_sub");
        command
            .args(["-p", &port, "-t", "edgeclip/#", "-q", "1", "-v", "-c", "-i", "ears"])
            .stdout(Stdio::piped());
        let mut child = command.spawn().ok()?;
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        Some((child, lines))
    }
}

/// It saves what it knows, and leaves its clients without a word.
impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

#[test]
fn events_outlast_a_mosquitto_that_is_restarted() {
    let folder = tempdir().unwrap();
    let port = free_port();
    let Some(broker) = Mosquitto::start(folder.path(), port) else { return };
    let Some((mut ears, mut lines)) = broker.listen() else { return };
    // The cat comes and goes with each round of the film, twenty times.
    let studio = Studio::new();
    let frames: Vec<_> = (0..40).map(|i| studio.picture((i % 40 < 20).then_some(60))).collect();
    let film_of = film(folder.path(), "round.y4m", &frames, 20);
    let text = format!(
        "prompt = 'cat'\nfps = 20\n[track]\nlost_seconds = 0.2\n[[source]]\nurl = '{}'\nname = 'yard'\nrepeat = true\n\
         real_time = true\n[mqtt]\nurl = 'mqtt://127.0.0.1:{port}'\nid = 't'\nspool = 'spool'\n",
        film_of.display()
    );
    fs::write(folder.path().join("run.toml"), text).unwrap();
    let mut running = Running::new(folder.path(), &["--config", "run.toml", "--events-only"]);
    let appeared = |line: &String| {
        let (topic, payload) = line.split_once(' ')?;
        let event: Value = serde_json::from_str(payload).ok().filter(|_| topic.ends_with("/event/appear"))?;
        event["track"].as_u64()
    };
    let mut tracks = vec![lines.by_ref().find_map(|line| appeared(&line)).unwrap()];
    let _ = ears.kill();
    let _ = ears.wait();
    drop((lines, broker));
    // While nobody is there, things go on.
    let seen = |running: &mut Running| {
        running.until(|line| line["event"] == "appear").last().unwrap()["track"].as_u64().unwrap()
    };
    while seen(&mut running) < tracks[0] + 3 {}
    let broker = Mosquitto::start(folder.path(), port).unwrap();
    let (mut ears, mut lines) = broker.listen().unwrap();
    while tracks.last().is_some_and(|last| *last < tracks[0] + 5) {
        tracks.push(lines.by_ref().find_map(|line| appeared(&line)).unwrap());
    }
    let _ = ears.kill();
    let _ = ears.wait();
    running.signal("TERM");
    assert_eq!(running.end().code, Some(0));
    // One that was on its way may come twice.
    tracks.dedup();
    assert_eq!(tracks, (tracks[0]..=tracks[0] + 5).collect::<Vec<_>>());
}

/// Certificates of an authority, of a broker at 127.0.0.1 and of a client, by OpenSSL; false where there is none.
fn certificates(folder: &Path) -> bool {
    let script = "set -e
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 2
        for name in broker client other; do
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $name.key -out $name.csr -subj /CN=$name
            echo 'subjectAltName = IP:127.0.0.1' > $name.ext
            openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile $name.ext -days 2 -out $name.pem
        done
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout x.key -out other-ca.pem -subj /CN=x -days 2";
    let made = Command::new("sh").args(["-c", script]).current_dir(folder).output().unwrap();
    if !made.status.success() {
        eprintln!("NOT CHECKED: no openssl here ({})", String::from_utf8_lossy(&made.stderr));
    }
    made.status.success()
}

#[test]
fn both_sides_show_their_certificates() {
    let folder = tempdir().unwrap();
    let place = folder.path().display();
    if Mosquitto::program().is_none() || !certificates(folder.path()) {
        return;
    }
    let port = free_port();
    let tls = format!(
        "cafile {place}/ca.pem\ncertfile {place}/broker.pem\nkeyfile {place}/broker.key\n\
         require_certificate true\nuse_identity_as_username true\n"
    );
    let _broker = Mosquitto::with(folder.path(), port, &tls).unwrap();
    film(folder.path(), "film.y4m", &vec![Studio::new().picture(Some(60)); 8], 8);
    let run = |rest: &[&str]| {
        let url = format!("mqtt.url=mqtts://127.0.0.1:{port}");
        let fixed = [
            "--source",
            "film.y4m",
            "--repeat",
            "--real-time",
            "--prompt",
            "cat",
            "--format",
            "none",
            "--set",
            &url,
        ];
        let sets = rest.iter().flat_map(|set| ["--set", *set]);
        Running::new(folder.path(), &fixed.into_iter().chain(sets).collect::<Vec<_>>())
    };
    let client = ["mqtt.certificate=client.pem", "mqtt.key=client.key"];
    let mut good = run(&[&["mqtt.ca=ca.pem"][..], &client].concat());
    good.tells(": connected");
    good.signal("TERM");
    assert_eq!(good.end().code, Some(0));
    // Somebody else in the broker's place; a broker that is not shown a certificate.
    let mut stranger = run(&[&["mqtt.ca=other-ca.pem"][..], &client].concat());
    stranger.tells("invalid peer certificate");
    let mut unknown = run(&["mqtt.ca=ca.pem"]);
    unknown.tells("trying again");
    for mut running in [stranger, unknown] {
        assert!(!running.errors().iter().any(|line| line.ends_with(": connected")), "{:?}", running.errors());
        running.signal("TERM");
        running.end();
    }
    let mismatch = run(&["mqtt.ca=ca.pem", "mqtt.certificate=client.pem", "mqtt.key=other.key"]).end();
    assert_eq!(mismatch.code, Some(78), "{mismatch:?}");
    mismatch.told(&["client.pem: found", "expected a certificate with the key in mqtt.key"]);
}
