"""Label maps from dense embeddings: mean intersection over union."""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from quantize.arithmetic.geometry import Floats, Integers, sample_grid
from quantize.evaluate.predictor import DenseEmbeddings, Predictor
from quantize.evaluate.samples import Sample
from quantize.progress import track

IGNORED = -1
"""Label of pixels that do not count."""
CAMVID_IGNORED = "unlabelled"


def confusion(truth: Integers, answers: Integers, classes: int) -> Integers:
    """Pixels of each true class (row) that got each answer (column); `IGNORED` ones do not count."""
    counted = truth != IGNORED
    pairs = truth[counted] * classes + answers[counted]
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def mean_iou(matrix: Integers) -> float:
    """Mean of the classes' intersection over union, over the classes that occur in the truth."""
    right = np.diag(matrix)
    union = matrix.sum(axis=0) + matrix.sum(axis=1) - right
    present = matrix.sum(axis=1) > 0
    return float((right[present] / union[present]).mean())


def sample_content(maps: Floats, content: Floats, size: tuple[int, int], rows: slice) -> Floats:
    """Values of cells `[C, h, w]` at every pixel of some `rows` of a picture of `size` (height, width): `[C, rows, width]`.

    `content` is where the picture lies among the cells, as in `DenseEmbeddings`; values are linear between cells.
    """
    (height, width), (x0, y0, x1, y1) = size, content
    down = (y0 + (np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5) / height * (y1 - y0)) * maps.shape[1] - 0.5
    across = (x0 + (np.arange(width, dtype=np.float32) + 0.5) / width * (x1 - x0)) * maps.shape[2] - 0.5
    return sample_grid(maps, down, across)


def label_map(dense: DenseEmbeddings, prompts: Floats, height: int, width: int) -> Integers:
    """The best prompt at every pixel of the picture, by cosines interpolated between cells: `[height, width]`."""
    cosines = np.einsum("nd,dhw->nhw", prompts, dense.embeddings)
    sampled = sample_content(cosines, dense.content, (height, width), slice(0, height))
    return np.asarray(sampled.argmax(axis=0), np.int64)


def camvid_truth(samples: Sequence[Sample]) -> tuple[list[str], Iterator[Integers]]:
    """The names, and each picture's map of positions in them."""
    names: list[str] = samples[0].record["mask_names"]
    kept = [name for name in names if name != CAMVID_IGNORED]
    table = np.array([kept.index(name) if name in kept else IGNORED for name in names], np.int64)
    return kept, (table[sample.image("mask.png")] for sample in samples)


def panoptic_prompt(name: str) -> str:
    """COCO's panoptic name in plain words: `wall-other-merged` is `wall`, `wall-brick` is `wall brick`."""
    return re.sub(r"(-other|-merged|-stuff)+$", "", name).replace("-", " ")


def panoptic_truth(samples: Sequence[Sample]) -> tuple[list[str], Iterator[Integers]]:
    """As `camvid_truth`, for segments by colour; crowds and what has no segment are ignored."""
    kept = sorted({panoptic_prompt(segment["name"]) for sample in samples for segment in sample.record["segments"]})

    def maps() -> Iterator[Integers]:
        for sample in samples:
            colours = sample.image("panoptic.png").astype(np.int64)
            ids = colours @ np.array([1, 256, 65536])
            truth = np.full(ids.shape, IGNORED, np.int64)
            for segment in sample.record["segments"]:
                if not segment["iscrowd"]:
                    truth[ids == segment["id"]] = kept.index(panoptic_prompt(segment["name"]))
            yield truth

    return kept, maps()


def evaluate_segmentation(
    predictor: Predictor, samples: Sequence[Sample], names: Sequence[str], truth: Iterator[Integers]
) -> float:
    """Mean IoU over all pixels of all pictures together."""
    return mean_iou(np.sum(list(confusions(predictor, samples, names, truth)), axis=0))


def confusions(
    predictor: Predictor, samples: Sequence[Sample], names: Sequence[str], truth: Iterator[Integers]
) -> Iterator[Integers]:
    """Each picture's `confusion`."""
    prompts = predictor.embed_texts(names)
    dense = predictor.dense(sample.picture() for sample in track(samples, "label maps"))
    for each, expected in zip(dense, truth, strict=True):
        answers = label_map(each, prompts, *expected.shape)
        yield confusion(expected, answers, len(names))
