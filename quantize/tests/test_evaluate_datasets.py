"""Public data sets: files, names and ids as their makers have them, and what is said of broken ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from quantize.evaluate.datasets import (
    ade20k,
    captions,
    cityscapes,
    coco,
    coco_panoptic,
    coco_stuff,
    context,
    imagenet,
    lvis,
    ovad,
    voc,
)
from quantize.evaluate.datasets.files import DatasetError, Problems, Reading, inside, label_map
from quantize.evaluate.segmentation import IGNORED
from quantize.tests.public_sets import CATEGORIES, instance, paint, save, save_palette, write, write_coco
from scipy.io import savemat

PICTURE = paint(40, 30, "white")


def test_coco_boxes_are_corners_and_categories_go_by_id(tmp_path: Path) -> None:
    annotations = [
        instance(1, 139, 90, [10, 5, 20, 10], iscrowd=0),
        instance(2, 139, 1, [0, 0, 40, 30], iscrowd=1),
        instance(3, 139, 3, [35, 5, 20, 10], iscrowd=0),
        instance(4, 139, 3, [5, 5, 0, 10], iscrowd=0),
        instance(5, 139, 3, [50, 5, 4, 10], iscrowd=0),
        instance(6, 139, 7, [1, 1, 4, 10], iscrowd=0),
    ]
    data = coco.load(write_coco(tmp_path, annotations, {139: PICTURE, 7: PICTURE}))
    assert data.names == ["red", "green", "blue"]
    assert [item.path.name for item in data.items] == ["000000000007.jpg", "000000000139.jpg"]
    truth = data.items[1].truth
    assert truth.boxes.tolist() == [[10, 5, 30, 15], [0, 0, 40, 30], [35, 5, 55, 15]]
    assert truth.labels.tolist() == [2, 0, 1]
    assert truth.crowd.tolist() == [False, True, False]
    assert data.problems.counts() == {"unknown": 1, "dropped boxes": 2}
    assert data.problems.unknown == {"category 7": 1}


def test_lvis_knows_what_was_looked_for(tmp_path: Path) -> None:
    categories = [{"id": 2, "name": "bow_(weapon)", "frequency": "r"}, {"id": 1, "name": "baseball_bat", "frequency": "f"}]
    image = {
        "id": 5, "width": 40, "height": 30, "coco_url": "http://images.cocodataset.org/train2017/000000000005.jpg",
        "neg_category_ids": [2], "not_exhaustive_category_ids": [1],
    }  # fmt: skip
    save(tmp_path / "train2017/000000000005.jpg", PICTURE)
    (tmp_path / "val2017").mkdir()
    content = {"images": [image], "categories": categories, "annotations": [instance(1, 5, 1, [1, 2, 3, 4])]}
    for file in ("lvis_v1_val.json", "annotations/lvis_v1_val.json"):
        write(tmp_path / file, content)
        data = lvis.load(tmp_path)
        (tmp_path / file).unlink()
        assert data.names == ["baseball bat", "bow weapon"]
        assert data.groups == {"rare": {1}, "common": set(), "frequent": {0}}
        (item,) = data.items
        assert item.path.is_file()
        assert item.truth.judged == frozenset({0, 1})
        assert item.truth.incomplete == {0}


def test_ade20k(tmp_path: Path) -> None:
    head = "Idx\tRatio\tTrain\tVal\tStuff\tName\n"
    rows = "1\t0.1576\t11664\t1172\t1\twall\n2\t0.1072\t6046\t612\t1\tbuilding, edifice\n3\t0.08\t8\t7\t1\tsky;heaven\n"
    write(tmp_path / "objectInfo150.txt", head + rows)
    save(tmp_path / "images/validation/ADE_val_00000001.jpg", PICTURE)
    save(tmp_path / "annotations/validation/ADE_val_00000001.png", np.array([[0, 1], [3, 9]], np.uint8))
    data = ade20k.load(tmp_path)
    assert data.names == ["wall", "building", "sky"]
    found = label_map(data.items[0].labels, dict(data.classes), data.problems)
    assert found is not None
    assert found.tolist() == [[IGNORED, 0], [2, IGNORED]]
    assert data.problems.unknown == {"id 9": 1}
    write(tmp_path / "objectInfo150.txt", head + rows.replace("\t", "   "))
    assert ade20k.load(tmp_path).names == data.names


@pytest.mark.parametrize(
    ("load", "year", "split", "maps", "count"),
    [
        (voc.load, "VOC2012", "ImageSets/Segmentation/val.txt", "SegmentationClass", 20),
        (context.load, "VOC2010", "ImageSets/SegmentationContext/val.txt", "SegmentationClassContext", 59),
    ],
)
def test_voc_and_context(tmp_path: Path, load: Callable[..., Any], year: str, split: str, maps: str, count: int) -> None:
    folder = tmp_path / year
    write(folder / split, "2007_000033\n2008_000002\n")
    save(folder / "JPEGImages/2007_000033.jpg", PICTURE)
    save_palette(folder / maps / "2007_000033.png", np.array([[0, 1], [count, 255]], np.uint8))
    for background, ground in ((False, IGNORED), (True, count)):
        data = load(folder, background)
        assert len(data.names) == len(set(data.names)) == count
        assert [item.path.name for item in data.items] == ["2007_000033.jpg", "2008_000002.jpg"]
        found = label_map(data.items[0].labels, dict(data.classes), data.problems)
        assert found is not None
        assert found.tolist() == [[ground, 0], [count - 1, IGNORED]]
    assert data.problems.counts() == {}


def test_coco_stuff_and_its_things(tmp_path: Path) -> None:
    names = {1: "person", 2: "bicycle", 12: "street sign", 90: "toothbrush", 92: "banner", 105: "cloth-other"}
    lines = "".join(f"{i}: {names.get(i, f'name {i}')}\n" for i in range(1, 183))
    write(tmp_path / "labels.txt", "0: unlabeled\n" + lines)
    save(tmp_path / "val2017/000000000139.jpg", PICTURE)
    save(tmp_path / "stuffthingmaps/val2017/000000000139.png", np.array([[0, 89], [91, 255]], np.uint8))
    stuff, things = coco_stuff.load(tmp_path, False), coco_stuff.load(tmp_path, True)
    assert (len(stuff.names), len(things.names)) == (171, 80)
    assert (stuff.names[79], stuff.names[80], things.names[-1]) == ("toothbrush", "banner", "toothbrush")
    assert "street sign" not in stuff.names
    assert "cloth" in stuff.names
    for data, expected in ((stuff, [[0, 79], [80, IGNORED]]), (things, [[0, 79], [80, 80]])):
        found = label_map(data.items[0].labels, dict(data.classes), data.problems)
        assert found is not None
        assert found.tolist() == expected


def test_cityscapes(tmp_path: Path) -> None:
    name = "frankfurt_000000_000294"
    save(tmp_path / f"leftImg8bit/val/frankfurt/{name}_leftImg8bit.png", PICTURE)
    save(tmp_path / f"gtFine/val/frankfurt/{name}_gtFine_labelIds.png", np.array([[7, 33], [0, 255]], np.uint8))
    data = cityscapes.load(tmp_path)
    assert (len(data.names), data.names[0], data.names[18]) == (19, "road", "bicycle")
    found = label_map(data.items[0].labels, dict(data.classes), data.problems)
    assert found is not None
    assert found.tolist() == [[0, 18], [IGNORED, IGNORED]]
    assert data.problems.counts() == {}


def test_coco_panoptic(tmp_path: Path) -> None:
    categories = [{"id": 1, "name": "person", "isthing": 1}, {"id": 199, "name": "wall-other-merged", "isthing": 0}]
    segments = [{"id": 256, "category_id": 1, "iscrowd": 0}, {"id": 7, "category_id": 199, "iscrowd": 0}]
    segments += [{"id": 8, "category_id": 5, "iscrowd": 0}]
    content = {
        "images": [{"id": 139, "file_name": "000000000139.jpg"}],
        "annotations": [{"image_id": 139, "file_name": "000000000139.png", "segments_info": segments}],
        "categories": categories,
    }
    write(tmp_path / "annotations/panoptic_val2017.json", content)
    (tmp_path / "annotations/panoptic_val2017").mkdir()
    (tmp_path / "val2017").mkdir()
    data = coco_panoptic.load(tmp_path)
    assert list(data.names) == ["person", "wall"]
    assert data.things == {0}
    assert [(each.id, each.label) for each in data.items[0].segments] == [(256, 0), (7, 1)]
    assert data.problems.unknown == {"category 5": 1}


SYNSETS = "n01443537 goldfish, Carassius auratus\nn01440764 tench, Tinca tinca\n"


def devkit(folder: Path) -> None:
    dtype = [("ILSVRC2012_ID", "O"), ("WNID", "O"), ("words", "O"), ("num_children", "O")]
    rows = [(1, "n01443537", "goldfish, Carassius auratus", 0), (2, "n01440764", "tench", 0), (3, "n00000001", "fish", 2)]
    folder.mkdir(parents=True)
    savemat(folder / "meta.mat", {"synsets": np.array(rows, dtype)})
    write(folder / "ILSVRC2012_validation_ground_truth.txt", "2\n1\n")


@pytest.mark.parametrize("layout", ["folders", "kaggle", "caffe", "devkit"])
def test_imagenet_in_each_of_its_layouts(tmp_path: Path, layout: str) -> None:
    flat = [tmp_path / f"val/ILSVRC2012_val_{i:08}.JPEG" for i in (1, 2)]
    if layout == "folders":
        flat = [tmp_path / f"val/{synset}/ILSVRC2012_val_{i:08}.JPEG" for i, synset in ((1, "n01440764"), (2, "n01443537"))]
    for path in flat:
        save(path, PICTURE)
    if layout == "devkit":
        devkit(tmp_path / "ILSVRC2012_devkit_t12/data")
    else:
        write(tmp_path / ("synset_words.txt" if layout == "caffe" else "LOC_synset_mapping.txt"), SYNSETS)
    if layout == "kaggle":
        rows = "ILSVRC2012_val_00000001,n01440764 1 2 3 4 \nILSVRC2012_val_00000002,n01443537 1 2 3 4 n01443537 5 6 7 8 \n"
        write(tmp_path / "LOC_val_solution.csv", "ImageId,PredictionString\n" + rows)
    if layout == "caffe":
        write(tmp_path / "val.txt", "ILSVRC2012_val_00000001.JPEG 0\nILSVRC2012_val_00000002.JPEG 1\n")
    data = imagenet.load(tmp_path)
    assert list(data.names) == ["tench", "goldfish"]
    assert [(item.path, item.label) for item in data.items] == [(flat[0], 0), (flat[1], 1)]
    other = imagenet.load(tmp_path, write(tmp_path / "names.txt", "one fish\nanother\n"))
    assert list(other.names) == ["one fish", "another"]
    with pytest.raises(DatasetError, match=r"names\.txt: found 1 names, expected 2"):
        imagenet.load(tmp_path, write(tmp_path / "names.txt", "one fish\n"))


def karpathy(*images: dict[str, Any]) -> dict[str, Any]:
    return {"images": list(images), "dataset": "any"}


def sentences(*texts: str) -> list[dict[str, str]]:
    return [{"raw": text} for text in texts]


def test_flickr30k_in_both_of_its_forms(tmp_path: Path) -> None:
    (tmp_path / "flickr30k-images").mkdir()
    lines = [f"{picture}.jpg#{i}\tCaption {i}  of {picture} ." for picture in (11, 12) for i in range(5)]
    write(tmp_path / "results_20130124.token", "\n".join(lines) + "\n")
    write(tmp_path / "test.txt", "12\n")
    (item,) = captions.load_flickr30k(tmp_path).items
    assert item.path == tmp_path / "flickr30k-images/12.jpg"
    assert item.captions[4] == "Caption 4 of 12 ."
    images = [{"filename": f"{split}.jpg", "split": split, "sentences": sentences("a", "b")} for split in ("train", "test")]
    write(tmp_path / "dataset_flickr30k.json", karpathy(*images))
    (item,) = captions.load_flickr30k(tmp_path).items
    assert (item.path.name, list(item.captions)) == ("test.jpg", ["a", "b"])


def test_coco_captions_in_both_of_their_forms(tmp_path: Path) -> None:
    (tmp_path / "val2017").mkdir()
    texts = [{"image_id": 9, "caption": f"caption {i}"} for i in range(6)] + [{"image_id": 4, "caption": " \n"}]
    images = [{"id": i, "file_name": f"{i:012}.jpg"} for i in (9, 4)]
    write(tmp_path / "annotations/captions_val2017.json", {"images": images, "annotations": texts})
    data = captions.load_coco(tmp_path)
    assert [(item.path.name, len(item.captions)) for item in data.items] == [("000000000009.jpg", 5)]
    assert data.problems.unknown == {"a blank caption": 1}
    image = {"filepath": "val2014", "filename": "COCO_val2014_000000000009.jpg", "split": "test", "sentences": sentences("a")}
    write(tmp_path / "dataset_coco.json", karpathy(image))
    assert captions.load_coco(tmp_path).items[0].path == tmp_path / "val2014/COCO_val2014_000000000009.jpg"


def test_ovad(tmp_path: Path) -> None:
    attributes = [
        {"id": 1, "name": "pattern:stripes/lines", "is_has_att": "has", "freq_set": "tail"},
        {"id": 0, "name": "color:red", "is_has_att": "is", "freq_set": "head"},
    ]
    boxes = [instance(1, 5, 1, [1, 1, 9, 9], att_vec=[1, -1]), instance(2, 5, 1, [1, 1, 0, 9], att_vec=[0, 0])]
    content = {
        "images": [{"id": 5, "file_name": "000000000005.jpg", "width": 40, "height": 30}],
        "annotations": boxes, "categories": CATEGORIES, "attributes": attributes,
    }  # fmt: skip
    (tmp_path / "val2017").mkdir()
    write(tmp_path / "ovad2000.json", content)
    data = ovad.load(tmp_path)
    assert data.prompts == [["a red object"], ["an object with stripes", "an object with lines"]]
    assert data.groups == {"head": {0}, "medium": set(), "tail": {1}}
    assert data.items[0].attributes.tolist() == [[1, -1]]
    assert data.items[0].boxes.boxes.tolist() == [[1, 1, 10, 10]]
    assert data.problems.counts() == {"dropped boxes": 1}


@pytest.mark.parametrize(
    ("load", "message"),
    [
        (coco.load, r"annotations/instances_val2017\.json: nothing there, expected COCO's instances_val2017\.json"),
        (lvis.load, r"annotations: nothing of lvis_v1_val\.json, lvis_v1_val\.json, expected lvis_v1_val\.json"),
        (ade20k.load, r"objectInfo150\.txt: nothing there"),
        (lambda folder: voc.load(folder, True), r"ImageSets/Segmentation/val\.txt: nothing there"),
        (lambda folder: coco_stuff.load(folder, True), r"labels\.txt: nothing there, expected COCO-Stuff's labels\.txt"),
        (cityscapes.load, r"leftImg8bit/val: nothing there, expected the pictures of leftImg8bit_trainvaltest\.zip"),
        (coco_panoptic.load, r"panoptic_val2017\.json: nothing there"),
        (imagenet.load, r"nothing of LOC_synset_mapping\.txt, synset_words\.txt, meta\.mat"),
        (captions.load_flickr30k, r"nothing of dataset_flickr30k\.json, results_20130124\.token"),
        (captions.load_coco, r"nothing of dataset_coco\.json, captions_val2017\.json"),
        (ovad.load, r"ovad2000\.json: nothing there"),
    ],
)
def test_a_set_that_is_not_there_is_one_line(tmp_path: Path, load: Callable[[Path], Any], message: str) -> None:
    with pytest.raises(DatasetError, match=message) as caught:
        load(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["{", "[]", '{"images": [], "annotations": [{}], "categories": []}'])
def test_annotations_of_another_form_are_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "val2017").mkdir()
    write(tmp_path / "annotations/instances_val2017.json", content)
    with pytest.raises(DatasetError, match=r"instances_val2017\.json: found .*, expected COCO's") as caught:
        coco.load(tmp_path)
    assert "\n" not in str(caught.value)


def test_pictures_that_cannot_be_read_are_counted_and_the_others_kept(tmp_path: Path) -> None:
    data = coco.load(write_coco(tmp_path, [], {1: PICTURE, 2: PICTURE, 3: PICTURE, 4: PICTURE}))
    (tmp_path / "val2017/000000000001.jpg").write_bytes(b"no picture")
    whole = (tmp_path / "val2017/000000000002.jpg").read_bytes()
    (tmp_path / "val2017/000000000002.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "val2017/000000000003.jpg").unlink()
    reading = Reading(data.items, data.problems, "pictures")
    results = list(reading.joined(picture.shape for picture in reading))
    assert results == [(data.items[3], (30, 40, 3))]
    assert [path.split(": ")[1][:10] for path in data.problems.unreadable] == ["no picture", "Truncated ", "no such fi"]
    nothing = Reading(data.items[:3], Problems(), "pictures")
    with pytest.raises(DatasetError, match=r"000000000001\.jpg: no picture .*, expected at least one"):
        list(nothing.joined(nothing))


def test_label_maps_that_cannot_be_read_are_noted(tmp_path: Path) -> None:
    problems = Problems()
    broken = write(tmp_path / "broken.png", "no picture")
    colours = save(tmp_path / "colours.png", PICTURE)
    assert label_map(broken, {0: 0}, problems) is None
    assert label_map(colours, {0: 0}, problems) is None
    assert label_map(tmp_path / "none.png", {0: 0}, problems) is None
    assert [each.split(": ")[1] for each in problems.unreadable] == [
        "no picture that can be read", "3 channels, expected one of label ids", "no such file",
    ]  # fmt: skip
    deep = tmp_path / "deep.png"
    Image.fromarray(np.array([[0, 300]], np.uint16)).save(deep)
    found = label_map(deep, {0: 0, 300: 1}, problems)
    assert found is not None
    assert found.tolist() == [[0, 1]]


def test_boxes_are_cut_at_the_edges_of_their_picture() -> None:
    assert inside(np.array([[-5, 2, 50, 31]], np.float32), PICTURE).tolist() == [[0, 2, 40, 30]]
