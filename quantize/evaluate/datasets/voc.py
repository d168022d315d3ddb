"""PASCAL VOC 2012 (Everingham et al., 2015): 20 classes on 1,449 pictures, with or without the background. The folder is
`VOCdevkit/VOC2012`.

`ImageSets/Segmentation/val.txt`, `JPEGImages/2007_000033.jpg`, `SegmentationClass/2007_000033.png` (0 background, 255 border)
"""

from pathlib import Path

from quantize.evaluate.datasets.files import Problems, read_lines
from quantize.evaluate.datasets.kinds import MapItem, MapSet
from quantize.evaluate.segmentation import IGNORED

NAMES = tuple(
    """aeroplane|bicycle|bird|boat|bottle|bus|car|cat|chair|cow|dining table|dog|horse|motorbike|person|potted plant|sheep|sofa
train|tv monitor""".replace("\n", "|").split("|")
)
UNLABELLED = 255


def devkit(folder: Path, split: str, maps: str, names: tuple[str, ...], background: bool) -> MapSet:
    """A set in the folders of VOC's kit, whose ids are 0 for the background, then the names; raises DatasetError."""
    keys = read_lines(folder / split, "a list of pictures, one name a line")
    items = [MapItem(folder / "JPEGImages" / f"{key.strip()}.jpg", folder / maps / f"{key.strip()}.png") for key in keys]
    classes = {0: len(names) if background else IGNORED, UNLABELLED: IGNORED}
    return MapSet(items, names, classes | {i + 1: i for i in range(len(names))}, background, Problems())


def load(folder: Path, background: bool) -> MapSet:
    """Reads the validation set; raises DatasetError."""
    return devkit(folder, "ImageSets/Segmentation/val.txt", "SegmentationClass", NAMES, background)
