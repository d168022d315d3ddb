"""LVIS v1 (Gupta et al., 2019): 1,203 names on 19,809 pictures of COCO, each annotated for some of the names.

`lvis_v1_val.json` or `annotations/lvis_v1_val.json`, `val2017/….jpg`, `train2017/….jpg`
"""

from pathlib import Path
from urllib.parse import urlsplit

from quantize.evaluate.datasets.coco import by_picture, categories, labelled_boxes
from quantize.evaluate.datasets.files import Problems, existing, expecting, first_of, read_json
from quantize.evaluate.datasets.kinds import BoxItem, BoxSet

EXPECTED = "lvis_v1_val.json with images, annotations and categories"
GROUPS = {"rare": "r", "common": "c", "frequent": "f"}


def prompt(name: str) -> str:
    """`baseball_bat` is `baseball bat`; `bow_(weapon)` is `bow weapon`."""
    return " ".join(name.replace("_", " ").replace("(", " ").replace(")", " ").split())


def load(folder: Path) -> BoxSet:
    """Reads the validation set; raises DatasetError."""
    places = [folder / "annotations/lvis_v1_val.json", folder / "lvis_v1_val.json"]
    file = first_of([(place, lambda path: path) for place in places], EXPECTED)
    content = read_json(file, EXPECTED)
    existing(folder / "val2017", "COCO's pictures, val2017 and train2017")
    problems = Problems()
    with expecting(file, EXPECTED):
        names, classes = categories(content["categories"])
        owned = by_picture(content["annotations"])
        items = []
        for image in sorted(content["images"], key=lambda image: int(image["id"])):
            present = {each["category_id"] for each in owned[image["id"]]} & classes.keys()
            judged = frozenset(classes[id] for id in present | set(image["neg_category_ids"]))
            incomplete = frozenset(classes[id] for id in image["not_exhaustive_category_ids"])
            truth = labelled_boxes(owned[image["id"]], image, classes, problems, judged, incomplete)
            path = folder / "/".join(urlsplit(image["coco_url"]).path.split("/")[-2:])
            items.append(BoxItem(path, image["width"], image["height"], truth))
        groups = {
            group: frozenset(classes[entry["id"]] for entry in content["categories"] if entry["frequency"] == letter)
            for group, letter in GROUPS.items()
        }
    return BoxSet(items, [prompt(name) for name in names], problems, groups)
