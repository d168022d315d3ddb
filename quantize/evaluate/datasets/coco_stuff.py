"""COCO-Stuff (Caesar et al., 2018): 171 classes of COCO's 5,000 validation pictures; or its 80 things before a background.

`labels.txt` (of the set's repository), `val2017/….jpg`, `stuffthingmaps/val2017/….png` (category id minus 1; 255 is unlabelled)
"""

from pathlib import Path

from quantize.evaluate.datasets.files import Problems, existing, expecting, read_lines
from quantize.evaluate.datasets.kinds import MapItem, MapSet
from quantize.evaluate.segmentation import IGNORED, panoptic_prompt

EXPECTED = "COCO-Stuff's labels.txt, a line `id: name` for each of 182 categories"
ABSENT = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91}
"""Categories of the list that no picture has."""
LAST_THING = 90
UNLABELLED = 255


def load(folder: Path, things: bool) -> MapSet:
    """Reads the validation set, with only its things before all else as background if `things`; raises DatasetError."""
    file = folder / "labels.txt"
    lines = read_lines(file, EXPECTED)
    with expecting(file, EXPECTED):
        listed = {int(number): name.strip() for number, name in (line.split(":") for line in lines) if int(number) > 0}
    kept = sorted(id for id in listed if id not in ABSENT and (id <= LAST_THING or not things))
    rest = len(kept) if things else IGNORED
    classes = {UNLABELLED: rest} | {id - 1: rest for id in listed}
    classes |= {id - 1: i for i, id in enumerate(kept)}
    pictures = existing(folder / "val2017", "the pictures of val2017.zip")
    maps = existing(folder / "stuffthingmaps/val2017", "the maps of stuffthingmaps_trainval2017.zip")
    items = [MapItem(path, maps / f"{path.stem}.png") for path in sorted(pictures.glob("*.jpg"))]
    return MapSet(items, [panoptic_prompt(listed[id]) for id in kept], classes, things, Problems())
