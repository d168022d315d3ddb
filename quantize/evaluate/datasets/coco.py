"""COCO 2017 (Lin et al., 2014): 80 names on 5,000 pictures.

`annotations/instances_val2017.json`, `val2017/000000000139.jpg`
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from quantize.evaluate.average_precision import LabelledBoxes
from quantize.evaluate.datasets.files import Problems, existing, expecting, read_json
from quantize.evaluate.datasets.kinds import BoxItem, BoxSet

EXPECTED = "COCO's instances_val2017.json with images, annotations and categories"


def load(folder: Path) -> BoxSet:
    """Reads the validation set; raises DatasetError."""
    file = folder / "annotations/instances_val2017.json"
    content = read_json(file, EXPECTED)
    pictures = existing(folder / "val2017", "the pictures of val2017.zip")
    problems = Problems()
    with expecting(file, EXPECTED):
        names, classes = categories(content["categories"])
        owned = by_picture(content["annotations"])
        items = [
            BoxItem(
                pictures / image["file_name"], image["width"], image["height"],
                labelled_boxes(owned[image["id"]], image, classes, problems),
            )
            for image in sorted(content["images"], key=lambda image: int(image["id"]))
        ]  # fmt: skip
    return BoxSet(items, names, problems)


def categories(entries: Sequence[Mapping[str, Any]]) -> tuple[list[str], dict[int, int]]:
    """Names by rising id, and from id to position among them."""
    ordered = sorted(entries, key=lambda entry: int(entry["id"]))
    return [str(entry["name"]) for entry in ordered], {entry["id"]: i for i, entry in enumerate(ordered)}


def by_picture(annotations: Sequence[Mapping[str, Any]]) -> dict[int, list[Mapping[str, Any]]]:
    """Annotations by picture id, in the file's order."""
    owned: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for annotation in annotations:
        owned[annotation["image_id"]].append(annotation)
    return owned


def labelled_boxes(
    annotations: Sequence[Mapping[str, Any]],
    image: Mapping[str, Any],
    classes: Mapping[int, int],
    problems: Problems,
    judged: frozenset[int] | None = None,
    incomplete: frozenset[int] = frozenset(),
) -> LabelledBoxes:
    """The boxes of a picture that are usable: inside it, with an area, of a known category."""
    known = [each for each in annotations if each["category_id"] in classes]
    for each in annotations:
        if each["category_id"] not in classes:
            problems.unknown[f"category {each['category_id']}"] += 1
    corners = np.array([each["bbox"] for each in known], np.float64).reshape(-1, 4)
    corners[:, 2:] += corners[:, :2]
    low, high = np.maximum(corners[:, :2], 0), np.minimum(corners[:, 2:], (image["width"], image["height"]))
    usable = np.isfinite(corners).all(axis=1) & (high > low).all(axis=1)
    problems.dropped += int((~usable).sum())
    labels = np.array([classes[each["category_id"]] for each in known], np.int64)
    crowd = np.array([bool(each.get("iscrowd", 0)) for each in known], bool)
    return LabelledBoxes(corners[usable].astype(np.float32), labels[usable], crowd[usable], judged, incomplete)
