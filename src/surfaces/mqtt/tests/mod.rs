//! The connection and all that goes over it, against a broker of these tests.

mod broker;

use std::sync::mpsc::channel;
use std::time::{Duration, SystemTime};

use self::broker::{Broker, Manner, Seen};
use super::samples::inventory;
use super::*;
use crate::events::Event;
use crate::geometry::Rect;
use crate::report::{Findings, FrameReport};
use crate::source::Picture;
use crate::surfaces::Command;
use crate::surfaces::service::Service;
use crate::track::Track;

const PREFIX: &str = "edgeclip/3f2a";

fn settings(broker: &Broker) -> config::Mqtt {
    config::Mqtt {
        url: format!("mqtt://127.0.0.1:{}", broker.port),
        id: Some("3f2a".to_owned()),
        ..config::Mqtt::default()
    }
}

/// A connection that is served.
struct Served(Mqtt, Service);

impl Served {
    fn finish(&self) {
        self.0.close();
        self.1.finish();
    }
}

impl std::ops::Deref for Served {
    type Target = Mqtt;

    fn deref(&self) -> &Mqtt {
        &self.0
    }
}

/// Connects, and looks for what the sample says. Commands come back.
fn started(settings: &config::Mqtt) -> (Served, std::sync::mpsc::Receiver<Command>) {
    let mut mqtt = Mqtt::new(settings).unwrap();
    let (sender, commands) = channel();
    mqtt.listener().planned(inventory());
    let task = mqtt.task(Arc::new(move |command, _| sender.send(command).unwrap())).unwrap();
    let service = Service::start(vec![task]).unwrap();
    (Served(mqtt, service), commands)
}

fn topic(rest: &str) -> String {
    format!("{PREFIX}/{rest}")
}

fn picture() -> Picture {
    Picture { name: String::new(), width: 64, height: 48, data: vec![100; 64 * 48 * 3] }
}

/// A frame of the yard, some milliseconds after the first.
fn report(milliseconds: u64, tracks: Vec<Track>, events: Vec<Event>) -> FrameReport {
    let mut report = FrameReport::of_picture("yard", &picture(), Findings::default());
    report.time =
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_327_200) + Duration::from_millis(milliseconds);
    (report.tracks, report.events) = (tracks, events);
    report
}

fn person(id: u64, score: f32, x: f32) -> Track {
    let rect = Rect { x0: x, y0: 10.0, x1: x + 8.0, y1: 26.0 };
    let age = Duration::from_millis(500);
    Track { id, label: "person".into(), score, rect, velocity: [0.0; 2], seen: true, age }
}

fn appear(track: u64) -> Event {
    Event::Appear { track, label: "person".into() }
}

#[test]
fn a_board_introduces_itself_and_says_goodbye() {
    let broker = Broker::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    fs::write(&file, "hunter2\n").unwrap();
    let mut settings = settings(&broker);
    (settings.user, settings.password_file) = (Some("gate".to_owned()), Some(file));
    let (mqtt, _) = started(&settings);
    let seen = broker.wait(|seen| matches!(seen, Seen::Connect { .. }).then(|| seen.clone()));
    let expected = Seen::Connect {
        client: "edgeclip-3f2a".to_owned(),
        user: Some("gate".to_owned()),
        password: Some(b"hunter2".to_vec()),
        will: (topic("available"), b"offline".to_vec()),
    };
    assert_eq!(seen, expected);
    let topics =
        broker.wait(|seen| if let Seen::Subscribe(topics) = seen { Some(topics.clone()) } else { None });
    assert!(topics.contains(&topic("prompts/set")) && topics.contains(&"homeassistant/status".to_owned()));
    let mut retained = std::collections::BTreeMap::new();
    broker.wait(|seen| {
        let Seen::Publish { topic, payload, retain: true, .. } = seen else { return None };
        retained.insert(topic.clone(), payload.clone());
        // The last of all.
        (topic == "homeassistant/device/edgeclip_3f2a/config").then_some(())
    });
    for (name, value) in [
        ("available", "online"),
        ("yard/person", "0"),
        ("drive/person", "0"),
        ("prompts/state", "person, red bus, rain"),
    ] {
        assert_eq!(retained.get(&topic(name)).map(String::as_str), Some(value), "{name}");
    }
    mqtt.finish();
    broker.until(&topic("available"), "stopped");
    broker.wait(|seen| (*seen == Seen::Disconnect).then_some(()));
}

#[test]
fn what_happens_is_told_in_events_and_counts() {
    let broker = Broker::start();
    let mut settings = settings(&broker);
    (settings.onvif, settings.discovery) = (true, false);
    let (mqtt, _) = started(&settings);
    broker.until(&topic("yard/person"), "0");
    let mut sink = mqtt.sink(Painter::new(crate::report::ShownBoxes::Tracks)).unwrap();
    let enter = Event::Enter { zone: "drive".into(), track: 7, label: "person".into() };
    let occupied = Event::Occupancy { zone: "drive".into(), label: "person".into(), count: 1, before: 0 };
    sink.take(&report(0, vec![person(7, 0.6, 10.0)], vec![appear(7), enter, occupied])).unwrap();
    let crossed = Event::Cross {
        line: "door".into(),
        track: 7,
        label: "person".into(),
        forward: true,
        forwards: 3,
        backwards: 1,
    };
    let open = Event::State { zone: "gate".into(), state: "open".into(), before: None, probability: 0.9 };
    let rain = Event::Tag { label: "rain".into(), present: true, score: 0.8 };
    sink.take(&report(1000, vec![person(7, 0.61, 40.0)], vec![crossed, open, rain])).unwrap();
    let gone = Event::Disappear { track: 7, label: "person".into(), stayed: Duration::from_secs(2) };
    sink.take(&report(2000, Vec::new(), vec![gone])).unwrap();
    mqtt.finish();
    let mut last = std::collections::BTreeMap::new();
    let mut events = Vec::new();
    let mut lines = Vec::new();
    broker.wait(|seen| {
        let Seen::Publish { topic, payload, retain, .. } = seen else { return None };
        let rest = topic.strip_prefix("edgeclip/3f2a/").unwrap_or(topic).to_owned();
        if rest == "events" {
            events.push(serde_json::from_str::<serde_json::Value>(payload).unwrap());
        } else if rest.contains("/event/") {
            lines.push(serde_json::from_str::<serde_json::Value>(payload).unwrap());
        }
        assert_eq!(
            *retain,
            !(rest == "events"
                || rest == "triggers"
                || rest.contains("/event/")
                || rest.starts_with("onvif-ej/")),
            "{topic}"
        );
        last.insert(rest, payload.clone());
        (payload == "stopped").then_some(())
    });
    for (name, value) in [
        ("yard/person", "0"),
        ("yard/all", "0"),
        ("drive/person", "1"),
        ("drive/all", "1"),
        ("yard/line/door/person/forward", "3"),
        ("yard/line/door/person/backward", "1"),
        ("yard/classification/gate", "open"),
        ("yard/tag/rain", "ON"),
    ] {
        assert_eq!(last.get(name).map(String::as_str), Some(value), "{name}: {:?}", last.keys());
    }
    let kinds: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["appear", "enter", "occupancy", "cross", "state", "tag", "disappear"]);
    assert_eq!((&lines[0]["source"], &lines[0]["type"]), (&"yard".into(), &"event".into()));
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["new", "end"]);
    let (begin, end) = (&events[0]["after"], &events[1]["after"]);
    let id = begin["id"].as_str().unwrap();
    let (start, letters) = id.split_once('-').unwrap();
    assert_eq!((start, letters.len(), &end["id"]), ("1795327199.500000", 6, &id.into()));
    assert_eq!(begin["current_zones"], serde_json::json!(["drive"]));
    assert_eq!(begin["box"], serde_json::json!([10, 10, 18, 26]));
    assert_eq!((&begin["end_time"], &begin["camera"]), (&serde_json::Value::Null, &"yard".into()));
    assert_eq!((end["end_time"].as_f64(), &end["position_changes"]), (Some(1_795_327_201.0), &1.into()));
    assert_eq!(end["entered_zones"], serde_json::json!(["drive"]));
    assert_eq!(events[1]["before"], *begin);
    assert!(
        last.keys().any(|name| name == "onvif-ej/RuleEngine/LineDetector/Crossed/&yard/edgeclip/door"),
        "{:?}",
        last.keys()
    );
    let trigger: serde_json::Value = serde_json::from_str(&last["triggers"]).unwrap();
    assert_eq!((&trigger["name"], &trigger["event_id"]), (&"person".into(), &id.into()));
}

#[test]
fn events_outlast_a_broker_that_is_away_and_come_in_order() {
    let broker = Broker::start();
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(&broker);
    (settings.spool, settings.discovery) = (Some(folder.path().join("spool")), false);
    let (mqtt, _) = started(&settings);
    broker.until(&topic("yard/person"), "0");
    let mut sink = mqtt.sink(Painter::new(crate::report::ShownBoxes::Tracks)).unwrap();
    let mut ids = Vec::new();
    let mut seen_again = 0;
    for round in 0..3_u64 {
        // It hangs up in the middle of events.
        broker.behave(Manner { answers: Some(9), ..Manner::default() });
        for i in 0..30 {
            let id = 1 + round * 30 + i;
            sink.take(&report(id * 100, vec![person(id, 0.6, 10.0)], vec![appear(id)])).unwrap();
            let gone = Event::Disappear { track: id, label: "person".into(), stayed: Duration::ZERO };
            sink.take(&report(id * 100 + 50, Vec::new(), vec![gone])).unwrap();
        }
        let mut count = |seen: &Seen| {
            if let Seen::Publish { topic, payload, again, .. } = seen
                && topic.ends_with("/event/appear")
            {
                let line: serde_json::Value = serde_json::from_str(payload).unwrap();
                ids.push((line["track"].as_u64().unwrap(), *again));
            }
        };
        broker.wait(|seen| {
            count(seen);
            (*seen == Seen::Gone).then_some(())
        });
        broker.behave(Manner::default());
        let last = 30 * (round + 1);
        broker.wait(|seen| {
            count(seen);
            matches!(seen, Seen::Publish { topic, payload, .. }
                if topic.ends_with("/event/disappear") && payload.contains(&format!("\"track\":{last},")))
            .then_some(())
        });
    }
    drop(sink);
    mqtt.finish();
    // In order, none missing; what comes twice is marked, and was on its way when the connection broke.
    let mut expected = 1;
    for (id, again) in ids {
        assert!(id == expected || again && id < expected, "{id} after {expected}");
        seen_again += u32::from(id < expected);
        expected = expected.max(id + 1);
    }
    assert_eq!(expected, 91);
    assert!(seen_again < 30, "{seen_again}");
    let left: Vec<_> =
        fs::read_dir(folder.path().join("spool")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["lock"]);
}

#[test]
fn commands_are_obeyed_and_what_cannot_be_is_said() {
    let broker = Broker::start();
    let (mqtt, commands) = started(&settings(&broker));
    broker.until(&topic("yard/person"), "0");
    let patience = Duration::from_secs(20);
    broker.publish(&topic("prompts/set"), "cat, dog");
    assert_eq!(commands.recv_timeout(patience).unwrap(), Command::Prompts("cat, dog".to_owned()));
    broker.publish(&topic("threshold/person/set"), "0.75");
    let threshold = Command::Threshold { label: "person".to_owned(), score: 0.75 };
    assert_eq!(commands.recv_timeout(patience).unwrap(), threshold);
    broker.publish(&topic("yard/detect/set"), "OFF");
    assert_eq!(commands.recv_timeout(patience).unwrap(), Command::Detect { source: 0, on: false });
    broker.publish(&topic("threshold/person/set"), "much");
    let error = broker.value(&topic("error"));
    assert!(error.contains("found \\\"much\\\", expected a score"), "{error}");
    // The board looks for something else now: what is gone is taken back.
    let mut other = inventory();
    other.labels.retain(|label| &*label.name != "red bus");
    other.prompts = Some("person, rain".to_owned());
    mqtt.listener().planned(other);
    let mut seen = std::collections::BTreeMap::new();
    let config = "homeassistant/device/edgeclip_3f2a/config";
    broker.wait(|found| {
        if let Seen::Publish { topic, payload, .. } = found {
            seen.insert(topic.clone(), payload.clone());
        }
        let both =
            seen.get(config).is_some_and(|text| text.contains(r#""yard_red_bus":{"p":"binary_sensor"}"#))
                && seen.get(&topic("yard/red bus")).is_some_and(String::is_empty)
                && seen.get(&topic("prompts/state")).is_some_and(|text| text == "person, rain");
        both.then_some(())
    });
    // Home Assistant has been started again.
    broker.publish("homeassistant/status", "online");
    let message: serde_json::Value = serde_json::from_str(&broker.value(config)).unwrap();
    assert!(message["cmps"]["yard_person"]["uniq_id"].is_string());
    mqtt.finish();
}

#[test]
fn entities_of_an_earlier_run_are_removed() {
    let broker = Broker::start();
    let config = "homeassistant/device/edgeclip_3f2a/config";
    broker.keep(config, r#"{"cmps":{"yard_zebra":{"p":"sensor","uniq_id":"x"}}}"#);
    let (mqtt, _) = started(&settings(&broker));
    broker.wait(|seen| match seen {
        Seen::Publish { topic, payload, .. } => {
            (topic == config && payload.contains(r#""yard_zebra":{"p":"sensor"}"#)).then_some(())
        }
        _ => None,
    });
    mqtt.finish();
    drop(mqtt);
    // Without discovery, nothing is left of the device.
    let (mqtt, _) = started(&config::Mqtt { discovery: false, ..settings(&broker) });
    broker.until(config, "");
    mqtt.finish();
}

#[test]
fn pictures_are_sent_of_what_appears_and_when_asked() {
    let broker = Broker::start();
    let (mqtt, _) = started(&config::Mqtt { pictures: true, discovery: false, ..settings(&broker) });
    broker.until(&topic("yard/snapshots/state"), "ON");
    let painter = || Painter::new(crate::report::ShownBoxes::Tracks);
    assert!(mqtt.sink(painter()).is_none());
    let mut sink = mqtt.picture_sink(painter()).unwrap();
    sink.take(&report(0, vec![person(1, 0.6, 10.0)], vec![appear(1)]), Some(&picture())).unwrap();
    assert!(broker.value(&topic("yard/person/snapshot")).starts_with("\u{fffd}\u{fffd}\u{fffd}"));
    broker.publish(&topic("yard/snapshots/set"), "off");
    broker.until(&topic("yard/snapshots/state"), "OFF");
    sink.take(&report(3000, vec![person(2, 0.6, 10.0)], vec![appear(2)]), Some(&picture())).unwrap();
    broker.publish(&topic("yard/snapshot/request"), "");
    let mut asked = 4000;
    let shown = broker.wait(|seen| {
        asked += 100;
        sink.take(
            &report(asked, Vec::new(), vec![Event::Tag { label: "rain".into(), present: true, score: 1.0 }]),
            Some(&picture()),
        )
        .unwrap();
        match seen {
            Seen::Publish { topic, .. } if topic.ends_with("snapshot") => Some(topic.clone()),
            _ => None,
        }
    });
    assert_eq!(shown, topic("yard/snapshot"));
    mqtt.finish();
}

#[test]
fn a_broker_that_refuses_is_tried_again() {
    let broker = Broker::start();
    broker.behave(Manner { refuses: Some(5), ..Manner::default() });
    let (mqtt, _) = started(&settings(&broker));
    broker.wait(|seen| matches!(seen, Seen::Connect { .. }).then_some(()));
    broker.behave(Manner::default());
    broker.until(&topic("available"), "online");
    mqtt.finish();
    let away = config::Mqtt { url: "mqtt://127.0.0.1:1".to_owned(), ..settings(&broker) };
    // One that is not there keeps nobody waiting.
    let (mqtt, _) = started(&away);
    mqtt.finish();
}
