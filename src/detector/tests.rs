use std::thread;

use super::*;
use crate::error::ErrorKind;
use crate::frame::{Frame, PixelFormat};
use crate::report::Grid;

fn picture(name: &str) -> Picture {
    Picture::open(format!("tests/data/{name}.jpg")).unwrap()
}

#[test]
fn prompts_change_without_another_model_and_errors_leave_them() {
    let mut detector = Detector::builder().threads(1).build().unwrap();
    let cat = picture("cat");
    let error = detector.detect(&cat).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Settings);
    assert!(error.to_string().contains("expected a call of `prompts` or `vocabulary`"), "{error}");
    assert!(detector.labels().is_empty());

    detector.set_prompts(vec!["pet = cat".to_owned(), "dog".to_owned()]).unwrap();
    let found = detector.detect(&cat).unwrap();
    assert_eq!(&*found.detections[0].label, "pet");
    assert_eq!(&*found.tags[0].label, "pet");
    for bad in [&["", " "][..], &["a = cat", "a = dog"], &["= x"]] {
        assert_eq!(detector.set_prompts(bad).unwrap_err().kind(), ErrorKind::Settings, "{bad:?}");
    }
    assert_eq!(detector.labels(), ["pet".into(), "dog".into()]);

    detector.release_text_tower();
    detector.set_prompts(["violin"]).unwrap();
    assert!(detector.detect(&cat).unwrap().detections.is_empty());
}

#[test]
fn a_vocabulary_file_and_a_borrowed_frame_give_the_same_as_prompts_and_a_picture() {
    let detector = Detector::builder().threads(1).prompts(["cat", "dog"]).threshold(0.2).build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pets.vocab.safetensors");
    std::fs::write(&file, detector.vocabulary.as_ref().unwrap().to_bytes().unwrap()).unwrap();
    let other = Detector::builder().threads(2).vocabulary(&file).threshold(0.2).build().unwrap();
    let cat = picture("cat");
    let frame =
        Frame::new(&cat.data, cat.width, cat.height, cat.width as usize * 3, PixelFormat::Rgb8).unwrap();
    let found = thread::scope(|scope| scope.spawn(|| other.detect(&frame).unwrap()).join().unwrap());
    let expected = detector.detect(&cat).unwrap();
    assert_eq!((found.detections, found.tags), (expected.detections, expected.tags));
    assert!(format!("{other:?}").contains("\"cat\""));
    let error = other.vocabulary(folder.path().join("none")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
}

#[test]
fn texts_pictures_and_boxes_share_a_space() {
    let detector = Detector::builder().threads(1).build().unwrap();
    let (cat, cup) = (picture("cat"), picture("coffee"));
    let cosine = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let texts = detector.embed_texts(["a cat", "a cup of coffee"]).unwrap();
    assert_eq!(texts[0], detector.embed_text("a cat").unwrap());
    for (picture, right, wrong) in [(&cat, 0, 1), (&cup, 1, 0)] {
        let whole = detector.embed(picture).unwrap();
        assert!((cosine(&whole, &whole) - 1.0).abs() < 1e-4);
        assert!(cosine(&whole, &texts[right]) > cosine(&whole, &texts[wrong]));
    }
    let all = Rect { x0: -9.0, y0: 0.0, x1: cat.width as f32, y1: cat.height as f32 };
    let boxes = detector.embed_boxes(&cat, &[all]).unwrap();
    assert!(cosine(&boxes[0], &texts[0]) > cosine(&boxes[0], &texts[1]));
    let empty = Rect { x1: -9.0, ..all };
    let error = detector.embed_boxes(&cat, &[all, empty]).unwrap_err().to_string();
    assert!(error.starts_with("box 1: found [-9, 0, -9, 300]"), "{error}");
    assert!(detector.embed_text(" ").is_err());
}

#[test]
fn settings_out_of_range_are_refused_before_anything_is_loaded() {
    let error = |builder: DetectorBuilder| builder.build().unwrap_err().to_string();
    assert_eq!(error(Detector::builder().threads(0)), "threads: found 0, expected 1 to 256");
    assert_eq!(error(Detector::builder().threshold(1.5)), "threshold: found 1.5, expected 0 to 1");
    assert!(error(Detector::builder().prompts([""; 2])).contains("no prompt"));
    assert!(error(Detector::builder().model("no/such")).starts_with("no/such: found nothing there"));
}

#[test]
fn a_picture_is_annotated() {
    let detector = Detector::builder().threads(1).prompts(["cat"]).build().unwrap();
    let plain = picture("cat");
    let mut drawn = plain.clone();
    detector.annotate(&mut drawn, &detector.detect(&plain).unwrap());
    assert_ne!(drawn.data, plain.data);
}

#[test]
fn threads_may_share_a_detector() {
    fn shared<T: Send + Sync>() {}
    shared::<Detector>();
}

#[test]
fn what_is_blurred_changes_nothing_of_what_is_reported() {
    let cat = Picture::open("tests/data/cat.jpg").unwrap();
    let find = |blur: &str| {
        let builder = Detector::builder().threads(1).prompts(["pet = cat", "sofa"]);
        builder.blur([blur]).build().unwrap().detect(&cat).unwrap()
    };
    let (plain, hidden, named) = (find("xylophone"), find("kitten"), find("PET"));
    assert_eq!((&plain.detections, &plain.tags), (&hidden.detections, &hidden.tags));
    assert_eq!(plain.detections, named.detections);
    let pet = named.detections[0].rect;
    for (what, found) in [("another word", hidden), ("a reported name", named)] {
        let covers = found.blurred.iter().any(|rect| rect.iou(&pet) > 0.5);
        assert!(covers, "{what}: {:?}, pet at {pet:?}", found.blurred);
    }
}

#[test]
fn a_face_is_hidden_with_the_person_whose_it_is_and_a_cat_is_not() {
    let find = |photo: &str| {
        let picture = Picture::open(format!("tests/data/{photo}")).unwrap();
        let builder = Detector::builder().threads(1).prompts(["lamp"]).blur(["face", "screen"]);
        let found = builder.build().unwrap().detect(&picture).unwrap();
        assert!(found.detections.is_empty(), "{:?}", found.detections);
        found.blurred
    };
    // From hair to chin: 170 to 280, 60 to 200.
    let holds = |b: &Rect| b.x0 < 170.0 && b.y0 < 60.0 && b.x1 > 280.0 && b.y1 > 200.0;
    let (people, cats) = (find("astronaut.jpg"), find("cat.jpg"));
    assert!(people.iter().any(holds), "{people:?}");
    assert!(cats.is_empty(), "{cats:?}");
}

#[test]
fn tiles_show_what_is_too_small_in_the_whole() {
    let cat = picture("cat");
    let (width, height) = (1600, 1200);
    let mut beach = Picture { name: "cats".into(), width, height, data: [120, 150, 90].repeat(1600 * 1200) };
    let small = image::RgbImage::from_raw(cat.width, cat.height, cat.data).unwrap();
    let small = image::imageops::resize(&small, 140, 93, image::imageops::FilterType::Triangle);
    for (x, y, pixel) in small.enumerate_pixels() {
        let at = 3 * ((y as usize + 800) * 1600 + x as usize + 1250);
        beach.data[at..at + 3].copy_from_slice(&pixel.0);
    }
    let detector = |tiles| Detector::builder().prompts(["cat"]).threshold(0.1).tiles(tiles).build().unwrap();
    let whole = detector(Tiles::Off).detect(&beach).unwrap();
    let tiled = detector(Tiles::Grid(Grid::new(4, 4).unwrap())).detect(&beach).unwrap();
    assert_eq!((whole.tiles, tiled.tiles.unwrap().to_string()), (None, "4x4".to_owned()));
    assert_eq!(whole.tags, tiled.tags);
    let there = Rect { x0: 1250.0, y0: 800.0, x1: 1390.0, y1: 893.0 };
    let best = |found: &Findings| {
        let on = found.detections.iter().filter(|detection| detection.rect.iou(&there) > 0.5);
        on.map(|detection| detection.score).fold(0.0, f32::max)
    };
    assert!(best(&tiled) > 0.25 && best(&tiled) > 2.0 * best(&whole), "{whole:?} {tiled:?}");
    let time = std::time::Duration::from_secs(600);
    assert_eq!(
        detector(Tiles::Auto { within: time }).detect(&picture("cat")).unwrap().tiles.unwrap().to_string(),
        "2x1"
    );
}
