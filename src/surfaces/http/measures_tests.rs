use std::time::SystemTime;

use super::*;
use crate::report::Findings;
use crate::sinks::SinkStatus;
use crate::source::Picture;

#[test]
fn what_is_scraped_has_types_and_adds_up() {
    let picture = Picture { name: String::new(), width: 1, height: 1, data: vec![0; 3] };
    let mut measures = Measures::default();
    for milliseconds in [4, 40, 400, 40_000] {
        let mut report = FrameReport::of_picture("a \"b\"", &picture, Findings::default());
        report.latency = Duration::from_millis(milliseconds);
        report.events =
            vec![Event::Occupancy { zone: "yard".into(), label: "cat".into(), count: 2, before: 1 }];
        measures.add(&report);
    }
    let status = Status {
        source: "a".into(),
        time: SystemTime::UNIX_EPOCH,
        fps_captured: 30.0,
        fps_looked: 7.5,
        captured: 1000,
        looked: 250,
        dropped: 750,
        broken: 0,
        stalled: 1,
        latency: None,
        stages: None,
        temperature: Some(61.5),
        throttled: Vec::new(),
        rate: 1.0,
        behind: false,
        sinks: vec![SinkStatus { name: "x".into(), lag: Duration::ZERO, write: None, lost: 3, failed: 0 }],
    };
    let text = exposition(&[("version", "1")], &[("a \"b\"".to_owned(), measures, Some(status))]);
    for line in [
        "edgeclip_build_info{version=\"1\"} 1",
        "# TYPE edgeclip_frames_looked_total counter",
        r#"edgeclip_frames_looked_total{source="a \"b\""} 250"#,
        r#"edgeclip_latency_seconds_bucket{source="a \"b\"",le="0.005"} 1"#,
        r#"edgeclip_latency_seconds_bucket{source="a \"b\"",le="0.5"} 3"#,
        r#"edgeclip_latency_seconds_bucket{source="a \"b\"",le="+Inf"} 4"#,
        r#"edgeclip_latency_seconds_count{source="a \"b\""} 4"#,
        r#"edgeclip_stage_seconds_count{source="a \"b\"",stage="vision"} 4"#,
        r#"edgeclip_zone_occupancy{source="a \"b\"",zone="yard",label="cat"} 2"#,
        r#"edgeclip_events_total{source="a \"b\"",kind="occupancy"} 4"#,
        "edgeclip_temperature_celsius{sensor=\"hottest\"} 61.5",
        r#"edgeclip_sink_lost_total{sink="x"} 3"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    // Each family once, before its samples.
    let mut families: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let count = families.len();
    families.sort_unstable();
    families.dedup();
    assert_eq!(families.len(), count);
}

#[test]
fn names_without_end_are_counted_together() {
    let mut counts = BTreeMap::new();
    for number in 0..1000 {
        *bounded(&mut counts, &number.to_string().into()) += 1;
    }
    assert_eq!((counts.len(), counts[OTHERS]), (LABELS + 1, 1000 - LABELS as u64));
}
