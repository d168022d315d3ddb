"""CVAT for images: `annotations.xml` with boxes, polygons, masks and tags of each image."""

import math
from pathlib import Path
from xml.etree.ElementTree import Element

from quantize.labels.gathered import Gathered
from quantize.labels.labelled import DataSet, Rect, part_of, wrong
from quantize.labels.xml_files import bounds, root_of

FORM = "CVAT annotations"
EXPECTED = "CVAT's annotations for images, with image and box"


def read(place: Path, file: Path, folder: Path) -> DataSet:
    """From one file, whose pictures lie below `folder`; raises LabelError."""
    root = root_of(file)
    if root.tag != "annotations":
        raise wrong(file, f"<{root.tag}>", EXPECTED)
    if root.find("track") is not None:
        raise wrong(file, "tracks of a video", f'{EXPECTED} (export as "CVAT for images")')
    gathered = Gathered(place, f"{FORM} ({file.name})", folder)
    for image in root.findall("image"):
        name = image.get("name")
        if not name:
            raise wrong(file, "an image without a name", EXPECTED)
        path = gathered.find(file, name, [file.parent, file.parent / "images"])
        declared = _size(image)
        part = part_of([*(image.get("subset") or "").split(), *Path(name).parts[:-1]])
        picture = None if path is None else gathered.open(path, declared, part)
        for mark in image:
            label = mark.get("label")
            if mark.tag == "attribute":
                continue
            if not label:
                raise wrong(file, f"a {mark.tag} without a label", EXPECTED)
            if picture is None:
                continue
            if mark.tag == "tag":
                gathered.whole(picture, label)
            elif (rect := _rect(file, name, mark)) is not None:
                gathered.pixels(picture, label, rect, declared)
            else:
                gathered.left.add(f"marks of another kind ({mark.tag})", name)
    return gathered.data_set()


def _size(image: Element) -> tuple[int, int] | None:
    sides = image.get("width", ""), image.get("height", "")
    return (int(sides[0]), int(sides[1])) if all(side.isdigit() for side in sides) else None


def _rect(file: Path, name: str, mark: Element) -> Rect | None:
    try:
        if mark.tag == "box":
            return _turned(_numbers(mark, "xtl", "ytl", "xbr", "ybr"), float(mark.get("rotation", 0)))
        if mark.tag == "polygon":
            return bounds([(float(x), float(y)) for x, y in (p.split(",") for p in mark.get("points", "").split(";"))])
        if mark.tag == "mask":
            left, top, width, height = _numbers(mark, "left", "top", "width", "height")
            return left, top, left + width, top + height
        if mark.tag == "ellipse":
            cx, cy, rx, ry = _numbers(mark, "cx", "cy", "rx", "ry")
            return cx - rx, cy - ry, cx + rx, cy + ry
    except ValueError:
        raise wrong(file, f"a {mark.tag} of {name} without corners", EXPECTED) from None
    return None


def _numbers(mark: Element, *names: str) -> Rect:
    a, b, c, d = (float(mark.get(name, "")) for name in names)
    return a, b, c, d


def _turned(rect: Rect, degrees: float) -> Rect:
    """The bounds of a box that is turned about its centre."""
    if degrees % 180 == 0:
        return rect
    x0, y0, x1, y1 = rect
    turn, cx, cy, w, h = math.radians(degrees), (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0
    half_w = (abs(w * math.cos(turn)) + abs(h * math.sin(turn))) / 2
    half_h = (abs(w * math.sin(turn)) + abs(h * math.cos(turn))) / 2
    return cx - half_w, cy - half_h, cx + half_w, cy + half_h
