"""A folder for each name, as torchvision's `ImageFolder` reads them; folders such as train/ and val/ may stand around them."""

from pathlib import Path

from quantize.labels.gathered import Gathered, pictures_below
from quantize.labels.labelled import DataSet, part_of, wrong

FORM = "a folder of pictures for each name"


def subfolders(place: Path) -> list[Path]:
    """Those of a folder, without hidden ones."""
    return sorted(p for p in place.iterdir() if p.is_dir() and not p.name.startswith("."))


def named_folders(place: Path) -> list[tuple[str, Path]]:
    """Part and folder of each name; empty if pictures lie otherwise."""
    found: list[tuple[str, Path]] = []
    folders = subfolders(place)
    split = bool(folders) and all(part_of([f.name]) for f in folders)
    for part, outer in [(part_of([f.name]), f) for f in folders] if split else [("", place)]:
        found += [(part, each) for each in subfolders(outer)]
    return [(part, each) for part, each in found if any(pictures_below(each))]


def read(place: Path) -> DataSet:
    """The pictures of each folder, which the thing that the folder is called after fills; raises LabelError."""
    folders = named_folders(place)
    if not folders:
        raise wrong(place, "no folders in it", "a folder of pictures for each name, such as van/")
    gathered = Gathered(place, FORM, place)
    for part, folder in folders:
        for path in pictures_below(folder):
            picture = gathered.open(path, part=part)
            if picture is not None:
                gathered.whole(picture, folder.name)
    return gathered.data_set()
