"""Every metric of `quantize.evaluate` on several bundles, and what each loses against the first."""

import json
from collections.abc import Sequence
from pathlib import Path

import onnx

from quantize.evaluate.binary import BinaryPredictor
from quantize.evaluate.measure import Metrics, ValidationSet, measure
from quantize.evaluate.onnx import OnnxPredictor
from quantize.evaluate.predictor import Predictor
from quantize.evaluate.samples import read_shard
from quantize.evaluate.table import ROWS, percent

# what the mean over metrics counts: one number per protocol, in percent, more is better
COUNTED = ("coco_ap", "coco_ap50", "gtbox_mean_class", "grocery_coarse_top1", "grocery_fine_top1", "camvid_miou", "panoptic_miou",
           "flickr_t2i_r10", "flickr_i2t_r10")  # fmt: skip


def predictor(folder: Path, binary: Path) -> Predictor:
    """The program on int8 bundles; ONNX Runtime on float twins, which the program would run in tract."""
    vision = folder / "vision.onnx"
    if vision.is_file() and all(n.op_type != "QuantizeLinear" for n in onnx.load(vision).graph.node):
        return OnnxPredictor(folder)
    return BinaryPredictor(binary, folder)


def mean(metrics: Metrics) -> float:
    """Of COUNTED."""
    return sum(metrics[name] for name in COUNTED) / len(COUNTED)


def markdown(columns: dict[str, Metrics]) -> str:
    """One row per bundle, one column per metric, in percent; differences to the first bundle in brackets."""
    first = next(iter(columns.values()))
    head = ["", *(ROWS[name] for name in COUNTED), "mean"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for title, metrics in columns.items():
        cells = [percent({name: metrics[name]}, name) for name in COUNTED] + [f"{100 * mean(metrics):.2f}"]
        if metrics is not first:
            changes = [metrics[name] - first[name] for name in COUNTED] + [mean(metrics) - mean(first)]
            cells = [f"{cell} ({100 * change:+.1f})" for cell, change in zip(cells, changes, strict=True)]
        lines.append("| " + " | ".join([title, *cells]) + " |")
    return "\n".join(lines) + "\n"


def compare(bundles: Sequence[tuple[str, Path]], data: Path, binary: Path, limit: int | None, results: Path | None) -> str:
    """The table. With `results`, a folder, what was measured before is read from `NAME.json` there, and the rest written."""
    columns: dict[str, Metrics] = {}
    found: ValidationSet | None = None
    for name, folder in bundles:
        cached = results / f"{name}.json" if results else None
        if cached is not None and cached.is_file():
            columns[name] = json.loads(cached.read_text())
            continue
        found = found or ValidationSet.of(read_shard(data), limit)
        columns[name] = measure(predictor(folder, binary), found)
        if cached is not None:
            cached.parent.mkdir(parents=True, exist_ok=True)
            cached.write_text(json.dumps(columns[name], indent=1) + "\n")
    return markdown(columns)
