"""PASCAL Context (Mottaghi et al., 2014): its 59 most frequent classes on 5,104 pictures, with or without the background. The
folder is `VOCdevkit/VOC2010`, with maps as mmsegmentation's converter writes them.

`ImageSets/SegmentationContext/val.txt`, `JPEGImages/2008_000002.jpg`, `SegmentationClassContext/2008_000002.png` (0 background)
"""

from pathlib import Path

from quantize.evaluate.datasets.kinds import MapSet
from quantize.evaluate.datasets.voc import devkit

NAMES = tuple(
    """aeroplane|bag|bed|bedclothes|bench|bicycle|bird|boat|book|bottle|building|bus|cabinet|car|cat|ceiling|chair|cloth|computer
cow|cup|curtain|dog|door|fence|floor|flower|food|grass|ground|horse|keyboard|light|motorbike|mountain|mouse|person|plate|platform
potted plant|road|rock|sheep|shelves|sidewalk|sign|sky|snow|sofa|table|track|train|tree|truck|tv monitor|wall|water|window
wood""".replace("\n", "|").split("|")
)


def load(folder: Path, background: bool) -> MapSet:
    """Reads the validation set; raises DatasetError."""
    return devkit(folder, "ImageSets/SegmentationContext/val.txt", "SegmentationClassContext", NAMES, background)
