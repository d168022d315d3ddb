"""Label forms: recognised by content, read alike, and what is left is said."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from quantize.labels import yolo
from quantize.labels.labelled import LabelError, part_of
from quantize.labels.recognise import read
from quantize.tests import label_forms
from quantize.tests.label_forms import FORMS, SIZES, draw, text
from quantize.tests.synthetic import write_shard

SAID = {
    "coco": "COCO annotations (instances_train2017.json): 2 pictures (2 train), 3 boxes of 2 names",
    "roboflow_coco": "COCO annotations (_annotations.coco.json): 2 pictures (2 train), 3 boxes of 2 names",
    "yolo": "YOLO labels (data.yaml): 2 pictures (2 train), 3 boxes of 2 names",
    "yolo_polygons": "YOLO labels (data.yaml): 2 pictures (2 train), 3 boxes of 2 names; left: 1 folders that are not there or "
    "hold no pictures (first: ../valid/images)",
    "yolo_of_label_studio": "YOLO labels (classes.txt): 2 pictures, 3 boxes of 2 names",
    "yolo_of_cvat": "YOLO labels (obj.names): 2 pictures, 3 boxes of 2 names",
    "voc": "Pascal VOC annotations: 2 pictures, 3 boxes of 2 names",
    "roboflow_voc": "Pascal VOC annotations: 2 pictures (2 train), 3 boxes of 2 names",
    "cvat": "CVAT annotations (annotations.xml): 2 pictures, 3 boxes of 2 names",
    "label_studio": "Label Studio's export (project-1.json): 2 pictures, 3 boxes of 2 names",
    "label_studio_short": "Label Studio's export (min.json): 2 pictures, 3 boxes of 2 names",
    "boxes_csv": "tables (_annotations.csv): 2 pictures (2 train), 3 boxes of 2 names",
    "hugging_face": "tables (metadata.jsonl): 2 pictures, 3 boxes of 2 names",
    "records": "pictures with captions or records beside them: 2 pictures, 3 boxes of 2 names",
    "shards": "WebDataset shards: 2 pictures, 3 boxes of 2 names",
}


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_say_the_same(form: str, tmp_path: Path) -> None:
    place = FORMS[form](tmp_path / "mine")
    found = read(place)
    assert str(found) == f"{place}: {SAID[form]}"
    assert found.names() == ["mug", "oak table"]
    for picture, key in zip(found.pictures, "ab", strict=True):
        assert picture.size == SIZES[key]
        assert picture.picture().shape == (SIZES[key][1], SIZES[key][0], 3)
        expected = label_forms.fractions(key)
        assert [t.name for t in picture.things] == [name for name, _ in expected]
        for thing, (_, rect) in zip(picture.things, expected, strict=True):
            assert thing.rect == pytest.approx(rect, abs=1e-6)


@pytest.mark.parametrize(
    ("form", "file"),
    [
        ("coco", "annotations/instances_train2017.json"),
        ("yolo", "data.yaml"),
        ("cvat", "annotations.xml"),
        ("label_studio", "project-1.json"),
        ("boxes_csv", "train/_annotations.csv"),
        ("shards", "mine-000.tar"),
    ],
)
def test_the_file_of_annotations_may_be_named_itself(form: str, file: str, tmp_path: Path) -> None:
    assert len(read(FORMS[form](tmp_path / "mine") / file).pictures) == 2


def test_pictures_may_lie_elsewhere(tmp_path: Path) -> None:
    root = label_forms.coco(tmp_path / "mine")
    (root / "train2017").rename(tmp_path / "photos")
    assert len(read(root, tmp_path / "photos").pictures) == 2
    with pytest.raises(LabelError, match=r"nothing that is labelled \(2 pictures that are not there \(first: a\.jpg\)\)"):
        read(root)
    with pytest.raises(LabelError, match=r"no such folder, expected the folder of the pictures \(--images\)"):
        read(root, tmp_path / "absent")


def test_a_yolo_text_is_never_a_caption(tmp_path: Path) -> None:
    for key in SIZES:
        draw(tmp_path / "mine", key)
        text(tmp_path / f"mine/{key}.txt", label_forms.yolo_lines(key))
    expected = r"a\.txt: found YOLO labels without names, expected data\.yaml or classes\.txt, with a name for each class"
    with pytest.raises(LabelError, match=expected):
        read(tmp_path / "mine")
    shutil.rmtree(tmp_path / "mine")
    place = label_forms.yolo_of_label_studio(tmp_path / "mine")
    (place / "classes.txt").unlink()
    with pytest.raises(LabelError, match="YOLO labels without names"):
        read(place)
    assert yolo.looks_like_labels("16 0.5 0.5 0.4 0.3\n\n0 1 1 1 1 0.9\n")
    for caption in ("", "3 dogs", "a dog\n16 0.5 0.5 0.4 0.3", "2 0 2 6", "1 2 3 4 5 go"):
        assert not yolo.looks_like_labels(caption), caption


def test_captions_lie_beside_pictures(tmp_path: Path) -> None:
    draw(tmp_path, "a")
    draw(tmp_path / "in", "b")
    text(tmp_path / "a.txt", "A dog  runs\n\nA brown dog\n")
    found = read(tmp_path)
    assert [p.captions for p in found.pictures] == [["A dog runs", "A brown dog"], []]
    assert str(found).endswith("pictures with captions or records beside them: 2 pictures, 2 captions")


def test_captions_stand_in_tables(tmp_path: Path) -> None:
    draw(tmp_path / "Images", "a")
    text(tmp_path / "captions.txt", "not a table")
    text(tmp_path / "captions.csv", 'image,caption\na.jpg,"A dog, running"\na.jpg,A dog, and a cat\nc.jpg,gone\n')
    found = read(tmp_path)
    assert found.pictures[0].captions == ["A dog, running", "A dog, and a cat"]
    assert str(found).endswith("2 captions; left: 1 pictures that are not there (first: c.jpg)")
    text(tmp_path / "captions.csv", "image_name| comment_number| comment\na.jpg| 0| A dog .\n")
    assert read(tmp_path).pictures[0].captions == ["A dog ."]
    text(tmp_path / "captions.csv", "picture;label\na.jpg;mug\n")
    assert read(tmp_path).pictures[0].labels == ["mug"]


def test_a_folder_for_each_name(tmp_path: Path) -> None:
    for folder in ("train/mug", "train/oak table", "val/mug"):
        draw(tmp_path / folder, "a")
    found = read(tmp_path)
    assert [(p.part, p.labels) for p in found.pictures] == [("train", ["mug"]), ("train", ["oak table"]), ("val", ["mug"])]
    assert str(found).endswith("a folder of pictures for each name: 3 pictures (2 train, 1 val), 3 labels of 2 names")


def test_pictures_alone_have_no_labels(tmp_path: Path) -> None:
    draw(tmp_path, "a")
    assert str(read(tmp_path)).endswith(": pictures alone: 1 picture")


def test_shards_of_other_makers(tmp_path: Path) -> None:
    jpg = draw(tmp_path / "p", "a").read_bytes()
    samples = {
        "0": {"jpg": jpg, "txt": b"a dog"},
        "1": {"jpg": jpg, "cls": b"mug"},
        "2": {"jpg": jpg, "cls": b"7"},
        "3": {"jpg": jpg, "txt": b"7 .5 .5 .5 .5"},
        "4": {"json": b"{}"},
        "5": {"jpg": b"x", "json": b"{}"},
        "6": {"jpg": jpg, "json": b'{"caption": "a cat", "boxes": 3}'},
        "7": {"jpg": jpg, "json": b'{"caption": "a cat"}'},
    }  # fmt: skip
    found = read(write_shard(tmp_path / "s.tar", samples))
    told = {p.key: (p.labels, p.captions) for p in found.pictures}
    assert told == {"0": ([], ["a dog"]), "1": (["mug"], []), "2": ([], []), "3": ([], []), "7": ([], ["a cat"])}
    for part in (
        "1 classes by number, which have no name (first: 2)",
        "1 texts of YOLO's numbers, which are no captions (first: 3)",
        "1 samples without a picture (first: 4)",
        "1 pictures that cannot be read",
        "1 samples with a record",
    ):
        assert part in str(found)


def test_parts_of_a_set() -> None:
    found = [part_of(words) for words in (["images", "train2017"], ["valid"], ["mine"], ["train", "test"])]
    assert found == ["train", "val", "", "test"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("2 .5 .5 .1 .1", "class 2, expected 0 to 1"),
        ("x 1 1 1 1", "x 1 1 1 1"),
        ("0 1 1 1", "0 1 1 1"),
        ("0 nan 1 1 1", "0 nan 1 1 1"),
        ("0 1 2 3 4 5 6 7", "0 1 2 3 4 5 6 7"),
    ],
)
def test_a_wrong_yolo_line_is_named_and_its_picture_left(line: str, found: str, tmp_path: Path) -> None:
    place = label_forms.yolo(tmp_path / "mine")
    text(place / "labels/train/b.txt", f"\n{line}\n")
    data = read(place)
    assert [p.key for p in data.pictures] == ["images/train/a"]
    assert f"b.txt, line 2: found {found}" in str(data)


def test_key_points_follow_the_box(tmp_path: Path) -> None:
    assert yolo.thing("p", "0 .5 .5 .2 .4 .1 .1 2 .3 .3 1", ["mug"], points=True)[1] == pytest.approx((0.4, 0.3, 0.6, 0.7))


@pytest.mark.parametrize(
    ("yaml", "part"),
    [("train: a\n", "no names"), ("names: [a]\n", "no train, val or test"), ("train: a\nnames: {0: a, 2: b}\n", "gaps"),
     ("names: [a\n", "expected ',' or ']'")],
)  # fmt: skip
def test_a_wrong_data_yaml(yaml: str, part: str, tmp_path: Path) -> None:
    file = text(tmp_path / "data.yaml", yaml)
    with pytest.raises(LabelError) as error:
        read(file)
    assert part in str(error.value)
    assert "\n" not in str(error.value)


WRONG_COCO = {
    "an image that is not there": ('"image_id": 1', '"image_id": 9', "found a box of image 9, expected one in the same file"),
    "a category that is not there": ('"category_id": 4', '"category_id": 9', "found a box of category 9"),
    "another folder": ("b.jpg", "../../etc/passwd", 'found the picture "../../etc/passwd"'),
    "a key that is missing": ('"file_name"', '"file"', "KeyError: 'file_name', expected COCO annotations"),
}


@pytest.mark.parametrize("kind", WRONG_COCO)
def test_wrong_coco_annotations(kind: str, tmp_path: Path) -> None:
    place = label_forms.coco(tmp_path / "mine")
    file = place / "annotations/instances_train2017.json"
    old, new, message = WRONG_COCO[kind]
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(LabelError) as error:
        read(place)
    assert str(error.value).startswith(f"{file}: found ")
    assert message in str(error.value)


def test_coco_segments_crowds_and_captions(tmp_path: Path) -> None:
    place = label_forms.coco(tmp_path / "mine")
    content = label_forms.coco_content()
    rle = {"counts": [0, 50 * 10, 50 * 90], "size": [50, 100]}
    content["annotations"] = [
        {"id": 1, "image_id": 0, "category_id": 3, "segmentation": [[10, 5, 30, 5, 30, 35]]},
        {"id": 2, "image_id": 0, "category_id": 3, "segmentation": rle, "iscrowd": 1},
        {"id": 3, "image_id": 0, "category_id": 3, "bbox": [90, 0, 40, 10]},
        {"id": 4, "image_id": 0, "category_id": 3, "bbox": [120, 0, 40, 10]},
        {"id": 5, "image_id": 0, "category_id": 3},
    ]
    text(place / "annotations/instances_train2017.json", json.dumps(content))
    text(place / "annotations/person_keypoints_train2017.json", json.dumps(label_forms.coco_content()))
    said = {"images": content["images"], "annotations": [{"image_id": 1, "caption": "a mug"}]}
    text(place / "annotations/captions_train2017.json", json.dumps(said))
    found = read(place)
    a, b = found.pictures
    assert [(t.rect, t.crowd) for t in a.things] == [
        ((0.1, 0.1, 0.3, 0.7), False), (pytest.approx((0, 0, 0.1, 1)), True), ((0.9, 0, 1, 0.2), False)
    ]  # fmt: skip
    assert b.captions == ["a mug"]
    assert "1 boxes without an area inside their picture (first: train2017/a); 1 annotations without a box" in str(found)
    assert a.record() == {"boxes": [{"box": [0.1, 0.1, 0.3, 0.7], "name": "mug"}, {"box": [0.9, 0.0, 1.0, 0.2], "name": "mug"}]}


def test_label_studio_choices_texts_turned_boxes_and_cancelled_answers(tmp_path: Path) -> None:
    draw(tmp_path, "a")
    turned = {"x": 50, "y": 20, "width": 20, "height": 20, "rotation": 90, "rectanglelabels": ["mug"]}
    results = [
        {"value": turned, "original_width": 100, "original_height": 50},
        {"value": {"choices": ["night"]}},
        {"value": {"text": ["a mug"]}},
        {"value": {"rle": [1], "brushlabels": ["mug"]}},
    ]
    answers = [{"result": results}, {"was_cancelled": True, "result": [{"value": {"choices": ["no"]}}]}]
    text(tmp_path / "tasks.json", json.dumps([{"data": {"image": "a.jpg"}, "annotations": answers}]))
    found = read(tmp_path)
    assert (found.pictures[0].labels, found.pictures[0].captions) == (["night"], ["a mug"])
    # 20 x 10 pixels, turned by a quarter about (50, 10)
    assert found.pictures[0].things[0].rect == pytest.approx((0.4, 0.2, 0.5, 0.6))
    assert "1 marks of another kind than rectangle and polygon (first: a)" in str(found)


def test_cvat_tags_polygons_and_videos(tmp_path: Path) -> None:
    draw(tmp_path / "images", "a")
    marks = '<tag label="night"/><polygon label="mug" points="10,5;30,5;20,35"/><points label="z" points="1,1"/>'
    file = text(
        tmp_path / "annotations.xml", f'<annotations><image name="a.jpg" width="100" height="50">{marks}</image></annotations>'
    )
    found = read(tmp_path)
    assert found.pictures[0].labels == ["night"]
    assert found.pictures[0].things[0].rect == pytest.approx((0.1, 0.1, 0.3, 0.7))
    assert "1 marks of another kind (points) (first: a.jpg)" in str(found)
    text(file, "<annotations><track/></annotations>")
    with pytest.raises(LabelError, match=r'found tracks of a video, expected .*export as "CVAT for images"'):
        read(file)


def test_pictures_are_taken_upright_and_of_the_shape_that_was_labelled(tmp_path: Path) -> None:
    place = label_forms.voc(tmp_path / "mine")
    lying = Image.new("RGB", (80, 40))
    exif = lying.getexif()
    exif[0x0112] = 6
    lying.save(place / "VOC2012/JPEGImages/b.jpg", exif=exif)
    found = read(place)
    assert [p.size for p in found.pictures] == [(100, 50), (40, 80)]
    assert found.pictures[1].picture().shape == (80, 40, 3)
    lying.save(place / "VOC2012/JPEGImages/b.jpg")
    assert "1 pictures of another shape than their labels say (first: " in str(read(place))
    (place / "VOC2012/JPEGImages/b.jpg").write_bytes(b"x")
    text(place / "VOC2012/Annotations/c.xml", "<annotation>")
    said = str(read(place))
    assert "1 pictures that cannot be read (first: " in said
    assert "1 files that cannot be used (first: " in said
    assert "expected a well-formed XML file" in said


def test_what_is_of_no_form_or_of_several(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="no such file or folder, expected a folder or a file of COCO"):
        read(tmp_path / "absent")
    with pytest.raises(LabelError, match=r"a packed \.zip file, expected the folder that it unpacks to"):
        read(text(tmp_path / "export.zip", "x"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(LabelError, match="found no pictures, expected pictures with labels or captions, or shards"):
        read(tmp_path / "empty")
    place = label_forms.cvat(label_forms.coco(tmp_path / "both"))
    with pytest.raises(LabelError, match=r"several forms: instances_train2017\.json, annotations\.xml, expected one of them"):
        read(place)
    with pytest.raises(LabelError, match="another kind of file, expected a folder"):
        read(text(tmp_path / "x.json", "{}"))
    bomb = '<!DOCTYPE a [<!ENTITY b "c">]><annotations>&b;</annotations>'
    with pytest.raises(LabelError, match="entities of its own"):
        read(text(tmp_path / "bomb.xml", bomb))


def test_pixels_are_rgb(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (255, 0, 0, 128)).save(tmp_path / "a.png")
    assert read(tmp_path).pictures[0].picture()[0, 0].tolist() == [255, 0, 0]
    assert read(tmp_path).pictures[0].picture().dtype == np.uint8
