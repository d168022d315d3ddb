"""Tiny public data sets in their makers' layouts, of plain colours, and a model that knows colours by name."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from quantize.arithmetic.geometry import Floats
from quantize.arithmetic.reference import unit
from quantize.evaluate.predictor import DenseEmbeddings, Detections, Picture, Thresholds

COLOURS = {
    "red": (250, 0, 0), "green": (0, 250, 0), "blue": (0, 0, 250), "yellow": (250, 250, 0), "white": (250, 250, 250),
    "black": (0, 0, 0),
}  # fmt: skip
Box = tuple[int, int, int, int]


def paint(width: int, height: int, ground: str, *boxes: tuple[Box, str]) -> NDArray[np.uint8]:
    """A picture of one colour with boxes x0, y0, x1, y1 of others."""
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = COLOURS[ground]
    for (x0, y0, x1, y1), colour in boxes:
        picture[y0:y1, x0:x1] = COLOURS[colour]
    return picture


def save(path: Path, pixels: NDArray[Any]) -> Path:
    """A picture or a map in a file of its name's kind, and the folders on the way; palette maps keep their indices."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels)
    if path.suffix.lower() in (".jpg", ".jpeg"):
        image.save(path, quality=95, subsampling=0)
    else:
        image.save(path)
    return path


def save_palette(path: Path, indices: NDArray[np.uint8]) -> Path:
    """VOC's kind of label map: a palette PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(indices).convert("P")
    image.putpalette([(37 * i) % 256 for i in range(768)])
    image.save(path)
    return path


def write(path: Path, content: Any) -> Path:
    """Text as it is, anything else as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def colour_ids(pixels: NDArray[Any]) -> NDArray[np.int64]:
    """Position of the nearest colour of each pixel."""
    palette = np.array(list(COLOURS.values()))
    return np.asarray(np.abs(pixels[..., None, :].astype(int) - palette).sum(axis=-1).argmin(axis=-1), np.int64)


class ColourPredictor:
    """Embeds what it sees as shares of colours, exactly, and a text as the colour that is named in it."""

    thresholds = Thresholds()

    def __init__(self, found: Iterable[Detections] = ()) -> None:
        """`found` are the detections that it will give, picture after picture."""
        self.found = list(found)
        self.texts: list[str] = []

    def embed_texts(self, texts: Sequence[str]) -> Floats:
        """One-hot; nothing for a text without a colour."""
        self.texts += texts
        return np.array([[float(colour in text.split()) for colour in COLOURS] for text in texts], np.float32)

    def _shares(self, pixels: NDArray[Any]) -> Floats:
        counts = np.bincount(colour_ids(pixels).ravel(), minlength=len(COLOURS))
        return unit(counts.astype(np.float32))

    def embed_images(self, pictures: Iterable[Picture]) -> Floats:
        return np.stack([self._shares(picture) for picture in pictures])

    def embed_regions(self, pictures: Iterable[tuple[Picture, Floats]]) -> Iterator[Floats]:
        for picture, boxes in pictures:
            corners = boxes.round().astype(int).tolist()
            yield np.array([self._shares(picture[y0:y1, x0:x1]) for x0, y0, x1, y1 in corners], np.float32)

    def dense(self, pictures: Iterable[Picture]) -> Iterator[DenseEmbeddings]:
        for picture in pictures:
            one_hot = np.eye(len(COLOURS), dtype=np.float32)[colour_ids(picture)].transpose(2, 0, 1)
            yield DenseEmbeddings(one_hot, np.array([0, 0, 1, 1], np.float32))

    def detect(
        self, pictures: Iterable[Picture], names: Sequence[str], threshold: float, top: int | None
    ) -> Iterator[Detections]:
        for _, found in zip(pictures, self.found, strict=True):
            yield found

    def tag_scores(self, pictures: Iterable[Picture], names: Sequence[str]) -> Floats:
        return np.asarray(self.embed_images(pictures) @ self.embed_texts(names).T, np.float32)


def detections(*rows: tuple[Sequence[float], int, float]) -> Detections:
    """From boxes, labels and scores."""
    boxes = np.array([box for box, _, _ in rows], np.float32).reshape(-1, 4)
    labels, scores = np.array([label for _, label, _ in rows], np.int64), np.array([score for *_, score in rows], np.float32)
    return Detections(boxes, labels, scores)


CATEGORIES = [{"id": 3, "name": "green"}, {"id": 1, "name": "red"}, {"id": 90, "name": "blue"}]


def instance(number: int, image: int, category: int, bbox: Sequence[float], **more: Any) -> dict[str, Any]:
    """An annotation as COCO and LVIS have it."""
    known = {"id": number, "image_id": image, "category_id": category, "bbox": list(bbox), "area": bbox[2] * bbox[3]}
    return known | {"segmentation": []} | more


def write_coco(folder: Path, annotations: Sequence[Mapping[str, Any]], pictures: Mapping[int, NDArray[np.uint8]]) -> Path:
    """`annotations/instances_val2017.json` and the pictures."""
    images = []
    for number, picture in pictures.items():
        name = f"{number:012}.jpg"
        save(folder / "val2017" / name, picture)
        images.append({"id": number, "file_name": name, "width": picture.shape[1], "height": picture.shape[0]})
    content = {"images": images, "annotations": list(annotations), "categories": CATEGORIES}
    write(folder / "annotations/instances_val2017.json", content)
    return folder
