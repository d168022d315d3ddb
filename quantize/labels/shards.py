"""WebDataset shards: `KEY.jpg` with `KEY.json` (a record), `KEY.txt` (captions) or `KEY.cls` (a name)."""

import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

from quantize.labels import record
from quantize.labels.gathered import PICTURES, Gathered
from quantize.labels.labelled import Content, DataSet, Labelled, part_of, wrong
from quantize.labels.yolo import looks_like_labels

FORM = "WebDataset shards"


def read(place: Path, files: Sequence[Path]) -> DataSet:
    """Raises LabelError if a file is no tar, or nothing in it is labelled."""
    gathered = Gathered(place, FORM, place if place.is_dir() else place.parent)
    pictures: list[Labelled] = []
    for file in files:
        pictures += _read(gathered, file)
    if not pictures:
        raise wrong(place, "no samples", "KEY.jpg and KEY.json")
    return DataSet(place, FORM, pictures, gathered.left)


def _read(gathered: Gathered, file: Path) -> list[Labelled]:
    parts: dict[str, dict[str, Content]] = {}
    try:
        with tarfile.open(file, "r:") as tar:  # members are read in place, so no compression
            for member in tar:
                folder, slash, base = member.name.rpartition("/")
                stem, _, extension = base.partition(".")
                if member.isfile():
                    parts.setdefault(folder + slash + stem, {})[extension.lower()] = Content(
                        file, member.offset_data, member.size
                    )
    except (OSError, tarfile.TarError) as error:
        raise wrong(file, str(error), "an uncompressed tar of samples") from None
    found = []
    for key, sample in parts.items():
        content = next((sample[e] for e in sample if f".{e}" in PICTURES), None)
        if content is None:
            gathered.left.add("samples without a picture", key)
            continue
        try:
            picture = Labelled(key, content, content.upright_size(), part_of(file.stem.replace("_", "-").split("-")))
        except Exception:  # Pillow alone raises half a dozen types for a broken file
            gathered.left.add("pictures that cannot be read", f"{file.name}: {key}")
            continue
        try:
            _add(gathered, picture, sample)
        except (KeyError, TypeError, ValueError) as error:
            gathered.left.add("samples with a record that cannot be used", f"{key}: {error}")
            continue
        found.append(picture)
    return found


def _add(gathered: Gathered, picture: Labelled, sample: dict[str, Content]) -> None:
    if "json" in sample:
        record.add(gathered, picture, json.loads(sample["json"].read()))
    if "txt" in sample:
        text = sample["txt"].read().decode()
        if looks_like_labels(text):
            gathered.left.add("texts of YOLO's numbers, which are no captions", picture.key)
        else:
            for line in text.splitlines():
                gathered.caption(picture, line)
    if "cls" in sample:
        name = sample["cls"].read().decode().strip()
        if name.isdigit():
            gathered.left.add("classes by number, which have no name", picture.key)
        else:
            gathered.whole(picture, name)
