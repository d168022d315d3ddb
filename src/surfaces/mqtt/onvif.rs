//! Events as ONVIF tells them over MQTT, for systems that manage cameras of many makers: one JSON object per event,
//! its topic that of the ONVIF event with the values of its source behind it.

use serde_json::json;

use crate::events::Event;
use crate::report::FrameReport;
use crate::sinks::utc;
use crate::surfaces::topics::level;

/// What stands for this program among the analytics of a device.
const ANALYTICS: &str = "edgeclip";

/// Topic (behind `onvif-ej/`) and payload of an event; `None` for those that ONVIF does not have.
pub(super) fn event(report: &FrameReport, event: &Event) -> Option<(String, String)> {
    let object = |track: &u64| json!({ "ObjectId": track.to_string() });
    let (topic, rule, data) = match event {
        Event::Cross { line, track, .. } => ("RuleEngine/LineDetector/Crossed", line, object(track)),
        Event::Dwell { zone, track, .. } => {
            ("RuleEngine/LoiteringDetector/ObjectIsLoitering", zone, object(track))
        }
        Event::Enter { zone, track, .. } | Event::Leave { zone, track, .. } => {
            let is_inside = matches!(event, Event::Enter { .. });
            let data = json!({ "ObjectId": track.to_string(), "IsInside": is_inside });
            ("RuleEngine/FieldDetector/ObjectsInside", zone, data)
        }
        Event::Occupancy { zone, count, label, .. } => {
            let data = json!({ "Count": count, "ClassTypes": &**label });
            ("RuleEngine/CountAggregation/OccupancyCounter", zone, data)
        }
        Event::Appear { track, label } => {
            let data = json!({ "ObjectId": track.to_string(), "ClassTypes": &**label });
            ("RuleEngine/ObjectDetection/Object", label, data)
        }
        Event::Disappear { .. } | Event::State { .. } | Event::Tag { .. } => return None,
    };
    let source = &*report.source;
    let payload = json!({
        "UtcTime": utc(report.time),
        "Source": { "VideoSource": source, "AnalyticsConfiguration": ANALYTICS, "Rule": &**rule },
        "Data": data,
    });
    Some((format!("{topic}/&{}/{ANALYTICS}/{}", level(source), level(rule)), payload.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Findings, samples::events};
    use crate::source::Picture;

    #[test]
    fn each_event_that_onvif_knows_has_its_topic_and_data() {
        let picture = Picture { name: String::new(), width: 2, height: 1, data: vec![0; 6] };
        let mut report = FrameReport::of_picture("gate cam", &picture, Findings::default());
        report.time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(1_795_327_200_123);
        let told: Vec<(String, String)> = events().iter().filter_map(|found| event(&report, found)).collect();
        let topics: Vec<&str> = told.iter().map(|(topic, _)| topic.as_str()).collect();
        let zone = "&gate cam/edgeclip/gate, _east";
        assert_eq!(
            topics,
            [
                "RuleEngine/ObjectDetection/Object/&gate cam/edgeclip/person".to_owned(),
                format!("RuleEngine/FieldDetector/ObjectsInside/{zone}"),
                format!("RuleEngine/FieldDetector/ObjectsInside/{zone}"),
                format!("RuleEngine/LoiteringDetector/ObjectIsLoitering/{zone}"),
                "RuleEngine/LineDetector/Crossed/&gate cam/edgeclip/kerb".to_owned(),
                format!("RuleEngine/CountAggregation/OccupancyCounter/{zone}"),
            ]
        );
        let crossed: serde_json::Value = serde_json::from_str(&told[4].1).unwrap();
        let expected = json!({
            "UtcTime": "2026-11-22T06:00:00.123Z",
            "Source": { "VideoSource": "gate cam", "AnalyticsConfiguration": "edgeclip", "Rule": "kerb" },
            "Data": { "ObjectId": "7" },
        });
        assert_eq!(crossed, expected);
    }
}
