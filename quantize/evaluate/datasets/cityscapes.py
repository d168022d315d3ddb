"""Cityscapes (Cordts et al., 2016): 19 classes on 500 pictures.

`leftImg8bit/val/CITY/CITY_000000_000019_leftImg8bit.png`, `gtFine/val/CITY/CITY_000000_000019_gtFine_labelIds.png`
"""

from pathlib import Path

from quantize.evaluate.datasets.files import Problems, existing
from quantize.evaluate.datasets.kinds import MapItem, MapSet
from quantize.evaluate.segmentation import IGNORED

CLASSES = {
    7: "road", 8: "sidewalk", 11: "building", 12: "wall", 13: "fence", 17: "pole", 19: "traffic light", 20: "traffic sign",
    21: "vegetation", 22: "terrain", 23: "sky", 24: "person", 25: "rider", 26: "car", 27: "truck", 28: "bus", 31: "train",
    32: "motorcycle", 33: "bicycle",
}  # fmt: skip
IDS = 34
LICENCE_PLATE = 255
"""Its id is -1."""


def load(folder: Path) -> MapSet:
    """Reads the validation set; raises DatasetError."""
    pictures = existing(folder / "leftImg8bit/val", "the pictures of leftImg8bit_trainvaltest.zip")
    maps = existing(folder / "gtFine/val", "the label maps of gtFine_trainvaltest.zip")
    items = [
        MapItem(path, maps / path.parent.name / path.name.replace("_leftImg8bit", "_gtFine_labelIds"))
        for path in sorted(pictures.glob("*/*_leftImg8bit.png"))
    ]
    classes = dict.fromkeys([*range(IDS), LICENCE_PLATE], IGNORED) | {id: i for i, id in enumerate(CLASSES)}
    return MapSet(items, list(CLASSES.values()), classes, False, Problems())
