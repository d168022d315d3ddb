"""YOLO's data sets: `data.yaml` with names and folders, and beside each folder `images` one of `labels`, a line
`class cx cy w h`, or a polygon `class x y x y …`, in fractions for each thing.

`classes.txt` (Label Studio) and `obj.names` (CVAT, Darknet) name the classes where there is no `data.yaml`.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from quantize.labels.gathered import Gathered, pictures_below
from quantize.labels.labelled import DataSet, LabelError, Rect, part_of, read_text, wrong

FORM = "YOLO labels"
LINE = "CLASS CX CY W H in fractions of the picture"
NAMES_OF = ("classes.txt", "obj.names", "labels.txt", "predefined_classes.txt")
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
LABEL_LINE = re.compile(rf"\s*\d+(?:\s+{NUMBER}){{4,}}\s*")


def looks_like_labels(text: str) -> bool:
    """Whether a text is lines of numbers, as YOLO has them: never a caption."""
    lines = [line for line in text.splitlines() if line.strip()]
    return bool(lines) and all(LABEL_LINE.fullmatch(line) for line in lines)


@dataclass(frozen=True)
class Data:
    """What `data.yaml` says: folders or lists of pictures by part, names, and whether lines go on with key points."""

    folders: list[tuple[str, list[str]]]
    """Part and where its pictures may be."""
    names: list[str]
    points: bool


def is_yolo(path: Path) -> bool:
    """Whether a YAML file is a data set's."""
    try:
        return isinstance(content := yaml.safe_load(read_text(path)), dict) and "names" in content
    except (yaml.YAMLError, LabelError):
        return False


def parse(file: Path) -> Data:
    """Raises LabelError that says what is wrong with it."""
    expected = "data.yaml with names, and folders under train, val or test"
    try:
        content: Any = yaml.safe_load(read_text(file))
    except yaml.YAMLError as error:
        raise wrong(file, " ".join(str(error).split()), expected) from None
    if not isinstance(content, dict):
        raise wrong(file, "no table", expected)
    names = content.get("names") or []
    if isinstance(names, dict):
        if sorted(names) != list(range(len(names))):
            raise wrong(file, "names with gaps between their numbers", "0, 1, 2 and so on")
        names = [names[i] for i in range(len(names))]
    keys = {"train": content.get("train"), "val": content.get("val") or content.get("valid"), "test": content.get("test")}
    base = content.get("path")
    folders = [
        (part, [*([str(Path(str(base), str(each)))] if base else []), str(each)])
        for part, value in keys.items()
        for each in (value if isinstance(value, list) else [value] if value else [])
    ]
    if not names or not folders:
        raise wrong(file, "no names" if not names else "no train, val or test", expected)
    return Data(folders, [str(name) for name in names], "kpt_shape" in content)


def read(place: Path, file: Path) -> DataSet:
    """From `data.yaml`; raises LabelError."""
    data, root = parse(file), file.parent
    gathered = Gathered(place, f"{FORM} ({file.name})", root)
    seen: set[Path] = set()
    for part, places in data.folders:
        pictures = next((found for each in places if (found := _pictures(root, each))), [])
        if not pictures:
            gathered.left.add("folders that are not there or hold no pictures", places[-1])
        for picture in pictures:
            if picture not in seen:
                seen.add(picture)
                _label(gathered, picture, data.names, part, data.points)
    return gathered.data_set()


def read_without_yaml(place: Path, names: Path) -> DataSet:
    """From a folder whose classes are named in a text file, one a line; raises LabelError."""
    known = [line.strip() for line in read_text(names).splitlines() if line.strip()]
    gathered = Gathered(place, f"{FORM} ({names.name})", place)
    for picture in pictures_below(place):
        _label(gathered, picture, known, part_of(picture.relative_to(place).parts[:-1]), False)
    return gathered.data_set()


def _pictures(root: Path, named: str) -> list[Path]:
    """Those of a folder or of a text file that lists them; `named` may be relative to where training was started."""
    plain = named.replace("\\", "/")
    tries = [Path(plain), root / plain, root / plain.lstrip("./")]
    inside = [t for t in tries if t.resolve().is_relative_to(root.resolve())]
    for place in (*inside, *(t for t in tries if t not in inside)):
        if place.is_dir() and (found := pictures_below(place)):
            return found
        if place.is_file() and place.suffix == ".txt":
            lines = [line.strip() for line in read_text(place).splitlines() if line.strip()]
            return [p for line in lines for p in (Path(line), root / line, place.parent / line) if p.is_file()]
    return []


def label_file(picture: Path) -> Path:
    """`…/images/train/a.jpg` → `…/labels/train/a.txt`: the last folder of that name, else the picture's own."""
    parts = list(picture.parts)
    if "images" in parts:
        parts[len(parts) - 1 - parts[::-1].index("images")] = "labels"
    other = Path(*parts).with_suffix(".txt")
    return other if other.is_file() else picture.with_suffix(".txt")


def _label(gathered: Gathered, path: Path, names: Sequence[str], part: str, points: bool) -> None:
    picture = gathered.open(path, part=part)
    file = label_file(path)
    if picture is None:
        return
    if not file.is_file():
        gathered.drop(path, "pictures without a file of labels", path)
        return
    try:
        for number, line in enumerate(read_text(file).splitlines(), 1):
            if line.strip():
                name, rect = thing(f"{file}, line {number}", line, names, points)
                gathered.box(picture, name, rect)
    except LabelError as error:
        gathered.drop(path, "pictures with labels that cannot be used", error)


def thing(place: str, line: str, names: Sequence[str], points: bool = False) -> tuple[str, Rect]:
    """`class cx cy w h`, the same with a score or key `points` behind, or a polygon; raises LabelError."""
    words = line.split()
    try:
        label, numbers = int(words[0]), [float(word) for word in words[1:]]
    except ValueError:
        raise wrong(place, line.strip(), LINE) from None
    if not 0 <= label < len(names):
        raise wrong(place, f"class {label}", f"0 to {len(names) - 1}")
    if not all(map(math.isfinite, numbers)):
        raise wrong(place, line.strip(), LINE)
    if len(numbers) in (4, 5) or (points and len(numbers) > 5):
        cx, cy, w, h = numbers[:4]
        return names[label], (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)
    if len(numbers) >= 6 and len(numbers) % 2 == 0:
        return names[label], (min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2]))
    raise wrong(place, line.strip(), LINE)
