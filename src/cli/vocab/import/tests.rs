use std::fs;
use std::path::Path;

use super::super::shown::Place;
use super::*;
use crate::geometry::Rect;

fn rect(x0: f32, y0: f32, x1: f32, y1: f32) -> Rect {
    Rect { x0, y0, x1, y1 }
}

/// Path, size, and names with places of each picture.
type Plain = (String, Option<(u32, u32)>, Vec<(String, Place)>);

fn plain(pictures: &[Shown]) -> Vec<Plain> {
    let one = |shown: &Shown| {
        let things = shown.things.iter().map(|thing| (thing.name.clone(), thing.place)).collect();
        (shown.path.display().to_string(), shown.size, things)
    };
    pictures.iter().map(one).collect()
}

fn of(asked: Vec<Asked>) -> Vec<Shown> {
    asked.into_iter().map(Result::unwrap).collect()
}

#[test]
fn coco_has_boxes_by_corner_and_size() {
    let json = r#"{"images": [{"id": 7, "file_name": "a/b.jpg", "width": 100, "height": 50}, {"id": 8, "file_name": "c.jpg"}],
        "categories": [{"id": 3, "name": "van"}], "info": {},
        "annotations": [{"id": 1, "image_id": 7, "category_id": 3, "bbox": [10, 5, 20, 30], "iscrowd": 0},
            {"image_id": 8, "category_id": 3, "bbox": [0, 0, 9, 9]}, {"image_id": 7, "category_id": 3, "bbox": [1, 1, 2, 2], "iscrowd": 1}]}"#;
    let found = plain(&coco::parse("c.json", json, Path::new("photos")).unwrap());
    let expected = [
        (
            "photos/a/b.jpg".to_owned(),
            Some((100, 50)),
            vec![("van".to_owned(), Place::Pixels(rect(10.0, 5.0, 30.0, 35.0)))],
        ),
        ("photos/c.jpg".to_owned(), None, vec![("van".to_owned(), Place::Pixels(rect(0.0, 0.0, 9.0, 9.0)))]),
    ];
    assert_eq!(found, expected);
    let error = |json: &str| coco::parse("c.json", json, Path::new("photos")).unwrap_err().to_string();
    assert!(error("[]").starts_with("c.json: found "));
    assert!(error(&json.replace("\"id\": 8", "\"id\": 9")).contains("found a box of image 8"));
    assert!(error(&json.replace("\"id\": 3", "\"id\": 4")).contains("found a box of category 3"));
    assert!(
        error(&json.replace("a/b.jpg", "../../etc/passwd"))
            .contains("found the picture \"../../etc/passwd\"")
    );
}

#[test]
fn yolo_has_centres_in_fractions_beside_the_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["images/train", "labels/train"] {
        fs::create_dir_all(at(name)).unwrap();
    }
    let yaml = "# mine\npath: ../data # somewhere\ntrain: images/train\nval:\nnc: 2\nnames:\n  0: our van\n  1: 'lorry'\n";
    fs::write(at("data.yaml"), yaml).unwrap();
    fs::write(at("images/train/a.jpg"), "x").unwrap();
    fs::write(at("images/train/b.jpg"), "x").unwrap();
    fs::write(at("labels/train/a.txt"), "1 0.5 0.5 0.2 0.4\n\n0 0.1 0.1 0.3 0.1 0.3 0.5\n").unwrap();
    let found = plain(&of(yolo::read(&at("data.yaml")).unwrap()));
    assert_eq!(found.len(), 1);
    assert!(found[0].0.ends_with("images/train/a.jpg"));
    let (name, Place::Fractions(r)) = &found[0].2[0] else { panic!("{found:?}") };
    assert_eq!(name, "lorry");
    assert!([(r.x0, 0.4), (r.y0, 0.3), (r.x1, 0.6), (r.y1, 0.7)].iter().all(|(a, b)| (a - b).abs() < 1e-6));
    // A polygon's bounds.
    assert_eq!(found[0].2[1], ("our van".to_owned(), Place::Fractions(rect(0.1, 0.1, 0.3, 0.5))));
    fs::write(at("labels/train/b.txt"), "2 0.5 0.5 0.2 0.4\n").unwrap();
    let error = yolo::read(&at("data.yaml")).unwrap().remove(1).unwrap_err().to_string();
    assert!(error.contains("b.txt, line 1: found class 2, expected 0 to 1"), "{error}");
    let names: [&str; 1] = ["van"];
    let names = names.map(str::to_owned);
    for bad in ["", "x 1 1 1 1", "0 1 1 1", "0 a b c d", "0 1 2 3 4 5 6 7"] {
        assert!(yolo::thing("a.txt, line 1", bad, &names).is_err(), "{bad}");
    }
    for (yaml, part) in [
        ("train: a\n", "no names"),
        ("names: [a]\n", "no train, val or test"),
        ("train: a\nnames:\n  0: a\n  2: b\n", "gaps"),
    ] {
        assert!(yolo::parse("d.yaml", yaml).unwrap_err().to_string().contains(part), "{yaml}");
    }
    for yaml in [
        "names: [a, \"b c\"]\ntrain: [x]\n",
        "train: x\nnames:\n- a\n- b c\n",
        "test:\n  - x\nnames: ['a', b c]",
    ] {
        let data = yolo::parse("d.yaml", yaml).unwrap();
        assert_eq!(
            format!("{data:?}"),
            r#"Data { path: None, folders: ["x"], names: ["a", "b c"] }"#,
            "{yaml}"
        );
    }
}

#[test]
fn voc_counts_pixels_from_one() {
    let xml = "<annotation><filename>a.jpg</filename><size><width>100</width><height>50</height></size>\
        <object><name>our van</name><bndbox><xmin>1</xmin><ymin>11</ymin><xmax>30</xmax><ymax>40</ymax></bndbox></object>\
        </annotation>";
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("Annotations")).unwrap();
    fs::create_dir_all(folder.path().join("JPEGImages")).unwrap();
    fs::write(folder.path().join("Annotations/a.xml"), xml).unwrap();
    let found = plain(&of(voc::read(folder.path()).unwrap()));
    assert!(found[0].0.ends_with("JPEGImages/a.jpg"), "{found:?}");
    assert_eq!(found[0].1, Some((100, 50)));
    assert_eq!(found[0].2, [("our van".to_owned(), Place::Pixels(rect(0.0, 10.0, 30.0, 40.0)))]);
    for bad in ["<a/>", "<annotation/>", &xml.replace("<xmin>1</xmin>", "")] {
        assert!(
            voc::parse("a.xml", bad, Path::new("p")).unwrap_err().to_string().starts_with("a.xml: found ")
        );
    }
}

#[test]
fn cvat_has_boxes_and_tags() {
    let xml = "<?xml version=\"1.0\"?><annotations><version>1.1</version><image id=\"0\" name=\"s/a.jpg\" width=\"100\" \
        height=\"50\"><box label=\"van\" xtl=\"1.5\" ytl=\"2\" xbr=\"30\" ybr=\"40\" occluded=\"0\"><attribute name=\"x\">y\
        </attribute></box><tag label=\"night\"/><points label=\"z\"/></image></annotations>";
    let found = plain(&cvat::parse("a.xml", xml, Path::new("p")).unwrap());
    let things = vec![
        ("van".to_owned(), Place::Pixels(rect(1.5, 2.0, 30.0, 40.0))),
        ("night".to_owned(), Place::Whole),
    ];
    assert_eq!(found, [("p/s/a.jpg".to_owned(), Some((100, 50)), things)]);
    for bad in ["<a/>", &xml.replace(" xtl=\"1.5\"", ""), &xml.replace("name=\"s/a.jpg\"", "")] {
        assert!(
            cvat::parse("a.xml", bad, Path::new("p")).unwrap_err().to_string().starts_with("a.xml: found ")
        );
    }
}

#[test]
fn label_studio_has_rectangles_in_per_cent_and_choices() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("van.jpg"), "x").unwrap();
    let json = r#"[{"data": {"image": "/data/upload/1/1a2b3c4d-van.jpg"}, "annotations": [
        {"result": [{"value": {"x": 10, "y": 20, "width": 30, "height": 40, "rectanglelabels": ["van"]}},
            {"value": {"choices": ["night"]}}, {"value": {"text": "?"}}]},
        {"was_cancelled": true, "result": [{"value": {"choices": ["no"]}}]}]},
        {"data": {"image": "/data/local-files/?d=photos/other.jpg"}, "annotations": [{"result": [{"value": {"choices": ["day"]}}]}]}]"#;
    let found = plain(&label_studio::parse("t.json", json, folder.path()).unwrap());
    assert_eq!(found.len(), 2);
    assert!(found[0].0.ends_with("/van.jpg") && found[1].0.ends_with("/photos/other.jpg"), "{found:?}");
    let (_, Place::Fractions(r)) = &found[0].2[0] else { panic!("{found:?}") };
    assert!([(r.x0, 0.1), (r.y0, 0.2), (r.x1, 0.4), (r.y1, 0.6)].iter().all(|(a, b)| (a - b).abs() < 1e-6));
    assert_eq!(found[0].2[1], ("night".to_owned(), Place::Whole));
    for bad in ["{}", "[{}]", r#"[{"data": {}}]"#, &json.replace("\"width\": 30, ", "")] {
        let message = label_studio::parse("t.json", bad, folder.path()).unwrap_err().to_string();
        assert!(message.starts_with("t.json: found "), "{message}");
    }
}

#[test]
fn a_folder_for_each_name() {
    let folder = tempfile::tempdir().unwrap();
    let error = folder::read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("found no folders in it"), "{error}");
    for name in ["van/1.jpg", "lorry/2.jpg", ".git/x.jpg"] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }
    fs::create_dir(folder.path().join("empty")).unwrap();
    let found = folder::read(folder.path()).unwrap();
    let names: Vec<String> = found
        .iter()
        .flatten()
        .map(|shown| format!("{} {:?}", shown.things[0].name, shown.things[0].place))
        .collect();
    assert_eq!(names, ["lorry Whole", "van Whole"]);
    assert!(
        found
            .iter()
            .filter_map(|shown| shown.as_ref().err())
            .all(|error| error.to_string().contains("empty"))
    );
    assert_eq!(found.len(), 3);
}
