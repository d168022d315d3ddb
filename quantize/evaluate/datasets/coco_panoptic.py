"""COCO 2017 panoptic (Kirillov et al., 2019): 80 things and 53 kinds of stuff on 5,000 pictures.

`annotations/panoptic_val2017.json`, `annotations/panoptic_val2017/….png`, `val2017/….jpg`
"""

from pathlib import Path

from quantize.evaluate.datasets.coco import categories
from quantize.evaluate.datasets.files import Problems, existing, expecting, read_json
from quantize.evaluate.datasets.kinds import PanopticItem, PanopticSet, Segment
from quantize.evaluate.segmentation import panoptic_prompt

EXPECTED = "COCO's panoptic_val2017.json with images, annotations and categories"


def load(folder: Path) -> PanopticSet:
    """Reads the validation set; raises DatasetError."""
    file = folder / "annotations/panoptic_val2017.json"
    content = read_json(file, EXPECTED)
    pictures = existing(folder / "val2017", "the pictures of val2017.zip")
    maps = existing(folder / "annotations/panoptic_val2017", "the maps of panoptic_val2017.zip")
    problems = Problems()
    with expecting(file, EXPECTED):
        names, classes = categories(content["categories"])
        things = frozenset(classes[entry["id"]] for entry in content["categories"] if entry["isthing"])
        files = {image["id"]: pictures / image["file_name"] for image in content["images"]}
        items = []
        for annotation in content["annotations"]:
            segments = []
            for info in annotation["segments_info"]:
                if info["category_id"] in classes:
                    segments.append(Segment(info["id"], classes[info["category_id"]], bool(info["iscrowd"])))
                else:
                    problems.unknown[f"category {info['category_id']}"] += 1
            items.append(PanopticItem(files[annotation["image_id"]], maps / annotation["file_name"], segments))
    return PanopticSet(items, [panoptic_prompt(name) for name in names], things, problems)
