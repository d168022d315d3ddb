"""COCO's names taught by boxes of training pictures and found in the validation pictures."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quantize.arithmetic.geometry import Floats
from quantize.evaluate.average_precision import mean_precision, precisions
from quantize.evaluate.coco_names import COCO_NAMES
from quantize.evaluate.predictor import Detections
from quantize.evaluate.protocols.box_quality import labelled
from quantize.evaluate.samples import Sample, read_shard
from quantize.prototypes.program.session import MODES, Program, Taught, words_of

COUNTS = (1, 5)
WRONG = 0.5
"""Share of the words that are replaced in the second part."""
WRONG_SEED = 5
TAUGHT_SCENES = "coco128_train2017"


@dataclass(frozen=True)
class Box:
    """One box that may teach."""

    place: int
    """Of its picture."""
    name: str
    corners: Floats


def precision_of(
    program: Program, teach: Sequence[Sample], ask: Sequence[Sample], draws: int
) -> Iterator[tuple[int, dict[str, float]]]:
    """AP50 of COCO's names in whole pictures, by mode, count and draw; `… half wrong` with other words for half of them."""
    folder = program.path("")
    folder.mkdir()
    every = list(_boxes(teach))
    for place in {box.place for box in every}:
        (folder / f"{place}.jpg").write_bytes(teach[place].files["jpg"])
    (folder / "coco.json").write_text(json.dumps(_coco(every)))

    def add(file: Path) -> None:
        program.run("vocab", "add", file, "--coco", folder / "coco.json", "--images", folder)

    # Those of half of the names change places: a vocabulary takes each word once.
    other = np.random.default_rng(WRONG_SEED)
    moved = [COCO_NAMES[i] for i in other.permutation(len(COCO_NAMES))[: int(WRONG * len(COCO_NAMES))]]
    wrong = words_of(COCO_NAMES) | dict(zip(moved, [*moved[1:], moved[0]], strict=True))
    worded = {"": words_of(COCO_NAMES), ", half wrong": wrong}
    by_words = {f"words{kind}": _precision(program, program.taught(words, None), ask) for kind, words in worded.items()}
    masters = {f"both{kind}": program.taught(words, add) for kind, words in worded.items()}
    masters["examples"] = program.taught({}, add)
    assert {mode.partition(",")[0] for mode in (*by_words, *masters)} == set(MODES)
    for count in COUNTS:
        for seed in range(draws):
            chosen = _drawn(every, len(teach), count, seed)
            found = dict(by_words)
            for mode, master in masters.items():
                drawn = program.drawn(master, _ids(master, chosen))
                found[mode] = _precision(program, drawn, ask)
                drawn.file.unlink()
            yield count, found


def _boxes(teach: Sequence[Sample]) -> Iterator[Box]:
    """One box of a name and picture, and each box once."""
    for place, sample in enumerate(teach):
        boxes, names = sample.boxes()
        seen: set[tuple[float, ...]] = set()
        for at in {name: i for i, name in enumerate(names)}.values():
            corners = tuple(boxes[at].tolist())
            if corners not in seen:
                seen.add(corners)
                yield Box(place, names[at], boxes[at])


def _coco(every: Sequence[Box]) -> dict[str, object]:
    def sides(box: Box) -> list[float]:
        x0, y0, x1, y1 = box.corners.tolist()
        return [x0, y0, x1 - x0, y1 - y0]

    return {
        "images": [{"id": place, "file_name": f"{place}.jpg"} for place in sorted({box.place for box in every})],
        "categories": [{"id": i, "name": name} for i, name in enumerate(COCO_NAMES)],
        "annotations": [
            {"id": i, "image_id": box.place, "category_id": COCO_NAMES.index(box.name), "bbox": sides(box)}
            for i, box in enumerate(every)
        ],
    }


def _drawn(every: Sequence[Box], pictures: int, count: int, seed: int) -> list[Box]:
    """So many boxes of each name, by pictures in a random order."""
    order = np.random.default_rng(seed).permutation(pictures)
    rank = {int(place): i for i, place in enumerate(order)}
    by_name: dict[str, list[Box]] = defaultdict(list)
    for box in sorted(every, key=lambda box: rank[box.place]):
        if len(by_name[box.name]) < count:
            by_name[box.name].append(box)
    return [box for boxes in by_name.values() for box in boxes]


def _ids(master: Taught, chosen: Sequence[Box]) -> set[str]:
    """The example that each box became: that of its name and picture."""
    ids = {(example.name, example.file): example.id for example in master.examples}
    return {ids[box.name, f"{box.place}.jpg"] for box in chosen if (box.name, f"{box.place}.jpg") in ids}


def _precision(program: Program, taught: Taught, ask: Sequence[Sample]) -> float:
    program.use(taught)
    places: NDArray[np.int64] = np.array([COCO_NAMES.index(name) for name in taught.names], np.int64)
    seen = [program.boxes(sample) for sample in ask]
    renamed = [Detections(each.boxes, places[each.labels], each.scores) for each in seen]
    table = precisions(labelled(ask), renamed, len(COCO_NAMES)).table(np.ones(len(ask)))
    return 100 * mean_precision(table).ap50


def samples(data: Path) -> tuple[list[Sample], list[Sample]]:
    """What teaches, and what asks."""
    shards = [read_shard(path, lambda _, source: source == TAUGHT_SCENES) for path in sorted(data.glob("train-*.tar"))]
    teach = [sample for shard in shards for samples in shard.values() for sample in samples if sample.boxes()[1]]
    return teach, read_shard(data / "val.tar")["coco128_val2017"]
