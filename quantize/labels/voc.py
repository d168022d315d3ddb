"""Pascal VOC: one XML file a picture, in `Annotations/`, with the pictures in `JPEGImages/`, or side by side."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element

from quantize.labels.gathered import Gathered
from quantize.labels.labelled import DataSet, LabelError, Rect, part_of, wrong
from quantize.labels.xml_files import root_of

FORM = "Pascal VOC annotations"
EXPECTED = "annotation with filename and object, as Pascal VOC has them"


def read(place: Path, files: Sequence[Path], folder: Path) -> DataSet:
    """From one file a picture; one that cannot be used is left, and the others are taken. Raises LabelError if none is left."""
    gathered = Gathered(place, FORM, folder)
    parts = _parts(folder)
    for file in files:
        try:
            _read(gathered, file, parts)
        except LabelError as error:
            gathered.left.add("files that cannot be used", error)
    return gathered.data_set()


def _parts(folder: Path) -> dict[str, str]:
    """From a picture's name to its part, as `ImageSets/Main` splits them."""
    found: dict[str, str] = {}
    for part in ("test", "val", "train"):
        file = folder / "ImageSets/Main" / f"{part}.txt"
        if file.is_file():
            found |= {line.split()[0]: part for line in file.read_text().splitlines() if line.strip()}
    return found


def _read(gathered: Gathered, file: Path, parts: dict[str, str]) -> None:
    root = root_of(file)
    if root.tag != "annotation":
        raise wrong(file, f"<{root.tag}>", EXPECTED)
    name = (root.findtext("filename") or "").strip()
    if not name:
        raise wrong(file, "no filename", EXPECTED)
    objects = [_object(file, each) for each in root.findall("object")]
    if not Path(name).suffix:
        name += ".jpg"
    near = [file.parent, file.parent.parent / "JPEGImages", file.parent.parent / "images"]
    # tools that rename pictures forget the file name inside
    same = [folder / f"{file.stem}{Path(name).suffix}" for folder in near]
    path = next((p for p in same if p.is_file()), None) or gathered.find(file, name, near)
    if path is None:
        return
    size = root.find("size")
    declared = None
    if size is not None:
        sides = [size.findtext(side) or "0" for side in ("width", "height")]
        declared = (int(float(sides[0])), int(float(sides[1]))) if all(_number(s) for s in sides) else None
    part = parts.get(file.stem) or part_of([file.parent.name])
    picture = gathered.open(path, declared, part)
    if picture is not None:
        for label, rect in objects:
            gathered.pixels(picture, label, rect, declared)


def _object(file: Path, element: Element) -> tuple[str, Rect]:
    """Boxes count pixels from 1, and include their last."""
    edges = [element.findtext(f"bndbox/{edge}") or "" for edge in ("xmin", "ymin", "xmax", "ymax")]
    name = (element.findtext("name") or "").strip()
    if not name or not all(_number(edge) for edge in edges):
        raise wrong(file, "an object without name and box", EXPECTED)
    x0, y0, x1, y1 = map(float, edges)
    return name, (x0 - 1, y0 - 1, x1, y1)


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
