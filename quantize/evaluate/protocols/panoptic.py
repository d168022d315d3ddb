"""Panoptic quality (Kirillov et al., 2019) of what detections and label maps say together.

They are merged as in that paper's baseline: things by falling score, each where no better one is, then stuff. A thing is its
mask inside its box; of a model without masks, what the label map calls by its name inside its box.
"""

from collections.abc import Sequence
from itertools import tee

import numpy as np
from PIL import Image

from quantize.arithmetic.geometry import Integers
from quantize.evaluate.datasets.files import DatasetError, Reading
from quantize.evaluate.datasets.kinds import PanopticItem, PanopticSet, Segment
from quantize.evaluate.predictor import Detections, Predictor
from quantize.evaluate.protocols.label_maps import label, views
from quantize.evaluate.protocols.outcome import Outcome, Settings
from quantize.evaluate.segmentation import sample_content
from quantize.evaluate.statistics import Doubles, bootstrap, class_mean

THRESHOLD = 0.3
TOP = 100
LEAST_VISIBLE = 0.5
"""Share of a thing's pixels that better ones must leave it."""
LEAST_STUFF = 64 * 64
"""Pixels of the smallest piece of stuff that is reported."""
COLOURS = np.array([1, 256, 65536])
VOID = 0


def measure(predictor: Predictor, data: PanopticSet, settings: Settings) -> Outcome:
    """PQ, its two factors SQ and RQ, and PQ of things and stuff apart."""
    prompts = predictor.embed_texts(data.names)
    things = sorted(data.things)
    reading = Reading(data.items, data.problems, "panoptic maps")
    to_map, to_detect = tee(iter(reading))
    mapped = views(predictor, to_map, settings.sliding)
    detected = predictor.detect(to_detect, [data.names[i] for i in things], THRESHOLD, TOP)
    counts = []
    for item, ((size, seen), found) in reading.joined(zip(mapped, detected, strict=True)):
        truth = read_map(item, data)
        if truth is None:
            continue
        answer, labels = merge(label(seen, prompts, size, False), found, np.array(things, np.int64), data.things)
        counts.append(compare(truth, item.segments, answer, labels, len(data.names)))
    if not counts:
        raise DatasetError(f"{data.problems.unreadable[0]}, expected at least one panoptic map that can be read (--data)")
    table = np.array(counts)
    of_things = np.isin(np.arange(len(data.names)), things)

    def statistic(weights: Doubles) -> Doubles:
        iou, true, false, missed = np.tensordot(weights, table, 1)
        whole = true + (false + missed) / 2
        seen = whole > 0
        kinds = [class_mean(iou, whole, each) for each in (seen, seen & of_things, seen & ~of_things)]
        sq = float((iou / np.maximum(true, 1))[seen].mean()) if seen.any() else np.nan
        return np.array([kinds[0], sq, class_mean(true, whole, seen), *kinds[1:]])

    names = ("PQ", "SQ", "RQ", "PQ things", "PQ stuff")
    estimates = bootstrap(statistic, len(table), settings.replicates)
    return Outcome(dict(zip(names, estimates, strict=True)), {"pictures": len(table), "classes": len(data.names)})


def read_map(item: PanopticItem, data: PanopticSet) -> Integers | None:
    """Segment ids `[height, width]`, `VOID` where there is none; None, and noted, if the file cannot be read."""
    try:
        colours = np.asarray(Image.open(item.map).convert("RGB"), np.int64)
        with Image.open(item.path) as picture:
            size = picture.size[::-1]
        if colours.shape[:2] != size:
            raise ValueError(f"{colours.shape[1]}x{colours.shape[0]} pixels, expected {size[1]}x{size[0]}")
    except (OSError, SyntaxError, ValueError) as error:
        data.problems.unreadable.append(f"{item.map}: {str(error).splitlines()[0]}")
        return None
    ids = colours @ COLOURS
    listed = [segment.id for segment in item.segments]
    unknown = ~np.isin(ids, [VOID, *listed])
    for each in np.unique(ids[unknown]).tolist():
        data.problems.unknown[f"segment {each} of {item.map.name}"] += 1
    return np.where(unknown, VOID, ids)


def merge(labels: Integers, found: Detections, classes: Integers, things: frozenset[int]) -> tuple[Integers, dict[int, int]]:
    """Segment ids `[height, width]` and the class of each, from a label map and detections whose labels index `classes`."""
    answer = np.full(labels.shape, VOID, np.int64)
    named: dict[int, int] = {}
    for i, (box, at) in enumerate(zip(found.boxes, found.labels, strict=True)):
        x0, y0 = np.floor(np.maximum(box[:2], 0)).astype(int)
        x1, y1 = np.ceil(np.maximum(box[2:], 0)).astype(int)
        owned = answer[y0:y1, x0:x1]
        if found.masks:
            logits = found.masks.logits[None, found.masks.of[i]]
            inside = sample_content(logits, found.masks.content, labels.shape, slice(y0, y0 + len(owned)))[0, :, x0:x1] > 0
        else:
            inside = labels[y0:y1, x0:x1] == classes[at]
        free = inside & (owned == VOID)
        if free.any() and free.sum() >= LEAST_VISIBLE * inside.sum():
            named[len(named) + 1] = int(classes[at])
            owned[free] = len(named)
    for each in set(np.unique(labels).tolist()) - things:
        place = (labels == each) & (answer == VOID)
        if place.sum() >= LEAST_STUFF:
            named[len(named) + 1] = each
            answer[place] = len(named)
    return answer, named


def compare(truth: Integers, segments: Sequence[Segment], answer: Integers, named: dict[int, int], classes: int) -> Doubles:
    """Sum of the IoU of matched segments, and how many were matched, reported falsely and missed, of each class: `[4, C]`.

    Segments match above an IoU of .5. Void pixels count for no union; what is mostly void, or mostly in a crowd of its class,
    does not count as reported falsely; crowds are not missed.
    """
    pairs, shared = np.unique(np.stack([truth.ravel(), answer.ravel()]), axis=1, return_counts=True)
    common = {(int(t), int(a)): int(n) for (t, a), n in zip(pairs.T, shared, strict=True)}
    area: dict[int, int] = {}
    expected: dict[int, int] = {}
    for (t, a), n in common.items():
        area[a] = area.get(a, 0) + n
        expected[t] = expected.get(t, 0) + n
    counts = np.zeros((4, classes))
    matched: set[int] = set()
    found: set[int] = set()
    known = {segment.id: segment for segment in segments}
    for (t, a), n in common.items():
        if t == VOID or a == VOID or known[t].crowd or known[t].label != named[a]:
            continue
        iou = n / (expected[t] + area[a] - n - common.get((VOID, a), 0))
        if iou > 0.5:
            counts[:2, named[a]] += iou, 1
            matched.add(a)
            found.add(t)
    for a, class_ in named.items():
        crowds = [segment.id for segment in segments if segment.crowd and segment.label == class_]
        excused = common.get((VOID, a), 0) + sum(common.get((t, a), 0) for t in crowds)
        if a in area and a not in matched and excused <= 0.5 * area[a]:
            counts[2, class_] += 1
    for segment in segments:
        if not segment.crowd and segment.id not in found:
            counts[3, segment.label] += 1
    return counts
