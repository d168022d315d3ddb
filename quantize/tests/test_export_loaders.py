"""What `edgeclip export` writes, read back by the loaders of the tools that it is for, or by the checks that these make."""

import json
import os
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torchvision.datasets import VOCDetection

SIZE = (64, 48)
BOXES = {
    "a": [("cat & co", (3.0, 2.0, 40.0, 29.5)), ("cup", (0.0, 10.25, 64.0, 48.0))],
    "b": [("cup", (5.5, 5.5, 20.0, 30.0))],
    "c": [],
}
"""Of each snapshot."""


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of snapshots."""
    folder = tmp_path_factory.mktemp("events")
    for name, boxes in BOXES.items():
        Image.new("RGB", SIZE).save(folder / f"{name}.jpg")
        tracks = [
            {"id": i, "label": label, "score": 0.9, "box": box, "velocity": [0, 0], "seen": True, "age": 1}
            for i, (label, box) in enumerate(boxes)
        ]
        about = {"type": "snapshot", "version": 1, "name": name, "sequence": 1, "pictures": [f"{name}.jpg"], "source": "s"}
        about |= {"frame": 1, "time": 1.0, "event": "appear", "width": SIZE[0], "height": SIZE[1], "tracks": tracks}
        (folder / f"{name}.json").write_text(json.dumps(about))
    return folder


def exported(events: Path, form: str, out: Path) -> Path:
    if "EDGECLIP_BINARY" not in os.environ:
        pytest.skip("EDGECLIP_BINARY does not name the program (tests/run.sh sets it)")
    command = [os.environ["EDGECLIP_BINARY"], "export", str(events), "--format", form, "--out", str(out)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return out


def test_pycocotools_finds_all_boxes_and_takes_them_as_results(events: Path, tmp_path: Path) -> None:
    truth = COCO(str(exported(events, "coco", tmp_path / "annotations.json")))
    names = {category["id"]: category["name"] for category in truth.loadCats(truth.getCatIds())}
    for image in truth.loadImgs(truth.getImgIds()):
        assert (image["width"], image["height"]) == SIZE
        found = truth.loadAnns(truth.getAnnIds(imgIds=image["id"]))
        corners = [
            (names[a["category_id"]], tuple(np.array([*a["bbox"][:2], *np.add(a["bbox"][:2], a["bbox"][2:])]))) for a in found
        ]
        assert corners == BOXES[Path(image["file_name"]).stem]
    judged = COCOeval(truth, truth.loadRes(truth.dataset["annotations"]), "bbox")
    judged.evaluate()
    judged.accumulate()
    judged.summarize()
    assert judged.stats[0] == pytest.approx(1.0)


def test_ultralytics_checks_pass(events: Path, tmp_path: Path) -> None:
    folder = exported(events, "yolo", tmp_path / "yolo")
    data = yaml.safe_load((folder / "data.yaml").read_text())
    assert {"train", "val", "names"} <= set(data)
    assert sorted(data["names"]) == list(range(len(data["names"])))
    pictures = sorted((folder / data["train"]).iterdir())
    assert [picture.stem for picture in pictures] == sorted(BOXES)
    for picture in pictures:
        # Its loader looks for labels/ in the place of images/, and refuses what is not five columns of 0 to 1 without repeats.
        rows = [line.split() for line in (folder / "labels/train" / f"{picture.stem}.txt").read_text().splitlines()]
        assert all(len(row) == 5 for row in rows)
        values = np.array(rows, np.float64).reshape(-1, 5)
        assert values[:, 1:].min(initial=0) >= 0
        assert values[:, 1:].max(initial=1) <= 1
        assert len(np.unique(values, axis=0)) == len(values)
        centres, sides = values[:, 1:3] * SIZE, values[:, 3:] * SIZE
        corners = np.concatenate([centres - sides / 2, centres + sides / 2], axis=1)
        assert [data["names"][int(label)] for label in values[:, 0]] == [name for name, _ in BOXES[picture.stem]]
        assert corners == pytest.approx(np.array([box for _, box in BOXES[picture.stem]]).reshape(-1, 4), abs=1e-4)


def test_torchvision_parses_pascal_voc(events: Path, tmp_path: Path) -> None:
    folder = exported(events, "voc", tmp_path / "voc")
    for name, boxes in BOXES.items():
        parsed = VOCDetection.parse_voc_xml(ElementTree.parse(folder / "Annotations" / f"{name}.xml").getroot())["annotation"]
        assert Image.open(folder / "JPEGImages" / parsed["filename"]).size == SIZE
        assert {key: int(value) for key, value in parsed["size"].items()} == {"width": SIZE[0], "height": SIZE[1], "depth": 3}
        found = parsed.get("object", [])
        assert [thing["name"] for thing in found] == [label for label, _ in boxes]
        for thing, (_, (x0, y0, x1, y1)) in zip(found, boxes, strict=True):
            # Pixels count from 1, and the last is inside.
            corners = [int(thing["bndbox"][key]) for key in ("xmin", "ymin", "xmax", "ymax")]
            assert corners == pytest.approx([x0 + 1, y0 + 1, x1, y1], abs=0.5)


def test_label_studio_takes_the_tasks(events: Path, tmp_path: Path) -> None:
    # <View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image">…</RectangleLabels></View>
    tasks = json.loads(exported(events, "label-studio", tmp_path / "tasks.json").read_text())
    found: dict[str, list[object]] = {}
    for task in tasks:
        (prediction,) = task["predictions"]
        assert isinstance(prediction["model_version"], str)
        assert 0 <= prediction["score"] <= 1
        results = prediction["result"]
        assert len({result["id"] for result in results}) == len(results)
        boxes: list[object] = []
        for result in results:
            assert (result["type"], result["from_name"], result["to_name"]) == ("rectanglelabels", "label", "image")
            assert (result["original_width"], result["original_height"]) == SIZE
            value = result["value"]
            assert 0 <= value["x"] <= value["x"] + value["width"] <= 100 + 1e-9
            assert 0 <= value["y"] <= value["y"] + value["height"] <= 100 + 1e-9
            (label,) = value["rectanglelabels"]
            x, y, w, h = (value[key] * side / 100 for key, side in zip(("x", "y", "width", "height"), SIZE * 2, strict=True))
            boxes.append((label, pytest.approx((x, y, x + w, y + h))))
        found[Path(task["data"]["image"].partition("?d=")[2]).stem] = boxes
    assert found == dict(BOXES)
