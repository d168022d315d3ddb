"""Pictures with five captions each.

Flickr30k (Young et al., 2014), 1,000 test pictures: `dataset_flickr30k.json` (Karpathy's split), or `results_20130124.token` with
`test.txt` (a picture's name a line); `flickr30k-images/1007129816.jpg`.
COCO, 5,000 pictures: `dataset_coco.json` (Karpathy's split) with `val2014/….jpg`, or `annotations/captions_val2017.json` with
`val2017/….jpg`.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from quantize.evaluate.datasets.coco import by_picture
from quantize.evaluate.datasets.files import DatasetError, Problems, existing, expecting, first_of, read_json, read_lines
from quantize.evaluate.datasets.kinds import CaptionItem, CaptionSet

CAPTIONS = 5
"""Captions per picture that are asked for; some pictures of COCO have more."""
KARPATHY = "Karpathy's split with images, their split, filename and sentences"
TOKENS = "`1000092795.jpg#0`, a tab and a caption on each line"


def load_flickr30k(folder: Path) -> CaptionSet:
    """Reads the test set; raises DatasetError."""
    pictures = folder / "flickr30k-images"
    files = [
        (folder / "dataset_flickr30k.json", lambda path: _karpathy(path, lambda image: pictures / str(image["filename"]))),
        (folder / "results_20130124.token", lambda path: _tokens(path, pictures)),
    ]
    found = first_of(files, "Flickr30k's captions")
    existing(pictures, "Flickr30k's pictures")
    return found


def load_coco(folder: Path) -> CaptionSet:
    """Reads Karpathy's test set, or else the validation set of 2017; raises DatasetError."""

    def place(image: Mapping[str, Any]) -> Path:
        return folder / str(image["filepath"]) / str(image["filename"])

    files = [
        (folder / "dataset_coco.json", lambda path: _karpathy(path, place)),
        (folder / "annotations/captions_val2017.json", lambda path: _coco(path, folder / "val2017")),
    ]
    return first_of(files, "COCO's captions")


def _set(file: Path, captioned: Iterable[tuple[Path, Iterable[str]]]) -> CaptionSet:
    """Blank captions are left out, and pictures that then have none."""
    problems, items = Problems(), []
    for path, captions in captioned:
        texts = [" ".join(caption.split()) for caption in captions][:CAPTIONS]
        problems.unknown["a blank caption"] += texts.count("")
        if kept := [text for text in texts if text]:
            items.append(CaptionItem(path, kept))
    problems.unknown = +problems.unknown
    if not items:
        raise DatasetError(f"{file}: found no captioned picture, expected some of the test set")
    return CaptionSet(items, problems)


def _karpathy(file: Path, place: Any) -> CaptionSet:
    content = read_json(file, KARPATHY)
    with expecting(file, KARPATHY):
        images = [image for image in content["images"] if image["split"] == "test"]
        return _set(file, [(place(image), [str(each["raw"]) for each in image["sentences"]]) for image in images])


def _tokens(file: Path, pictures: Path) -> CaptionSet:
    lines = read_lines(file, TOKENS)
    chosen = {
        line.strip().removesuffix(".jpg") for line in read_lines(file.parent / "test.txt", "the test pictures, one per line")
    }
    captioned: dict[str, list[str]] = {}
    with expecting(file, TOKENS):
        for line in lines:
            place, caption = line.split("\t", 1)
            captioned.setdefault(place.split("#")[0], []).append(caption)
    return _set(file, [(pictures / name, each) for name, each in captioned.items() if name.removesuffix(".jpg") in chosen])


def _coco(file: Path, pictures: Path) -> CaptionSet:
    expected = "COCO's captions_val2017.json with images and annotations"
    content = read_json(file, expected)
    existing(pictures, "the pictures of val2017.zip")
    with expecting(file, expected):
        owned = by_picture(content["annotations"])
        captioned = [
            (pictures / image["file_name"], [str(each["caption"]) for each in owned[image["id"]]])
            for image in sorted(content["images"], key=lambda image: int(image["id"]))
        ]
        return _set(file, captioned)
