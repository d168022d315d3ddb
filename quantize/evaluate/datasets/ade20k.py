"""ADE20K's scene parsing benchmark (Zhou et al., 2017): 150 classes on 2,000 pictures. The folder is `ADEChallengeData2016`.

`objectInfo150.txt`, `images/validation/ADE_val_00000001.jpg`, `annotations/validation/ADE_val_00000001.png` (0 is unlabelled)
"""

import re
from pathlib import Path

from quantize.evaluate.datasets.files import Problems, existing, expecting, read_lines
from quantize.evaluate.datasets.kinds import MapItem, MapSet
from quantize.evaluate.segmentation import IGNORED

EXPECTED = "ADE20K's objectInfo150.txt, a line of head and one for each class"


def load(folder: Path) -> MapSet:
    """Reads the validation set; raises DatasetError."""
    file = folder / "objectInfo150.txt"
    lines = read_lines(file, EXPECTED)
    with expecting(file, EXPECTED):
        # The name stands last, its synonyms behind it.
        rows = [(int(line.split()[0]), re.split(r"\t|\s{2,}", line.strip())[-1]) for line in lines[1:]]
        names = [re.split("[;,]", name)[0].strip() for _, name in sorted(rows)]
        classes = {0: IGNORED} | {index: i for i, (index, _) in enumerate(sorted(rows))}
    maps = existing(folder / "annotations/validation", "label maps")
    pictures = existing(folder / "images/validation", "pictures")
    items = [MapItem(path, maps / f"{path.stem}.png") for path in sorted(pictures.glob("*.jpg"))]
    return MapSet(items, names, classes, False, Problems())
