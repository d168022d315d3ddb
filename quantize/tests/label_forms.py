"""The same small data set in every form that people label in: two pictures with boxes of a mug and an oak table."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from quantize.tests.synthetic import write_shard

NAMES = ("mug", "oak table")
SIZES = {"a": (100, 50), "b": (40, 80)}
PIXELS = {"a": [("mug", (10, 5, 30, 35)), ("oak table", (0, 25, 100, 50))], "b": [("mug", (4, 8, 20, 72))]}
"""Name and x0, y0, x1, y1 in pixels."""


def fractions(key: str) -> list[tuple[str, tuple[float, ...]]]:
    w, h = SIZES[key]
    return [(name, (x0 / w, y0 / h, x1 / w, y1 / h)) for name, (x0, y0, x1, y1) in PIXELS[key]]


def draw(folder: Path, key: str, seed: int = 0, suffix: str = ".jpg") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    w, h = SIZES.get(key, (32, 32))
    path = folder / f"{key}{suffix}"
    pixels = np.random.default_rng(seed).integers(0, 255, (h // 4 or 1, w // 4 or 1, 3), np.uint8)
    Image.fromarray(pixels).resize((w, h)).save(path)
    return path


def text(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


YAML = "path: ../datasets/mine # elsewhere\ntrain: images/train\nval:\nnc: 2\nnames:\n  0: mug\n  1: 'oak table'\n"


def coco_content(folder: str = "") -> dict[str, object]:
    images = [{"id": i, "file_name": f"{folder}{k}.jpg", "width": SIZES[k][0], "height": SIZES[k][1]} for i, k in enumerate("ab")]
    boxes = [(i, name, rect) for i, k in enumerate("ab") for name, rect in PIXELS[k]]
    return {
        "images": images,
        "categories": [{"id": 3 + i, "name": name} for i, name in enumerate(NAMES)],
        "annotations": [
            {"id": n, "image_id": i, "category_id": 3 + NAMES.index(name), "bbox": [x0, y0, x1 - x0, y1 - y0], "iscrowd": 0}
            for n, (i, name, (x0, y0, x1, y1)) in enumerate(boxes)
        ],
    }


def coco(root: Path) -> Path:
    for key in SIZES:
        draw(root / "train2017", key)
    text(root / "annotations/instances_train2017.json", json.dumps(coco_content()))
    return root


def roboflow_coco(root: Path) -> Path:
    for key in SIZES:
        draw(root / "train", key)
    text(root / "train/_annotations.coco.json", json.dumps(coco_content()))
    text(root / "README.roboflow.txt", "mine, exported")
    return root


def yolo_lines(key: str) -> str:
    rows = [(NAMES.index(name), (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0) for name, (x0, y0, x1, y1) in fractions(key)]
    return "\n".join(" ".join(map(str, row)) for row in rows) + "\n"


def yolo(root: Path) -> Path:
    for key in SIZES:
        draw(root / "images/train", key)
        text(root / f"labels/train/{key}.txt", yolo_lines(key))
    text(
        root / "data.yaml",
        YAML,
    )
    return root


def yolo_polygons(root: Path) -> Path:
    for key in SIZES:
        draw(root / "train/images", key)
        rows = [f"{NAMES.index(name)} {x0} {y0} {x1} {y0} {x1} {y1} {x0} {y1}" for name, (x0, y0, x1, y1) in fractions(key)]
        text(root / f"train/labels/{key}.txt", "\n".join(rows))
    text(root / "data.yaml", 'train: ../train/images\nval: ../valid/images\nnames: [mug, "oak table"]\n')
    return root


def yolo_of_label_studio(root: Path) -> Path:
    for key in SIZES:
        draw(root / "images", key)
        text(root / f"labels/{key}.txt", yolo_lines(key))
    text(root / "classes.txt", "mug\noak table\n")
    text(root / "notes.json", '{"categories": [], "info": {}}')
    return root


def yolo_of_cvat(root: Path) -> Path:
    for key in SIZES:
        draw(root / "obj_train_data", key)
        text(root / f"obj_train_data/{key}.txt", yolo_lines(key))
    text(root / "obj.names", "mug\noak table\n")
    return root


def voc_xml(key: str) -> str:
    w, h = SIZES[key]
    things = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{x0 + 1}</xmin><ymin>{y0 + 1}</ymin><xmax>{x1}</xmax>"
        f"<ymax>{y1}</ymax></bndbox></object>"
        for name, (x0, y0, x1, y1) in PIXELS[key]
    )
    return f"<annotation><filename>{key}.jpg</filename><size><width>{w}</width><height>{h}</height></size>{things}</annotation>"


def voc(root: Path) -> Path:
    for key in SIZES:
        draw(root / "VOC2012/JPEGImages", key)
        text(root / f"VOC2012/Annotations/{key}.xml", voc_xml(key))
    return root


def roboflow_voc(root: Path) -> Path:
    for key in SIZES:
        draw(root / "train", key)
        text(root / f"train/{key}.xml", voc_xml(key))
    return root


def cvat(root: Path) -> Path:
    images = ""
    for i, key in enumerate(SIZES):
        draw(root / "images/default", key)
        w, h = SIZES[key]
        boxes = "".join(
            f'<box label="{name}" xtl="{x0}" ytl="{y0}" xbr="{x1}" ybr="{y1}"><attribute name="c">d</attribute></box>'
            for name, (x0, y0, x1, y1) in PIXELS[key]
        )
        images += f'<image id="{i}" name="{key}.jpg" width="{w}" height="{h}">{boxes}</image>'
    text(root / "annotations.xml", f'<?xml version="1.0"?><annotations><version>1.1</version>{images}</annotations>')
    return root


def percent(rect: tuple[float, ...]) -> dict[str, object]:
    x0, y0, x1, y1 = (100 * v for v in rect)
    return {"x": x0, "y": y0, "width": x1 - x0, "height": y1 - y0}


def label_studio(root: Path) -> Path:
    tasks = []
    for key in SIZES:
        draw(root / "images", key)
        results = [
            {
                "value": {
                    "x": 100 * x0,
                    "y": 100 * y0,
                    "width": 100 * (x1 - x0),
                    "height": 100 * (y1 - y0),
                    "rectanglelabels": [name],
                }
            }
            for name, (x0, y0, x1, y1) in fractions(key)
        ]
        tasks.append({"data": {"image": f"/data/upload/1/1a2b3c4d-{key}.jpg"}, "annotations": [{"result": results}]})
    text(root / "project-1.json", json.dumps(tasks))
    return root


def label_studio_short(root: Path) -> Path:
    tasks = []
    for key in SIZES:
        draw(root / "images", key)
        label = [percent(rect) | {"rectanglelabels": [name]} for name, rect in fractions(key)]
        tasks.append({"image": f"/data/local-files/?d=images/{key}.jpg", "id": 1, "label": label, "annotator": 1})
    text(root / "min.json", json.dumps(tasks))
    return root


def boxes_csv(root: Path) -> Path:
    rows = [
        f"{key}.jpg,{SIZES[key][0]},{SIZES[key][1]},{name},{','.join(map(str, rect))}"
        for key in SIZES
        for name, rect in PIXELS[key]
    ]
    for key in SIZES:
        draw(root / "train", key)
    text(root / "train/_annotations.csv", "\n".join(["filename,width,height,class,xmin,ymin,xmax,ymax", *rows]))
    return root


def hugging_face(root: Path) -> Path:
    rows = []
    for key in SIZES:
        draw(root, key)
        boxes = [[x0, y0, x1 - x0, y1 - y0] for _, (x0, y0, x1, y1) in PIXELS[key]]
        rows.append({"file_name": f"{key}.jpg", "objects": {"bbox": boxes, "categories": [name for name, _ in PIXELS[key]]}})
    text(root / "metadata.jsonl", "\n".join(map(json.dumps, rows)))
    return root


def record(key: str) -> str:
    return json.dumps({"source": "mine", "boxes": [{"box": list(rect), "name": name} for name, rect in fractions(key)]})


def records(root: Path) -> Path:
    for key in SIZES:
        draw(root, key)
        text(root / f"{key}.json", record(key))
    return root


def shards(root: Path) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    samples = {key: {"jpg": draw(root / "pictures", key).read_bytes(), "json": record(key).encode()} for key in SIZES}
    (root / "pictures").rename(root.parent / f"{root.name}-pictures")
    write_shard(root / "mine-000.tar", samples)
    return root


FORMS: dict[str, Callable[[Path], Path]] = {
    made.__name__: made
    for made in (
        coco, roboflow_coco, yolo, yolo_polygons, yolo_of_label_studio, yolo_of_cvat, voc, roboflow_voc, cvat, label_studio,
        label_studio_short, boxes_csv, hugging_face, records, shards,
    )
}  # fmt: skip
"""Writes the set into a folder, and returns what is to be read."""
