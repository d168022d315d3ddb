"""Measures a model on the shards: every protocol, next to the reference models, in one table."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from quantize.evaluate.coco_detector import CocoDetector
from quantize.evaluate.conse import Conse
from quantize.evaluate.nanodet import NanoDet
from quantize.evaluate.picodet import PicoDet
from quantize.evaluate.predictor import Predictor
from quantize.evaluate.protocols import (
    absent_names,
    box_colours,
    box_quality,
    calibration,
    cameras,
    captions_and_maps,
    groceries,
    single_things,
    unseen_names,
)
from quantize.evaluate.protocols.outcome import Outcome, Settings
from quantize.evaluate.report import NOTHING, as_json, markdown
from quantize.evaluate.shard_sets import ShardSets, of_shards
from quantize.evaluate.statistics import Estimate

REFERENCE_THRESHOLD = 0.3
"""From which score on the supervised detectors' boxes count for precision and recall."""
OURS = "edgeclip"


@dataclass(frozen=True)
class ShardRun:
    """What is measured, on what."""

    data: Path
    """The validation shard; the other files lie beside it."""
    teachers: Path
    aside: bool
    """On the training pictures set aside instead."""
    limit: int | None
    """Only so many pictures of each set."""
    protocols: tuple[str, ...]
    """Names of `PROTOCOLS`; all for none."""


Measure = Callable[[Predictor, ShardSets, Settings], Outcome]
PROTOCOLS: Mapping[str, Measure] = {
    "boxes": lambda p, d, s: merged(
        box_quality.measure(p, p.thresholds.boxes, d.validation.coco, s), box_quality.given_boxes(p, d.validation.coco, s)
    ),
    "unseen-names": unseen_names.measure,
    "single-things": single_things.measure,
    "absent-names": absent_names.measure,
    "colours": box_colours.measure,
    "calibration": calibration.measure,
    "cameras": lambda p, d, s: merged(cameras.measure(p, d.validation.coco, s), cameras.given_boxes(p, d.validation.coco)),
    "groceries": groceries.measure,
    "retrieval": captions_and_maps.retrieval,
    "label-maps": captions_and_maps.label_maps,
}
"""By name, in the order of the table."""


def merged(*outcomes: Outcome) -> Outcome:
    """All numbers of several outcomes."""
    metrics = {name: value for outcome in outcomes for name, value in outcome.metrics.items()}
    return Outcome(metrics, {name: value for outcome in outcomes for name, value in outcome.counts.items()})


def run(asked: ShardRun, made: Callable[[], Predictor], runtime: str, settings: Settings, out: Path | None) -> None:
    """Prints the table and the line that sums it up, and writes `shards.md` and `shards.json` into the folder `out`."""
    data, model = of_shards(asked.data, asked.aside, asked.limit), made()
    names = asked.protocols or tuple(PROTOCOLS)
    columns = {OURS: merged(*(PROTOCOLS[name](model, data, settings) for name in names))}
    columns |= references(asked.teachers, data, settings, names)
    title = "Training pictures set aside" if asked.aside else "Validation pictures and held-out names"
    table = markdown(title, columns)
    print(table)
    if out:
        out.mkdir(parents=True, exist_ok=True)
        (out / "shards.md").write_text(table)
        about = asdict(settings) | {"runtime": runtime, "limit": asked.limit, "aside": asked.aside}
        (out / "shards.json").write_text(as_json(title, columns, about))
    print(closing_line(columns[OURS].metrics))


def references(teachers: Path, data: ShardSets, settings: Settings, names: tuple[str, ...]) -> dict[str, Outcome]:
    """What the reference models can be asked; one whose files are missing is left out, and that is said."""

    def detector(kind: type[CocoDetector]) -> Outcome:
        net, found = kind(teachers), []
        if "boxes" in names:
            found.append(box_quality.measure(net, REFERENCE_THRESHOLD, data.validation.coco, settings))
            answers = net.box_names(data.validation.coco)
            found.append(box_quality.named(answers, data.validation.coco, settings))
        if "cameras" in names:
            found.append(cameras.measure(net, data.validation.coco, settings))
        return merged(*found)

    def conse() -> Outcome:
        net = Conse(teachers)
        found = (
            [box_quality.named(net.box_names(data.validation.coco), data.validation.coco, settings)] if "boxes" in names else []
        )
        return merged(*found, *([groceries.measure(net, data, settings)] if "groceries" in names else []))

    made: dict[str, Callable[[], Outcome]] = {
        "NanoDet-m": lambda: detector(NanoDet), "PicoDet-S": lambda: detector(PicoDet), "ConSE": conse,
    }  # fmt: skip
    found = {}
    for name, measured in made.items():
        try:
            outcome = measured()
        except FileNotFoundError as error:
            print(f"{name} is left out: {error.filename or error} is missing (--teachers)", file=sys.stderr)
            continue
        if outcome.metrics:
            found[name] = outcome
    return found


LINE = {
    "AP50": "COCO-80 AP50",
    "gtbox": "given boxes, mean class",
    "heldout": "unseen names among them, top-1",
    "any-box": "single things of other names: box",
    "false-tags": "200 absent names: wrong tags a picture",
    "R@10": "Flickr8k text → image R@10",
    "miou": "COCO panoptic, mIoU",
}


def closing_line(metrics: Mapping[str, Estimate]) -> str:
    """The one line that sums up a measurement."""

    def number(name: str) -> str:
        value = metrics.get(name)
        return f"{value.value * (100 if value.share else 1):.1f}" if value else NOTHING

    return "val " + " ".join(f"{short} {number(name)}" for short, name in LINE.items())
