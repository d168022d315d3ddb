"""OVAD (Bravo et al., 2023): 117 attributes of 14,300 boxes on 2,000 pictures of COCO's validation set.

`ovad2000.json`, `val2017/….jpg`
"""

from pathlib import Path

import numpy as np

from quantize.evaluate.datasets.coco import by_picture, categories, labelled_boxes
from quantize.evaluate.datasets.files import Problems, existing, expecting, read_json
from quantize.evaluate.datasets.kinds import AttributeItem, AttributeSet

EXPECTED = "ovad2000.json with images, annotations, categories and attributes"
GROUPS = ("head", "medium", "tail")


def prompts(name: str, kind: str) -> list[str]:
    """A text for each synonym: `cleanliness:clean/neat` that a thing *is* gives `a clean object`, `a neat object`."""
    synonyms = name.split(":", 1)[-1].split("/")
    return [f"an object with {each}" if kind == "has" else f"a {each} object" for each in synonyms]


def load(folder: Path) -> AttributeSet:
    """Reads the benchmark; raises DatasetError."""
    file = folder / "ovad2000.json"
    content = read_json(file, EXPECTED)
    pictures = existing(folder / "val2017", "the pictures of val2017.zip")
    problems = Problems()
    with expecting(file, EXPECTED):
        attributes = sorted(content["attributes"], key=lambda attribute: int(attribute["id"]))
        _, classes = categories(content["categories"])
        owned = by_picture(content["annotations"])
        items = []
        for image in sorted(content["images"], key=lambda image: int(image["id"])):
            usable = [each for each in owned[image["id"]] if len(labelled_boxes([each], image, classes, problems).labels)]
            boxes = labelled_boxes(usable, image, classes, Problems())
            known = np.array([each["att_vec"] for each in usable], np.int64).reshape(-1, len(attributes))
            items.append(AttributeItem(pictures / image["file_name"], boxes, known))
        texts = [prompts(str(attribute["name"]), str(attribute["is_has_att"])) for attribute in attributes]
        groups = {
            group: frozenset(i for i, attribute in enumerate(attributes) if attribute["freq_set"] == group) for group in GROUPS
        }
    return AttributeSet(items, texts, groups, problems)
