"""Measures runtimes on anybody's labelled pictures, by what their labels are: boxes, names of whole pictures, captions."""

import dataclasses
import io
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from quantize.evaluate import on_dataset
from quantize.evaluate.average_precision import LabelledBoxes
from quantize.evaluate.datasets.files import DatasetError, Problems
from quantize.evaluate.datasets.kinds import BoxItem, BoxSet, CaptionItem, CaptionSet, LabelItem, LabelSet
from quantize.evaluate.predictor import Predictor
from quantize.evaluate.protocols import classification, detection, given_boxes, retrieval
from quantize.evaluate.protocols.outcome import Outcome, Settings
from quantize.evaluate.report import as_json, markdown
from quantize.evaluate.statistics import Estimate
from quantize.labels import recognise
from quantize.labels.labelled import LabelError, Labelled

NAME = "own"


def run(
    place: Path, limit: int | None, runtimes: Sequence[str], models: on_dataset.Models, settings: Settings, out: Path | None
) -> None:
    """Prints what was read and the table, and writes `own.md` and `own.json` into the folder `out`.

    Raises:
        DatasetError: the set cannot be used, or nothing in it is labelled.
    """
    try:
        data = recognise.read(place)
    except LabelError as error:
        raise DatasetError(str(error)) from None
    print(f"evaluate: {data}", file=sys.stderr)
    pictures = data.pictures[:limit]
    if not any(p.things or p.labels or p.captions for p in pictures):
        raise DatasetError(f"{place}: found pictures alone, expected boxes, names or captions of them")
    with tempfile.TemporaryDirectory() as folder:
        paths = [_file(p, i, Path(folder)) for i, p in enumerate(pictures)]
        columns = {each: measured(on_dataset.predictor(each, models), pictures, paths, settings) for each in runtimes}
    title = f"{place.name} ({data.form})"
    table = markdown(title, columns)
    print(table)
    if out:
        out.mkdir(parents=True, exist_ok=True)
        (out / f"{NAME}.md").write_text(table)
        varied = dataclasses.asdict(settings) | {"limit": limit, "model": str(models.bundle), "data": str(place)}
        (out / f"{NAME}.json").write_text(as_json(title, columns, varied))


def _file(picture: Labelled, number: int, folder: Path) -> Path:
    """The picture's file; of one inside a shard, or turned by EXIF, an upright copy in `folder`."""
    content = picture.content
    if content.size < 0:
        with Image.open(content.path) as image:
            if image.size == picture.size and image.getexif().get(0x0112, 1) == 1:
                return content.path
    elif Image.open(io.BytesIO(content.read())).getexif().get(0x0112, 1) == 1:
        path = folder / f"{number}.picture"
        path.write_bytes(content.read())
        return path
    path = folder / f"{number}.png"
    Image.fromarray(picture.picture()).save(path)
    return path


def measured(predictor: Predictor, pictures: Sequence[Labelled], paths: Sequence[Path], settings: Settings) -> Outcome:
    """All protocols that the labels allow."""
    both = list(zip(pictures, paths, strict=True))
    metrics: dict[str, Estimate] = {}
    counts = {"pictures": len(pictures)}
    names = sorted({t.name for p in pictures for t in p.things})
    if names:
        boxes = BoxSet([_boxes(p, path, names) for p, path in both], names, Problems())
        for outcome in (detection.measure_coco(predictor, boxes, settings), given_boxes.measure(predictor, boxes, settings)):
            metrics |= {f"boxes: {name}": value for name, value in outcome.metrics.items()}
            counts |= outcome.counts
    labels = sorted({name for p in pictures for name in p.labels})
    # one name a picture is a question with one right answer
    single = [LabelItem(path, labels.index(p.labels[0])) for p, path in both if len(p.labels) == 1]
    if len(labels) > 1 and single:
        outcome = classification.measure(predictor, LabelSet(single, labels, Problems()), settings)
        metrics |= {f"names of pictures: {name}": value for name, value in outcome.metrics.items()}
        counts |= {"classes": len(labels)}
    captioned = [CaptionItem(path, p.captions) for p, path in both if p.captions]
    if captioned:
        outcome = retrieval.measure(predictor, CaptionSet(captioned, Problems()), settings)
        metrics |= {f"captions: {name}": value for name, value in outcome.metrics.items()}
        counts |= {"captions": outcome.counts["captions"]}
    return Outcome(metrics, counts)


def _boxes(picture: Labelled, path: Path, names: Sequence[str]) -> BoxItem:
    w, h = picture.size
    boxes = np.array([t.rect for t in picture.things], np.float32).reshape(-1, 4) * np.array([w, h, w, h], np.float32)
    labels = np.array([names.index(t.name) for t in picture.things], np.int64)
    return BoxItem(path, w, h, LabelledBoxes(boxes, labels, np.array([t.crowd for t in picture.things], bool)))
