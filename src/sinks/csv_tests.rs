use ::csv::Reader;

use super::*;
use crate::report::samples::events;
use crate::sinks::tests::frame_report;

/// The file's text after `reports`, each written by a newly opened sink.
fn table(things: Option<ShownBoxes>, reports: &[FrameReport]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.csv");
    for report in reports {
        Csv::new(Output::open(&path, Csv::OWN, false).unwrap(), things).take(report).unwrap();
    }
    std::fs::read_to_string(&path).unwrap()
}

#[test]
fn a_track_is_a_row_under_one_header() {
    let expected = "\
time,source,frame,kind,label,score,x0,y0,x1,y1,track,seen,zone,state,before,count,seconds
2026-11-22T06:00:00.123Z,/dev/video0,42,track,person,0.9123,40,60,120.1,200,7,true,,,,,1.235
2026-11-22T06:00:00.123Z,/dev/video0,42,track,dog,0.9123,200,100,300,180,9,false,,,,,1.235
";
    assert_eq!(table(Some(ShownBoxes::Tracks), &[frame_report()]), expected);
    let twice = table(Some(ShownBoxes::Tracks), &[frame_report(), frame_report()]);
    assert_eq!(twice.lines().filter(|line| line.starts_with("time,")).count(), 1);
    assert_eq!(twice.lines().count(), 5);
}

#[test]
fn detections_have_no_track() {
    let text = table(Some(ShownBoxes::Detections), &[frame_report()]);
    let row = "2026-11-22T06:00:00.123Z,/dev/video0,42,detection,person,0.9,40,60,120.1,200,,,,,,,";
    assert_eq!(text.lines().nth(1), Some(row));
    assert_eq!(text.lines().count(), 2);
}

#[test]
fn every_kind_of_event_has_its_columns() {
    let text = table(None, &[frame_report(), FrameReport { events: events(), ..frame_report() }]);
    let mut reader = Reader::from_reader(text.as_bytes());
    let rows: Vec<String> =
        reader.records().map(|row| row.unwrap().iter().skip(3).collect::<Vec<_>>().join("|")).collect();
    let place = "0.9123|40|60|120.1|200|7|true";
    let expected = [
        format!("appear|person|{place}|||||"),
        format!("disappear|person|{place}|||||12.346"),
        format!("enter|person|{place}|gate, \"east\"||||"),
        format!("leave|person|{place}|gate, \"east\"||||2.5"),
        format!("dwell|person|{place}|gate, \"east\"||||10"),
        format!("cross|person|{place}|kerb|forward||3|"),
        "occupancy|person||||||||gate, \"east\"||1|2|".to_owned(),
        "state||0.9123|||||||door|an open door|||".to_owned(),
        "state||0.8|||||||door|a closed door|an open door||".to_owned(),
        "tag|rain|0.75||||||||present|||".to_owned(),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn frames_in_which_nothing_is_to_be_told_leave_no_row() {
    assert_eq!(table(None, &[frame_report()]), "");
}
