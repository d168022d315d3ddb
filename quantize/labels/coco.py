"""COCO's annotations: images, categories and boxes `[x, y, width, height]` in pixels, or captions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pycocotools import mask

from quantize.labels.gathered import Gathered
from quantize.labels.labelled import DataSet, Labelled, Rect, part_of, read_json, wrong

FORM = "COCO annotations"
EXPECTED = "COCO annotations: images, categories and annotations with bbox"


def is_coco(content: Any) -> bool:
    """Whether JSON is of this form."""
    return isinstance(content, dict) and isinstance(content.get("images"), list) and "annotations" in content


def read(place: Path, files: Sequence[Path], folder: Path) -> DataSet:
    """From one file or more, whose pictures lie below `folder`; raises LabelError."""
    gathered = Gathered(place, f"{FORM} ({', '.join(file.name for file in files)})", folder)
    for file in files:
        _read(gathered, file)
    return gathered.data_set()


def _read(gathered: Gathered, file: Path) -> None:
    content = read_json(file, EXPECTED)
    if not is_coco(content):
        raise wrong(file, "another kind of JSON", EXPECTED)
    part = part_of([*file.parent.parts[-1:], *file.stem.replace("-", "_").split("_")])
    try:
        names = {c["id"]: str(c["name"]) for c in content.get("categories", [])}
        images = {image["id"]: image for image in content["images"]}
        if len(images) < len(content["images"]):
            raise wrong(file, f"{len(content['images']) - len(images)} images with another's id", "an id of its own for each")
        opened = {id_: _image(gathered, file, image, part) for id_, image in images.items()}
        for annotation in content["annotations"]:
            _annotation(gathered, file, annotation, images, opened, names)
    except (KeyError, TypeError, AttributeError) as error:
        raise wrong(file, f"{type(error).__name__}: {error}", EXPECTED) from None


def _size(image: dict[str, Any]) -> tuple[int, int] | None:
    return (int(image["width"]), int(image["height"])) if image.get("width") and image.get("height") else None


def _image(gathered: Gathered, file: Path, image: dict[str, Any], part: str) -> Labelled | None:
    # file.parent holds them in Roboflow's exports, beside annotations/ lie train2017/ and the like in COCO's own
    name = str(image["file_name"])
    year = file.stem.rpartition("_")[2]
    near = [file.parent, file.parent / "images", file.parent.parent / year, file.parent.parent / "images" / year]
    path = gathered.find(file, name, near)
    return None if path is None else gathered.open(path, _size(image), part)


def _annotation(
    gathered: Gathered, file: Path, a: dict[str, Any], images: dict[Any, dict[str, Any]], opened: dict[Any, Labelled | None],
    names: dict[Any, str],
) -> None:  # fmt: skip
    if a["image_id"] not in images:
        raise wrong(file, f"a box of image {a['image_id']}", "one in the same file")
    picture = opened[a["image_id"]]
    if "caption" in a:
        if picture is not None:
            gathered.caption(picture, str(a["caption"]))
        return
    if a["category_id"] not in names:
        raise wrong(file, f"a box of category {a['category_id']}", "one in the same file")
    if picture is None:
        return
    size = _size(images[a["image_id"]])
    rect = _rect(a, size or picture.size)
    if rect is None:
        gathered.left.add("annotations without a box or a segment", f"{file.name}, annotation {a.get('id', '?')}")
    else:
        gathered.pixels(picture, names[a["category_id"]], rect, size, bool(a.get("iscrowd", 0)))


def _rect(a: dict[str, Any], size: tuple[int, int]) -> Rect | None:
    """The box, or the bounds of the segment."""
    segment = a.get("segmentation")
    if a.get("bbox"):
        x, y, w, h = (float(v) for v in a["bbox"])
    elif isinstance(segment, list) and segment:
        points = [float(v) for polygon in segment for v in polygon]
        return min(points[::2]), min(points[1::2]), max(points[::2]), max(points[1::2])
    elif isinstance(segment, dict):
        packed = mask.frPyObjects(segment, size[1], size[0]) if isinstance(segment["counts"], list) else segment
        x, y, w, h = mask.toBbox(packed).tolist()
    else:
        return None
    return x, y, x + w, y + h
