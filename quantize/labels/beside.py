"""Pictures with a file of their own name beside them: captions in `NAME.txt`, one a line, or a shard's record in `NAME.json`."""

import json
from pathlib import Path

from quantize.labels import record
from quantize.labels.gathered import Gathered, pictures_below
from quantize.labels.labelled import DataSet, LabelError, read_text, wrong
from quantize.labels.yolo import looks_like_labels

FORM = "pictures with captions or records beside them"
BARE = "pictures alone"


def texts_look_like_labels(pictures: list[Path]) -> Path | None:
    """The first text beside a picture that holds YOLO's numbers."""
    for picture in pictures:
        text = picture.with_suffix(".txt")
        if text.is_file() and looks_like_labels(text.read_text("utf-8", "replace")):
            return text
    return None


def read(place: Path) -> DataSet:
    """Raises LabelError if there are no pictures."""
    paths = pictures_below(place)
    if not paths:
        raise wrong(place, "no pictures", "pictures with labels or captions, or shards (*.tar)")
    gathered = Gathered(place, BARE, place)
    for path in paths:
        picture = gathered.open(path)
        if picture is None:
            continue
        text, told = path.with_suffix(".txt"), path.with_suffix(".json")
        try:
            if text.is_file():
                gathered.form = FORM
                _captions(gathered, path, text)
            if told.is_file():
                gathered.form = FORM
                record.add(gathered, picture, json.loads(read_text(told)))
        except (LabelError, ValueError, TypeError, KeyError) as error:
            gathered.drop(path, "pictures with a record that cannot be used", f"{told}: {error}")
    return gathered.data_set()


def _captions(gathered: Gathered, path: Path, text: Path) -> None:
    picture, content = gathered.open(path), read_text(text)
    if picture is None:
        return
    if looks_like_labels(content):
        gathered.left.add("texts of YOLO's numbers, which are no captions", text)
        return
    for line in content.splitlines():
        gathered.caption(picture, line)
