"""Label Studio's export: tasks with results, rectangles and polygons in per cent of the picture, choices for the whole, texts.

Also its short form (`JSON-MIN`), where a task's answers stand under the names of its controls.
"""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from quantize.labels.gathered import Gathered
from quantize.labels.labelled import DataSet, Labelled, Rect, read_json, wrong
from quantize.labels.xml_files import bounds

FORM = "Label Studio's export"
EXPECTED = "Label Studio's export as JSON: tasks with data and annotations"
UPLOAD = re.compile(r"^[0-9a-fA-F]{8}-(?=.)")
"""What uploads have in front of their names."""
NAMED = ("rectanglelabels", "polygonlabels", "brushlabels", "ellipselabels", "keypointlabels", "labels")


def is_label_studio(content: Any) -> bool:
    """Whether JSON is of this form."""
    first = content[0] if isinstance(content, list) and content else None
    return isinstance(first, dict) and ("data" in first or ("image" in first and "annotator" in first))


def read(place: Path, file: Path, folder: Path) -> DataSet:
    """From one file, whose pictures lie below `folder`; raises LabelError."""
    tasks = read_json(file, EXPECTED)
    if not isinstance(tasks, list):
        raise wrong(file, "another kind of JSON", EXPECTED)
    gathered = Gathered(place, f"{FORM} ({file.name})", folder)
    for task in tasks:
        if not isinstance(task, dict):
            raise wrong(file, "a task without data", EXPECTED)
        _task(gathered, file, task)
    return gathered.data_set()


def _task(gathered: Gathered, file: Path, task: dict[str, Any]) -> None:
    data = task.get("data", task if "image" in task else None)
    if not isinstance(data, dict):
        raise wrong(file, "a task without data", EXPECTED)
    address = data.get("image") or next((v for v in data.values() if isinstance(v, str)), None)
    if not isinstance(address, str):
        raise wrong(file, "a task without a picture", EXPECTED)
    path = _picture(gathered, file, address)
    picture = None if path is None else gathered.open(path)
    if picture is None:
        return
    values = list(_values(task))
    if not values:
        gathered.drop(picture.content.path, "tasks without an answer", address)
    for value in values:
        _value(gathered, file, picture, value)


def _values(task: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "data" in task:
        for annotation in task.get("annotations") or task.get("completions") or []:
            # what an annotator has thrown away does not count
            if not annotation.get("was_cancelled"):
                yield from ((result.get("value") or {}) | _sides(result) for result in annotation.get("result", []))
        return
    for key, answer in task.items():
        if isinstance(answer, list):
            yield from (each for each in answer if isinstance(each, dict))
        elif isinstance(answer, dict) and "choices" in answer:
            yield answer
        elif isinstance(answer, str) and key in ("choice", "class", "label"):
            yield {"choices": [answer]}


def _sides(result: dict[str, Any]) -> dict[str, Any]:
    return {key: result[key] for key in ("original_width", "original_height") if key in result}


def _value(gathered: Gathered, file: Path, picture: Labelled, value: dict[str, Any]) -> None:
    for name in value.get("choices") or []:
        gathered.whole(picture, str(name))
    if "text" in value:
        for text in value["text"] if isinstance(value["text"], list) else [value["text"]]:
            gathered.caption(picture, str(text))
    names: list[object] = next((value[kind] for kind in NAMED if value.get(kind)), [])
    if not names:
        return
    rect = _rect(file, value)
    for name in names:
        if rect is None:
            gathered.left.add("marks of another kind than rectangle and polygon", picture.key)
        else:
            gathered.box(picture, str(name), rect)


def _rect(file: Path, value: dict[str, Any]) -> Rect | None:
    try:
        if value.get("points"):
            return bounds([(float(x) / 100, float(y) / 100) for x, y in value["points"]])
        if "radiusX" in value:
            x, y, rx, ry = (float(value[key]) / 100 for key in ("x", "y", "radiusX", "radiusY"))
            return x - rx, y - ry, x + rx, y + ry
        if "rle" in value or ("width" in value and "height" not in value and "rectanglelabels" not in value):
            return None
        x, y, w, h = (float(value[key]) / 100 for key in ("x", "y", "width", "height"))
    except (KeyError, TypeError, ValueError):
        raise wrong(file, "a rectangle without its sides", EXPECTED) from None
    turn = float(value.get("rotation") or 0)
    if turn % 360 == 0:
        return x, y, x + w, y + h
    # turned about the corner at the top left, in pixels
    width, height = float(value.get("original_width") or 1), float(value.get("original_height") or 1)
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    ends = [(0.0, 0.0), (w * width, 0.0), (0.0, h * height), (w * width, h * height)]
    return bounds([(x + (a * c - b * s) / width, y + (a * s + b * c) / height) for a, b in ends])


def _picture(gathered: Gathered, file: Path, address: str) -> Path | None:
    """The last part of an address such as `/data/upload/1/1a2b3c4d-van.jpg` or `/data/local-files/?d=photos/van.jpg`, without
    what an upload was given if only that is there.
    """
    local = address.rpartition("?d=")[2] if "?d=" in address else re.split(r"[?#]", address)[0]
    name = unquote(local) if "?d=" in address else unquote(local).rpartition("/")[2]
    plain = UPLOAD.sub("", name.rpartition("/")[2])
    near = [file.parent, file.parent / "images"]
    if plain != name.rpartition("/")[2] and not any((f / name).is_file() for f in (*near, gathered.folder)):
        for folder in (*near, gathered.folder):
            if (folder / plain).is_file():
                return folder / plain
    return gathered.find(file, name, near)
